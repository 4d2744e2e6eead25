"""`gateway demo`."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from app.commands.console import out
from app.commands.databases import DEMO_HEADS, DEMO_KEY, change, of_demo, open_database, settings_with
from app.commands.explorer import make_page
from app.commands.options import Host, Port, WithExplorer
from app.commands.serving import listen, only_server
from app.commands.tokens import demo_files, mint, roles_of
from app.config import PublishedTerms, Settings
from app.domain.refusals import CommandRefused
from app.operations.people import find_person, has_tenants
from app.operations.seeding import seed_world
from app.operations.work import witness_all
from app.storage.migrating import migrate
from app.storage.notary import make_key
from app.storage.world_entries import ApplicationEntry, PersonEntry, World
from app.storage.world_files import read_world
from app.web.development_issuer import DevelopmentIssuer
from app.web.explorer import building
from app.web.explorer.building import PageNotMade
from app.web.explorer.people import Introduction, People
from app.web.explorer.serving import Explorer
from app.web.loopback import is_loopback

QUESTION = "{ viewer { tenant { displayName } rooms(first: 5) { totalCount { value } nodes { displayName } } } }"
"""What the demo's `curl` lines ask."""
DEMO_TERMS = PublishedTerms(version="2026-11", text="Rooms are delegated until either side ends it.")
"""What customers agree to in the demo, unless terms are set."""
DEMO_PATIENCE_SECONDS = 120.0
"""For each step of making the explorer's page: without a network npm should not keep the demo from starting."""
command = typer.Typer(add_completion=False)


@command.command()
def demo(
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Throw the whole database in the state folder away and start over.")
    ] = False,
    host: Host = None,
    port: Port = None,
    with_explorer: WithExplorer = None,
) -> None:
    """Make a small world, hand out tokens for its people, and serve it."""
    settings = with_terms(settings_with(host=host, port=port, explorer=with_explorer))
    if settings.database_url is not None:
        raise CommandRefused("the demo makes a database of its own; unset GATEWAY_DATABASE_URL")
    issuer, settings = DevelopmentIssuer(settings.state_dir, settings.token_scope), of_demo(settings)
    if not (settings.state_dir / DEMO_KEY).exists():
        make_key(settings.state_dir / DEMO_KEY)
    with only_server(settings):
        world = read_world(demo_files())
        if fresh:
            throw_away(settings)
        asyncio.run(prepare_demo(settings, world))
        people = asyncio.run(find_people(settings, issuer, world))
        has_page = settings.explorer is not False and try_to_make_page()
        introduce(settings, people, has_page=has_page)
        page = Explorer(building.BUNDLE, People(people)) if has_page else None
        listen(settings, issuer.verifier, explorer=page)


def with_terms(settings: Settings) -> Settings:
    """The settings, with the demo's own terms unless others are set, so that its people can invite."""
    return settings if settings.terms else settings.model_copy(update={"terms": DEMO_TERMS})


def throw_away(settings: Settings) -> None:
    """Remove the embedded database, and what was signed about it."""
    if file := open_database(settings).file:
        for part in ("", "-wal", "-shm"):
            Path(f"{file}{part}").unlink(missing_ok=True)
    for heads in (settings.state_dir / DEMO_HEADS).glob("*.jsonl"):
        heads.unlink()


async def prepare_demo(settings: Settings, world: World) -> None:
    """The demo's tables and, in an empty database, its world."""
    async with open_database(settings) as database:
        await migrate(database)
        await witness_all(database, datetime.now(UTC))
    async with change(settings) as work:
        if not await has_tenants(work.session):
            await seed_world(work, world)


async def find_people(settings: Settings, issuer: DevelopmentIssuer, world: World) -> list[Introduction]:
    """Everybody of the demo world, as the database has them."""
    entries: list[PersonEntry | ApplicationEntry] = [*world.people, *world.applications]
    async with change(settings) as work:
        found = [(entry, *await find_person(work.session, entry.name, entry.tenant)) for entry in entries]
        return [
            Introduction(person.name, tenant.name, entry.expects or "", partial(mint, issuer, person, roles_of(entry)))
            for entry, person, tenant in found
        ]


def try_to_make_page() -> bool:
    """Whether there is a page for the explorer: it is made if it can be, and else how to get it is said in a line."""
    try:
        if not building.is_made(building.BUNDLE):
            make_page(DEMO_PATIENCE_SECONDS)
    except PageNotMade as reason:
        out.print(f"There is no page to look through: {reason}.", markup=False)
        return False
    return True


def introduce(settings: Settings, people: Sequence[Introduction], *, has_page: bool) -> None:
    """Print who there is, what each should see, a token, and a line to paste."""
    address = f"http://{settings.host}:{settings.port}"
    out.print(f"\n[bold]Partner Gateway[/bold] at {address}/graphql\n")
    if not is_loopback(settings.host):
        out.print(f"Tokens are handed out on loopback only, and {settings.host} is not.\n")
        return
    for person in people:
        token = person.token()
        out.print(f"[bold]{person.name}[/bold] of {person.organization}: {person.expects}")
        out.print(f"  token  {token}", markup=False)
        out.print(f"  {curl(settings, token)}\n", markup=False)
    if has_page:
        out.print(f"[bold]Look through it[/bold] as any of them in a browser: {address}/explorer/")
    out.print("[bold]Paste any line above[/bold] into another terminal, or `gateway token --as NAME`. Ctrl-C stops.\n")


def curl(settings: Settings, token: str) -> str:
    """A line that asks a question with this token."""
    headers = f"-H 'Content-Type: application/json' -H 'Authorization: Bearer {token}'"
    body = json.dumps({"query": QUESTION})
    return f"curl -s http://{settings.host}:{settings.port}/graphql {headers} -d '{body}'"
