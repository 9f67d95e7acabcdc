"""events, keys for the gateway, connections.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.add_column("keys", sa.Column("provider", TEXT, nullable=True))
    op.create_table(
        "events",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", TEXT, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, TEXT, nullable=False)
            for name in ("noun", "change", "ident", "word", "author", "who", "workspace_id")
        ),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_events_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "number", name=op.f("pk_events")),
        sa.UniqueConstraint("tenant_id", "entry_id", name=op.f("uq_events_tenant_id_entry_id")),
    )
    for columns in (["at_ms"], ["who", "number"], ["workspace_id", "number"]):
        name = "_".join(["ix_events_tenant_id", *columns])
        op.create_index(op.f(name), "events", ["tenant_id", *columns])
    op.create_table(
        "event_reads",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("reader", TEXT, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "number"],
            ["events.tenant_id", "events.number"],
            name=op.f("fk_event_reads_tenant_id_number"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_event_reads_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "reader", "number", name=op.f("pk_event_reads")),
    )
    op.create_table(
        "connections",
        *(
            sa.Column(name, TEXT, nullable=False)
            for name in (
                "tenant_id",
                "id",
                "workspace_id",
                "name",
                "provider",
                "endpoint",
                "shown",
                "sealed",
                "created_by",
            )
        ),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("deleted_ms", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "workspace_id"],
            ["workspaces.tenant_id", "workspaces.id"],
            name=op.f("fk_connections_tenant_id_workspace_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_connections_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_connections")),
    )
    for columns in (["created_ms", "id"], ["workspace_id", "created_ms", "id"]):
        name = "_".join(["ix_connections_tenant_id", *columns])
        op.create_index(op.f(name), "connections", ["tenant_id", *columns])
    op.create_index(
        op.f("uq_connections_tenant_id_workspace_id_name"),
        "connections",
        ["tenant_id", "workspace_id", "name"],
        unique=True,
        sqlite_where=sa.text("deleted_ms IS NULL"),
        postgresql_where=sa.text("deleted_ms IS NULL"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("connections")
    op.drop_table("event_reads")
    op.drop_table("events")
    op.drop_column("keys", "provider")
