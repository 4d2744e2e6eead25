"""The tripwire: a statement over our tables that was not made from `visible` raises before it reaches the database.

It looks at every select inside a statement, however deep. One that names a table must have been made by `visible`, by a
rule, by `linked`, or be `unscoped` with a reason; a change must come from a `Work`. A statement that passed once is
known by its text and the names of its parameters, so that the look costs one lookup afterwards.
"""

import re
from collections.abc import Iterator
from typing import Any
from weakref import WeakSet

from sqlalchemy import (
    ClauseElement,
    ColumnClause,
    Delete,
    Insert,
    Select,
    Subquery,
    TableClause,
    TextClause,
    Update,
    event,
)
from sqlalchemy.engine import Connection
from sqlalchemy.sql import visitors
from sqlalchemy.sql.selectable import SelectBase

from app.access.scoping import EVERY_TABLE, SCOPE, UNSCOPED, Rows
from app.storage.engines import Database
from app.storage.tables import metadata

WORK = "work"
"""Execution option of a connection that a `Work` writes on."""
GUARDED = frozenset(metadata.tables)
NAMED_IN_TEXT = re.compile(rf"\b({'|'.join(sorted(GUARDED))})\b", re.IGNORECASE)
KNOWN_STATEMENTS = 10_000
"""Remembered as checked; beyond that all are forgotten and checked again."""


class UnscopedStatement(Exception):
    """A statement over a tenant's table that was not made from `visible`: a defect of this program."""


def named_tables(statement: ClauseElement) -> Iterator[str]:
    """The tables that a statement names itself, in whatever clause; selects inside it are looked at by themselves."""
    pending = list(statement.get_children())
    while pending:
        part = pending.pop()
        if isinstance(part, TableClause):
            yield part.name
        elif isinstance(part, ColumnClause):
            pending += [part.table] if part.table is not None else []
        elif not isinstance(part, SelectBase | Subquery):
            pending += part.get_children()


def check_select(select: Rows) -> None:
    """Raises `UnscopedStatement` where a select names a table that it was not made for."""
    scope = select.get_execution_options().get(SCOPE, frozenset())
    if scope == EVERY_TABLE:
        return
    if strays := GUARDED.intersection(named_tables(select)) - scope:
        raise UnscopedStatement(f"a statement over {', '.join(sorted(strays))} was not made from `visible`")


def check(statement: Any, options: Any) -> None:
    """Raises `UnscopedStatement` for a statement that is neither scoped, nor a Work's, nor unscoped for a reason."""
    if options.get(UNSCOPED):
        return
    is_change = isinstance(statement, Insert | Update | Delete)
    if is_change and not options.get(WORK) and (strays := GUARDED.intersection(named_tables(statement))):
        raise UnscopedStatement(f"a change of {', '.join(sorted(strays))} outside of a Work")
    pending = [statement]
    while pending:
        part = pending.pop()
        if isinstance(part, Select):
            if part in CHECKED:
                continue
            check_select(part)
        elif isinstance(part, TextClause):
            check_text(part.text)
        elif isinstance(part, ColumnClause) and part.is_literal:
            check_text(part.name)
        pending += part.get_children()


CHECKED: WeakSet[Select[Any]] = WeakSet()
"""Selects that passed with all that is in them. The rules are the same objects in every statement that has them."""


def check_once(statement: Rows) -> Rows:
    """The statement, which is kept, having passed. Raises `UnscopedStatement`."""
    check(statement, {})
    for part in visitors.iterate(statement):
        if isinstance(part, Select):
            CHECKED.add(part)
    return statement


def check_text(statement: str) -> None:
    """Raises `UnscopedStatement` for SQL written by hand over one of our tables."""
    if (found := NAMED_IN_TEXT.search(statement)) and not statement.lstrip().upper().startswith("PRAGMA"):
        raise UnscopedStatement(f"a statement over {found[1]} was written by hand")


def arm(database: Database) -> Database:
    """The database, with the tripwire on every connection."""
    known: set[int] = set()

    def look(_c: Connection, _cursor: object, sql: str, _p: object, context: Any, _many: bool) -> None:
        compiled = context.compiled
        if compiled is None or context.isddl:
            return check_text(sql) if not context.isddl else None
        options = context.execution_options
        # Only a hash is kept: there are as many texts as clients choose filters, and each is some kilobytes long.
        identity = hash((sql, *compiled.bind_names.values(), bool(options.get(UNSCOPED)), bool(options.get(WORK))))
        if identity not in known:
            check(context.invoked_statement, options)
            if len(known) >= KNOWN_STATEMENTS:
                known.clear()
            known.add(identity)
        return None

    for engine in {database.writer, database.readers}:
        event.listen(engine.sync_engine, "before_cursor_execute", look)
    return database
