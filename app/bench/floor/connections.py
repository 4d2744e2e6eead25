"""Connections to either database that do nothing but run prepared statements."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Protocol

import aiosqlite
import asyncpg

from app.bench.floor.statements import STATEMENTS, Values
from app.storage.engines import SQLITE_READERS, read_address
from app.storage.straight import KEEPS_PAGES

SERVER = {"jit": "off", "plan_cache_mode": "force_generic_plan", "default_transaction_read_only": "on"}
"""Each statement is planned once a connection, as its text is the same for everybody."""
POSTGRESQL_CONNECTIONS = 10
"""As many as the gateway has."""


class Connection(Protocol):
    """A connection to one database."""

    async def fetch(self, name: str, values: Values) -> bytes:
        """The answer to a document."""


class OnPostgreSQL:
    """A connection on which each statement is prepared once."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._prepared: dict[str, Any] = {}

    async def fetch(self, name: str, values: Values) -> bytes:
        """The answer to a document."""
        prepared = self._prepared.get(name)
        if prepared is None:
            prepared = self._prepared[name] = await self._connection.prepare(STATEMENTS[name].text("postgresql"))
        answer: bytes = await prepared.fetchval(*values)
        return answer


class OnSQLite:
    """A connection whose driver keeps the statements."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._texts = {name: statement.text("sqlite") for name, statement in STATEMENTS.items()}

    async def fetch(self, name: str, values: Values) -> bytes:
        """The answer to a document."""
        ((answer,),) = await self._connection.execute_fetchall(self._texts[name], values)
        return bytes(answer)


class Pool:
    """Connections, of which the one used last is used next."""

    def __init__(self, connections: list[Connection]) -> None:
        self._free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
        for connection in connections:
            self._free.put_nowait(connection)

    async def fetch(self, name: str, values: Values) -> bytes:
        """The answer to a document, once a connection is free."""
        connection = await self._free.get()
        try:
            return await connection.fetch(name, values)
        finally:
            self._free.put_nowait(connection)


@asynccontextmanager
async def connect(address: str) -> AsyncIterator[Pool]:
    """As many connections as the gateway has for reading, until the context ends."""
    url = read_address(address)
    async with AsyncExitStack() as opened:
        if url.get_backend_name() == "sqlite":
            yield Pool([await open_sqlite(opened, str(url.database)) for _ in range(SQLITE_READERS)])
        else:
            dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
            yield Pool([await open_postgresql(opened, dsn) for _ in range(POSTGRESQL_CONNECTIONS)])


async def open_sqlite(opened: AsyncExitStack, file: str) -> OnSQLite:
    """One more connection to the file."""
    connection = await opened.enter_async_context(aiosqlite.connect(file, isolation_level=None))
    await connection.execute("PRAGMA query_only = 1")
    await connection.execute(KEEPS_PAGES)
    return OnSQLite(connection)


async def open_postgresql(opened: AsyncExitStack, dsn: str) -> OnPostgreSQL:
    """One more connection to the server."""
    connection = await asyncpg.connect(dsn, server_settings=SERVER)
    opened.push_async_callback(connection.close)
    return OnPostgreSQL(connection)
