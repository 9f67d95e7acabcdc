"""Run by Alembic: joins the migrations to the connection that `history` opened."""

from alembic import context

from bylaw.storage.migrations.history import compared
from bylaw.storage.sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
    compare_server_default=True,
    include_object=compared,
)
with context.begin_transaction():
    context.run_migrations()
