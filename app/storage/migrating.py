"""Bringing a database to the tables of this version, and telling whether they are as `tables` says."""

from typing import Any, Literal

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, String

from app.storage import tables
from app.storage.columns import PermissionSet, Written
from app.storage.engines import Database
from app.storage.versions import MIGRATIONS

HEAD = "head"
BASE = "base"


def write_type(kind: str, value: Any, _: object) -> str | Literal[False]:
    """How a new migration spells our column types: as what the database sees."""
    if kind != "type":
        return False
    if isinstance(value, PermissionSet):
        return "sa.Integer()"
    if isinstance(value, Written) or (isinstance(value, String) and value.collation):
        return f"text({value.length or ''})"
    return False


def describe() -> dict[str, Any]:
    """How migrations are run, compared and written, the same for both engines."""
    return {"target_metadata": tables.metadata, "compare_type": True, "render_item": write_type}


def configure(connection: Connection | None = None) -> Config:
    """Alembic's settings, without a file of its own."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


async def migrate(database: Database, to: str = HEAD) -> None:
    """Bring the tables to a version, in one transaction."""

    def run(connection: Connection) -> None:
        move = command.downgrade if to == BASE else command.upgrade
        move(configure(connection), to)

    async with database.writer.begin() as connection:
        await connection.run_sync(run)


async def drift(database: Database) -> list[Any]:
    """What the database has otherwise than `tables` says; empty when they agree."""

    def compare(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts=describe())
        return list(compare_metadata(context, tables.metadata))

    async with database.reading() as connection:
        return await connection.run_sync(compare)
