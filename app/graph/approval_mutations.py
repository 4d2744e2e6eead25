"""The mutations of a held change: approve, reject, take back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import strawberry

from app.graph.changing import ERRORS, IDEMPOTENCY, INPUT, VERSION, change, optional, required, result
from app.graph.context import Info
from app.graph.declaring import plain, value_type
from app.graph.errors import UserError
from app.graph.types import ApprovalRequest
from app.operations.deciding import approve_request, cancel_request, reject_request
from app.operations.work import Work

REQUEST = "A held change that is pending."
COMMENT = "What you want to say about it, at most 1024 characters."


@strawberry.input(description="A held change to approve.")
class ApproveRequestInput:
    """A held change to approve."""

    request: strawberry.ID = required(REQUEST)
    expected_version: int | None = optional(VERSION)
    comment: str | None = optional(COMMENT)
    idempotency_key: str | None = optional(IDEMPOTENCY)


@strawberry.input(description="A held change to reject.")
class RejectRequestInput:
    """A held change to reject."""

    request: strawberry.ID = required(REQUEST)
    expected_version: int | None = optional(VERSION)
    comment: str | None = optional(COMMENT)
    idempotency_key: str | None = optional(IDEMPOTENCY)


@strawberry.input(description="A held change to take back.")
class CancelRequestInput:
    """A held change to take back."""

    request: strawberry.ID = required("A held change that you asked for.")
    expected_version: int | None = optional(VERSION)
    idempotency_key: str | None = optional(IDEMPOTENCY)


@value_type("What became of the held change.")
class ApproveRequestPayload:
    """What became of the held change."""

    approval_request: ApprovalRequest | None = result(
        "approval_request",
        "The request: `APPROVED` and done, or `FAILED` with the reason if it could not be done any more; null if you "
        "were refused.",
    )
    errors: list[UserError] = plain(ERRORS)


@value_type("What became of the held change.")
class RejectRequestPayload:
    """What became of the held change."""

    approval_request: ApprovalRequest | None = result("approval_request", "The request; null if you were refused.")
    errors: list[UserError] = plain(ERRORS)


@value_type("What became of the held change.")
class CancelRequestPayload:
    """What became of the held change."""

    approval_request: ApprovalRequest | None = result("approval_request", "The request; null if you were refused.")
    errors: list[UserError] = plain(ERRORS)


async def approve(info: Info, input: Annotated[ApproveRequestInput, INPUT]) -> Any:  # noqa: A002
    """Approve a held change."""

    async def operate(work: Work) -> Mapping[str, Any]:
        version, comment = input.expected_version, input.comment
        decided = await approve_request(work, request=input.request, expected_version=version, comment=comment)
        return {"approval_request": decided}

    return await change(info, ApproveRequestPayload, input, operate)


async def reject(info: Info, input: Annotated[RejectRequestInput, INPUT]) -> Any:  # noqa: A002
    """Reject a held change."""

    async def operate(work: Work) -> Mapping[str, Any]:
        version, comment = input.expected_version, input.comment
        decided = await reject_request(work, request=input.request, expected_version=version, comment=comment)
        return {"approval_request": decided}

    return await change(info, RejectRequestPayload, input, operate)


async def cancel(info: Info, input: Annotated[CancelRequestInput, INPUT]) -> Any:  # noqa: A002
    """Take back a held change."""

    async def operate(work: Work) -> Mapping[str, Any]:
        version = input.expected_version
        return {"approval_request": await cancel_request(work, request=input.request, expected_version=version)}

    return await change(info, CancelRequestPayload, input, operate)
