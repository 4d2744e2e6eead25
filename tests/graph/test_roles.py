"""Custom roles on both sides: created, changed and ended by those who may, within what a role may hold.

The numbers are those of the domain's rules (RB, CPR, PA) and of its list of choices.
"""

from typing import Any

import pytest
from sqlmodel import col

from app.domain.permissions import CUSTOM_CEILING, DERIVED, PARTNER_CEILING, BuiltInRole, Permission
from app.storage.engines import Database
from app.storage.global_ids import global_id
from app.storage.tables import Assignment, AssignmentMember, Role
from tests.graph.asking import PEOPLE, ask
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
    CREATE_ROLE,
    DELETE_ROLE,
    DESK,
    FABRIKAM,
    NORTHWIND,
    UPDATE_ROLE,
    accounts,
    keeper,
    left,
    members,
    of_role,
    partner_id,
    role,
)
from tests.operations.chains import everything

EDITORS = ["contoso-manager", "contoso-global-admin", "contoso-teams-admin"]
OWN_ROLES = "{ viewer { roles(first: 50) { nodes { name side partnership { id } } } } }"


def names(permissions: Permission) -> list[str]:
    return [str(each.name) for each in permissions]


async def role_names(database: Database, person: str) -> list[str]:
    seen = (await ask(database, person).data(OWN_ROLES))["viewer"]["roles"]["nodes"]
    return [each["name"] for each in seen]


# --- creating ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", EDITORS)
async def test_managers_and_two_directory_roles_create_a_role_rb_1_rb_7(own_world: Database, person: str) -> None:
    before = await heads(own_world)

    payload = await done(
        ask(own_world, person),
        CREATE_ROLE,
        name="  Night watch ",
        description=" Looks\nat night. ",
        permissions=["TICKETS_VIEW", "ROOMS_VIEW", "TICKETS_VIEW"],
    )

    made = payload["role"]
    assert (made["name"], made["description"], made["version"]) == ("Night watch", "Looks\nat night.", 1)
    assert (made["type"], made["side"], made["partnership"]) == ("CUSTOM", "CUSTOMER", None)
    assert (made["permissions"], made["assignments"]["nodes"]) == (["ROOMS_VIEW", "TICKETS_VIEW"], [])
    (entry,) = await written(own_world, before)
    assert line(entry) == ("Role", "Create", "role.create", "Night watch")
    assert (by(entry), entry.subject) == (by_person(CONTOSO, person), made["id"])
    assert entry.changes == [
        {"field": "name", "before": None, "after": "Night watch"},
        {"field": "description", "before": None, "after": "Looks\nat night."},
        {"field": "permissions", "before": None, "after": "ROOMS_VIEW, TICKETS_VIEW"},
    ]


async def test_a_role_comes_with_its_first_assignment_in_one_step_rb_8(own_world: Database) -> None:
    before = await heads(own_world)
    zurich, germany = await room(own_world, "zrh-1@contoso.example"), await group(own_world, "Germany")

    payload = await done(
        ask(own_world, "contoso-manager"),
        CREATE_ROLE,
        name="Night watch",
        permissions=["ROOMS_VIEW"],
        assignment={
            "name": "Berlin and Zürich",
            "notifyByEmail": True,
            "members": [user("contoso-nobody"), security_group("contoso-analysts")],
            "rooms": [zurich, zurich],
            "groups": [germany],
        },
    )

    (given,) = payload["role"]["assignments"]["nodes"]
    assert (given["name"], given["notifyByEmail"], given["version"]) == ("Berlin and Zürich", True, 1)
    assert (members(given), accounts(given)) == (["contoso-analysts", "contoso-nobody"], ["zrh-1"])
    assert [each["displayName"] for each in given["groups"]["nodes"]] == ["Germany"]
    seen = (await ask(own_world, "contoso-nobody").data(SEEN_ROOMS))["viewer"]["rooms"]["nodes"]
    assert len(seen) == 7
    entries = await written(own_world, before)
    assert [line(each)[:3] for each in entries] == [
        ("Role", "Create", "role.create"),
        ("Assignment", "Create", "assignment.create"),
    ]
    assert [(each["field"], each["after"]) for each in entries[1].changes] == [
        ("name", "Berlin and Zürich"),
        ("notify_by_email", "true"),
        ("members", "contoso-nobody"),
        ("members", "contoso-analysts"),
        ("rooms", "Zürich 1"),
        ("groups", "Germany"),
    ]


