"""The tables of the control plane: what the migrations build and what the statements use.

Ids are unique inside a tenant, so keys and references are pairs of tenant and id: no row can point across.
`members` repeats `users.workspace_roles` as rows, for the filter by workspace.
"""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.schema import SchemaItem

from bylaw.storage.sql.types import Ident, Int64, JsonText, LongText, SearchKey, TenantIdent

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

tenants = Table(
    "tenants",
    metadata,
    Column("id", TenantIdent, primary_key=True),
    Column("name", LongText, nullable=False),
    Column("created_ms", Int64, nullable=False),
    Column("changes", Int64, nullable=False, server_default="0"),
    Index(None, "created_ms", "id"),
)


def _tenanted(name: str, *items: SchemaItem, key: tuple[str, ...] = ("id",)) -> Table:
    """Return a table whose rows belong to a tenant, keyed by it and `key`."""
    return Table(
        name,
        metadata,
        Column("tenant_id", TenantIdent, nullable=False),
        *items,
        PrimaryKeyConstraint("tenant_id", *key),
        ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
    )


def _refers(table: str, **columns: str) -> ForeignKeyConstraint:
    """Return a reference inside the tenant: each of our columns to one of theirs."""
    return ForeignKeyConstraint(
        ["tenant_id", *columns], [f"{table}.tenant_id", *(f"{table}.{theirs}" for theirs in columns.values())]
    )


def _placed() -> tuple[SchemaItem, ...]:
    """Return the columns of a place, and the references that keep it inside the tenant."""
    return (
        Column("workspace_id", Ident),
        Column("repo_id", Ident),
        _refers("workspaces", workspace_id="id"),
        _refers("repos", workspace_id="workspace_id", repo_id="id"),
    )


def _listed(*first: str) -> Index:
    """Return the index of a list that is newest first, inside the tenant and `first`."""
    return Index(None, "tenant_id", *first, "created_ms", "id")


workspaces = _tenanted(
    "workspaces",
    Column("id", Ident, nullable=False),
    Column("name", LongText, nullable=False),
    Column("review_edits", Boolean, nullable=False),
    Column("separate_approvers", Boolean, nullable=False),
    Column("require_policy", Boolean, nullable=False),
    Column("context_schema", JsonText),
    Column("created_ms", Int64, nullable=False),
    Column("deleted_ms", Int64),
    Column("revision", Int64, nullable=False),
    _listed(),
)

repos = _tenanted(
    "repos",
    Column("id", Ident, nullable=False),
    Column("workspace_id", Ident, nullable=False),
    Column("name", LongText, nullable=False),
    Column("created_ms", Int64, nullable=False),
    Column("deleted_ms", Int64),
    Column("revision", Int64, nullable=False),
    _refers("workspaces", workspace_id="id"),
    UniqueConstraint("tenant_id", "workspace_id", "id"),
    _listed(),
    _listed("workspace_id"),
)

users = _tenanted(
    "users",
    Column("id", Ident, nullable=False),
    Column("email", LongText, nullable=False),
    Column("email_key", SearchKey, nullable=False),
    Column("name", LongText, nullable=False),
    Column("last_name", LongText, nullable=False, server_default=text("''")),
    Column("org_role", LongText, nullable=False),
    Column("workspace_roles", JsonText, nullable=False),
    Column("created_ms", Int64, nullable=False),
    Column("deleted_ms", Int64),
    Column("revision", Int64, nullable=False),
    _listed(),
)
Index(
    "uq_users_tenant_id_email_key",
    users.c.tenant_id,
    users.c.email_key,
    unique=True,
    sqlite_where=users.c.deleted_ms.is_(None),
    postgresql_where=users.c.deleted_ms.is_(None),
)

members = _tenanted(
    "members",
    Column("workspace_id", Ident, nullable=False),
    Column("user_id", Ident, nullable=False),
    _refers("workspaces", workspace_id="id"),
    _refers("users", user_id="id"),
    Index(None, "tenant_id", "user_id"),
    key=("workspace_id", "user_id"),
)

