"""Finding stored people, for commands that act in their name."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.access.scoping import unscoped
from app.domain.refusals import CommandRefused
from app.domain.text import name_key
from app.domain.vocabulary import PrincipalKind
from app.operations.tenants import COMMANDS, find_tenant
from app.storage.tables import Principal, Tenant


async def find_person(session: AsyncSession, name: str, domain: str | None) -> tuple[Principal, Tenant]:
    """The one person or application of this name, within a tenant if a domain is given.

    Raises `CommandRefused` if there is none, or more than one.
    """
    asked = (
        select(Principal, Tenant)
        .join(Tenant)
        .where(
            col(Principal.name_key) == name_key(name),
            col(Principal.kind) != PrincipalKind.GROUP,
            col(Principal.removed_at).is_(None),
        )
    )
    if domain is not None:
        asked = asked.where(col(Principal.tenant_id) == (await find_tenant(session, domain)).id)
    found = (await session.exec(unscoped(asked, COMMANDS))).all()
    if not found:
        raise CommandRefused(f"there is nobody called {name} here")
    if len(found) > 1:
        owners = ", ".join(sorted(tenant.name for _, tenant in found))
        raise CommandRefused(f"there are several people called {name}, at {owners}; say which with --tenant")
    return found[0]


async def has_tenants(session: AsyncSession) -> bool:
    """Whether anything was ever put into this database."""
    return (await session.exec(unscoped(select(Tenant.id).limit(1), COMMANDS))).first() is not None