async def test_who_only_assigns_creates_no_role_rb_2_rb_3_and_26(own_world: Database) -> None:
    errors = await refused(
        ask(own_world, "contoso-role-keeper"), CREATE_ROLE, name="Night watch", permissions=["ROOMS_VIEW"]
    )

    assert (said(errors), errors[0]["missing"]) == ([("Forbidden", "input")], None)
    assert "Teams Administrators" in errors[0]["message"]


async def test_nobody_else_creates_a_role_of_the_own_organization_rb_1(own_world: Database) -> None:
    managers = {f"{name}-manager" for name in ("contoso", "fabrikam", "northwind", "adatum", "tailspin")}
    for person in sorted(set(PEOPLE) - {*managers, *EDITORS, "northwind-global-admin", "contoso-role-keeper"}):
        errors = await refused(ask(own_world, person), CREATE_ROLE, name="Night watch", permissions=["ROOMS_VIEW"])

        assert said(errors) == [("Forbidden", "input")], person
        assert errors[0]["missing"] == "ROLES_MODIFY"


async def test_a_custom_role_holds_the_19_of_table_1_and_no_more_19(own_world: Database) -> None:
    manager = ask(own_world, "contoso-manager")

    payload = await done(manager, CREATE_ROLE, name="All", permissions=names(CUSTOM_CEILING))
    errors = await refused(manager, CREATE_ROLE, name="More", permissions=["ROOMS_VIEW", *names(DERIVED)])

    assert payload["role"]["permissions"] == names(CUSTOM_CEILING)
    assert said(errors) == [("InvalidInput", f"input.permissions.{place}") for place in range(1, 1 + len(DERIVED))]


async def test_a_partner_role_holds_the_primary_admin_column_and_no_more_24(own_world: Database) -> None:
    admin, asked = ask(own_world, "northwind-admin"), {"partnership": await partner_id(own_world)}
    beyond = CUSTOM_CEILING & ~PARTNER_CEILING

    payload = await done(admin, CREATE_ROLE, name="All", permissions=names(PARTNER_CEILING), **asked)
    errors = await refused(admin, CREATE_ROLE, name="More", permissions=names(beyond | DERIVED), **asked)

    assert payload["role"]["permissions"] == names(PARTNER_CEILING)
    assert len(errors) == 8 + len(DERIVED)
    assert {error["__typename"] for error in errors} == {"InvalidInput"}


async def test_every_level_of_a_feature_needs_its_view_but_for_incidents_27_and_28(own_world: Database) -> None:
    manager = ask(own_world, "contoso-manager")
    for number, permission in enumerate(CUSTOM_CEILING):
        asked = {"name": f"Role {number}", "permissions": [str(permission.name)]}
        if permission.name == "REPORTS_CREATE_INCIDENT" or str(permission.name).endswith("_VIEW"):
            await done(manager, CREATE_ROLE, **asked)
            continue
        errors = await refused(manager, CREATE_ROLE, **asked)
        view = f"{str(permission.name).partition('_')[0]}_VIEW"
        assert said(errors) == [("InvalidInput", "input.permissions.0")]
        assert errors[0]["message"] == f"{permission.name} needs {view} beside it."
        await done(manager, CREATE_ROLE, **asked | {"permissions": [str(permission.name), view]})


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "two\nlines", "bell\a"])
async def test_a_name_has_1_to_100_characters_43(own_world: Database, name: str) -> None:
    errors = await refused(ask(own_world, "contoso-manager"), CREATE_ROLE, name=name, permissions=["ROOMS_VIEW"])

    assert said(errors) == [("InvalidInput", "input.name")]
    assert (errors[0]["min"], errors[0]["max"]) == (1, 100)


