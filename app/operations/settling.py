"""How an invitation leaves PENDING, whoever moves it: one conditional update decides between all who try."""

from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import col

from app.domain.audit import AuditAction, changed
from app.domain.permissions import Right
from app.domain.refusals import ErrorCode, Refused
from app.domain.vocabulary import AuditCategory, AuditOperation, InvitationState
from app.operations.work import Work
from app.storage.global_ids import global_id
from app.storage.tables import Invitation


async def settle(work: Work, invitation: Invitation, seen_under: Right, **values: Any) -> None:
    """Move an invitation out of PENDING, unless somebody else did or its time is over (ACC-6, domain.md 7 #12).

    Raises `Refused` with INVALID_STATE, naming the state that it is in.
    """
    values["version"] = invitation.version + 1
    pending = update(Invitation).where(
        col(Invitation.tenant_id) == invitation.tenant_id,
        col(Invitation.id) == invitation.id,
        col(Invitation.state) == InvitationState.PENDING,
        col(Invitation.expires_at) > work.moment,
    )
    moved = await work.session.exec(pending.values(values).execution_options(synchronize_session=False))
    if not (isinstance(moved, CursorResult) and moved.rowcount):
        now = await work.find(Invitation, global_id(invitation), seen_under)
        raise not_pending(now or invitation, work.moment)
    for name, value in values.items():
        set_committed_value(invitation, name, value)


def not_pending(invitation: Invitation, moment: datetime) -> Refused:
    """It was answered, withdrawn, or its time is over."""
    is_lapsed = invitation.state is InvitationState.PENDING and invitation.expires_at <= moment
    state = InvitationState.EXPIRED if is_lapsed else invitation.state
    message = f"The invitation is {state.value.lower()}; only a pending one can be answered or revoked."
    allowed = [InvitationState.PENDING.value]
    return Refused(ErrorCode.INVALID_STATE, message, ("input", "invitation"), state=state.value, allowed=allowed)


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
