"""A statement over our tables that was not made from `visible` never reaches a database."""

import ast
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, literal_column, select, table, text, union_all, update
from sqlalchemy.orm import aliased
from sqlmodel import col

import app
from app.access.scoping import linked, rule, unscoped
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
    "bench/making.py": ["a world to be measured is made for no viewer"],
    "operations/answering.py": ["UNSEEN", "a head count, of groups that the viewer named"],
    "operations/counting.py": ["WRITTEN_BY_WHOEVER", "a refusal is counted, for nobody to see yet"],
    "operations/changing.py": ["a caller's own keys, which no query shows", "old answers are thrown away unseen"],
    "operations/importing_rooms.py": ["COMMAND"] * 3,
    "operations/importing_directory.py": ["COMMAND"],
    "operations/memberships.py": ["EVERYBODY"] * 7,
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


MARKED_USES = {
    "access/derived.py": {
        "delegated_rooms": ["rule"] * 2,
        "domains_of": ["rule"],
        "ended_columns": ["rule"] * 3,
        "exceeds": ["rule"],
        "grants_held": ["rule"] * 3,
        "in_scope": ["rule"],
        "name_of": ["rule"],
        "offered_room_count": ["rule"] * 3,
        "offered_rooms": ["rule"] * 2,
        "rooms_reached": ["rule"],
    },
    "access/recognizing.py": {"unrecognized": ["rule"] * 2},
    "access/visible.py": {"named": ["rows_of"], "visible": ["rows_of"], "ways": ["rows_of"]},
    "operations/attempts.py": {"is_incomplete": ["rule"]},
    "operations/delegating.py": {"present": ["linked"]},
    "operations/managing.py": {"members_of": ["linked"]},
    "reading/filters.py": {"in_group": ["linked"]},
    "reading/pages.py": {"children": ["linked"], "children_of": ["links"]},
    "reading/writing.py": {"Page": ["again"]},
}
"""Every other statement that may name more than `visible` answered, by function, but for the rules of `visible`.

A `rule` decides or counts, of a row that is seen anyway or of the viewer itself; a link says what belongs together;
read `again` is what was seen.
"""


def test_every_way_past_visible_is_known() -> None:
    """A new use of `unscoped` has to be added here, where a reviewer sees it with its reason."""
    assert uses_of_unscoped() == UNSCOPED_USES


def test_every_other_marked_statement_is_known() -> None:
    """The tripwire lets a `rule` name any table: one that is run for its rows would show them to anybody."""
    assert uses_of_marks() == MARKED_USES


def test_marks_are_given_by_their_own_names_only() -> None:
    """A use that goes by another name would hide from the two tests above."""
    assert {file: hidden for file, tree in modules() if (hidden := hidden_marks(tree))} == HIDDEN_MARKS


@pytest.mark.parametrize(
    "hidden",
    [
        "from app.access.scoping import rule as select",
        "from app.access.scoping import EVERY_TABLE",
        "from app.access.scoping import *",
        "from app.access.visible import rule",
        "from app.access import scoping",
        "import app.access.scoping",
        "run(statement.execution_options(unscoped='nothing to see'))",
        "run(statement.execution_options(**{'scope': tables}))",
        "from app.access.scoping import rule\nselect = rule",
        "from app.access.scoping import unscoped\nstatements = map(unscoped, statements)",
    ],
)
def test_a_hidden_mark_is_found(hidden: str) -> None:
    assert len(hidden_marks(ast.parse(hidden))) == 1


SCOPING = "app.access.scoping"
MARKS = {"again", "linked", "links", "rows_of", "rule", "scoped", "unscoped"}
HIDDEN_MARKS = {
    "access/scoping.py": ["execution_options(**{SCOPE: tables})", "execution_options(**{UNSCOPED: reason})"],
    "access/tripwire.py": ["import EVERY_TABLE", "import SCOPE", "import UNSCOPED"],
}
"""Where the marks are made, and where they are read."""


def modules() -> list[tuple[str, ast.Module]]:
    """The whole program, by file."""
    root = Path(app.__file__).parent
    return [(path.relative_to(root).as_posix(), ast.parse(path.read_text())) for path in sorted(root.rglob("*.py"))]


def calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def uses_of_unscoped() -> dict[str, list[str]]:
    """The reasons given to `unscoped`, by file; a constant by its name."""
    found: dict[str, list[str]] = {}
    for file, tree in modules():
        for call in calls(tree):
            if ast.unparse(call.func) == "unscoped":
                reason = call.args[1]
                said = reason.value if isinstance(reason, ast.Constant) else ast.unparse(reason)
                found.setdefault(file, []).append(str(said))
    return {file: sorted(reasons) for file, reasons in found.items()}


def uses_of_marks() -> dict[str, dict[str, list[str]]]:
    """The other marks given in each function, by file; in `visible` only those that are no rule's."""
    found: dict[str, dict[str, list[str]]] = {}
    for file, tree in modules():
        pinned = MARKS - {"unscoped"} - ({"rule"} if file == "access/visible.py" else set())
        for part in tree.body if file != "access/scoping.py" else []:
            if marks := sorted(mark for call in calls(part) if (mark := ast.unparse(call.func)) in pinned):
                found.setdefault(file, {})[getattr(part, "name", "the module")] = marks
    return found


def hidden_marks(tree: ast.Module) -> list[str]:
    """What gives a statement a mark in another way than by calling the function of that name."""
    called = {id(call.func) for call in calls(tree)}
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == SCOPING]
    names = {each.name for node in imports for each in node.names} & MARKS
    found = [said for node in ast.walk(tree) for said in imported_marks(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in names and id(node) not in called:
            found.append(node.id)
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "execution_options"
        ):
            options = [each for each in node.keywords if each.arg in (None, "scope", "unscoped")]
            found += [f"execution_options({ast.unparse(each)})" for each in options]
    return sorted(found)


def imported_marks(node: ast.AST) -> list[str]:
    """What is imported of the marks beside themselves: their module, by another name, or from elsewhere."""
    if isinstance(node, ast.Import):
        return [f"import {each.name}" for each in node.names if each.name == SCOPING]
    if not isinstance(node, ast.ImportFrom):
        return []
    is_home = node.module == SCOPING
    plain = {*MARKS, "Rows"} if is_home else set()
    return [
        f"import {each.name}"
        for each in node.names
        if (is_home or each.name in {*MARKS, "scoping"}) and (each.name not in plain or each.asname)
    ]


def test_a_rule_cannot_read_the_table_that_it_asks_about() -> None:
    """SQLAlchemy would take the outer row for both, and the rule would hold wherever it is asked."""
    rooms = select(col(RoomGroupRoom.room_id)).join(Room, col(Room.id) == col(RoomGroupRoom.room_id))

    with pytest.raises(ValueError, match="a rule about rooms cannot read it as well"):
        rule(rooms, Room)