async def test_the_longest_name_and_description_are_accepted_43(own_world: Database) -> None:
    asked = {"name": f" {'ß' * 100} ", "description": "x" * 1024, "permissions": ["ROOMS_VIEW"]}

    payload = await done(ask(own_world, "contoso-manager"), CREATE_ROLE, **asked)

    assert (payload["role"]["name"], len(payload["role"]["description"])) == ("ß" * 100, 1024)


async def test_everything_that_is_wrong_with_a_role_is_said_at_once(own_world: Database) -> None:
    errors = await refused(
        ask(own_world, "contoso-manager"),
        CREATE_ROLE,
        name="",
        description="x" * 1025,
        permissions=[],
        assignment={
            "name": "",
            "description": "bell\a",
            "members": [user("northwind-admin"), "nonsense"],
            "rooms": [await room(own_world, "del-1@fabrikam.example")],
            "groups": ["nonsense"],
        },
    )

    assert said(errors) == [
        ("InvalidInput", "input.permissions"),
        ("InvalidInput", "input.name"),
        ("InvalidInput", "input.description"),
        ("InvalidInput", "input.assignment.name"),
        ("InvalidInput", "input.assignment.description"),
        ("NotFound", "input.assignment.members.0"),
        ("NotFound", "input.assignment.members.1"),
        ("NotFound", "input.assignment.rooms.0"),
        ("NotFound", "input.assignment.groups.0"),
    ]


@pytest.mark.parametrize("name", ["observer", "ＯＢＳＥＲＶＥＲ", "  Observer "])
async def test_a_name_is_unique_per_owner_in_whatever_case_43(own_world: Database, name: str) -> None:
    existing = global_id(await role(own_world, CONTOSO, "Observer"))

    errors = await refused(ask(own_world, "contoso-manager"), CREATE_ROLE, name=name, permissions=["ROOMS_VIEW"])

    assert said(errors) == [("Conflict", "input.name")]
    assert errors[0]["existing"] == {"__typename": "Role", "id": existing}


@pytest.mark.parametrize("built_in", [each for each in BuiltInRole if each is not BuiltInRole.PRIMARY_ADMIN])
async def test_the_names_of_built_in_roles_are_taken_seen_or_not_43(own_world: Database, built_in: BuiltInRole) -> None:
    """A Teams Administrator does not see the Tenant manager role."""
    errors = await refused(
        ask(own_world, "contoso-teams-admin"), CREATE_ROLE, name=built_in.label.upper(), permissions=["ROOMS_VIEW"]
    )

    assert said(errors) == [("Conflict", "input.name")]
    assert (errors[0]["existing"] is None) == (built_in is BuiltInRole.TENANT_MANAGER)


async def test_owners_do_not_share_names_cpr_3_and_43(own_world: Database) -> None:
    """A partner's role is another one than the customer's, and than the same partner's at another customer."""
    asked = {"name": "Observer", "permissions": ["ROOMS_VIEW"]}
    for customer in (CONTOSO, FABRIKAM):
        await done(
            ask(own_world, "northwind-admin"), CREATE_ROLE, partnership=await partner_id(own_world, customer), **asked
        )
    await done(ask(own_world, "contoso-manager"), CREATE_ROLE, name="Help desk", permissions=["ROOMS_VIEW"])

    assert await role_names(own_world, "contoso-role-keeper") == [
        "Caretaker",
        "Help desk",
        "Observer",
        "Role keeper",
        "Site Lead",
        "Site Technician",
        "Teams Rooms Pro Manager",
    ]


