"""How graph types are declared on top of nouns, so that no field comes without a right and a description.

A plain field takes its name from the noun's declaration; an edge names the declared edge; everything else says under
which right it is shown. `check` refuses a schema with any other field.
"""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Protocol, TypeVar

import strawberry
from graphql import GraphQLField, is_non_null_type
from graphql.execution.collect_fields import FieldDetails
from sqlalchemy import Row
from strawberry.schema_directive import Location
from strawberry.types.field import StrawberryField

from app.domain.ids import GlobalId
from app.domain.permissions import Permission, Right, Standing
from app.domain.vocabulary import ChangeEvent
from app.graph.context import Context, Info
from app.reading import selections as s
from app.reading.declaring import Noun, One
from app.reading.nouns import PRINCIPAL
from app.reading.slots import Slot
from app.storage.global_ids import KIND_OF_PRINCIPAL

Kind = TypeVar("Kind")
RIGHT = "right"
PLAIN = "plain"
PLAN = "plan"
"""What a field is to a plan: a function of the outliner and the place."""
ANYONE = "anyone"
"""Shown to every caller; what is behind it has rights of its own."""
PART = "part"
"""Shown to whoever sees the object it is a part of."""


@strawberry.schema_directive(
    locations=[Location.OBJECT, Location.FIELD_DEFINITION],
    name="requires",
    description="You need this permission on the object itself, not merely somewhere. Enforced.",
)
class Requires:
    """The permission under which an object is seen."""

    permission: Permission = strawberry.directive_field(name="permission")


@strawberry.schema_directive(
    locations=[Location.OBJECT, Location.FIELD_DEFINITION],
    name="visibleTo",
    description="You need this standing toward the object. Enforced.",
)
class VisibleTo:
    """The standing under which an object is seen."""

    standing: Standing = strawberry.directive_field(name="standing")


def directives(right: Right | str) -> list[Any]:
    """A right as clients can read it in the schema."""
    if isinstance(right, Permission):
        return [Requires(permission=right)]
    return [VisibleTo(standing=right)] if isinstance(right, Standing) else []


@dataclass(frozen=True)
class Place:
    """One field at one place of a document, merged with those of the same name in the answer."""

    definition: GraphQLField
    details: list[FieldDetails]
    noun: Noun | None
    """Of whose row the field is."""

    @property
    def declared(self) -> StrawberryField:
        """The field as it is declared."""
        field: StrawberryField = self.definition.extensions["strawberry-definition"]
        return field


ReadSlot = Callable[[dict[str, Any], Context], Slot]
"""From a field's arguments to what they say. Raises what its resolver would raise."""


class Outlining(Protocol):
    """What a field's plan is told by."""

    def fields(self, place: Place, noun: Noun | None = None) -> s.Fields:
        """What is selected below a field that answers with one type of object, made of a row of this noun."""

    def objects(self, place: Place) -> s.Objects:
        """What is selected of each kind of object that a field can answer with."""

    def slot(self, place: Place, read: ReadSlot, *, per_request: bool = False) -> int:
        """The number of a slot for the field's arguments."""

    def left(self, place: Place, columns: tuple[str, ...]) -> s.Left:
        """What the field's resolver is asked for afterwards, with these columns of the row."""


PlanField = Callable[[Outlining, Place], Any]


def part(outlining: Outlining, place: Place) -> s.Part:
    """The plan of an object that is made of the same row."""
    return s.Part(outlining.fields(place, place.noun))


def finished(*columns: str) -> PlanField:
    """The plan of a field that its own resolver finishes, with these columns of the row."""
    return lambda outlining, place: outlining.left(place, columns)


def plain(description: str, plan: PlanField | None = None) -> Any:
    """A field that is read with its object and shown to whoever sees the object."""
    return strawberry.field(description=description, metadata={PLAIN: True} | ({PLAN: plan} if plan else {}))


def always(what: Any) -> PlanField:
    """The plan of a field that is the same wherever it stands."""
    return lambda _, __: what


def shaped(read: Callable[[Any], Any], description: str, plan: PlanField) -> Any:
    """A field that is made from the object's own row."""
    return strawberry.field(description=description, metadata={PLAIN: True, "read": read, PLAN: plan})


