"""The closed sets of words that are stored and exposed, spelled once."""

from enum import Enum, StrEnum

from app.domain.permissions import Permission


class PrincipalKind(StrEnum):
    """What acts, or is a member."""

    USER = "USER"
    GROUP = "GROUP"
    APPLICATION = "APPLICATION"


class UserType(StrEnum):
    """Entra's `userType`: whether a user is at home in its tenant."""

    MEMBER = "Member"
    GUEST = "Guest"


class Side(StrEnum):
    """The two sides of a partnership."""

    CUSTOMER = "CUSTOMER"
    PARTNER = "PARTNER"


class PartnershipState(StrEnum):
    """A partnership is active until either side removes it, once (domain.md 7 #52)."""

    ACTIVE = "ACTIVE"
    REMOVED = "REMOVED"


class InvitationState(StrEnum):
    """What became of an invitation (domain.md 7 #1). A stored PENDING reads as EXPIRED once its time is over."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    DECLINED = "DECLINED"
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"


class InvitationDirection(StrEnum):
    """Seen from the caller's tenant."""

    SENT = "SENT"
    RECEIVED = "RECEIVED"


class RoleType(StrEnum):
    """Built-in roles cannot be edited; custom ones can (RB-5, RB-8)."""

    BUILT_IN = "BUILT_IN"
    CUSTOM = "CUSTOM"


class ChangeMode(StrEnum):
    """What happens to a partner's change: applied at once, or held for approval (CC-1, CC-2)."""

    AUTO = "AUTO"
    MANUAL = "MANUAL"


class ChangeEvent(Enum):
    """What a customer may hold for approval: one event per write of a Primary admin (domain.md 7 #13)."""

    ROOMS_MODIFY = Permission.ROOMS_MODIFY
    RINGS_MODIFY = Permission.RINGS_MODIFY
    REPORTS_CREATE_INCIDENT = Permission.REPORTS_CREATE_INCIDENT
    TICKETS_UPDATE = Permission.TICKETS_UPDATE
    ROLES_MODIFY = Permission.ROLES_MODIFY


class ApprovalState(StrEnum):
    """What became of a held change (domain.md 7 #15). A stored PENDING reads as EXPIRED once its time is over."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"


class EnrollmentState(StrEnum):
    """Where a room stands with the service (domain.md 6.1)."""

    ONBOARDING = "ONBOARDING"
    ENROLLED = "ENROLLED"
    UNENROLLED = "UNENROLLED"


class License(StrEnum):
    """The license of a room's account (domain.md 6.1)."""

    PRO = "PRO"
    BASIC = "BASIC"
    SHARED_DEVICE = "SHARED_DEVICE"
    STANDARD = "STANDARD"
    PREMIUM = "PREMIUM"
    NONE = "NONE"


class Platform(StrEnum):
    """What the room's device runs."""

    WINDOWS = "WINDOWS"
    ANDROID = "ANDROID"
    SURFACE_HUB = "SURFACE_HUB"
    OTHER = "OTHER"


class BookingType(StrEnum):
    """How a room is booked, as Microsoft Graph says it (domain.md D9)."""

    STANDARD = "STANDARD"
    RESERVED = "RESERVED"
    UNKNOWN = "UNKNOWN"


class AuditCategory(StrEnum):
    """Kind of object acted on. The first four are documented (AUD-8), the rest extend them (domain.md 7 #59)."""

    USER = "User"
    ASSIGNMENT = "Assignment"
    PARTNER_INVITATION = "PartnerInvitation"
    ROLE = "Role"
    ROOM = "Room"
    ROOM_GROUP = "RoomGroup"
    UPDATE_RING = "UpdateRing"
    TICKET = "Ticket"
    KEY = "Key"
    APPROVAL_REQUEST = "ApprovalRequest"
    SETTINGS = "Settings"


DOCUMENTED = (AuditCategory.USER, AuditCategory.ASSIGNMENT, AuditCategory.PARTNER_INVITATION, AuditCategory.ROLE)
"""The categories that the documents of Teams Rooms Pro Management know."""


class AuditOperation(StrEnum):
    """Kind of operation (AUD-8)."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"


class AuditResult(StrEnum):
    """Outcome (AUD-8)."""

    SUCCESSFUL = "Successful"
    FAILED = "Failed"
