"""The format of `fixtures/world`: a small world, or a part of one, in JSON that people write by hand.

A file holds any of the sections below. Entries name each other as people do: a tenant by a domain, a principal by its
name within its tenant (or by its id), a room by its account, everything else by its name. What is named may be in
another file, or in the database already.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import Enum
from typing import Annotated, Any

import orjson
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    PrivateAttr,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic.alias_generators import to_camel

from app.domain.permissions import DirectoryRole, Permission
from app.domain.rings import GENERAL, MAX_POSITION, MAX_TOTAL_DAYS, MIN_POSITION
from app.domain.text import CONTROL
from app.domain.vocabulary import (
    ApprovalState,
    BookingType,
    ChangeEvent,
    EnrollmentState,
    InvitationState,
    License,
    Platform,
    Side,
    UserType,
)
from app.storage.tables import NAME_LENGTH, UUID_LENGTH


def no_controls(text: str) -> str:
    """The text, without control characters."""
    if CONTROL.search(text):
        raise ValueError("expected no control characters")
    return text


def by_name(kind: type[Enum]) -> PlainValidator:
    """A member of the enum, written by its name."""

    def find(name: object) -> Enum:
        if isinstance(name, str) and name in kind.__members__:
            return kind[name]
        raise ValueError(f"expected one of {', '.join(kind.__members__)}")

    return PlainValidator(find)


def read_when(text: object) -> timedelta | datetime:
    """An instant in RFC 3339, or an ISO 8601 duration from the moment of seeding, such as `-P3D` or `PT5M`."""
    kind: TypeAdapter[Any] = TypeAdapter(timedelta if str(text).lstrip("-").startswith("P") else AwareDatetime)
    try:
        found: timedelta | datetime = kind.validate_json(orjson.dumps(text), strict=True)
    except ValidationError:
        raise ValueError("expected a duration such as -P3D or an instant such as 2026-11-23T08:00:00Z") from None
    return found


Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_LENGTH),
    AfterValidator(no_controls),
]
ShortText = Annotated[Text, StringConstraints(max_length=100)]
LongText = Annotated[Text, StringConstraints(max_length=1024)]
Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", max_length=UUID_LENGTH)]
When = Annotated[timedelta | datetime, PlainValidator(read_when)]
Events = tuple[Annotated[ChangeEvent, by_name(ChangeEvent)], ...]
Days = Annotated[int, Field(ge=0, le=MAX_TOTAL_DAYS)]


class Entry(BaseModel):
    """One thing of a world, and where it is written."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True)
    _place: str = PrivateAttr("")

    @property
    def place(self) -> str:
        """File, section and entry, for messages."""
        return self._place


class TenantEntry(Entry):
    """An organization."""

    name: Text
    domains: Annotated[tuple[Text, ...], Field(min_length=1)]
    id: Id | None = None
    may_be_partner: bool = False


class PersonEntry(Entry):
    """A user. The last two are for the demo and its tests, and are not stored."""

    tenant: Text
    name: Text
    id: Id | None = None
    user_type: UserType = UserType.MEMBER
    user_principal_name: Text | None = None
    directory_roles: tuple[Annotated[DirectoryRole, by_name(DirectoryRole)], ...] = ()
    """What the person's token carries in `wids`."""
    expects: str | None = None
    """What the person should see, in one sentence."""


class ApplicationEntry(Entry):
    """An unattended tool."""

    tenant: Text
    name: Text
    id: Id | None = None
    expects: str | None = None


class SecurityGroupEntry(Entry):
    """A security group with its users, applications and groups."""

    tenant: Text
    name: Text
    id: Id | None = None
    members: tuple[Text, ...] = ()


class RingEntry(Entry):
    """An update ring of the tenant's own."""

    tenant: Text
    name: ShortText
    description: LongText | None = None
    order: Annotated[int, Field(ge=MIN_POSITION, le=MAX_POSITION)]
    rollout_days: Days
    test_days: Days


