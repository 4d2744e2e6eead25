"""Roles given to members over a scope: by whom, to whom, over what, and never more than one holds.

The numbers are those of the domain's rules (RB, CPR, ROOM) and of its list of choices.
"""

from typing import Any

import pytest
from sqlalchemy import Insert
from sqlmodel import col, delete, insert, update

from app.domain.vocabulary import PrincipalKind
from app.storage.engines import Database
from app.storage.global_ids import global_id
from app.storage.tables import (
    Assignment,
    AssignmentGroup,
    AssignmentMember,
    AssignmentRoom,
    GroupMember,
    Principal,
    Room,
    RoomGroupRoom,
)
from tests.graph.asking import PEOPLE, Asker, ask, viewer_of
from tests.graph.partnering import UNKNOWN
from tests.graph.relating import (
    SEEN_ROOMS,
    again,
    by,
    by_person,
    done,
    group,
    heads,
    line,
    meddle,
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
    CREATE_ROLE,
    DELETE,
    FABRIKAM,
    NORTHWIND,
    UPDATE,
    UPDATE_ROLE,
    accounts,
    admins_of,
    assignment,
    keeper,
    left,
    members,
    of,
    of_role,
    partner_id,
    role,
)
from tests.operations.chains import everything
from tests.world import SEEDED_AT

MAY = "query($on: ID!, $p: Permission!) { viewer { can(permission: $p, on: $on) { allowed } } }"
MANAGER = "Teams Rooms Pro Manager"
ASSIGNERS = ["contoso-manager", "contoso-global-admin", "contoso-teams-admin"]


async def may(asker: Asker, permission: str, on: str) -> bool:
    return bool((await asker.data(MAY, on=on, p=permission))["viewer"]["can"]["allowed"])


async def id_of(database: Database, name: str, partner: str | None = None) -> str:
    """The id of a role of Contoso or of a partner there."""
    return global_id(await role(database, CONTOSO, name, partner))


async def contoso_room(database: Database, name: str) -> str:
    return await room(database, f"{name}@contoso.example")


async def seen_rooms(database: Database, person: str) -> list[str]:
    seen = (await ask(database, person).data(SEEN_ROOMS))["viewer"]["rooms"]["nodes"]
    return [each["displayName"] for each in seen]


async def local_keeper(database: Database) -> Asker:
    """Somebody of Contoso who assigns roles and holds them over Germany alone, as a group and by its rooms."""
    await done(
        ask(database, "contoso-manager"),
        CREATE_ROLE,
        name="Local keeper",
        permissions=["ROOMS_VIEW", "GROUPS_VIEW", "TICKETS_VIEW", "ROLES_VIEW", "ROLES_MODIFY"],
        assignment={
            "name": "Germany",
            "members": [user("contoso-nobody")],
            "groups": [await group(database, "Germany")],
        },
    )
    await done(ask(database, "contoso-manager"), CREATE_ROLE, name="Looker", permissions=["ROOMS_VIEW"])
    return ask(database, "contoso-nobody")


# --- giving -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", ASSIGNERS)
async def test_a_built_in_role_is_given_with_no_further_configuration_rb_6_rb_9_to_rb_12(
    own_world: Database, person: str
) -> None:
    before = await heads(own_world)

    payload = await done(
        ask(own_world, person),
        CREATE,
        role=await id_of(own_world, "Site Lead"),
        name=" Athens ",
        description=" ",
        notifyByEmail=True,
        members=[user("contoso-nobody"), security_group("contoso-analysts"), user("contoso-nobody")],
        rooms=[await contoso_room(own_world, "zrh-1")],
        groups=[await group(own_world, "Ελλάδα")],
    )

    made = payload["assignment"]
    assert (made["name"], made["description"], made["notifyByEmail"]) == ("Athens", None, True)
    assert (made["version"], made["allRooms"], made["role"]["name"]) == (1, False, "Site Lead")
    assert (members(made), accounts(made)) == (["contoso-analysts", "contoso-nobody"], ["zrh-1"])
    assert len(await seen_rooms(own_world, "contoso-nobody")) == 4
    (entry,) = await written(own_world, before)
    assert line(entry) == ("Assignment", "Create", "assignment.create", "Athens")
    assert (by(entry), entry.subject) == (by_person(CONTOSO, person), made["id"])
    assert [(each["field"], each["after"]) for each in entry.changes] == [
        ("name", "Athens"),
        ("notify_by_email", "true"),
        ("members", "contoso-nobody"),
        ("members", "contoso-analysts"),
        ("rooms", "Zürich 1"),
        ("groups", "Ελλάδα"),
    ]


async def test_a_role_has_several_assignments_and_a_person_is_in_several_rb_13(own_world: Database) -> None:
    manager, observer = ask(own_world, "contoso-manager"), await id_of(own_world, "Observer")
    for name, where in (("One", "zrh-1"), ("Two", "ber-1")):
        asked = {"role": observer, "name": name, "members": [user("contoso-nobody")]}
        await done(manager, CREATE, **asked, rooms=[await contoso_room(own_world, where)])

    assert await seen_rooms(own_world, "contoso-nobody") == ["Berlin 1", "Zürich 1"]


