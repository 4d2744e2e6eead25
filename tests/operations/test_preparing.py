"""What changes of roles say of themselves before they are done: what, in whose partnership, whether to hold it."""

from collections.abc import Callable
from typing import Any

import pytest

from app.domain.permissions import Permission
from app.operations.assignment_changes import UpdateAssignment
from app.operations.assignments import CreateAssignment, NewAssignment
from app.operations.commands import Command
from app.operations.roles import CreateRole, UpdateRole
from app.operations.work import Work
from app.storage.engines import Database
from app.storage.global_ids import global_id
from tests.graph.asking import viewer_of
from tests.graph.relating import group, room, rows, user
from tests.graph.role_giving import CONTOSO, NORTHWIND, admins_of, assignment, partner_id, role
from tests.world import SEEDED_AT

VIEW = (Permission.ROOMS_VIEW,)
Named = dict[str, str]


async def names(database: Database) -> Named:
    """Global ids of what the commands below are about."""
    return {
        "zurich": await room(database, "zrh-1@contoso.example"),
        "rainier": await room(database, "sea-1@contoso.example"),
        "switzerland": await group(database, "Switzerland"),
        "partnership": await partner_id(database),
        "desk": global_id(await role(database, CONTOSO, "Help desk", NORTHWIND)),
        "observer": global_id(await role(database, CONTOSO, "Observer")),
        "line": global_id(await assignment(database, CONTOSO, "Help desk", "First line", NORTHWIND)),
        "admins": global_id(await admins_of(database, CONTOSO)),
    }


async def told(database: Database, person: str, command: Command) -> dict[str, Any]:
    """What a change says about itself. Fails if anything is written."""
    before = await rows(database)
    async with Work.begin(database, viewer_of(person), SEEDED_AT, "request") as work:
        made = await command.prepare(work)
        said = {
            "partnership": made.partnership and global_id(made.partnership),
            "subject": made.subject and global_id(made.subject),
            "name": made.name,
            "fields": [change["field"] for change in made.changes],
            "holdable": made.is_holdable,
        }
    assert await rows(database) == before
    return said


@pytest.mark.parametrize(
    ("command", "subject", "name", "fields", "holdable"),
    [
        (
            lambda n: CreateRole(partnership=n["partnership"], name="New", permissions=VIEW),
            "partnership",
            "New",
            ["name", "permissions"],
            True,
        ),
        (
            lambda n: CreateRole(
                partnership=n["partnership"],
                name="New",
                permissions=VIEW,
                assignment=NewAssignment(name="All", members=(user("northwind-nobody"),), rooms=(n["zurich"],)),
            ),
            "partnership",
            "New",
            ["name", "permissions", "assignment", "members", "rooms"],
            True,
        ),
        (
            lambda n: CreateAssignment(
                role=n["desk"], name="Second", members=(user("northwind-nobody"),), groups=(n["switzerland"],)
            ),
            "desk",
            "Second",
            ["name", "notify_by_email", "members", "groups"],
            True,
        ),
        (lambda n: UpdateRole(role=n["desk"], name="Desk"), "desk", "Help desk", ["name"], True),
        (lambda n: UpdateRole(role=n["desk"], permissions=VIEW), "desk", "Help desk", ["permissions"], False),
        (
            lambda n: UpdateRole(role=n["desk"], permissions=(*VIEW, Permission.REPORTS_VIEW)),
            "desk",
            "Help desk",
            ["permissions"],
            True,
        ),
        (
            lambda n: UpdateRole(role=n["desk"], description=None, permissions=VIEW),
            "desk",
            "Help desk",
            ["description", "permissions"],
            True,
        ),
        (lambda n: UpdateRole(role=n["desk"], name="Help desk"), "desk", "Help desk", [], False),
        (
            lambda n: UpdateAssignment(assignment=n["line"], remove_members=(user("northwind-helpdesk"),)),
            "line",
            "First line",
            ["members"],
            False,
        ),
        (
            lambda n: UpdateAssignment(assignment=n["line"], remove_rooms=(n["zurich"],)),
            "line",
            "First line",
            ["rooms"],
            False,
        ),
        (
            lambda n: UpdateAssignment(
                assignment=n["line"], remove_rooms=(n["zurich"],), add_groups=(n["switzerland"],)
            ),
            "line",
            "First line",
            ["rooms", "groups"],
            True,
        ),
        (lambda n: UpdateAssignment(assignment=n["line"], name="Line"), "line", "First line", ["name"], True),
        (
            lambda n: UpdateAssignment(assignment=n["admins"], add_members=(user("northwind-nobody"),)),
            "admins",
            "Assigned admins",
            ["members"],
            False,
        ),
    ],
)
async def test_a_partners_change_says_what_it_would_change_and_writes_nothing_18(
    own_world: Database, command: Callable[[Named], Command], subject: str, name: str, fields: list[str], holdable: bool
) -> None:
    known = await names(own_world)

    said = await told(own_world, "northwind-admin", command(known))

    assert said == {
        "partnership": known["partnership"],
        "subject": known[subject],
        "name": name,
        "fields": fields,
        "holdable": holdable,
    }


@pytest.mark.parametrize(
    "command",
    [
        lambda n: CreateRole(name="New", permissions=VIEW),
        lambda n: UpdateRole(role=n["observer"], name="New"),
        lambda n: UpdateAssignment(assignment=n["admins"], add_rooms=(n["rainier"],)),
        lambda n: CreateAssignment(
            role=n["observer"], name="A", members=(user("contoso-nobody"),), rooms=(n["zurich"],)
        ),
    ],
)
async def test_a_customers_own_people_act_in_no_partnership_18(
    own_world: Database, command: Callable[[Named], Command]
) -> None:
    said = await told(own_world, "contoso-manager", command(await names(own_world)))

    assert said["partnership"] is None


async def test_a_change_says_the_present_values_of_what_it_can_change_16(own_world: Database) -> None:
    desk = await role(own_world, CONTOSO, "Help desk", NORTHWIND)
    line = await assignment(own_world, CONTOSO, "Help desk", "First line", NORTHWIND)

    assert UpdateRole.facts(desk) == {
        "name": "Help desk",
        "description": "Answers tickets.",
        "permissions": "ROOMS_VIEW, TICKETS_VIEW, TICKETS_UPDATE",
    }
    assert UpdateAssignment.facts(line) == {"name": "First line", "description": None, "notify_by_email": "false"}


@pytest.mark.parametrize(
    "command",
    [
        UpdateRole(role="r", description=None, permissions=(Permission.ROOMS_VIEW, Permission.TICKETS_UPDATE)),
        CreateRole(name="New", permissions=VIEW, assignment=NewAssignment(name="A", members=("m",))),
        UpdateAssignment(assignment="a", expected_version=3, add_rooms=("r",), notify_by_email=True),
    ],
)
def test_a_change_is_stored_and_read_again_as_it_was_16(command: Command) -> None:
    again = type(command)(**command.model_dump(mode="json", exclude_unset=True))

    assert again == command
    assert again.model_fields_set == command.model_fields_set
