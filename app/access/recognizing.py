"""Whether who asks may ask at all: the tenant is registered, and so is an application; nobody has been removed."""

from sqlalchemy import ColumnElement, and_, case, not_, select
from sqlmodel import col

from app.access.scoping import rule
from app.access.viewer import VIEWER_KIND, VIEWER_PRINCIPAL, VIEWER_TENANT, Viewer
from app.domain.vocabulary import PrincipalKind
from app.storage.engines import Database
from app.storage.tables import Principal, Tenant


class UnknownCaller(Exception):
    """Who asks may not."""


class UnknownTenant(UnknownCaller):
    """Nobody registered the tenant here."""


class UnknownApplication(UnknownCaller):
    """The tenant has no such application."""


class RemovedPrincipal(UnknownCaller):
    """The tenant's directory has removed who asks, whose token is still good for a while."""


REASONS: dict[str, type[UnknownCaller]] = {
    "tenant": UnknownTenant,
    "removed": RemovedPrincipal,
    "application": UnknownApplication,
}


def unrecognized() -> ColumnElement[str]:
    """Why who asks may not, as one of `REASONS`; null for whoever may.

    A person need not be stored; an application is registered by being stored.
    """
    registered = rule(select(col(Tenant.id)).where(col(Tenant.id) == VIEWER_TENANT))
    stored = rule(
        select(col(Principal.id)).where(
            col(Principal.tenant_id) == VIEWER_TENANT, col(Principal.id) == VIEWER_PRINCIPAL
        )
    )
    removed = stored.where(col(Principal.removed_at).is_not(None))
    application = stored.where(col(Principal.kind) == PrincipalKind.APPLICATION)
    is_application = VIEWER_KIND.in_([PrincipalKind.APPLICATION.value])
    return case(
        (not_(registered.exists()), "tenant"),
        (removed.exists(), "removed"),
        (and_(is_application, not_(application.exists())), "application"),
    )


ASKED = select(unrecognized())


async def recognize(database: Database, viewer: Viewer) -> None:
    """Returns for whoever may ask. Raises one of `REASONS`."""
    async with database.reading() as connection:
        require_recognized((await connection.execute(ASKED, viewer.values)).scalar_one())


def require_recognized(reason: str | None) -> None:
    """Returns if there is no reason against who asks. Raises one of `REASONS`."""
    if reason is not None:
        raise REASONS[reason]