async def test_rights_are_united_by_permission_and_room_and_never_apart_rb_14_check_15(own_world: Database) -> None:
    """View on one room and Modify on another do not give Modify on the first."""
    manager, zurich, berlin = (
        ask(own_world, "contoso-manager"),
        await contoso_room(own_world, "zrh-1"),
        await contoso_room(own_world, "ber-1"),
    )
    for name, where in (("Observer", zurich), ("Caretaker", berlin)):
        asked = {"role": await id_of(own_world, name), "name": "Here", "members": [user("contoso-nobody")]}
        await done(manager, CREATE, **asked, rooms=[where])
    nobody = ask(own_world, "contoso-nobody")

    assert [await may(nobody, "ROOMS_MODIFY", each) for each in (zurich, berlin)] == [False, True]
    assert [await may(nobody, "REPORTS_VIEW", each) for each in (zurich, berlin)] == [True, False]


async def test_an_assignment_needs_members_and_a_scope_rb_9_rb_12(own_world: Database) -> None:
    asked = {"role": await id_of(own_world, "Observer"), "name": "Nothing", "members": []}

    errors = await refused(ask(own_world, "contoso-manager"), CREATE, **asked)

    assert said(errors) == [("InvalidInput", "input.members"), ("InvalidInput", "input.rooms")]
    assert [error["min"] for error in errors] == [1, 1]


async def test_names_are_unique_per_role_43(own_world: Database) -> None:
    zurich, manager = await contoso_room(own_world, "zrh-1"), ask(own_world, "contoso-manager")
    asked = {"members": [user("contoso-nobody")], "rooms": [zurich], "name": "TWO ROOMS"}
    existing = await assignment(own_world, CONTOSO, "Caretaker", "Two rooms")

    errors = await refused(manager, CREATE, role=await id_of(own_world, "Caretaker"), **asked)

    assert said(errors) == [("Conflict", "input.name")]
    assert errors[0]["existing"] == {"__typename": "Assignment", "id": global_id(existing)}
    await done(manager, CREATE, role=await id_of(own_world, "Observer"), **asked)


async def test_tools_hold_custom_roles_and_those_of_sites_and_no_others_rb_11(own_world: Database) -> None:
    """Contoso has no tool of its own, so one is registered."""
    tool = {"tenant_id": tenant(CONTOSO), "id": UNKNOWN, "kind": PrincipalKind.APPLICATION, "name": "tool"}
    await meddle(own_world, insert_principal(tool))
    manager, zurich = ask(own_world, "contoso-manager"), await contoso_room(own_world, "zrh-1")
    asked = {"name": "Tools", "members": [f"application_{tenant(CONTOSO)}_{UNKNOWN}"]}
    for name in ("Observer", "Site Lead", "Site Technician"):
        payload = await done(manager, CREATE, role=await id_of(own_world, name), **asked, rooms=[zurich])
        assert members(payload["assignment"]) == ["tool"]

    errors = await refused(manager, CREATE, role=await id_of(own_world, MANAGER), **asked)
    assert said(errors) == [("InvalidInput", "input.members.0")]
    row = await assignment(own_world, CONTOSO, MANAGER, "Managers")
    errors = await refused(manager, UPDATE, **of(row, addMembers=asked["members"]))
    assert said(errors) == [("InvalidInput", "input.addMembers.0")]


def insert_principal(values: dict[str, Any]) -> Insert:
    keys = {"name_key": values["name"], "search_key": values["name"]}
    return insert(Principal).values(**values, **keys, created_at=SEEDED_AT)


async def test_members_are_of_the_owners_organization_rb_11_33_and_47(own_world: Database) -> None:
    contoso = tenant(CONTOSO)
    asked = [
        user("northwind-admin"),
        user("fabrikam-manager"),
        security_group("northwind-fabrikam-team"),
        f"user_{contoso}_{UNKNOWN}",
        f"user_{contoso}_{viewer_of('northwind-admin').principal_id}",
        f"application_{contoso}_{viewer_of('contoso-nobody').principal_id}",
        "",
    ]
    where = {"role": await id_of(own_world, "Observer"), "rooms": [await contoso_room(own_world, "zrh-1")]}

    errors = await refused(
        ask(own_world, "contoso-manager"), CREATE, "northwind", "Fabrikam", name="Them", members=asked, **where
    )

    assert [each["path"] for each in errors] == [["input", "members", str(place)] for place in range(len(asked))]
    assert {each["__typename"] for each in errors} == {"NotFound"}


async def test_rooms_and_groups_of_others_answer_as_if_missing_33(own_world: Database) -> None:
    """Even those that the caller sees as the partner of another customer."""
    await done(
        ask(own_world, "northwind-manager"),
        CREATE_ROLE,
        name="Watch",
        permissions=["ROOMS_VIEW"],
    )
    asked = [
        await room(own_world, "del-1@fabrikam.example"),
        f"room_{tenant(NORTHWIND)}_{UNKNOWN}",
        f"roomgroup_{tenant(FABRIKAM)}_{UNKNOWN}",
        "",
    ]
    await done(
        ask(own_world, "northwind-manager"),
        CREATE,
        role=global_id(await role(own_world, NORTHWIND, MANAGER)),
        name="Also",
        members=[user("northwind-admin")],
    )

    errors = await refused(
        ask(own_world, "northwind-admin"),
        CREATE,
        role=global_id(await role(own_world, NORTHWIND, "Watch")),
        name="Watch",
        members=[user("northwind-nobody")],
        rooms=asked,
        groups=[await group(own_world, "Ground floors")],
    )

    assert said(errors) == [
        *(("NotFound", f"input.rooms.{place}") for place in range(4)),
        ("NotFound", "input.groups.0"),
    ]


# --- never more than one holds ----------------------------------------------------------------------------------------


