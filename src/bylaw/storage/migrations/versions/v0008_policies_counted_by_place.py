"""policies counted by place.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

NAME = "ix_policies_tenant_id_workspace_id_repo_id"
UNDELETED = sa.text("deleted_ms IS NULL")


def upgrade() -> None:
    """Apply."""
    columns = ["tenant_id", "workspace_id", "repo_id"]
    op.create_index(NAME, "policies", columns, sqlite_where=UNDELETED, postgresql_where=UNDELETED)


def downgrade() -> None:
    """Take back."""
    op.drop_index(NAME, "policies")
