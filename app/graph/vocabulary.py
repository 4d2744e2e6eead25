"""The enums and scalars of the graph, with a description for every value."""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from enum import Enum
from typing import Any, NewType

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.types.enum import StrawberryEnumDefinition

from app.domain.moments import print_instant
from app.domain.permissions import Permission, Standing
from app.domain.refusals import ErrorCode
from app.domain.vocabulary import (
    ApprovalState,
    AuditCategory,
    AuditOperation,
    AuditResult,
    BookingType,
    ChangeEvent,
    ChangeMode,
    EnrollmentState,
    InvitationDirection,
    InvitationState,
    License,
    PartnershipState,
    Platform,
    RoleType,
    Side,
)

DomainName = NewType("DomainName", str)
DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class GrantSource(Enum):
    """Where a permission comes from."""

    ASSIGNMENT = "ASSIGNMENT"
    DIRECTORY_ROLE = "DIRECTORY_ROLE"


class RoomOrderField(Enum):
    """What rooms can be sorted by."""

    NAME = "NAME"
    UPDATED_AT = "UPDATED_AT"
    CAPACITY = "CAPACITY"


class OrderDirection(Enum):
    """Which way a list is sorted."""

    ASC = "ASC"
    DESC = "DESC"


def describe(kind: type[Enum], description: str, values: Mapping[str, str]) -> None:
    """Make an enum part of the graph. Raises ValueError unless exactly its values are described."""
    strawberry.enum(kind, description=description)
    definition: StrawberryEnumDefinition = kind.__strawberry_definition__  # type: ignore[attr-defined]
    if {value.name for value in definition.values} != set(values):
        raise ValueError(f"{kind.__name__}: describe each value, and nothing else")
    for value in definition.values:
        value.description = values[value.name]


