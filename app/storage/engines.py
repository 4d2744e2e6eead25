"""One way to reach either database: connections that only read, and sessions that write.

SQLite has one writer, checked out exclusively, that begins with BEGIN IMMEDIATE (a deferred transaction that reads and
then writes fails or loses updates under concurrency). On both engines the readers are a pool that cannot write.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Dialect, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlmodel.ext.asyncio.session import AsyncSession

from app.storage.notary import Notary
from app.storage.straight import FOR_KNOWN_STATEMENTS, KEEPS_PAGES, Straight, StraightPostgresql, StraightSqlite

BUSY_TIMEOUT_MS = 10_000
"""How long a command waits for the server's write, and the server for a command's."""
SQLITE_READERS = max(2, min(os.cpu_count() or 1, 4))
"""As many as can read at once. More of them only take turns, and each keeps memory of its own."""
READ_FORMS = 100
"""Statements of readers that are kept compiled, some 100 kB each; half as many again before the oldest are dropped."""
PREPARED_READS = 6
"""Of those, what each of PostgreSQL's readers keeps prepared, there and here: some 40 kB each here, more there."""
DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


class UnknownDatabase(ValueError):
    """A database address that is neither SQLite's nor PostgreSQL's. The message says what is accepted."""


def read_address(address: str) -> URL:
    """The address with the driver that this gateway uses. Raises `UnknownDatabase`."""
    url = make_url(address)
    driver = DRIVERS.get(url.drivername.split("+")[0])
    if driver is None:
        raise UnknownDatabase(f"a database is `sqlite:///FILE` or `postgresql://…`, not `{url.drivername}://…`")
    return url.set(drivername=driver)


def sqlite_settings(*, query_only: bool) -> tuple[str, ...]:
    """Settings of one SQLite connection; FULL, because NORMAL may lose the last commits when power fails."""
    return (
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "PRAGMA foreign_keys = ON",
        f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
        f"PRAGMA query_only = {int(query_only)}",
    )


def engine_options(*, query_only: bool) -> dict[str, Any]:
    """What both engines are opened with. What only reads needs no transactions, and keeps fewer forms compiled."""
    for_reading = {"isolation_level": "AUTOCOMMIT", "query_cache_size": READ_FORMS} if query_only else {}
    return {"max_overflow": 0, "hide_parameters": True, **for_reading}


def open_sqlite(url: URL, *, query_only: bool) -> AsyncEngine:
    """The writer, or the readers, of an SQLite file."""
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=SQLITE_READERS if query_only else 1,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000},
        **engine_options(query_only=query_only),
    )

    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, _: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for setting in sqlite_settings(query_only=query_only):
            cursor.execute(setting)
        cursor.close()

    if not query_only:

        @event.listens_for(engine.sync_engine, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def postgresql_settings(*, query_only: bool) -> dict[str, str]:
    """Settings of one PostgreSQL connection."""
    return {"application_name": "partner-gateway", "default_transaction_read_only": "on" if query_only else "off"}


def open_postgresql(url: URL, pool_size: int, connect_timeout: float, *, query_only: bool) -> AsyncEngine:
    """A pool for PostgreSQL; a connection that died while idle is replaced before it is used."""
    connect = {"timeout": connect_timeout, "server_settings": postgresql_settings(query_only=query_only)}
    if query_only:
        connect["prepared_statement_cache_size"] = PREPARED_READS
    return create_async_engine(
        url,
        pool_size=pool_size,
        pool_pre_ping=True,
        pool_use_lifo=True,
        connect_args=connect,
        **engine_options(query_only=query_only),
    )


def open_straight(url: URL, pool_size: int, connect_timeout: float) -> Straight:
    """The same database for statements that are known by their text. Nothing is connected before the first."""
    if url.get_backend_name() == "sqlite":
        settings = (*sqlite_settings(query_only=True), KEEPS_PAGES)
        return StraightSqlite(SQLITE_READERS, str(url.database), settings)
    _, arguments = url.get_dialect()().create_connect_args(url)
    server = postgresql_settings(query_only=True) | FOR_KNOWN_STATEMENTS
    return StraightPostgresql(pool_size, {**arguments, "timeout": connect_timeout, "server_settings": server})


class Database:
    """A database that is open. `close` it, or use it as a context."""

    notary: Notary | None = None
    """Signs where chains end whenever a change was committed; without one, nothing outside tells of it."""

    def __init__(self, address: str, *, pool_size: int = 10, connect_timeout: float = 5.0) -> None:
        self.url = read_address(address)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self.writer = open_sqlite(self.url, query_only=False)
            self.readers = open_sqlite(self.url, query_only=True)
        else:
            self.writer = open_postgresql(self.url, pool_size, connect_timeout, query_only=False)
            self.readers = open_postgresql(self.url, pool_size, connect_timeout, query_only=True)
        self.straight = open_straight(self.url, pool_size, connect_timeout)
        self.dialect: Dialect = self.readers.dialect

    @property
    def file(self) -> Path | None:
        """The SQLite file, None for PostgreSQL."""
        return Path(self.url.database) if self.is_sqlite and self.url.database else None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection for one short read; it cannot write."""
        async with self.readers.connect() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """A session in one transaction, rolled back unless it is committed."""
        async with AsyncSession(self.writer, expire_on_commit=False) as session:
            yield session

    async def close(self) -> None:
        """Give every connection back."""
        await self.writer.dispose()
        await self.readers.dispose()
        await self.straight.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