# --- creating as a partner --------------------------------------------------------------------------------------------


async def test_a_primary_admin_creates_a_help_desk_role_cpr_1_cpr_2_cpr_6_check_12(own_world: Database) -> None:
    before, asked = await heads(own_world), await partner_id(own_world)

    payload = await done(
        ask(own_world, "northwind-admin"),
        CREATE_ROLE,
        partnership=asked,
        name="Second line",
        permissions=DESK,
        assignment={
            "name": "Zürich",
            "members": [user("northwind-nobody"), user("northwind-tool")],
            "rooms": [await room(own_world, "zrh-1@contoso.example")],
        },
    )

    made = payload["role"]
    assert (made["side"], made["partnership"]["id"], made["customer"]) == ("PARTNER", asked, {"displayName": "Contoso"})
    entries = await written(own_world, before)
    assert [line(each)[2] for each in entries] == ["role.create", "assignment.create"]
    assert {by(each) for each in entries} == {by_person(CONTOSO, "northwind-admin")}
    seen = (await ask(own_world, "northwind-nobody").data(SEEN_ROOMS))["viewer"]["rooms"]["nodes"]
    assert [each["displayName"] for each in seen] == ["Zürich 1"]
    may = "query($r: ID!, $p: Permission!) { viewer { can(permission: $p, on: $r) { allowed } } }"
    zurich = await room(own_world, "zrh-1@contoso.example")
    for permission, allowed in (("TICKETS_UPDATE", True), ("ROOMS_MODIFY", False)):
        answer = await ask(own_world, "northwind-nobody").data(may, r=zurich, p=permission)
        assert answer["viewer"]["can"]["allowed"] is allowed


async def test_who_holds_roles_modify_in_the_partnership_creates_roles_there_cpr_6_and_26(own_world: Database) -> None:
    person = await keeper(own_world, "northwind-nobody", rooms=[await room(own_world, "zrh-1@contoso.example")])

    payload = await done(
        person, CREATE_ROLE, partnership=await partner_id(own_world), name="Third line", permissions=DESK
    )

    assert payload["role"]["side"] == "PARTNER"
    fabrikam = await partner_id(own_world, FABRIKAM)
    errors = await refused(person, CREATE_ROLE, "Fabrikam", partnership=fabrikam, name="More", permissions=DESK)
    assert said(errors) == [("NotFound", "input.partnership")]


async def test_nobody_else_creates_a_partner_role_33_37_and_38(own_world: Database) -> None:
    asked = {"name": "Second line", "permissions": DESK, "partnership": await partner_id(own_world)}
    missing = f"partnership_{tenant(CONTOSO)}_{UNKNOWN}"
    seeing = {"contoso-manager", "contoso-global-admin", "contoso-teams-admin", "contoso-devices-admin"}
    seeing |= {"contoso-global-reader", "northwind-manager", "northwind-global-admin", "northwind-tenant-manager"}
    seeing |= {"northwind-helpdesk", "northwind-tool"}
    for person in sorted(set(PEOPLE) - {"northwind-admin"}):
        errors = await refused(ask(own_world, person), CREATE_ROLE, "Contoso", **asked)

        if person in seeing:
            assert said(errors) == [("Forbidden", "input.partnership")], person
            assert errors[0]["missing"] == "ROLES_MODIFY"
        else:
            assert errors == await refused(ask(own_world, person), CREATE_ROLE, **asked | {"partnership": missing})
            assert said(errors) == [("NotFound", "input.partnership")], person


async def test_a_removed_partnership_gets_no_role_33(own_world: Database) -> None:
    row = await partnership(own_world, CONTOSO, "tailspin.example")
    asked = {"partnership": global_id(row), "name": "Second line", "permissions": DESK}

    errors = await refused(ask(own_world, "tailspin-admin"), CREATE_ROLE, "REMOVED", **asked)

    assert said(errors) == [("NotFound", "input.partnership")]
    assert said(await refused(ask(own_world, "contoso-manager"), CREATE_ROLE, **asked)) == [
        ("Forbidden", "input.partnership")
    ]


