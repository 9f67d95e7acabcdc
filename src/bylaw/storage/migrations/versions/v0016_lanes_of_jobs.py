"""lanes of jobs, of which a worker does a few at a time.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BY_LANE = "ix_jobs_status_tenant_id_lane_priority_due_ms_id"
BY_END = "ix_jobs_status_ended_ms"


def upgrade() -> None:
    """Apply."""
    op.add_column("jobs", sa.Column("lane", TEXT, nullable=False, server_default=sa.text("''")))
    op.create_index(BY_LANE, "jobs", ["status", "tenant_id", "lane", "priority", "due_ms", "id"])
    op.drop_index(BY_END, "jobs")


def downgrade() -> None:
    """Take back."""
    op.create_index(BY_END, "jobs", ["status", "ended_ms"])
    op.drop_index(BY_LANE, "jobs")
    op.drop_column("jobs", "lane")
