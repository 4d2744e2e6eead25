"""What a role or an assignment may be called, and which permissions a role may hold (domain.md 7 #24, #27, #43)."""

import re
from collections.abc import Sequence

from app.domain.permissions import CUSTOM_CEILING, NOTHING, PARTNER_CEILING, Permission, union, view_of
from app.domain.refusals import ErrorCode, Refused, invalid_input
from app.domain.text import CONTROL

MAX_NAME = 100
MAX_DESCRIPTION = 1024
BREAKS = re.compile(r"[\t\r\n]")


def read_name(name: str | None, *path: str) -> str:
    """The name without its outer spaces. Raises `Refused` for none, one too long, or one of several lines."""
    read = (name or "").strip()
    if 1 <= len(read) <= MAX_NAME and not CONTROL.search(read):
        return read
    message = f"A name has 1 to {MAX_NAME} characters and no control characters."
    raise invalid_input(message, *path, minimum=1, maximum=MAX_NAME)


def read_description(description: str | None, *path: str) -> str | None:
    """The description without its outer spaces, None for a blank one. Raises `Refused` for one too long."""
    read = (description or "").strip()
    if len(read) > MAX_DESCRIPTION or CONTROL.search(BREAKS.sub("", read)):
        message = (
            f"A description has at most {MAX_DESCRIPTION} characters, line breaks but no other control characters."
        )
        raise invalid_input(message, *path, maximum=MAX_DESCRIPTION)
    return read or None


def ceiling(*, of_partner: bool) -> Permission:
    """What a custom role may hold at most: Table 1, or its Primary admin column for a partner's (#24)."""
    return PARTNER_CEILING if of_partner else CUSTOM_CEILING


def wrong_permissions(asked: Sequence[Permission], most: Permission, *path: str) -> list[Refused]:
    """What is wrong with the permissions of a custom role, at their places in the input."""
    if not asked:
        return [invalid_input("A role has at least one permission.", *path, minimum=1)]
    whole, problems = union(asked), list[Refused]()
    for place, permission in enumerate(asked):
        if permission not in most:
            problems.append(invalid_input(f"{permission.name} cannot be part of this role.", *path, str(place)))
        elif view_of(permission) not in whole:
            message = f"{permission.name} needs {view_of(permission).name} beside it."
            problems.append(invalid_input(message, *path, str(place)))
    return problems


def named(permissions: Permission) -> str | None:
    """The names of the permissions, in the order of Table 1."""
    return ", ".join(str(each.name) for each in permissions) if permissions is not NOTHING else None


def built_in(message: str, *path: str) -> Refused:
    """It belongs to a built-in role, of which this cannot be done (RB-5, PA-7)."""
    return Refused(ErrorCode.INVALID_STATE, message, ("input", *path), state="BUILT_IN", allowed=["CUSTOM"])
