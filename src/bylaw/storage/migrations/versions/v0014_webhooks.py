"""webhooks, what they are told, and what became of it.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "webhooks",
        *(sa.Column(name, TEXT, nullable=False) for name in ("tenant_id", "id")),
        sa.Column("workspace_id", TEXT, nullable=True),
        sa.Column("url", TEXT, nullable=False),
        sa.Column("types", sa.Text(), nullable=False),
        *(sa.Column(name, TEXT, nullable=False) for name in ("description", "sealed", "sealed_before")),
        sa.Column("overlap_ends_ms", sa.BigInteger(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("stopped_reason", TEXT, nullable=False),
        sa.Column("failing_since_ms", sa.BigInteger(), nullable=True),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("deleted_ms", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "workspace_id"],
            ["workspaces.tenant_id", "workspaces.id"],
            name=op.f("fk_webhooks_tenant_id_workspace_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_webhooks_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_webhooks")),
    )
    _index("webhooks", "created_ms", "id")
    op.create_table(
        "notices",
        *(sa.Column(name, TEXT, nullable=False) for name in ("tenant_id", "id", "type", "workspace_id")),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_notices_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_notices")),
    )
    _index("notices", "created_ms", "id")
    names = ("tenant_id", "id", "webhook_id", "notice_id", "type", "status")
    op.create_table(
        "deliveries",
        *(sa.Column(name, TEXT, nullable=False) for name in names),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("tried", "replays")),
        sa.Column("attempts", sa.Text(), nullable=False),
        sa.Column("next_ms", sa.BigInteger(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "webhook_id"],
            ["webhooks.tenant_id", "webhooks.id"],
            name=op.f("fk_deliveries_tenant_id_webhook_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "notice_id"],
            ["notices.tenant_id", "notices.id"],
            name=op.f("fk_deliveries_tenant_id_notice_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_deliveries_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint(
            "tenant_id", "notice_id", "webhook_id", name=op.f("uq_deliveries_tenant_id_notice_id_webhook_id")
        ),
    )
    _index("deliveries", "webhook_id", "created_ms", "id")
    _index("deliveries", "webhook_id", "status", "created_ms", "id")


def downgrade() -> None:
    """Take back."""
    for name in ("deliveries", "notices", "webhooks"):
        op.drop_table(name)


def _index(table: str, *columns: str) -> None:
    name = "_".join(["ix", table, "tenant_id", *columns])
    op.create_index(op.f(name), table, ["tenant_id", *columns])