async def test_who_only_assigns_gives_what_they_hold_over_what_they_hold_it_rb_2_and_25(own_world: Database) -> None:
    person = await local_keeper(own_world)
    berlin, germany = await contoso_room(own_world, "ber-1"), await group(own_world, "Germany")
    looker, asked = await id_of(own_world, "Looker"), {"members": [user("contoso-analyst")]}

    payload = await done(person, CREATE, role=looker, name="Berlin", rooms=[berlin], groups=[germany], **asked)

    assert accounts(payload["assignment"]) == ["ber-1"]
    errors = await refused(
        person,
        CREATE,
        "Zürich",
        role=looker,
        name="More",
        rooms=[berlin, await contoso_room(own_world, "zrh-1")],
        groups=[await group(own_world, "Boardrooms"), await group(own_world, "Switzerland")],
        **asked,
    )
    assert said(errors) == [
        ("NotFound", "input.rooms.1"),
        ("NotFound", "input.groups.1"),
    ]
    errors = await refused(
        person, CREATE, role=looker, name="More", groups=[germany, await group(own_world, "Boardrooms")], **asked
    )
    assert said(errors) == [("Forbidden", "input.groups.1")]
    assert errors[0]["missing"] == "ROOMS_VIEW"


@pytest.mark.parametrize(
    ("name", "missing"), [("Observer", "REPORTS_VIEW"), ("Caretaker", "ROOMS_MODIFY"), ("Site Lead", "ROOMS_MODIFY")]
)
async def test_a_permission_that_one_lacks_on_the_room_is_named_21_and_25(
    own_world: Database, name: str, missing: str
) -> None:
    person, berlin = await local_keeper(own_world), await contoso_room(own_world, "ber-1")

    errors = await refused(
        person,
        CREATE,
        role=await id_of(own_world, name),
        name="Berlin",
        members=[user("contoso-analyst")],
        rooms=[berlin],
        groups=[await group(own_world, "Germany")],
    )

    assert said(errors) == [("Forbidden", "input.rooms.0"), ("Forbidden", "input.groups.0")]
    assert {error["missing"] for error in errors} == {missing}


async def test_permissions_and_rooms_held_apart_cannot_be_given_together_21(own_world: Database) -> None:
    """TICKETS_VIEW over Germany and ROOMS_VIEW over one room in Zürich do not give TICKETS_VIEW in Zürich."""
    person, zurich = await local_keeper(own_world), await contoso_room(own_world, "zrh-1")
    looker, manager = await id_of(own_world, "Looker"), ask(own_world, "contoso-manager")
    await done(manager, CREATE, role=looker, name="Zürich", members=[user("contoso-nobody")], rooms=[zurich])
    await done(manager, CREATE_ROLE, name="Tickets", permissions=["TICKETS_VIEW"])
    asked = {"name": "Here", "members": [user("contoso-analyst")], "rooms": [zurich]}

    await done(person, CREATE, role=looker, **asked)
    errors = await refused(person, CREATE, role=await id_of(own_world, "Tickets"), **asked)

    assert (said(errors), errors[0]["missing"]) == ([("Forbidden", "input.rooms.0")], "TICKETS_VIEW")


async def test_to_add_a_member_is_to_give_everything_that_is_there_25(own_world: Database) -> None:
    person, row = await local_keeper(own_world), await assignment(own_world, CONTOSO, "Observer", "Reports for Greece")

    errors = await refused(person, UPDATE, **of(row, addMembers=[user("contoso-nobody")]))

    assert (said(errors), errors[0]["missing"]) == ([("Forbidden", "input.assignment")], "ROOMS_VIEW")


async def test_what_is_taken_out_in_the_same_change_need_not_be_held_25(own_world: Database) -> None:
    person, looker = await local_keeper(own_world), await id_of(own_world, "Looker")
    berlin, saal = await contoso_room(own_world, "ber-1"), await contoso_room(own_world, "ber-board")
    boardrooms = await group(own_world, "Boardrooms")
    made = await done(
        ask(own_world, "contoso-manager"),
        CREATE,
        role=looker,
        name="Boards",
        members=[user("contoso-analyst")],
        rooms=[saal],
        groups=[boardrooms],
    )
    asked = {"assignment": made["assignment"]["id"], "expectedVersion": 1}

    errors = await refused(person, UPDATE, **asked, addRooms=[berlin])
    payload = await done(person, UPDATE, **asked, addRooms=[berlin], removeGroups=[boardrooms])

    assert (said(errors), errors[0]["missing"]) == ([("Forbidden", "input.assignment")], "ROOMS_VIEW")
    assert accounts(payload["assignment"]) == ["ber-1", "ber-board"]


async def test_a_retired_room_is_in_no_scope_and_in_nobodys_way_58(own_world: Database) -> None:
    person, looker = await local_keeper(own_world), await id_of(own_world, "Looker")
    gone, berlin = await contoso_room(own_world, "zrh-1"), await contoso_room(own_world, "ber-1")
    asked = {"role": looker, "name": "Two", "members": [user("contoso-analyst")], "rooms": [gone, berlin]}
    made = (await done(ask(own_world, "contoso-manager"), CREATE, **asked))["assignment"]["id"]
    more = {"assignment": made, "addMembers": [user("contoso-guest")]}
    await refused(person, UPDATE, **more, expectedVersion=1)

    await meddle(
        own_world, update(Room).where(col(Room.account) == "zrh-1@contoso.example").values(retired_at=SEEDED_AT)
    )

    payload = await done(person, UPDATE, **more, expectedVersion=1)
    assert members(payload["assignment"]) == ["contoso-analyst", "contoso-guest"]


