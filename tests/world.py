"""The demo world in databases of the tests' own: seeded once an engine, then copied.

`world` is shared and only for reading; `own_world` is a fresh copy, for a test that changes something.
"""

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from app.access.tripwire import arm
from app.access.viewer import SYSTEM
from app.operations.seeding import seed_world
from app.operations.work import Work
from app.storage.engines import Database, read_address
from app.storage.world_files import read_world
from tests.conftest import create

WORLD = Path(__file__).parents[1] / "fixtures" / "world"
WORLD_FILES = sorted(WORLD.glob("*.json"))
SEEDED_AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
"""The moment that the world's offsets count from."""


async def seed(address: str) -> None:
    """Put the demo world into this database."""
    async with Database(address) as database, Work.begin(arm(database), SYSTEM, SEEDED_AT, "seed") as work:
        await seed_world(work, read_world(WORLD_FILES))


async def copy(engine: str, folder: Path, postgresql: str, template: str) -> str:
    """The address of a new database like this one."""
    name = f"world-{uuid4().hex}"
    original = str(read_address(template).database)
    if engine == "sqlite":
        shutil.copy(original, folder / f"{name}.db")
        return f"sqlite:///{folder / name}.db"
    return await create(postgresql, name, original)


@dataclass(frozen=True)
class Worlds:
    """The demo world on one engine: what copies are made of, which nothing stays connected to, and one to read."""

    template: str
    shared: Database


@pytest.fixture(scope="session")
async def worlds(migrated: dict[str, str], folder: Path, postgresql: str) -> AsyncIterator[dict[str, Worlds]]:
    """The demo world, seeded once on each engine."""
    async with AsyncExitStack() as opened:
        made = {}
        for engine, empty in migrated.items():
            template = await copy(engine, folder, postgresql, empty)
            await seed(template)
            shared = Database(await copy(engine, folder, postgresql, template))
            made[engine] = Worlds(template, arm(await opened.enter_async_context(shared)))
        yield made


@pytest.fixture
def world(engine: str, worlds: dict[str, Worlds]) -> Database:
    """The demo world, shared by all tests that only read."""
    return worlds[engine].shared


@pytest.fixture
async def own_world(engine: str, worlds: dict[str, Worlds], folder: Path, postgresql: str) -> AsyncIterator[Database]:
    """The demo world for one test alone."""
    async with Database(await copy(engine, folder, postgresql, worlds[engine].template)) as opened:
        yield arm(opened)
