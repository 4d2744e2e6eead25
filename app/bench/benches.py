"""A bench from its data to its figures, in a folder that is gone afterwards."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from app.access.tripwire import arm
from app.bench.fleet import Engine, Target, open_target, start_servers, temporary_folder
from app.bench.harness import Plan, measure
from app.bench.samples import Result
from app.bench.server import Way
from app.bench.world import Sizes, World, make_world
from app.storage.engines import Database
from app.storage.migrating import migrate


@dataclass(frozen=True)
class Bench:
    """What is measured, and in what."""

    plan: Plan
    sizes: Sizes
    engines: Sequence[Engine] = tuple(Engine)
    ways: Sequence[Way] = tuple(Way)
    postgresql: str | None = None
    """Address of a server, instead of the bundled one."""

    def run(self, console: Console) -> list[Result]:
        """What everything costs. Raises `BenchFailed`. How far it is is shown on the console."""
        ways = [way for way in Way if way is Way.FLOOR or way in self.ways]
        with ExitStack() as opened:
            folder, bars = opened.enter_context(temporary_folder()), opened.enter_context(shown_on(console))
            targets = [opened.enter_context(open_target(e, folder, self.postgresql)) for e in self.engines]
            worlds = {target.engine: fill(target, self.sizes, bars) for target in targets}
            servers = opened.enter_context(start_servers(ways, targets, folder))
            steps = bars.add_task("Measuring", total=self.plan.steps(len(servers)))
            plan = replace(self.plan, on_repetition=lambda: bars.advance(steps))
            return measure(plan, servers, worlds, folder)


def fill(target: Target, sizes: Sizes, bars: Bars) -> World:
    """Make tables and data, with a bar that counts the rows."""
    task = bars.add_task(f"Rows into {target.engine}", total=None)

    def on_progress(table: str, rows: int) -> None:
        bars.update(task, description=f"Rows into {target.engine}: {table}", advance=rows)

    async def make() -> World:
        async with Database(target.address) as database:
            await migrate(database)
            return await make_world(arm(database), sizes, datetime.now(UTC), on_progress)

    made = asyncio.run(make())
    bars.update(task, description=f"Rows into {target.engine}", total=bars.tasks[task].completed)
    return made


@contextmanager
def shown_on(console: Console) -> Iterator[Bars]:
    """Bars that show how far something is."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Bars(*columns, console=console) as bars:
        yield bars
