"""The command line, `gateway`."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import httpx
import typer
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from filelock import FileLock, Timeout
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import SQLAlchemyError

from app.access.tripwire import arm
from app.access.viewer import SYSTEM
from app.config import PublishedTerms, Settings, SettingsRefused, read_settings
from app.domain.permissions import DirectoryRole
from app.domain.refusals import CommandRefused
from app.domain.vocabulary import PrincipalKind, UserType
from app.graph.schema import build_schema
from app.main import create_app
from app.operations.importing_directory import Imported, import_directory, summary
from app.operations.importing_rooms import import_rooms
from app.operations.people import find_person, has_tenants
from app.operations.purging import purge
from app.operations.seeding import seed_world
from app.operations.tenants import NewUser, add_tenant, find_tenant
from app.operations.verifying import Report, Verifier, verify_file
from app.operations.work import Work, witness_all
from app.storage.directory_pages import Directory, read_directory
from app.storage.engines import Database, UnknownDatabase
from app.storage.graph_pages import BadFile
from app.storage.migrating import migrate as migrate_database
from app.storage.migrating import newest, version
from app.storage.notary import AuditKeyRefused, Notary, make_key, read_private, read_public
from app.storage.rights import check_serving, grant
from app.storage.room_pages import read_rooms
from app.storage.tables import Principal
from app.storage.world_entries import ApplicationEntry, PersonEntry, World
from app.storage.world_files import read_world
from app.web.development_issuer import DevelopmentIssuer, IssuerKeyRefused
from app.web.keys import KeySet
from app.web.logs import start_logging
from app.web.serving import configure
from app.web.tokens import Claims, TokenVerifier

REFUSALS = (AuditKeyRefused, BadFile, CommandRefused, IssuerKeyRefused, SettingsRefused, UnknownDatabase)
"""What is told to the operator as it is."""
DEMO_KEY, DEMO_HEADS = "audit-key.pem", "audit-heads"
"""In the state folder."""
NEEDS_NOTARY = (
    "set GATEWAY_AUDIT_SIGNING_KEY and GATEWAY_AUDIT_HEADS_DIR, so that nobody rewrites the record unseen; "
    "`gateway audit key FILE` makes a key"
)
TOKEN_LIFETIME = timedelta(hours=24)
QUESTION = "{ viewer { tenant { displayName } rooms(first: 5) { totalCount { value } nodes { displayName } } } }"
"""What the demo's `curl` lines ask."""
DEMO_TERMS = PublishedTerms(version="2026-11", text="Rooms are delegated until either side ends it.")
"""What customers agree to in the demo, unless terms are set."""

gateway = typer.Typer(help="Partner Gateway: a scoped GraphQL API over delegated meeting rooms.", no_args_is_help=True)
tenants = typer.Typer(help="Organizations.", no_args_is_help=True)
imports = typer.Typer(help="Load real data.", no_args_is_help=True)
schema = typer.Typer(help="The GraphQL schema.", no_args_is_help=True)
gateway.add_typer(tenants, name="tenants")
gateway.add_typer(imports, name="import")
audit = typer.Typer(help="The record of what was changed, and whether it is as it was written.", no_args_is_help=True)
gateway.add_typer(schema, name="schema")
gateway.add_typer(audit, name="audit")
out, err = Console(soft_wrap=True, highlight=False), Console(stderr=True, soft_wrap=True, highlight=False)

Host = Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")]
Port = Annotated[int | None, typer.Option(help="Port to listen on.", min=0, max=65535, show_default="8000")]
Files = Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True, help="JSON files.")]
Domain = Annotated[str, typer.Option("--tenant", metavar="DOMAIN", help="A domain of the tenant.")]


def main() -> None:
    """Run the command line; what is refused is said in a sentence, without a trace."""
    try:
        gateway()
    except REFUSALS as refusal:
        err.print(f"[red]gateway:[/red] {escape(str(refusal))}")
        sys.exit(2)
    except (SQLAlchemyError, OSError) as failure:
        err.print(f"[red]gateway:[/red] the database does not answer ({type(failure).__name__})")
        sys.exit(1)


# --- what commands share ---------------------------------------------------------------------------------------------


def settings_with(**options: object) -> Settings:
    """The settings, with what was given on the command line."""
    return read_settings(**{name: value for name, value in options.items() if value is not None})