@pytest.mark.parametrize("wrong", ["", "nonsense", "partnership", "room_{tenant}_{key}", "tenant_{tenant}"])
async def test_an_id_of_no_partnership_is_not_found(own_world: Database, wrong: str) -> None:
    asked = wrong.format(tenant=tenant(CONTOSO), key=UNKNOWN)
    for person in ("northwind-admin", "contoso-manager", "fabrikam-manager"):
        errors = await refused(
            ask(own_world, person), CREATE_ROLE, partnership=asked, name="Second line", permissions=DESK
        )
        assert said(errors) == [("NotFound", "input.partnership")]


async def test_the_same_creation_sent_again_is_done_once(own_world: Database) -> None:
    asked = {"name": "Night watch", "permissions": ["ROOMS_VIEW"], "idempotencyKey": "once"}
    manager = ask(own_world, "contoso-manager")

    first = await done(manager, CREATE_ROLE, **asked)
    before = await rows(own_world)

    assert await done(manager, CREATE_ROLE, **asked) == first
    assert await rows(own_world) == before


# --- changing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", EDITORS)
async def test_an_editor_changes_everything_of_a_custom_role_rb_1(own_world: Database, person: str) -> None:
    before, row = await heads(own_world), await role(own_world, CONTOSO, "Observer")

    payload = await done(
        ask(own_world, person),
        UPDATE_ROLE,
        **of_role(row, name="observer", description=None, permissions=["TICKETS_VIEW", "ROOMS_VIEW"]),
    )

    now = payload["role"]
    assert (now["name"], now["description"], now["version"]) == ("observer", None, 2)
    assert now["permissions"] == ["ROOMS_VIEW", "TICKETS_VIEW"]
    (entry,) = await written(own_world, before)
    assert line(entry) == ("Role", "Update", "role.update", "observer")
    assert (by(entry), entry.subject) == (by_person(CONTOSO, person), global_id(row))
    assert [tuple(each.values()) for each in entry.changes] == [
        ("name", "Observer", "observer"),
        ("description", "Looks at rooms and their reports.", None),
        ("permissions", "ROOMS_VIEW, REPORTS_VIEW", "ROOMS_VIEW, TICKETS_VIEW"),
    ]


async def test_what_is_left_out_stays_and_what_stays_writes_nothing(own_world: Database) -> None:
    row, manager = await role(own_world, CONTOSO, "Observer"), ask(own_world, "contoso-manager")
    before = await rows(own_world)
    for same in (
        {},
        {"name": " Observer "},
        {"description": "Looks at rooms and their reports."},
        {"permissions": ["REPORTS_VIEW", "ROOMS_VIEW"]},
    ):
        payload = await done(manager, UPDATE_ROLE, **of_role(row, **same))
        assert payload["role"]["version"] == 1
    assert await rows(own_world) == before


@pytest.mark.parametrize("field", ["name", "permissions"])
async def test_null_clears_no_required_field(own_world: Database, field: str) -> None:
    row = await role(own_world, CONTOSO, "Observer")

    errors = await refused(ask(own_world, "contoso-manager"), UPDATE_ROLE, **of_role(row, **{field: None}))

    assert said(errors) == [("InvalidInput", f"input.{field}")]


async def test_a_role_that_changed_meanwhile_is_neither_changed_nor_ended(own_world: Database) -> None:
    row, manager = await role(own_world, CONTOSO, "Observer"), ask(own_world, "contoso-manager")
    await done(manager, UPDATE_ROLE, **of_role(row, name="Spectator"))

    for document, asked in ((UPDATE_ROLE, of_role(row, name="Watcher")), (DELETE_ROLE, of_role(row))):
        errors = await refused(manager, document, **asked)
        assert (said(errors), errors[0]["currentVersion"]) == ([("StaleVersion", "input.expectedVersion")], 2)


