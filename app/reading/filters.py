"""What lists can be narrowed by. An id that the viewer does not see narrows a list to nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, literal, not_, tuple_
from sqlmodel import col

from app.access.derived import delegated_rooms
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
from app.storage.columns import text
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
NO_KEY = ""
"""Equal to no key, so that an id that names nothing finds nothing."""
ESCAPE = "/"


@dataclass(frozen=True, slots=True)
class Meant:
    """What a filter's value says: a form, which is part of the statement, and the values that are bound to it."""

    form: Any = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list can be narrowed by. `narrow` takes the form and then as many expressions as there are values."""

    read: Callable[[Any], Meant]
    """What a value says. Raises BAD_ARGUMENT."""
    narrow: Callable[..., Condition]


Filters = Mapping[str, Filter]
"""What each field of a filter stands for."""


def as_literals(filter_: Filter, meant: Meant) -> Condition:
    """The condition for one very value."""
    return filter_.narrow(meant.form, *(literal(each, text()) for each in meant.values))


def named(identifier: str, *kinds: str) -> GlobalId | None:
    """The id taken apart if it is of one of these kinds."""
    parsed = parse_global_id(identifier)
    return parsed if parsed and parsed.kind in kinds else None


def by_id(narrow: Callable[[str, Any, Any], Condition], *kinds: str) -> Filter:
    """The object with an id of one of these kinds, by its tenant and key; the kind is part of the form."""

    def read(identifier: str) -> Meant:
        found = named(identifier, *kinds)
        return Meant(found.kind, (found.tenant, found.key)) if found else Meant(kinds[0], (NO_KEY, NO_KEY))

    return Filter(read, narrow)


def of_tenant(column: Any, *others: Condition) -> Filter:
    """Owned by this organization."""
    return by_id(lambda _, tenant, __: and_(column == tenant, *others), "tenant")


def among(column: Any) -> Filter:
    """One of these words; none of them, where the list is empty."""
    return Filter(lambda chosen: Meant(tuple(sorted(set(chosen), key=str))), lambda chosen: column.in_(chosen))


def exactly(column: Any) -> Filter:
    """Just one word."""
    return Filter(Meant, lambda chosen: column == chosen)


def called(column: Any) -> Filter:
    """With this whole name, in any case."""
    return Filter(lambda name: Meant(values=(name_key(name),)), lambda _, name: column == name)


def matches(argument: str, column: Any) -> Filter:
    """Every word of the search begins a word of the row. Raises BAD_ARGUMENT for a search too short or too long."""

    def read(search: str) -> Meant:
        terms = read_terms(argument, search)
        return Meant(len(terms), tuple(f"% {escaped(term)}%" for term in terms))

    return Filter(read, lambda _, *patterns: and_(*(column.like(each, escape=ESCAPE) for each in patterns)))


def read_terms(argument: str, search: str) -> list[str]:
    """The words of a search. Raises BAD_ARGUMENT."""
    if not MIN_SEARCH_LENGTH <= len(fold(search)) <= MAX_SEARCH_LENGTH:
        message = f"A search has {MIN_SEARCH_LENGTH} to {MAX_SEARCH_LENGTH} characters."
        raise bad_argument(argument, message, min=MIN_SEARCH_LENGTH, max=MAX_SEARCH_LENGTH)
    terms = search_terms(search)
    if len(terms) > MAX_SEARCH_TERMS:
        raise bad_argument(argument, f"A search has at most {MAX_SEARCH_TERMS} words.", max=MAX_SEARCH_TERMS)
    return terms


def escaped(term: str) -> str:
    """The term as a pattern in which no character is special."""
    for special in (ESCAPE, "%", "_"):
        term = term.replace(special, f"{ESCAPE}{special}")
    return term


def only(noun: Noun, tenant: Any, key: Any) -> Any:
    """The visible row with this key, or no row."""
    return noun.rows().where(noun.tenant == tenant, noun.key == key)


THIS_ROOM = tuple_(col(Room.tenant_id), col(Room.id))


def in_group(_: str, tenant: Any, key: Any) -> Condition:
    """Rooms of a visible room group."""
    rooms = linked(only(GROUP, tenant, key), RoomGroupRoom, same(RoomGroupRoom, RoomGroup, "group_id"))
    return THIS_ROOM.in_(rooms.with_only_columns(col(RoomGroupRoom.tenant_id), col(RoomGroupRoom.room_id)))


def in_ring(_: str, tenant: Any, key: Any) -> Condition:
    """Rooms of a visible update ring."""
    ring = only(RING, tenant, key).with_only_columns(RING.tenant, RING.key)
    return tuple_(col(Room.tenant_id), col(Room.ring_id)).in_(ring)


def in_partnership(_: str, tenant: Any, key: Any) -> Condition:
    """Rooms that a visible partnership reaches."""
    link = delegated_rooms(lambda owner, partnership: and_(owner == tenant, partnership == key))
    reaches = and_(link.c.tenant_id == PARTNERSHIP.tenant, link.c.partnership_id == PARTNERSHIP.key)
    rooms = only(PARTNERSHIP, tenant, key).join(link, reaches)
    return THIS_ROOM.in_(rooms.with_only_columns(link.c.tenant_id, link.c.room_id))


ROOM_FILTERS: Filters = {
    "customer": of_tenant(col(Room.tenant_id)),
    "partnership": by_id(in_partnership, "partnership"),
    "group": by_id(in_group, "roomgroup"),
    "ring": by_id(in_ring, "updatering"),
    "search": matches("filter.search", col(Room.search_key)),
    "building": called(col(Room.building_key)),
    "city": called(col(Room.city_key)),
    "enrollment": among(col(Room.enrollment)),
    "platform": among(col(Room.platform)),
}


def of_partnership(_: str, tenant: Any, key: Any) -> Condition:
    """Roles of a visible partnership."""
    partnership = only(PARTNERSHIP, tenant, key).with_only_columns(PARTNERSHIP.tenant, PARTNERSHIP.key)
    return tuple_(ROLE.tenant, col(Role.partnership_id)).in_(partnership)


SIDES = {Side.PARTNER: not_(IS_CUSTOMERS), Side.CUSTOMER: IS_CUSTOMERS}
"""Roles of partners (and who answers invitations), or the customer's own."""
TYPES = {RoleType.CUSTOM: col(Role.built_in).is_(None), RoleType.BUILT_IN: col(Role.built_in).is_not(None)}