describe(
    Permission,
    "One thing a role can allow. The first 19 can be part of custom roles, the rest of built-in ones alone.",
    {
        "ROOMS_VIEW": "See a room.",
        "ROOMS_MODIFY": "Change a room's location, capacity, label, nickname and tags.",
        "ROOMS_RESET_KEY": "Replace the key that enrolls devices.",
        "ROOMS_DOWNLOAD_KEY": "Read the key that enrolls devices.",
        "ROOMS_UNENROLL": "Stop alerts and tickets of a room, and start them again.",
        "ROOMS_CREATE": "Register a room by hand.",
        "GROUPS_VIEW": "See a room group.",
        "GROUPS_MODIFY": "Change a room group's name and rooms.",
        "GROUPS_CREATE": "Create a room group.",
        "RINGS_VIEW": "See an update ring.",
        "RINGS_MODIFY": "Move rooms between update rings and change a ring's days.",
        "REPORTS_VIEW": "See reports.",
        "REPORTS_CREATE_INCIDENT": "Record an issue with a room.",
        "TICKETS_VIEW": "See tickets.",
        "TICKETS_UPDATE": "Add notes to tickets and close recorded issues.",
        "SETTINGS_VIEW": "See the organization's settings.",
        "SETTINGS_MODIFY": "Change the organization's settings.",
        "ROLES_VIEW": "See roles and assignments.",
        "ROLES_MODIFY": "Give, change and take away roles.",
        "PARTNERS_VIEW": "See partnerships and sent invitations.",
        "PARTNERS_MANAGE": "Invite and remove partners and decide what they reach.",
        "INVITATIONS_ANSWER": "See, accept and decline received invitations.",
        "APPROVALS_DECIDE": "Approve or reject changes that partners ask for.",
        "AUDIT_VIEW": "Read the organization's audit log.",
        "RINGS_MANAGE": "Create and delete update rings.",
    },
)
describe(
    Standing,
    "What lets you see an object without one certain permission on it.",
    {
        "PARTY": "Your organization is a side of it, and you are one of those who may know.",
        "ADDRESSEE": "It was sent to your organization, or links it as the partner, and you answer invitations.",
        "NAMED": "Something that you can see names it, or it is your own.",
        "PRIMARY_ADMIN": "You are a primary admin of it.",
        "REQUESTER": "You asked for it, and still take part in the partnership.",
        "PARTNER_MANAGER": "You are a Manager of the partner's organization.",
        "ROLE_EDITOR": "It is a role of your organization, where you create and edit roles.",
        "DIRECTORY": "It is in your organization's directory, and you may name members.",
    },
)
describe(
    EnrollmentState,
    "Where a room stands with the service.",
    {
        "ONBOARDING": "Known, shown and updated; no alerts or tickets yet.",
        "ENROLLED": "Alerts and tickets are on.",
        "UNENROLLED": "Alerts and tickets were turned off.",
    },
)
describe(
    License,
    "The license of a room's account.",
    {
        "PRO": "Teams Rooms Pro.",
        "BASIC": "Teams Rooms Basic.",
        "SHARED_DEVICE": "Teams Shared Device.",
        "STANDARD": "Teams Rooms Standard, an older license.",
        "PREMIUM": "Teams Rooms Premium, an older license.",
        "NONE": "No license is known.",
    },
)
describe(
    Platform,
    "What a room's device runs.",
    {
        "WINDOWS": "Teams Rooms on Windows.",
        "ANDROID": "Teams Rooms on Android.",
        "SURFACE_HUB": "A Surface Hub.",
        "OTHER": "Something else, or not known yet.",
    },
)
describe(
    BookingType,
    "How a room is booked.",
    {
        "STANDARD": "Whoever asks first gets it.",
        "RESERVED": "Somebody decides about each booking.",
        "UNKNOWN": "Not known.",
    },
)
describe(
    PartnershipState,
    "Whether a partnership still holds.",
    {"ACTIVE": "The partner reaches the delegated rooms.", "REMOVED": "Either side ended it, for good."},
)
describe(
    Side,
    "The two sides of a partnership.",
    {"CUSTOMER": "The organization that owns the rooms.", "PARTNER": "The organization they are delegated to."},
)
describe(
    InvitationState,
    "What became of an invitation.",
    {
        "PENDING": "Waiting for an answer.",
        "ACCEPTED": "Accepted; a partnership exists since.",
        "DECLINED": "Declined by the invited organization; final.",
        "REVOKED": "Withdrawn by the customer.",
        "EXPIRED": "Nobody answered in time.",
    },
)
describe(
    InvitationDirection,
    "Seen from your organization.",
    {"SENT": "Your organization invited.", "RECEIVED": "Your organization was invited."},
)
describe(
    ChangeEvent,
    "A kind of change that a customer may hold for approval. Defined by this project, one for each write of a "
    "Primary admin.",
    {
        "ROOMS_MODIFY": "Changing a room's details.",
        "RINGS_MODIFY": "Moving rooms between rings, or changing a ring.",
        "REPORTS_CREATE_INCIDENT": "Recording an issue.",
        "TICKETS_UPDATE": "Adding notes to tickets and closing them.",
        "ROLES_MODIFY": "Giving and changing the partner's roles.",
    },
)
describe(
    ChangeMode,
    "What happens to a partner's change.",
    {"AUTO": "Applied at once.", "MANUAL": "Held until the customer approves it."},
)
describe(
    RoleType,
    "Who defined a role.",
    {"BUILT_IN": "Part of the product; can be given, not changed.", "CUSTOM": "Defined by the organization."},
)
describe(
    ApprovalState,
    "What became of a change that was held for approval.",
    {
        "PENDING": "It waits for the customer.",
        "APPROVED": "It was approved and done.",
        "REJECTED": "The customer refused it.",
        "CANCELLED": "Who asked for it took it back, or the partnership ended.",
        "EXPIRED": "Nobody decided in time.",
        "FAILED": "It was approved and could not be done any more.",
    },
)
describe(
    AuditCategory,
    "The kind of object acted on.",
    {
        "USER": "A person, or who answers invitations.",
        "ASSIGNMENT": "Who holds a role, and where.",
        "PARTNER_INVITATION": "An invitation or a partnership.",
        "ROLE": "A role.",
        "ROOM": "A room, or an import of rooms.",
        "ROOM_GROUP": "A room group.",
        "UPDATE_RING": "An update ring.",
        "TICKET": "A ticket.",
        "KEY": "The key that enrolls devices.",
        "APPROVAL_REQUEST": "A change that was held for approval.",
        "SETTINGS": "The organization or its settings.",
    },
)
describe(
    AuditOperation,
    "The kind of operation.",
    {"CREATE": "Something new.", "UPDATE": "A change.", "DELETE": "An end."},
)
describe(
    AuditResult,
    "How it went.",
    {"SUCCESSFUL": "It was done.", "FAILED": "It was refused."},
)
describe(
    ErrorCode,
    "The kind of failure; each has a type of its own.",
    {
        "INVALID_INPUT": "A value is not accepted.",
        "NOT_FOUND": "Nothing that you can see has this id.",
        "FORBIDDEN": "You see the object and may not do this to it.",
        "CONFLICT": "Something that is already there is in the way.",
        "STALE_VERSION": "The object changed since you read it.",
        "INVALID_STATE": "The object is in a state in which this cannot be done.",
        "LAST_PRIMARY_ADMIN": "Nobody would be left as primary admin.",
        "LAST_MANAGER": "Nobody would be left as Manager.",
        "CONFIRMATION_REQUIRED": "What would end has to be looked at first.",
        "IDEMPOTENCY_MISMATCH": "The idempotency key was used for another input.",
    },
)
describe(
    GrantSource,
    "Where a permission comes from.",
    {"ASSIGNMENT": "An assignment of a role.", "DIRECTORY_ROLE": "A role in your organization's directory."},
)
describe(
    RoomOrderField,
    "What rooms can be sorted by.",
    {
        "NAME": "Display name, whatever its alphabet and case.",
        "UPDATED_AT": "The last change.",
        "CAPACITY": "Number of seats; rooms without one come last either way.",
    },
)
describe(
    OrderDirection,
    "Which way a list is sorted.",
    {"ASC": "Smallest, oldest or first name first.", "DESC": "Largest, newest or last name first."},
)


def parse_date(value: object) -> date:
    """A calendar date. Raises ValueError, whose message reaches the client."""
    if isinstance(value, str) and DATE.fullmatch(value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    raise ValueError("A date is written like `2026-11-23`.")


def refuse_input(_: object) -> datetime:
    """No field takes an instant yet."""
    raise ValueError("An instant is not accepted here.")


SCALARS: dict[Any, Any] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="An instant in RFC 3339, always UTC and with six decimals: `2026-11-23T09:30:00.000000Z`.",
        serialize=print_instant,
        parse_value=refuse_input,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A calendar date in ISO 8601: `2026-11-23`.",
        serialize=date.isoformat,
        parse_value=parse_date,
    ),
    DomainName: strawberry.scalar(
        name="DomainName",
        description="The lower-case, IDNA-encoded DNS name of an organization, such as `contoso.com`.",
        serialize=str,
        parse_value=str,
    ),
}
CONFIG = StrawberryConfig(auto_camel_case=True, scalar_map=SCALARS)
