"""Figures: medians over repetitions, ratios within each repetition, and what is told of them."""

import io
import json
import re
from dataclasses import fields, replace

import pytest
from rich.console import Console

from app.bench.peers import PEERS, times_floor
from app.bench.queries import QueryName
from app.bench.reports import as_tables, write_json
from app.bench.samples import Result, Sample, percentile, summarize

FLOOR = Sample(
    requests=100, seconds=1.0, cpu_seconds=0.1, db_cpu_seconds=0.1, latencies_ms=[1.0, 2.0, 3.0], pss_mb=50.0
)


def test_a_request_costs_what_server_and_database_took_together() -> None:
    assert (FLOOR.cpu_ms, FLOOR.db_cpu_ms, FLOOR.cost_ms) == (1.0, 1.0, 2.0)


def test_the_ratio_is_taken_within_each_repetition_so_that_a_slow_moment_slows_down_both() -> None:
    """Of the medians it would be 3: the floor's is 2 ms, the other's 6."""
    floor = [FLOOR, replace(FLOOR, cpu_seconds=0.3), FLOOR]
    other = [replace(FLOOR, cpu_seconds=0.3), replace(FLOOR, cpu_seconds=0.5), replace(FLOOR, cpu_seconds=0.7)]

    told = summarize("rooms", "sqlite", "planned", other, floor)

    assert told.ratio_to_floor == 2.0
    assert told.cpu_ms == 5.0
    assert told.db_cpu_ms == 1.0


def test_latencies_are_of_all_repetitions_and_memory_is_the_most_that_was_seen() -> None:
    samples = [FLOOR, replace(FLOOR, latencies_ms=[9.0], pss_mb=70.0, seconds=2.0), replace(FLOOR, pss_mb=60.0)]

    told = summarize("rooms", "sqlite", "floor", samples, samples)

    assert (told.p50_ms, told.p99_ms, told.pss_mb, told.requests_per_s) == (2.0, 9.0, 70.0, 100.0)
    assert told.ratio_to_floor == 1.0


@pytest.mark.parametrize("percent, value", [(0, 1), (1, 1), (50, 50), (50.5, 51), (99, 99), (100, 100)])
def test_a_percentile_is_a_value_that_was_measured(percent: float, value: int) -> None:
    assert percentile(range(100, 0, -1), percent) == value


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        percentile([], 50)


RESULTS = [
    Result(query, engine, path, 1.5, 0.5, ratio, 1000.0, 1.0, 2.0, 80.0)
    for query in ("rooms", "node")
    for engine in ("sqlite", "postgresql")
    for path, ratio in (("floor", 1.0), ("planned", 1.75))
]


def test_the_json_has_exactly_what_was_promised() -> None:
    told = json.loads(write_json(RESULTS))

    assert told.keys() == {"results"}
    assert len(told["results"]) == len(RESULTS)
    names = [
        *("query", "engine", "path", "cpu_ms", "db_cpu_ms", "ratio_to_floor"),
        *("requests_per_s", "p50_ms", "p99_ms", "pss_mb"),
    ]
    assert all(list(each) == names for each in told["results"])
    assert [field.name for field in fields(Result)] == names


def test_the_table_fits_a_terminal_and_marks_what_is_beyond_the_promise() -> None:
    shown = io.StringIO()
    console = Console(file=shown, width=80, force_terminal=True, color_system="standard")

    console.print(*as_tables(RESULTS))

    lines = shown.getvalue().splitlines()
    assert "One request on sqlite" in shown.getvalue()
    assert "…" not in shown.getvalue()
    red = [line for line in lines if re.search(r"\x1b\[31m *1\.75", line)]
    assert len(red) == 2, "1.75 is too much for rooms, and allowed for a node"
    assert all("rooms" in line for line in red)


def test_peers_are_known_by_their_ratio_to_their_own_floor() -> None:
    assert all(list(times_floor(peer)) == list(QueryName) for peer in PEERS)
    assert times_floor("Mercurius 16 with JIT")["rooms"] == pytest.approx(2.465, abs=0.001)
