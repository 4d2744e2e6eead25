"""The few expressions that SQLite and PostgreSQL spell differently, under one name each."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Integer, Subquery, Table, cast, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import SQLModel

from app.storage.columns import document, text


class Test(FunctionElement[bool]):
    """What is true or false by itself, written in brackets: compared with 1, SQLite would use no index for it."""

    inherit_cache = True
    type = Boolean()

    def self_group(self, against: Any = None) -> Any:  # noqa: ARG002 - the brackets are there already
        """As it is, wherever it stands."""
        return self


class IsListed(Test):
    """Whether a column is one of the texts in a JSON array that is bound as one parameter.

    A list of any length has one SQL text. (`= ANY (ARRAY(…))` on PostgreSQL serves an index where statistics are fresh,
    and took twenty times as long where they were not, so it stays a sub-select.)
    """

    inherit_cache = True


@compiles(IsListed, "sqlite")
def _(element: IsListed, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({column} IN (SELECT value FROM json_each({texts})))"


@compiles(IsListed, "postgresql")
def _(element: IsListed, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({column} IN (SELECT jsonb_array_elements_text(CAST({texts} AS JSONB))))"


class IsAnyOf(Test):
    """Whether a column is one of the values of a select, which PostgreSQL looks up all at once as an array."""

    inherit_cache = True


@compiles(IsAnyOf, "sqlite")
def _(element: IsAnyOf, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({column} IN {values})"


@compiles(IsAnyOf, "postgresql")
def _(element: IsAnyOf, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({column} = ANY (ARRAY{values}))"


def is_any_of(column: Any, values: Any) -> ColumnElement[bool]:
    """The column is one of the values of a one-column select."""
    return IsAnyOf(column, values.scalar_subquery())


class AreListed(Test):
    """Whether two columns are one of the pairs of texts in a JSON array that is bound as one parameter."""

    inherit_cache = True


@compiles(AreListed, "sqlite")
def _(element: AreListed, compiler: SQLCompiler, **options: Any) -> str:
    first, second, pairs = (compiler.process(clause, **options) for clause in element.clauses)
    each = f"SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each({pairs})"
    return f"(({first}, {second}) IN ({each}))"


@compiles(AreListed, "postgresql")
def _(element: AreListed, compiler: SQLCompiler, **options: Any) -> str:
    first, second, pairs = (compiler.process(clause, **options) for clause in element.clauses)
    each = f"SELECT pair ->> 0, pair ->> 1 FROM jsonb_array_elements(CAST({pairs} AS JSONB)) AS pair"
    return f"(({first}, {second}) IN ({each}))"


def insert_if_absent(table: type[SQLModel], dialect: str) -> Any:
    """An insert that does nothing where the row is there; beside another that inserts it, it waits for its end."""
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing()


def insert_or_update(table: Table, dialect: str, changed: Iterable[str]) -> Any:
    """An insert that brings these columns up to date where the row is there by then, though it was not before."""
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)
    new = {name: insert.excluded[name] for name in changed}
    return insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=new)


def is_listed(column: Any, texts: ColumnElement[str]) -> ColumnElement[bool]:
    """The column is one of the texts in a bound JSON array."""
    return IsListed(column, texts)


def are_listed(first: Any, second: Any, pairs: ColumnElement[str]) -> ColumnElement[bool]:
    """The two columns are one of the pairs in a bound JSON array."""
    return AreListed(first, second, pairs)


def pairs_of(texts: ColumnElement[str], dialect: str) -> Subquery:
    """The different pairs of texts in a bound JSON array, as rows of `first` and `second`.

    To be `distinct` keeps SQLite from unpacking the array anew for each row that it is joined to.
    """
    unpacked = (
        func.jsonb_array_elements(cast(texts, postgresql.JSONB)) if dialect == "postgresql" else func.json_each(texts)
    )
    pair = unpacked.table_valued("value").c.value
    first, second = (pair.op("->>")(place) for place in (0, 1))
    return select(first.label("first"), second.label("second")).distinct().subquery()


class Unindexed(FunctionElement[Any]):
    """A column as it is, through which SQLite looks nothing up: it would prefer that to what finds fewer rows."""

    inherit_cache = True


@compiles(Unindexed)
def _(element: Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(Unindexed, "sqlite")
def _(element: Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    return f"+{compiler.process(element.clauses, **options)}"


def unindexed(column: Any) -> ColumnElement[Any]:
    """The column, found by something else."""
    element = Unindexed(column)
    element.type = column.type
    return element


class StartsWith(Test):
    """Whether a text begins with another, which is not empty."""

    inherit_cache = True


@compiles(StartsWith, "sqlite")
def _(element: StartsWith, compiler: SQLCompiler, **options: Any) -> str:
    whole, beginning = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(substr({whole}, 1, length({beginning})) = {beginning})"


@compiles(StartsWith, "postgresql")
def _(element: StartsWith, compiler: SQLCompiler, **options: Any) -> str:
    whole, beginning = (compiler.process(clause, **options) for clause in element.clauses)
    return f"starts_with({whole}, {beginning})"


def starts_with(whole: Any, beginning: str) -> ColumnElement[bool]:
    """The text begins with this one, byte by byte."""
    return StartsWith(whole, literal(beginning, text()))


class SizeOf(FunctionElement[int]):
    """How long a text is that has no character beyond ASCII: PostgreSQL counts bytes faster than characters."""

    inherit_cache = True
    type = Integer()


@compiles(SizeOf, "sqlite")
def _(element: SizeOf, compiler: SQLCompiler, **options: Any) -> str:
    return f"length({compiler.process(element.clauses, **options)})"


@compiles(SizeOf, "postgresql")
def _(element: SizeOf, compiler: SQLCompiler, **options: Any) -> str:
    return f"octet_length({compiler.process(element.clauses, **options)})"


def size_of(ascii_text: Any) -> ColumnElement[int]:
    """The number of characters."""
    return SizeOf(ascii_text)


class Gathered(FunctionElement[Any]):
    """The values of a one-column select as a JSON array, in the select's order."""

    inherit_cache = True
    type = document()


@compiles(Gathered, "sqlite")
def _(element: Gathered, compiler: SQLCompiler, **options: Any) -> str:
    return f"(SELECT json_group_array(value) FROM {compiler.process(element.clauses, **options)} AS each_value)"


@compiles(Gathered, "postgresql")
def _(element: Gathered, compiler: SQLCompiler, **options: Any) -> str:
    inner = compiler.process(element.clauses, **options)
    return f"(SELECT CAST(coalesce(json_agg(value), '[]') AS TEXT) FROM {inner} AS each_value)"


class Elements(FunctionElement[Any]):
    """The texts of a JSON array, one a row, in its order; the column is called `value`."""

    inherit_cache = True


@compiles(Elements, "sqlite")
def _(element: Elements, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(Elements, "postgresql")
def _(element: Elements, compiler: SQLCompiler, **options: Any) -> str:
    return f"jsonb_array_elements_text(CAST({compiler.process(element.clauses, **options)} AS JSONB))"
