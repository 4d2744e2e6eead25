from tests.access.conftest import atlas
from tests.world import own_world, world, worlds

__all__ = ["atlas", "own_world", "world", "worlds"]
