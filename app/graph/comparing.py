"""What a change of the schema means for clients: every difference as breaking, dangerous or safe, and why.

graphql-core finds what changed in types, fields and arguments; the rest is found here and in `overlooked`.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NoReturn

from graphql import (
    GraphQLDirective,
    GraphQLError,
    GraphQLSchema,
    OperationType,
    Source,
    build_ast_schema,
    parse,
    specified_scalar_types,
    validate_schema,
)
from graphql.utilities import find_schema_changes
from graphql.utilities.find_schema_changes import BreakingChangeType, DangerousChangeType, SafeChangeType
from graphql.validation.validate import validate_sdl

from app.domain.refusals import CommandRefused
from app.graph.coordinates import coordinates, is_executable
from app.graph.differences import MEANING, REFUSED, WHY, Difference, Kind, Severity
from app.graph.overlooked import defaults, deprecations, directives, formats

MAX_PROBLEMS = 5
"""Of a file that is no schema, so many problems are told."""
SEVERITIES = {
    BreakingChangeType: Severity.BREAKING,
    DangerousChangeType: Severity.DANGEROUS,
    SafeChangeType: Severity.SAFE,
}
FOUND_HERE: set[Kind] = {
    DangerousChangeType.ARG_DEFAULT_VALUE_CHANGE,
    DangerousChangeType.INPUT_FIELD_DEFAULT_VALUE_CHANGE,
    SafeChangeType.ARG_DEFAULT_VALUE_ADDED,
    SafeChangeType.INPUT_FIELD_DEFAULT_VALUE_ADDED,
}
"""What graphql-core finds too, without seeing that a default made an argument optional or a type changed with it."""


def read_schema(raw: bytes, name: str) -> GraphQLSchema:
    """The schema that a file holds. Raises `CommandRefused`, saying what is wrong at which line and column."""
    try:
        document = parse(Source(raw.decode(), name))
    except UnicodeDecodeError as error:
        raise CommandRefused(f"{name} is not UTF-8 at byte {error.start}") from None
    except GraphQLError as error:
        refuse([error], name)
    if problems := validate_sdl(document):
        refuse(problems, name)
    schema = build_ast_schema(document, assume_valid_sdl=True)
    if problems := validate_schema(schema):
        refuse(problems, name)
    return schema


def refuse(problems: Sequence[GraphQLError], name: str) -> NoReturn:
    """Raise `CommandRefused` for a file that holds no schema."""
    told = [place(problem, name) for problem in problems[:MAX_PROBLEMS]]
    more = len(problems) - len(told)
    lines = ["not a schema as `gateway schema print` writes it:", *told, *([f"and {more} more"] if more else [])]
    raise CommandRefused("\n".join(lines))


def place(problem: GraphQLError, name: str) -> str:
    """A problem of a file and where it is."""
    where = "".join(f":{spot.line}:{spot.column}" for spot in (problem.locations or ())[:1])
    return f"{name}{where}: {problem.message}"


def compare(old: GraphQLSchema, new: GraphQLSchema, *, with_descriptions: bool = False) -> list[Difference]:
    """Every difference, the worst first; of descriptions only if asked."""
    found = [*changed(old, new, with_descriptions=with_descriptions), *roots(old, new), *of_schemas_only(old, new)]
    before, after = coordinates(old), coordinates(new)
    for where in before.keys() & after.keys():
        for look in (defaults, deprecations, directives, formats):
            found += look(where, before[where], after[where])
    order = {severity: rank for rank, severity in enumerate(Severity)}
    return sorted(found, key=lambda each: (order[each.severity], each.why, each.what))


def changed(old: GraphQLSchema, new: GraphQLSchema, *, with_descriptions: bool) -> Iterator[Difference]:
    """What graphql-core finds, and what it leaves out of the descriptions."""
    passed = FOUND_HERE if with_descriptions else FOUND_HERE | {SafeChangeType.DESCRIPTION_CHANGED}
    for kind, what in find_schema_changes(as_documents_meet(old), as_documents_meet(new)):
        if kind not in passed:
            yield Difference(SEVERITIES[type(kind)], WHY[kind], what)
    if with_descriptions and old.description != new.description:
        yield Difference(
            Severity.SAFE, WHY[SafeChangeType.DESCRIPTION_CHANGED], "The description of the whole schema was changed."
        )


def as_documents_meet(schema: GraphQLSchema) -> GraphQLSchema:
    """The schema with those directives alone that a document can carry, and all scalars that GraphQL brings.

    Such a scalar comes and goes with the fields of its type, and is no difference beside theirs.
    """
    parts = schema.to_kwargs()
    parts["directives"] = tuple(filter(is_executable, schema.directives))
    parts["types"] = (*(parts["types"] or ()), *specified_scalar_types.values())
    return GraphQLSchema(**parts)


def of_schemas_only(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Difference]:
    """Definitions of directives that only a schema can carry."""
    before, after = (
        {each.name: signature(each) for each in schema.directives if not is_executable(each)} for schema in (old, new)
    )
    why = "No document can carry it; where the schema does is told by itself."
    for name in before.keys() | after.keys():
        if name not in after:
            yield Difference(Severity.SAFE, why, f"Directive @{name} was removed.")
        elif name not in before:
            yield Difference(Severity.SAFE, why, f"Directive @{name} was added.")
        elif before[name] != after[name]:
            yield Difference(Severity.SAFE, why, f"Directive @{name} is defined otherwise: `{after[name]}`.")


def signature(directive: GraphQLDirective) -> str:
    """The definition of a directive without descriptions, its parts in order."""
    node = directive.ast_node
    if node is None:
        return directive.name
    arguments = ", ".join(sorted(f"{name}: {each.type}" for name, each in directive.args.items()))
    locations = " | ".join(sorted(each.name for each in directive.locations))
    return f"@{directive.name}({arguments}){' repeatable' * directive.is_repeatable} on {locations}"


def roots(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Difference]:
    """The types that operations begin at."""
    for operation in OperationType:
        before, after = old.get_root_type(operation), new.get_root_type(operation)
        name = operation.value
        if before and not after:
            yield Difference(Severity.BREAKING, REFUSED, f"There is no {name} any more.")
        elif after and not before:
            yield Difference(Severity.SAFE, WHY[SafeChangeType.TYPE_ADDED], f"There is a {name} now: {after}.")
        elif before and after and before.name != after.name:
            yield Difference(Severity.BREAKING, REFUSED, f"A {name} begins at {after}, no longer at {before}.")


def report(differences: Sequence[Difference]) -> Iterator[str]:
    """The differences for a person to read: grouped by what they mean, with why it matters, and counted."""
    for severity, same in groupby(differences, lambda each: each.severity):
        group = list(same)
        yield f"{severity.upper()}: {len(group)}, {MEANING[severity]}"
        for why, alike in groupby(group, lambda each: each.why):
            yield f"  {why}"
            yield from (f"    - {each.what}" for each in alike)
        yield ""
    counts = Counter(each.severity for each in differences)
    yield ", ".join(f"{counts[severity]} {severity}" for severity in Severity)
