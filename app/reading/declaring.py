"""How a noun is declared: its table, the right it is seen under, its plain fields, its orders and its edges.

Lists, look-ups by id, nested edges, counts and loaders are made from the declaration, and so is the check that every
field of the graph is one of these.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from sqlalchemy import ColumnElement, Subquery
from sqlmodel import SQLModel

from app.access.scoping import Rows
from app.access.tripwire import check_once
from app.access.visible import named, visible, ways
from app.domain.permissions import Right

Expression = Any
"""A column, or an expression over the noun's table."""


@cache
def made_once(table: type[SQLModel], right: Right) -> Rows:
    """`visible` takes no viewer, so what it answers is built once: to build it costs more than to run it."""
    return check_once(visible(table, right))


@cache
def parted_once(table: type[SQLModel], right: Right) -> list[Rows]:
    """The same in the parts that a list is put together of."""
    return [check_once(part) for part in ways(table, right)]


@cache
def named_once(table: type[SQLModel], right: Right, other: type[SQLModel]) -> Rows:
    """The same for who takes only what visible rows of the other table name."""
    return check_once(named(table, right, other))


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is sorted by; the id is always the last key, and nulls come last both ways (rule 11)."""

    by: Expression
    descending: bool = False
    nullable: bool = False
    number: bool = False


@dataclass(frozen=True, eq=False)
class Noun:
    """A noun of the domain as it can be read."""

    kind: str
    """The first part of its global ids."""
    table: type[SQLModel]
    right: Right
    """What a row of it is seen under, wherever it turns up."""
    tenant: Expression
    key: Expression
    plain: Mapping[str, Expression]
    """Plain fields and what they are read from."""
    order: Order
    """How a list of it is sorted unless something else is asked."""
    ones: dict[str, "One"] = field(default_factory=dict)
    manys: dict[str, "Many"] = field(default_factory=dict)

    @cached_property
    def columns(self) -> list[ColumnElement[Any]]:
        """What is read of each row: its key, its plain fields, and the keys of the rows that it names."""
        named = [
            column.label(f"{name}_{part}")
            for name, one in self.ones.items()
            for part, column in (("tenant", one.tenant), ("key", one.key))
        ]
        plain = [column.label(name) for name, column in self.plain.items()]
        return [self.tenant.label("row_tenant"), self.key.label("row_key"), *plain, *named]

    def rows(self, right: Right | None = None) -> Rows:
        """Every row that the viewer sees, or on which the viewer holds another right."""
        return made_once(self.table, right or self.right)

    def ways(self, right: Right | None = None) -> list[Rows]:
        """The same rows in parts, for a list of all of them."""
        return parted_once(self.table, right or self.right)

    def named_by(self, other: "Noun") -> Rows:
        """Every row that the viewer sees, of those that visible rows of the other noun name."""
        return named_once(self.table, self.right, other.table)

    def one(self, name: str, target: "Noun", *, tenant: Expression, key: Expression) -> "One":
        """Declare an edge to the one row that this row names."""
        return self.ones.setdefault(name, One(name, self, target, tenant, key))

    def many(self, name: str, target: "Noun", **link: Any) -> "Many":
        """Declare an edge to the rows that belong to this one."""
        return self.manys.setdefault(name, Many(f"{self.kind}.{name}", self, target, **link))


@dataclass(frozen=True, slots=True)
class One:
    """An edge to one row, which this row names by tenant and key; null where it is not visible."""

    name: str
    source: Noun
    target: Noun
    tenant: Expression
    key: Expression


Restrict = Callable[[Expression, Expression], ColumnElement[bool]]
"""Which parents are meant: a condition on the columns that hold a parent's tenant and key."""


@dataclass(frozen=True, slots=True)
class Derived:
    """A link that is not stored but follows from what is: a sub-select for the parents that were asked for."""

    link: Subquery
    tenant: Expression
    """Of the parent, and of the target too."""
    parent: Expression
    child: Expression


@dataclass(frozen=True, eq=False)
class Many:
    """An edge to many rows: those visible ones whose `parent` is the key of this row."""

    name: str
    source: Noun
    target: Noun
    parent: Expression = None
    """The column that holds the parent's key: on the target itself, or on the link."""
    link: Any = None
    """A link table between parent and target, if the target does not hold the parent's key."""
    child: Expression = None
    """The column of the link that holds the target's key, where both are of one tenant."""
    on: ColumnElement[bool] | None = None
    """Which target a row of the link belongs to, where they need not be."""
    derive: Callable[[Restrict], Derived] | None = None
    """The link where it is derived."""
    where: ColumnElement[bool] | None = None
    """Which of the targets belong to the list, if not all."""
    right: Right | None = None
    """What a target is seen under here, if not what the target's noun says."""
    order: Order | None = None
    """How the targets are sorted here, if not as the target's noun says."""
