"""statistics.

Revision ID: 0005
Revises: 0004
"""

import json

import sqlalchemy as sa
from alembic import op

from bylaw.storage.text import search_key

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COUNTS = ("violations", "alerts", "blocks", "low", "medium", "high", "tokens_in", "tokens_out")
SOUGHT = ("user_id", "key_id", "model", "host", "repo_id")
ADDED = ("user_id", "key_id")
_BATCH = 1000
_HOUR_MS = 3_600_000


def upgrade() -> None:
    """Apply."""
    for table in ("violations", "alerts"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name in ADDED:
                batch_op.add_column(sa.Column(name, TEXT, nullable=False, server_default=""))
        _tell_who(table)
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name in ADDED:
                batch_op.alter_column(name, server_default=None)
            for name in SOUGHT:
                batch_op.create_index(
                    batch_op.f(f"ix_{table}_tenant_id_{name}_at_ms_id"),
                    ["tenant_id", name, "at_ms", "id"],
                    unique=False,
                )
    _make_evaluations()
    op.create_table(
        "tallies",
        sa.Column("tenant_id", TEXT, nullable=False),
        *(sa.Column(name, TEXT, nullable=False) for name in ("level", "workspace_id", "repo_id", "facet")),
        sa.Column("step_ms", sa.BigInteger(), nullable=False),
        sa.Column("ident", TEXT, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in COUNTS),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_tallies_tenant_id")),
        sa.PrimaryKeyConstraint(
            "tenant_id",
            "level",
            "workspace_id",
            "repo_id",
            "facet",
            "step_ms",
            "ident",
            "at_ms",
            name=op.f("pk_tallies"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_tallies_tenant_id_at_ms"), "tallies", ["tenant_id", "at_ms"], unique=False)
    op.create_table(
        "untallied",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("hour_ms", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_untallied_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "hour_ms", name=op.f("pk_untallied")),
    )
    for table in ("violations", "alerts"):
        op.execute(
            "INSERT INTO untallied (tenant_id, hour_ms, times)"  # noqa: S608 - our own names
            f" SELECT DISTINCT tenant_id, at_ms - at_ms % {_HOUR_MS}, 1 FROM {table} WHERE true"
            " ON CONFLICT DO NOTHING"
        )


def downgrade() -> None:
    """Take back."""
    op.drop_table("untallied")
    op.drop_table("tallies")
    op.drop_table("evaluations")
    for table in ("alerts", "violations"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name in SOUGHT:
                batch_op.drop_index(batch_op.f(f"ix_{table}_tenant_id_{name}_at_ms_id"))
            for name in ADDED:
                batch_op.drop_column(name)


def _make_evaluations() -> None:
    op.create_table(
        "evaluations",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, TEXT, nullable=False)
            for name in ("receipt_id", "conversation_id", "workspace_id", "repo_id")
        ),
        sa.Column("item", sa.Text(), nullable=False),
        *(sa.Column(name, TEXT, nullable=False) for name in ("user_id", "key_id", "model")),
        sa.Column("tokens_in", sa.BigInteger(), nullable=False),
        sa.Column("tokens_out", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_evaluations_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_evaluations")),
    )
    with op.batch_alter_table("evaluations", schema=None) as batch_op:
        for columns in (
            ["at_ms", "id"],
            ["workspace_id", "at_ms", "id"],
            ["conversation_id", "at_ms", "id"],
            ["receipt_id"],
            ["user_id", "at_ms", "id"],
            ["key_id", "at_ms", "id"],
            ["model", "at_ms", "id"],
        ):
            name = "_".join(["ix_evaluations_tenant_id", *columns])
            batch_op.create_index(batch_op.f(name), ["tenant_id", *columns], unique=False)


def _tell_who(table: str) -> None:
    """Take user and key out of what is stored whole."""
    connection = op.get_bind()
    rows = sa.table(table, *(sa.column(name) for name in ("tenant_id", "id", "item", *ADDED)))
    key = (rows.c.tenant_id, rows.c.id)
    told = (
        sa.update(rows)
        .where(rows.c.tenant_id == sa.bindparam("_tenant_id"), rows.c.id == sa.bindparam("_id"))
        .values({name: sa.bindparam(name) for name in ADDED})
    )
    last = ("", "")
    while True:
        after = sa.tuple_(*key) > sa.tuple_(*last)
        page = connection.execute(
            sa.select(*key, rows.c.item).where(after).order_by(*key).limit(_BATCH)
        ).all()
        if not page:
            return
        changes = []
        for tenant_id, ident, item in page:
            who = _who(item)
            if any(who.values()):
                changes.append({"_tenant_id": tenant_id, "_id": ident, **who})
        if changes:
            connection.execute(told, changes)
        last = (page[-1][0], page[-1][1])


def _who(item: str) -> dict[str, str]:
    """Return user and key of an item; nothing of a damaged one, whose readers are told."""
    try:
        occasion = json.loads(item)["occasion"]
        return {name: search_key(occasion.get(name, "")) for name in ADDED}
    except (ValueError, TypeError, KeyError, AttributeError):
        return dict.fromkeys(ADDED, "")
