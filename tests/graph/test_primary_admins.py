"""The Primary admin assignment: the partner chooses who, the customer chooses what, and somebody is always there.

The numbers are those of the domain's rules (PA, ROOM, TM) and of its list of choices.
"""

from typing import Any

import pytest
from sqlmodel import col, delete, insert

from app.domain.permissions import CUSTOM_CEILING, PARTNER_CEILING
from app.storage.engines import Database
from app.storage.global_ids import global_id
from app.storage.tables import AssignmentMember, GroupMember, Partnership
from tests.graph.asking import PEOPLE, Asker, ask, viewer_of
from tests.graph.partnering import UNKNOWN
from tests.graph.relating import (
    MEMBERS,
    SEEN_ROOMS,
    again,
    by,
    by_person,
    done,
    group,
    heads,
    line,
    meddle,
    partnership,
    refused,
    room,
    rows,
    said,
    security_group,
    tenant,
    user,
    written,
)
from tests.graph.role_giving import (
    CONTOSO,
    CREATE,
    DELETE,
    DELETE_ROLE,
    FABRIKAM,
    NORTHWIND,
    UPDATE,
    UPDATE_ROLE,
    accounts,
    admins_of,
    keeper,
    members,
    of,
    of_role,
    partner_id,
    role,
)
from tests.operations.chains import everything

ADDING = ["northwind-admin", "northwind-manager", "northwind-global-admin", "northwind-tenant-manager"]
REMOVING = ["northwind-admin", "northwind-manager", "northwind-global-admin"]
CUSTOMER = ["contoso-manager", "contoso-global-admin"]
MAY = "query($on: ID!, $p: Permission!) { viewer { can(permission: $p, on: $on) { allowed } } }"
PARTNER_ROLES = f"""query($id: ID!) {{ node(id: $id) {{ ... on Partnership {{ roles(first: 9) {{ nodes {{
  name type permissions assignments(first: 9) {{ nodes {{ name {MEMBERS} }} }} }} }} }} }} }}"""


async def seen_rooms(asker: Asker) -> list[str]:
    return [each["displayName"] for each in (await asker.data(SEEN_ROOMS))["viewer"]["rooms"]["nodes"]]


async def contoso_room(database: Database, name: str) -> str:
    return await room(database, f"{name}@contoso.example")


# --- the role ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", ["contoso-manager", "northwind-admin"])
async def test_it_is_the_only_built_in_role_of_a_partner_and_holds_its_column_pa_1_pa_2_check_9(
    own_world: Database, person: str
) -> None:
    shown = await ask(own_world, person).data(PARTNER_ROLES, id=await partner_id(own_world))

    (built_in,) = [each for each in shown["node"]["roles"]["nodes"] if each["type"] == "BUILT_IN"]
    assert (built_in["name"], built_in["permissions"]) == ("Primary admin", [str(p.name) for p in PARTNER_CEILING])
    (given,) = built_in["assignments"]["nodes"]
    assert (given["name"], members(given)) == ("Assigned admins", ["northwind-admin"])


async def test_its_permissions_hold_on_delegated_rooms_only_pa_3_room_5_check_8_and_9(own_world: Database) -> None:
    admin = ask(own_world, "northwind-admin")
    inside, outside = await contoso_room(own_world, "zrh-1"), await contoso_room(own_world, "sea-1")
    for permission in CUSTOM_CEILING:
        for where, within in ((inside, True), (outside, False)):
            answer = await admin.data(MAY, on=where, p=str(permission.name))
            assert answer["viewer"]["can"]["allowed"] is (within and permission in PARTNER_CEILING), permission


async def test_it_has_one_assignment_that_is_not_doubled_renamed_or_deleted_pa_7(own_world: Database) -> None:
    row, partner_role = await admins_of(own_world, CONTOSO), await role(own_world, CONTOSO, "Primary admin", NORTHWIND)
    new = {"name": "More", "members": [user("northwind-nobody")], "rooms": [await contoso_room(own_world, "zrh-1")]}
    for person in ("northwind-admin", "northwind-manager", "northwind-tenant-manager", *CUSTOMER):
        for document, asked, field in (
            (CREATE, {"role": global_id(partner_role), **new}, "role"),
            (UPDATE, of(row, name="Mine"), "name"),
            (UPDATE, of(row, description="Mine"), "description"),
            (DELETE, of(row), "assignment"),
            (UPDATE_ROLE, of_role(partner_role, permissions=["ROOMS_VIEW"]), "role"),
            (DELETE_ROLE, of_role(partner_role), "role"),
        ):
            errors = await refused(ask(own_world, person), document, **asked)
            assert said(errors) == [("InvalidState", f"input.{field}")]
            assert (errors[0]["state"], errors[0]["allowed"]) == ("BUILT_IN", ["CUSTOM"])


