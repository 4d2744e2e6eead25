"""Who asks, and how that reaches a statement."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Final

from sqlalchemy import BindParameter, Integer, bindparam

from app.domain.audit import READABLE
from app.domain.moments import print_instant
from app.domain.permissions import NOTHING, DirectoryRole, Permission, union
from app.domain.vocabulary import PrincipalKind
from app.storage.columns import text


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks: a user or application of a tenant. Group membership always comes from the stored directory."""

    tenant_id: str
    principal_id: str
    kind: PrincipalKind = PrincipalKind.USER
    directory_roles: frozenset[DirectoryRole] = frozenset()
    values: dict[str, str | int] = field(init=False, compare=False, repr=False)
    """What tells a statement who asks."""

    def __post_init__(self) -> None:
        values: dict[str, str | int] = {
            VIEWER_TENANT.key: self.tenant_id,
            VIEWER_PRINCIPAL.key: self.principal_id,
            VIEWER_KIND.key: self.kind.value,
            VIEWER_DIRECTORY.key: self.directory.value,
        }
        object.__setattr__(self, "values", values)

    @property
    def directory(self) -> Permission:
        """What the directory roles grant over everything of the home tenant. An application has none."""
        if self.kind is not PrincipalKind.USER:
            return NOTHING
        return granted_by(self.directory_roles)


@cache
def granted_by(roles: frozenset[DirectoryRole]) -> Permission:
    """What these roles grant together."""
    return union(role.permissions for role in roles)


@dataclass(frozen=True, slots=True)
class Caller:
    """The viewer, with what the token says beside: names for display only, and whether it is a guest's."""

    viewer: Viewer
    display_name: str
    user_principal_name: str | None
    guest: bool = False


class System(Enum):
    """The gateway itself, where a command acts and nobody asked."""

    SYSTEM = "SYSTEM"


SYSTEM: Final = System.SYSTEM
Actor = Viewer | System
"""Who makes a change."""


VIEWER_TENANT: BindParameter[str] = bindparam("viewer_tenant", type_=text())
VIEWER_PRINCIPAL: BindParameter[str] = bindparam("viewer_principal", type_=text())
VIEWER_KIND: BindParameter[str] = bindparam("viewer_kind", type_=text())
VIEWER_DIRECTORY: BindParameter[int] = bindparam("viewer_directory", type_=Integer())
MOMENT: BindParameter[str] = bindparam("moment", type_=text())
AUDIT_SINCE: BindParameter[str] = bindparam("audit_since", type_=text())
"""What was recorded earlier than this cannot be read any more."""

MOMENTS = frozenset({MOMENT.key, AUDIT_SINCE.key})


def binds(viewer: Viewer, moment: datetime) -> dict[str, str | int]:
    """The values that every statement made from `visible` is run with; those of `MOMENTS` are of the moment."""
    return viewer.values | {
        MOMENT.key: print_instant(moment),
        AUDIT_SINCE.key: print_instant(moment - READABLE),
    }
