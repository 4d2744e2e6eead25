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


class TooComplex(Exception):
    """The database does not take a statement that is as deep as this one."""


class Straight(Protocol):
    """Runs a statement and answers its one row."""

    async def fetch_row(self, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        """The one row that the statement answers. Raises `TooComplex`, and what the driver raises."""

    async def close(self) -> None:
        """Give every connection back."""


@dataclass
class StraightSqlite:
    """A few connections to an SQLite file, the last used one first."""

    file: str
    size: int
    settings: Sequence[str]
    _idle: list[aiosqlite.Connection] = field(default_factory=list)
    _places: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._places = asyncio.Semaphore(self.size)

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

    async def close(self) -> None:
        """Give every connection back."""
        while self._idle:
            await self._idle.pop().close()


@dataclass
class StraightPostgresql:
    """A pool of connections to PostgreSQL that keep what they prepared."""

    connect: dict[str, Any]
    size: int
    _pool: asyncpg.Pool | None = None
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def fetch_row(self, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        """The one row that the statement answers."""
        pool = self._pool or await self._open()
        async with pool.acquire() as connection:
            try:
                return await connection.fetchrow(statement, *values)  # type: ignore[no-any-return]
            except asyncpg.StatementTooComplexError as refused:
                raise TooComplex from refused

    async def _open(self) -> asyncpg.Pool:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    min_size=0,
                    max_size=self.size,
                    reset=keep,
                    max_inactive_connection_lifetime=0,
                    statement_cache_size=KEPT_STATEMENTS,
                    max_cached_statement_lifetime=0,
                    max_cacheable_statement_size=0,
                    **self.connect,
                )
            return self._pool

    async def close(self) -> None:
        """Give every connection back."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None


async def keep(_: object) -> None:
    """Nothing is to be put back: a connection that only reads, statement by statement, leaves nothing behind."""
