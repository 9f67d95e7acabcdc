"""The tables of the control plane: what the migrations build and what the statements use.

`members` repeats `users.workspace_roles` as rows, for the filter by workspace.
"""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    false,
    text,
    true,
)

from bylaw.storage.sql import (
    correction_tables,
    inbox_tables,
    job_tables,
    learning_tables,
    policy_tables,
    schema,
    webhook_tables,
)
from bylaw.storage.sql.schema import left_by_decisions, listed, placed, refers, sought, tenanted
from bylaw.storage.sql.types import Ident, Int64, JsonText, LongText, SearchKey, TenantIdent

metadata = schema.metadata

tenants = Table(
    "tenants",
    metadata,
    Column("id", TenantIdent, primary_key=True),
    Column("name", LongText, nullable=False),
    Column("created_ms", Int64, nullable=False),
    Column("changes", Int64, nullable=False, server_default="0"),
    Index(None, "created_ms", "id"),
)


workspaces = tenanted(
    "workspaces",
    Column("id", Ident, nullable=False),
    Column("name", LongText, nullable=False),
    Column("review_edits", Boolean, nullable=False),
    Column("separate_approvers", Boolean, nullable=False),
    Column("require_policy", Boolean, nullable=False),
    Column("route_decisions", Boolean, nullable=False, server_default=false()),
    Column("context_schema", JsonText),
    Column("created_ms", Int64, nullable=False),
    Column("deleted_ms", Int64),
    Column("revision", Int64, nullable=False),
    listed(),
)

repos = tenanted(
    "repos",
    Column("id", Ident, nullable=False),
    Column("workspace_id", Ident, nullable=False),
    Column("name", LongText, nullable=False),
    Column("created_ms", Int64, nullable=False),
    Column("deleted_ms", Int64),
    Column("revision", Int64, nullable=False),
    refers("workspaces", workspace_id="id"),
    UniqueConstraint("tenant_id", "workspace_id", "id"),
    listed(),
    listed("workspace_id"),
)

users = tenanted(
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
    listed(),
)
Index(
    "uq_users_tenant_id_email_key",
    users.c.tenant_id,
    users.c.email_key,
    unique=True,
    sqlite_where=users.c.deleted_ms.is_(None),
    postgresql_where=users.c.deleted_ms.is_(None),
)

members = tenanted(
    "members",
    Column("workspace_id", Ident, nullable=False),
    Column("user_id", Ident, nullable=False),
    refers("workspaces", workspace_id="id"),
    refers("users", user_id="id"),
    Index(None, "tenant_id", "user_id"),
    key=("workspace_id", "user_id"),
)

keys = tenanted(
    "keys",
    Column("id", Ident, nullable=False),
    Column("name", LongText, nullable=False),
    Column("prefix", LongText, nullable=False),
    Column("sha256", Ident, nullable=False),
    Column("scopes", JsonText, nullable=False),
    *placed(),
    Column("user_id", Ident),
    Column("provider", Ident),
    Column("is_session", Boolean, nullable=False, server_default=false()),
    Column("made_from", Ident),
    Column("rate_per_minute", Int64),
    Column("created_ms", Int64, nullable=False),
    Column("expires_ms", Int64),
    Column("revoked_ms", Int64),
    Column("last_used_ms", Int64),
    Column("revision", Int64, nullable=False),
    refers("users", user_id="id"),
    UniqueConstraint("sha256"),
    listed(),
    listed("workspace_id"),
)
Index(
    "ix_keys_sessions",
    keys.c.tenant_id,
    keys.c.expires_ms,
    sqlite_where=keys.c.is_session.is_(true()),
    postgresql_where=keys.c.is_session.is_(true()),
)

credentials = tenanted(
    "credentials",
    Column("id", Ident, nullable=False),
    Column("password_hash", LongText),
    Column("invitation", Ident),
    Column("invitation_expires_ms", Int64),
    Column("issuer", Ident),
    Column("subject", Ident),
    Column("created_ms", Int64, nullable=False),
    Column("changed_ms", Int64, nullable=False),
    Column("revision", Int64, nullable=False),
    refers("users", id="id"),
    UniqueConstraint("invitation"),
)
Index("ix_credentials_subject", credentials.c.subject, credentials.c.issuer)
Index("ix_users_email_key", users.c.email_key)

agents = tenanted(
    "agents",
    Column("id", Ident, nullable=False),
    *placed(),
    Column("name", LongText, nullable=False),
    Column("policy_id", Ident),
    Column("require_policy", Boolean, nullable=False),
    Column("registered", Boolean, nullable=False),
    Column("created_ms", Int64, nullable=False),
    Column("revision", Int64, nullable=False),
    refers("policies", policy_id="id"),
    listed(),
    listed("workspace_id"),
    listed("policy_id"),
)

policies = policy_tables.policies
versions = policy_tables.versions
words = policy_tables.words
vocabulary = policy_tables.vocabulary
vectors = policy_tables.vectors
corrections = correction_tables.corrections

