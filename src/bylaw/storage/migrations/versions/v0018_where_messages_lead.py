"""corrections of where messages lead, and workspaces whose decisions find their topics.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_LISTS = (
    ("created_ms", "id"),
    *((name, "created_ms", "id") for name in ("workspace_id", "policy_id", "conversation_id", "receipt_id")),
)


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "workspaces", sa.Column("route_decisions", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_table(
        "corrections",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("workspace_id", TEXT, nullable=True),
        sa.Column("policy_id", TEXT, nullable=True),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("conversation_id", TEXT, nullable=True),
        sa.Column("receipt_id", TEXT, nullable=True),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "workspace_id"],
            ["workspaces.tenant_id", "workspaces.id"],
            name="fk_corrections_tenant_id_workspace_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "policy_id"],
            ["policies.tenant_id", "policies.id"],
            name="fk_corrections_tenant_id_policy_id",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_corrections_tenant_id"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_corrections"),
    )
    for columns in (*_LISTS, ("digest",)):
        op.create_index(
            "_".join(["ix_corrections_tenant_id", *columns]), "corrections", ["tenant_id", *columns]
        )


def downgrade() -> None:
    """Take back; whoever embeds forgets what was said."""
    op.execute("DELETE FROM vectors WHERE digest LIKE 'said:%' OR embedder = '~'")
    op.drop_table("corrections")
    op.drop_column("workspaces", "route_decisions")
