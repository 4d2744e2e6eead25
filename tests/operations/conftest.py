from tests.world import own_world, world, worlds

__all__ = ["own_world", "world", "worlds"]
