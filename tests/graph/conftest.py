"""The marked world, served over HTTP; made once an engine, and only for reading."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from app.access.tripwire import arm
from app.storage.engines import Database
from app.web.development_issuer import DevelopmentIssuer
from tests.conftest import Databases
from tests.graph.crawling import Site
from tests.graph.growing import grow
from tests.graph.marks import mark_world
from tests.graph.relations import Relations
from tests.world import Worlds


@pytest.fixture(scope="session")
async def sites(worlds: dict[str, Worlds], folder: Path, databases: Databases) -> AsyncIterator[dict[str, Site]]:
    """The application over the marked world, on each engine."""
    issuer = DevelopmentIssuer(folder / "issuer", "access_as_user")
    async with AsyncExitStack() as opened:
        made = {}
        for engine, world in worlds.items():
            database = Database(await databases.copy(engine, "marked-world", world.template))
            marked = await mark_world(arm(await opened.enter_async_context(database)))
            made[engine] = Site.over(marked, issuer)
        yield made


@pytest.fixture
async def own_site(worlds: dict[str, Worlds], folder: Path, databases: Databases) -> AsyncIterator[Site]:
    """The application over a marked world in SQLite for one test alone."""
    async with Database(await databases.copy("sqlite", "own-site", worlds["sqlite"].template)) as database:
        yield Site.over(await mark_world(arm(database)), DevelopmentIssuer(folder / "issuer", "access_as_user"))
    await databases.drop("sqlite", "own-site")


@pytest.fixture
def site(engine: str, sites: dict[str, Site]) -> Site:
    """The application over the marked world."""
    return sites[engine]


@pytest.fixture(scope="session")
async def all_relations(worlds: dict[str, Worlds]) -> dict[str, Relations]:
    """What belongs together in the demo world, on each engine."""
    return {engine: await Relations.of(world.shared) for engine, world in worlds.items()}


@pytest.fixture
def relations(engine: str, all_relations: dict[str, Relations]) -> Relations:
    """What belongs together in the demo world."""
    return all_relations[engine]


@pytest.fixture(scope="session")
async def grown_worlds(
    worlds: dict[str, Worlds], folder: Path, databases: Databases
) -> AsyncIterator[dict[str, Database]]:
    """The demo world with many more of everything, on each engine; only for reading."""
    async with AsyncExitStack() as opened:
        made = {}
        for engine, world in worlds.items():
            database = Database(await databases.copy(engine, "grown-world", world.template))
            made[engine] = arm(await opened.enter_async_context(database))
            await grow(made[engine], folder)
        yield made


@pytest.fixture
def grown_world(engine: str, grown_worlds: dict[str, Database]) -> Database:
    """The demo world with many more of everything."""
    return grown_worlds[engine]
