"""what evaluators used by policy, and calls of models by connection.

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BY_POLICY = "ix_evaluations_tenant_id_policy_id_at_ms_id"


def upgrade() -> None:
    """Apply: what evaluators used before is of no policy in particular."""
    op.add_column("evaluations", sa.Column("policy_id", TEXT, nullable=False, server_default=sa.text("''")))
    op.create_index(BY_POLICY, "evaluations", ["tenant_id", "policy_id", "at_ms", "id"])
    op.create_table(
        "model_calls",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, TEXT, nullable=False)
            for name in ("receipt_id", "conversation_id", "workspace_id", "repo_id")
        ),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("connection_id", TEXT, nullable=False),
        sa.Column("tokens_in", sa.BigInteger(), nullable=False),
        sa.Column("tokens_out", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_model_calls_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_model_calls")),
    )
    for columns in (
        ["at_ms", "id"],
        ["workspace_id", "at_ms", "id"],
        ["conversation_id", "at_ms", "id"],
        ["receipt_id"],
        ["connection_id", "at_ms", "id"],
    ):
        op.create_index(
            op.f("_".join(["ix_model_calls_tenant_id", *columns])), "model_calls", ["tenant_id", *columns]
        )


def downgrade() -> None:
    """Take back."""
    op.drop_table("model_calls")
    op.drop_index(BY_POLICY, "evaluations")
    op.drop_column("evaluations", "policy_id")
