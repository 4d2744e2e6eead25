"""What is asked of the nouns, as a tree: what a plan is made from, and all that it knows of a document.

What a request says in arguments stands in numbered slots, so that one tree serves all requests of a document.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.reading.declaring import Noun
from app.reading.declaring import One as OneEdge

Fields = tuple[tuple[str, Any], ...]
"""Each name in the answer with what is written there, in the answer's order."""
Condition = Callable[[], Any]
"""Says a condition when it is asked: made of the rules, as what it stands beside."""
Objects = Mapping[str, Fields]
"""What is written of an object, by the kind of its id; of a kind that is missing there are no fields."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same for everybody, as JSON."""

    json: str


@dataclass(frozen=True, slots=True)
class Identity:
    """The object's global id."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A plain field of the noun."""

    name: str
    several: bool = False
    """Whether a set of permissions is written as a list."""


@dataclass(frozen=True, slots=True)
class Part:
    """An object that is made of the same row."""

    fields: Fields


@dataclass(frozen=True, slots=True)
class Left:
    """What is finished afterwards, by the finish of this number, from these columns of the row."""

    number: int
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class One:
    """The one object that the row names."""

    edge: OneEdge
    objects: Objects
    required: bool


@dataclass(frozen=True, slots=True)
class Named:
    """The object, of whatever kind, whose global id is in a plain field."""

    name: str
    objects: Objects


@dataclass(frozen=True, slots=True)
class Nodes:
    """The objects of a page."""

    objects: Objects


@dataclass(frozen=True, slots=True)
class Edges:
    """The edges of a page; `Cursor` and `Node` are among their fields."""

    fields: Fields


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where an edge's object stands."""


@dataclass(frozen=True, slots=True)
class Node:
    """An edge's object."""

    objects: Objects


@dataclass(frozen=True, slots=True)
class Info:
    """Where the page lies; its fields are `Fixed` and `InfoPart`."""

    fields: Fields


@dataclass(frozen=True, slots=True)
class InfoPart:
    """`has_next`, `has_previous`, `start` or `end`."""

    name: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are, up to the bound in a slot; its fields are `Fixed` and `CountPart`."""

    slot: int
    fields: Fields


@dataclass(frozen=True, slots=True)
class CountPart:
    """`value` or `exact`."""

    name: str


@dataclass(frozen=True, slots=True)
class Whole:
    """A page of a whole list, which the slot says; its fields are `Nodes`, `Edges`, `Info`, `Count` and `Fixed`."""

    slot: int
    fields: Fields
    unless: Condition | None = None
    """Where this holds, the list has to be prepared first, which no plan does."""


@dataclass(frozen=True, slots=True)
class Below:
    """A page of what belongs to the row; the slot says which edge and which window."""

    slot: int
    fields: Fields


@dataclass(frozen=True, slots=True)
class Sole:
    """The first object of a list that has one at most."""

    noun: Noun
    where: Condition
    objects: Objects


@dataclass(frozen=True, slots=True)
class Own:
    """The row of the viewer's tenant or principal; without it, a request is not for a plan."""

    noun: Noun
    objects: Objects


@dataclass(frozen=True, slots=True)
class ById:
    """The object with the id in a slot."""

    slot: int
    objects: Objects


@dataclass(frozen=True, slots=True)
class ByIds:
    """The objects with the ids in a slot, in their order."""

    slot: int
    objects: Objects
