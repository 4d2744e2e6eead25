"""How a database goes about the statements that a document becomes."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import event

from app.access.tripwire import arm
from app.access.viewer import Viewer
from app.bench.asking import ask_over
from app.storage.engines import Database
from app.storage.straight import FOR_KNOWN_STATEMENTS, Straight

ON_POSTGRESQL = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, SUMMARY OFF) "
ON_SQLITE = "EXPLAIN QUERY PLAN "


@dataclass(frozen=True)
class Explained:
    """A statement, and how it is gone about."""

    statement: str
    plan: str


@dataclass(frozen=True)
class Seen:
    """A statement with its values, and the settings of the connection that it was sent over."""

    statement: str
    values: Sequence[Any]
    settings: Mapping[str, str]


@dataclass(frozen=True)
class Recording:
    """Remembers what goes straight to the driver."""

    straight: Straight
    seen: list[Seen]

    async def fetch_row(self, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        """The one row that the statement answers. Raises what the driver raises."""
        self.seen.append(Seen(statement, values, FOR_KNOWN_STATEMENTS))
        return await self.straight.fetch_row(statement, values)

    async def close(self) -> None:
        """Give every connection back."""
        await self.straight.close()


async def explain(
    address: str, folder: Path, viewer: Viewer, document: str, variables: Mapping[str, Any]
) -> list[Explained]:
    """Every statement that the document becomes, with its plan."""
    async with Database(address) as database:
        seen = record(arm(database))
        await ask_over(database, folder, viewer, document, variables)
        distinct = {each.statement: each for each in seen}.values()
        show = show_on_sqlite if database.is_sqlite else show_on_postgresql
        return [Explained(each.statement, await show(database, each)) for each in distinct]


def record(database: Database) -> list[Seen]:
    """What the database is asked from now on, in whichever way."""
    seen: list[Seen] = []
    database.straight = Recording(database.straight, seen)

    def note(_c: object, _cursor: object, statement: str, values: Any, _context: object, _many: bool) -> None:
        seen.append(Seen(statement, values, {}))

    event.listen(database.readers.sync_engine, "before_cursor_execute", note)
    return seen


async def show_on_postgresql(database: Database, seen: Seen) -> str:
    """What PostgreSQL did, as it tells it."""
    dsn = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(dsn, server_settings=dict(seen.settings))
    try:
        rows = await connection.fetch(ON_POSTGRESQL + seen.statement, *seen.values)
    finally:
        await connection.close()
    return "\n".join(row[0] for row in rows)


async def show_on_sqlite(database: Database, seen: Seen) -> str:
    """What SQLite would do, each step below the one that it is a part of."""
    depth, lines = {0: 0}, list[str]()
    with closing(sqlite3.connect(str(database.url.database))) as connection:
        try:
            steps = connection.execute(ON_SQLITE + seen.statement, seen.values).fetchall()
        except sqlite3.OperationalError as refused:  # such a document is run field by field
            return f"SQLite refuses this statement: {refused}"
    for step, parent, _, told in steps:
        depth[step] = depth[parent] + 1
        lines.append("  " * depth[parent] + told)
    return "\n".join(lines)
