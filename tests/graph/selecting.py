"""Documents written from the schema itself, so that a field that somebody adds is asked for without anybody's doing.

A path leads from a field to objects, and over edges to further objects. A document follows many paths at once and
selects at each object every field that is its own.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path as File

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    is_required_argument,
)

from app.domain.refusals import Problem, ProblemCode
from app.execution.documents import DocumentRefused
from tests.graph.asking import ENGINE

SCHEMA = build_schema((File(__file__).parents[2] / "schema.graphql").read_text())
PAGE_SIZES = {
    "Room": 30,
    "RoomGroup": 8,
    "UpdateRing": 8,
    "Partnership": 4,
    "Invitation": 6,
    "Role": 12,
    "Assignment": 12,
    "ApprovalRequest": 6,
    "Principal": 20,
    "AuditEntry": 100,
}
"""More than anybody has in the demo world, except for the record; small enough to nest."""
EVERY_STATE = "states: [PENDING, APPROVED, REJECTED, EXPIRED, CANCELLED, FAILED]"
ARGUMENTS = {
    ("Viewer", "partners"): "states: [ACTIVE, REMOVED]",
    ("Viewer", "customers"): "states: [ACTIVE, REMOVED]",
    ("Viewer", "invitations"): "states: [PENDING, ACCEPTED, DECLINED, REVOKED, EXPIRED]",
    ("Viewer", "approvalRequests"): EVERY_STATE,
    ("Partnership", "approvalRequests"): EVERY_STATE,
    ("Viewer", "can"): "permission: ROOMS_VIEW",
    ("Query", "nodes"): "ids: $ids",
    ("Query", "node"): "id: $id",
}
"""What is said besides the size of the page, so that nothing stays out."""
VARIABLES = {"$ids": "[ID!]!", "$id": "ID!"}
Path = tuple[tuple[str, str], ...]
"""Edges to follow one after another, each with the type of the object that has it; at the end a type alone."""


def type_named(name: str) -> GraphQLNamedType:
    return SCHEMA.type_map[name]


@cache
def possible(kind: GraphQLNamedType) -> tuple[GraphQLObjectType, ...]:
    """The object types that a field of this type can answer with."""
    if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
        return tuple(sorted(SCHEMA.get_possible_types(kind), key=lambda each: each.name))
    assert isinstance(kind, GraphQLObjectType)
    return (kind,)


def is_leaf(field: GraphQLField) -> bool:
    return isinstance(get_named_type(field.type), GraphQLScalarType | GraphQLEnumType)


def target(field: GraphQLField) -> GraphQLNamedType:
    """What a field leads to: of a connection, what it is a list of."""
    kind: GraphQLNamedType = get_named_type(field.type)
    if not is_connection(kind):
        return kind
    assert isinstance(kind, GraphQLObjectType)
    element: GraphQLNamedType = get_named_type(kind.fields["nodes"].type)
    return element


def is_connection(kind: GraphQLNamedType) -> bool:
    return kind.name.endswith("Connection")


def is_edge(field: GraphQLField) -> bool:
    """The field leads to objects with ids of their own."""
    return not is_leaf(field) and any("id" in each.fields for each in possible(target(field)))


def edges_of(kind: GraphQLObjectType) -> list[str]:
    return [name for name, field in kind.fields.items() if is_edge(field)]


def every_edge() -> set[tuple[str, str]]:
    """The edges of all types whose objects have ids."""
    nouns = possible(type_named("Node"))
    return {(kind.name, name) for kind in nouns for name in edges_of(kind)}


def paths_from(kind: GraphQLNamedType, hops: int) -> Iterator[Path]:
    """Every path of exactly so many edges, and every shorter one that cannot go on."""
    for each in possible(kind):
        edges = edges_of(each) if hops else []
        if not edges:
            yield ((each.name, ""),)
        for name in edges:
            for rest in paths_from(target(each.fields[name]), hops - 1):
                yield ((each.name, name), *rest)


# --- writing ----------------------------------------------------------------------------------------------------------


def arguments(owner: GraphQLObjectType, name: str) -> str:
    """The field's arguments at values that show everything."""
    field = owner.fields[name]
    said = [ARGUMENTS[owner.name, name]] if (owner.name, name) in ARGUMENTS else []
    required = [each for each, argument in field.args.items() if is_required_argument(argument)]
    assert said or not required, f"say in ARGUMENTS what {owner.name}.{name} is asked with"
    if is_connection(get_named_type(field.type)):
        said.append(f"first: {PAGE_SIZES[target(field).name]}")
    return f"({', '.join(said)})" if said else ""


def parts(kind: GraphQLObjectType) -> str:
    """Every field of a type that belongs to its objects themselves."""
    own = ["__typename"]
    for name, field in kind.fields.items():
        if is_leaf(field):
            own.append(name)
        elif not is_edge(field):
            own.append(f"{name}{arguments(kind, name)} {{ {parts(possible(target(field))[0])} }}")
    return " ".join(own)


def payload_parts(kind: GraphQLObjectType) -> str:
    """Every field of a mutation's payload or of a refusal, with the objects that it names."""
    own = ["__typename"]
    for name, field in kind.fields.items():
        own.append(name if is_leaf(field) else f"{name} {{ __typename {' '.join(named_parts(field))} }}")
    return " ".join(own)


