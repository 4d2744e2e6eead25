"""What was measured, as a table for people and as JSON for programs."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from operator import attrgetter

from rich import box
from rich.table import Table
from rich.text import Text

from app.bench.samples import Result

MOST = {"node": 2.0}
"""How many times the floor a document may cost, if not as usual."""
USUAL = 1.5
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
