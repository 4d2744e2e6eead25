"""Which version of the tables a database has, and which this program needs. What moves it from one to the other is
`migrating`, which takes far longer to import.
"""

from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.storage.engines import Database

MIGRATIONS = Path(__file__).with_name("migrations")
VERSION = text("SELECT version_num FROM alembic_version")


def newest() -> str:
    """The version of the tables that this code is written for: migrations are numbered, in the names of their files."""
    return max(file.name for file in (MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]


async def version(database: Database) -> str | None:
    """The version the database is at, None where it was never migrated."""
    try:
        async with database.reading() as connection:
            found: str | None = (await connection.execute(VERSION)).scalar_one_or_none()
            return found
    except DBAPIError:
        return None