# --- who --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", ADDING)
async def test_primary_admins_are_added_by_who_answers_and_by_primary_admins_tm_7_tm_8_pa_5_and_35(
    own_world: Database, person: str
) -> None:
    row, before = await admins_of(own_world, CONTOSO), await heads(own_world)
    team = security_group("northwind-fabrikam-team")

    payload = await done(
        ask(own_world, person),
        UPDATE,
        **of(row, addMembers=[user("northwind-nobody"), team, user("northwind-admin")]),
    )

    assert members(payload["assignment"]) == ["northwind-admin", "northwind-fabrikam-team", "northwind-nobody"]
    assert payload["assignment"]["version"] == 2
    assert len(await seen_rooms(ask(own_world, "northwind-nobody"))) == 9
    assert len(await seen_rooms(ask(own_world, "northwind-fabrikam-admin"))) == 9 + 4
    (entry,) = await written(own_world, before)
    assert line(entry) == ("Assignment", "Update", "assignment.update", "Assigned admins")
    assert (by(entry), entry.subject) == (by_person(CONTOSO, person), global_id(row))
    assert [tuple(each.values()) for each in entry.changes] == [
        ("members", None, "northwind-nobody"),
        ("members", None, "northwind-fabrikam-team"),
    ]


async def test_a_tenant_manager_may_name_oneself_36(own_world: Database) -> None:
    clerk = ask(own_world, "northwind-tenant-manager")
    assert await seen_rooms(clerk) == []

    await done(clerk, UPDATE, **of(await admins_of(own_world, CONTOSO), addMembers=[user("northwind-tenant-manager")]))

    assert len(await seen_rooms(clerk)) == 9


@pytest.mark.parametrize("person", REMOVING)
async def test_primary_admins_are_removed_by_primary_admins_and_partner_managers_pa_5_and_35(
    own_world: Database, person: str
) -> None:
    row = await admins_of(own_world, CONTOSO)
    asked = {"addMembers": [user("northwind-nobody")], "removeMembers": [user("northwind-admin")]}

    payload = await done(ask(own_world, person), UPDATE, **of(row, notifyByEmail=True, **asked))

    if person == "northwind-admin":
        assert payload["assignment"] is None
    else:
        assert (members(payload["assignment"]), payload["assignment"]["notifyByEmail"]) == (["northwind-nobody"], True)
    held = await everything(own_world, AssignmentMember, col(AssignmentMember.assignment_id) == row.id)
    assert [each.member_id for each in held] == [viewer_of("northwind-nobody").principal_id]
    assert len(await seen_rooms(ask(own_world, "northwind-admin"))) == 4


async def test_a_tenant_manager_adds_and_does_not_remove_35(own_world: Database) -> None:
    row, clerk = await admins_of(own_world, CONTOSO), ask(own_world, "northwind-tenant-manager")
    both = {"addMembers": [user("northwind-nobody")], "removeMembers": [user("northwind-admin")]}

    errors = await refused(clerk, UPDATE, **of(row, notifyByEmail=True, **both))

    assert said(errors) == [("Forbidden", "input.removeMembers"), ("Forbidden", "input.notifyByEmail")]
    assert {error["missing"] for error in errors} == {None}


async def test_roles_modify_through_a_custom_role_names_no_primary_admin_35(own_world: Database) -> None:
    person = await keeper(own_world, "northwind-nobody", rooms=[await contoso_room(own_world, "zrh-1")])
    row = await admins_of(own_world, CONTOSO)
    both = {"addMembers": [user("northwind-nobody")], "removeMembers": [user("northwind-admin")]}

    errors = await refused(person, UPDATE, **of(row, **both))

    assert said(errors) == [("Forbidden", "input.addMembers"), ("Forbidden", "input.removeMembers")]


@pytest.mark.parametrize("person", CUSTOMER)
async def test_the_customer_chooses_no_primary_admin_38(own_world: Database, person: str) -> None:
    row = await admins_of(own_world, CONTOSO)
    for asked in (
        {"addMembers": [user("northwind-nobody")]},
        {"addMembers": [user(person)]},
        {"removeMembers": [user("northwind-admin")]},
        {"notifyByEmail": True},
    ):
        errors = await refused(ask(own_world, person), UPDATE, **of(row, **asked))
        assert said(errors) == [("Forbidden", f"input.{next(iter(asked))}")]