async def test_an_empty_scope_gives_no_powers_that_need_no_room_25_and_29(own_world: Database) -> None:
    """SETTINGS_VIEW counts wherever it is held, so one who lacks it cannot give it over nothing either."""
    manager, zurich = ask(own_world, "contoso-manager"), await contoso_room(own_world, "zrh-1")
    await done(
        manager,
        CREATE_ROLE,
        name="Settings",
        permissions=["SETTINGS_VIEW"],
        assignment={"name": "All", "members": [user("contoso-analyst")], "rooms": [zurich]},
    )
    row = await assignment(own_world, CONTOSO, "Settings", "All")
    await done(manager, UPDATE, **of(row, removeRooms=[zurich]))
    row = await again(own_world, row)

    errors = await refused(
        ask(own_world, "contoso-role-keeper"), UPDATE, **of(row, addMembers=[user("contoso-nobody")])
    )

    assert (said(errors), errors[0]["missing"]) == ([("Forbidden", "input.assignment")], "SETTINGS_VIEW")
    own = await assignment(own_world, CONTOSO, "Role keeper", "Role keepers")
    await done(ask(own_world, "contoso-role-keeper"), UPDATE, **of(own, addMembers=[user("contoso-nobody")]))


async def test_what_covers_everything_is_given_by_who_holds_it_over_everything_25(own_world: Database) -> None:
    person, looker = await local_keeper(own_world), await id_of(own_world, "Looker")
    asked = {"role": looker, "name": "All", "members": [user("contoso-analyst")]}
    berlin = await contoso_room(own_world, "ber-1")
    made = (await done(ask(own_world, "contoso-manager"), CREATE, **asked, rooms=[berlin]))["assignment"]["id"]
    more = {"assignment": made, "addMembers": [user("contoso-guest")], "expectedVersion": 1}
    of_looker = col(Assignment.id) == made.rpartition("_")[2]
    await meddle(own_world, update(Assignment).where(of_looker).values(all_rooms=True))

    errors = await refused(person, UPDATE, **more)

    assert (said(errors), errors[0]["missing"]) == ([("Forbidden", "input.assignment")], "ROOMS_VIEW")
    await meddle(own_world, update(Assignment).where(of_looker).values(all_rooms=False))
    await done(person, UPDATE, **more)


async def test_a_partners_empty_scope_is_given_by_who_holds_its_permissions_25(own_world: Database) -> None:
    zurich = await contoso_room(own_world, "zrh-1")
    person = await keeper(own_world, "northwind-nobody", rooms=[zurich])
    row = await assignment(own_world, CONTOSO, "Help desk", "First line", NORTHWIND)
    links = [delete(link).where(col(link.assignment_id) == row.id) for link in (AssignmentRoom, AssignmentGroup)]
    await meddle(own_world, *links)

    errors = await refused(person, UPDATE, **of(row, addMembers=[user("northwind-nobody")]))

    assert (said(errors), errors[0]["missing"]) == ([("Forbidden", "input.assignment")], "TICKETS_UPDATE")


async def test_who_only_assigns_takes_away_and_renames_what_they_do_not_hold_25(own_world: Database) -> None:
    row = await assignment(own_world, CONTOSO, "Observer", "Reports for Greece")

    payload = await done(
        ask(own_world, "contoso-role-keeper"),
        UPDATE,
        **of(row, name="Greece", notifyByEmail=True, removeMembers=[security_group("contoso-analysts")]),
    )

    now = payload["assignment"]
    assert (now["name"], now["notifyByEmail"], members(now), now["version"]) == ("Greece", True, [], 2)


async def test_nobody_else_gives_or_takes_a_customers_own_role_33(own_world: Database) -> None:
    row, observer = await assignment(own_world, CONTOSO, "Caretaker", "Two rooms"), await id_of(own_world, "Observer")
    zurich, missing = await contoso_room(own_world, "zrh-1"), f"{tenant(CONTOSO)}_{UNKNOWN}"
    new = {"name": "Mine", "members": [user("contoso-nobody")], "rooms": [zurich]}
    for person in sorted(set(PEOPLE) - {*ASSIGNERS, "contoso-role-keeper"}):
        asker = ask(own_world, person)
        for field, document, asked in (
            ("role", CREATE, {"role": observer, **new}),
            ("assignment", UPDATE, of(row, removeMembers=[user("contoso-analyst")])),
            ("assignment", UPDATE, of(row)),
            ("assignment", DELETE, {"assignment": global_id(row)}),
        ):
            errors = await refused(asker, document, "Two rooms", "Observer", **asked)
            if person == "contoso-global-reader":
                assert (said(errors), errors[0]["missing"]) == ([("Forbidden", f"input.{field}")], "ROLES_MODIFY")
            else:
                assert said(errors) == [("NotFound", f"input.{field}")], person
                assert errors == await refused(asker, document, **asked | {field: f"{field}_{missing}"})