async def test_a_changed_role_keeps_to_the_rules_of_a_new_one_24_27_and_43(own_world: Database) -> None:
    row, other = await role(own_world, CONTOSO, "Observer"), global_id(await role(own_world, CONTOSO, "Caretaker"))

    errors = await refused(
        ask(own_world, "contoso-manager"),
        UPDATE_ROLE,
        **of_role(row, name="CARETAKER", description="x" * 1025, permissions=["AUDIT_VIEW", "RINGS_MODIFY"]),
    )

    assert said(errors) == [
        ("Conflict", "input.name"),
        ("InvalidInput", "input.description"),
        ("InvalidInput", "input.permissions.0"),
        ("InvalidInput", "input.permissions.1"),
    ]
    assert errors[0]["existing"]["id"] == other


async def test_holders_gain_and_lose_with_their_role_from_the_next_request_on(own_world: Database) -> None:
    row, manager = await role(own_world, CONTOSO, "Observer"), ask(own_world, "contoso-manager")
    analyst = ask(own_world, "contoso-analyst")
    may = "query($r: ID!) { viewer { can(permission: TICKETS_VIEW, on: $r) { allowed } } }"
    athens = await room(own_world, "ath-1@contoso.example")
    allowed = []
    for permissions in (["ROOMS_VIEW", "TICKETS_VIEW"], ["ROOMS_VIEW"]):
        row = await again(own_world, row)
        await done(manager, UPDATE_ROLE, **of_role(row, permissions=permissions))
        allowed.append((await analyst.data(may, r=athens))["viewer"]["can"]["allowed"])
    assert allowed == [True, False]


async def test_nobody_else_changes_or_ends_a_customers_own_role_rb_1_rb_2_and_33(own_world: Database) -> None:
    row = await role(own_world, CONTOSO, "Observer")
    missing = f"role_{tenant(CONTOSO)}_{UNKNOWN}"
    for person in sorted(set(PEOPLE) - set(EDITORS)):
        for document, more in ((UPDATE_ROLE, {"name": "Mine"}), (DELETE_ROLE, {})):
            errors = await refused(ask(own_world, person), document, "Observer", **of_role(row, **more))

            if person in ("contoso-role-keeper", "contoso-global-reader"):
                assert said(errors) == [("Forbidden", "input.role")]
                assert errors[0]["missing"] == (None if "keeper" in person else "ROLES_MODIFY")
            else:
                assert said(errors) == [("NotFound", "input.role")], person
                assert errors == await refused(
                    ask(own_world, person), document, **of_role(row, **more) | {"role": missing}
                )


@pytest.mark.parametrize("built_in", BuiltInRole)
async def test_a_built_in_role_is_neither_changed_nor_ended_rb_5_pa_7_check_13(
    own_world: Database, built_in: BuiltInRole
) -> None:
    of_partner = built_in is BuiltInRole.PRIMARY_ADMIN
    row = await role(own_world, CONTOSO, built_in.label, NORTHWIND if of_partner else None)
    for person in ("contoso-manager", "contoso-global-admin", *(["northwind-admin"] if of_partner else [])):
        for document, more in (
            (UPDATE_ROLE, {"name": "Mine"}),
            (UPDATE_ROLE, {"description": "Mine."}),
            (UPDATE_ROLE, {"permissions": ["ROOMS_VIEW"]}),
            (DELETE_ROLE, {}),
        ):
            errors = await refused(ask(own_world, person), document, **of_role(row, **more))
            assert said(errors) == [("InvalidState", "input.role")]
            assert (errors[0]["state"], errors[0]["allowed"]) == ("BUILT_IN", ["CUSTOM"])


# --- changing as a partner --------------------------------------------------------------------------------------------


