"""Random documents with their variables: much nesting, many fragments, aliases, variables, skipped and included parts.

A document is drawn from the schema, field by field. What fields are given in arguments comes from what there is in the
demo world, now and then from what there is not, so that lists are found, narrowed, paged and refused. What is refused
is answered by no plan, and says nothing of one: it has to be the rarer.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_required_argument,
)

from tests.graph.selecting import SCHEMA, is_connection, is_leaf, possible, type_named

MAX_DEPTH = 7
MAX_FIELDS = 4
NEVER = {"confirmation"}
"""Sealed anew whenever it is asked for."""
SIZED = {"first", "last"}
"""Both together are refused."""
PLACED = {"after", "before"}
"""What a list answers is refused by the same list if it is narrowed or sorted."""
SIZES = (1, 2, 3, 5, 20)
WRONG = ("", "x", "room_x", "50", "000000000000_61_01a2076b-4400-70ce-ac79-7f6c3b0e1019")
DAYS = ("2026-11-22", "2026-11-23", "2027-01-01", "9999-12-31", "2026-02-30")
WORDS = ("zür", "kr", "saal", "no", "1", "contoso", "%_")


@dataclass(frozen=True)
class Request:
    """A document and what is sent with it."""

    query: str
    variables: dict[str, Any]


@dataclass
class Drawing:
    """One document on its way."""

    random: Random
    ids: list[str]
    cursors: dict[str, list[str]]
    """Of each list, by the field that answers it."""
    declared: dict[str, str] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)
    spread: dict[str, list[str]] = field(default_factory=dict)
    """Fragments that there are already, by the type they are on."""
    said: dict[str, int] = field(default_factory=dict)
    """The arguments that fields were given, numbered."""

    def one_in(self, number: int) -> bool:
        return self.random.randrange(number) == 0

    def pick(self, choices: Any) -> Any:
        return self.random.choice(list(choices))

    # --- values --------------------------------------------------------------------------------------------------

    def value(self, name: str, kind: GraphQLInputType) -> Any:
        """A value for an argument or an input's field."""
        if self.one_in(100 if isinstance(kind, GraphQLNonNull) else 12):
            return None
        kind = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if isinstance(kind, GraphQLList):
            return [self.value(name, kind.of_type) for _ in range(self.pick((0, 1, 1, 2, 3)))]
        if isinstance(kind, GraphQLEnumType):
            return Word(self.pick(kind.values))
        if isinstance(kind, GraphQLInputObjectType):
            return self.input(kind)
        return self.scalar(name, get_named_type(kind).name)

    def input(self, kind: GraphQLInputObjectType) -> dict[str, Any]:
        chosen = {name for name, each in kind.fields.items() if isinstance(each.type, GraphQLNonNull)}
        chosen |= {self.pick(kind.fields) for _ in range(self.pick((0, 1, 1, 2)))}
        return {name: self.value(name, kind.fields[name].type) for name in kind.fields if name in chosen}

    def scalar(self, name: str, kind: str) -> Any:
        if kind == "ID":
            return self.pick(WRONG) if self.one_in(8) else self.pick(self.ids)
        if kind == "Int":
            return self.pick((0, -1, 101, 10_001)) if self.one_in(25) else self.pick(SIZES)
        return self.pick(DAYS if kind == "Date" else WORDS)

    def cursor(self, asked: str) -> str | None:
        """Mostly one that this field has answered."""
        if self.one_in(8):
            return None
        if self.one_in(12):
            return str(self.pick((*WRONG, *map(self.pick, self.cursors.values()))))
        return str(self.pick(self.cursors[asked]))

    def argument(self, asked: str, name: str, argument: GraphQLArgument) -> str:
        """An argument as it is written, its value sometimes in a variable."""
        value = self.cursor(asked) if name in PLACED else self.value(name, argument.type)
        if value is None and isinstance(argument.type, GraphQLNonNull):
            value = self.pick(self.ids)
        if self.one_in(2):
            variable = f"v{len(self.declared)}"
            self.declared[variable] = str(argument.type)
            self.variables[variable] = plain(value)
            return f"{name}: ${variable}"
        return f"{name}: {written(value)}"

    def arguments(self, asked: str, definition: GraphQLField) -> str:
        chosen = {name for name in definition.args if self.one_in(4)}
        if not self.one_in(20):
            chosen -= PLACED if chosen - PLACED else set()
            chosen -= SIZED
        if definition.args.keys() >= SIZED and not self.one_in(4):
            chosen.add(self.pick(("first", "last")))
        said = [
            self.argument(asked, name, argument)
            for name, argument in definition.args.items()
            if is_required_argument(argument) or name in chosen
        ]
        return f"({', '.join(said)})" if said else ""

    def directive(self) -> str:
        """Sometimes what skips or includes a selection, said or by a variable."""
        if not self.one_in(10):
            return ""
        name, value = self.pick(("skip", "include")), self.pick((True, False))
        if self.one_in(2):
            return f" @{name}(if: {str(value).lower()})"
        variable = f"v{len(self.declared)}"
        self.declared[variable], self.variables[variable] = "Boolean!", value
        return f" @{name}(if: ${variable})"

    # --- selections ----------------------------------------------------------------------------------------------

    def field(self, owner: GraphQLObjectType, name: str, depth: int) -> str:
        """One field. Those with other arguments have another alias, so that all can stand beside each other."""
        definition = owner.fields[name]
        arguments = self.arguments(f"{owner.name}.{name}", definition)
        place = self.said.setdefault(arguments, len(self.said))
        alias = f"{name}{place}_{owner.name}: " if arguments or self.one_in(10) else ""
        below = "" if is_leaf(definition) else f" {{ {self.selection(get_named_type(definition.type), depth + 1)} }}"
        return f"{alias}{name}{arguments}{self.directive()}{below}"

    def fields(self, kind: GraphQLObjectType, depth: int) -> str:
        names = [name for name in kind.fields if name not in NEVER]
        leaves = [name for name in names if is_leaf(kind.fields[name])]
        if depth >= MAX_DEPTH:
            return " ".join(["__typename", *(self.pick(leaves) for _ in range(2) if leaves)])
        names += [name for name in names if name == ("nodes" if is_connection(kind) else "viewer")] * 4
        chosen = [self.pick(names) for _ in range(self.random.randint(1, MAX_FIELDS))]
        return " ".join(self.field(kind, name, depth) for name in chosen)

    def selection(self, kind: GraphQLNamedType, depth: int) -> str:
        """What is selected of something of this type, spread over fragments now and then."""
        if isinstance(kind, GraphQLObjectType):
            if self.one_in(6):
                return f"{self.fragment(kind, depth)} {self.fields(kind, depth)}"
            return self.fields(kind, depth)
        some = [each for each in possible(kind) if self.one_in(3)] or [self.pick(possible(kind))]
        parts = (f"... on {each.name}{self.directive()} {{ {self.fields(each, depth)} }}" for each in some)
        return " ".join(["__typename", *parts])

    def fragment(self, kind: GraphQLObjectType, depth: int) -> str:
        known = self.spread.setdefault(kind.name, [])
        if known and self.one_in(2):
            return f"...{self.pick(known)}{self.directive()}"
        body = self.fields(kind, max(depth, MAX_DEPTH - 2))
        name = f"F{len(self.fragments)}"
        self.fragments.append(f"fragment {name} on {kind.name} {{ {body} }}")
        known.append(name)
        return f"...{name}{self.directive()}"

    def request(self) -> Request:
        body = self.selection(type_named("Query"), 0)
        declared = ", ".join(f"${name}: {kind}" for name, kind in self.declared.items())
        text = f"query Drawn{f'({declared})' if declared else ''} {{ {body} }} {' '.join(self.fragments)}"
        return Request(text, self.variables)


class Word(str):
    """A word of an enum, which is written without quotes."""

    __slots__ = ()


def written(value: Any) -> str:
    """A value as a literal."""
    if isinstance(value, Word):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {written(each)}' for name, each in value.items())}}}"
    return orjson.dumps(value).decode()


def plain(value: Any) -> Any:
    """A value as a variable carries it."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return str(value) if isinstance(value, Word) else value


__all__ = ["SCHEMA", "Drawing", "Request"]
