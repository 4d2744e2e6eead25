"""Writing much: one statement for many rows, a chunk at a time."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Delete, Insert, Update

from app.operations.work import Work

Item = TypeVar("Item")
Columns = dict[str, Any]
Progress = Callable[[int], object]
"""Told how many more are done."""

CHUNK = 2_000
"""Rows read or written at a time: more save no time and take memory."""


async def write(
    work: Work,
    statement: Insert | Update | Delete,
    items: Sequence[Item],
    bind: Callable[[Item], Columns],
    on_progress: Progress = lambda _: None,
) -> None:
    """Run the statement for each of these, a chunk at a time."""
    connection = await work.session.connection()
    for start in range(0, len(items), CHUNK):
        chunk = items[start : start + CHUNK]
        await connection.execute(statement, [bind(item) for item in chunk])
        on_progress(len(chunk))
