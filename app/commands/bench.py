"""`gateway bench`."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from app.bench.benches import Bench
from app.bench.fleet import Engine
from app.bench.harness import Plan
from app.bench.picture import draw, pyplot
from app.bench.queries import QUERIES, QueryName
from app.bench.reports import as_tables, write_json
from app.bench.server import Way
from app.bench.world import QUICK, Sizes
from app.commands.console import err, out

BRIEFLY = partial(Plan, repetitions=1, seconds=0.1, connections=2)
command = typer.Typer(add_completion=False)


@command.command()
def bench(
    query: Annotated[list[QueryName] | None, typer.Option(help="Only this document; repeat for more.")] = None,
    engine: Annotated[list[Engine] | None, typer.Option(help="Only this database; repeat for more.")] = None,
    path: Annotated[list[Way] | None, typer.Option(help="Only this path, beside the floor; repeat for more.")] = None,
    repetitions: Annotated[int, typer.Option(min=1, help="How often everything is measured.")] = 7,
    seconds: Annotated[float, typer.Option(min=0.05, help="Processor time of each repetition.")] = 2.0,
    connections: Annotated[int, typer.Option(min=1, max=64, help="How many ask at the same time.")] = 8,
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
) -> None:
    """Measure what a request costs, beside one hand-written SQL statement that answers the same bytes."""
    asked = [QUERIES[name] for name in query or QUERIES]
    plan = BRIEFLY(asked) if quick else Plan(asked, repetitions, seconds, connections)
    sizes = QUICK if quick else Sizes(rooms, partners, rooms_per_partner, roles, audit_entries=audit_entries)
    if plot is not None:
        pyplot()  # measuring takes minutes, and without it they would be for nothing
    measured = Bench(plan, sizes, engine or tuple(Engine), path or tuple(Way), postgresql)
    results = measured.run(err)
    out.print(*([write_json(results)] if as_json else as_tables(results)), markup=False)
    if plot is not None:
        draw(results, plot)