def open_database(settings: Settings) -> Database:
    """The database of these settings, with the tripwire armed; an embedded one lies in the state folder."""
    settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.state_dir.chmod(0o700)
    database = arm(
        Database(
            settings.database,
            pool_size=settings.database_pool_size,
            connect_timeout=settings.database_connect_timeout_seconds,
        )
    )
    database.notary = find_notary(settings)
    return database


def find_notary(settings: Settings) -> Notary | None:
    """What signs the heads of these settings, or of the demo in this state folder; None without a key.

    Raises `CommandRefused` where there is a key and heads cannot be written.
    """
    key, folder = settings.audit_signing_key, settings.audit_heads_dir
    if key is None and folder is None:
        return find_notary(of_demo(settings)) if has_demo_key(settings) else None
    if key is None:
        return None
    if folder is None:
        raise CommandRefused("set GATEWAY_AUDIT_HEADS_DIR too: the folder for what GATEWAY_AUDIT_SIGNING_KEY signs")
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        raise CommandRefused(f"signed heads cannot be written to {folder}, GATEWAY_AUDIT_HEADS_DIR")
    return Notary(read_private(key), folder)


def of_demo(settings: Settings) -> Settings:
    """The settings, with the demo's own key and heads unless others are set."""
    if settings.audit_signing_key or settings.audit_heads_dir:
        return settings
    own = {"audit_signing_key": settings.state_dir / DEMO_KEY, "audit_heads_dir": settings.state_dir / DEMO_HEADS}
    return settings.model_copy(update=own)


def has_demo_key(settings: Settings) -> bool:
    """The embedded database of these settings is a demo's."""
    return settings.database_url is None and (settings.state_dir / DEMO_KEY).is_file()


@asynccontextmanager
async def change(settings: Settings) -> AsyncIterator[Work]:
    """One change by the system, or a look by it, in a database that is at this version."""
    async with open_database(settings) as database:
        await require_migrated(database)
        async with Work.begin(database, SYSTEM, datetime.now(UTC), f"command-{uuid4().hex}") as work:
            yield work


async def require_migrated(database: Database) -> None:
    """Raises `CommandRefused`, with what to run, for a database that is not at this version."""
    found = await version(database)
    if found != newest():
        state = f"is at version {found}" if found else "has no tables yet"
        raise CommandRefused(f"the database {state}, this program needs version {newest()}; run `gateway migrate`")


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a command's work."""
    asyncio.run(work)


@contextmanager
def only_server(settings: Settings) -> Iterator[None]:
    """Holds the place of the one server of an SQLite file. Raises `CommandRefused` if another has it."""
    file = open_database(settings).file
    if file is None:
        yield
        return
    try:
        held = FileLock(f"{file}.server-lock").acquire(timeout=0)
    except Timeout:
        message = f"another server already serves {file}; stop it, or use PostgreSQL (GATEWAY_DATABASE_URL)"
        raise CommandRefused(message) from None
    with held:
        yield


async def check_ready(settings: Settings) -> None:
    """Returns if this database can be served, by this role, with heads signed. Raises `CommandRefused`."""
    async with open_database(settings) as database:
        await require_migrated(database)
        await check_serving(database)
    if settings.audit_signing_key is None:
        raise CommandRefused(NEEDS_NOTARY)


def is_loopback(host: str) -> bool:
    """Only this machine can reach the address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(settings: Settings, verifier: TokenVerifier) -> None:
    """Serve until interrupted."""
    app = create_app(settings, open_database(settings), verifier)
    start_logging(settings.log_level)
    with suppress(KeyboardInterrupt):  # uvicorn raises it again once everything is closed
        uvicorn.Server(configure(app, settings.host, settings.port)).run()


# --- serving ---------------------------------------------------------------------------------------------------------


@gateway.command()
def serve(
    host: Host = None,
    port: Port = None,
    development_issuer: Annotated[
        bool, typer.Option("--development-issuer", help="Accept the tokens of `gateway token`; loopback only.")
    ] = False,
) -> None:
    """Serve the graph to people and tools of a real issuer."""
    settings = settings_with(host=host, port=port)
    verifier = development_verifier(settings) if development_issuer else issuer_verifier(settings)
    with only_server(settings):
        run(check_ready(settings))
        listen(settings, verifier)


def development_verifier(settings: Settings) -> TokenVerifier:
    """What accepts the development issuer's tokens. Raises `CommandRefused` where others could reach it."""
    if not is_loopback(settings.host):
        raise CommandRefused(f"the development issuer is for this machine only, not for {settings.host}")
    return DevelopmentIssuer(settings.state_dir, settings.token_scope).verifier


