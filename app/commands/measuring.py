"""`gateway bench`."""

from pathlib import Path
from typing import Annotated

import typer

from app.bench.benches import Bench
from app.bench.databases import Engine
from app.bench.ending import cleaning_up
from app.bench.growth import GrowthBench
from app.bench.harness import Plan
from app.bench.picture import draw, pyplot
from app.bench.queries import QueryName
from app.bench.reports import as_tables, growth_tables, write_growth_json, write_json, write_plans
from app.bench.server import Way
from app.bench.stages import QUICK_GROWTH, GrowthSizes
from app.bench.world import QUICK, Sizes
from app.commands.console import err, out

command = typer.Typer(add_completion=False)
BRIEFLY = Plan(repetitions=1, seconds=0.1, connections=2)
Query = Annotated[list[QueryName] | None, typer.Option(help="Only this document; repeat for more.")]
Engines = Annotated[list[Engine] | None, typer.Option("--engine", help="Only this database; repeat for more.")]
Paths = Annotated[list[Way] | None, typer.Option("--path", help="Only this path, beside the floor; repeat for more.")]
OF_SCALE = "With --scale"


@command.command()
def bench(
    query: Query = None,
    engine: Engines = None,
    path: Paths = None,
    repetitions: Annotated[int, typer.Option(min=1, help="How often everything is measured.")] = 7,
    seconds: Annotated[float, typer.Option(min=0.05, help="Processor time of each repetition.")] = 2.0,
    connections: Annotated[int, typer.Option(min=1, max=64, help="How many ask at the same time.")] = 4,
    rooms: Annotated[int, typer.Option(min=1, help="Rooms of the customer.")] = 10_000,
    partners: Annotated[int, typer.Option(min=1, help="Partners of the customer.")] = 20,
    rooms_per_partner: Annotated[int, typer.Option(min=1, help="Rooms delegated to each.")] = 500,
    roles: Annotated[int, typer.Option(min=0, help="Custom roles of each, beside its Primary admins.")] = 4,
    audit_entries: Annotated[int, typer.Option(min=0, help="Lines in the customer's record.")] = 100_000,
    quick: Annotated[bool, typer.Option("--quick", help="Little data, once, briefly: does it work?")] = False,
    postgresql: Annotated[
        str | None, typer.Option(metavar="URL", help="A PostgreSQL on this machine, instead of the bundled one.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw a picture.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures for a program.")] = False,
    scale: Annotated[bool, typer.Option("--scale", help="Measure how the cost grows with the data instead.")] = False,
    tenant: Annotated[
        list[int] | None, typer.Option(min=1, help="Rooms of a customer; repeat for more.", rich_help_panel=OF_SCALE)
    ] = None,
    scope: Annotated[
        int, typer.Option(min=1, help="Rooms that a partner has of each of these.", rich_help_panel=OF_SCALE)
    ] = GrowthSizes.scope,
    scopes: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Rooms of a partner of one customer; repeat for more.", rich_help_panel=OF_SCALE),
    ] = None,
    customers: Annotated[
        list[int] | None, typer.Option(min=1, help="Customers of a partner; repeat for more.", rich_help_panel=OF_SCALE)
    ] = None,
    each: Annotated[
        int, typer.Option(min=1, help="Rooms that each of these delegates.", rich_help_panel=OF_SCALE)
    ] = GrowthSizes.each,
    plans: Annotated[
        bool, typer.Option("--plans", help="Print how the database goes about it.", rich_help_panel=OF_SCALE)
    ] = False,
) -> None:
    """Measure what a request costs, beside one hand-written SQL statement that answers the same bytes."""
    plan, engines = BRIEFLY if quick else Plan(repetitions, seconds, connections), engine or tuple(Engine)
    if scale:
        grown = GrowthSizes(
            tenant or GrowthSizes.tenants, scope, scopes or GrowthSizes.scopes, customers or GrowthSizes.customers, each
        )
        growth = GrowthBench(plan, QUICK_GROWTH if quick else grown, engines, path or (Way.PLANNED,), postgresql, plans)
        with cleaning_up():
            growth.run(err)
        shown = [write_growth_json(growth)] if as_json else [*growth_tables(growth.results), *write_plans(growth.plans)]
        out.print(*shown, markup=False)
        return
    if plot is not None:
        pyplot()  # measuring takes minutes, and without it they would be for nothing
    sizes = QUICK if quick else Sizes(rooms, partners, rooms_per_partner, roles, audit_entries=audit_entries)
    with cleaning_up():
        results = Bench(plan, sizes, query or tuple(QueryName), engines, path or tuple(Way), postgresql).run(err)
    out.print(*([write_json(results)] if as_json else as_tables(results)), markup=False)
    if plot is not None:
        draw(results, plot)
