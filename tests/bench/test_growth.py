"""Growth: worlds in which one thing grows and all else stays, and how a cost is told along it."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from app.access.tripwire import arm
from app.bench.asking import ask
from app.bench.databases import Engine, Target
from app.bench.failing import BenchFailed
from app.bench.growth import COUNT, GrowthBench, Key, PlanResult, asked_by, results
from app.bench.loading import tell_nobody
from app.bench.plans import explain
from app.bench.reports import growth_tables, write_growth_json, write_plans
from app.bench.samples import Sample
from app.bench.server import Way
from app.bench.stages import Axis, GrowthSizes, Stage, growths
from app.storage.engines import Database

NOW = datetime.now(UTC)
SIZES = GrowthSizes(tenants=(60, 120), scope=20, scopes=(2, 30), customers=(1, 3), each=4)
SEEN = {
    Axis.TENANT: {60: 20, 120: 20},
    Axis.WHOLE: {60: 60, 120: 120},
    Axis.SCOPE: {2: 2, 30: 30},
    Axis.CUSTOMERS: {1: 4, 3: 12},
}
"""By size: how many rooms whoever asks there sees."""
GROWTHS = {growth.name: growth for growth in growths(SIZES)}


async def fill(name: str, address: str) -> list[Stage]:
    async with Database(address) as database:
        return await GROWTHS[name].fill(arm(database), NOW, tell_nobody)


@pytest.mark.parametrize("name", GROWTHS)
async def test_whoever_asks_sees_as_many_rooms_as_was_said(name: str, address: str, tmp_path: Path) -> None:
    for stage in await fill(name, address):
        found = await ask(address, tmp_path, stage.viewer, COUNT, {})

        assert found["viewer"]["rooms"]["totalCount"]["value"] == SEEN[stage.axis][stage.size]


def test_every_size_of_every_axis_is_asked_somewhere() -> None:
    assert GROWTHS.keys() == {"tenant_60", "tenant_120", "scopes", "customers"}
    assert [growth.name for growth in growths(GrowthSizes(tenants=(5,), scopes=(), customers=()))] == ["tenant_5"]


async def test_everything_that_is_asked_finds_something(engine: str, address: str, tmp_path: Path) -> None:
    target = Target(Engine(engine), "scopes", address, None)
    for stage in await fill("scopes", address):
        asked = await asked_by(target, stage, tmp_path)

        answers = {name: await ask(address, tmp_path, stage.viewer, *each) for name, each in asked.items()}
        assert answers["look-up"]["node"]["id"] == stage.room
        first, deep = (answers[name]["viewer"]["rooms"]["nodes"] for name in ("first page", "deep page"))
        assert first[1] == deep[0], "a page of 60 from the end begins with the first of so few rooms"
        assert answers["search"]["viewer"]["rooms"]["nodes"]


async def test_every_statement_is_explained(engine: str, address: str, tmp_path: Path) -> None:
    stage = (await fill("tenant_60", address))[0]

    found = await explain(address, tmp_path, stage.viewer, COUNT, {})

    plans = "\n".join(each.plan for each in found)
    assert any("rooms" in each.statement for each in found)
    assert ("SEARCH" if engine == "sqlite" else "Scan using") in plans
    assert len({each.statement for each in found}) == len(found)


async def test_what_the_gateway_refuses_ends_the_bench(address: str, tmp_path: Path) -> None:
    stage = (await fill("tenant_60", address))[0]

    with pytest.raises(BenchFailed, match="the gateway answers with 200: Cannot query"):
        await ask(address, tmp_path, stage.viewer, "query { nothing }", {})


# --- what is told -----------------------------------------------------------------------------------------------------

SAMPLE = Sample(requests=10, seconds=1.0, cpu_seconds=0.01, db_cpu_seconds=0.01, latencies_ms=[1.0, 2.0], pss_mb=80.0)
KEY = Key(Engine.SQLITE, Axis.TENANT, "first page", Way.PLANNED, 10)
SAMPLES = {KEY: [SAMPLE] * 3, KEY._replace(size=1_000): [replace(SAMPLE, cpu_seconds=0.05)] * 3}


def test_a_cost_is_told_beside_that_of_the_smallest_size() -> None:
    small, large = results(SAMPLES)

    assert (small.size, small.ratio_to_smallest, small.cpu_ms, small.db_cpu_ms) == (10, 1.0, 1.0, 1.0)
    assert (large.size, large.ratio_to_smallest, large.cpu_ms) == (1_000, 3.0, 5.0)


def test_the_table_has_a_column_for_each_size_and_marks_what_grew_too_much() -> None:
    shown = io.StringIO()
    console = Console(file=shown, width=80, force_terminal=True, color_system="standard")

    console.print(*growth_tables(results(SAMPLES)))

    assert "1,000" in shown.getvalue()
    assert "6.00\x1b[31m (3.00 ×)" in shown.getvalue()


def test_the_json_has_figures_and_plans() -> None:
    plan = PlanResult(Axis.TENANT, "first page", "sqlite", 10, "SELECT 1", "SCAN")
    bench = GrowthBench(results=results(SAMPLES), plans=[plan])

    told = json.loads(write_growth_json(bench))

    first = told["results"][0]
    figures = {name: value for name, value in first.items() if isinstance(value, float)}
    assert first.keys() - figures.keys() == {"axis", "asked", "engine", "path", "size"}
    assert figures == {"cpu_ms": 1.0, "db_cpu_ms": 1.0, "ratio_to_smallest": 1.0, "p50_ms": 1.0, "p99_ms": 2.0}
    assert told["plans"][0]["plan"] == "SCAN"
    assert "SELECT 1\n\nSCAN" in "".join(write_plans([plan]))
