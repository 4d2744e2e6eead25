"""What was measured, as a table for people and as JSON for programs."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from operator import attrgetter

from rich import box
from rich.table import Table
from rich.text import Text

from app.bench.growth import GrowthBench, GrowthResult, PlanResult
from app.bench.samples import Result
from app.bench.stages import Axis

MOST = {"node": 2.0}
"""How many times the floor a document may cost, if not as usual."""
USUAL = 1.5
MOST_GROWTH = 2.0
"""How many times what it costs at the smallest size a page may cost at the largest."""
TITLES = {
    Axis.TENANT: "rooms of the customer, of which the partner who asks has as many as ever",
    Axis.WHOLE: "rooms of the organization, whose Manager asks",
    Axis.SCOPE: "rooms of the partner who asks",
    Axis.CUSTOMERS: "customers of the partner who asks",
}
COLUMNS = ("CPU ms", "DB ms", "× floor", "req/s", "p50 ms", "p99 ms", "MB")
"""Processor time of the server process, and of PostgreSQL's, for one request; memory is the server's (PSS)."""


def most(query: str) -> float:
    """How many times the floor a document may cost."""
    return MOST.get(query, USUAL)


def as_tables(results: Sequence[Result]) -> Iterator[Table]:
    """One for each engine, with a row for each document and way."""
    for engine, rows in groupby(sorted(results, key=attrgetter("engine")), attrgetter("engine")):
        table = Table(title=f"One request on {engine}", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        table.add_column("query", no_wrap=True)
        table.add_column("path", no_wrap=True)
        for column in COLUMNS:
            table.add_column(column, justify="right", no_wrap=True)
        for _, of_query in groupby(rows, attrgetter("query")):
            for row in of_query:
                table.add_row(row.query, row.path, *numbers(row))
            table.add_section()
        yield table


def numbers(result: Result) -> list[Text]:
    """The figures of a row; a cost beyond what is promised is red."""
    is_beyond = result.ratio_to_floor > most(result.query)
    return [
        Text(f"{result.cpu_ms:.2f}"),
        Text(f"{result.db_cpu_ms:.2f}"),
        Text(f"{result.ratio_to_floor:.2f}", "red" if is_beyond else ""),
        Text(f"{result.requests_per_s:,.0f}"),
        Text(f"{result.p50_ms:.2f}"),
        Text(f"{result.p99_ms:.2f}"),
        Text(f"{result.pss_mb:.0f}"),
    ]


def write_json(results: Sequence[Result]) -> str:
    """All of them, for a program."""
    return json.dumps({"results": [asdict(result) for result in results]}, indent=2)


def growth_tables(results: Sequence[GrowthResult]) -> Iterator[Table]:
    """One for each engine and for each thing that grows, with a column for each size."""
    for (engine, axis, path), rows in groupby(results, attrgetter("engine", "axis", "path")):
        of_axis = list(rows)
        sizes = sorted({row.size for row in of_axis})
        title = f"One request on {engine}, {path}: {TITLES[axis]}"
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0))
        table.add_column("ms of CPU")
        for size in sizes:
            table.add_column(f"{size:,}", justify="right", no_wrap=True)
        for asked, of_asked in groupby(sorted(of_axis, key=attrgetter("asked", "size")), attrgetter("asked")):
            table.add_row(asked, *map(cost, of_asked))
        yield table


def cost(result: GrowthResult) -> Text:
    """What a request costs, and how many times that of the smallest size."""
    shown = Text(f"{result.cpu_ms + result.db_cpu_ms:.2f}")
    times = f" ({result.ratio_to_smallest:.2f} ×)"
    return shown.append(times, "red" if result.ratio_to_smallest > MOST_GROWTH else "dim")


def write_growth_json(bench: GrowthBench) -> str:
    """All figures, and the plans that were asked for, for a program."""
    return json.dumps({"results": list(map(asdict, bench.results)), "plans": list(map(asdict, bench.plans))}, indent=2)


def write_plans(plans: Sequence[PlanResult]) -> Iterator[str]:
    """Each statement with how the database goes about it."""
    for each in plans:
        yield f"--- {each.engine}, {TITLES[each.axis]}, {each.size:,}: {each.asked}\n"
        yield f"{each.statement}\n\n{each.plan}\n"
