"""how workspaces learn, and the runs of the learning loop.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TENANT = "fk_{}_tenant_id"
WORKSPACES = ["workspaces.tenant_id", "workspaces.id"]
REPOS = ["repos.tenant_id", "repos.workspace_id", "repos.id"]


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "learning_settings",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("choices", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "id"], WORKSPACES, name=op.f("fk_learning_settings_tenant_id_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(TENANT.format("learning_settings"))),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_learning_settings")),
    )
    op.create_table(
        "learning_runs",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("workspace_id", TEXT, nullable=True),
        sa.Column("repo_id", TEXT, nullable=True),
        sa.Column("cause", TEXT, nullable=False),
        sa.Column("conversation_id", TEXT, nullable=True),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("asked_by", TEXT, nullable=False),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("finished_ms", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "workspace_id", "repo_id"],
            REPOS,
            name=op.f("fk_learning_runs_tenant_id_workspace_id_repo_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "workspace_id"], WORKSPACES, name=op.f("fk_learning_runs_tenant_id_workspace_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(TENANT.format("learning_runs"))),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_learning_runs")),
    )
    for columns in (["created_ms", "id"], ["workspace_id", "created_ms", "id"]):
        name = op.f("_".join(["ix_learning_runs_tenant_id", *columns]))
        op.create_index(name, "learning_runs", ["tenant_id", *columns])


def downgrade() -> None:
    """Take back."""
    op.drop_table("learning_runs")
    op.drop_table("learning_settings")
