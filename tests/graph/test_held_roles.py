"""Changes of roles that a customer holds for approval (domain.md 7 #13, #16 and #18)."""

from typing import Any

import pytest

from app.storage.engines import Database
from app.storage.global_ids import global_id
from tests.graph import role_giving as giving
from tests.graph.asking import ask
from tests.graph.holding import APPROVE, REQUEST, by_hand, requests_of
from tests.graph.relating import AUTO, SET_CONTROL, by, by_person, done, heads, partnership, room, rows, user, written
from tests.graph.role_giving import CONTOSO, NORTHWIND, admins_of, assignment, members, of, of_role, partner_id, role

ADMIN, HELPDESK, NOBODY = (f"northwind-{name}" for name in ("admin", "helpdesk", "nobody"))


def holding(document: str, field: str) -> str:
    """The document of a change, with the request that it may become."""
    return document.replace(f"{field} {{ id", f"approvalRequest {{ {REQUEST} }} {field} {{ id", 1)


CREATE_ROLE, UPDATE_ROLE = (holding(each, "role") for each in (giving.CREATE_ROLE, giving.UPDATE_ROLE))
CREATE, UPDATE = (holding(each, "assignment") for each in (giving.CREATE, giving.UPDATE))


async def held(database: Database, document: str, **values: Any) -> dict[str, Any]:
    """The request that a change by Northwind's admin becomes. Fails unless nothing but it is stored."""
    await by_hand(database, "ROLES_MODIFY")
    before = await rows(database)

    payload = await done(ask(database, ADMIN), document, **values)

    request = payload.pop("approvalRequest")
    assert payload == {name: [] if name == "errors" else None for name in payload}
    changed = {name for name, found in (await rows(database)).items() if found != before[name]}
    assert changed == {"approval_requests", "audit_entries"}
    assert (request["state"], request["event"], request["stale"]) == ("PENDING", "ROLES_MODIFY", False)
    return dict(request)


async def approved(database: Database, request: dict[str, Any]) -> dict[str, Any]:
    """The request after a Manager of the customer has approved it."""
    payload = await done(ask(database, "contoso-manager"), APPROVE, request=request["id"])
    return dict(payload["approvalRequest"])


def lines(request: dict[str, Any]) -> list[tuple[str, str | None, str | None]]:
    return [(each["field"], each["before"], each["after"]) for each in request["changes"]]


async def test_a_new_role_with_its_first_assignment_is_held_and_then_made_in_one_rb_8(own_world: Database) -> None:
    zrh, where = await room(own_world, "zrh-1@contoso.example"), await partner_id(own_world)
    first = {"name": "Night shift", "members": [user(NOBODY)], "rooms": [zrh]}

    request = await held(
        own_world, CREATE_ROLE, partnership=where, name="Night", permissions=["ROOMS_VIEW"], assignment=first
    )

    assert request["subject"] == {"__typename": "Partnership", "id": where}
    assert lines(request)[:3] == [
        ("name", None, "Night"),
        ("permissions", None, "ROOMS_VIEW"),
        ("assignment", None, "Night shift"),
    ]
    assert ("members", None, NOBODY) in lines(request)
    before = await heads(own_world)
    assert (await approved(own_world, request))["state"] == "APPROVED"
    made = await role(own_world, CONTOSO, "Night", NORTHWIND)
    assert str(made.permissions.name) == "ROOMS_VIEW"
    seen = await ask(own_world, NOBODY).data("{ viewer { rooms { nodes { id } } } }")
    assert seen["viewer"]["rooms"]["nodes"] == [{"id": zrh}]
    entries = {entry.action: entry for entry in await written(own_world, before)}
    assert set(entries) == {"role.create", "assignment.create", "approval.approve"}
    assert by(entries["role.create"]) == by(entries["assignment.create"]) == by_person(CONTOSO, ADMIN)
    assert entries["role.create"].approved_by_id == entries["approval.approve"].user_id


async def test_more_permissions_are_held_and_fewer_are_not_18(own_world: Database) -> None:
    desk = await role(own_world, CONTOSO, "Help desk", NORTHWIND)
    fewer, more = ["ROOMS_VIEW", "TICKETS_VIEW"], ["ROOMS_VIEW", "ROOMS_MODIFY", "TICKETS_VIEW", "TICKETS_UPDATE"]

    request = await held(own_world, UPDATE_ROLE, **of_role(desk, permissions=more))
    payload = await done(ask(own_world, ADMIN), UPDATE_ROLE, **of_role(desk, permissions=fewer))

    assert request["subject"] == {"__typename": "Role", "id": global_id(desk)}
    assert (payload["approvalRequest"], payload["role"]["permissions"]) == (None, fewer)
    assert [each["stale"] for each in await requests_of(own_world, "contoso-manager")] == [True]
    failed = await approved(own_world, request)
    assert (failed["state"], failed["failure"]) == (
        "FAILED",
        "What the request would change was changed in the meantime.",
    )
    assert {each.name for each in (await role(own_world, CONTOSO, "Help desk", NORTHWIND)).permissions} == set(fewer)


