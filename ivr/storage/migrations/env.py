"""Alembic's entry: runs the migrations inside the transaction that ivr.storage.migrate has begun."""

from alembic import context

from ivr.storage.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    # SQLite can undo changes of tables; Alembic assumes that it cannot.
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