ROLE_FILTERS: Filters = {
    "customer": of_tenant(col(Role.tenant_id), not_(IS_FOR_ANSWERING)),
    "partnership": by_id(of_partnership, "partnership"),
    "side": Filter(Meant, SIDES.__getitem__),
    "type": Filter(Meant, TYPES.__getitem__),
}

CREATED, SUBJECT = col(AuditEntry.creation_time), col(AuditEntry.subject)


def from_day(day: date) -> Meant:
    """On this day or later, UTC."""
    return Meant(values=(print_instant(datetime.combine(day, time(), UTC)),))


def to_day(day: date) -> Meant:
    """On this day or earlier, UTC. The last day there is has none after it."""
    if day == date.max:
        return Meant("any day")
    return Meant("before", (print_instant(datetime.combine(day + timedelta(days=1), time(), UTC)),))


def by_user(kind: str, tenant: Any, key: Any) -> Condition:
    """Done by this visible principal, called by the kind that it is."""
    is_of_kind = col(Principal.kind) == PRINCIPAL_KINDS[kind]
    who = only(PRINCIPAL, tenant, key).where(is_of_kind).with_only_columns(PRINCIPAL.tenant, PRINCIPAL.key)
    return tuple_(col(AuditEntry.user_tenant_id), col(AuditEntry.user_id)).in_(who)


AUDIT_FILTERS: Filters = {
    "from_": Filter(from_day, lambda _, instant: instant <= CREATED),
    "to": Filter(to_day, lambda _, *instants: and_(CREATED.is_not(None), *(each > CREATED for each in instants))),
    "categories": among(col(AuditEntry.category)),
    "operation": exactly(col(AuditEntry.operation)),
    "result_status": exactly(col(AuditEntry.result_status)),
    "user": by_id(by_user, *PRINCIPAL_KINDS),
    "user_tenant": of_tenant(col(AuditEntry.user_tenant_id)),
    "subject": Filter(lambda identifier: Meant(values=(identifier,)), lambda _, subject: subject == SUBJECT),
}


GROUP_FILTERS: Filters = {"customer": of_tenant(GROUP.tenant)}
RING_FILTERS: Filters = {"customer": of_tenant(RING.tenant)}

PARTNERSHIP_FILTERS: Filters = {"states": among(col(Partnership.state))}

DIRECTIONS = {
    InvitationDirection.SENT: col(Invitation.tenant_id) == VIEWER_TENANT,
    InvitationDirection.RECEIVED: col(Invitation.partner_tenant_id) == VIEWER_TENANT,
}

INVITATION_FILTERS: Filters = {
    "direction": Filter(Meant, DIRECTIONS.__getitem__),
    "states": among(INVITATION_STATE),
}

APPROVAL_FILTERS: Filters = {"states": among(APPROVAL_STATE)}

DIRECTORY_FILTERS: Filters = {"search": matches("search", col(Principal.search_key))}

AS_CUSTOMER = col(Partnership.tenant_id) == VIEWER_TENANT
"""Partnerships of the viewer's tenant as the customer."""
AS_PARTNER = col(Partnership.partner_tenant_id) == VIEWER_TENANT
"""Partnerships of the viewer's tenant as the partner."""


def answers_invitations() -> Condition:
    """The assignment that says who answers invitations for the viewer's tenant, by the visible role that it grants."""
    roles = ROLE.rows().where(IS_FOR_ANSWERING).with_only_columns(ROLE.key)
    return and_(ASSIGNMENT.tenant == VIEWER_TENANT, col(Assignment.role_id).in_(roles))
