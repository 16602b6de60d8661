"""Run by alembic on the connection, and in the transaction, that ``idphoto.database.migrate`` opened."""

from __future__ import annotations

from alembic import context

from idphoto.tasks.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite can roll back DDL; alembic assumes that it cannot.
    transactional_ddl=True,
)
context.run_migrations()
