"""The end of a held change: approved and done, rejected, or taken back (domain.md 7 #15 and #16)."""

from sqlmodel import col, select

from app.access.derived import is_open
from app.access.scoping import unscoped
from app.access.viewer import Viewer
from app.access.visible import visible
from app.domain.audit import AuditAction, changed
from app.domain.permissions import Permission, Standing
from app.domain.refusals import (
    ErrorCode,
    Refused,
    RefusedTogether,
    check_version,
    forbidden_to,
    invalid_input,
    not_found,
)
from app.domain.vocabulary import ApprovalState, AuditOperation
from app.operations.holding import COMMANDS, is_overtaken, record_request
from app.operations.settling import settle
from app.operations.work import Work
from app.storage.tables import ApprovalRequest, Partnership, Principal

MAX_COMMENT = 1024
OVERTAKEN = "What the request would change was changed in the meantime."
WITHOUT_REQUESTER = "Who asked for it is no longer in the partner's directory."


async def approve_request(
    work: Work, *, request: str, expected_version: int | None = None, comment: str | None = None
) -> ApprovalRequest:
    """Do the held change now, in the name of who asked for it, if it still may be done; otherwise it has failed.

    Everything is checked again from stored data: who asked, the partnership, the permission, the scope, and that nobody
    changed the same in the meantime. Raises `Refused` for whoever may not decide.
    """
    row = await decidable(work, request, expected_version, comment)
    decided = decision(work, ApprovalState.APPROVED, comment)
    await settle(work, row, Permission.APPROVALS_DECIDE, **decided)
    failure = await do(work, row)
    if failure is not None:
        row.state, row.failure = ApprovalState.FAILED, failure
    record_decision(work, row, AuditAction.APPROVAL_FAIL if failure else AuditAction.APPROVAL_APPROVE)
    return row


async def reject_request(
    work: Work, *, request: str, expected_version: int | None = None, comment: str | None = None
) -> ApprovalRequest:
    """Refuse a held change for good. Raises `Refused`."""
    row = await decidable(work, request, expected_version, comment)
    await settle(work, row, Permission.APPROVALS_DECIDE, **decision(work, ApprovalState.REJECTED, comment))
    record_decision(work, row, AuditAction.APPROVAL_REJECT)
    return row


async def cancel_request(work: Work, *, request: str, expected_version: int | None = None) -> ApprovalRequest:
    """Take back a change that the viewer asked for. Raises `Refused`; for who only sees it, with FORBIDDEN."""
    seen = await work.find(ApprovalRequest, request, Standing.PARTY)
    if seen is None:
        raise not_found("request")
    await work.acting_at(seen.tenant_id, "request")
    if (row := await work.find(ApprovalRequest, request, Standing.REQUESTER, lock=True)) is None:
        raise forbidden_to("Only who asked for it can take it back.", "request")
    check_version(row.version, expected_version)
    await settle(work, row, Standing.REQUESTER, **decision(work, ApprovalState.CANCELLED))
    record_decision(work, row, AuditAction.APPROVAL_CANCEL)
    return row


async def decidable(work: Work, identifier: str, expected_version: int | None, comment: str | None) -> ApprovalRequest:
    """The request, for who may decide it, under a lock on its partnership. Raises `Refused`."""
    if comment is not None and len(comment) > MAX_COMMENT:
        raise invalid_input(f"A comment has at most {MAX_COMMENT} characters.", "comment", maximum=MAX_COMMENT)
    if (seen := await work.find(ApprovalRequest, identifier, Permission.APPROVALS_DECIDE)) is not None:
        partnerships = visible(Partnership, Permission.PARTNERS_VIEW).where(
            col(Partnership.tenant_id) == seen.tenant_id, col(Partnership.id) == seen.partnership_id
        )
        await work.ask(partnerships.with_for_update(of=Partnership, key_share=True))
    row = await work.obtain(ApprovalRequest, identifier, Permission.APPROVALS_DECIDE, "request")
    check_version(row.version, expected_version)
    return row


def decision(work: Work, state: ApprovalState, comment: str | None = None) -> dict[str, object]:
    """What a decision by the viewer leaves on the request."""
    who = {"decider_tenant_id": work.asker.tenant_id, "decider_id": work.asker.principal_id}
    return {"state": state, "decided_at": work.moment, "comment": comment, **who}


async def do(work: Work, request: ApprovalRequest) -> str | None:
    """Do the held change as who asked for it. Answers why it cannot be done, and then nothing of it is."""
    requester = await who_asked(work, request)
    if requester is None:
        return WITHOUT_REQUESTER
    inner = work.on_behalf(requester, request.id)
    command = COMMANDS[request.mutation](**request.command)
    try:
        async with work.session.begin_nested():
            prepared = await command.prepare(inner)
            if is_overtaken(request.mutation, request.changes, prepared.subject or prepared.partnership):
                return OVERTAKEN
            await prepared.apply()
    except Refused as refused:
        return told(refused)
    except RefusedTogether as refused:
        return " ".join(map(told, refused.refusals))
    work.entries += inner.entries
    return None


def told(refused: Refused) -> str:
    """Why a held change cannot be done, for people who did not ask for it."""
    if refused.code is ErrorCode.NOT_FOUND:
        return "What it is about is gone, or who asked for it does not see it any more."
    if refused.code is ErrorCode.FORBIDDEN:
        return f"Who asked for it may not do it any more: {refused.message}"
    return refused.message


async def who_asked(work: Work, request: ApprovalRequest) -> Viewer | None:
    """Who asked, by what is stored: without directory roles, which only a token knows. None if the person is gone."""
    asked = visible(Principal, Standing.NAMED).where(
        col(Principal.tenant_id) == request.requester_tenant_id,
        col(Principal.id) == request.requester_id,
        col(Principal.removed_at).is_(None),
    )
    found = [row[0] for row in await work.ask(asked)]
    return Viewer(found[0].tenant_id, found[0].id, found[0].kind) if found else None


async def cancel_open_requests(work: Work, partnership: Partnership) -> None:
    """Close what waits for a decision in a partnership that ends (domain.md 7 #52)."""
    waiting = select(ApprovalRequest).where(
        col(ApprovalRequest.tenant_id) == partnership.tenant_id,
        col(ApprovalRequest.partnership_id) == partnership.id,
        is_open(),
    )
    asked = waiting.order_by(col(ApprovalRequest.id)).params(work.binds)
    for request in (await work.session.exec(unscoped(asked, "all that waits ends, whoever ends it"))).all():
        request.state, request.decided_at, request.version = ApprovalState.CANCELLED, work.moment, request.version + 1
        record_decision(work, request, AuditAction.APPROVAL_CANCEL)


def record_decision(work: Work, request: ApprovalRequest, action: AuditAction) -> None:
    """Put the end of a held change in the customer's record."""
    lines = [
        *changed("state", ApprovalState.PENDING, request.state),
        *changed("comment", None, request.comment),
        *changed("failure", None, request.failure),
    ]
    record_request(work, request, AuditOperation.UPDATE, action, lines)
