"""The record: its closed list of actions, and the one definition of what an entry's hash covers."""

import hashlib
from datetime import datetime
from enum import Enum, StrEnum
from typing import Protocol

import orjson

from app.domain.moments import print_instant
from app.domain.vocabulary import AuditCategory, AuditOperation, AuditResult

CANONICAL_VERSION = "1"
"""Part of what is hashed, so that a later form of the record cannot be taken for this one."""


class AuditAction(StrEnum):
    """What was done, finer than the documented operations (domain.md 7 #60)."""

    TENANT_ADD = "tenant.add"
    TENANT_MANAGERS_CHANGE = "tenant_managers.change"
    USER_ADD = "user.add"
    SECURITY_GROUP_ADD = "security_group.add"
    APPLICATION_ADD = "application.add"
    RING_CREATE = "ring.create"
    RING_UPDATE = "ring.update"
    ROOM_CREATE = "room.create"
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
    ROLE_CREATE = "role.create"
    ROLE_DELETE = "role.delete"
    ASSIGNMENT_CREATE = "assignment.create"
    ASSIGNMENT_UPDATE = "assignment.update"


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
        {"field": name, "before": None, "after": ", ".join(value) if isinstance(value, list) else str(as_text(value))}
        for name, value in fields.items()
        if value is not None and value != []
    ]


def changed(field: str, before: object, after: object) -> Changes:
    """The change of one field, empty where it stays what it was."""
    old, new = (None if value is None else str(getattr(value, "value", value)) for value in (before, after))
    return [] if old == new else [{"field": field, "before": old, "after": new}]


def as_text(value: object) -> object:
    """A value as it is hashed: text, null, or the list of changes, whose values are text already."""
    if value is None or isinstance(value, list):
        return value
    if isinstance(value, datetime):
        return print_instant(value)
    return str(value.value if isinstance(value, Enum) else value)


def canonical(entry: Entry) -> bytes:
    """The bytes that the entry's hash is over: JSON in UTF-8, keys sorted, no spaces, every value text."""
    fields = {name: as_text(getattr(entry, name)) for name in CANONICAL_FIELDS}
    return orjson.dumps({"version": CANONICAL_VERSION, **fields}, option=orjson.OPT_SORT_KEYS)


def entry_hash(entry: Entry) -> str:
    """SHA-256 over the entry and, through `previous_hash`, over all before it, in hexadecimal digits."""
    return hashlib.sha256(canonical(entry)).hexdigest()