def resolved(
    resolver: Callable[..., Any], description: str, *, right: Right | str, plan: PlanField | None = None
) -> Any:
    """A field with a resolver of its own, shown under this right."""
    metadata = {RIGHT: right} | ({PLAN: plan} if plan else {})
    return strawberry.field(resolver=resolver, description=description, directives=directives(right), metadata=metadata)


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="approvable",
    description="A customer may hold this change of a partner for approval. Enforced.",
)
class Approvable:
    """The kind of change that a customer can hold."""

    event: ChangeEvent = strawberry.directive_field(name="event")


def unannotated(resolve: Callable[..., Any]) -> Callable[..., Any]:
    """The resolver without its return annotation, so that Strawberry takes the type from the field's declaration."""
    resolve.__annotations__.pop("return", None)
    return resolve


def one(noun: Noun, name: str, description: str) -> Any:
    """The one object that this one names."""
    edge: One = noun.ones[name]

    async def resolve(root: strawberry.Parent[Any], info: Info) -> Any:
        row = root.row
        found = await info.context.row(edge.target, getattr(row, f"{name}_tenant"), getattr(row, f"{name}_key"))
        return None if found is None else shape(edge.target, found)

    def plan(outlining: Outlining, place: Place) -> s.One:
        return s.One(edge, outlining.objects(place), is_non_null_type(place.definition.type))

    return resolved(unannotated(resolve), description, right=edge.target.right, plan=plan)


# --- types -----------------------------------------------------------------------------------------------------------

SHAPES: dict[str, Callable[[Any], Any]] = {}
"""How a row of each kind of noun becomes its object."""
NOUN_TYPES: dict[str, Noun] = {}
"""The graph's types that show a noun, by name."""
VALUE_TYPES: set[str] = set()
"""The graph's types that are part of another, and seen with it."""


def make(kind: type[Kind], **values: Any) -> Kind:
    """An object of a graph type from the values of its fields."""
    made = kind.__new__(kind)
    made.__dict__.update(values)
    return made


def value_type(description: str) -> Callable[[type[Kind]], type[Kind]]:
    """Declare a type that is part of another: whoever sees the whole sees it."""

    def declare(cls: type[Kind]) -> type[Kind]:
        made: type[Kind] = strawberry.type(cls, description=description)
        VALUE_TYPES.add(cls.__name__)
        return made

    return declare


def noun_type(noun: Noun, description: str, kind: str | None = None) -> Callable[[type[Kind]], type[Kind]]:
    """Declare the type that shows a noun, or the kind of a noun that has several."""

    def declare(cls: type[Kind]) -> type[Kind]:
        made: type[Kind] = strawberry.type(cls, description=description, directives=directives(noun.right))
        NOUN_TYPES[cls.__name__] = noun
        SHAPES[kind or noun.kind] = shaper(noun, made, kind or noun.kind)
        return made

    return declare


def shaper(noun: Noun, cls: type[Kind], kind: str) -> Callable[[Row[Any]], Kind]:
    """How a row becomes an object of the type. Raises ValueError for a plain field that the noun does not declare."""
    readers: dict[str, Callable[[Any], Any]] = {}
    for field in fields_of(cls):
        if field.metadata.get(PLAIN) and field.python_name != "id":
            read = field.metadata.get("read")
            if read is None and field.python_name not in noun.plain:
                raise ValueError(f"{cls.__name__}.{field.python_name} is not declared in {noun.kind}")
            readers[field.python_name] = read or attrgetter(field.python_name)

    def read_row(row: Row[Any]) -> Kind:
        values = {name: read(row) for name, read in readers.items()}
        return make(cls, row=row, id=str(GlobalId(kind, row.row_tenant, row.row_key)), **values)

    return read_row


def fields_of(cls: type) -> list[StrawberryField]:
    """The fields of a Strawberry type."""
    fields: list[StrawberryField] = cls.__strawberry_definition__.fields  # type: ignore[attr-defined]
    return fields


def shape(noun: Noun, row: Row[Any]) -> Any:
    """The object that shows a row of the noun."""
    return SHAPES[kind_of(noun, row)](row)


def kind_of(noun: Noun, row: Row[Any]) -> str:
    """The first part of the row's global id."""
    return KIND_OF_PRINCIPAL[row.kind] if noun is PRINCIPAL else noun.kind
