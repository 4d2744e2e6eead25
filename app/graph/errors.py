"""Expected failures as data: each kind with what a client needs to act on it."""

from __future__ import annotations

from typing import Any

import strawberry

from app.domain.permissions import Permission
from app.domain.refusals import ErrorCode, Refused
from app.graph.context import Info
from app.graph.declaring import PART, make, plain, resolved, unannotated, value_type
from app.graph.types import Node, RemovalImpact, load_node, removal_impact


@strawberry.interface(description="Why a change was refused. Nothing of it was done.")
class UserError:
    """Why a change was refused."""

    code: ErrorCode = plain("The kind of failure.")
    message: str = plain("What went wrong, fit for a person to read.")
    path: list[str] = plain('Where in the input, such as `["input", "expiresInDays"]` or `["input", "rooms", "2"]`.')


@value_type("A value that is not accepted.")
class InvalidInput(UserError):
    """A value that is not accepted."""

    min: int | None = plain("The least that is accepted, where there is one.")
    max: int | None = plain("The most that is accepted, where there is one.")


@value_type("There is nothing with this id that you can see; whether it exists is not said.")
class NotFound(UserError):
    """Nothing visible has the id."""


@value_type("You see the object and may not do this to it.")
class Forbidden(UserError):
    """Seen, but not allowed."""

    missing: Permission | None = plain(
        "The permission that you would need on the object; null where no permission would do, as the message says."
    )


async def existing_node(root: strawberry.Parent[Any], info: Info) -> Any:
    """What is in the way."""
    return await load_node(info, root.existing_id)


@value_type("Something that is already there is in the way.")
class Conflict(UserError):
    """Something is in the way."""

    existing: Node | None = resolved(
        unannotated(existing_node), "What is in the way; null if you may not see it.", right=PART
    )


@value_type("The object changed since you read it; read it again and decide anew.")
class StaleVersion(UserError):
    """The object changed meanwhile."""

    current_version: int = plain("The version that it is at now.")


@value_type("The object is in a state in which this cannot be done.")
class InvalidState(UserError):
    """A state in which this cannot be done."""

    state: str = plain("The state that it is in.")
    allowed: list[str] = plain("The states in which it could be done.")


@value_type("A partnership needs at least one person as primary admin.")
class LastPrimaryAdmin(UserError):
    """Nobody would be left as primary admin."""


@value_type("An organization needs at least one person as Manager.")
class LastManager(UserError):
    """Nobody would be left as Manager."""


async def impact(root: strawberry.Parent[Any], info: Info) -> Any:
    """What would end."""
    partnership = await load_node(info, root.partnership_id)
    return None if partnership is None else await removal_impact(partnership, info)


@value_type("Look at what would end, then send the change again with the confirmation.")
class ConfirmationRequired(UserError):
    """The change has to be confirmed."""

    impact: RemovalImpact | None = resolved(
        unannotated(impact), "What would end, and the confirmation to send.", right=PART
    )


@value_type("The idempotency key was used for another input within 24 hours.")
class IdempotencyMismatch(UserError):
    """The key belongs to another input."""


KINDS: dict[ErrorCode, type[UserError]] = {
    ErrorCode.INVALID_INPUT: InvalidInput,
    ErrorCode.NOT_FOUND: NotFound,
    ErrorCode.FORBIDDEN: Forbidden,
    ErrorCode.CONFLICT: Conflict,
    ErrorCode.STALE_VERSION: StaleVersion,
    ErrorCode.INVALID_STATE: InvalidState,
    ErrorCode.LAST_PRIMARY_ADMIN: LastPrimaryAdmin,
    ErrorCode.LAST_MANAGER: LastManager,
    ErrorCode.CONFIRMATION_REQUIRED: ConfirmationRequired,
    ErrorCode.IDEMPOTENCY_MISMATCH: IdempotencyMismatch,
}


def show_refusal(refused: Refused) -> UserError:
    """A refusal as clients see it."""
    return make(
        KINDS[refused.code],
        code=refused.code,
        message=refused.message,
        path=list(refused.path),
        **refused.details,
    )
