"""The tables of jobs: what is to be done, what is done of it, and what recurs."""

from sqlalchemy import Boolean, Column, Index, UniqueConstraint, text

from bylaw.storage.sql.schema import listed, refers, tenanted
from bylaw.storage.sql.types import Ident, Int64, JsonText, LongText

# `live_key` is `dedupe` while the job waits or runs, so that of one key there is one. `steps_done` and
# `steps_total` are what the handler says.
jobs = tenanted(
    "jobs",
    Column("id", Ident, nullable=False),
    Column("kind", Ident, nullable=False),
    Column("payload", JsonText, nullable=False),
    Column("dedupe", Ident),
    Column("live_key", Ident),
    Column("lane", Ident, nullable=False, server_default=text("''")),
    Column("priority", Int64, nullable=False),
    Column("status", Ident, nullable=False),
    Column("again", Boolean, nullable=False),
    Column("attempt", Int64, nullable=False),
    Column("due_ms", Int64, nullable=False),
    Column("worker", LongText, nullable=False),
    Column("lease_ms", Int64, nullable=False),
    Column("steps_done", Int64, nullable=False),
    Column("steps_total", Int64, nullable=False),
    Column("result", JsonText),
    Column("error", LongText, nullable=False),
    Column("created_ms", Int64, nullable=False),
    Column("started_ms", Int64),
    Column("ended_ms", Int64),
    Column("revision", Int64, nullable=False),
    UniqueConstraint("tenant_id", "kind", "live_key"),
    listed(),
    listed("kind"),
    listed("status"),
    Index(None, "status", "tenant_id", "priority", "due_ms", "id"),
    Index(None, "status", "tenant_id", "lane", "priority", "due_ms", "id"),
)

job_steps = tenanted(
    "job_steps",
    Column("job_id", Ident, nullable=False),
    Column("name", Ident, nullable=False),
    Column("number", Int64, nullable=False),
    Column("result", JsonText, nullable=False),
    Column("at_ms", Int64, nullable=False),
    refers("jobs", job_id="id"),
    key=("job_id", "name"),
)

schedules = tenanted(
    "schedules",
    Column("name", Ident, nullable=False),
    Column("kind", Ident, nullable=False),
    Column("cron", LongText, nullable=False),
    Column("payload", JsonText, nullable=False),
    Column("next_ms", Int64, nullable=False),
    Index(None, "next_ms"),
    key=("name",),
)
