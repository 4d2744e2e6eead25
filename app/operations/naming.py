"""Names and other values of roles and assignments, as people give them and as they are stored."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlmodel import col

from app.access.scoping import Rows
from app.domain.refusals import ErrorCode, Refused
from app.domain.roles import read_name
from app.domain.text import name_key
from app.operations.work import Work
from app.storage.global_ids import global_id
from app.storage.tables import Assignment, Role

Read = TypeVar("Read")


async def free_name(
    work: Work, rows: Rows, table: type[Role] | type[Assignment], name: str | None, *path: str, but: str = ""
) -> str:
    """The name, if none of these rows has it but perhaps this one (domain.md 7 #43). Raises `Refused`."""
    read = read_name(name, *path)
    for (existing,) in await work.ask(rows.where(col(table.name_key) == name_key(read), col(table.id) != but)):
        message = f"There is one with this name already: {existing.name}."
        raise Refused(ErrorCode.CONFLICT, message, ("input", *path), existing_id=global_id(existing))
    return read


def take(problems: list[Refused], read: Callable[..., Read], value: object, *path: str) -> Read | None:
    """What is read of a value; what is wrong with it is kept with the other problems of the input."""
    try:
        return read(value, *path)
    except Refused as refused:
        problems.append(refused)
        return None


def write(row: Role | Assignment, values: Mapping[str, Any]) -> None:
    """Give the row these values, and what follows from them."""
    for name, value in values.items():
        setattr(row, name, value)
    row.name_key = name_key(row.name)
    row.version += 1