# --- Managers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", ["contoso-manager", "contoso-global-admin"])
async def test_a_manager_assignment_always_covers_everything_rb_15_and_40(own_world: Database, person: str) -> None:
    asked = {"role": await id_of(own_world, MANAGER), "name": "Deputies", "members": [user("contoso-nobody")]}
    asker, scope = ask(own_world, person), {"rooms": [await contoso_room(own_world, "zrh-1")]}
    scope["groups"] = [await group(own_world, "Germany")]
    errors = await refused(asker, CREATE, **asked, **scope)
    assert said(errors) == [("InvalidInput", "input.rooms"), ("InvalidInput", "input.groups")]

    made = (await done(asker, CREATE, **asked))["assignment"]

    assert (made["allRooms"], made["rooms"]["nodes"], made["groups"]["nodes"]) == (True, [], [])
    assert len(await seen_rooms(own_world, "contoso-nobody")) == 24
    row = await assignment(own_world, CONTOSO, MANAGER, "Deputies")
    changes = {f"{verb}{kind.title()}": ids for verb in ("add", "remove") for kind, ids in scope.items()}
    errors = await refused(asker, UPDATE, **of(row, **changes))
    assert sorted(said(errors)) == sorted(("InvalidInput", f"input.{field}") for field in changes)


@pytest.mark.parametrize("person", ["contoso-teams-admin", "contoso-role-keeper"])
async def test_only_managers_make_managers_25(own_world: Database, person: str) -> None:
    row, asker = await assignment(own_world, CONTOSO, MANAGER, "Managers"), ask(own_world, person)
    new = {"role": await id_of(own_world, MANAGER), "name": "Mine", "members": [user(person)]}

    errors = await refused(asker, CREATE, **new)
    assert (said(errors), errors[0]["missing"]) == ([("Forbidden", "input.role")], "PARTNERS_MANAGE")
    errors = await refused(asker, UPDATE, **of(row, addMembers=[user(person)]))
    assert said(errors) == [("Forbidden", "input.assignment")]
    assert errors[0]["missing"] == ("PARTNERS_MANAGE" if "teams" in person else "ROOMS_VIEW")


@pytest.mark.parametrize("person", ["contoso-manager", "contoso-teams-admin", "contoso-role-keeper"])
async def test_the_last_manager_stays_41(own_world: Database, person: str) -> None:
    row, asker = await assignment(own_world, CONTOSO, MANAGER, "Managers"), ask(own_world, person)

    errors = await refused(asker, UPDATE, **of(row, removeMembers=[user("contoso-manager")]))
    assert said(errors) == [("LastManager", "input.removeMembers")]
    errors = await refused(asker, DELETE, **of(row))
    assert said(errors) == [("LastManager", "input.assignment")]


async def test_people_are_counted_over_all_manager_assignments_and_through_groups_34_and_41(
    own_world: Database,
) -> None:
    manager, analysts = ask(own_world, "contoso-manager"), security_group("contoso-analysts")
    asked = {"role": await id_of(own_world, MANAGER), "name": "Deputies", "members": [analysts]}
    await done(manager, CREATE, **asked)
    row = await assignment(own_world, CONTOSO, MANAGER, "Managers")
    inside = col(GroupMember.group_id) == analysts.rpartition("_")[2]
    kept = (await everything(own_world, GroupMember, inside))[0].model_dump()
    await meddle(own_world, delete(GroupMember).where(inside))
    errors = await refused(manager, DELETE, **of(row))
    assert said(errors) == [("LastManager", "input.assignment")]

    await meddle(own_world, insert(GroupMember).values(**kept))

    await done(manager, DELETE, **of(row))
    assert len(await seen_rooms(own_world, "contoso-analyst")) == 24
    assert await seen_rooms(own_world, "contoso-manager") == []


async def test_a_global_administrator_may_leave_no_manager_and_makes_a_new_one_41_42_and_rb_16(
    own_world: Database,
) -> None:
    row, admin = await assignment(own_world, CONTOSO, MANAGER, "Managers"), ask(own_world, "contoso-global-admin")

    payload = await done(admin, UPDATE, **of(row, removeMembers=[user("contoso-manager")]))
    assert members(payload["assignment"]) == []
    payload = await done(admin, UPDATE, **of(await again(own_world, row), addMembers=[user("contoso-nobody")]))

    assert members(payload["assignment"]) == ["contoso-nobody"]
    await done(admin, DELETE, assignment=global_id(row))


async def test_one_manager_for_another_in_one_change_41(own_world: Database) -> None:
    """Who did it sees it no more."""
    row = await assignment(own_world, CONTOSO, MANAGER, "Managers")

    payload = await done(
        ask(own_world, "contoso-manager"),
        UPDATE,
        **of(row, addMembers=[user("contoso-nobody")], removeMembers=[user("contoso-manager")]),
    )

    assert payload["assignment"] is None
    assert len(await seen_rooms(own_world, "contoso-nobody")) == 24


@pytest.mark.parametrize("person", ["contoso-manager", "contoso-global-admin"])
async def test_tenant_managers_are_chosen_in_their_own_way_tm_1(own_world: Database, person: str) -> None:
    row, asker = await assignment(own_world, CONTOSO, "Tenant manager", "Tenant managers"), ask(own_world, person)
    for document, asked in (
        (CREATE, {"role": await id_of(own_world, "Tenant manager"), "name": "More", "members": [user(person)]}),
        (UPDATE, of(row, addMembers=[user(person)])),
        (DELETE, of(row)),
    ):
        errors = await refused(asker, document, **asked)
        assert said(errors) == [("InvalidState", "input.role" if document == CREATE else "input.assignment")]
        assert "setTenantManagers" in errors[0]["message"]


# --- changing ---------------------------------------------------------------------------------------------------------