keys = _tenanted(
    "keys",
    Column("id", Ident, nullable=False),
    Column("name", LongText, nullable=False),
    Column("prefix", LongText, nullable=False),
    Column("sha256", Ident, nullable=False),
    Column("scopes", JsonText, nullable=False),
    *_placed(),
    Column("user_id", Ident),
    Column("rate_per_minute", Int64),
    Column("created_ms", Int64, nullable=False),
    Column("expires_ms", Int64),
    Column("revoked_ms", Int64),
    Column("last_used_ms", Int64),
    Column("revision", Int64, nullable=False),
    _refers("users", user_id="id"),
    UniqueConstraint("sha256"),
    _listed(),
    _listed("workspace_id"),
)

agents = _tenanted(
    "agents",
    Column("id", Ident, nullable=False),
    *_placed(),
    Column("name", LongText, nullable=False),
    Column("policy_id", Ident),
    Column("require_policy", Boolean, nullable=False),
    Column("registered", Boolean, nullable=False),
    Column("created_ms", Int64, nullable=False),
    Column("revision", Int64, nullable=False),
    _refers("policies", policy_id="id"),
    _listed(),
    _listed("workspace_id"),
    _listed("policy_id"),
)

policies = _tenanted(
    "policies",
    Column("id", Ident, nullable=False),
    *_placed(),
    Column("reach", LongText, nullable=False),
    Column("slug", Ident),
    Column("status", Ident, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("source", JsonText, nullable=False),
    Column("source_type", LongText, nullable=False),
    Column("latest", Int64, nullable=False),
    Column("approved", Int64),
    Column("pending", Int64),
    Column("current", Int64, nullable=False),
    Column("decided_by", LongText),
    Column("decided_reason", LongText),
    Column("created_by", LongText, nullable=False),
    Column("created_ms", Int64, nullable=False),
    Column("updated_by", LongText, nullable=False),
    Column("updated_ms", Int64, nullable=False),
    Column("deleted_ms", Int64),
    Column("revision", Int64, nullable=False),
    _listed(),
    _listed("workspace_id"),
    _listed("status"),
)
Index(
    "uq_policies_tenant_id_slug",
    policies.c.tenant_id,
    policies.c.slug,
    unique=True,
    sqlite_where=policies.c.deleted_ms.is_(None),
    postgresql_where=policies.c.deleted_ms.is_(None),
)

versions = _tenanted(
    "versions",
    Column("policy_id", Ident, nullable=False),
    Column("number", Int64, nullable=False),
    Column("content", JsonText, nullable=False),
    Column("digest", LongText, nullable=False),
    Column("author", LongText, nullable=False),
    Column("reason", LongText, nullable=False),
    Column("created_ms", Int64, nullable=False),
    Column("topic_key", SearchKey),
    Column("action", LongText, nullable=False),
    Column("risk", LongText, nullable=False),
    Column("search_text", LongText, nullable=False),
    _refers("policies", policy_id="id"),
    Index(None, "tenant_id", "topic_key"),
    key=("policy_id", "number"),
)

conversations = _tenanted(
    "conversations",
    Column("id", Ident, nullable=False),
    *_placed(),
    Column("channel_id", LongText, nullable=False),
    Column("contact_id", Ident, nullable=False),
    Column("contact_name", LongText, nullable=False),
    Column("contact_email", LongText, nullable=False),
    Column("account_id", LongText, nullable=False),
    Column("account_name", LongText, nullable=False),
    Column("status", Ident, nullable=False),
    Column("human_managed", Boolean, nullable=False),
    Column("messages", JsonText, nullable=False),
    Column("outcome", LongText),
    Column("resolved_by", LongText),
    Column("resolved_ms", Int64),
    Column("created_ms", Int64, nullable=False),
    Column("revision", Int64, nullable=False),
    Column("search_text", LongText, nullable=False),
    _listed(),
    _listed("workspace_id"),
    _listed("status"),
    _listed("contact_id"),
)

outbox = _tenanted(
    "outbox",
    Column("id", Ident, nullable=False),
    Column("position", Int64, nullable=False),
    Column("kind", LongText, nullable=False),
    Column("payload", JsonText, nullable=False),
    Column("created_ms", Int64, nullable=False),
)

replies = Table(
    "replies",
    metadata,
    Column("tenant_id", TenantIdent, nullable=False),  # empty for the operator's own
    Column("caller", Ident, nullable=False),
    Column("key", Ident, nullable=False),
    Column("digest", LongText, nullable=False),
    Column("status", Int64, nullable=False),
    Column("headers", JsonText, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_ms", Int64, nullable=False),
    PrimaryKeyConstraint("tenant_id", "caller", "key"),
    Index(None, "tenant_id", "created_ms"),
)

progress = Table(
    "progress",
    metadata,
    Column("origin", Ident, primary_key=True),
    Column("position", Int64, nullable=False),
)


known_logs = Table(
    "known_logs",
    metadata,
    Column("origin", Ident, primary_key=True),
    Column("size", Int64, nullable=False),
    Column("note", LongText, nullable=False),
    Column("at_ms", Int64, nullable=False),
)


def _left_by_decisions(name: str, *items: SchemaItem) -> Table:
    """Return a table of what decisions leave for people: the whole item, and what it is looked for by.

    The items come from outside at the pace of decisions, so nothing in them may fail to be stored.
    """
    return _tenanted(
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


def _sought(*names: str) -> tuple[SchemaItem, ...]:
    """Return columns by which items are looked for, each with its index."""
    columns = [Column(name, SearchKey, nullable=False) for name in names]
    return (*columns, *(Index(None, "tenant_id", name, "at_ms", "id") for name in names))


_ASKED_ABOUT = ("policy_id", "agent_id", "user_id", "key_id", "model", "host")

violations = _left_by_decisions(
    "violations",
    *_sought(*_ASKED_ABOUT),
    Column("provider", SearchKey, nullable=False),
    Column("risk", LongText, nullable=False),
    Column("block", Boolean, nullable=False),
)

alerts = _left_by_decisions(
    "alerts",
    *_sought(*_ASKED_ABOUT),
    Column("provider", SearchKey, nullable=False),
)

evaluations = _left_by_decisions(
    "evaluations",
    *_sought("user_id", "key_id", "model"),
    Column("tokens_in", Int64, nullable=False),
    Column("tokens_out", Int64, nullable=False),
)

attention = _left_by_decisions(
    "attention",
    *_sought("status"),
    Column("policy_id", SearchKey),
    Column("type", SearchKey, nullable=False),
    Column("revision", Int64, nullable=False),
)

approvals = _left_by_decisions(
    "approvals",
    *_sought("status", "agent_id"),
    Column("policy_ids", LongText, nullable=False),
    Column("expires_ms", Int64, nullable=False),
    Column("revision", Int64, nullable=False),
)

# Sums over violations, alerts and evaluations, of whole hours and days (`step_ms`). `level` says how much of
# the place is told, `facet` of what `ident` is the id; `untallied` names the hours whose sums do not hold.
tallies = Table(
    "tallies",
    metadata,
    Column("tenant_id", TenantIdent, nullable=False),
    Column("level", Ident, nullable=False),
    Column("workspace_id", SearchKey, nullable=False),
    Column("repo_id", SearchKey, nullable=False),
    Column("facet", Ident, nullable=False),
    Column("ident", SearchKey, nullable=False),
    Column("step_ms", Int64, nullable=False),
    Column("at_ms", Int64, nullable=False),
    *(
        Column(name, Int64, nullable=False)
        for name in ("violations", "alerts", "blocks", "low", "medium", "high", "tokens_in", "tokens_out")
    ),
    PrimaryKeyConstraint(
        "tenant_id", "level", "workspace_id", "repo_id", "facet", "ident", "step_ms", "at_ms"
    ),
    ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
    Index(None, "tenant_id", "at_ms"),
    sqlite_with_rowid=False,
)

untallied = _tenanted(
    "untallied",
    Column("hour_ms", Int64, nullable=False),
    Column("times", Int64, nullable=False),
    key=("hour_ms",),
)
