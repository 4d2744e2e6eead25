"""What can differ between two schemas, how bad each is for clients, and why."""

from enum import StrEnum
from typing import NamedTuple

from graphql.utilities.find_schema_changes import BreakingChangeType, DangerousChangeType, SafeChangeType


class Severity(StrEnum):
    """What a difference does to a client that works today, the worst first."""

    BREAKING = "breaking"
    DANGEROUS = "dangerous"
    SAFE = "safe"

    def includes(self, other: "Severity") -> bool:
        """The other one is as bad as this, or worse."""
        ranks = list(Severity)
        return ranks.index(other) <= ranks.index(self)


class Difference(NamedTuple):
    """One difference between two schemas."""

    severity: Severity
    why: str
    """What it does to clients."""
    what: str
    """What changed, and where."""


MEANING = {
    Severity.BREAKING: "a document or client that works today fails",
    Severity.DANGEROUS: "everything still runs, but may answer in a way that a client was not written for",
    Severity.SAFE: "nobody notices who does not ask for it",
}
REFUSED = "A document that uses it is refused."
MUST_BE_GIVEN = "Whoever leaves it out, as every client does today, is refused."
OTHER_VALUES = "Values and variables of the old type are refused, or answers no longer fit generated code."
LEFT_OUT = "Whoever leaves it out gets what it now means; make sure that this is what was done before."
Kind = BreakingChangeType | DangerousChangeType | SafeChangeType
WHY: dict[Kind, str] = {
    BreakingChangeType.TYPE_REMOVED: "A document that names the type is refused.",
    BreakingChangeType.TYPE_CHANGED_KIND: "A document that uses the type as what it was is refused.",
    BreakingChangeType.TYPE_REMOVED_FROM_UNION: "A fragment on the member is refused.",
    BreakingChangeType.VALUE_REMOVED_FROM_ENUM: "Whoever sends the value is refused.",
    BreakingChangeType.REQUIRED_INPUT_FIELD_ADDED: MUST_BE_GIVEN,
    BreakingChangeType.IMPLEMENTED_INTERFACE_REMOVED: "A fragment on the interface finds the type no more.",
    BreakingChangeType.FIELD_REMOVED: "A document that selects the field, or an input that has it, is refused.",
    BreakingChangeType.FIELD_CHANGED_KIND: OTHER_VALUES,
    BreakingChangeType.REQUIRED_ARG_ADDED: MUST_BE_GIVEN,
    BreakingChangeType.ARG_REMOVED: "A document that gives the argument is refused.",
    BreakingChangeType.ARG_CHANGED_KIND: OTHER_VALUES,
    BreakingChangeType.DIRECTIVE_REMOVED: REFUSED,
    BreakingChangeType.DIRECTIVE_ARG_REMOVED: REFUSED,
    BreakingChangeType.REQUIRED_DIRECTIVE_ARG_ADDED: MUST_BE_GIVEN,
    BreakingChangeType.DIRECTIVE_REPEATABLE_REMOVED: "A document that repeats the directive is refused.",
    BreakingChangeType.DIRECTIVE_LOCATION_REMOVED: "A document that has the directive there is refused.",
    DangerousChangeType.VALUE_ADDED_TO_ENUM: "A client may be answered with a value that it does not know.",
    DangerousChangeType.TYPE_ADDED_TO_UNION: "A client may be answered with a type that it has no fragment for.",
    DangerousChangeType.IMPLEMENTED_INTERFACE_ADDED: "What is asked of the interface may be answered with this type.",
    DangerousChangeType.OPTIONAL_INPUT_FIELD_ADDED: LEFT_OUT,
    DangerousChangeType.OPTIONAL_ARG_ADDED: LEFT_OUT,
    SafeChangeType.TYPE_ADDED: "Only documents that name it meet it.",
    SafeChangeType.FIELD_ADDED: "Only documents that select it get it.",
    SafeChangeType.DIRECTIVE_ADDED: "Only documents that use it meet it.",
    SafeChangeType.DIRECTIVE_REPEATABLE_ADDED: "Documents that have it once mean the same.",
    SafeChangeType.DIRECTIVE_LOCATION_ADDED: "Documents that have it elsewhere mean the same.",
    SafeChangeType.OPTIONAL_DIRECTIVE_ARG_ADDED: "Documents without the argument mean the same.",
    SafeChangeType.FIELD_CHANGED_KIND_SAFE: "What clients send is still accepted, what they get still fits.",
    SafeChangeType.ARG_CHANGED_KIND_SAFE: "What clients send is still accepted.",
    SafeChangeType.DESCRIPTION_CHANGED: "Only people read it.",
}
"""What each kind of difference that graphql-core finds means."""