async def test_everything_of_an_assignment_changes_at_once_on_one_line_each(own_world: Database) -> None:
    row, before = await assignment(own_world, CONTOSO, "Caretaker", "Two rooms"), await heads(own_world)

    payload = await done(
        ask(own_world, "contoso-manager"),
        UPDATE,
        **of(
            row,
            name="Three rooms",
            description="For now.",
            notifyByEmail=True,
            addRooms=[await contoso_room(own_world, "zrh-1"), await contoso_room(own_world, "ath-3")],
            removeRooms=[await contoso_room(own_world, "tyo-tea"), await contoso_room(own_world, "ber-1")],
            addGroups=[await group(own_world, "Germany")],
            removeGroups=[await group(own_world, "Boardrooms")],
            addMembers=[user("contoso-nobody"), user("contoso-analyst")],
            removeMembers=[user("contoso-guest")],
        ),
    )

    now = payload["assignment"]
    assert (now["name"], now["description"], now["notifyByEmail"], now["version"]) == (
        "Three rooms",
        "For now.",
        True,
        2,
    )
    assert (members(now), accounts(now)) == (["contoso-analyst", "contoso-nobody"], ["ath-3", "zrh-1"])
    (entry,) = await written(own_world, before)
    assert line(entry) == ("Assignment", "Update", "assignment.update", "Three rooms")
    assert [tuple(each.values()) for each in entry.changes] == [
        ("name", "Two rooms", "Three rooms"),
        ("description", None, "For now."),
        ("notify_by_email", "false", "true"),
        ("members", None, "contoso-nobody"),
        ("rooms", None, "Zürich 1"),
        ("rooms", "茶室", None),
        ("groups", None, "Germany"),
    ]


async def test_an_assignment_that_stays_as_it_is_writes_nothing(own_world: Database) -> None:
    row, before = await assignment(own_world, CONTOSO, "Caretaker", "Two rooms"), await rows(own_world)
    for same in (
        {},
        {"name": "Two rooms", "description": " ", "notifyByEmail": False},
        {"addRooms": [await contoso_room(own_world, "ath-3")], "removeRooms": [await contoso_room(own_world, "zrh-1")]},
        {"addMembers": [user("contoso-analyst")], "removeMembers": [user("contoso-nobody")]},
        {"removeGroups": [await group(own_world, "Germany")]},
    ):
        payload = await done(ask(own_world, "contoso-manager"), UPDATE, **of(row, **same))
        assert payload["assignment"]["version"] == 1
    assert await rows(own_world) == before


async def test_null_clears_a_description_and_nothing_else(own_world: Database) -> None:
    row, manager = (
        await assignment(own_world, CONTOSO, "Site Technician", "Lake Hall"),
        ask(own_world, "contoso-manager"),
    )

    errors = await refused(manager, UPDATE, **of(row, name=None, notifyByEmail=None))
    payload = await done(manager, UPDATE, **of(row, description=None))

    assert said(errors) == [("InvalidInput", "input.name"), ("InvalidInput", "input.notifyByEmail")]
    assert payload["assignment"]["description"] is None


async def test_an_assignment_that_changed_meanwhile_is_neither_changed_nor_ended(own_world: Database) -> None:
    row, manager = await assignment(own_world, CONTOSO, "Caretaker", "Two rooms"), ask(own_world, "contoso-manager")
    await done(manager, UPDATE, **of(row, name="Both"))

    for document in (UPDATE, DELETE):
        errors = await refused(manager, document, **of(row))
        assert (said(errors), errors[0]["currentVersion"]) == ([("StaleVersion", "input.expectedVersion")], 2)


async def test_an_empty_scope_is_allowed_later_and_grants_nothing_58(own_world: Database) -> None:
    row, scope = await assignment(own_world, CONTOSO, "Caretaker", "Two rooms"), ["tyo-tea", "ath-3"]

    payload = await done(
        ask(own_world, "contoso-manager"),
        UPDATE,
        **of(row, removeRooms=[await contoso_room(own_world, each) for each in scope]),
    )

    assert accounts(payload["assignment"]) == []
    assert not await may(ask(own_world, "contoso-analyst"), "ROOMS_MODIFY", await contoso_room(own_world, "ath-3"))


async def test_groups_in_a_scope_are_live_22(own_world: Database) -> None:
    germany, zurich = await group(own_world, "Germany"), await contoso_room(own_world, "zrh-1")
    lead = ask(own_world, "contoso-site-lead")
    assert not await may(lead, "ROOMS_MODIFY", zurich)

    here = {"tenant_id": tenant(CONTOSO), "group_id": germany.rpartition("_")[2], "room_id": zurich.rpartition("_")[2]}
    await meddle(own_world, insert(RoomGroupRoom).values(**here))

    assert await may(lead, "ROOMS_MODIFY", zurich)


async def test_a_deleted_assignment_gives_nothing_from_the_next_request_on(own_world: Database) -> None:
    row, before = await assignment(own_world, CONTOSO, "Site Lead", "Germany"), await heads(own_world)

    payload = await done(ask(own_world, "contoso-role-keeper"), DELETE, **of(row))

    assert payload["deletedAssignment"] == global_id(row)
    assert await seen_rooms(own_world, "contoso-site-lead") == []
    assert await left(own_world, row) == (0, 0, 0)
    (entry,) = await written(own_world, before)
    assert line(entry) == ("Assignment", "Delete", "assignment.delete", "Germany")
    assert (by(entry), entry.subject) == (by_person(CONTOSO, "contoso-role-keeper"), global_id(row))


# --- partners ---------------------------------------------------------------------------------------------------------


