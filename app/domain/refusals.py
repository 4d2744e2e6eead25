"""The two ways of saying no: a problem of the request, and an expected failure of a change."""

from collections.abc import Sequence
from enum import StrEnum

from app.domain.permissions import Permission


class ProblemCode(StrEnum):
    """The closed list of codes of top-level errors."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    UNKNOWN_TENANT = "UNKNOWN_TENANT"
    FORBIDDEN = "FORBIDDEN"
    BAD_REQUEST = "BAD_REQUEST"
    PARSE_FAILED = "PARSE_FAILED"
    VALIDATION_FAILED = "VALIDATION_FAILED"
    BAD_ARGUMENT = "BAD_ARGUMENT"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    TIMEOUT = "TIMEOUT"
    INTERNAL = "INTERNAL"


class Problem(Exception):
    """A request that cannot be answered as asked. The message is for the client: what was wrong and what is accepted.

    `details` are further machine-readable extensions, such as `limit`, `asked`, `allowed`, `argument`, `min`, `max`.
    """

    def __init__(self, code: ProblemCode, message: str, **details: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


def bad_argument(argument: str, message: str, **bounds: object) -> Problem:
    """A field argument whose value is not accepted; `bounds` say what would be."""
    return Problem(ProblemCode.BAD_ARGUMENT, message, argument=argument, **bounds)


class CommandRefused(Exception):
    """What an operator asked for cannot be done, and nothing was changed. The message is for the operator."""


class ErrorCode(StrEnum):
    """Why a change was refused."""

    INVALID_INPUT = "INVALID_INPUT"
    NOT_FOUND = "NOT_FOUND"
    FORBIDDEN = "FORBIDDEN"
    CONFLICT = "CONFLICT"
    STALE_VERSION = "STALE_VERSION"
    INVALID_STATE = "INVALID_STATE"
    LAST_PRIMARY_ADMIN = "LAST_PRIMARY_ADMIN"
    LAST_MANAGER = "LAST_MANAGER"
    CONFIRMATION_REQUIRED = "CONFIRMATION_REQUIRED"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"


RECORDED = frozenset({"FORBIDDEN", "CONFLICT", "INVALID_STATE", "LAST_PRIMARY_ADMIN", "LAST_MANAGER"})
"""Codes of refusals that belong on the record (AUD-9, domain.md 7 #61): somebody tried what is not theirs to do, or
what the rules or the state of the object forbid. All others are slips of a client, steps of a dialog, or about what
the caller cannot see."""

Path = tuple[str, ...]
"""Where in the input: `("input", "rooms", "2")`."""


class Refused(Exception):
    """An expected failure of a change, which leaves nothing behind. The message is fit for a person.

    `details` are what the error's own type carries, such as `minimum`, `missing`, `existing`, `current_version`.
    """

    def __init__(self, code: ErrorCode, message: str, path: Path = ("input",), **details: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.path = path
        self.details = details


class RefusedTogether(Exception):
    """Several failures of one change, told at once so that a form can show them all."""

    def __init__(self, refusals: Sequence[Refused]) -> None:
        super().__init__("; ".join(refusal.message for refusal in refusals))
        self.refusals = tuple(refusals)


def to_record(refusals: Sequence[Refused]) -> Refused | None:
    """The refusal for which the attempt belongs on the record, None if there is none."""
    return next((refusal for refusal in refusals if refusal.code in RECORDED), None)


def not_found(*path: str) -> Refused:
    """Nothing that the viewer can see has this id; whether it exists is not said."""
    return Refused(ErrorCode.NOT_FOUND, "There is nothing with this id that you can see.", ("input", *path))


def forbidden(missing: Permission, *path: str, message: str | None = None) -> Refused:
    """The viewer sees it and may not do this to it; the message says who may, where the permission alone does not."""
    said = message or f"You need {missing.name} on this object."
    return Refused(ErrorCode.FORBIDDEN, said, ("input", *path), missing=missing)


def forbidden_to(message: str, *path: str) -> Refused:
    """The viewer sees it, and no permission would let the viewer do this to it; the message says who may."""
    return Refused(ErrorCode.FORBIDDEN, message, ("input", *path), missing=None)


def invalid_input(message: str, *path: str, minimum: int | None = None, maximum: int | None = None) -> Refused:
    """A value that is not accepted, with its bounds where it has some."""
    return Refused(ErrorCode.INVALID_INPUT, message, ("input", *path), min=minimum, max=maximum)


def stale(current_version: int) -> Refused:
    """Somebody changed the object since the client read it."""
    message = f"This was changed in the meantime; it is at version {current_version} now."
    return Refused(ErrorCode.STALE_VERSION, message, ("input", "expectedVersion"), current_version=current_version)


def check_version(current: int, expected: int | None) -> None:
    """Returns if the client knows the object as it is. Raises `Refused` with STALE_VERSION."""
    if expected is not None and expected != current:
        raise stale(current)
