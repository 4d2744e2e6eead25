"""`gateway tenants`."""

import asyncio
from typing import Annotated

import typer

from app.commands.console import out
from app.commands.databases import change, settings_with
from app.operations.tenants import NewUser, add_tenant

command = typer.Typer(no_args_is_help=True, add_completion=False)


@command.callback()
def tenants() -> None:
    """Organizations."""


@command.command("add")
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

    asyncio.run(add())
