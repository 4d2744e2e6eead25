"""Whether who asks may ask at all: the tenant is registered, and so is an application."""

from sqlalchemy import bindparam, select
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


IS_REGISTERED: Rows = unscoped(
    select(col(Tenant.id)).where(col(Tenant.id) == VIEWER_TENANT),
    "who asks is nobody's viewer before the tenant is known",
)
IS_APPLICATION: Rows = unscoped(
    select(col(Principal.id)).where(
        col(Principal.tenant_id) == VIEWER_TENANT,
        col(Principal.id) == VIEWER_PRINCIPAL,
        col(Principal.kind) == bindparam("kind"),
    ),
    "an application asks only if its tenant registered it",
)


async def recognize(database: Database, viewer: Viewer) -> None:
    """Returns for whoever may ask. Raises `UnknownTenant` or `UnknownApplication`."""
    named = {VIEWER_TENANT.key: viewer.tenant_id, VIEWER_PRINCIPAL.key: viewer.principal_id}
    async with database.reading() as connection:
        if (await connection.execute(IS_REGISTERED, named)).first() is None:
            raise UnknownTenant
        if viewer.kind is PrincipalKind.APPLICATION:
            kind = {"kind": PrincipalKind.APPLICATION}
            if (await connection.execute(IS_APPLICATION, named | kind)).first() is None:
                raise UnknownApplication