def issuer_verifier(settings: Settings) -> TokenVerifier:
    """What accepts the configured issuer's tokens. Raises `CommandRefused` naming what is missing."""
    needed = {
        "GATEWAY_TOKEN_ISSUER": settings.token_issuer,
        "GATEWAY_TOKEN_AUDIENCE": settings.token_audience,
        "GATEWAY_TOKEN_KEYS_URL": settings.token_keys_url,
    }
    if missing := [name for name, value in needed.items() if not value]:
        raise CommandRefused(f"set {', '.join(missing)} so that tokens can be checked, or give --development-issuer")
    issuer, audience, keys_url = (str(value) for value in needed.values())
    try:
        return TokenVerifier(issuer, audience, settings.token_scope, KeySet(keys_url, httpx.AsyncClient()))
    except ValueError as refused:
        raise CommandRefused(str(refused)) from None


@gateway.command()
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
        run(prepare_demo(settings, world))
        run(introduce(settings, issuer, world))
        listen(settings, issuer.verifier)


def with_terms(settings: Settings) -> Settings:
    """The settings, with the demo's own terms unless others are set, so that its people can invite."""
    return settings if settings.terms else settings.model_copy(update={"terms": DEMO_TERMS})


def demo_files() -> list[Path]:
    """The files of the demo world, from the checkout or from the installed package."""
    package = Path(__file__).parent
    folder = next(f for f in (package.parent / "fixtures/world", package / "fixtures/world") if f.is_dir())
    return sorted(folder.glob("*.json"))


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
        await migrate_database(database)
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


def roles_of(entry: PersonEntry | ApplicationEntry) -> Sequence[DirectoryRole]:
    """The directory roles that somebody's token carries in the demo."""
    return entry.directory_roles if isinstance(entry, PersonEntry) else ()


def claims_of(person: Principal, directory_roles: Sequence[DirectoryRole] = ()) -> Claims:
    """What a token for a stored person or application says."""
    is_user = person.kind is PrincipalKind.USER
    return Claims(
        tenant_id=person.tenant_id,
        principal_id=person.id,
        kind=person.kind,
        directory_roles=frozenset(directory_roles),
        display_name=person.name if is_user else person.id,
        user_principal_name=person.user_principal_name if is_user else None,
        guest=person.user_type is UserType.GUEST,
        expires_at=(datetime.now(UTC) + TOKEN_LIFETIME).replace(microsecond=0),
    )


@gateway.command()
def token(
    name: Annotated[str, typer.Option("--as", metavar="NAME", help="A stored person or application.")],
    tenant: Annotated[str | None, typer.Option(metavar="DOMAIN", help="If the name is not enough.")] = None,
) -> None:
    """Print a token of the development issuer for a stored person, good for 24 hours."""
    settings = settings_with()

    async def mint() -> None:
        async with change(settings) as work:
            person, _ = await find_person(work.session, name, tenant)
        world = read_world(demo_files())
        roles = next((roles_of(entry) for entry in world.people if entry.id == person.id), ())
        issuer = DevelopmentIssuer(settings.state_dir, settings.token_scope)
        out.print(issuer.token(claims_of(person, roles), datetime.now(UTC)), markup=False)

    run(mint())


# --- data ------------------------------------------------------------------------------------------------------------


@gateway.command()
def migrate(
    role: Annotated[
        str | None, typer.Option("--grant", metavar="ROLE", help="Give this PostgreSQL role what serving needs.")
    ] = None,
) -> None:
    """Bring the database's tables to this version."""

    async def move() -> None:
        async with open_database(settings_with()) as database:
            await migrate_database(database)
            where = database.url.render_as_string(hide_password=True)
            out.print(f"The tables of {where} are at version {await version(database)}.", markup=False)
            await witness_all(database, datetime.now(UTC))
            if role is not None:
                await grant(database, role)
                out.print(f"{role} may serve them, and add to the record without rewriting it.", markup=False)

    run(move())


