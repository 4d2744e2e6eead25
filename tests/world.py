"""The demo world in databases of the tests' own: seeded once an engine, then copied.

`world` is shared and only for reading; `own_world` is a fresh copy, for a test that changes something.
"""

import shutil
from collections.abc import AsyncIterator
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

_seeded: dict[str, str] = {}
"""Engine → address of the seeded database that copies are made of, kept for the whole run."""


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


@pytest.fixture
async def seeded(engine: str, migrated: dict[str, str], folder: Path, postgresql: str) -> str:
    """The address of the seeded database that copies are made of. Nothing stays connected to it."""
    if engine not in _seeded:
        _seeded[engine] = await copy(engine, folder, postgresql, migrated[engine])
        await seed(_seeded[engine])
    return _seeded[engine]


@pytest.fixture
async def world(engine: str, seeded: str, folder: Path, postgresql: str) -> AsyncIterator[Database]:
    """The demo world, shared by all tests that only read."""
    shared = f"shared {engine}"
    if shared not in _seeded:
        _seeded[shared] = await copy(engine, folder, postgresql, seeded)
    async with Database(_seeded[shared]) as opened:
        yield arm(opened)


@pytest.fixture
async def own_world(engine: str, seeded: str, folder: Path, postgresql: str) -> AsyncIterator[Database]:
    """The demo world for one test alone."""
    async with Database(await copy(engine, folder, postgresql, seeded)) as opened:
        yield arm(opened)
