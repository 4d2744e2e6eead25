"""What somebody asks who tries to learn of others: their ids in every argument, their cursors, words of theirs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLArgument, GraphQLInputField, GraphQLInputObjectType, get_named_type, is_required_argument

from tests.graph.selecting import Entrance, entrances, is_connection

MINIMAL = "__typename nodes { __typename ... on Node { id } } edges { cursor } pageInfo { startCursor }"
KINDS = {
    "customer": ("tenant",),
    "userTenant": ("tenant",),
    "partnership": ("partnership",),
    "group": ("roomgroup",),
    "ring": ("updatering",),
    "user": ("user",),
}
"""Which ids fit an argument of this name; for all others every kind is tried."""
PAGING = ("after", "before")


@dataclass(frozen=True)
class Argument:
    """A place in the arguments of a field, and the type of what belongs there."""

    entrance: Entrance
    path: tuple[str, ...]
    kind: str

    def field(self, alias: str, value: str) -> str:
        """The field with this value in this place."""
        written = f'"{value}"'
        for name in reversed(self.path[1:]):
            written = f"{{ {name}: {written} }}"
        return f"{alias}: {self.entrance.name}({self.path[0]}: {written}{self.others()}) {{ {self.selection()} }}"

    def others(self) -> str:
        """What else the field has to be given."""
        required = [name for name, each in self.entrance.field.args.items() if is_required_argument(each)]
        return "".join(f", {name}: ROOMS_VIEW" for name in required if name != self.path[0])

    def selection(self) -> str:
        if is_connection(get_named_type(self.entrance.field.type)):
            return MINIMAL
        return "__typename allowed reason grants { roleName assignmentName }"


def arguments(kind: str) -> list[Argument]:
    """Every argument below `viewer` of this type, also inside of filters."""
    return [each for entrance in entrances() if entrance.is_below_viewer for each in of_field(entrance, kind)]


def of_field(entrance: Entrance, kind: str) -> Iterator[Argument]:
    def look(given: dict[str, Any], path: tuple[str, ...]) -> Iterator[Argument]:
        for name, argument in given.items():
            yield from inside((*path, name), argument)

    def inside(path: tuple[str, ...], argument: GraphQLArgument | GraphQLInputField) -> Iterator[Argument]:
        of = get_named_type(argument.type)
        if isinstance(of, GraphQLInputObjectType):
            yield from look(of.fields, path)
        elif of.name == kind:
            yield Argument(entrance, path, of.name)

    return look(entrance.field.args, ())


def with_ids(unseen: Iterable[str]) -> list[str]:
    """Fields with the id of something unseen in every argument that takes one: one that fits, or one of each kind."""
    of_kind = {identifier.partition("_")[0]: identifier for identifier in sorted(unseen)}
    tried = {place: KINDS.get(place.path[-1], of_kind) for place in arguments("ID")}
    values = [(place, of_kind[kind]) for place, kinds in tried.items() for kind in kinds if kind in of_kind]
    return [place.field(f"i{number}", value) for number, (place, value) in enumerate(values)]


def with_cursors(cursors: dict[str, str]) -> list[str]:
    """Fields with the cursor of somebody else, of the same list and of another one."""
    fields = []
    for number, place in enumerate(each for each in arguments("String") if each.path[-1] in PAGING):
        others = [cursor for name, cursor in cursors.items() if name != place.entrance.name]
        tried = [*others[number % len(others) :][:1], *filter(None, [cursors.get(place.entrance.name)])]
        fields += [place.field(f"c{number}_{count}", cursor) for count, cursor in enumerate(tried)]
    return fields


def with_words(words: Iterable[str]) -> list[str]:
    """Fields that look for words of others wherever text is looked for."""
    values = [(place, word) for place in arguments("String") if place.path[-1] not in PAGING for word in words]
    return [place.field(f"s{number}", word) for number, (place, word) in enumerate(values)]


def documents(fields: list[str], size: int = 40) -> Iterator[str]:
    """These fields below `viewer`, within the limits of one document."""
    for start in range(0, len(fields), size):
        yield f"{{ viewer {{ __typename {' '.join(fields[start : start + size])} }} }}"
