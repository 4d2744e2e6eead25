"""`gateway demo`."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from app.commands.console import out
from app.commands.databases import DEMO_HEADS, DEMO_KEY, change, of_demo, open_database, settings_with
from app.commands.options import Host, Port
from app.commands.serving import is_loopback, listen, only_server
from app.commands.tokens import claims_of, demo_files, roles_of
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

QUESTION = "{ viewer { tenant { displayName } rooms(first: 5) { totalCount { value } nodes { displayName } } } }"
"""What the demo's `curl` lines ask."""
DEMO_TERMS = PublishedTerms(version="2026-11", text="Rooms are delegated until either side ends it.")
"""What customers agree to in the demo, unless terms are set."""
command = typer.Typer(add_completion=False)


@command.command()
def demo(
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Throw the whole database in the state folder away and start over.")
    ] = False,
    host: Host = None,
    port: Port = None,
) -> None:
    """Make a small world, hand out tokens for its people, and serve it."""
    settings = with_terms(settings_with(host=host, port=port))
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
        asyncio.run(introduce(settings, issuer, world))
        listen(settings, issuer.verifier)


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


async def introduce(settings: Settings, issuer: DevelopmentIssuer, world: World) -> None:
    """Print who there is, what each should see, a token, and a line to paste."""
    out.print(f"\n[bold]Partner Gateway[/bold] at http://{settings.host}:{settings.port}/graphql\n")
    if not is_loopback(settings.host):
        out.print(f"Tokens are handed out on loopback only, and {settings.host} is not.\n")
        return
    async with change(settings) as work:
        entries: list[PersonEntry | ApplicationEntry] = [*world.people, *world.applications]
        for entry in entries:
            person, tenant = await find_person(work.session, entry.name, entry.tenant)
            token = issuer.token(claims_of(person, roles_of(entry)), datetime.now(UTC))
            out.print(f"[bold]{person.name}[/bold] of {tenant.name}: {entry.expects or ''}")
            out.print(f"  token  {token}", markup=False)
            out.print(f"  {curl(settings, token)}\n", markup=False)
    out.print("[bold]Paste any line above[/bold] into another terminal, or `gateway token --as NAME`. Ctrl-C stops.\n")


def curl(settings: Settings, token: str) -> str:
    """A line that asks a question with this token."""
    headers = f"-H 'Content-Type: application/json' -H 'Authorization: Bearer {token}'"
    body = json.dumps({"query": QUESTION})
    return f"curl -s http://{settings.host}:{settings.port}/graphql {headers} -d '{body}'"
