"""The table of corrections: messages, and where people say that they lead."""

from sqlalchemy import Column, Index

from bylaw.storage.sql.schema import listed, refers, tenanted
from bylaw.storage.sql.types import Ident, Int64, LongText

# A row without a policy says that no policy is about the text; one without a workspace holds in all of them.
corrections = tenanted(
    "corrections",
    Column("id", Ident, nullable=False),
    Column("workspace_id", Ident),
    Column("policy_id", Ident),
    Column("digest", Ident, nullable=False),
    Column("text", LongText, nullable=False),
    Column("conversation_id", Ident),
    Column("receipt_id", Ident),
    Column("created_by", LongText, nullable=False),
    Column("created_ms", Int64, nullable=False),
    Column("revision", Int64, nullable=False),
    refers("workspaces", workspace_id="id"),
    refers("policies", policy_id="id"),
    listed(),
    listed("workspace_id"),
    listed("policy_id"),
    listed("conversation_id"),
    listed("receipt_id"),
    Index(None, "tenant_id", "digest"),
)
