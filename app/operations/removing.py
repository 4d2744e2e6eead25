"""The end of a partnership, by either side, at any moment, after a look at what would end."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Self

from sqlmodel import col, select

from app.access.derived import EndedCounts, ended_columns
from app.access.scoping import unscoped
from app.access.viewer import Viewer
from app.access.visible import visible
from app.domain.audit import AuditAction, changed
from app.domain.moments import print_instant
from app.domain.permissions import Permission, Standing
from app.domain.refusals import ErrorCode, Refused, forbidden, not_found
from app.domain.vocabulary import AuditCategory, AuditOperation, PartnershipState, Side
from app.operations.deciding import cancel_open_requests
from app.operations.work import Work
from app.storage.global_ids import global_id
from app.storage.tables import Partnership, Role, Tenant

ON_RECORD = "the record names all that ends, whoever ends it"
WHO_ENDS = "Managers of the customer, and primary admins of this customer, end the partnership."
CONFIRMATION_LIFETIME = timedelta(minutes=10)
LOOK = "Look at what would end, and send the confirmation that comes with it within ten minutes."
NOT_ACCEPTED = "That confirmation is too old, or was not given to you for this partnership."


@dataclass(frozen=True, slots=True)
class Confirmations:
    """Tokens that say: this caller saw what would end with this partnership, at most ten minutes ago (#56)."""

    secret: bytes

    @classmethod
    def new(cls) -> Self:
        """Tokens that only this process accepts."""
        return cls(secrets.token_bytes(32))

    def give(self, viewer: Viewer, partnership: str, moment: datetime) -> str:
        """A token for this caller and partnership."""
        until = print_instant(moment + CONFIRMATION_LIFETIME)
        return f"{until}_{self._seal(viewer, partnership, until)}"

    def accepts(self, token: str, viewer: Viewer, partnership: str, moment: datetime) -> bool:
        """Whether the token was given to this caller for this partnership, and still holds."""
        until, _, seal = token.partition("_")
        is_ours = hmac.compare_digest(seal.encode(), self._seal(viewer, partnership, until).encode())
        return is_ours and print_instant(moment) < until

    def _seal(self, viewer: Viewer, partnership: str, until: str) -> str:
        said = "\n".join(("remove", partnership, viewer.tenant_id, viewer.principal_id, until))
        return hmac.new(self.secret, said.encode(), sha256).hexdigest()


async def remove_partner(
    work: Work, *, partnership: str, confirmation: str | None, confirmations: Confirmations
) -> tuple[Partnership, EndedCounts | None]:
    """End the partnership for good (REM-1 to REM-6, domain.md 7 #52 to #56); the numbers say what ended.

    By the customer's Manager or by a primary admin of that customer. A second removal is a quiet success for the
    Manager. Raises `Refused`, with CONFIRMATION_REQUIRED unless the confirmation holds.
    """
    row, side = await removable(work, partnership)
    if row.state is PartnershipState.REMOVED:
        return row, None
    if confirmation is None or not confirmations.accepts(confirmation, work.asker, row.id, work.moment):
        message = LOOK if confirmation is None else f"{NOT_ACCEPTED} {LOOK}"
        raise Refused(
            ErrorCode.CONFIRMATION_REQUIRED, message, ("input", "confirmation"), partnership_id=global_id(row)
        )
    counts = await count_ended(work, row)
    row.state, row.removed_at, row.removed_by_side = PartnershipState.REMOVED, work.moment, side
    row.version += 1
    await cancel_open_requests(work, row)
    await record_removal(work, row)
    return row, counts


async def removable(work: Work, identifier: str) -> tuple[Partnership, Side]:
    """The partnership, and the side for which the viewer may end it. Raises `Refused` (REM-2, REM-4, REM-5).

    What is seen is asked last: to the partner's side, one that ended while this change waited is not there (#54).
    """
    for right, side in ((Permission.PARTNERS_MANAGE, Side.CUSTOMER), (Standing.PRIMARY_ADMIN, Side.PARTNER)):
        if (row := await work.find(Partnership, identifier, right, lock=True)) is not None:
            return row, side
    if await work.find(Partnership, identifier, Standing.PARTY) is None:
        raise not_found("partnership")
    raise forbidden(Permission.PARTNERS_MANAGE, "partnership", message=WHO_ENDS)


async def count_ended(work: Work, row: Partnership) -> EndedCounts:
    """How much ends with the partnership."""
    this = visible(Partnership, Standing.PARTY).where(
        col(Partnership.tenant_id) == row.tenant_id, col(Partnership.id) == row.id
    )
    counts: Any = (await work.ask(this.with_only_columns(*ended_columns())))[0]
    return EndedCounts(*counts)


async def record_removal(work: Work, row: Partnership) -> None:
    """One line for the end of the link, and one for each role that ends with it (domain.md 7 #60)."""
    ended = select(Role).where(Role.tenant_id == row.tenant_id, Role.partnership_id == row.id).order_by(Role.name_key)
    partner = select(Tenant.name).where(Tenant.id == row.partner_tenant_id)
    name = (await work.session.exec(unscoped(partner, ON_RECORD))).one()
    work.record(
        AuditCategory.PARTNER_INVITATION,
        AuditOperation.DELETE,
        AuditAction.PARTNERSHIP_REMOVE,
        row.tenant_id,
        name,
        subject=global_id(row),
        changes=changed("state", PartnershipState.ACTIVE, row.state),
    )
    for role in await work.session.exec(unscoped(ended, ON_RECORD)):
        deleted = (AuditCategory.ROLE, AuditOperation.DELETE, AuditAction.ROLE_DELETE)
        work.record(*deleted, row.tenant_id, role.name, subject=global_id(role))
