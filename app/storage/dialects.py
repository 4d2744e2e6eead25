"""The few expressions that SQLite and PostgreSQL spell differently, under one name each."""

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from app.storage.columns import text


class Listed(FunctionElement[str]):
    """The texts of a JSON array that is bound as one parameter, so that a list of any length has one SQL text."""

    inherit_cache = True
    type = text()


@compiles(Listed, "sqlite")
def _(element: Listed, compiler: SQLCompiler, **options: Any) -> str:
    return f"(SELECT value FROM json_each({compiler.process(element.clauses, **options)}))"


@compiles(Listed, "postgresql")
def _(element: Listed, compiler: SQLCompiler, **options: Any) -> str:
    return f"(SELECT jsonb_array_elements_text(CAST({compiler.process(element.clauses, **options)} AS JSONB)))"


def is_listed(column: Any, texts: ColumnElement[str]) -> ColumnElement[bool]:
    """The column is one of the texts in a bound JSON array."""
    found: ColumnElement[bool] = column.op("IN", is_comparison=True)(Listed(texts))
    return found


class Gathered(FunctionElement[Any]):
    """The values of a one-column select as a JSON array, in the select's order."""

    inherit_cache = True
    type = text()


@compiles(Gathered, "sqlite")
def _(element: Gathered, compiler: SQLCompiler, **options: Any) -> str:
    return f"(SELECT json_group_array(value) FROM {compiler.process(element.clauses, **options)} AS each_value)"


@compiles(Gathered, "postgresql")
def _(element: Gathered, compiler: SQLCompiler, **options: Any) -> str:
    inner = compiler.process(element.clauses, **options)
    return f"(SELECT CAST(coalesce(json_agg(value), '[]') AS TEXT) FROM {inner} AS each_value)"
