"""The tables of policies: identities, versions, and the words that they are searched by."""

from sqlalchemy import Boolean, Column, Index, LargeBinary, and_, literal_column, or_

from bylaw.storage.sql.schema import listed, placed, refers, tenanted
from bylaw.storage.sql.types import Ident, Int64, JsonText, LongText, SearchKey

policies = tenanted(
    "policies",
    Column("id", Ident, nullable=False),
    *placed(),
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
    # Numbered with every change, for those who follow.
    Column("spelled", Int64, nullable=False, server_default="0"),
    listed(),
    listed("workspace_id"),
    listed("status"),
    Index(None, "tenant_id", "spelled"),
)
Index(
    "uq_policies_tenant_id_slug",
    policies.c.tenant_id,
    policies.c.slug,
    unique=True,
    sqlite_where=policies.c.deleted_ms.is_(None),
    postgresql_where=policies.c.deleted_ms.is_(None),
)
# How many there are in a place is counted here.
Index(
    None,
    policies.c.tenant_id,
    policies.c.workspace_id,
    policies.c.repo_id,
    policies.c.created_ms,
    policies.c.id,
    sqlite_where=policies.c.deleted_ms.is_(None),
    postgresql_where=policies.c.deleted_ms.is_(None),
)
# What waits for review is a small part. Databases use the index where they find its condition word for word.
WAITS = or_(
    policies.c.status == literal_column("'pending_review'", policies.c.status.type),
    policies.c.pending.is_not(None),
)
_WAITING = and_(policies.c.deleted_ms.is_(None), WAITS)
Index(
    "ix_policies_waiting",
    policies.c.tenant_id,
    policies.c.created_ms,
    policies.c.id,
    policies.c.workspace_id,
    policies.c.repo_id,
    sqlite_where=_WAITING,
    postgresql_where=_WAITING,
)

versions = tenanted(
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
    refers("policies", policy_id="id"),
    Index(None, "tenant_id", "topic_key", "policy_id", "number"),
    Index(None, "tenant_id", "digest"),
    key=("policy_id", "number"),
)

# In which policies a word stands: in the `text` or the `topic` of the current version, unless it is deleted.
words = tenanted(
    "words",
    Column("word", Ident, nullable=False),
    Column("workspace_id", Ident, nullable=False),
    Column("policy_id", Ident, nullable=False),
    Column("part", Ident, nullable=False),
    Index(None, "tenant_id", "policy_id"),
    key=("word", "workspace_id", "policy_id", "part"),
    sqlite_with_rowid=False,
)
# Every word there is or was, to be looked through for parts of words.
vocabulary = tenanted(
    "vocabulary", Column("word", Ident, nullable=False), key=("word",), sqlite_with_rowid=False
)
# What every content means, as numbers: `embedder` says who told it, nobody yet where it is empty. A row is
# numbered when it is told, so whoever follows reads those above the last number that they saw.
vectors = tenanted(
    "vectors",
    Column("digest", Ident, nullable=False),
    Column("embedder", Ident, nullable=False),
    Column("number", Int64, nullable=False),
    Column("about", LargeBinary),
    Column("procedure", LargeBinary),
    Index(None, "tenant_id", "embedder"),
    Index(None, "tenant_id", "number"),
    key=("digest",),
)
