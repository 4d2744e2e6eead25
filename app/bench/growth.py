"""How the cost of a request grows with the tenant, with the scope and with the number of customers."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from rich.console import Console

from app.access.tripwire import arm
from app.bench.asking import ask
from app.bench.databases import Engine, Target, open_host, temporary_folder
from app.bench.fleet import Server, start_servers
from app.bench.floor.statements import Digests
from app.bench.harness import Plan, Question, measure, steps
from app.bench.plans import explain
from app.bench.progress import Bars, filling, shown_on
from app.bench.queries import read_document
from app.bench.requests import fetch, to_gateway
from app.bench.samples import Sample, percentile, ratios, rounded
from app.bench.server import Way
from app.bench.stages import Axis, Growth, GrowthSizes, Stage, growths
from app.storage.engines import Database
from app.storage.migrating import migrate

NODES = "nodes { id displayName account capacity enrollment location { building city } }"
PAGE = (
    "query Page($after: String) "
    "{ viewer { rooms(first: 50, after: $after) { %s pageInfo { hasNextPage endCursor } } } }"
)
SEARCH = "query Search($search: String) { viewer { rooms(first: 50, filter: { search: $search }) { %s } } }"
COUNT = "query Count { viewer { rooms(first: 1) { totalCount(upTo: 1000) { value exact } } } }"
FAR = "query Far { viewer { rooms(last: 60) { pageInfo { startCursor } } } }"
"""Where a page near the end begins: a whole one, unless there are fewer rooms."""
NO_FLOOR = Digests("", "")


class Asked(NamedTuple):
    """A document and its variables."""

    document: str
    variables: dict[str, Any]


class Key(NamedTuple):
    """What tells one figure from others."""

    engine: Engine
    axis: Axis
    asked: str
    path: Way
    size: int


@dataclass(frozen=True, slots=True)
class GrowthResult:
    """What a request costs at one size."""

    axis: Axis
    asked: str
    engine: str
    path: str
    size: int
    cpu_ms: float
    db_cpu_ms: float
    ratio_to_smallest: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class PlanResult:
    """How the database goes about a statement at one size."""

    axis: Axis
    asked: str
    engine: str
    size: int
    statement: str
    plan: str


@dataclass
class GrowthBench:
    """What is measured, and in what."""

    plan: Plan = field(default_factory=Plan)
    sizes: GrowthSizes = field(default_factory=GrowthSizes)
    engines: Sequence[Engine] = tuple(Engine)
    ways: Sequence[Way] = (Way.PLANNED,)
    postgresql: str | None = None
    with_plans: bool = False
    results: list[GrowthResult] = field(default_factory=list)
    plans: list[PlanResult] = field(default_factory=list)

    def run(self, console: Console) -> None:
        """Find the results, one engine after the other. Raises `BenchFailed`."""
        for engine in self.engines:
            with ExitStack() as opened:
                folder, bars = opened.enter_context(temporary_folder()), opened.enter_context(shown_on(console))
                host = opened.enter_context(open_host(engine, folder, self.postgresql))
                stages = dict[Target, list[Stage]]()
                for growth in growths(self.sizes):
                    target = opened.enter_context(host.database(growth.name))
                    stages[target] = fill(target, growth, bars)
                if self.with_plans:
                    self.plans += asyncio.run(explain_all(stages, folder))
                servers = opened.enter_context(start_servers(self.ways, list(stages), folder, NO_FLOOR))
                groups = grouped([each for server in servers for each in questions(server, stages, folder)])
                bar = bars.add_task(f"Measuring on {engine}", total=steps(self.plan, groups))
                samples = measure(self.plan, groups, lambda: bars.advance(bar))  # noqa: B023 - called within
            self.results += results(samples)


def fill(target: Target, growth: Growth, bars: Bars) -> list[Stage]:
    """Make tables and data. Who asks there."""

    async def make() -> list[Stage]:
        async with Database(target.address) as database:
            await migrate(database)
            return await growth.fill(arm(database), datetime.now(UTC), on_progress)

    with filling(bars, f"{target.engine}, {growth.name}") as on_progress:
        return asyncio.run(make())


# --- what is asked ----------------------------------------------------------------------------------------------------


async def asked_by(target: Target, stage: Stage, folder: Path) -> dict[str, Asked]:
    """Everything that is asked at one size."""
    far = await ask(target.address, folder, stage.viewer, FAR, {})
    return {
        "first page": Asked(PAGE % NODES, {}),
        "deep page": Asked(PAGE % NODES, {"after": far["viewer"]["rooms"]["pageInfo"]["startCursor"]}),
        "look-up": Asked(read_document("node"), {"id": stage.room}),
        "search": Asked(SEARCH % NODES, {"search": stage.search}),
        "count": Asked(COUNT, {}),
    }


def questions(server: Server, stages: dict[Target, list[Stage]], folder: Path) -> Iterator[Question[Key]]:
    """Everything that one server is asked."""
    for stage in stages[server.target]:
        for name, asked in asyncio.run(asked_by(server.target, stage, folder)).items():
            request = to_gateway(asked.document, stage.viewer, asked.variables, folder)
            key = Key(server.target.engine, stage.axis, name, server.way, stage.size)
            yield Question(key, f"{name}, {stage.axis} {stage.size}", server, request, fetch(server, request))


def grouped(found: list[Question[Key]]) -> list[list[Question[Key]]]:
    """What differs only in size stands together."""
    ordered = sorted(found, key=lambda question: place(question.key))
    return [list(group) for _, group in groupby(ordered, key=lambda question: question.key[:-1])]


def place(key: Key) -> tuple[object, ...]:
    """Where a figure stands: in the order of the axes, and by size."""
    return key.engine, list(Axis).index(key.axis), key.asked, key.path, key.size


# --- what is found ----------------------------------------------------------------------------------------------------


def results(samples: dict[Key, list[Sample]]) -> list[GrowthResult]:
    """Medians over the repetitions; the ratio is to the smallest size in the same repetition."""
    smallest: dict[tuple[object, ...], list[Sample]] = {}
    for key, taken in samples.items():
        smallest.setdefault(key[:-1], taken)
    return [
        GrowthResult(
            key.axis,
            key.asked,
            key.engine,
            key.path,
            key.size,
            cpu_ms=rounded(median(sample.cpu_ms for sample in taken)),
            db_cpu_ms=rounded(median(sample.db_cpu_ms for sample in taken)),
            ratio_to_smallest=rounded(median(ratios(taken, smallest[key[:-1]]))),
            p50_ms=rounded(percentile((each for sample in taken for each in sample.latencies_ms), 50)),
            p99_ms=rounded(percentile((each for sample in taken for each in sample.latencies_ms), 99)),
        )
        for key, taken in samples.items()
    ]


async def explain_all(stages: dict[Target, list[Stage]], folder: Path) -> list[PlanResult]:
    """How the database goes about every statement at every size."""
    return [
        PlanResult(stage.axis, name, target.engine, stage.size, **asdict(found))
        for target, here in stages.items()
        for stage in here
        for name, asked in (await asked_by(target, stage, folder)).items()
        for found in await explain(target.address, folder, stage.viewer, asked.document, asked.variables)
    ]