@tenants.command("add")
def tenants_add(
    domain: Annotated[list[str], typer.Option(metavar="D", help="A verified domain; repeat for more.")],
    name: Annotated[str, typer.Option(metavar="N", help="The organization's name.")],
    identifier: Annotated[str | None, typer.Option("--id", metavar="TID", help="Entra's tenant id.")] = None,
    partner: Annotated[bool, typer.Option("--partner", help="It may be invited as a partner.")] = False,
    manager: Annotated[
        list[str] | None, typer.Option(metavar="NAME[=OID]", help="A Manager, with Entra's object id.")
    ] = None,
) -> None:
    """Add an organization, with the rings, roles and Managers that every one has."""
    managers = [NewUser(who.strip(), oid.strip() or None) for who, _, oid in (m.partition("=") for m in manager or [])]

    async def add() -> None:
        async with change(settings_with()) as work:
            made = await add_tenant(
                work, name=name, domains=domain, tenant_id=identifier, may_be_partner=partner, managers=managers
            )
        out.print(f"{made.name} is tenant {made.id}.")

    run(add())


@gateway.command()
def seed(files: Files) -> None:
    """Load people, rooms, roles and partnerships from files in the format of fixtures/world."""
    world = read_world(files)

    async def load() -> None:
        async with change(settings_with()) as work:
            counts = await seed_world(work, world)
        out.print("Loaded " + ", ".join(f"{count} {section}" for section, count in counts.items() if count) + ".")

    run(load())


@imports.command("rooms")
def import_rooms_command(
    files: Files,
    tenant: Domain,
    time_zone: Annotated[str | None, typer.Option(metavar="Z", help="IANA time zone of the rooms.")] = None,
    enrolled: Annotated[bool, typer.Option("--enrolled", help="New rooms start enrolled, not onboarding.")] = False,
    retire_missing: Annotated[
        bool, typer.Option("--retire-missing", help="Retire rooms that a complete set of pages does not have.")
    ] = False,
) -> None:
    """Load rooms from pages of Microsoft Graph's `GET /places/microsoft.graph.room`."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=err) as progress:
        pages = progress.add_task("Reading files", total=len(files))
        reading = read_rooms(files, lambda _: progress.advance(pages))
        rooms = progress.add_task("Importing rooms", total=len(reading.records))

        async def load() -> None:
            async with change(settings_with()) as work:
                counts = await import_rooms(
                    work,
                    await find_tenant(work.session, tenant),
                    reading,
                    time_zone=time_zone,
                    enrolled=enrolled,
                    retire_missing=retire_missing,
                    on_progress=lambda done: progress.advance(rooms, done),
                )
            said = ", ".join(f"{count} {what}" for what, count in asdict(counts).items())
            out.print(f"{len(reading.records)} rooms in {len(files)} files: {said}.")

        run(load())


@imports.command("directory")
def import_directory_command(files: Files, tenant: Domain) -> None:
    """Load pages of Microsoft Graph's users, groups with members, and service principals, whole or as deltas."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=err) as progress:
        pages = progress.add_task("Reading files", total=len(files))
        directory = read_directory(files, lambda _: progress.advance(pages))
        rows = progress.add_task("Importing directory", total=len(directory) + 1)

        async def load() -> None:
            async with change(settings_with()) as work:
                owner = await find_tenant(work.session, tenant)
                on_progress = lambda done: progress.advance(rows, done)  # noqa: E731
                imported = await import_directory(work, owner, directory, on_progress=on_progress)
            tell_import(directory, imported)

        run(load())


def tell_import(directory: Directory, imported: Imported) -> None:
    """Print what became of a directory, and what is left to do."""
    counts = imported.counts
    of_objects = ("created", "updated", "unchanged", "removed")
    out.print(f"{summary(directory)}: {', '.join(f'{getattr(counts, name)} {name}' for name in of_objects)}.")
    if directory.memberships or counts.gained or counts.lost:
        in_effect = f"in effect, groups in groups resolved, {counts.gained} gained and {counts.lost} lost"
        out.print(f"Members of groups: {counts.members_added} added, {counts.members_removed} removed; {in_effect}.")
    if directory.left_out:
        out.print(f"Left out: {directory.left_out} members that are neither user, group nor service principal.")
    if imported.unknown_members:
        out.print(f"Not stored: {imported.unknown_members} members of groups; they count once an import brings them.")
    for vacancy in imported.vacancies:
        err.print(f"[yellow]Nobody is left as[/yellow] {escape(str(vacancy))}.")


# --- the record ------------------------------------------------------------------------------------------------------


