"""on which conversations the reports of runs draw.

Revision ID: 0019
Revises: 0018
"""

import json
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BY_STATUS = "ix_learning_runs_tenant_id_status_created_ms_id"
_RUNS = sa.table("learning_runs", *(sa.column(name) for name in ("tenant_id", "id", "report")))
_NAMES = ("tenant_id", "conversation_id", "run_id")
_SOURCES = sa.table("learning_sources", *(sa.column(name) for name in _NAMES))


def upgrade() -> None:
    """Apply."""
    op.create_index(BY_STATUS, "learning_runs", ["tenant_id", "status", "created_ms", "id"])
    op.create_table(
        "learning_sources",
        *(sa.Column(name, TEXT, nullable=False) for name in _NAMES),
        sa.ForeignKeyConstraint(
            ["tenant_id", "run_id"],
            ["learning_runs.tenant_id", "learning_runs.id"],
            name=op.f("fk_learning_sources_tenant_id_run_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_learning_sources_tenant_id")),
        sa.PrimaryKeyConstraint(*_NAMES, name=op.f("pk_learning_sources")),
    )
    _fill(op.get_bind())


def downgrade() -> None:
    """Take back."""
    op.drop_table("learning_sources")
    op.drop_index(BY_STATUS, "learning_runs")


def _fill(connection: sa.Connection) -> None:
    """Note on which conversations the reports that are there draw."""
    reported = sa.select(_RUNS.c.tenant_id, _RUNS.c.id).where(_RUNS.c.report.is_not(None))
    for tenant_id, run_id in connection.execute(reported).all():
        this = (_RUNS.c.tenant_id == tenant_id, _RUNS.c.id == run_id)
        try:
            report = json.loads(connection.execute(sa.select(_RUNS.c.report).where(*this)).scalar_one())
        except ValueError:
            continue  # nobody can read it, so nobody shows it
        rows = [
            {"tenant_id": tenant_id, "conversation_id": each, "run_id": run_id}
            for each in sorted(set(_drawn_on(report)))
        ]
        if rows:
            connection.execute(_SOURCES.insert(), rows)


def _drawn_on(report: dict[str, list[dict[str, dict[str, object]]]]) -> Iterator[str]:
    """Yield the conversations that a report names."""
    for finding in report["findings"]:
        draft = finding["draft"]
        quotes, supports, tried = draft["quotes"], draft["supports"], draft["tried"]
        yield from (each["conversation_id"] for each in _list(quotes) if isinstance(each, dict))
        yield from map(str, _list(supports))
        yield from map(str, _list(tried.get("samples")) if isinstance(tried, dict) else ())


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
