"""Marks by which the tripwire knows where a statement came from, and the only ways past `visible`.

A test pins the uses of all of them outside of `visible` itself.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Executable, FromClause, Join, Select, inspect, join, select
from sqlalchemy.sql import ColumnExpressionArgument
from sqlmodel import SQLModel

from app.storage.tables import LINK_TABLES

SCOPE = "scope"
"""Execution option: the tables that a select may name because of how it was made."""
UNSCOPED = "unscoped"
"""Execution option: why a statement is not scoped to a viewer."""
EVERY_TABLE = frozenset({"*"})

Rows: TypeAlias = Select[*tuple[Any, ...]]
"""A select of whatever columns."""
Statement = TypeVar("Statement", bound=Executable)


def scoped(statement: Rows, tables: frozenset[str]) -> Rows:
    """The statement, marked as allowed to name these tables."""
    return statement.execution_options(**{SCOPE: tables})


def rows_of(table: type[SQLModel]) -> Rows:
    """Every row of the table, whoever asks: for `visible`, and for what narrows it to rows that were seen."""
    return scoped(select(table), frozenset({str(table.__tablename__)}))


def rule(statement: Rows, *of: Any) -> Rows:
    """A select inside a rule of `visible`, or what is said of a row that is seen: what it names, it names to decide.

    The tripwire lets it name any table, so whoever runs one for its rows answers for who sees them. `of` are the outer
    tables that it asks about. Nothing else is taken from outside, whatever the rule is used in.

    Raises ValueError where it reads one of these itself: whichever of the two a column means, the rule says another
    thing than it seems to.
    """
    for each in of:
        table = inspect(each).selectable
        if table in set(sources(statement)):
            raise ValueError(f"a rule about {table.name} cannot read it as well; read an alias")
    return scoped(statement, EVERY_TABLE).correlate(*of or (None,))


def sources(statement: Rows) -> Iterator[FromClause]:
    """What the statement reads by itself, and not because a condition asks about it."""
    yield from statement.columns_clause_froms
    for source in statement.get_final_froms():
        if isinstance(source, Join):
            yield from ends(source)


def ends(source: FromClause) -> Iterator[FromClause]:
    """What is joined, or the one thing that there is."""
    if isinstance(source, Join):
        yield from (*ends(source.left), *ends(source.right))
    else:
        yield source


def linked(
    statement: Rows, link: type[SQLModel], on: ColumnExpressionArgument[bool], among: FromClause | None = None
) -> Rows:
    """The statement's rows, found by rows that only say what belongs together; by those `among` others, if given.

    A link shows nothing by itself: it is seen where both of its ends are, and both ends come from `visible`.
    Raises ValueError for a table that is more than a link.
    """
    allowed: frozenset[str] = statement.get_execution_options().get(SCOPE, frozenset())
    (found,) = statement.columns_clause_froms
    source = join(link if among is None else among, found, on)
    return scoped(statement.select_from(source), allowed | {name_of_link(link)})


def again(keys: FromClause, table: type[SQLModel], on: ColumnExpressionArgument[bool]) -> Rows:
    """The rows whose keys a select from `visible` answered, for what was not read of them together with their keys."""
    return rows_of(table).select_from(join(keys, table, on))


def links(link: type[SQLModel], key: Any, *where: ColumnExpressionArgument[bool]) -> Rows:
    """The keys of the one end that rows of a link name. Raises ValueError for a table that is more than a link."""
    return scoped(select(key).where(*where), frozenset({name_of_link(link)}))


def name_of_link(link: type[SQLModel]) -> str:
    """The link table's name. Raises ValueError for a table that is more than a link."""
    name = str(link.__tablename__)
    if name not in LINK_TABLES:
        raise ValueError(f"{name} is not a link; join what `visible` answers")
    return name


def unscoped(statement: Statement, reason: str) -> Statement:
    """The statement, allowed past `visible` for this reason."""
    made: Statement = statement.execution_options(**{UNSCOPED: reason})
    return made
