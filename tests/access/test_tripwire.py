"""A statement over our tables that was not made from `visible` never reaches a database."""

import ast
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, literal_column, select, table, text, union_all, update
from sqlalchemy.orm import aliased
from sqlmodel import col

import app
from app.access.scoping import linked, unscoped
from app.access.tripwire import WORK, UnscopedStatement, arm, check
from app.access.visible import visible
from app.domain.permissions import Permission
from app.storage.engines import Database
from app.storage.tables import Room, RoomGroup, RoomGroupRoom, UpdateRing

ROOMS = visible(Room, Permission.ROOMS_VIEW)
RING = aliased(UpdateRing)
IN_GROUP = col(RoomGroupRoom.room_id) == col(Room.id)

SCOPED = {
    "visible": ROOMS,
    "columns of visible": ROOMS.with_only_columns(col(Room.name)),
    "a count over visible": select(func.count()).select_from(ROOMS.subquery()),
    "visible inside visible": ROOMS.where(col(Room.id).in_(ROOMS.with_only_columns(col(Room.id)))),
    "a link": linked(ROOMS, RoomGroupRoom, IN_GROUP),
    "no table at all": select(text("1")),
    "a text without our tables": text("select 1"),
}
STRAY: dict[str, Any] = {
    "a table": select(Room),
    "a column": select(col(Room.id)),
    "a count": select(func.count()).select_from(Room),
    "an alias": select(col(RING.id)),
    "a join": ROOMS.join(UpdateRing, col(UpdateRing.id) == col(Room.ring_id)),
    "a join to an alias": ROOMS.where(col(RING.id) == col(Room.ring_id)),
    "a join to a link": ROOMS.join(RoomGroupRoom, IN_GROUP),
    "another table's column": ROOMS.with_only_columns(col(RoomGroup.id)),
    "a condition": ROOMS.where(col(Room.id).in_(select(col(RoomGroup.id)))),
    "an order": ROOMS.order_by(select(col(UpdateRing.name)).scalar_subquery()),
    "a union": union_all(ROOMS, select(Room)),
    "a subquery": select(select(Room).subquery()),
    "a common table": select(Room).cte("rooms_too").select(),
    "a value": select(select(col(RoomGroup.name)).scalar_subquery()),
    "a table by its name": select(text("1")).select_from(table("rooms")),
    "a column by its name": select(literal_column("rooms.name")),
    "a text": text("select * from rooms"),
    "a text in a condition": ROOMS.where(text("rooms.id in (select room_id from assignment_rooms)")),
    "an insert": insert(Room),
    "an update": update(Room).values(name="x"),
    "a delete": delete(Room),
}


@pytest.mark.parametrize("statement", SCOPED.values(), ids=SCOPED)
def test_what_is_made_from_visible_passes(statement: Any) -> None:
    check(statement, {})


@pytest.mark.parametrize("statement", STRAY.values(), ids=STRAY)
def test_whatever_names_a_table_otherwise_raises(statement: Any) -> None:
    with pytest.raises(UnscopedStatement):
        check(statement, {})


def test_a_change_passes_in_a_work_but_what_it_reads_must_be_scoped() -> None:
    work = {WORK: True}

    check(update(Room).values(name="x"), work)

    with pytest.raises(UnscopedStatement):
        check(delete(Room).where(col(Room.ring_id).in_(select(col(UpdateRing.id)))), work)


def test_a_reason_lets_a_statement_past() -> None:
    check(unscoped(select(Room), "for a test"), {"unscoped": "for a test"})


def test_only_links_can_be_joined_as_links() -> None:
    with pytest.raises(ValueError, match="rooms is not a link"):
        linked(ROOMS, Room, IN_GROUP)


async def test_the_database_never_sees_it(database: Database) -> None:
    for statement in (select(Room), text("select * from rooms"), text("delete from ROOMS")):
        async with database.writing() as session:
            connection = await session.connection()
            with pytest.raises(UnscopedStatement):
                await connection.execute(statement)


async def test_without_the_tripwire_it_would_be_answered(address: str) -> None:
    async with Database(address) as unarmed, unarmed.reading() as connection:
        assert (await connection.execute(select(col(Room.id)))).all() == []


async def test_a_statement_that_passed_does_not_let_another_pass(address: str) -> None:
    async with Database(address) as opened:
        armed = arm(opened)
        async with armed.reading() as connection:
            await connection.execute(unscoped(select(col(Room.id)), "for a test"))
            with pytest.raises(UnscopedStatement):
                await connection.execute(select(col(Room.id)))


UNSCOPED_USES = {
    "access/recognizing.py": [
        "who asks is nobody's viewer before the tenant is known",
    ],
    "operations/answering.py": ["UNSEEN", "a head count, of groups that the viewer named"],
    "operations/attempts.py": ["whether the record is complete, for who may read it"],
    "operations/counting.py": ["WRITTEN_BY_WHOEVER", "a refusal is counted, for nobody to see yet"],
    "operations/changing.py": ["a caller's own keys, which no query shows", "old answers are thrown away unseen"],
    "operations/importing_rooms.py": ["COMMAND"] * 3,
    "operations/importing_directory.py": ["COMMAND"],
    "operations/memberships.py": ["EVERYBODY"] * 6,
    "operations/inviting.py": ["a domain is looked up for whom no relation exists yet"],
    "operations/names.py": ["a world is seeded for no viewer"],
    "operations/people.py": ["COMMANDS"] * 2,
    "operations/deciding.py": ["all that waits ends, whoever ends it"],
    "operations/purging.py": ["COMMANDS"] * 3,
    "operations/removing.py": ["ON_RECORD"] * 2,
    "operations/tenants.py": ["COMMANDS"] * 3,
    "operations/vacancies.py": ["WHOEVER"],
    "operations/verifying.py": ["COMMANDS"] * 5,
    "operations/work.py": [
        "ACTS",
        "a command signs where all chains end",
        "a lock shows nothing",
        "every change appends to the chains of the tenants it concerns",
    ],
}
"""Every use, with its reason: those that recognize the caller, lock, record or move what stays unseen, or act for an
operator.
"""


def test_every_way_past_visible_is_known() -> None:
    """A new use of `unscoped` has to be added here, where a reviewer sees it with its reason."""
    assert uses_of_unscoped() == UNSCOPED_USES


def uses_of_unscoped() -> dict[str, list[str]]:
    """The reasons given to `unscoped`, by file; a constant by its name."""
    root, found = Path(app.__file__).parent, dict[str, list[str]]()
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "unscoped":
                reason = node.args[1]
                said = reason.value if isinstance(reason, ast.Constant) else ast.unparse(reason)
                found.setdefault(path.relative_to(root).as_posix(), []).append(str(said))
    return {file: sorted(reasons) for file, reasons in found.items()}
