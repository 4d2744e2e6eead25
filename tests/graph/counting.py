"""Counting the statements that a database is asked while somebody reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from app.storage.engines import Database


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The texts of all statements that the readers are asked inside of the context, in order."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    engine = database.readers.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)
