"""Permissions, built-in roles and directory roles, and who holds what (domain.md 2)."""

from collections.abc import Iterable
from enum import Enum, Flag, StrEnum, auto


class Permission(Flag):
    """One permission, or a set of them. A member's bit is stored with roles: append, never reorder."""

    ROOMS_VIEW = auto()
    ROOMS_MODIFY = auto()
    ROOMS_RESET_KEY = auto()
    ROOMS_DOWNLOAD_KEY = auto()
    ROOMS_UNENROLL = auto()
    ROOMS_CREATE = auto()
    GROUPS_VIEW = auto()
    GROUPS_MODIFY = auto()
    GROUPS_CREATE = auto()
    RINGS_VIEW = auto()
    RINGS_MODIFY = auto()
    REPORTS_VIEW = auto()
    REPORTS_CREATE_INCIDENT = auto()
    TICKETS_VIEW = auto()
    TICKETS_UPDATE = auto()
    SETTINGS_VIEW = auto()
    SETTINGS_MODIFY = auto()
    ROLES_VIEW = auto()
    ROLES_MODIFY = auto()
    PARTNERS_VIEW = auto()
    PARTNERS_MANAGE = auto()
    INVITATIONS_ANSWER = auto()
    APPROVALS_DECIDE = auto()
    AUDIT_VIEW = auto()
    RINGS_MANAGE = auto()


class Standing(Enum):
    """What lets someone see a thing without holding one certain permission on it (domain.md 2.6)."""

    PARTY = "party"
    """The viewer's organization is a side of it, and the viewer is one of those who may know."""
    NAMED = "named"
    """Something that the viewer sees names it, or it is the viewer's own."""
    ADDRESSEE = "addressee"
    """It was sent to the viewer's organization, whatever became of it, or links it as the partner, and the viewer is
    one of those who answer.
    """
    PRIMARY_ADMIN = "primary admin"
    """The viewer is a primary admin of this very partnership."""
    REQUESTER = "requester"
    """The viewer asked for it, and still takes part in the partnership that it belongs to."""
    PARTNER_MANAGER = "partner manager"
    """The viewer is a Manager of the organization that is the partner in it."""
    ROLE_EDITOR = "role editor"
    """It is a role of the viewer's organization, where the viewer creates and edits roles, not only assigns them."""
    DIRECTORY = "directory"
    """It belongs to the directory of the viewer's tenant, and the viewer may name members."""


Right = Permission | Standing
"""What a thing is seen under."""

NOTHING = Permission(0)


def union(permissions: Iterable[Permission]) -> Permission:
    """All of these permissions as one set."""
    held = NOTHING
    for permission in permissions:
        held |= permission
    return held


def view_of(permission: Permission) -> Permission:
    """What another level of a feature cannot be held without (domain.md 7 #27); itself where nothing is needed.

    Creating a customer incident is the exception: it stands below the reports and needs none of them (#28).
    """
    if permission is Permission.REPORTS_CREATE_INCIDENT:
        return permission
    feature, _, _ = str(permission.name).partition("_")
    return Permission[f"{feature}_VIEW"]


class BuiltInRole(StrEnum):
    """A role that every tenant or partnership has and that nobody can edit or delete (RB-4, PA-1, TM-1)."""

    MANAGER = "MANAGER"
    SITE_LEAD = "SITE_LEAD"
    SITE_TECHNICIAN = "SITE_TECHNICIAN"
    PRIMARY_ADMIN = "PRIMARY_ADMIN"
    TENANT_MANAGER = "TENANT_MANAGER"

    @property
    def label(self) -> str:
        """The name the product gives the role (domain.md 1)."""
        return ROLE_LABELS[self]

    @property
    def permissions(self) -> Permission:
        """Everything that the role grants."""
        return ROLE_PERMISSIONS[self]


ROLE_LABELS = {
    BuiltInRole.MANAGER: "Teams Rooms Pro Manager",
    BuiltInRole.SITE_LEAD: "Site Lead",
    BuiltInRole.SITE_TECHNICIAN: "Site Technician",
    BuiltInRole.PRIMARY_ADMIN: "Primary admin",
    BuiltInRole.TENANT_MANAGER: "Tenant manager",
}

TABLE_1_COLUMNS = (
    BuiltInRole.MANAGER,
    BuiltInRole.SITE_LEAD,
    BuiltInRole.SITE_TECHNICIAN,
    BuiltInRole.PRIMARY_ADMIN,
)