async def test_members_are_people_and_groups_of_the_partner_pa_5_and_rb_11(own_world: Database) -> None:
    errors = await refused(
        ask(own_world, "northwind-manager"),
        UPDATE,
        "contoso-manager",
        **of(
            await admins_of(own_world, CONTOSO),
            addMembers=[user("northwind-tool"), user("contoso-manager"), f"user_{tenant(NORTHWIND)}_{UNKNOWN}"],
        ),
    )

    assert said(errors) == [
        ("InvalidInput", "input.addMembers.0"),
        ("NotFound", "input.addMembers.1"),
        ("NotFound", "input.addMembers.2"),
    ]


@pytest.mark.parametrize("person", REMOVING)
async def test_the_last_primary_admin_stays_pa_4_check_10(own_world: Database, person: str) -> None:
    row = await admins_of(own_world, CONTOSO)

    errors = await refused(ask(own_world, person), UPDATE, **of(row, removeMembers=[user("northwind-admin")]))

    assert said(errors) == [("LastPrimaryAdmin", "input.removeMembers")]


async def test_people_are_counted_through_groups_and_an_empty_group_is_nobody_pa_4_and_34(own_world: Database) -> None:
    row, manager = await admins_of(own_world, CONTOSO), ask(own_world, "northwind-manager")
    team = security_group("northwind-fabrikam-team")
    inside = col(GroupMember.group_id) == team.rpartition("_")[2]
    kept = [each.model_dump() for each in await everything(own_world, GroupMember, inside)]
    await meddle(own_world, delete(GroupMember).where(inside))
    swap = {"addMembers": [team], "removeMembers": [user("northwind-admin")]}
    assert said(await refused(manager, UPDATE, **of(row, **swap))) == [("LastPrimaryAdmin", "input.removeMembers")]

    await meddle(own_world, *(insert(GroupMember).values(**each) for each in kept))

    payload = await done(manager, UPDATE, **of(row, **swap))
    assert members(payload["assignment"]) == ["northwind-fabrikam-team"]
    row = await again(own_world, row)
    errors = await refused(ask(own_world, "northwind-fabrikam-admin"), UPDATE, **of(row, removeMembers=[team]))
    assert said(errors) == [("LastPrimaryAdmin", "input.removeMembers")]


async def test_a_primary_admin_of_one_customer_names_none_at_another_pa_6_check_11(own_world: Database) -> None:
    person = ask(own_world, "northwind-fabrikam-admin")
    theirs, ours = await admins_of(own_world, CONTOSO), await admins_of(own_world, FABRIKAM)

    errors = await refused(person, UPDATE, "Assigned", **of(theirs, addMembers=[user("northwind-nobody")]))
    await done(person, UPDATE, **of(ours, addMembers=[user("northwind-nobody")]))

    assert said(errors) == [("NotFound", "input.assignment")]
    assert len(await seen_rooms(ask(own_world, "northwind-nobody"))) == 4


# --- what -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", CUSTOMER)
async def test_more_rooms_are_an_edit_of_the_scope_and_no_new_invitation_room_1_to_room_3_check_14(
    own_world: Database, person: str
) -> None:
    row, admin, before = await admins_of(own_world, CONTOSO), ask(own_world, "northwind-admin"), await heads(own_world)
    assert "Rainier" not in await seen_rooms(admin)

    payload = await done(
        ask(own_world, person),
        UPDATE,
        **of(row, addRooms=[await contoso_room(own_world, "sea-1")], addGroups=[await group(own_world, "Germany")]),
    )

    assert accounts(payload["assignment"]) == ["ath-1", "sea-1"]
    seen = await seen_rooms(admin)
    assert "Rainier" in seen
    assert len(seen) == 9 + 1 + 5 + 4
    (entry,) = await written(own_world, before)
    assert line(entry) == ("Assignment", "Update", "assignment.update", "Assigned admins")
    assert by(entry) == by_person(CONTOSO, person)
    assert [tuple(each.values()) for each in entry.changes] == [
        ("rooms", None, "Rainier"),
        ("groups", None, "Germany"),
    ]


async def test_rooms_are_taken_out_and_gone_from_the_next_request_on_room_4(own_world: Database) -> None:
    row, admin = await admins_of(own_world, CONTOSO), ask(own_world, "northwind-admin")
    out = {
        "removeRooms": [await contoso_room(own_world, "ath-1")],
        "removeGroups": [await group(own_world, "Boardrooms"), await group(own_world, "Switzerland")],
    }

    await done(ask(own_world, "contoso-manager"), UPDATE, **of(row, **out))

    seen = (await admin.data(SEEN_ROOMS))["viewer"]["rooms"]["nodes"]
    assert {each["customer"]["displayName"] for each in seen} == {"Fabrikam"}


