"""The two ways of saying no: a problem of the request, and an expected failure of a change."""

from enum import StrEnum


class ProblemCode(StrEnum):
    """The closed list of codes of top-level errors."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    UNKNOWN_TENANT = "UNKNOWN_TENANT"
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
