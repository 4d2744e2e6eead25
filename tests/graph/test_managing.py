"""What each side settles about a partnership: change control (domain.md 3.9) and Tenant managers (3.4)."""

from typing import Any

import pytest
from sqlalchemy import delete, insert
from sqlmodel import col

from app.access.viewer import Viewer
from app.domain.permissions import DirectoryRole
from app.domain.vocabulary import ChangeEvent, PrincipalKind, UserType
from app.storage.engines import Database
from app.storage.tables import Assignment, AssignmentMember, Principal
from tests.graph.asking import PEOPLE, Asker, ask, viewer_of
from tests.graph.relating import (
    ACCEPT,
    AUTO,
    MANUAL,
    MEMBERS,
    RECEIVED,
    SEEN_ROOMS,
    SET_CONTROL,
    SET_MANAGERS,
    again,
    by,
    by_person,
    done,
    group,
    heads,
    invited,
    line,
    meddle,
    partnership,
    refused,
    rows,
    said,
    security_group,
    tenant,
    user,
    without_path,
    written,
)
from tests.operations.chains import everything
from tests.world import SEEDED_AT

UNKNOWN = "00000000-0000-7000-8000-000000000000"
MANAGERS = f"{{ viewer {{ tenantManagers {{ id version {MEMBERS} }} }} }}"


def members(assignment: dict[str, Any]) -> list[str]:
    return sorted(each["displayName"] for each in assignment["members"]["nodes"])


def manual(payload: dict[str, Any]) -> set[str]:
    return {rule["event"] for rule in payload["partnership"]["changeControl"] if rule["mode"] == "MANUAL"}


async def with_northwind(database: Database) -> str:
    """Contoso's partnership with Northwind, which holds RINGS_MODIFY for approval."""
    row = await partnership(database, "contoso.example", "northwind.example")
    return f"partnership_{row.tenant_id}_{row.id}"


# --- change control ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", ["contoso-manager", "contoso-global-admin"])
async def test_a_manager_sets_change_control_event_by_event_14_and_17(own_world: Database, person: str) -> None:
    asked, before = await with_northwind(own_world), await heads(own_world)

    payload = await done(
        ask(own_world, person),
        SET_CONTROL,
        partnership=asked,
        expectedVersion=1,
        changeControl=[{"event": "TICKETS_UPDATE", **MANUAL}, {"event": "ROOMS_MODIFY", **AUTO}],
    )

    assert (manual(payload), payload["partnership"]["version"]) == ({"RINGS_MODIFY", "TICKETS_UPDATE"}, 2)
    (entry,) = await written(own_world, before)
    assert line(entry)[:3] == ("PartnerInvitation", "Update", "change_control.set")
    assert (by(entry), entry.subject) == (by_person("contoso.example", person), asked)
    assert entry.changes == [{"field": "TICKETS_UPDATE", "before": "AUTO", "after": "MANUAL"}]


async def test_every_event_goes_to_manual_and_back_alone_14(own_world: Database) -> None:
    asked, version = await with_northwind(own_world), 1
    manager, held = ask(own_world, "contoso-manager"), {"RINGS_MODIFY"}
    for event in ChangeEvent:
        for mode, now in ((MANUAL, held | {event.name}), (AUTO, held - {event.name})):
            payload = await done(
                manager,
                SET_CONTROL,
                partnership=asked,
                expectedVersion=version,
                changeControl=[{"event": event.name, **mode}],
            )
            assert manual(payload) == now
            version = payload["partnership"]["version"]
        held -= {event.name}


@pytest.mark.parametrize("rules", [[], [{"event": "RINGS_MODIFY", **MANUAL}, {"event": "ROLES_MODIFY", **AUTO}]])
async def test_change_control_that_stays_as_it_is_writes_nothing(own_world: Database, rules: list[Any]) -> None:
    asked, before = await with_northwind(own_world), await rows(own_world)

    payload = await done(
        ask(own_world, "contoso-manager"), SET_CONTROL, partnership=asked, expectedVersion=1, changeControl=rules
    )

    assert (manual(payload), payload["partnership"]["version"]) == ({"RINGS_MODIFY"}, 1)
    assert await rows(own_world) == before


async def test_of_a_removed_partnership_nothing_is_set(own_world: Database) -> None:
    row = await partnership(own_world, "contoso.example", "tailspin.example")
    asked = {"partnership": f"partnership_{row.tenant_id}_{row.id}", "expectedVersion": row.version}

    errors = await refused(
        ask(own_world, "contoso-manager"), SET_CONTROL, **asked, changeControl=[{"event": "TICKETS_UPDATE", **MANUAL}]
    )

    assert said(errors) == [("InvalidState", "input.partnership")]
    assert (errors[0]["state"], errors[0]["allowed"]) == ("REMOVED", ["ACTIVE"])
    for person in ("tailspin-manager", "tailspin-admin"):
        errors = await refused(ask(own_world, person), SET_CONTROL, "REMOVED", **asked, changeControl=[])
        assert said(errors) == [("NotFound", "input.partnership")]


