"""Cursors: where in a list a row stands, as (sort key, id), so that they survive inserts and deletes.

The text is one that Python, SQLite and PostgreSQL can all put together: a digest of the list's order and filters, the
sort key in hexadecimal, the id.
"""

import hashlib
import operator
import re
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, and_, or_, tuple_

from app.domain.ids import UUID_TEXT
from app.domain.refusals import bad_argument
from app.reading.declaring import Expression, Order

NULL = "-"
DIGEST_LENGTH = 12
CURSOR = re.compile(
    rf"(?P<digest>[0-9a-f]{{{DIGEST_LENGTH}}})_(?P<sort>(?:[0-9a-f]{{2}})*|{NULL})_(?P<key>{UUID_TEXT})"
)


COMPARE = {
    (False, False): operator.gt,
    (False, True): operator.ge,
    (True, False): operator.lt,
    (True, True): operator.le,
}
"""By whether the smaller side is meant, and whether the value itself is."""
MAX_NUMBER = 2**31 - 1
"""The largest number that a sort key can be, in either database."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a row stands in a list."""

    sort: str | int | None
    key: str


def digest(*list_identity: Any) -> str:
    """What tells one list from another: its name, its order, its filters."""
    return hashlib.sha256(orjson.dumps(list_identity, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()[
        :DIGEST_LENGTH
    ]


def write_cursor(list_digest: str, position: Position) -> str:
    """The cursor of a row."""
    sort = NULL if position.sort is None else str(position.sort).encode().hex()
    return f"{list_digest}_{sort}_{position.key}"


def read_cursor(argument: str, cursor: str, list_digest: str, order: Order) -> Position:
    """The position that a cursor of this list names. Raises BAD_ARGUMENT for anything else."""
    not_ours = bad_argument(argument, f"`{argument}` is not a cursor; pass one that this connection answered.")
    found = CURSOR.fullmatch(cursor)
    if found is None:
        raise not_ours
    if found["digest"] != list_digest:
        message = f"`{argument}` is a cursor of another list; keep order and filters the same while paging."
        raise bad_argument(argument, message)
    try:
        position = Position(read_sort(found["sort"], order), found["key"])
    except ValueError:
        raise not_ours from None
    if write_cursor(list_digest, position) != cursor:
        raise not_ours
    return position


def read_sort(written: str, order: Order) -> str | int | None:
    """The sort key in a cursor. Raises ValueError for what no row of the list can have."""
    if written == NULL and order.nullable:
        return None
    text = bytes.fromhex(written).decode()
    if "\0" in text:
        raise ValueError
    if not order.number:
        return text
    if abs(number := int(text)) > MAX_NUMBER:
        raise ValueError
    return number


def sorting(order: Order, key: Expression, *, backwards: bool) -> list[ColumnElement[Any]]:
    """The ORDER BY of a list, or of the same list read from its end."""
    descending = order.descending is not backwards
    keys = [order.by.desc() if descending else order.by.asc(), key.desc() if descending else key.asc()]
    if not order.nullable:
        return keys
    is_null = order.by.is_(None)
    return [is_null.desc() if backwards else is_null.asc(), *keys]


def beyond(order: Order, key: Expression, at: Position, *, backwards: bool, inclusive: bool = False) -> Any:
    """The rows after a position in the list, or before it; nulls stand last in either direction of the order."""
    compare = COMPARE[order.descending is not backwards, inclusive]
    if at.sort is None:
        same_null = and_(order.by.is_(None), compare(key, at.key))
        return or_(order.by.is_not(None), same_null) if backwards else same_null
    here = compare(tuple_(order.by, key), tuple_(at.sort, at.key))
    return or_(here, order.by.is_(None)) if order.nullable and not backwards else here
