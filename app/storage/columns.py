"""Column types that read, sort and compare alike in Python, SQLite and PostgreSQL (architecture rule 11)."""

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

import orjson
from sqlalchemy import Dialect, Integer, String, TypeDecorator
from sqlalchemy.types import TypeEngine

from app.domain.moments import INSTANT_LENGTH, parse_instant, print_instant
from app.domain.permissions import Permission

Value = TypeVar("Value")


def text(length: int | None = None) -> TypeEngine[str]:
    """Text that compares byte by byte; a database's own collation would sort differently on every server."""
    binary: TypeEngine[str] = String(length, collation="C")
    return binary.with_variant(String(length, collation="BINARY"), "sqlite")


class Written(TypeDecorator[Value]):
    """A value stored as binary-collated text: how it is printed, and how it is read back."""

    impl = String
    cache_ok = True

    def __init__(self, kind: type, dump: Callable[[Any], str], load: Callable[[str], Any], length: int | None) -> None:
        super().__init__(length)
        self.kind, self.dump, self.load, self.length = kind, dump, load, length

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The text type of this engine."""
        return text(self.length).dialect_impl(dialect)

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        """A value, or text already in its stored form, on its way in."""
        return value if value is None or type(value) is str else self.dump(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        """The stored text on its way out."""
        return None if value is None else self.load(value)

    def __repr__(self) -> str:
        return f"Written({self.kind.__name__})"


def instant() -> TypeEngine[datetime]:
    """An instant, stored as it is printed, so that order and text agree everywhere."""
    return Written(datetime, print_instant, parse_instant, INSTANT_LENGTH)


def word(kind: type[Enum], length: int = 32) -> TypeEngine[Any]:
    """A member of a closed set of words, stored by its value."""
    return Written(kind, lambda member: str(member.value), kind, length)


def document() -> TypeEngine[Any]:
    """A small JSON value that is never searched, stored as compact text."""
    return Written(list, lambda value: orjson.dumps(value).decode(), orjson.loads, None)


class PermissionSet(TypeDecorator[Permission]):
    """A set of permissions, stored as the sum of their bits."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:  # noqa: ARG002
        """A set on its way in."""
        return value.value if isinstance(value, Permission) else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Permission | None:  # noqa: ARG002
        """The stored sum on its way out."""
        return None if value is None else Permission(value)