async def test_adding_is_held_and_taking_away_is_not_18(own_world: Database) -> None:
    first_line = await assignment(own_world, CONTOSO, "Help desk", "First line", NORTHWIND)
    zrh = await room(own_world, "zrh-1@contoso.example")

    request = await held(own_world, UPDATE, **of(first_line, addMembers=[user(NOBODY)]))
    payload = await done(ask(own_world, ADMIN), UPDATE, **of(first_line, removeRooms=[zrh]))

    assert (payload["approvalRequest"], payload["assignment"]["version"]) == (None, first_line.version + 1)
    assert [each["stale"] for each in await requests_of(own_world, "contoso-manager")] == [False]
    assert (await approved(own_world, request))["state"] == "APPROVED"
    seen = await ask(own_world, "contoso-manager").data(
        "query($id: ID!) { node(id: $id) { ... on Assignment { members { nodes { ... on User { displayName } } } } } }",
        id=global_id(first_line),
    )
    assert members(seen["node"]) == [HELPDESK, NOBODY]


async def test_adds_commute_with_whatever_was_added_meanwhile_16(own_world: Database) -> None:
    """The same member was added in the meantime: nothing is left to do, and nothing fails."""
    first_line = await assignment(own_world, CONTOSO, "Help desk", "First line", NORTHWIND)
    request = await held(own_world, UPDATE, **of(first_line, addMembers=[user(NOBODY)]))
    await auto(own_world)
    await done(ask(own_world, ADMIN), UPDATE, **of(first_line, addMembers=[user(NOBODY)]))
    before = await heads(own_world)

    assert (await approved(own_world, request))["state"] == "APPROVED"

    assert [entry.action for entry in await written(own_world, before)] == ["approval.approve"]


async def auto(database: Database) -> None:
    """Let everything be done at once again."""
    row = await partnership(database, CONTOSO, NORTHWIND)
    rule = [{"event": "ROLES_MODIFY", **AUTO}]
    manager = ask(database, "contoso-manager")
    await done(manager, SET_CONTROL, partnership=global_id(row), expectedVersion=row.version, changeControl=rule)


async def test_a_new_assignment_is_held(own_world: Database) -> None:
    desk, ath = await role(own_world, CONTOSO, "Help desk", NORTHWIND), await room(own_world, "ath-1@contoso.example")

    request = await held(
        own_world, CREATE, role=global_id(desk), name="Greece", members=[user(NOBODY)], rooms=[ath], groups=[]
    )

    assert lines(request)[0] == ("name", None, "Greece")
    assert (await approved(own_world, request))["state"] == "APPROVED"
    assert (await assignment(own_world, CONTOSO, "Help desk", "Greece", NORTHWIND)).notify_by_email is False


async def test_a_name_that_was_taken_meanwhile_fails_it_43(own_world: Database) -> None:
    where = await partner_id(own_world)
    asked = {"partnership": where, "permissions": ["ROOMS_VIEW"]}
    request = await held(own_world, CREATE_ROLE, name="Night", **asked)
    await auto(own_world)
    await done(ask(own_world, ADMIN), CREATE_ROLE, name="NIGHT", **asked)

    failed = await approved(own_world, request)

    assert (failed["state"], failed["failure"]) == ("FAILED", "There is one with this name already: NIGHT.")


async def test_who_may_not_grant_it_any_more_fails_it_16_and_25(own_world: Database) -> None:
    """The room was taken out of the partnership between the request and its approval."""
    desk, ath = await role(own_world, CONTOSO, "Help desk", NORTHWIND), await room(own_world, "ath-1@contoso.example")
    asked = {"name": "Greece", "members": [user(NOBODY)], "rooms": [ath]}
    request = await held(own_world, CREATE, role=global_id(desk), **asked)
    admins = await admins_of(own_world, CONTOSO)
    await done(ask(own_world, "contoso-manager"), giving.UPDATE, **of(admins, removeRooms=[ath]))

    failed = await approved(own_world, request)

    assert (failed["state"], failed["failure"]) == (
        "FAILED",
        "What it is about is gone, or who asked for it does not see it any more.",
    )


async def test_primary_admins_are_never_held_18(own_world: Database) -> None:
    await by_hand(own_world, "ROLES_MODIFY")
    admins = await admins_of(own_world, CONTOSO)

    payload = await done(ask(own_world, ADMIN), UPDATE, **of(admins, addMembers=[user(HELPDESK)]))

    assert payload["approvalRequest"] is None
    assert members(payload["assignment"]) == [ADMIN, HELPDESK]


@pytest.mark.parametrize("what", ["role", "assignment"])
async def test_deleting_is_never_held_18(own_world: Database, what: str) -> None:
    await by_hand(own_world, "ROLES_MODIFY")
    admin = ask(own_world, ADMIN)

    if what == "role":
        desk = await role(own_world, CONTOSO, "Help desk", NORTHWIND)
        assert (await done(admin, giving.DELETE_ROLE, role=global_id(desk)))["endedAssignments"] == 1
    else:
        first_line = await assignment(own_world, CONTOSO, "Help desk", "First line", NORTHWIND)
        await done(admin, giving.DELETE, assignment=global_id(first_line))

    assert await requests_of(own_world, "contoso-manager") == []


async def test_the_customers_own_changes_are_never_held(own_world: Database) -> None:
    await by_hand(own_world, "ROLES_MODIFY")
    observer = await role(own_world, CONTOSO, "Observer")

    payload = await done(ask(own_world, "contoso-manager"), UPDATE_ROLE, **of_role(observer, name="Watcher"))

    assert (payload["approvalRequest"], payload["role"]["name"]) == (None, "Watcher")
