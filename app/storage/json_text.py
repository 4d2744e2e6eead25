"""JSON written by the database, as text that is put together: both engines build it so several times faster than with
their own functions for objects.

Keys are written as they are given, values as their column's type says. Of a value that is null there is no text.
"""

from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import Boolean, Float, Integer, LargeBinary, case, func, literal, not_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from app.domain.permissions import Permission
from app.storage.columns import PermissionSet, Written, text

Expression = Any
NULL = "null"


class Piece(FunctionElement[str]):
    """Text as it is."""

    inherit_cache = False
    type = text()

    def __init__(self, content: str) -> None:
        super().__init__()
        self.content = content


@compiles(Piece)
def _(element: Piece, compiler: SQLCompiler, **_: Any) -> str:
    return compiler.render_literal_value(element.content, text())


@compiles(Piece, "postgresql")
def _(element: Piece, compiler: SQLCompiler, **_: Any) -> str:
    return f"{compiler.render_literal_value(element.content, text())}::text"


class Chain(FunctionElement[str]):
    """Texts one after the other."""

    inherit_cache = False
    type = text()


@compiles(Chain)
def _(element: Chain, compiler: SQLCompiler, **options: Any) -> str:
    return f"({' || '.join(compiler.process(each, **options) for each in element.clauses)})"


def chain(*parts: str | Expression) -> Expression:
    """The parts as one text: chains in them are taken apart, and pieces next to each other put together.

    SQLite's parser takes no more than a hundred things in each other, so that no bracket is for nothing.
    """
    merged: list[str | Expression] = []
    for link in (link for part in parts for link in links_of(part)):
        if isinstance(link, str) and merged and isinstance(merged[-1], str):
            merged[-1] += link
        elif not isinstance(link, str) or link:
            merged.append(link)
    pieces = [Piece(link) if isinstance(link, str) else link for link in merged]
    return pieces[0] if len(pieces) == 1 else Chain(*(pieces or [Piece("")]))


def links_of(part: str | Expression) -> list[str | Expression]:
    """What a part of a chain is a chain of."""
    if isinstance(part, Piece):
        return [part.content]
    if isinstance(part, Chain):
        return [link for each in part.clauses for link in links_of(each)]
    return [part]


class Quoted(FunctionElement[str]):
    """A text as a JSON string."""

    inherit_cache = False
    type = text()


@compiles(Quoted, "sqlite")
def _(element: Quoted, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_quote({compiler.process(element.clauses, **options)})"


@compiles(Quoted, "postgresql")
def _(element: Quoted, compiler: SQLCompiler, **options: Any) -> str:
    return f"to_json({compiler.process(element.clauses, **options)})::text"


class Number(FunctionElement[str]):
    """A number as JSON."""

    inherit_cache = False
    type = text()


@compiles(Number)
def _(element: Number, compiler: SQLCompiler, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


class Decimal(FunctionElement[str]):
    """A floating-point number with all that is stored of it."""

    inherit_cache = False
    type = text()


@compiles(Decimal, "sqlite")
def _(element: Decimal, compiler: SQLCompiler, **options: Any) -> str:
    value = compiler.process(element.clauses, **options)
    return f"CASE WHEN {value} IS NOT NULL THEN printf('%!.17g', {value}) END"


@compiles(Number, "postgresql")
@compiles(Decimal, "postgresql")
def _(element: Number | Decimal, compiler: SQLCompiler, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)})::text"


class Listed(FunctionElement[str]):
    """The texts of all rows with a comma between them, in the order of their places; of some, if a condition is given.

    SQLite takes rows as they come, so that they have to come in that order there.
    """

    inherit_cache = False
    type = text()


@compiles(Listed, "sqlite")
def _(element: Listed, compiler: SQLCompiler, **options: Any) -> str:
    value, _place, *only = (compiler.process(each, **options) for each in element.clauses)
    return f"group_concat({value}, ','){filtered(only)}"


@compiles(Listed, "postgresql")
def _(element: Listed, compiler: SQLCompiler, **options: Any) -> str:
    value, place, *only = (compiler.process(each, **options) for each in element.clauses)
    return f"string_agg({value}, ',' ORDER BY {place}){filtered(only)}"


def filtered(only: list[str]) -> str:
    """The clause that takes some rows alone."""
    return f" FILTER (WHERE {only[0]})" if only else ""


class Hexed(FunctionElement[str]):
    """The bytes of a text in lower-case hexadecimal."""

    inherit_cache = False
    type = text()


@compiles(Hexed, "sqlite")
def _(element: Hexed, compiler: SQLCompiler, **options: Any) -> str:
    return f"lower(hex({compiler.process(element.clauses, **options)}))"


@compiles(Hexed, "postgresql")
def _(element: Hexed, compiler: SQLCompiler, **options: Any) -> str:
    return f"encode(convert_to(({compiler.process(element.clauses, **options)})::text, 'UTF8'), 'hex')"


class Encoded(FunctionElement[bytes]):
    """A text as the bytes that are sent, so that nobody on the way has to read it."""

    inherit_cache = False
    type = LargeBinary()


@compiles(Encoded, "sqlite")
def _(element: Encoded, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **options)} AS BLOB)"


@compiles(Encoded, "postgresql")
def _(element: Encoded, compiler: SQLCompiler, **options: Any) -> str:
    return f"convert_to({compiler.process(element.clauses, **options)}, 'UTF8')"


def boolean(value: Expression) -> Expression:
    """`true` or `false`."""
    return case((value, Piece("true")), else_=Piece("false"))


def words(value: Expression, names: dict[str, str]) -> Expression:
    """The names that stand for stored words; where all are stored as they are named, without looking them up."""
    if all(stored == name for stored, name in names.items()):
        return chain('"', value, '"')
    return case(*((value == literal(stored, text()), Piece(f'"{name}"')) for stored, name in names.items()))


def names_of_bits(value: Expression) -> Expression:
    """The names of the permissions in a set, as an array in their order."""
    named = (case((value.op("&")(each.value) != 0, Piece(f',"{each.name}"')), else_=Piece("")) for each in Permission)
    return chain("[", func.substr(chain(*named), 2), "]")


def name_of_bit(value: Expression) -> Expression:
    """The name of the one permission in a set."""
    return case(*((value == each.value, Piece(f'"{each.name}"')) for each in Permission))


def or_null(written: Expression) -> Expression:
    """What is written of a value, or JSON's null where there is none."""
    return func.coalesce(written, Piece(NULL))


def write(kind: TypeEngine[Any], value: Expression, *, several: bool = False) -> Expression:
    """A value of this type as JSON. Raises TypeError for a type that nobody writes."""
    if isinstance(kind, Written):
        return write_word(kind, value)
    if isinstance(kind, PermissionSet):
        return names_of_bits(value) if several else name_of_bit(value)
    if isinstance(kind, Boolean):
        return case((value, Piece("true")), (not_(value), Piece("false")))
    if isinstance(kind, Float):
        return Decimal(value)
    if isinstance(kind, Integer):
        return Number(value)
    if kind.python_type is str:
        return Quoted(value)
    raise TypeError(f"nothing says how {kind!r} is written")


def write_word(kind: Written[Any], value: Expression) -> Expression:
    """What is stored as text of a form that needs no quoting: an instant, a word of a closed set, or JSON itself."""
    if kind.kind is datetime:
        return chain('"', value, '"')
    if issubclass(kind.kind, Enum):
        return words(value, {str(each.value): each.name for each in kind.kind})
    return value