TABLE_1: dict[Permission, tuple[int, int, int, int]] = {
    Permission.ROOMS_VIEW: (1, 1, 1, 1),
    Permission.ROOMS_MODIFY: (1, 1, 1, 1),
    Permission.ROOMS_RESET_KEY: (1, 0, 0, 0),
    Permission.ROOMS_DOWNLOAD_KEY: (1, 1, 1, 0),
    Permission.ROOMS_UNENROLL: (1, 1, 1, 0),
    Permission.ROOMS_CREATE: (1, 1, 0, 0),
    Permission.GROUPS_VIEW: (1, 1, 0, 1),
    Permission.GROUPS_MODIFY: (1, 1, 0, 0),
    Permission.GROUPS_CREATE: (1, 1, 0, 0),
    Permission.RINGS_VIEW: (1, 1, 0, 1),
    Permission.RINGS_MODIFY: (1, 1, 0, 1),
    Permission.REPORTS_VIEW: (1, 1, 0, 1),
    Permission.REPORTS_CREATE_INCIDENT: (1, 1, 1, 1),
    Permission.TICKETS_VIEW: (1, 1, 1, 1),
    Permission.TICKETS_UPDATE: (1, 1, 1, 1),
    Permission.SETTINGS_VIEW: (1, 0, 0, 0),
    Permission.SETTINGS_MODIFY: (1, 0, 0, 0),
    Permission.ROLES_VIEW: (1, 0, 0, 1),
    Permission.ROLES_MODIFY: (1, 0, 0, 1),
}
"""Table 1 of the product's page, cell by cell: Manager, Site Lead, Site Technician, Primary admin (domain.md 2.5)."""

DERIVED = union(set(Permission) - set(TABLE_1))
"""Held by the Manager, never part of a custom role (domain.md 2.3)."""

CUSTOM_CEILING = union(TABLE_1)
"""What a customer's custom role may hold: the 19 permissions of Table 1."""

ROLE_PERMISSIONS = {
    role: union(permission for permission, cells in TABLE_1.items() if cells[column])
    for column, role in enumerate(TABLE_1_COLUMNS)
}
ROLE_PERMISSIONS[BuiltInRole.MANAGER] |= DERIVED
ROLE_PERMISSIONS[BuiltInRole.TENANT_MANAGER] = Permission.INVITATIONS_ANSWER

PARTNER_CEILING = ROLE_PERMISSIONS[BuiltInRole.PRIMARY_ADMIN]
"""What a partner's custom role may hold: the Primary admin column (domain.md 7 #24)."""


class DirectoryRole(StrEnum):
    """An Entra role that counts in its home tenant. The value is Entra's template id, as tokens carry it in `wids`."""

    GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
    TEAMS_ADMINISTRATOR = "69091246-20e8-4a56-aa4d-066075b2a7a8"
    TEAMS_DEVICES_ADMINISTRATOR = "3d762c5a-1b6c-493f-843e-55a3b42923d4"
    GLOBAL_READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"

    @property
    def label(self) -> str:
        """The role's name in Entra."""
        return self.name.replace("_", " ").title()

    @property
    def permissions(self) -> Permission:
        """Everything that the role grants over all rooms of its home tenant."""
        return DIRECTORY_PERMISSIONS[self]


DIRECTORY_COLUMNS = tuple(DirectoryRole)

DIRECTORY_TABLE: dict[Permission, tuple[int, int, int, int]] = {
    Permission.ROOMS_VIEW: (1, 1, 1, 1),
    Permission.ROOMS_MODIFY: (1, 1, 1, 0),
    Permission.ROOMS_RESET_KEY: (1, 1, 1, 0),
    Permission.ROOMS_DOWNLOAD_KEY: (1, 1, 1, 0),
    Permission.ROOMS_UNENROLL: (1, 1, 1, 0),
    Permission.ROOMS_CREATE: (1, 1, 1, 0),
    Permission.GROUPS_VIEW: (1, 1, 1, 1),
    Permission.GROUPS_MODIFY: (1, 1, 1, 0),
    Permission.GROUPS_CREATE: (1, 1, 1, 0),
    Permission.RINGS_VIEW: (1, 1, 1, 1),
    Permission.RINGS_MODIFY: (1, 1, 1, 0),
    Permission.RINGS_MANAGE: (1, 1, 1, 0),
    Permission.REPORTS_VIEW: (1, 1, 1, 1),
    Permission.REPORTS_CREATE_INCIDENT: (1, 1, 1, 0),
    Permission.TICKETS_VIEW: (1, 1, 1, 1),
    Permission.TICKETS_UPDATE: (1, 1, 1, 0),
    Permission.SETTINGS_VIEW: (1, 1, 1, 0),
    Permission.SETTINGS_MODIFY: (1, 1, 1, 0),
    Permission.ROLES_VIEW: (1, 1, 0, 1),
    Permission.ROLES_MODIFY: (1, 1, 0, 0),
    Permission.PARTNERS_VIEW: (1, 1, 1, 1),
    Permission.PARTNERS_MANAGE: (1, 0, 0, 0),
    Permission.INVITATIONS_ANSWER: (1, 0, 0, 0),
    Permission.APPROVALS_DECIDE: (1, 0, 0, 0),
    Permission.AUDIT_VIEW: (1, 0, 0, 0),
}
"""Global Administrator, Teams Administrator, Teams Devices Administrator, Global Reader (domain.md 2.3)."""

DIRECTORY_PERMISSIONS = {
    role: union(permission for permission, cells in DIRECTORY_TABLE.items() if cells[column])
    for column, role in enumerate(DIRECTORY_COLUMNS)
}
