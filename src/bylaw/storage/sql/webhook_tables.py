"""The tables of webhooks: whom a tenant tells, what it told, and what became of each delivery."""

from sqlalchemy import Boolean, Column, Index, UniqueConstraint

from bylaw.storage.sql.schema import listed, refers, tenanted
from bylaw.storage.sql.types import Ident, Int64, JsonText, LongText, SearchKey

webhooks = tenanted(
    "webhooks",
    Column("id", Ident, nullable=False),
    Column("workspace_id", Ident),
    Column("url", LongText, nullable=False),
    Column("types", JsonText, nullable=False),
    Column("description", LongText, nullable=False),
    Column("sealed", LongText, nullable=False),
    Column("sealed_before", LongText, nullable=False),
    Column("overlap_ends_ms", Int64, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("stopped_reason", LongText, nullable=False),
    Column("failing_since_ms", Int64),
    Column("created_by", LongText, nullable=False),
    Column("created_ms", Int64, nullable=False),
    Column("deleted_ms", Int64),
    Column("revision", Int64, nullable=False),
    refers("workspaces", workspace_id="id"),
    listed(),
)

notices = tenanted(
    "notices",
    Column("id", Ident, nullable=False),
    Column("type", Ident, nullable=False),
    Column("workspace_id", SearchKey, nullable=False),
    Column("data", JsonText, nullable=False),
    Column("created_ms", Int64, nullable=False),
    listed(),
)

deliveries = tenanted(
    "deliveries",
    Column("id", Ident, nullable=False),
    Column("webhook_id", Ident, nullable=False),
    Column("notice_id", Ident, nullable=False),
    Column("type", Ident, nullable=False),
    Column("status", Ident, nullable=False),
    Column("tried", Int64, nullable=False),
    Column("replays", Int64, nullable=False),
    Column("attempts", JsonText, nullable=False),
    Column("next_ms", Int64),
    Column("created_ms", Int64, nullable=False),
    Column("revision", Int64, nullable=False),
    refers("webhooks", webhook_id="id"),
    refers("notices", notice_id="id"),
    UniqueConstraint("tenant_id", "notice_id", "webhook_id"),
    listed("webhook_id"),
    Index(None, "tenant_id", "webhook_id", "status", "created_ms", "id"),
)
