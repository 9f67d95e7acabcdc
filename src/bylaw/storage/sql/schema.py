"""What the tables of the control plane are made of: their names, keys and references.

Ids are unique inside a tenant, so keys and references are pairs of tenant and id: no row can point across.
"""

from sqlalchemy import Column, ForeignKeyConstraint, Index, MetaData, PrimaryKeyConstraint, Table
from sqlalchemy.schema import SchemaItem

from bylaw.storage.sql.types import Ident, Int64, JsonText, SearchKey, TenantIdent

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def tenanted(
    name: str, *items: SchemaItem, key: tuple[str, ...] = ("id",), sqlite_with_rowid: bool = True
) -> Table:
    """Return a table whose rows belong to a tenant, keyed by it and `key`."""
    return Table(
        name,
        metadata,
        Column("tenant_id", TenantIdent, nullable=False),
        *items,
        PrimaryKeyConstraint("tenant_id", *key),
        ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        sqlite_with_rowid=sqlite_with_rowid,
    )


def refers(table: str, **columns: str) -> ForeignKeyConstraint:
    """Return a reference inside the tenant: each of our columns to one of theirs."""
    return ForeignKeyConstraint(
        ["tenant_id", *columns], [f"{table}.tenant_id", *(f"{table}.{theirs}" for theirs in columns.values())]
    )


def placed() -> tuple[SchemaItem, ...]:
    """Return the columns of a place, and the references that keep it inside the tenant."""
    return (
        Column("workspace_id", Ident),
        Column("repo_id", Ident),
        refers("workspaces", workspace_id="id"),
        refers("repos", workspace_id="workspace_id", repo_id="id"),
    )


def listed(*first: str) -> Index:
    """Return the index of a list that is newest first, inside the tenant and `first`."""
    return Index(None, "tenant_id", *first, "created_ms", "id")


def left_by_decisions(name: str, *items: SchemaItem) -> Table:
    """Return a table of what decisions leave for people: the whole item, and what it is looked for by.

    The items come from outside at the pace of decisions, so nothing in them may fail to be stored.
    """
    return tenanted(
        name,
        Column("id", Ident, nullable=False),
        Column("at_ms", Int64, nullable=False),
        Column("receipt_id", SearchKey, nullable=False),
        Column("conversation_id", SearchKey, nullable=False),
        Column("workspace_id", SearchKey, nullable=False),
        Column("repo_id", SearchKey, nullable=False),
        Column("item", JsonText, nullable=False),
        *items,
        Index(None, "tenant_id", "at_ms", "id"),
        Index(None, "tenant_id", "workspace_id", "at_ms", "id"),
        Index(None, "tenant_id", "receipt_id"),
        Index(None, "tenant_id", "conversation_id", "at_ms", "id"),
    )


def sought(*names: str) -> tuple[SchemaItem, ...]:
    """Return columns by which items are looked for, each with its index."""
    columns = [Column(name, SearchKey, nullable=False) for name in names]
    return (*columns, *(Index(None, "tenant_id", name, "at_ms", "id") for name in names))