def named_parts(field: GraphQLField) -> list[str]:
    """What is selected of the objects that a payload names: all that is their own, or what they are if that varies."""
    kinds = possible(target(field))
    if not is_edge(field):
        return [f"... on {each.name} {{ {payload_parts(each)} }}" for each in kinds]
    return [f"...{kinds[0].name}Parts"] if len(kinds) == 1 else ["... on Node { id }"]


def selection(kind: GraphQLNamedType, paths: Sequence[Path]) -> str:
    """What is selected of objects of this type: their own fields, and the beginnings of these paths."""
    written = []
    for each in possible(kind):
        here = [path for path in paths if path[0][0] == each.name]
        below = {name: [path[1:] for path in here if path[0][1] == name] for name in edges_of(each)}
        followed = [follow(each, name, rest) for name, rest in below.items() if rest]
        written += [f"... on {each.name} {{ ...{each.name}Parts {' '.join(followed)} }}"] if here else []
    return f"__typename {' '.join(written)}"


def follow(owner: GraphQLObjectType, name: str, paths: Sequence[Path]) -> str:
    """A field that leads to objects, and what is selected of them."""
    field = owner.fields[name]
    asked, kind = selection(target(field), paths), get_named_type(field.type)
    if is_connection(kind):
        asked = f"...{kind.name}Parts nodes {{ {asked} }}"
    return f"{name}{arguments(owner, name)} {{ {asked} }}"


def connection_parts(kind: GraphQLObjectType) -> str:
    """Every field of a connection but its nodes, which are selected by the paths."""
    edge = get_named_type(kind.fields["edges"].type)
    assert isinstance(edge, GraphQLObjectType)
    own = [name for name, field in edge.fields.items() if is_leaf(field)]
    edges = f"edges {{ __typename {' '.join(own)} node {{ __typename ... on Node {{ id }} }} }}"
    others = {name: field for name, field in kind.fields.items() if name not in ("edges", "nodes")}
    rest = [
        name if is_leaf(field) else f"{name} {{ {parts(possible(target(field))[0])} }}"
        for name, field in others.items()
    ]
    return f"__typename {edges} {' '.join(rest)}"


def fragments(text: str) -> str:
    """The text with the fragments that it spreads."""
    written = []
    for name, kind in SCHEMA.type_map.items():
        if isinstance(kind, GraphQLObjectType) and f"...{name}Parts" in text:
            own = connection_parts(kind) if is_connection(kind) else parts(kind)
            written.append(f"fragment {name}Parts on {name} {{ {own} }}")
    return " ".join([text, *written])


@dataclass(frozen=True)
class Entrance:
    """A field that documents start from, below `viewer` or at the root."""

    name: str

    @property
    def owner(self) -> GraphQLObjectType:
        return possible(type_named("Viewer" if self.is_below_viewer else "Query"))[0]

    @property
    def is_below_viewer(self) -> bool:
        return self.name not in possible(type_named("Query"))[0].fields

    @property
    def field(self) -> GraphQLField:
        field: GraphQLField = self.owner.fields[self.name]
        return field

    def paths(self, hops: int) -> list[Path]:
        return list(paths_from(target(self.field), hops)) if is_edge(self.field) else [((self.name, ""),)]

    def write(self, paths: Sequence[Path]) -> str:
        """One document that follows these paths."""
        if is_edge(self.field):
            asked = follow(self.owner, self.name, paths)
        else:
            asked = f"{self.name}{arguments(self.owner, self.name)} {{ {parts(possible(target(self.field))[0])} }}"
        declared = ", ".join(f"{name}: {kind}" for name, kind in VARIABLES.items() if f"{name})" in asked)
        body = f"{{ viewer {{ __typename {asked} }} }}" if self.is_below_viewer else f"{{ {asked} }}"
        return fragments(f"query{f'({declared})' if declared else ''} {body}")


def entrances() -> list[Entrance]:
    """Every field that a document can start from."""
    query, viewer = (possible(type_named(name))[0] for name in ("Query", "Viewer"))
    return [Entrance(name) for name in (*query.fields, *viewer.fields) if name not in ("viewer", "node")]


def documents(entrance: Entrance, hops: int, ids: int = 30) -> list[str]:
    """Few documents within the limits, which together follow every path of so many edges from the entrance."""
    return list(packed(entrance, entrance.paths(hops), ids))


def packed(entrance: Entrance, paths: Sequence[Path], ids: int) -> Iterable[str]:
    text = entrance.write(paths)
    if is_within_limits(text, ids):
        return [text]
    middle = len(paths) // 2
    assert middle, f"one path is beyond the limits: {paths}"
    return [*packed(entrance, paths[:middle], ids), *packed(entrance, paths[middle:], ids)]


def is_within_limits(text: str, ids: int) -> bool:
    """Whether the document can be asked; fields of different types cannot always stand beside each other."""
    try:
        ENGINE.documents.get(text).operation(None).nodes.check({"ids": ["x"] * ids})
    except Problem as problem:
        if problem.code is not ProblemCode.LIMIT_EXCEEDED:
            raise
        return False
    except DocumentRefused as refusal:
        if any("conflict because they return" not in problem.message for problem in refusal.problems):
            raise
        return False
    return True