async def test_a_primary_admin_changes_and_ends_partner_roles_cpr_2_cpr_6(own_world: Database) -> None:
    row, admin = await role(own_world, CONTOSO, "Help desk", NORTHWIND), ask(own_world, "northwind-admin")
    before = await heads(own_world)

    changed = await done(admin, UPDATE_ROLE, **of_role(row, name="Desk", permissions=["ROOMS_VIEW", "ROOMS_MODIFY"]))
    ended = await done(admin, DELETE_ROLE, role=global_id(row))

    assert (changed["role"]["name"], changed["role"]["version"]) == ("Desk", 2)
    assert (ended["deletedRole"], ended["endedAssignments"]) == (global_id(row), 1)
    entries = await written(own_world, before)
    assert [line(each)[2] for each in entries] == ["role.update", "assignment.delete", "role.delete"]
    assert {by(each) for each in entries} == {by_person(CONTOSO, "northwind-admin")}


async def test_one_adds_to_a_role_only_what_one_holds_wherever_it_is_given_25(own_world: Database) -> None:
    """The role of the help desk is given over rooms and a group that this keeper does not hold."""
    zurich, athens = await zurich_of(own_world), await room(own_world, "ath-1@contoso.example")
    person = await keeper(own_world, "northwind-nobody", rooms=[zurich, athens])
    row = await role(own_world, CONTOSO, "Help desk", NORTHWIND)

    errors = await refused(person, UPDATE_ROLE, **of_role(row, permissions=[*DESK, "ROLES_VIEW"]))

    assert (said(errors), errors[0]["missing"]) == ([("Forbidden", "input.permissions")], "ROOMS_VIEW")
    await done(
        ask(own_world, "northwind-admin"),
        CREATE_ROLE,
        partnership=await partner_id(own_world),
        name="Two rooms",
        permissions=["ROOMS_VIEW"],
        assignment={"name": "Two", "members": [user("northwind-tool")], "rooms": [zurich, athens]},
    )
    narrow = await role(own_world, CONTOSO, "Two rooms", NORTHWIND)
    await done(person, UPDATE_ROLE, **of_role(narrow, permissions=["ROOMS_VIEW", "TICKETS_VIEW"]))
    narrow = await again(own_world, narrow)
    errors = await refused(person, UPDATE_ROLE, **of_role(narrow, permissions=DESK))
    assert errors[0]["missing"] == "TICKETS_UPDATE"


async def zurich_of(database: Database) -> str:
    return await room(database, "zrh-1@contoso.example")


async def test_to_take_permissions_away_one_need_not_hold_them_25(own_world: Database) -> None:
    person = await keeper(own_world, "northwind-nobody", rooms=[await zurich_of(own_world)])
    row = await role(own_world, CONTOSO, "Help desk", NORTHWIND)

    payload = await done(person, UPDATE_ROLE, **of_role(row, name="Desk", permissions=["ROOMS_VIEW"]))

    assert payload["role"]["permissions"] == ["ROOMS_VIEW"]


async def test_a_role_that_nobody_has_is_not_given_by_being_changed_25(own_world: Database) -> None:
    person = await keeper(own_world, "northwind-nobody", rooms=[await zurich_of(own_world)])
    partner = await partner_id(own_world)
    await done(person, CREATE_ROLE, partnership=partner, name="Later", permissions=["ROOMS_VIEW"])

    payload = await done(
        person, UPDATE_ROLE, **of_role(await role(own_world, CONTOSO, "Later", NORTHWIND), permissions=DESK)
    )

    assert payload["role"]["permissions"] == DESK


async def test_the_customers_manager_sees_and_ends_partner_roles_and_changes_none_cpr_5_and_38(
    own_world: Database,
) -> None:
    row, manager = await role(own_world, CONTOSO, "Help desk", NORTHWIND), ask(own_world, "contoso-manager")
    for more in ({"name": "Mine"}, {"permissions": ["ROOMS_VIEW"]}, {"description": None}):
        errors = await refused(manager, UPDATE_ROLE, **of_role(row, **more))
        assert (said(errors), errors[0]["missing"]) == ([("Forbidden", "input.role")], "ROLES_MODIFY")

    payload = await done(manager, DELETE_ROLE, **of_role(row))

    assert payload["endedAssignments"] == 1


