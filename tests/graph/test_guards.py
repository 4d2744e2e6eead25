"""A schema with a field that nobody thought through is not built, so a server with one does not start."""

from enum import Enum

import pytest
import strawberry

from app.domain.permissions import Permission
from app.graph import schema as building
from app.graph.declaring import ANYONE, Requires, directives, noun_type, plain, resolved
from app.graph.schema import SchemaRefused, build_schema
from app.graph.types import Node
from app.graph.vocabulary import describe
from app.reading.nouns import ROOM


@strawberry.type(description="What can be asked.")
class Unguarded:
    """A root with a field that says no right."""

    rooms: int = strawberry.field(resolver=lambda: 1, description="How many rooms there are anywhere.")


@strawberry.type(description="What can be asked.")
class Undescribed:
    """A root with a field that says nothing."""

    rooms: int = resolved(lambda: 1, "", right=ANYONE)


@pytest.mark.parametrize(
    ("root", "said"),
    [(Unguarded, "Unguarded.rooms says no right"), (Undescribed, "Undescribed.rooms has no description")],
)
def test_a_field_without_a_right_or_a_description_stops_the_start(
    root: type, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "Query", root)

    with pytest.raises(SchemaRefused, match=said):
        build_schema()


def test_a_type_that_is_neither_a_noun_nor_part_of_one_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "Query", Unguarded)

    with pytest.raises(SchemaRefused, match="Unguarded is declared neither as a noun nor as a part of one"):
        build_schema()


def test_a_plain_field_that_its_noun_does_not_declare_cannot_be_declared() -> None:
    class Room(Node):
        secret: str = plain("What the noun does not say.")

    with pytest.raises(ValueError, match=r"Room\.secret is not declared in room"):
        noun_type(ROOM, "A room.", kind="nothing")(Room)


def test_every_value_of_an_enum_has_to_be_described() -> None:
    class Direction(Enum):
        IN = "IN"
        OUT = "OUT"

    with pytest.raises(ValueError, match="Direction: describe each value"):
        describe(Direction, "Ways.", {"IN": "One of two."})


def test_a_right_is_written_into_the_schema() -> None:
    assert directives(Permission.ROOMS_VIEW) == [Requires(permission=Permission.ROOMS_VIEW)]
    assert directives(ANYONE) == []
