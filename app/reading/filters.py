"""What lists can be narrowed by. An id that the viewer does not see narrows a list to nothing."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, false, not_, tuple_
from sqlmodel import col

from app.access.scoping import linked
from app.access.viewer import VIEWER_TENANT
from app.domain.ids import GlobalId, parse_global_id
from app.domain.moments import print_instant
from app.domain.refusals import bad_argument
from app.domain.text import MAX_SEARCH_TERMS, MIN_SEARCH_LENGTH, fold, name_key, search_terms
from app.domain.vocabulary import InvitationDirection, RoleType, Side
from app.reading.declaring import Noun
from app.reading.nouns import (
    APPROVAL_STATE,
    ASSIGNMENT,
    DELEGATED,
    GROUP,
    INVITATION_STATE,
    IS_CUSTOMERS,
    IS_FOR_ANSWERING,
    PARTNERSHIP,
    PRINCIPAL,
    PRINCIPAL_KINDS,
    RING,
    ROLE,
    same,
)
from app.storage.tables import (
    Assignment,
    AuditEntry,
    Invitation,
    Partnership,
    Principal,
    Role,
    Room,
    RoomGroup,
    RoomGroupRoom,
)

Condition = ColumnElement[bool]
MAX_SEARCH_LENGTH = 512
"""Characters of a search as it is compared: folding can make one character eighteen, and SQLite refuses a pattern
of 50,000 bytes."""
Filters = dict[str, Callable[[Any], Condition]]
"""The condition that each field of a filter stands for."""


def named(identifier: str, *kinds: str) -> GlobalId | None:
    """The id taken apart if it is of one of these kinds."""
    parsed = parse_global_id(identifier)
    return parsed if parsed and parsed.kind in kinds else None


def of_tenant(column: Any, identifier: str) -> Condition:
    """Owned by this organization."""
    parsed = named(identifier, "tenant")
    return column == parsed.tenant if parsed else false()


def among(column: Any, values: Sequence[Any]) -> Condition:
    """One of these words; none of them, where the list is empty."""
    condition: Condition = column.in_(values)
    return condition


def matches(argument: str, column: Any, search: str) -> Condition:
    """Every word of the search begins a word of the row. Raises BAD_ARGUMENT for a search too short or too long."""
    if not MIN_SEARCH_LENGTH <= len(fold(search)) <= MAX_SEARCH_LENGTH:
        message = f"A search has {MIN_SEARCH_LENGTH} to {MAX_SEARCH_LENGTH} characters."
        raise bad_argument(argument, message, min=MIN_SEARCH_LENGTH, max=MAX_SEARCH_LENGTH)
    terms = search_terms(search)
    if len(terms) > MAX_SEARCH_TERMS:
        raise bad_argument(argument, f"A search has at most {MAX_SEARCH_TERMS} words.", max=MAX_SEARCH_TERMS)
    return and_(*(column.contains(f" {term}", autoescape=True) for term in terms))


def only(noun: Noun, identifier: str) -> Any:
    """The visible row of this id, or no row."""
    parsed = named(identifier, noun.kind)
    is_it = and_(noun.tenant == parsed.tenant, noun.key == parsed.key) if parsed else false()
    return noun.rows().where(is_it)


THIS_ROOM = tuple_(col(Room.tenant_id), col(Room.id))


def in_group(identifier: str) -> Condition:
    """Rooms of a visible room group."""
    rooms = linked(only(GROUP, identifier), RoomGroupRoom, same(RoomGroupRoom, RoomGroup, "group_id"))
    return THIS_ROOM.in_(rooms.with_only_columns(col(RoomGroupRoom.tenant_id), col(RoomGroupRoom.room_id)))


def in_ring(identifier: str) -> Condition:
    """Rooms of a visible update ring."""
    ring = only(RING, identifier).with_only_columns(RING.tenant, RING.key)
    return tuple_(col(Room.tenant_id), col(Room.ring_id)).in_(ring)


def in_partnership(identifier: str) -> Condition:
    """Rooms that a visible partnership reaches."""
    reaches = and_(DELEGATED.c.tenant_id == PARTNERSHIP.tenant, DELEGATED.c.partnership_id == PARTNERSHIP.key)
    rooms = only(PARTNERSHIP, identifier).join(DELEGATED, reaches)
    return THIS_ROOM.in_(rooms.with_only_columns(DELEGATED.c.tenant_id, DELEGATED.c.room_id))


ROOM_FILTERS: Filters = {
    "customer": lambda value: of_tenant(col(Room.tenant_id), value),
    "partnership": in_partnership,
    "group": in_group,
    "ring": in_ring,
    "search": lambda value: matches("filter.search", col(Room.search_key), value),
    "building": lambda value: col(Room.building_key) == name_key(value),
    "city": lambda value: col(Room.city_key) == name_key(value),
    "enrollment": lambda value: among(col(Room.enrollment), value),
    "platform": lambda value: among(col(Room.platform), value),
}


def of_side(side: Side) -> Condition:
    """Roles of partners (and who answers invitations), or the customer's own."""
    return not_(IS_CUSTOMERS) if side is Side.PARTNER else IS_CUSTOMERS