class RoomEntry(Entry):
    """A meeting room; fields are named like the columns that they are stored in."""

    tenant: Text
    account: Text
    name: Text
    ring: Text = GENERAL.name
    label: Text | None = None
    nickname: Text | None = None
    country_or_region: Text | None = None
    state: Text | None = None
    city: Text | None = None
    postal_code: Text | None = None
    street: Text | None = None
    campus: Text | None = None
    building: Text | None = None
    floor: Text | None = None
    floor_label: Text | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    time_zone: Text | None = None
    capacity: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    tags: tuple[Text, ...] = ()
    wheelchair_accessible: bool | None = None
    booking_type: BookingType = BookingType.UNKNOWN
    platform: Platform = Platform.OTHER
    device_manufacturer: Text | None = None
    license: License = License.NONE
    enrollment: EnrollmentState = EnrollmentState.ONBOARDING


class GroupEntry(Entry):
    """A room group with its rooms by account."""

    tenant: Text
    name: ShortText
    rooms: tuple[Text, ...] = ()


class RemovalEntry(Entry):
    """The end of a partnership."""

    at: When
    side: Side


class PartnershipEntry(Entry):
    """What a customer delegates to a partner, and who administers it there."""

    customer: Text
    partner: Text
    established_at: When
    primary_admins: tuple[Text, ...] = ()
    rooms: tuple[Text, ...] = ()
    groups: tuple[Text, ...] = ()
    manual: Events = ()
    removed: RemovalEntry | None = None


class InvitationEntry(Entry):
    """A customer's offer; `partner` is the domain as it was typed."""

    customer: Text
    partner: Text
    state: InvitationState = InvitationState.PENDING
    sent_at: When
    expires_in_days: Annotated[int, Field(ge=1, le=30)]
    answered_at: When | None = None
    sent_by: Text | None = None
    rooms: tuple[Text, ...] = ()
    groups: tuple[Text, ...] = ()
    manual: Events = ()
    terms_version: Text


class RoleEntry(Entry):
    """A custom role: the customer's, or with `partner` that partner's within this customer."""

    customer: Text
    partner: Text | None = None
    name: ShortText
    description: LongText | None = None
    permissions: Annotated[tuple[Annotated[Permission, by_name(Permission)], ...], Field(min_length=1)]


class AssignmentEntry(Entry):
    """Who holds a role, and where. Members of a partner's role are the partner's.

    For `Managers` and `Tenant managers`, which every tenant has, the entry adds members.
    """

    customer: Text
    partner: Text | None = None
    role: Text
    name: ShortText
    description: LongText | None = None
    members: tuple[Text, ...] = ()
    rooms: tuple[Text, ...] = ()
    groups: tuple[Text, ...] = ()
    all_rooms: bool | None = None
    notify_by_email: bool = False


class RoomChange(Entry):
    """What somebody asks to change about a room."""

    label: Text | None = None
    nickname: Text | None = None
    capacity: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None


class ApprovalRequestEntry(Entry):
    """A partner's change of one room that its customer holds, or held; decided by one of the customer's Managers."""

    customer: Text
    partner: Text
    state: ApprovalState = ApprovalState.PENDING
    requested_by: Text
    requested_at: When
    expires_in_days: Annotated[int, Field(ge=1, le=365)]
    rooms: Annotated[tuple[Text, ...], Field(min_length=1, max_length=1)]
    change: RoomChange
    decided_by: Text | None = None
    decided_at: When | None = None
    comment: LongText | None = None


class World(Entry):
    """All sections, in the order in which things can be made."""

    tenants: list[TenantEntry] = []
    people: list[PersonEntry] = []
    applications: list[ApplicationEntry] = []
    security_groups: list[SecurityGroupEntry] = []
    rings: list[RingEntry] = []
    rooms: list[RoomEntry] = []
    groups: list[GroupEntry] = []
    partnerships: list[PartnershipEntry] = []
    invitations: list[InvitationEntry] = []
    roles: list[RoleEntry] = []
    assignments: list[AssignmentEntry] = []
    approval_requests: list[ApprovalRequestEntry] = []

    def entries(self) -> Iterator[Entry]:
        """Everything in it."""
        for section in World.model_fields:
            yield from getattr(self, section)