async def test_a_partner_gives_its_roles_over_delegated_rooms_only_cpr_4_room_5_23_check_12(
    own_world: Database,
) -> None:
    """Rooms that Contoso never delegated, and those of another customer, answer as if they did not exist."""
    admin, desk = ask(own_world, "northwind-admin"), await id_of(own_world, "Help desk", NORTHWIND)
    asked = {"role": desk, "name": "Second line", "members": [user("northwind-nobody")]}
    outside = [
        await contoso_room(own_world, "sea-1"),
        await room(own_world, "del-1@fabrikam.example"),
        f"room_{tenant(CONTOSO)}_{UNKNOWN}",
    ]

    errors = await refused(
        admin, CREATE, "Rainier", rooms=outside, groups=[await group(own_world, "Next year")], **asked
    )

    assert said(errors) == [
        *(("NotFound", f"input.rooms.{place}") for place in range(3)),
        ("NotFound", "input.groups.0"),
    ]
    boards, germany = await group(own_world, "Boardrooms"), await group(own_world, "Germany")
    errors = await refused(admin, CREATE, groups=[boards, germany], **asked)
    assert (said(errors), errors[0]["missing"]) == ([("Forbidden", "input.groups.1")], "ROOMS_VIEW")
    await done(admin, CREATE, rooms=[await contoso_room(own_world, "zrh-1")], groups=[boards], **asked)
    assert len(await seen_rooms(own_world, "northwind-nobody")) == 5


async def test_of_a_delegated_group_a_partner_gives_what_it_holds_on_the_group_itself_22_and_25(
    own_world: Database,
) -> None:
    """All rooms of a group, one by one, are not the group, which may get more."""
    swiss = ["zrh-1", "zrh-2", "zrh-3", "zrh-board", "brn-1"]
    person = await keeper(own_world, "northwind-nobody", rooms=[await contoso_room(own_world, each) for each in swiss])
    partner, switzerland = await partner_id(own_world), await group(own_world, "Switzerland")
    await done(person, CREATE_ROLE, partnership=partner, name="Look", permissions=["ROOMS_VIEW"])
    asked = {"role": await id_of(own_world, "Look", NORTHWIND), "name": "CH", "members": [user("northwind-tool")]}

    errors = await refused(person, CREATE, groups=[switzerland], **asked)
    assert said(errors) == [("NotFound", "input.groups.0")]
    row = await assignment(own_world, CONTOSO, "Keepers", "Keepers", NORTHWIND)
    await done(ask(own_world, "northwind-admin"), UPDATE, **of(row, addGroups=[switzerland]))
    await grant_groups_view(own_world)

    await done(person, CREATE, groups=[switzerland], **asked)


async def grant_groups_view(database: Database) -> None:
    """Let the keepers look at groups, so that they can name one."""
    held = ["ROOMS_VIEW", "GROUPS_VIEW", "TICKETS_VIEW", "ROLES_VIEW", "ROLES_MODIFY"]
    row = await role(database, CONTOSO, "Keepers", NORTHWIND)
    await done(ask(database, "northwind-admin"), UPDATE_ROLE, **of_role(row, permissions=held))


async def test_a_partners_role_editor_gives_no_more_than_they_hold_cpr_6_and_25(own_world: Database) -> None:
    zurich, athens = await contoso_room(own_world, "zrh-1"), await contoso_room(own_world, "ath-1")
    person = await keeper(own_world, "northwind-nobody", rooms=[zurich])
    partner = await partner_id(own_world)
    await done(person, CREATE_ROLE, partnership=partner, name="Look", permissions=["ROOMS_VIEW"])
    asked = {"role": await id_of(own_world, "Look", NORTHWIND), "name": "ZH", "members": [user("northwind-tool")]}

    await done(person, CREATE, rooms=[zurich], **asked)
    errors = await refused(person, CREATE, rooms=[athens], **asked | {"name": "ATH"})
    assert said(errors) == [("NotFound", "input.rooms.0")]
    desk = {"role": await id_of(own_world, "Help desk", NORTHWIND), "rooms": [zurich]}
    errors = await refused(person, CREATE, **asked | desk)
    assert (said(errors), errors[0]["missing"]) == ([("Forbidden", "input.rooms.0")], "TICKETS_UPDATE")
    row = await assignment(own_world, CONTOSO, "Monitoring", "Tool", NORTHWIND)
    errors = await refused(person, UPDATE, **of(row, addMembers=[user("northwind-nobody")]))
    assert (said(errors), errors[0]["missing"]) == ([("Forbidden", "input.assignment")], "ROOMS_VIEW")
    await done(person, UPDATE, **of(row, removeMembers=[user("northwind-tool")]))


async def test_a_primary_admin_adds_to_what_reaches_beyond_the_delegation_meanwhile_23_and_25(
    own_world: Database,
) -> None:
    """First line names rooms that are not delegated; they give nothing, and are in nobody's way."""
    row = await assignment(own_world, CONTOSO, "Help desk", "First line", NORTHWIND)

    await done(ask(own_world, "northwind-admin"), UPDATE, **of(row, addMembers=[user("northwind-nobody")]))

    assert len(await seen_rooms(own_world, "northwind-nobody")) == 3


async def test_what_the_customer_takes_back_is_gone_from_partner_roles_at_once_room_4_and_23(
    own_world: Database,
) -> None:
    row = await admins_of(own_world, CONTOSO)
    assert len(await seen_rooms(own_world, "northwind-tool")) == 7

    await done(
        ask(own_world, "contoso-manager"),
        UPDATE,
        **of(row, removeGroups=[await group(own_world, "Switzerland")]),
    )

    assert len(await seen_rooms(own_world, "northwind-tool")) == 3


