"""How an invitation or a held change leaves PENDING, whoever moves it: one conditional update decides between all."""

from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import SQLModel, col

from app.domain.audit import AuditAction, changed
from app.domain.permissions import Right
from app.domain.refusals import ErrorCode, Refused
from app.domain.vocabulary import AuditCategory, AuditOperation, InvitationState
from app.operations.work import Work
from app.storage.global_ids import global_id
from app.storage.tables import ApprovalRequest, Invitation

PENDING = InvitationState.PENDING.value
WORDS: dict[type[SQLModel], tuple[str, str, str]] = {
    Invitation: ("invitation", "answered or revoked", "invitation"),
    ApprovalRequest: ("request", "decided or cancelled", "request"),
}
"""What it is called, what can be done to it, and where in an input it stands."""


async def settle(work: Work, row: Invitation | ApprovalRequest, seen_under: Right, **values: Any) -> None:
    """Move it out of PENDING, unless somebody else did or its time is over (ACC-6, domain.md 7 #12 and #15).

    Raises `Refused` with INVALID_STATE, naming the state that it is in.
    """
    values["version"] = row.version + 1
    table = type(row)
    pending = update(table).where(
        col(table.tenant_id) == row.tenant_id,
        col(table.id) == row.id,
        col(table.state) == PENDING,
        col(table.expires_at) > work.moment,
    )
    moved = await work.session.exec(pending.values(values).execution_options(synchronize_session=False))
    if not (isinstance(moved, CursorResult) and moved.rowcount):
        now = await work.find(table, global_id(row), seen_under)
        raise not_pending(now or row, work.moment)
    for name, value in values.items():
        set_committed_value(row, name, value)


def not_pending(row: Invitation | ApprovalRequest, moment: datetime) -> Refused:
    """It was answered, taken back, or its time is over."""
    is_lapsed = row.state.value == PENDING and row.expires_at <= moment
    state = InvitationState.EXPIRED.value if is_lapsed else row.state.value
    what, done, field = WORDS[type(row)]
    message = f"The {what} is {state.lower()}; only a pending one can be {done}."
    return Refused(ErrorCode.INVALID_STATE, message, ("input", field), state=state, allowed=[PENDING])


def record_end(work: Work, invitation: Invitation, action: AuditAction) -> None:
    """Put the end of an invitation that nobody accepted in the customer's record (domain.md 7 #60)."""
    work.record(
        AuditCategory.PARTNER_INVITATION,
        AuditOperation.DELETE,
        action,
        invitation.tenant_id,
        invitation.partner_domain,
        subject=global_id(invitation),
        changes=changed("state", InvitationState.PENDING, invitation.state),
    )