def of_partnership(identifier: str) -> Condition:
    """Roles of a visible partnership."""
    partnership = only(PARTNERSHIP, identifier).with_only_columns(PARTNERSHIP.tenant, PARTNERSHIP.key)
    return tuple_(ROLE.tenant, col(Role.partnership_id)).in_(partnership)


ROLE_FILTERS: Filters = {
    "customer": lambda value: and_(of_tenant(col(Role.tenant_id), value), not_(IS_FOR_ANSWERING)),
    "partnership": of_partnership,
    "side": of_side,
    "type": lambda value: col(Role.built_in).is_(None) if value is RoleType.CUSTOM else col(Role.built_in).is_not(None),
}


def from_day(day: date) -> Condition:
    """On this day or later, UTC."""
    return col(AuditEntry.creation_time) >= print_instant(datetime.combine(day, time(), UTC))


def to_day(day: date) -> Condition:
    """On this day or earlier, UTC."""
    if day == date.max:
        return col(AuditEntry.creation_time).is_not(None)
    return col(AuditEntry.creation_time) < print_instant(datetime.combine(day + timedelta(days=1), time(), UTC))


def by_user(identifier: str) -> Condition:
    """Done by this visible principal, called by the kind that it is."""
    parsed = named(identifier, *PRINCIPAL_KINDS)
    if parsed is None:
        return false()
    is_it = and_(PRINCIPAL.tenant == parsed.tenant, PRINCIPAL.key == parsed.key)
    is_of_kind = col(Principal.kind) == PRINCIPAL_KINDS[parsed.kind]
    who = PRINCIPAL.rows().where(is_it, is_of_kind).with_only_columns(PRINCIPAL.tenant, PRINCIPAL.key)
    return tuple_(col(AuditEntry.user_tenant_id), col(AuditEntry.user_id)).in_(who)


AUDIT_FILTERS: Filters = {
    "from_": from_day,
    "to": to_day,
    "categories": lambda value: among(col(AuditEntry.category), value),
    "operation": lambda value: col(AuditEntry.operation) == value,
    "result_status": lambda value: col(AuditEntry.result_status) == value,
    "user": by_user,
    "user_tenant": lambda value: of_tenant(col(AuditEntry.user_tenant_id), value),
    "subject": lambda value: col(AuditEntry.subject) == value,
}


TENANT_MANAGER_ROLES = ROLE.rows().where(IS_FOR_ANSWERING).with_only_columns(ROLE.key)
"""The viewer's Tenant manager role, if it is visible."""

GROUP_FILTERS: Filters = {"customer": lambda value: of_tenant(GROUP.tenant, value)}
RING_FILTERS: Filters = {"customer": lambda value: of_tenant(RING.tenant, value)}

PARTNERSHIP_FILTERS: Filters = {"states": lambda value: among(col(Partnership.state), value)}

AS_CUSTOMER = col(Partnership.tenant_id) == VIEWER_TENANT
"""Partnerships of the viewer's tenant as the customer."""
AS_PARTNER = col(Partnership.partner_tenant_id) == VIEWER_TENANT
"""Partnerships of the viewer's tenant as the partner."""

INVITATION_FILTERS: Filters = {
    "direction": lambda value: (
        (col(Invitation.tenant_id) if value is InvitationDirection.SENT else col(Invitation.partner_tenant_id))
        == VIEWER_TENANT
    ),
    "states": lambda value: among(INVITATION_STATE, value),
}

APPROVAL_FILTERS: Filters = {"states": lambda value: among(APPROVAL_STATE, value)}

DIRECTORY_FILTERS: Filters = {"search": lambda value: matches("search", col(Principal.search_key), value)}

ANSWERS_INVITATIONS = and_(ASSIGNMENT.tenant == VIEWER_TENANT, col(Assignment.role_id).in_(TENANT_MANAGER_ROLES))
"""The assignment that says who answers invitations for the viewer's tenant."""
