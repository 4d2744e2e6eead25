"""Alembic's entrance; `app.storage.migrating` hands over the connection."""

from alembic import context

from app.storage.migrating import describe

connection = context.config.attributes["connection"]
context.configure(connection=connection, **describe())
with context.begin_transaction():
    context.run_migrations()
