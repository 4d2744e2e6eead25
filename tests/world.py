"""The demo world in databases of the tests' own: seeded once an engine, then copied.

`world` is shared and only for reading; `own_world` is a fresh copy, for a test that changes something.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.access.tripwire import arm
from app.access.viewer import SYSTEM
from app.operations.seeding import seed_world
from app.operations.work import Work
from app.storage.engines import Database
from app.storage.world_files import read_world
from tests.conftest import ENGINES, Databases

WORLD = Path(__file__).parents[1] / "fixtures" / "world"
WORLD_FILES = sorted(WORLD.glob("*.json"))
SEEDED_AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
"""The moment that the world's offsets count from."""


async def seed(address: str) -> None:
    """Put the demo world into this database."""
    async with Database(address) as database, Work.begin(arm(database), SYSTEM, SEEDED_AT, "seed") as work:
        await seed_world(work, read_world(WORLD_FILES))


@dataclass(frozen=True)
class Worlds:
    """The demo world on one engine: what copies are made of, which nothing stays connected to, and one to read."""

    template: str
    """Its name."""
    shared: Database


@pytest.fixture(scope="session")
async def worlds(migrated: dict[str, str], databases: Databases) -> AsyncIterator[dict[str, Worlds]]:
    """The demo world, seeded once on each engine."""
    async with AsyncExitStack() as opened:
        made = {}
        for engine in migrated:
            await seed(await databases.copy(engine, "world", "template"))
            shared = Database(await databases.copy(engine, "shared-world", "world"))
            made[engine] = Worlds("world", arm(await opened.enter_async_context(shared)))
        yield made


@pytest.fixture
def world(engine: str, worlds: dict[str, Worlds]) -> Database:
    """The demo world, shared by all tests that only read."""
    return worlds[engine].shared


@pytest.fixture(scope="session")
def stages(databases: Databases) -> dict[str, Database]:
    """Where one test after the other has a demo world of its own; the statements once compiled for it are kept."""
    return {engine: arm(Database(databases.address(engine, "own-world"))) for engine in ENGINES}


@pytest.fixture
async def own_world(
    engine: str, worlds: dict[str, Worlds], stages: dict[str, Database], databases: Databases
) -> AsyncIterator[Database]:
    """The demo world for one test alone."""
    stage = stages[engine]
    await databases.copy(engine, "own-world", worlds[engine].template)
    before = listeners(stage)
    yield stage
    await stage.close()
    await databases.drop(engine, "own-world")
    assert listeners(stage) == before, "a test listens to the database that others have after it"


def listeners(database: Database) -> list[int]:
    """How many listen to the statements of a database."""
    return [len(each.sync_engine.dispatch.before_cursor_execute) for each in (database.writer, database.readers)]
