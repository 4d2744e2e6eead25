"""`gateway token`, and who there is in the demo world to have one."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from app.commands.console import out
from app.commands.databases import change, settings_with
from app.domain.permissions import DirectoryRole
from app.domain.vocabulary import PrincipalKind, UserType
from app.operations.people import find_person
from app.storage.tables import Principal
from app.storage.world_entries import ApplicationEntry, PersonEntry
from app.storage.world_files import read_world
from app.web.development_issuer import DevelopmentIssuer
from app.web.tokens import Claims

TOKEN_LIFETIME = timedelta(hours=24)
command = typer.Typer(add_completion=False)


@command.command()
def token(
    name: Annotated[str, typer.Option("--as", metavar="NAME", help="A stored person or application.")],
    tenant: Annotated[str | None, typer.Option(metavar="DOMAIN", help="If the name is not enough.")] = None,
) -> None:
    """Print a token of the development issuer for a stored person, good for 24 hours."""
    settings = settings_with()

    async def print_token() -> None:
        async with change(settings) as work:
            person, _ = await find_person(work.session, name, tenant)
        world = read_world(demo_files())
        roles = next((roles_of(entry) for entry in world.people if entry.id == person.id), ())
        issuer = DevelopmentIssuer(settings.state_dir, settings.token_scope)
        out.print(mint(issuer, person, roles), markup=False)

    asyncio.run(print_token())


def mint(issuer: DevelopmentIssuer, person: Principal, directory_roles: Sequence[DirectoryRole] = ()) -> str:
    """A token for a stored person or application, good from now on."""
    return issuer.token(claims_of(person, directory_roles), datetime.now(UTC))


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


def roles_of(entry: PersonEntry | ApplicationEntry) -> Sequence[DirectoryRole]:
    """The directory roles that somebody's token carries in the demo."""
    return entry.directory_roles if isinstance(entry, PersonEntry) else ()


def demo_files() -> list[Path]:
    """The files of the demo world, from the checkout or from the installed package."""
    package = Path(__file__).parents[1]
    folder = next(f for f in (package.parent / "fixtures/world", package / "fixtures/world") if f.is_dir())
    return sorted(folder.glob("*.json"))