async def test_partner_members_are_of_the_partners_organization_rb_11_and_33(own_world: Database) -> None:
    row = await assignment(own_world, CONTOSO, "Help desk", "First line", NORTHWIND)

    errors = await refused(
        ask(own_world, "northwind-admin"),
        UPDATE,
        "contoso",
        **of(row, addMembers=[user("contoso-manager")], removeMembers=[user("contoso-nobody")]),
    )

    assert said(errors) == [("NotFound", "input.addMembers.0"), ("NotFound", "input.removeMembers.0")]


async def test_the_customers_manager_ends_partner_assignments_and_changes_none_cpr_5_and_38(
    own_world: Database,
) -> None:
    row = await assignment(own_world, CONTOSO, "Help desk", "First line", NORTHWIND)
    manager = ask(own_world, "contoso-manager")
    new = {"name": "Mine", "members": [user("contoso-nobody")], "rooms": [await contoso_room(own_world, "zrh-1")]}
    for document, asked, field in (
        (UPDATE, of(row, removeMembers=[user("contoso-nobody")]), "assignment"),
        (UPDATE, of(row, removeRooms=[await contoso_room(own_world, "zrh-1")]), "assignment"),
        (UPDATE, of(row, name="Mine"), "assignment"),
        (CREATE, {"role": await id_of(own_world, "Help desk", NORTHWIND), **new}, "role"),
    ):
        errors = await refused(manager, document, **asked)
        assert (said(errors), errors[0]["missing"]) == ([("Forbidden", f"input.{field}")], "ROLES_MODIFY")

    before = await heads(own_world)

    await done(manager, DELETE, **of(row))

    assert await seen_rooms(own_world, "northwind-helpdesk") == []
    (entry,) = await written(own_world, before)
    assert by(entry) == by_person(CONTOSO, "contoso-manager")


async def test_being_primary_admin_of_one_customer_is_nothing_at_another_pa_6_check_11(own_world: Database) -> None:
    person, zurich = ask(own_world, "northwind-fabrikam-admin"), await contoso_room(own_world, "zrh-1")
    row = await assignment(own_world, CONTOSO, "Help desk", "First line", NORTHWIND)
    new = {"name": "Mine", "members": [user("northwind-nobody")], "rooms": [zurich]}
    for document, asked in (
        (CREATE, {"role": await id_of(own_world, "Help desk", NORTHWIND), **new}),
        (UPDATE, of(row, addMembers=[user("northwind-nobody")])),
        (DELETE, of(row)),
        (UPDATE, of(await admins_of(own_world, CONTOSO), addMembers=[user("northwind-nobody")])),
    ):
        (error,) = await refused(person, document, "First line", "Help desk", **asked)
        assert error["__typename"] == "NotFound"
    await done(
        person,
        CREATE,
        role=global_id(await role(own_world, FABRIKAM, "Monitoring", NORTHWIND)),
        name="Delhi",
        members=[user("northwind-nobody")],
        rooms=[await room(own_world, "del-1@fabrikam.example")],
    )


async def test_a_partner_sees_nothing_of_a_customers_own_roles_cpr_3_and_33(own_world: Database) -> None:
    admin, row = ask(own_world, "northwind-admin"), await assignment(own_world, CONTOSO, "Caretaker", "Two rooms")
    new = {"name": "Mine", "members": [user("northwind-nobody")], "rooms": [await contoso_room(own_world, "zrh-1")]}
    for document, asked, field in (
        (CREATE, {"role": await id_of(own_world, "Observer"), **new}, "role"),
        (UPDATE, of(row, addMembers=[user("northwind-nobody")]), "assignment"),
        (DELETE, of(row), "assignment"),
    ):
        errors = await refused(admin, document, "Observer", "Two rooms", **asked)
        assert said(errors) == [("NotFound", f"input.{field}")]


@pytest.mark.parametrize("wrong", ["", "nonsense", "assignment", "role_{tenant}_{key}", "tenant_{tenant}"])
async def test_an_id_of_no_assignment_is_not_found(own_world: Database, wrong: str) -> None:
    asked = wrong.format(tenant=tenant(CONTOSO), key=UNKNOWN)
    for person in ("northwind-admin", "contoso-manager", "fabrikam-manager"):
        for document, more in ((UPDATE, {"expectedVersion": 1}), (DELETE, {})):
            errors = await refused(ask(own_world, person), document, assignment=asked, **more)
            assert said(errors) == [("NotFound", "input.assignment")]


async def test_links_of_a_namesake_are_left_alone_47(own_world: Database) -> None:
    """A member whom somebody else's organization knows by the same object id stays."""
    namesake = viewer_of("contoso-technician")
    row = await assignment(own_world, CONTOSO, "Help desk", "First line", NORTHWIND)
    ours = {"tenant_id": row.tenant_id, "assignment_id": row.id}
    stray = {"member_tenant_id": namesake.tenant_id, "member_id": namesake.principal_id}
    await meddle(own_world, insert(AssignmentMember).values(**ours, **stray))
    admin = ask(own_world, "northwind-admin")

    payload = await done(admin, UPDATE, **of(row, removeMembers=[user("northwind-nobody"), user("northwind-helpdesk")]))

    assert members(payload["assignment"]) == ["contoso-technician"]
    assert await left(own_world, row) == (1, 3, 1)
