"""jobs, their steps, and what recurs.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "jobs",
        *(sa.Column(name, TEXT, nullable=False) for name in ("tenant_id", "id", "kind")),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("dedupe", TEXT, nullable=True),
        sa.Column("live_key", TEXT, nullable=True),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("worker", TEXT, nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("lease_ms", "steps_done", "steps_total")
        ),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("error", TEXT, nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_jobs_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("tenant_id", "kind", "live_key", name=op.f("uq_jobs_tenant_id_kind_live_key")),
    )
    for columns in (
        ["tenant_id", "created_ms", "id"],
        ["tenant_id", "kind", "created_ms", "id"],
        ["tenant_id", "status", "created_ms", "id"],
        ["status", "tenant_id", "priority", "due_ms", "id"],
        ["status", "ended_ms"],
    ):
        op.create_index(op.f("_".join(["ix_jobs", *columns])), "jobs", columns)
    op.create_table(
        "job_steps",
        *(sa.Column(name, TEXT, nullable=False) for name in ("tenant_id", "job_id", "name")),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "job_id"], ["jobs.tenant_id", "jobs.id"], name=op.f("fk_job_steps_tenant_id_job_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_job_steps_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "job_id", "name", name=op.f("pk_job_steps")),
    )
    op.create_table(
        "schedules",
        *(sa.Column(name, TEXT, nullable=False) for name in ("tenant_id", "name", "kind", "cron")),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("next_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_schedules_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("pk_schedules")),
    )
    op.create_index(op.f("ix_schedules_next_ms"), "schedules", ["next_ms"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("schedules")
    op.drop_table("job_steps")
    op.drop_table("jobs")