async def test_a_deleted_partner_role_gives_nothing_from_the_next_request_on_cpr_5_check_13(
    own_world: Database,
) -> None:
    row, desk = await role(own_world, CONTOSO, "Help desk", NORTHWIND), ask(own_world, "northwind-helpdesk")
    assert len((await desk.data(SEEN_ROOMS))["viewer"]["rooms"]["nodes"]) == 3

    await done(ask(own_world, "contoso-manager"), DELETE_ROLE, role=global_id(row))

    assert (await desk.data(SEEN_ROOMS))["viewer"]["rooms"]["nodes"] == []


async def test_nobody_else_changes_or_ends_a_partner_role_33_37_and_38(own_world: Database) -> None:
    row = await role(own_world, CONTOSO, "Help desk", NORTHWIND)
    missing = f"role_{tenant(CONTOSO)}_{UNKNOWN}"
    for person in sorted(set(PEOPLE) - {"northwind-admin", "contoso-manager", "contoso-global-admin"}):
        for document, more in ((UPDATE_ROLE, {"name": "Mine"}), (DELETE_ROLE, {})):
            errors = await refused(ask(own_world, person), document, "Help desk", **of_role(row, **more))

            assert said(errors) == [("NotFound", "input.role")], person
            assert errors == await refused(ask(own_world, person), document, **of_role(row, **more) | {"role": missing})


# --- ending -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", EDITORS)
async def test_a_deleted_role_takes_its_assignments_with_it_one_line_each_39(own_world: Database, person: str) -> None:
    row = await role(own_world, CONTOSO, "Observer")
    given = await everything(own_world, Assignment, col(Assignment.role_id) == row.id)
    before = await heads(own_world)

    payload = await done(ask(own_world, person), DELETE_ROLE, **of_role(row))

    assert (payload["deletedRole"], payload["endedAssignments"]) == (global_id(row), 1)
    assert await everything(own_world, Role, col(Role.id) == row.id) == []
    assert await everything(own_world, Assignment, col(Assignment.role_id) == row.id) == []
    assert [await left(own_world, each) for each in given] == [(0, 0, 0)]
    entries = await written(own_world, before)
    assert [line(each) for each in entries] == [
        ("Assignment", "Delete", "assignment.delete", "Reports for Greece"),
        ("Role", "Delete", "role.delete", "Observer"),
    ]
    assert entries[1].subject == global_id(row)
    assert {by(each) for each in entries} == {by_person(CONTOSO, person)}


async def test_other_roles_keep_what_they_have_when_one_is_deleted_39(own_world: Database) -> None:
    row = await role(own_world, CONTOSO, "Observer")
    before: dict[str, Any] = await rows(own_world)
    held = await everything(own_world, AssignmentMember)

    await done(ask(own_world, "contoso-manager"), DELETE_ROLE, role=global_id(row))

    after = await rows(own_world)
    assert len(await everything(own_world, AssignmentMember)) == len(held) - 1
    for table in ("roles", "assignments", "assignment_members", "assignment_groups"):
        assert set(after[table]) < set(before[table])
        assert len(after[table]) == len(before[table]) - 1


async def test_a_deletion_sent_again_is_answered_again(own_world: Database) -> None:
    row, manager = await role(own_world, CONTOSO, "Observer"), ask(own_world, "contoso-manager")
    asked = {"role": global_id(row), "idempotencyKey": "once"}

    first = await done(manager, DELETE_ROLE, **asked)

    assert await done(manager, DELETE_ROLE, **asked) == first
    assert said(await refused(manager, DELETE_ROLE, role=global_id(row))) == [("NotFound", "input.role")]