async def test_change_control_of_another_version_is_not_set(own_world: Database) -> None:
    asked, manager = await with_northwind(own_world), ask(own_world, "contoso-manager")
    rules = [{"event": "TICKETS_UPDATE", **MANUAL}]
    await done(manager, SET_CONTROL, partnership=asked, expectedVersion=1, changeControl=rules)

    errors = await refused(manager, SET_CONTROL, partnership=asked, expectedVersion=1, changeControl=[])

    assert (said(errors), errors[0]["currentVersion"]) == ([("StaleVersion", "input.expectedVersion")], 2)


async def test_nobody_else_sets_change_control_17(own_world: Database) -> None:
    rules = [{"event": "RINGS_MODIFY", **AUTO}]
    asked = {"expectedVersion": 1, "changeControl": rules, "partnership": await with_northwind(own_world)}
    missing = f"partnership_{tenant('contoso.example')}_{UNKNOWN}"
    seeing = {"contoso-teams-admin", "contoso-devices-admin", "contoso-global-reader"}
    seeing |= {"northwind-manager", "northwind-global-admin", "northwind-tenant-manager"}
    seeing |= {"northwind-admin", "northwind-helpdesk", "northwind-tool"}
    for person in sorted(set(PEOPLE) - {"contoso-manager", "contoso-global-admin"}):
        asker = ask(own_world, person)
        errors = await refused(asker, SET_CONTROL, "Contoso", "Northwind", "RINGS_MODIFY", **asked)

        if person in seeing:
            assert said(errors) == [("Forbidden", "input.partnership")], person
            assert errors[0]["missing"] == "PARTNERS_MANAGE"
        else:
            assert errors == await refused(asker, SET_CONTROL, **asked | {"partnership": missing}), person
            assert said(errors) == [("NotFound", "input.partnership")]


# --- Tenant managers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", ["northwind-manager", "northwind-global-admin"])
async def test_a_manager_of_the_partner_sets_the_tenant_managers_tm_1_tm_3_tm_4_and_60(
    own_world: Database, person: str
) -> None:
    before = await heads(own_world)

    payload = await done(
        ask(own_world, person),
        SET_MANAGERS,
        expectedVersion=1,
        addMembers=[user("northwind-nobody"), security_group("northwind-fabrikam-team"), user("northwind-nobody")],
        removeMembers=[user("northwind-tenant-manager")],
    )

    now = payload["tenantManagers"]
    assert (members(now), now["version"], now["name"]) == (
        ["northwind-fabrikam-team", "northwind-nobody"],
        2,
        "Tenant managers",
    )
    (entry,) = await written(own_world, before)
    assert line(entry) == ("User", "Update", "tenant_managers.change", "Tenant managers")
    assert by(entry) == by_person("northwind.example", person)
    (told,) = entry.changes
    assert (told["field"], told["before"], told["after"]) == (
        "members",
        "northwind-tenant-manager",
        "northwind-fabrikam-team, northwind-nobody",
    )


async def test_tenant_managers_answer_and_see_no_rooms_tm_2_tm_9_inv_8(own_world: Database) -> None:
    germany = await group(own_world, "Germany")
    sent = await invited(own_world, "contoso-manager", "tailspin.example", groups=[germany])
    clerk = ask(own_world, "tailspin-admin")
    assert (await clerk.data(RECEIVED))["viewer"]["invitations"]["nodes"] == []

    await done(ask(own_world, "tailspin-manager"), SET_MANAGERS, expectedVersion=1, addMembers=[user("tailspin-admin")])

    (seen,) = (await clerk.data(RECEIVED))["viewer"]["invitations"]["nodes"]
    assert seen["id"] == sent
    await done(clerk, ACCEPT, invitation=sent, primaryAdmins=[user("tailspin-manager")])
    assert (await clerk.data(SEEN_ROOMS))["viewer"]["rooms"]["nodes"] == []


