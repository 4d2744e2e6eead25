"""`gateway import`."""

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.commands.console import err, out
from app.commands.databases import change, settings_with
from app.commands.options import Domain, Files
from app.operations.importing_rooms import import_rooms
from app.operations.tenants import find_tenant
from app.storage.room_pages import read_rooms

command = typer.Typer(no_args_is_help=True, add_completion=False)


@command.callback()
def imports() -> None:
    """Load real data."""


@command.command("rooms")
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

        asyncio.run(load())
