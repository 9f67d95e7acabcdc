"""The tables of the learning loop: how workspaces learn, and the runs."""

from sqlalchemy import Boolean, Column

from bylaw.storage.sql.schema import listed, placed, refers, tenanted
from bylaw.storage.sql.types import Ident, Int64, JsonText, LongText

learning_settings = tenanted(
    "learning_settings",
    Column("id", Ident, nullable=False),  # of the workspace
    Column("choices", JsonText, nullable=False),
    Column("created_ms", Int64, nullable=False),
    Column("revision", Int64, nullable=False),
    refers("workspaces", id="id"),
)

learning_runs = tenanted(
    "learning_runs",
    Column("id", Ident, nullable=False),
    *placed(),
    Column("cause", LongText, nullable=False),
    Column("conversation_id", LongText),
    Column("dry_run", Boolean, nullable=False),
    Column("status", LongText, nullable=False),
    Column("asked_by", LongText, nullable=False),
    Column("report", JsonText),
    Column("created_ms", Int64, nullable=False),
    Column("finished_ms", Int64),
    Column("revision", Int64, nullable=False),
    listed(),
    listed("workspace_id"),
    listed("status"),
)

# On which conversations the reports of runs draw: so are they found when one is forgotten.
learning_sources = tenanted(
    "learning_sources",
    Column("conversation_id", Ident, nullable=False),
    Column("run_id", Ident, nullable=False),
    refers("learning_runs", run_id="id"),
    key=("conversation_id", "run_id"),
)
