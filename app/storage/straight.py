"""Statements whose text is known already, straight through the driver: what SQLAlchemy does again for each of them
costs more than most of them take.

Connections are the readers' own kind: they cannot write, and each statement is a read of its own.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiosqlite
import asyncpg

TOO_DEEP = "parser stack overflow"
KEPT_STATEMENTS = 200
"""Prepared statements that a connection keeps; PostgreSQL keeps the plan of each."""
FOR_KNOWN_STATEMENTS = {"plan_cache_mode": "force_generic_plan", "jit": "off", "random_page_cost": "1.1"}
"""To plan such a statement costs many times what it takes, and to compile it costs more still."""

KEEPS_PAGES = "PRAGMA cache_size = -6000"
"""In KiB. A page of 500 rooms out of a million reads some 5 MB, a page of rooms out of ten thousand less than the 2 MB
that there would be; what is read twice a request costs twice as much.
"""


class TooComplex(Exception):
    """The database does not take a statement that is as deep as this one."""


class Straight(Protocol):
    """Runs a statement and answers its one row."""

    async def fetch_row(self, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        """The one row that the statement answers. Raises `TooComplex`, and what the driver raises."""

    async def close(self) -> None:
        """Give every connection back."""


@dataclass
class Connections:
    """At most so many connections, of which the one used last is used next."""

    size: int
    _idle: list[Any] = field(default_factory=list, kw_only=True)
    _places: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._places = asyncio.Semaphore(self.size)

    async def close(self) -> None:
        """Give every connection back."""
        while self._idle:
            await self._idle.pop().close()


@dataclass
class StraightSqlite(Connections):
    """A few connections to an SQLite file."""

    file: str
    settings: Sequence[str]

    async def fetch_row(self, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        """The one row that the statement answers, in one step of the connection's own thread."""
        async with self._places:
            connection = self._idle.pop() if self._idle else await self._connect()
            try:
                (row,) = await connection.execute_fetchall(statement, values)
            except sqlite3.OperationalError as refused:
                if TOO_DEEP in str(refused):
                    raise TooComplex from refused
                raise
            except asyncio.CancelledError:
                await connection.interrupt()
                raise
            finally:
                self._idle.append(connection)
            return tuple(row)

    async def _connect(self) -> aiosqlite.Connection:
        connection = await aiosqlite.connect(self.file, isolation_level=None, cached_statements=KEPT_STATEMENTS)
        for setting in self.settings:
            await connection.execute_fetchall(setting)
        return connection


@dataclass
class StraightPostgresql(Connections):
    """A few connections to PostgreSQL that keep what they prepared.

    A pool of the driver's would put back what a connection was told, and such a one is told nothing.
    """

    connect: dict[str, Any]

    async def fetch_row(self, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        """The one row that the statement answers. A connection on which anything else came about is given up."""
        async with self._places:
            connection = await self._connection()
            try:
                row = await connection.fetchrow(statement, *values)
            except asyncpg.StatementTooComplexError as refused:
                self._idle.append(connection)
                raise TooComplex from refused
            except BaseException:
                connection.terminate()
                raise
            self._idle.append(connection)
            return row  # type: ignore[no-any-return]

    async def _connection(self) -> asyncpg.Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return await asyncpg.connect(
            statement_cache_size=KEPT_STATEMENTS,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=0,
            **self.connect,
        )
