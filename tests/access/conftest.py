import pytest

from app.storage.engines import Database
from tests.access_cases import Atlas
from tests.world import own_world, world, worlds

__all__ = ["own_world", "world", "worlds"]


@pytest.fixture
async def atlas(world: Database) -> Atlas:
    """What everything in the shared demo world is called in the access cases."""
    return await Atlas.of(world)
