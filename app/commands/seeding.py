"""`gateway seed`."""

import asyncio

import typer

from app.commands.console import out
from app.commands.databases import change, settings_with
from app.commands.options import Files
from app.operations.seeding import seed_world
from app.storage.world_files import read_world

command = typer.Typer(add_completion=False)


@command.command()
def seed(files: Files) -> None:
    """Load people, rooms, roles and partnerships from files in the format of fixtures/world."""
    world = read_world(files)

    async def load() -> None:
        async with change(settings_with()) as work:
            counts = await seed_world(work, world)
        loaded = (f"{section.replace('_', ' ')}: {count}" for section, count in counts.items() if count)
        out.print(f"Loaded {', '.join(loaded)}.")

    asyncio.run(load())
