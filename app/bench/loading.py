"""Many rows at once, past SQLAlchemy, whose way would take minutes for a million of them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import text
from sqlmodel import SQLModel

from app.operations.work import Work
from app.storage.engines import Database

CHUNK = 5_000
"""Rows that are in memory together."""
Row = tuple[Any, ...]
Progress = Callable[[str, int], object]
"""Told the name of a table and how many more of its rows are written."""


def tell_nobody(_: str, __: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Loader:
    """Writes rows in the transaction of a work, which has to record them."""

    work: Work
    on_progress: Progress = tell_nobody

    async def load(self, table: type[SQLModel], columns: tuple[str, ...], rows: Iterable[Row]) -> None:
        """These rows, each value as the database has it: instants printed, words and documents as their text."""
        raw = await (await self.work.session.connection()).get_raw_connection()
        driver: Any = raw.driver_connection
        self.work.has_written = True
        for chunk in chunks(rows):
            if self.work.dialect == "postgresql":
                await driver.copy_records_to_table(table.__tablename__, records=chunk, columns=columns)
            else:
                await driver.executemany(insertion(table, columns), chunk)
            self.on_progress(str(table.__tablename__), len(chunk))


def insertion(table: type[SQLModel], columns: tuple[str, ...]) -> str:
    """The statement that SQLite runs for each row."""
    places = ", ".join("?" * len(columns))
    return f"INSERT INTO {table.__tablename__} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - our own names


def chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows, some at a time."""
    remaining = iter(rows)
    while chunk := list(islice(remaining, CHUNK)):
        yield chunk


async def settle(database: Database) -> None:
    """Let the database look at what it got, as it does by itself some time later; SQLite does no such thing."""
    if not database.is_sqlite:
        async with database.writer.connect() as connection:
            outside = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await outside.execute(text("VACUUM (ANALYZE)"))
