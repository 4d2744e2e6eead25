"""The record: its closed list of actions, and the one definition of what an entry's hash covers."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import NamedTuple, Protocol

import orjson

from app.domain.moments import print_instant
from app.domain.vocabulary import AuditCategory, AuditOperation, AuditResult

CANONICAL_VERSION = "1"
"""Part of what is hashed, so that a later form of the record cannot be taken for this one."""

READABLE = timedelta(days=180)
"""How long an entry can be read, and the least that a purge leaves (AUD-6, domain.md 7 #62)."""


class AuditAction(StrEnum):
    """What was done, finer than the documented operations (domain.md 7 #60)."""

    TENANT_ADD = "tenant.add"
    TENANT_MANAGERS_CHANGE = "tenant_managers.change"
    USER_ADD = "user.add"
    SECURITY_GROUP_ADD = "security_group.add"
    APPLICATION_ADD = "application.add"
    DIRECTORY_IMPORT = "directory.import"
    RING_CREATE = "ring.create"
    RING_UPDATE = "ring.update"
    ROOM_CREATE = "room.create"
    ROOM_UPDATE = "room.update"
    ROOMS_IMPORT = "rooms.import"
    GROUP_CREATE = "group.create"
    INVITATION_SEND = "invitation.send"
    INVITATION_ACCEPT = "invitation.accept"
    INVITATION_DECLINE = "invitation.decline"
    INVITATION_REVOKE = "invitation.revoke"
    INVITATION_EXPIRE = "invitation.expire"
    PARTNERSHIP_ESTABLISH = "partnership.establish"
    CHANGE_CONTROL_SET = "change_control.set"
    PARTNERSHIP_REMOVE = "partnership.remove"
    APPROVAL_REQUEST = "approval.request"
    APPROVAL_APPROVE = "approval.approve"
    APPROVAL_REJECT = "approval.reject"
    APPROVAL_CANCEL = "approval.cancel"
    APPROVAL_EXPIRE = "approval.expire"
    APPROVAL_FAIL = "approval.fail"
    ROLE_CREATE = "role.create"
    ROLE_UPDATE = "role.update"
    ROLE_DELETE = "role.delete"
    ASSIGNMENT_CREATE = "assignment.create"
    ASSIGNMENT_UPDATE = "assignment.update"
    ASSIGNMENT_DELETE = "assignment.delete"
    AUDIT_PURGE = "audit.purge"


class Attempt(NamedTuple):
    """How the record calls the attempt at a change that was refused."""

    category: AuditCategory
    operation: AuditOperation
    action: AuditAction
    about: str | None = None
    """The field of the input that names the object; without one, or left out, it is about the caller's organization."""


_INVITATION, _REQUEST = AuditCategory.PARTNER_INVITATION, AuditCategory.APPROVAL_REQUEST
_ROLE, _ASSIGNMENT = AuditCategory.ROLE, AuditCategory.ASSIGNMENT
_CREATE, _UPDATE, _DELETE = AuditOperation.CREATE, AuditOperation.UPDATE, AuditOperation.DELETE

ATTEMPTS = {
    "invitePartner": Attempt(_INVITATION, _CREATE, AuditAction.INVITATION_SEND),
    "revokeInvitation": Attempt(_INVITATION, _DELETE, AuditAction.INVITATION_REVOKE, "invitation"),
    "acceptInvitation": Attempt(_INVITATION, _UPDATE, AuditAction.INVITATION_ACCEPT, "invitation"),
    "declineInvitation": Attempt(_INVITATION, _DELETE, AuditAction.INVITATION_DECLINE, "invitation"),
    "removePartner": Attempt(_INVITATION, _DELETE, AuditAction.PARTNERSHIP_REMOVE, "partnership"),
    "setChangeControl": Attempt(_INVITATION, _UPDATE, AuditAction.CHANGE_CONTROL_SET, "partnership"),
    "setTenantManagers": Attempt(AuditCategory.USER, _UPDATE, AuditAction.TENANT_MANAGERS_CHANGE),
    "createRole": Attempt(_ROLE, _CREATE, AuditAction.ROLE_CREATE, "partnership"),
    "updateRole": Attempt(_ROLE, _UPDATE, AuditAction.ROLE_UPDATE, "role"),
    "deleteRole": Attempt(_ROLE, _DELETE, AuditAction.ROLE_DELETE, "role"),
    "createAssignment": Attempt(_ASSIGNMENT, _CREATE, AuditAction.ASSIGNMENT_CREATE, "role"),
    "updateAssignment": Attempt(_ASSIGNMENT, _UPDATE, AuditAction.ASSIGNMENT_UPDATE, "assignment"),
    "deleteAssignment": Attempt(_ASSIGNMENT, _DELETE, AuditAction.ASSIGNMENT_DELETE, "assignment"),
    "updateRoom": Attempt(AuditCategory.ROOM, _UPDATE, AuditAction.ROOM_UPDATE, "room"),
    "approveRequest": Attempt(_REQUEST, _UPDATE, AuditAction.APPROVAL_APPROVE, "request"),
    "rejectRequest": Attempt(_REQUEST, _UPDATE, AuditAction.APPROVAL_REJECT, "request"),
    "cancelRequest": Attempt(_REQUEST, _UPDATE, AuditAction.APPROVAL_CANCEL, "request"),
}
"""By the mutation's name: the attempt at it, in the words of the entries that it makes when it is done."""


class Entry(Protocol):
    """What is hashed of a line of the record: everything but the hash itself."""

    tenant_id: str
    id: str
    sequence: int
    creation_time: datetime
    category: AuditCategory
    operation: AuditOperation
    action: str
    result_status: AuditResult
    object_name: str
    subject: str | None
    user_tenant_id: str | None
    user_id: str | None
    approved_by_id: str | None
    approval_id: str | None
    count: int
    changes: list[dict[str, str | None]]
    request_id: str
    previous_hash: str | None


CANONICAL_FIELDS = tuple(Entry.__annotations__)

Changes = list[dict[str, str | None]]
"""Field by field, what was before and what is after."""


def made(**fields: object) -> Changes:
    """The changes of something new: each field given, from nothing to this. Lists are joined, None is left out."""
    return [
        {"field": name, "before": None, "after": told(value)}
        for name, value in fields.items()
        if told(value) is not None
    ]


def told(value: object) -> str | None:
    """A value in words, as the record and held changes say it; None for nothing."""
    if value is None or value == []:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return print_instant(value)
    return ", ".join(value) if isinstance(value, list) else str(getattr(value, "value", value))


def changed(field: str, before: object, after: object) -> Changes:
    """The change of one field, empty where it stays what it was."""
    old, new = told(before), told(after)
    return [] if old == new else [{"field": field, "before": old, "after": new}]


def as_text(value: object) -> object:
    """A value as it is hashed: text, null, or the list of changes, whose values are text already."""
    if value is None or isinstance(value, list):
        return value
    if isinstance(value, datetime):
        return print_instant(value)
    return str(value.value if isinstance(value, Enum) else value)


def canonical_fields(entry: Entry) -> dict[str, object]:
    """What the entry's hash covers: with the hash itself, all that is needed to check the entry alone."""
    return {"version": CANONICAL_VERSION} | {name: as_text(getattr(entry, name)) for name in CANONICAL_FIELDS}


def as_bytes(fields: Mapping[str, object]) -> bytes:
    """The one form in which something is hashed or signed: JSON in UTF-8, keys sorted, no spaces."""
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)


def canonical(entry: Entry) -> bytes:
    """The bytes that the entry's hash is over; every value in them is text."""
    return as_bytes(canonical_fields(entry))


def hash_of(fields: Mapping[str, object]) -> str:
    """SHA-256 over the canonical fields and, through `previous_hash`, over all before, in hexadecimal digits."""
    return hashlib.sha256(as_bytes(fields)).hexdigest()


def entry_hash(entry: Entry) -> str:
    """The hash of an entry that has its place in the chain."""
    return hash_of(canonical_fields(entry))