async def test_who_is_no_tenant_manager_any_more_answers_nothing_from_the_next_request_on(own_world: Database) -> None:
    clerk = ask(own_world, "adatum-tenant-manager")
    (seen,) = (await clerk.data(RECEIVED))["viewer"]["invitations"]["nodes"]

    await done(
        ask(own_world, "adatum-manager"),
        SET_MANAGERS,
        expectedVersion=1,
        removeMembers=[user("adatum-tenant-manager")],
    )

    assert (await clerk.data(RECEIVED))["viewer"]["invitations"]["nodes"] == []
    errors = await refused(clerk, ACCEPT, invitation=seen["id"], primaryAdmins=[user("adatum-nobody")])
    assert said(errors) == [("NotFound", "input.invitation")]


async def test_there_need_not_be_a_tenant_manager_tm_6_acc_2(own_world: Database) -> None:
    manager = ask(own_world, "northwind-manager")

    payload = await done(manager, SET_MANAGERS, expectedVersion=1, removeMembers=[user("northwind-tenant-manager")] * 2)

    assert members(payload["tenantManagers"]) == []
    assert members((await manager.data(MANAGERS))["viewer"]["tenantManagers"]) == []


async def test_tenant_managers_that_stay_as_they_are_write_nothing(own_world: Database) -> None:
    manager, before = ask(own_world, "northwind-manager"), await rows(own_world)
    for asked in (
        {},
        {"addMembers": [user("northwind-tenant-manager")]},
        {"removeMembers": [user("northwind-nobody"), user("northwind-tool")]},
    ):
        payload = await done(manager, SET_MANAGERS, expectedVersion=1, **asked)
        assert payload["tenantManagers"]["version"] == 1
    assert await rows(own_world) == before


async def test_tenant_managers_of_another_version_are_not_set(own_world: Database) -> None:
    manager = ask(own_world, "northwind-manager")
    await done(manager, SET_MANAGERS, expectedVersion=1, addMembers=[user("northwind-nobody")])

    errors = await refused(manager, SET_MANAGERS, expectedVersion=1, addMembers=[user("northwind-admin")])

    assert (said(errors), errors[0]["currentVersion"]) == ([("StaleVersion", "input.expectedVersion")], 2)


async def test_nobody_else_sets_tenant_managers_tm_4(own_world: Database) -> None:
    """A Tenant manager neither."""
    managers = {f"{name}-manager" for name in ("contoso", "fabrikam", "northwind", "adatum", "tailspin")}
    for person in sorted(set(PEOPLE) - managers - {"contoso-global-admin", "northwind-global-admin"}):
        for asked in ({"addMembers": [user(person)]}, {"removeMembers": [user(person)]}, {}):
            errors = await refused(ask(own_world, person), SET_MANAGERS, "Tenant managers", expectedVersion=1, **asked)

            assert said(errors) == [("Forbidden", "input")], person
            assert errors[0]["missing"] == "PARTNERS_MANAGE"


async def test_a_manager_sets_those_of_the_own_organization_alone_tm_4(own_world: Database) -> None:
    before = await heads(own_world)
    theirs = (await ask(own_world, "northwind-manager").data(MANAGERS))["viewer"]["tenantManagers"]

    payload = await done(
        ask(own_world, "contoso-manager"), SET_MANAGERS, expectedVersion=1, addMembers=[user("contoso-nobody")]
    )

    assert members(payload["tenantManagers"]) == ["contoso-nobody"]
    assert (await ask(own_world, "northwind-manager").data(MANAGERS))["viewer"]["tenantManagers"] == theirs
    (entry,) = await written(own_world, before)
    assert entry.tenant_id == tenant("contoso.example")


@pytest.mark.parametrize("field", ["addMembers", "removeMembers"])
async def test_members_of_other_organizations_answer_as_if_missing_rb_11_33_and_47(
    own_world: Database, field: str
) -> None:
    """Even those whom the caller sees by name, such as a partner's primary admins."""
    contoso = tenant("contoso.example")
    asked = [
        user("northwind-admin"),
        user("northwind-nobody"),
        user("fabrikam-manager"),
        security_group("northwind-fabrikam-team"),
        f"user_{contoso}_{UNKNOWN}",
        f"user_{contoso}_{viewer_of('northwind-admin').principal_id}",
        f"room_{contoso}_{UNKNOWN}",
        "",
    ]

    errors = await refused(
        ask(own_world, "contoso-manager"),
        SET_MANAGERS,
        *("northwind", "fabrikam", "Northwind"),
        expectedVersion=1,
        **{field: [user("contoso-nobody"), *asked]},
    )

    assert [each["path"] for each in errors] == [["input", field, str(place)] for place in range(1, len(asked) + 1)]
    assert all(without_path(each) == without_path(errors[0]) for each in errors)
    assert errors[0]["__typename"] == "NotFound"


