"""what decisions leave behind.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "progress",
        sa.Column("origin", TEXT, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("origin", name=op.f("pk_progress")),
    )
    op.create_table(
        "alerts",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("receipt_id", TEXT, nullable=False),
        sa.Column("conversation_id", TEXT, nullable=False),
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("repo_id", TEXT, nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("policy_id", TEXT, nullable=False),
        sa.Column("agent_id", TEXT, nullable=False),
        sa.Column("model", TEXT, nullable=False),
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("host", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_alerts_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_alerts")),
    )
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_alerts_tenant_id_agent_id_at_ms_id"),
            ["tenant_id", "agent_id", "at_ms", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_alerts_tenant_id_at_ms_id"), ["tenant_id", "at_ms", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_alerts_tenant_id_conversation_id_at_ms_id"),
            ["tenant_id", "conversation_id", "at_ms", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_alerts_tenant_id_policy_id_at_ms_id"),
            ["tenant_id", "policy_id", "at_ms", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_alerts_tenant_id_receipt_id"), ["tenant_id", "receipt_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_alerts_tenant_id_workspace_id_at_ms_id"),
            ["tenant_id", "workspace_id", "at_ms", "id"],
            unique=False,
        )

    op.create_table(
        "approvals",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("receipt_id", TEXT, nullable=False),
        sa.Column("conversation_id", TEXT, nullable=False),
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("repo_id", TEXT, nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("agent_id", TEXT, nullable=False),
        sa.Column("policy_ids", TEXT, nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_approvals_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_approvals")),
    )
    with op.batch_alter_table("approvals", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_approvals_tenant_id_agent_id_at_ms_id"),
            ["tenant_id", "agent_id", "at_ms", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_approvals_tenant_id_at_ms_id"), ["tenant_id", "at_ms", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_approvals_tenant_id_conversation_id_at_ms_id"),
            ["tenant_id", "conversation_id", "at_ms", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_approvals_tenant_id_receipt_id"), ["tenant_id", "receipt_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_approvals_tenant_id_status_at_ms_id"),
            ["tenant_id", "status", "at_ms", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_approvals_tenant_id_workspace_id_at_ms_id"),
            ["tenant_id", "workspace_id", "at_ms", "id"],
            unique=False,
        )

    op.create_table(
        "attention",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("receipt_id", TEXT, nullable=False),
        sa.Column("conversation_id", TEXT, nullable=False),
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("repo_id", TEXT, nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("policy_id", TEXT, nullable=True),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_attention_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_attention")),
    )
    with op.batch_alter_table("attention", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_attention_tenant_id_at_ms_id"), ["tenant_id", "at_ms", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_attention_tenant_id_conversation_id_at_ms_id"),
            ["tenant_id", "conversation_id", "at_ms", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_attention_tenant_id_receipt_id"), ["tenant_id", "receipt_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_attention_tenant_id_status_at_ms_id"),
            ["tenant_id", "status", "at_ms", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_attention_tenant_id_workspace_id_at_ms_id"),
            ["tenant_id", "workspace_id", "at_ms", "id"],
            unique=False,
        )

    op.create_table(
        "violations",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("receipt_id", TEXT, nullable=False),
        sa.Column("conversation_id", TEXT, nullable=False),
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("repo_id", TEXT, nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("policy_id", TEXT, nullable=False),
        sa.Column("agent_id", TEXT, nullable=False),
        sa.Column("risk", TEXT, nullable=False),
        sa.Column("block", sa.Boolean(), nullable=False),
        sa.Column("model", TEXT, nullable=False),
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("host", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_violations_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_violations")),
    )
    with op.batch_alter_table("violations", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_violations_tenant_id_agent_id_at_ms_id"),
            ["tenant_id", "agent_id", "at_ms", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_violations_tenant_id_at_ms_id"), ["tenant_id", "at_ms", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_violations_tenant_id_conversation_id_at_ms_id"),
            ["tenant_id", "conversation_id", "at_ms", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_violations_tenant_id_policy_id_at_ms_id"),
            ["tenant_id", "policy_id", "at_ms", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_violations_tenant_id_receipt_id"), ["tenant_id", "receipt_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_violations_tenant_id_workspace_id_at_ms_id"),
            ["tenant_id", "workspace_id", "at_ms", "id"],
            unique=False,
        )


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("violations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_violations_tenant_id_workspace_id_at_ms_id"))
        batch_op.drop_index(batch_op.f("ix_violations_tenant_id_receipt_id"))
        batch_op.drop_index(batch_op.f("ix_violations_tenant_id_policy_id_at_ms_id"))
        batch_op.drop_index(batch_op.f("ix_violations_tenant_id_conversation_id_at_ms_id"))
        batch_op.drop_index(batch_op.f("ix_violations_tenant_id_at_ms_id"))
        batch_op.drop_index(batch_op.f("ix_violations_tenant_id_agent_id_at_ms_id"))

    op.drop_table("violations")
    with op.batch_alter_table("attention", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attention_tenant_id_workspace_id_at_ms_id"))
        batch_op.drop_index(batch_op.f("ix_attention_tenant_id_status_at_ms_id"))
        batch_op.drop_index(batch_op.f("ix_attention_tenant_id_receipt_id"))
        batch_op.drop_index(batch_op.f("ix_attention_tenant_id_conversation_id_at_ms_id"))
        batch_op.drop_index(batch_op.f("ix_attention_tenant_id_at_ms_id"))

    op.drop_table("attention")
    with op.batch_alter_table("approvals", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_approvals_tenant_id_workspace_id_at_ms_id"))
        batch_op.drop_index(batch_op.f("ix_approvals_tenant_id_status_at_ms_id"))
        batch_op.drop_index(batch_op.f("ix_approvals_tenant_id_receipt_id"))
        batch_op.drop_index(batch_op.f("ix_approvals_tenant_id_conversation_id_at_ms_id"))
        batch_op.drop_index(batch_op.f("ix_approvals_tenant_id_at_ms_id"))
        batch_op.drop_index(batch_op.f("ix_approvals_tenant_id_agent_id_at_ms_id"))

    op.drop_table("approvals")
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alerts_tenant_id_workspace_id_at_ms_id"))
        batch_op.drop_index(batch_op.f("ix_alerts_tenant_id_receipt_id"))
        batch_op.drop_index(batch_op.f("ix_alerts_tenant_id_policy_id_at_ms_id"))
        batch_op.drop_index(batch_op.f("ix_alerts_tenant_id_conversation_id_at_ms_id"))
        batch_op.drop_index(batch_op.f("ix_alerts_tenant_id_at_ms_id"))
        batch_op.drop_index(batch_op.f("ix_alerts_tenant_id_agent_id_at_ms_id"))

    op.drop_table("alerts")
    op.drop_table("progress")