@audit.command("key")
def audit_key(file: Annotated[Path, typer.Argument(help="Where to write the private key; it must not exist.")]) -> None:
    """Make a key that signs the record: FILE for the server alone, FILE.pub for whoever verifies."""
    public = make_key(file)
    out.print(f"export GATEWAY_AUDIT_SIGNING_KEY={file.resolve()}", markup=False)
    out.print(f"Verify with --key {public.resolve()}", markup=False)
    out.print(public.read_text().strip(), markup=False)


@audit.command("verify")
def audit_verify(
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="An exported audit.ndjson, instead of the database."),
    ] = None,
    tenant: Annotated[str | None, typer.Option(metavar="DOMAIN", help="Only the record of this tenant.")] = None,
    public: Annotated[
        list[Path] | None, typer.Option("--key", metavar="PUB", help="A public key to check with; repeat for more.")
    ] = None,
) -> None:
    """Say for each record whether it is as it was written. Ends with 1 if one is not."""
    settings, keys = settings_with(), [read_public(path) for path in public or ()]
    columns = TextColumn("{task.description}"), TextColumn("{task.completed} entries"), TimeElapsedColumn()
    with Progress(*columns, console=err, transient=True) as progress:
        looked = progress.add_task("Verifying", total=None)

        def on_progress(count: int) -> None:
            progress.advance(looked, count)

        if file is not None:
            if not keys:
                raise CommandRefused("give the public key that the file is checked with: --key PUB")
            is_whole = tell(verify_file(file, keys, on_progress))
        else:
            is_whole = asyncio.run(verify_database(settings, keys, tenant, on_progress))
    raise typer.Exit(0 if is_whole else 1)


def tell(report: Report) -> bool:
    """Print what was found. True if nothing is wrong."""
    out.print(str(report), markup=False)
    return report.is_whole


async def verify_database(
    settings: Settings, keys: Sequence[Ed25519PublicKey], tenant: str | None, on_progress: Callable[[int], object]
) -> bool:
    """Print what was found in each record. True if nothing is wrong in any."""
    async with open_database(settings) as database:
        await require_migrated(database)
        verifier = verifier_of(settings, database, keys, on_progress)
        only = await tenant_id(database, tenant) if tenant else None
        return all([tell(report) async for report in verifier.verify(only)])


def verifier_of(
    settings: Settings, database: Database, keys: Sequence[Ed25519PublicKey], on_progress: Callable[[int], object]
) -> Verifier:
    """What verifies the database against the heads outside. Raises `CommandRefused` if there are none, or no key."""
    notary = database.notary
    folder = notary.folder if notary else settings.audit_heads_dir
    checked_with = [*keys, *([notary.public_key] if notary else [])]
    if folder is None or not checked_with:
        raise CommandRefused("set GATEWAY_AUDIT_HEADS_DIR, and GATEWAY_AUDIT_SIGNING_KEY or give --key PUB")
    return Verifier(database, folder, checked_with, on_progress)


async def tenant_id(database: Database, domain: str) -> str:
    """The tenant that has this domain."""
    async with database.writing() as session:
        return (await find_tenant(session, domain)).id


@audit.command("purge")
def audit_purge(
    tenant: Domain,
    before: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Older entries go.")],
    is_sure: Annotated[bool, typer.Option("--yes", help="Delete them; without it only their number is told.")] = False,
) -> None:
    """Delete the oldest entries of a record for good, leaving a signed anchor. It takes the owner of the tables."""
    settings, day = settings_with(), before.date()

    async def delete() -> None:
        async with open_database(settings) as database:
            await require_migrated(database)
            if database.notary is None:
                raise CommandRefused(NEEDS_NOTARY)
            verifier = verifier_of(settings, database, (), lambda _: None)
            if not tell(await verifier.verify_tenant(await tenant_id(database, tenant), tenant)):
                raise CommandRefused("nothing was deleted: this record has to be looked into first")
            now, request_id = datetime.now(UTC), f"command-{uuid4().hex}"
            done = await purge(database, database.notary, tenant, day, now, request_id, is_sure=is_sure)
        out.print(f"Deleted {done.count} entries of {done.tenant.name}, up to {done.sequence}.", markup=False)

    run(delete())


@schema.command("print")
def schema_print() -> None:
    """Print the schema, as schema.graphql holds it."""
    out.print(str(build_schema()), markup=False)


if __name__ == "__main__":
    main()
