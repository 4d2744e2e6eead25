"""Whether who asks may ask at all: the tenant is registered, and so is an application; nobody has been removed."""

from sqlalchemy import and_, select
from sqlmodel import col

from app.access.scoping import Rows, unscoped
from app.access.viewer import VIEWER_PRINCIPAL, VIEWER_TENANT, Viewer
from app.domain.vocabulary import PrincipalKind
from app.storage.engines import Database
from app.storage.tables import Principal, Tenant


class UnknownTenant(Exception):
    """Nobody registered the tenant here."""


class UnknownApplication(Exception):
    """The tenant has no such application."""


class RemovedPrincipal(Exception):
    """The tenant's directory has removed who asks, whose token is still good for a while."""


WHO_ASKS: Rows = unscoped(
    select(col(Principal.kind), col(Principal.removed_at))
    .select_from(Tenant)
    .outerjoin(Principal, and_(col(Principal.tenant_id) == col(Tenant.id), col(Principal.id) == VIEWER_PRINCIPAL))
    .where(col(Tenant.id) == VIEWER_TENANT),
    "who asks is nobody's viewer before the tenant is known",
)


async def recognize(database: Database, viewer: Viewer) -> None:
    """Returns for whoever may ask. Raises `UnknownTenant`, `UnknownApplication` or `RemovedPrincipal`.

    A person need not be stored; an application is registered by being stored.
    """
    named = {VIEWER_TENANT.key: viewer.tenant_id, VIEWER_PRINCIPAL.key: viewer.principal_id}
    async with database.reading() as connection:
        found = (await connection.execute(WHO_ASKS, named)).first()
    if found is None:
        raise UnknownTenant
    if found.removed_at is not None:
        raise RemovedPrincipal
    if viewer.kind is PrincipalKind.APPLICATION and found.kind is not PrincipalKind.APPLICATION:
        raise UnknownApplication
