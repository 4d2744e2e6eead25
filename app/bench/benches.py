"""The five documents on every path and engine, from their data to their figures."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from app.access.tripwire import arm
from app.bench.asking import ask
from app.bench.databases import Engine, Target, open_host, temporary_folder
from app.bench.fleet import Server, start_servers
from app.bench.floor.statements import Digests
from app.bench.harness import Plan, Question, measure, steps
from app.bench.progress import Bars, filling, shown_on
from app.bench.queries import QUERIES, Query, QueryName
from app.bench.requests import Request, fetch, to_floor, to_gateway
from app.bench.samples import Result, summarize
from app.bench.server import Way
from app.bench.world import Sizes, World, make_world
from app.storage.engines import Database
from app.storage.migrating import migrate

Key = tuple[QueryName, Engine, Way]


@dataclass(frozen=True)
class Bench:
    """What is measured, and in what."""

    plan: Plan = field(default_factory=Plan)
    sizes: Sizes = field(default_factory=Sizes)
    queries: Sequence[QueryName] = tuple(QueryName)
    engines: Sequence[Engine] = tuple(Engine)
    ways: Sequence[Way] = tuple(Way)
    """The floor is always among them: everything is compared with it."""
    postgresql: str | None = None
    """Address of a server, instead of the bundled one."""

    def run(self, console: Console) -> list[Result]:
        """What everything costs. Raises `BenchFailed`. How far it is, is shown on the console."""
        with ExitStack() as opened:
            folder, bars = opened.enter_context(temporary_folder()), opened.enter_context(shown_on(console))
            hosts = [opened.enter_context(open_host(engine, folder, self.postgresql)) for engine in self.engines]
            targets = [opened.enter_context(host.database("bench")) for host in hosts]
            worlds = {target.engine: fill(target, self.sizes, bars) for target in targets}
            digests = asyncio.run(find_digests(targets[0].address, worlds[targets[0].engine], folder))
            servers = opened.enter_context(start_servers(self.all_ways(), targets, folder, digests))
            groups = [list(questions(QUERIES[name], servers, worlds, folder)) for name in self.queries]
            bar = bars.add_task("Measuring", total=steps(self.plan, groups))
            samples = measure(self.plan, groups, lambda: bars.advance(bar))
        return [
            summarize(name, engine, way, taken, samples[name, engine, Way.FLOOR])
            for (name, engine, way), taken in sorted(samples.items(), key=lambda item: place(item[0]))
        ]

    def all_ways(self) -> list[Way]:
        """With the floor, each once."""
        return [way for way in Way if way is Way.FLOOR or way in self.ways]


def place(key: Key) -> tuple[int, ...]:
    """Where a result stands: by document, engine and way."""
    return tuple(list(type(part)).index(part) for part in key)


def fill(target: Target, sizes: Sizes, bars: Bars) -> World:
    """Make tables and data."""

    async def make() -> World:
        async with Database(target.address) as database:
            await migrate(database)
            return await make_world(arm(database), sizes, datetime.now(UTC), on_progress)

    with filling(bars, str(target.engine)) as on_progress:
        return asyncio.run(make())


async def find_digests(address: str, world: World, folder: Path) -> Digests:
    """What tells the two lists that are measured from others, as the gateway's own cursors say it."""
    found = []
    for name in (QueryName.ROOMS, QueryName.AUDIT):
        query = QUERIES[name]
        data = await ask(address, folder, query.viewer(world), query.document, query.variables(world))
        (listed,) = data["viewer"].values()
        found.append(str(listed["pageInfo"]["endCursor"]).partition("_")[0])
    return Digests(*found)


def questions(
    query: Query, servers: Sequence[Server], worlds: dict[Engine, World], folder: Path
) -> Iterator[Question[Key]]:
    """A document, asked of each server; all of an engine have to answer what its floor answers."""
    answers: dict[Engine, bytes] = {}
    for server in sorted(servers, key=lambda each: each.way is not Way.FLOOR):
        engine, request = server.target.engine, request_to(server, query, worlds[server.target.engine], folder)
        answer = answers.get(engine) or answers.setdefault(engine, fetch(server, request))
        yield Question((query.name, engine, server.way), query.name, server, request, answer)


def request_to(server: Server, query: Query, world: World, folder: Path) -> Request:
    """How the server is asked for the document."""
    viewer, variables = query.viewer(world), query.variables(world)
    if server.way is Way.FLOOR:
        return to_floor(query.name, viewer, variables)
    return to_gateway(query.document, viewer, variables, folder)
