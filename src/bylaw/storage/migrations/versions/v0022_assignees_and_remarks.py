"""who sees to what waits for people, and what they say about it.

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
THINGS = ("attention", "approvals")


def upgrade() -> None:
    """Apply: what waits already is in nobody's hands."""
    assigned = sa.column("assignee").is_not(None)
    for table in THINGS:
        op.add_column(table, sa.Column("assignee", TEXT))
        op.create_index(
            f"ix_{table}_tenant_id_assignee",
            table,
            ["tenant_id", "assignee", "at_ms", "id"],
            sqlite_where=assigned,
            postgresql_where=assigned,
        )
    op.create_table(
        "remarks",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("about", TEXT, nullable=False),
        sa.Column("receipt_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("assignee", TEXT),
        sa.Column("text", TEXT),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_remarks_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_remarks")),
    )
    for columns in (["about", "created_ms", "id"], ["receipt_id"]):
        op.create_index(
            op.f("_".join(["ix_remarks_tenant_id", *columns])), "remarks", ["tenant_id", *columns]
        )


def downgrade() -> None:
    """Take back; who has what is forgotten, and what was said."""
    op.drop_table("remarks")
    for table in THINGS:
        op.drop_index(f"ix_{table}_tenant_id_assignee", table)
        op.drop_column(table, "assignee")
