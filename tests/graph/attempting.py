"""Changes, asked for as nobody can make them: of things unseen, at a wrong version, unconfirmed, or only tried out.

They are written from the schema, so that a mutation that somebody adds is asked for without anybody's doing. One that
is nevertheless done is found by what it changed: then say in `VALUES` with what it is refused.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    get_named_type,
    get_nullable_type,
)

from tests.graph.crawling import TERMS
from tests.graph.selecting import fragments, payload_parts, possible, type_named

MUTATION = possible(type_named("Mutation"))[0]
LEFT_OUT = ("confirmation", "idempotencyKey")
VALUES: dict[str, Any] = {
    "expectedVersion": 0,
    "dryRun": True,
    "expiresInDays": 3,
    "agreedTermsVersion": TERMS.version,
    "Int": 1,
    "String": "word",
    "Boolean": True,
}
"""What stands in a field of an input, by its name or by its type."""
OF_EACH = 2
"""How many things of the kind that a field is named for are tried, and one of another kind."""


def input_of(name: str) -> GraphQLInputObjectType:
    """What a mutation takes."""
    taken = get_named_type(MUTATION.fields[name].args["input"].type)
    assert isinstance(taken, GraphQLInputObjectType)
    return taken


@cache
def change(name: str) -> str:
    """A document that asks for one change, with its input as the variable, and for everything that is answered."""
    asked = payload_parts(possible(get_named_type(MUTATION.fields[name].type))[0])
    return fragments(f"mutation($input: {input_of(name).name}!) {{ __typename {name}(input: $input) {{ {asked} }} }}")


def attempts(ids: Iterable[str], domains: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every change, with each of the things and domains that fit in turns."""
    ids, domains = sorted(ids), sorted(domains)
    for name in MUTATION.fields:
        fields = {each: field for each, field in input_of(name).fields.items() if each not in LEFT_OUT}
        given = {each: values(each, field, ids, domains) for each, field in fields.items()}
        for turn in range(max(map(len, given.values()))):
            yield change(name), {each: tried[turn % len(tried)] for each, tried in given.items()}


def values(name: str, field: GraphQLInputField, ids: list[str], domains: list[str]) -> list[Any]:
    """What is put into a field of an input, one after the other; a list has everything at once."""
    kind: Any = get_named_type(field.type)
    found: list[Any]
    if isinstance(kind, GraphQLInputObjectType):
        found = [{each: values(each, inner, ids, domains)[0] for each, inner in kind.fields.items()}]
    elif kind.name == "ID":
        found = fitting(name, ids) or ["nothing"]
    elif kind.name == "DomainName":
        found = domains or ["nobody.example"]
    elif isinstance(kind, GraphQLEnumType):
        found = [next(iter(kind.values))]
    else:
        found = [VALUES[name] if name in VALUES else VALUES[kind.name]]
    return [found] if isinstance(get_nullable_type(field.type), GraphQLList) else found


def fitting(name: str, ids: list[str]) -> list[str]:
    """Some of the kind that the field is named for, and one of another kind; or one of each kind."""
    of_kind: dict[str, list[str]] = {}
    for each in ids:
        of_kind.setdefault(each.partition("_")[0], []).append(each)
    wanted = name.lower().removesuffix("s")
    own = [each for kind in list(of_kind) if kind.endswith(wanted) for each in of_kind.pop(kind)]
    others = [found[0] for found in of_kind.values()]
    return [*own[:OF_EACH], *(others[:1] if own else others)]
