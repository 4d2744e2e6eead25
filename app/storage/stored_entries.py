"""Entries of the record as the database has them, down to what no reader would understand any more."""

from typing import Any, Protocol

import orjson
from sqlalchemy import type_coerce
from sqlmodel import col

from app.domain.audit import CANONICAL_FIELDS, CANONICAL_VERSION
from app.storage.columns import text
from app.storage.tables import AuditEntry

AS_STORED = [type_coerce(col(getattr(AuditEntry, name)), text()).label(name) for name in (*CANONICAL_FIELDS, "hash")]
"""The columns of an entry, uninterpreted, so that a value that was tampered with can still be read."""


class Stored(Protocol):
    """A row by its columns' names."""

    def __getitem__(self, name: str, /) -> Any: ...


def fields_of(row: Stored) -> dict[str, object]:
    """What the hash of a stored entry has to be over."""
    fields = {name: None if row[name] is None else str(row[name]) for name in CANONICAL_FIELDS}
    return {"version": CANONICAL_VERSION} | fields | {"changes": read_changes(row["changes"])}


def read_changes(stored: str) -> object:
    """The list of changes; the text itself where it is not as this program writes it."""
    try:
        changes: object = orjson.loads(stored)
    except orjson.JSONDecodeError:
        return str(stored)
    return changes if orjson.dumps(changes).decode() == stored else str(stored)
