"""`gateway import`."""

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.commands.console import err, out
from app.commands.databases import change, settings_with
from app.commands.options import Domain, Files
from app.domain.wording import counted
from app.operations.importing_directory import Imported, import_directory, summary
from app.operations.importing_rooms import import_rooms
from app.operations.importing_rooms import summary as summary_of_rooms
from app.operations.tenants import find_tenant
from app.storage.directory_pages import Directory, read_directory
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
            out.print(f"{summary_of_rooms(reading)}: {said}.")

        asyncio.run(load())


@command.command("directory")
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

        asyncio.run(load())


def tell_import(directory: Directory, imported: Imported) -> None:
    """Print what became of a directory, and what is left to do."""
    counts = imported.counts
    of_objects = ("created", "updated", "unchanged", "removed")
    out.print(f"{summary(directory)}: {', '.join(f'{getattr(counts, name)} {name}' for name in of_objects)}.")
    if directory.memberships or counts.gained or counts.lost:
        in_effect = f"in effect, groups in groups resolved, {counts.gained} gained and {counts.lost} lost"
        out.print(f"Members of groups: {counts.members_added} added, {counts.members_removed} removed; {in_effect}.")
    if directory.left_out:
        out.print(f"Left out: {counted(directory.left_out, 'member')}, neither user, group nor service principal.")
    if imported.unknown_members:
        unknown = counted(imported.unknown_members, "member")
        out.print(f"Not stored: {unknown} of groups; they count once an import brings them.")
    for vacancy in imported.vacancies:
        err.print(f"[yellow]Nobody is left as[/yellow] {escape(str(vacancy))}.")
