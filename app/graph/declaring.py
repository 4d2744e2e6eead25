"""How graph types are declared on top of nouns, so that no field comes without a right and a description.

A plain field takes its name from the noun's declaration; an edge names the declared edge; everything else says under
which right it is shown. `check` refuses a schema with any other field.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeVar

import strawberry
from sqlalchemy import Row
from strawberry.schema_directive import Location
from strawberry.types.field import StrawberryField

from app.domain.ids import GlobalId
from app.domain.permissions import Permission, Right, Standing
from app.domain.vocabulary import ChangeEvent
from app.graph.context import Info
from app.reading.declaring import Noun, One
from app.reading.nouns import PRINCIPAL
from app.storage.global_ids import KIND_OF_PRINCIPAL

Kind = TypeVar("Kind")
RIGHT = "right"
PLAIN = "plain"
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


def plain(description: str) -> Any:
    """A field that is read with its object and shown to whoever sees the object."""
    return strawberry.field(description=description, metadata={PLAIN: True})


def shaped(read: Callable[[Any], Any], description: str) -> Any:
    """A field that is made from the object's own row."""
    return strawberry.field(description=description, metadata={PLAIN: True, "read": read})


def resolved(resolver: Callable[..., Any], description: str, *, right: Right | str) -> Any:
    """A field with a resolver of its own, shown under this right."""
    return strawberry.field(
        resolver=resolver, description=description, directives=directives(right), metadata={RIGHT: right}
    )


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

    return resolved(unannotated(resolve), description, right=edge.target.right)


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
