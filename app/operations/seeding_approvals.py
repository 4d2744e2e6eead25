"""Held changes in a world: asked for, and decided, by those whom the file names, with all that is checked then."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from app.access.viewer import Viewer
from app.domain.refusals import Refused, RefusedTogether
from app.domain.vocabulary import ApprovalState
from app.operations.deciding import approve_request, reject_request
from app.operations.holding import hold
from app.operations.names import Names, refusal
from app.operations.rooms import UpdateRoom
from app.operations.seeding_partners import at
from app.operations.work import Work
from app.storage.global_ids import global_id
from app.storage.tables import ApprovalRequest, Principal, Room
from app.storage.world_entries import ApprovalRequestEntry

DECISIONS = {ApprovalState.APPROVED: approve_request, ApprovalState.REJECTED: reject_request}
"""How a held change of a world can have ended."""


async def add_approval_requests(work: Work, names: Names, entries: Sequence[ApprovalRequestEntry]) -> None:
    """Every held change in the state that it came to; one PENDING may be past its time.

    On the record all of it is done by the system: a file is not the word of those whom it names.
    """
    recorded = len(work.entries)
    for entry in entries:
        partnership = names.partnership(entry)
        asker = acting(work, names, partnership.partner_tenant_id, entry, "requested_by")
        (room,) = names.rooms(partnership.tenant_id, entry)
        subject = global_id(Room(tenant_id=partnership.tenant_id, id=room))
        command = UpdateRoom(room=subject, **entry.change.model_dump(exclude_unset=True))
        try:
            prepared = await command.prepare(asker)
            if not prepared.changes:
                raise refusal(entry, "change", "something that changes the room", "what is so already")
            row = await hold(asker, command, prepared, partnership, timedelta(days=entry.expires_in_days))
            names.claim(row, entry, "rooms")
            await decide(work, names, row, entry)
        except (Refused, RefusedTogether) as refused:
            raise refusal(entry, "change", "one that may be asked for and decided so", str(refused)) from None
        row.requested_at = at(work, entry.requested_at)
        row.expires_at = row.requested_at + timedelta(days=entry.expires_in_days)
    for line in work.entries[recorded:]:
        line.user_tenant_id = line.user_id = line.approved_by_id = None


async def decide(work: Work, names: Names, row: ApprovalRequest, entry: ApprovalRequestEntry) -> None:
    """Let it end as the file says. Raises `BadFile` where the file tells only half of it."""
    if entry.state is ApprovalState.PENDING and not (entry.decided_at or entry.decided_by or entry.comment):
        return
    if entry.state not in DECISIONS or entry.decided_at is None:
        raise refusal(entry, "state", "PENDING, or one that somebody decided, and when", entry.state.value)
    decider = acting(work, names, row.tenant_id, entry, "decided_by")
    await DECISIONS[entry.state](decider, request=global_id(row), comment=entry.comment)
    row.decided_at = at(work, entry.decided_at)


def acting(work: Work, names: Names, tenant_id: str, entry: ApprovalRequestEntry, field: str) -> Work:
    """The same work as somebody whom this field of the entry names."""
    principal = names.find(Principal, tenant_id, getattr(entry, field) or "", entry, field)
    return replace(work, viewer=Viewer(principal.tenant_id, principal.id, principal.kind))
