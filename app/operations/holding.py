"""What happens to a change by the customer's choice: it is done at once, or held for approval (CC-1 to CC-5)."""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson
from sqlmodel import col

from app.access.visible import visible
from app.domain.audit import AuditAction, Changes, changed
from app.domain.change_control import mode_of, overtaken
from app.domain.permissions import Standing
from app.domain.vocabulary import ApprovalState, AuditCategory, AuditOperation, ChangeMode
from app.operations.assignment_changes import UpdateAssignment
from app.operations.assignments import CreateAssignment
from app.operations.commands import Command, Prepared, Results
from app.operations.roles import CreateRole, UpdateRole
from app.operations.rooms import UpdateRoom
from app.operations.work import Work
from app.storage.global_ids import global_id
from app.storage.tables import ApprovalRequest, Partnership

COMMANDS: Mapping[str, type[Command]] = {
    "updateRoom": UpdateRoom,
    "createRole": CreateRole,
    "updateRole": UpdateRole,
    "createAssignment": CreateAssignment,
    "updateAssignment": UpdateAssignment,
}
"""What can be held, by the mutation's name."""
MUTATIONS = {command: mutation for mutation, command in COMMANDS.items()}


async def perform(work: Work, command: Command, lifetime: timedelta) -> Results:
    """What became of a change: done, or held where the customer wants to approve it by hand. Raises `Refused`."""
    prepared = await command.prepare(work)
    partnership = prepared.partnership
    if partnership is None or not is_held(command, prepared, partnership):
        return await prepared.apply()
    return {"approval_request": await hold(work, command, prepared, partnership, lifetime)}


def is_held(command: Command, prepared: Prepared, partnership: Partnership) -> bool:
    """The customer approves such changes by hand, and this one gives something (domain.md 7 #18)."""
    by_hand = mode_of(command.event, partnership.manual_events) is ChangeMode.MANUAL
    return by_hand and prepared.is_holdable and bool(prepared.changes)


async def hold(
    work: Work, command: Command, prepared: Prepared, partnership: Partnership, lifetime: timedelta
) -> ApprovalRequest:
    """The request that waits for the customer; an identical one that waits already is answered again (#15)."""
    stored = command.model_dump(mode="json", exclude_unset=True, exclude={"expected_version"})
    digest = hashlib.sha256(orjson.dumps([MUTATIONS[type(command)], stored])).hexdigest()
    for earlier in await undecided(work, partnership, digest):
        if earlier.expires_at > work.moment:
            return earlier
        expire(work, earlier)
    await work.store_caller()
    request = ApprovalRequest(
        tenant_id=partnership.tenant_id,
        id=work.new_id(),
        partnership_id=partnership.id,
        event=command.event.value,
        mutation=MUTATIONS[type(command)],
        command=stored,
        digest=digest,
        requester_tenant_id=work.asker.tenant_id,
        requester_id=work.asker.principal_id,
        requested_at=work.moment,
        expires_at=work.moment + lifetime,
        subject=global_id(prepared.subject) if prepared.subject else None,
        subject_name=prepared.name,
        changes=prepared.changes,
    )
    await work.store(request)
    record_request(work, request, AuditOperation.CREATE, AuditAction.APPROVAL_REQUEST, request.changes)
    return request


async def undecided(work: Work, partnership: Partnership, digest: str) -> list[ApprovalRequest]:
    """The same change that the viewer asked for before, if nobody decided about it."""
    mine = visible(ApprovalRequest, Standing.REQUESTER).where(
        col(ApprovalRequest.tenant_id) == partnership.tenant_id,
        col(ApprovalRequest.partnership_id) == partnership.id,
        col(ApprovalRequest.digest) == digest,
        col(ApprovalRequest.decided_at).is_(None),
    )
    return [row[0] for row in await work.ask(mine)]


def expire(work: Work, request: ApprovalRequest) -> None:
    """Close a request whose time is over, as the system."""
    request.state, request.decided_at, request.version = ApprovalState.EXPIRED, work.moment, request.version + 1
    lines = changed("state", ApprovalState.PENDING, request.state)
    record_request(work, request, AuditOperation.UPDATE, AuditAction.APPROVAL_EXPIRE, lines, by_system=True)


def record_request(
    work: Work,
    request: ApprovalRequest,
    operation: AuditOperation,
    action: AuditAction,
    changes: Changes,
    *,
    by_system: bool = False,
) -> None:
    """Put what happens to a held change in the customer's record."""
    work.record(
        AuditCategory.APPROVAL_REQUEST,
        operation,
        action,
        request.tenant_id,
        request.subject_name,
        subject=global_id(request),
        changes=changes,
        by_system=by_system,
    )


def is_overtaken(mutation: str, wanted: Changes, subject: Any) -> bool:
    """What the held change is about is gone, or a field of it no longer has the value it had (domain.md 7 #16)."""
    return subject is None or bool(overtaken(wanted, COMMANDS[mutation].facts(subject)))
