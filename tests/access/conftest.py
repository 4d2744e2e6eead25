from tests.world import own_world, seeded, world

__all__ = ["own_world", "seeded", "world"]