@pytest.mark.parametrize("person", ADDING)
async def test_the_partner_does_not_choose_what_it_reaches_room_2_and_38(own_world: Database, person: str) -> None:
    row = await admins_of(own_world, CONTOSO)
    inside, switzerland = await contoso_room(own_world, "zrh-1"), await group(own_world, "Switzerland")
    for field, named in (
        ("addRooms", inside),
        ("removeRooms", inside),
        ("addGroups", switzerland),
        ("removeGroups", switzerland),
    ):
        errors = await refused(ask(own_world, person), UPDATE, **of(row, **{field: [named]}))
        assert (said(errors), errors[0]["missing"]) == ([("Forbidden", f"input.{field}")], "PARTNERS_MANAGE")


async def test_the_customer_gives_rooms_of_its_own_only_33(own_world: Database) -> None:
    row = await admins_of(own_world, CONTOSO)

    errors = await refused(
        ask(own_world, "contoso-manager"),
        UPDATE,
        "Ground",
        **of(
            row,
            addRooms=[await room(own_world, "del-1@fabrikam.example"), "nonsense"],
            addGroups=[await group(own_world, "Ground floors")],
            removeRooms=[await room(own_world, "cai-1@fabrikam.example")],
        ),
    )

    assert said(errors) == [
        ("NotFound", "input.addRooms.0"),
        ("NotFound", "input.addRooms.1"),
        ("NotFound", "input.removeRooms.0"),
        ("NotFound", "input.addGroups.0"),
    ]


async def test_each_side_does_its_part_and_neither_both(own_world: Database) -> None:
    both: dict[str, Any] = {
        "addMembers": [user("northwind-nobody")],
        "addRooms": [await contoso_room(own_world, "zrh-1")],
    }
    row = await admins_of(own_world, CONTOSO)
    for person, field in (("contoso-manager", "addMembers"), ("northwind-manager", "addRooms")):
        errors = await refused(ask(own_world, person), UPDATE, **of(row, **both))
        assert said(errors) == [("Forbidden", f"input.{field}")]


async def test_nobody_else_touches_the_assigned_admins_33(own_world: Database) -> None:
    row = await admins_of(own_world, CONTOSO)
    missing = f"assignment_{tenant(CONTOSO)}_{UNKNOWN}"
    for person in sorted(set(PEOPLE) - {*ADDING, *CUSTOMER}):
        for asked in (
            {"addMembers": [user(person)]},
            {"removeMembers": [user("northwind-admin")]},
            {"addRooms": [await contoso_room(own_world, "sea-1")]},
        ):
            errors = await refused(ask(own_world, person), UPDATE, "Assigned", **of(row, **asked))
            assert said(errors) == [("NotFound", "input.assignment")], person
            again_asked = of(row, **asked) | {"assignment": missing}
            assert errors == await refused(ask(own_world, person), UPDATE, **again_asked)


async def test_assigned_admins_that_stay_as_they_are_write_nothing(own_world: Database) -> None:
    row, before = await admins_of(own_world, CONTOSO), await rows(own_world)
    for person, same in (
        ("northwind-admin", {"addMembers": [user("northwind-admin")], "name": "Assigned admins"}),
        ("northwind-manager", {"removeMembers": [user("northwind-nobody")], "notifyByEmail": False}),
        ("contoso-manager", {"addRooms": [await contoso_room(own_world, "ath-1")], "description": None}),
    ):
        payload = await done(ask(own_world, person), UPDATE, **of(row, **same))
        assert payload["assignment"]["version"] == 1
    assert await rows(own_world) == before


async def test_what_is_removed_has_no_assigned_admins_to_change_33(own_world: Database) -> None:
    row = await admins_of(own_world, CONTOSO, "tailspin.example")
    for person in ("contoso-manager", "tailspin-manager", "tailspin-admin"):
        errors = await refused(ask(own_world, person), UPDATE, **of(row, addMembers=[user("tailspin-admin")]))
        assert said(errors) == [("NotFound", "input.assignment")]


async def test_nobody_of_the_partnership_is_bound_to_it_by_one_person_pa_6_and_acc_7(own_world: Database) -> None:
    """Whoever accepted can be removed like everybody else, and the partnership stays."""
    row = await admins_of(own_world, CONTOSO)
    swap = {"addMembers": [user("northwind-helpdesk")], "removeMembers": [user("northwind-admin")]}

    await done(ask(own_world, "northwind-manager"), UPDATE, **of(row, **swap))

    now: Partnership = await partnership(own_world, CONTOSO, NORTHWIND)
    assert (now.state.value, now.delegation_id) == ("ACTIVE", row.id)
