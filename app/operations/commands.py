"""A change that a customer can hold for approval: its validated input, apart from its being done (domain.md 7 #16).

Asking for it, asking again in the name of who asked, and doing it are the same code: `prepare` looks at everything as
it is now and refuses, and what it answers says what would change and does it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import BaseModel
from sqlmodel import SQLModel

from app.domain.audit import Changes
from app.domain.vocabulary import ChangeEvent
from app.operations.work import Work
from app.storage.tables import Partnership

Results = Mapping[str, Any]
"""What a change answers: rows by the payload's fields, and numbers."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A change that could be done now, by this viewer."""

    partnership: Partnership | None
    """In which the viewer acts as a partner, locked; None for the customer's own people."""
    subject: SQLModel | None
    """What it is about; None for something that does not exist yet."""
    name: str
    """What it is about, in words."""
    changes: Changes
    """What it would change, field by field; empty if nothing."""
    apply: Callable[[], Awaitable[Results]]
    """Do it, on the record, and answer by the payload's fields."""
    is_holdable: bool = True
    """False for what only takes access away (domain.md 7 #18)."""


class Command(BaseModel, frozen=True, extra="forbid"):
    """The input of a change. A field that was not given is not in `model_fields_set`; null is a value."""

    event: ClassVar[ChangeEvent]
    """What the customer sets to hold it."""

    @classmethod
    def facts(cls, subject: Any) -> Mapping[str, str | None]:  # noqa: ARG003
        """The present values of the fields that it can change, by which a held one is told to be overtaken.

        `subject` is the row, as it is stored or as it is read. Something new has none.
        """
        return {}

    async def prepare(self, work: Work) -> Prepared:
        """What it would change, checked against everything as it is now. Raises `Refused` or `RefusedTogether`."""
        raise NotImplementedError
