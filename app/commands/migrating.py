"""`gateway migrate`."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer

from app.commands.console import out
from app.commands.databases import open_database, settings_with
from app.operations.work import witness_all
from app.storage.migrating import migrate as migrate_database
from app.storage.rights import grant
from app.storage.versions import version

command = typer.Typer(add_completion=False)


@command.command()
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

    asyncio.run(move())
