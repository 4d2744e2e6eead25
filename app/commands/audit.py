"""`gateway audit`."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from app.commands.console import err, out
from app.commands.databases import NEEDS_NOTARY, open_database, require_migrated, settings_with
from app.commands.options import Domain
from app.config import Settings
from app.domain.refusals import CommandRefused
from app.operations.purging import purge
from app.operations.tenants import find_tenant
from app.operations.verifying import Report, Verifier, verify_file
from app.storage.engines import Database
from app.storage.notary import make_key, read_public

command = typer.Typer(no_args_is_help=True, add_completion=False)


@command.callback()
def audit() -> None:
    """The record of what was changed, and whether it is as it was written."""


@command.command("key")
def audit_key(file: Annotated[Path, typer.Argument(help="Where to write the private key; it must not exist.")]) -> None:
    """Make a key that signs the record: FILE for the server alone, FILE.pub for whoever verifies."""
    public = make_key(file)
    out.print(f"export GATEWAY_AUDIT_SIGNING_KEY={file.resolve()}", markup=False)
    out.print(f"Verify with --key {public.resolve()}", markup=False)
    out.print(public.read_text().strip(), markup=False)


@command.command("verify")
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


@command.command("purge")
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

    asyncio.run(delete())
