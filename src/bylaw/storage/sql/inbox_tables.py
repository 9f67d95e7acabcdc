"""The tables of the inbox: items for attention, calls that wait, and what people say about either."""

from sqlalchemy import Column, Index, Table

from bylaw.storage.sql.schema import left_by_decisions, sought, tenanted
from bylaw.storage.sql.types import Ident, Int64, LongText, SearchKey

attention = left_by_decisions(
    "attention",
    *sought("status"),
    Column("policy_id", SearchKey),
    Column("type", SearchKey, nullable=False),
    Column("revision", Int64, nullable=False),
    Column("assignee", SearchKey),
)

approvals = left_by_decisions(
    "approvals",
    *sought("status", "agent_id"),
    Column("policy_ids", LongText, nullable=False),
    Column("expires_ms", Int64, nullable=False),
    Column("revision", Int64, nullable=False),
    Column("assignee", SearchKey),
)

# Whoever is assigned stays known when they are gone, so nothing is referred to.
remarks = tenanted(
    "remarks",
    Column("id", Ident, nullable=False),
    Column("about", Ident, nullable=False),
    Column("receipt_id", Ident, nullable=False),
    Column("kind", Ident, nullable=False),
    Column("author", LongText, nullable=False),
    Column("assignee", Ident),
    Column("text", LongText),
    Column("created_ms", Int64, nullable=False),
    Index(None, "tenant_id", "about", "created_ms", "id"),
    Index(None, "tenant_id", "receipt_id"),
)


def _of_people(table: Table) -> Index:
    """Return the index of what is in somebody's hands: of the few things that are."""
    columns = table.c
    assigned = columns.assignee.is_not(None)
    return Index(
        f"ix_{table.name}_tenant_id_assignee",
        columns.tenant_id,
        columns.assignee,
        columns.at_ms,
        columns.id,
        sqlite_where=assigned,
        postgresql_where=assigned,
    )


attention_of_people, approvals_of_people = _of_people(attention), _of_people(approvals)