async def test_the_same_object_id_in_another_organization_is_somebody_else_47(own_world: Database) -> None:
    """A person of Northwind, whom Contoso sees, has the object id of one of Contoso's Tenant managers."""
    namesake = viewer_of("northwind-nobody")
    assert namesake.principal_id == viewer_of("contoso-technician").principal_id
    manager = ask(own_world, "contoso-manager")
    await done(manager, SET_MANAGERS, expectedVersion=1, addMembers=[user("contoso-technician")])
    row = await partnership(own_world, "contoso.example", "northwind.example")
    await meddle(
        own_world,
        insert(AssignmentMember).values(
            tenant_id=row.tenant_id,
            assignment_id=row.delegation_id,
            member_tenant_id=namesake.tenant_id,
            member_id=namesake.principal_id,
        ),
    )

    errors = await refused(manager, SET_MANAGERS, expectedVersion=2, removeMembers=[user("northwind-nobody")])

    assert said(errors) == [("NotFound", "input.removeMembers.0")]
    await done(manager, SET_MANAGERS, expectedVersion=2, removeMembers=[user("contoso-technician")])
    kept = await everything(own_world, AssignmentMember, col(AssignmentMember.member_id) == namesake.principal_id)
    assert namesake.tenant_id in {each.member_tenant_id for each in kept}


async def test_what_is_wrong_with_both_lists_is_said_at_once(own_world: Database) -> None:
    errors = await refused(
        ask(own_world, "northwind-manager"),
        SET_MANAGERS,
        expectedVersion=1,
        addMembers=["nonsense", user("northwind-tool")],
        removeMembers=["nonsense"],
    )

    assert said(errors) == [
        ("NotFound", "input.addMembers.0"),
        ("InvalidInput", "input.addMembers.1"),
        ("NotFound", "input.removeMembers.0"),
    ]


async def test_a_tool_is_no_tenant_manager_but_one_that_is_can_be_removed_tm_3(own_world: Database) -> None:
    manager, tool = ask(own_world, "northwind-manager"), viewer_of("northwind-tool")
    errors = await refused(manager, SET_MANAGERS, expectedVersion=1, addMembers=[user("northwind-tool")])
    assert said(errors) == [("InvalidInput", "input.addMembers.0")]
    assert tool.kind is PrincipalKind.APPLICATION
    (assignment,) = await everything(
        own_world,
        Assignment,
        col(Assignment.tenant_id) == tool.tenant_id,
        col(Assignment.name) == "Tenant managers",
    )
    member = {"assignment_id": assignment.id, "member_tenant_id": tool.tenant_id, "member_id": tool.principal_id}
    await meddle(own_world, insert(AssignmentMember).values(tenant_id=tool.tenant_id, **member))

    await done(manager, SET_MANAGERS, expectedVersion=1, removeMembers=[user("northwind-tool")])

    assert (await again(own_world, assignment)).version == 2
    held = await everything(own_world, AssignmentMember, col(AssignmentMember.assignment_id) == assignment.id)
    assert [each.member_id for each in held] == [viewer_of("northwind-tenant-manager").principal_id]


async def test_a_global_admin_restores_what_lost_its_managers_rb_16_and_42(own_world: Database) -> None:
    """A caller whom only the token knows is stored with the first change, and not before."""
    adatum = tenant("adatum.example")
    await meddle(own_world, delete(AssignmentMember).where(col(AssignmentMember.tenant_id) == adatum))
    viewer = Viewer(adatum, UNKNOWN, directory_roles=frozenset({DirectoryRole.GLOBAL_ADMINISTRATOR}))
    admin = Asker(own_world, viewer, SEEDED_AT)
    await done(admin, SET_MANAGERS, expectedVersion=1)
    assert await everything(own_world, Principal, col(Principal.id) == UNKNOWN) == []

    payload = await done(admin, SET_MANAGERS, expectedVersion=1, addMembers=[user("adatum-nobody")])

    assert members(payload["tenantManagers"]) == ["adatum-nobody"]
    (stored,) = await everything(own_world, Principal, col(Principal.id) == UNKNOWN)
    assert (stored.name, stored.user_type) == ("somebody", UserType.MEMBER)


async def test_an_event_that_is_named_twice_is_refused_and_not_guessed(own_world: Database) -> None:
    rules = [{"event": event, **mode} for event, mode in (("ROOMS_MODIFY", MANUAL), ("ROOMS_MODIFY", AUTO))]

    errors = await refused(
        ask(own_world, "contoso-manager"),
        SET_CONTROL,
        partnership=await with_northwind(own_world),
        expectedVersion=1,
        changeControl=rules,
    )

    assert said(errors) == [("InvalidInput", "input.changeControl.1")]