conversations = tenanted(
    "conversations",
    Column("id", Ident, nullable=False),
    *placed(),
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
    Column("owner", SearchKey, nullable=False, server_default=text("''")),
    Column("created_ms", Int64, nullable=False),
    Column("deleted_ms", Int64),
    Column("forgotten_ms", Int64),
    Column("revision", Int64, nullable=False),
    Column("search_text", LongText, nullable=False),
    listed(),
    listed("workspace_id"),
    listed("status"),
    listed("contact_id"),
    listed("owner"),
)

learning_settings = learning_tables.learning_settings
learning_runs = learning_tables.learning_runs
learning_sources = learning_tables.learning_sources

jobs = job_tables.jobs
job_steps = job_tables.job_steps
schedules = job_tables.schedules

webhooks = webhook_tables.webhooks
notices = webhook_tables.notices
deliveries = webhook_tables.deliveries

outbox = tenanted(
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


_ASKED_ABOUT = ("policy_id", "agent_id", "user_id", "key_id", "model", "host")

violations = left_by_decisions(
    "violations",
    *sought(*_ASKED_ABOUT, "provider"),
    Index(None, "tenant_id", "repo_id", "at_ms", "id"),
    Column("risk", LongText, nullable=False),
    Column("block", Boolean, nullable=False),
    Index(None, "tenant_id", "block", "risk", "at_ms", "id"),
)

alerts = left_by_decisions(
    "alerts",
    *sought(*_ASKED_ABOUT, "provider"),
    Index(None, "tenant_id", "repo_id", "at_ms", "id"),
)

evaluations = left_by_decisions(
    "evaluations",
    *sought("user_id", "key_id", "model"),
    Column("tokens_in", Int64, nullable=False),
    Column("tokens_out", Int64, nullable=False),
    Column("policy_id", SearchKey, nullable=False, server_default=text("''")),
    Index(None, "tenant_id", "policy_id", "at_ms", "id"),
)

model_calls = left_by_decisions(
    "model_calls",
    *sought("connection_id"),
    Column("tokens_in", Int64, nullable=False),
    Column("tokens_out", Int64, nullable=False),
)

attention = inbox_tables.attention
approvals = inbox_tables.approvals
remarks = inbox_tables.remarks

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
    Column("step_ms", Int64, nullable=False),
    Column("ident", SearchKey, nullable=False),
    Column("at_ms", Int64, nullable=False),
    *(
        Column(name, Int64, nullable=False)
        for name in ("violations", "alerts", "blocks", "low", "medium", "high", "tokens_in", "tokens_out")
    ),
    PrimaryKeyConstraint(
        "tenant_id", "level", "workspace_id", "repo_id", "facet", "step_ms", "ident", "at_ms"
    ),
    ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
    Index(None, "tenant_id", "at_ms"),
    sqlite_with_rowid=False,
)

untallied = tenanted(
    "untallied",
    Column("hour_ms", Int64, nullable=False),
    Column("times", Int64, nullable=False),
    key=("hour_ms",),
)

events = tenanted(
    "events",
    Column("number", Int64, nullable=False),
    Column("entry_id", Ident, nullable=False),
    Column("at_ms", Int64, nullable=False),
    Column("noun", Ident, nullable=False),
    Column("change", Ident, nullable=False),
    Column("ident", Ident, nullable=False),
    Column("word", LongText, nullable=False),
    Column("author", LongText, nullable=False),
    Column("who", Ident, nullable=False),
    Column("workspace_id", SearchKey, nullable=False),
    Column("fields", JsonText, nullable=False),
    UniqueConstraint("tenant_id", "entry_id"),
    Index(None, "tenant_id", "at_ms"),
    Index(None, "tenant_id", "who", "number"),
    Index(None, "tenant_id", "workspace_id", "number"),
    key=("number",),
)

event_reads = tenanted(
    "event_reads",
    Column("reader", Ident, nullable=False),
    Column("number", Int64, nullable=False),
    refers("events", number="number"),
    key=("reader", "number"),
)

connections = tenanted(
    "connections",
    Column("id", Ident, nullable=False),
    Column("workspace_id", Ident, nullable=False),
    Column("name", Ident, nullable=False),
    Column("provider", Ident, nullable=False),
    Column("endpoint", LongText, nullable=False),
    Column("shown", LongText, nullable=False),
    Column("sealed", LongText, nullable=False),
    Column("created_by", LongText, nullable=False),
    Column("created_ms", Int64, nullable=False),
    Column("deleted_ms", Int64),
    Column("revision", Int64, nullable=False),
    refers("workspaces", workspace_id="id"),
    listed(),
    listed("workspace_id"),
)
Index(
    "uq_connections_tenant_id_workspace_id_name",
    connections.c.tenant_id,
    connections.c.workspace_id,
    connections.c.name,
    unique=True,
    sqlite_where=connections.c.deleted_ms.is_(None),
    postgresql_where=connections.c.deleted_ms.is_(None),
)
