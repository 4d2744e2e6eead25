"""The mutations of a room."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from app.graph.changing import (
    APPROVAL,
    ERRORS,
    IDEMPOTENCY,
    INPUT,
    VERSION,
    change_by,
    chosen,
    optional,
    required,
    result,
)
from app.graph.context import Info
from app.graph.declaring import plain, value_type
from app.graph.errors import UserError
from app.graph.types import ApprovalRequest, Room
from app.operations.rooms import UpdateRoom


@strawberry.input(description="Where a room is. What you leave out stays; null clears.")
class LocationInput:
    """Where a room is."""

    country_or_region: str | None = chosen("Country or region.")
    state: str | None = chosen("State or province.")
    city: str | None = chosen("City.")
    postal_code: str | None = chosen("Postal code.")
    street: str | None = chosen("Street and number.")
    campus: str | None = chosen("Campus.")
    building: str | None = chosen("Building.")
    floor: str | None = chosen("Floor, as a number where there is one.")
    floor_label: str | None = chosen("What the floor is called, such as `LG`.")


@strawberry.input(description="Changes of a room. What you leave out stays; null clears.")
class UpdateRoomInput:
    """Changes of a room."""

    room: strawberry.ID = required("The room.")
    expected_version: int = required(VERSION)
    label: str | None = chosen("Short code on the door or in plans, at most 256 characters.")
    nickname: str | None = chosen("What people call the room, at most 256 characters.")
    capacity: int | None = chosen("Number of seats, 0 or more.")
    tags: list[str] | None = chosen("All tags of the room from now on, at most 100.")
    location: LocationInput | None = chosen("Where the room is.")
    idempotency_key: str | None = optional(IDEMPOTENCY)


@value_type("What became of the room: changed, held for approval, or refused.")
class UpdateRoomPayload:
    """What became of the room."""

    room: Room | None = result("room", "The room; null if the change was held or refused.")
    approval_request: ApprovalRequest | None = result("approval_request", APPROVAL)
    errors: list[UserError] = plain(ERRORS)


async def update_room(info: Info, input: Annotated[UpdateRoomInput, INPUT]) -> Any:  # noqa: A002
    """Change a room."""
    return await change_by(info, UpdateRoomPayload, input, UpdateRoom)
