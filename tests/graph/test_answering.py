"""Answering an invitation, by the numbers of domain.md 3.3 and 7."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import delete, insert, update
from sqlmodel import col

from app.access.viewer import Viewer
from app.domain.permissions import BuiltInRole, DirectoryRole
from app.domain.vocabulary import InvitationState, PartnershipState, PrincipalKind, UserType
from app.storage.engines import Database
from app.storage.tables import (
    Assignment,
    AssignmentGroup,
    AssignmentMember,
    AssignmentRoom,
    GroupMember,
    Invitation,
    Partnership,
    Principal,
    Role,
    Room,
)
from tests.graph.asking import PEOPLE, Asker, ask, viewer_of
from tests.graph.relating import (
    ACCEPT,
    DECLINE,
    RECEIVED,
    SEEN_ROOMS,
    SENT,
    TICK,
    again,
    by,
    by_person,
    done,
    group,
    heads,
    invitation,
    invited,
    line,
    meddle,
    partnership,
    refused,
    room,
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
ANSWERING = ("adatum-manager", "adatum-tenant-manager")
OFFERED = [
    "Þingvellir",
    "会議室 東",
    "会議室 西",
    "茶室",
    "役員会議室",
    "Zürich Sitzungszimmer",
    "Großer Saal",
    "Summit",
]
"""What Contoso's open invitation offers Adatum: 日本, Boardrooms (which share one room) and rvk-1."""
ADMIN = "adatum-nobody"


def global_admin(tenant_id: str, principal_id: str = UNKNOWN) -> Viewer:
    return Viewer(tenant_id, principal_id, directory_roles=frozenset({DirectoryRole.GLOBAL_ADMINISTRATOR}))


async def pending(database: Database) -> Invitation:
    """Contoso's open invitation to Adatum."""
    return await invitation(database, "contoso.example", "adatum.example", InvitationState.PENDING)


async def pending_id(database: Database) -> str:
    row = await pending(database)
    return f"invitation_{row.tenant_id}_{row.id}"


async def room_names(asker: Asker) -> list[str]:
    return sorted(each["displayName"] for each in (await asker.data(SEEN_ROOMS))["viewer"]["rooms"]["nodes"])


async def received(asker: Asker) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = (await asker.data(RECEIVED))["viewer"]["invitations"]["nodes"]
    return seen


async def accept(database: Database, person: str = "adatum-manager", *admins: str) -> Any:
    return await done(
        ask(database, person),
        ACCEPT,
        invitation=await pending_id(database),
        primaryAdmins=[*(admins or (user(ADMIN),))],
    )


# --- who sees it, and what of it --------------------------------------------------------------------------------------


async def test_those_who_answer_see_it_without_customer_data_acc_1_acc_3_and_45(own_world: Database) -> None:
    for asker in (
        *(ask(own_world, person) for person in ANSWERING),
        Asker(own_world, global_admin(tenant("adatum.example"))),
    ):
        (seen,) = await received(asker)

        assert (seen["state"], seen["customer"], seen["roomCount"]) == ("PENDING", {"displayName": "Contoso"}, 8)
        assert (seen["expiresAt"], seen["termsVersion"]) == ("2026-12-05T08:00:00.000000Z", "2026-01")
        assert {each["event"] for each in seen["changeControl"] if each["mode"] == "MANUAL"} == {
            "ROOMS_MODIFY",
            "TICKETS_UPDATE",
        }
        assert (seen["rooms"], seen["groups"]) == ({"nodes": []}, {"nodes": []})
        text = orjson.dumps(seen).decode()
        assert [name for name in [*OFFERED, "日本", "Boardrooms"] if name in text] == []
        assert await room_names(asker) == []


async def test_a_guest_sees_it_and_nobody_else_does_acc_1(own_world: Database) -> None:
    for person in sorted(set(PEOPLE) - set(ANSWERING)):
        asked = await received(ask(own_world, person))

        assert len([each for each in asked if each["partnerDomain"] == "adatum.example"]) == (person == "adatum-guest")


# --- accepting --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", [*ANSWERING, "global admin"])
async def test_accepting_links_the_two_and_names_the_primary_admins_acc_1_acc_4_acc_5_and_60(
    own_world: Database, person: str
) -> None:
    is_stored, before, sent = person in ANSWERING, await heads(own_world), await pending(own_world)
    viewer = viewer_of(person) if is_stored else global_admin(tenant("adatum.example"))

    payload = await done(
        Asker(own_world, viewer),
        ACCEPT,
        invitation=await pending_id(own_world),
        primaryAdmins=[user(ADMIN)],
        expectedVersion=1,
    )

    made = payload["partnership"]
    assert payload["invitation"] is None
    assert (made["state"], made["version"], made["establishedAt"]) == ("ACTIVE", 1, "2026-11-23T08:00:00.000000Z")
    assert (made["customer"], made["partner"]) == ({"displayName": "Contoso"}, {"displayName": "Adatum"})
    assert made["primaryAdmins"] == {"name": "Assigned admins", "members": {"nodes": [{"displayName": ADMIN}]}}
    assert {each["event"] for each in made["changeControl"] if each["mode"] == "MANUAL"} == {
        "ROOMS_MODIFY",
        "TICKETS_UPDATE",
    }
    row = await again(own_world, sent)
    assert (row.state, row.answered_at, row.closed_at) == (InvitationState.ACCEPTED, SEEDED_AT, SEEDED_AT)
    assert (f"partnership_{row.tenant_id}_{row.partnership_id}", row.version) == (made["id"], 2)
    accepted, assigned = await written(own_world, before)
    assert line(accepted) == ("PartnerInvitation", "Update", "invitation.accept", "adatum.example")
    assert accepted.changes == [{"field": "state", "before": "PENDING", "after": "ACCEPTED"}]
    assert line(assigned) == ("Assignment", "Create", "assignment.create", "Assigned admins")
    assert {each["field"]: each["after"] for each in assigned.changes} == {
        "role": "Primary admin",
        "members": ADMIN,
        "rooms": "1",
        "groups": "2",
    }
    whom = (tenant("contoso.example"), viewer.tenant_id, viewer.principal_id)
    assert [by(accepted), by(assigned)] == [whom, whom]


async def test_the_role_and_its_scope_are_the_customers_acc_4_and_room_1(own_world: Database) -> None:
    await accept(own_world)

    made = await partnership(own_world, "contoso.example", "adatum.example")
    (role,) = await everything(own_world, Role, col(Role.partnership_id) == made.id)
    (assignment,) = await everything(own_world, Assignment, col(Assignment.partnership_id) == made.id)
    assert (role.tenant_id, role.built_in) == (tenant("contoso.example"), BuiltInRole.PRIMARY_ADMIN)
    assert (assignment.id, assignment.role_id, assignment.all_rooms) == (made.delegation_id, role.id, False)
    (member,) = await everything(own_world, AssignmentMember, col(AssignmentMember.assignment_id) == assignment.id)
    assert (member.member_tenant_id, member.member_id) == (
        tenant("adatum.example"),
        viewer_of(ADMIN).principal_id,
    )
    assert len(await everything(own_world, AssignmentRoom, col(AssignmentRoom.assignment_id) == assignment.id)) == 1
    assert len(await everything(own_world, AssignmentGroup, col(AssignmentGroup.assignment_id) == assignment.id)) == 2


@pytest.mark.parametrize("person", ANSWERING)
async def test_the_acceptor_gets_nothing_by_accepting_acc_3_tm_2_tm_9_and_check_4(
    own_world: Database, person: str
) -> None:
    await accept(own_world, person)

    assert await room_names(ask(own_world, person)) == []
    assert await room_names(ask(own_world, ADMIN)) == sorted(OFFERED)
    for other in sorted({"adatum-manager", "adatum-tenant-manager", "adatum-guest"}):
        assert await room_names(ask(own_world, other)) == []


async def test_a_tenant_manager_may_name_oneself_36(own_world: Database) -> None:
    before = await heads(own_world)

    await accept(own_world, "adatum-tenant-manager", user("adatum-tenant-manager"))

    assert await room_names(ask(own_world, "adatum-tenant-manager")) == sorted(OFFERED)
    _, assigned = await written(own_world, before)
    assert by(assigned) == by_person("contoso.example", "adatum-tenant-manager")
    assert {"field": "members", "before": None, "after": "adatum-tenant-manager"} in assigned.changes


async def test_the_link_lives_on_without_the_user_who_accepted_acc_7_and_check_7(own_world: Database) -> None:
    await accept(own_world, "adatum-tenant-manager")
    gone = viewer_of("adatum-tenant-manager").principal_id

    await meddle(
        own_world,
        delete(AssignmentMember).where(col(AssignmentMember.member_id) == gone),
        delete(Principal).where(col(Principal.id) == gone),
    )

    assert await room_names(ask(own_world, ADMIN)) == sorted(OFFERED)
    made = await partnership(own_world, "contoso.example", "adatum.example")
    assert made.state is PartnershipState.ACTIVE
    asked = "query($id: ID!) { node(id: $id) { ... on Partnership { state partner { displayName } } } }"
    for person in ("contoso-manager", "adatum-manager"):
        seen = await ask(own_world, person).data(asked, id=f"partnership_{made.tenant_id}_{made.id}")
        assert seen["node"] == {"state": "ACTIVE", "partner": {"displayName": "Adatum"}}


async def test_the_relationship_does_not_end_with_the_invitation_8(own_world: Database) -> None:
    await accept(own_world)

    assert await room_names(ask(own_world, ADMIN).at(SEEDED_AT + timedelta(days=365))) == sorted(OFFERED)


# --- who may not ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", [ACCEPT, DECLINE])
async def test_nobody_else_answers_acc_1_acc_2(own_world: Database, document: str) -> None:
    values = {"primaryAdmins": [user(ADMIN)]} if document == ACCEPT else {}
    open_one, missing = await pending_id(own_world), f"invitation_{tenant('contoso.example')}_{UNKNOWN}"
    seeing = {"contoso-manager", "contoso-global-admin", "contoso-teams-admin", "contoso-devices-admin"}
    seeing |= {"contoso-global-reader", "adatum-guest"}
    for person in sorted(set(PEOPLE) - set(ANSWERING)):
        asker = ask(own_world, person)
        errors = await refused(asker, document, "Contoso", "Adatum", "adatum.example", invitation=open_one, **values)

        if person in seeing:
            assert said(errors) == [("Forbidden", "input.invitation")], person
            assert errors[0]["missing"] == (None if person == "adatum-guest" else "INVITATIONS_ANSWER")
        else:
            assert errors == await refused(asker, document, invitation=missing, **values), person
            assert said(errors) == [("NotFound", "input.invitation")]


@pytest.mark.parametrize("document", [ACCEPT, DECLINE])
async def test_guests_may_not_answer_by_token_or_directory_nor_may_tools(own_world: Database, document: str) -> None:
    adatum = tenant("adatum.example")
    tool = Viewer(adatum, UNKNOWN, PrincipalKind.APPLICATION)
    (managers,) = await everything(
        own_world, Assignment, col(Assignment.tenant_id) == adatum, col(Assignment.name) == "Managers"
    )
    member = {"tenant_id": adatum, "assignment_id": managers.id, "member_tenant_id": adatum, "member_id": UNKNOWN}
    await meddle(own_world, insert(AssignmentMember).values(member))
    stored_guest = viewer_of("adatum-guest")
    values = {"primaryAdmins": [user(ADMIN)]} if document == ACCEPT else {}
    for asker in (
        replace(ask(own_world, "adatum-manager"), is_guest=True),
        replace(Asker(own_world, global_admin(adatum, "00000000-0000-7000-8000-000000000001")), is_guest=True),
        ask(own_world, "adatum-guest"),
        Asker(own_world, global_admin(adatum, stored_guest.principal_id)),
        Asker(own_world, tool),
    ):
        errors = await refused(asker, document, "Contoso", invitation=await pending_id(own_world), **values)

        assert (said(errors), errors[0]["missing"]) == ([("Forbidden", "input.invitation")], None)


async def test_someone_who_became_a_guest_may_not_answer_any_more(own_world: Database) -> None:
    manager = viewer_of("adatum-manager").principal_id
    await meddle(own_world, update(Principal).where(col(Principal.id) == manager).values(user_type=UserType.GUEST))

    errors = await refused(ask(own_world, "adatum-manager"), DECLINE, invitation=await pending_id(own_world))

    assert said(errors) == [("Forbidden", "input.invitation")]


# --- primary admins ---------------------------------------------------------------------------------------------------


async def test_there_is_at_least_one_primary_admin_acc_4_pa_4_and_check_5(own_world: Database) -> None:
    adatum = tenant("adatum.example")
    empty, tools = "00000000-0000-7000-8000-00000000000a", "00000000-0000-7000-8000-00000000000b"
    tool = "00000000-0000-7000-8000-00000000000c"
    plain: dict[str, Any] = {"tenant_id": adatum, "name_key": "x", "search_key": "x", "created_at": SEEDED_AT}
    await meddle(
        own_world,
        insert(Principal).values(
            [
                plain | {"id": empty, "name": "Empty", "kind": PrincipalKind.GROUP},
                plain | {"id": tools, "name": "Tools", "kind": PrincipalKind.GROUP},
                plain | {"id": tool, "name": "Tool", "kind": PrincipalKind.APPLICATION},
            ]
        ),
        insert(GroupMember).values(tenant_id=adatum, group_id=tools, member_id=tool),
    )
    groups = [f"securitygroup_{adatum}_{key}" for key in (empty, tools)]
    for admins in ([], groups[:1], groups):
        errors = await refused(
            ask(own_world, "adatum-manager"), ACCEPT, invitation=await pending_id(own_world), primaryAdmins=admins
        )

        assert said(errors) == [("LastPrimaryAdmin", "input.primaryAdmins")]

    await accept(own_world, "adatum-manager", groups[0], user(ADMIN))
    assert await room_names(ask(own_world, ADMIN)) == sorted(OFFERED)


async def test_primary_admins_are_the_partners_own_as_if_all_else_were_missing_rb_11_and_33(
    own_world: Database,
) -> None:
    """Even people whom the acceptor sees by name, such as who sent the invitation."""
    adatum, contoso = tenant("adatum.example"), tenant("contoso.example")
    admins = [
        user("contoso-manager"),
        user("contoso-nobody"),
        user("northwind-admin"),
        security_group("contoso-analysts"),
        f"user_{adatum}_{UNKNOWN}",
        f"user_{contoso}_{viewer_of(ADMIN).principal_id}",
        f"securitygroup_{adatum}_{viewer_of(ADMIN).principal_id}",
        await pending_id(own_world),
        "",
    ]

    errors = await refused(
        ask(own_world, "adatum-manager"),
        ACCEPT,
        *("contoso-nobody", "contoso-manager", "northwind", "analysts"),
        invitation=await pending_id(own_world),
        primaryAdmins=[user(ADMIN), *admins],
    )

    assert [each["path"] for each in errors] == [
        ["input", "primaryAdmins", str(place)] for place in range(1, len(admins) + 1)
    ]
    assert all(without_path(each) == without_path(errors[0]) for each in errors)
    assert errors[0]["__typename"] == "NotFound"


async def test_a_tool_is_no_primary_admin_rb_11(own_world: Database) -> None:
    sent = await invited(
        own_world, "fabrikam-manager", "adatum.example", rooms=[await room(own_world, "del-1@fabrikam.example")]
    )
    adatum = tenant("adatum.example")
    await meddle(
        own_world,
        insert(Principal).values(
            tenant_id=adatum,
            id=UNKNOWN,
            name="Tool",
            name_key="tool",
            search_key="tool",
            kind=PrincipalKind.APPLICATION,
            created_at=SEEDED_AT,
        ),
    )

    errors = await refused(
        ask(own_world, "adatum-tenant-manager"),
        ACCEPT,
        invitation=sent,
        primaryAdmins=[user(ADMIN), f"application_{adatum}_{UNKNOWN}"],
    )

    assert said(errors) == [("InvalidInput", "input.primaryAdmins.1")]


async def test_a_security_group_is_a_primary_admin_through_its_stored_members_34(own_world: Database) -> None:
    await accept(own_world, "adatum-manager", security_group("adatum-desk"))
    assert await room_names(ask(own_world, "adatum-guest")) == sorted(OFFERED)
    (desk,) = await everything(own_world, Principal, col(Principal.name) == "adatum-desk")

    later = {"tenant_id": desk.tenant_id, "group_id": desk.id, "member_id": viewer_of(ADMIN).principal_id}
    await meddle(own_world, insert(GroupMember).values(later))

    assert await room_names(ask(own_world, ADMIN)) == sorted(OFFERED)


async def test_one_named_twice_is_one_primary_admin(own_world: Database) -> None:
    payload = await accept(own_world, "adatum-manager", user(ADMIN), user(ADMIN))

    assert payload["partnership"]["primaryAdmins"]["members"]["nodes"] == [{"displayName": ADMIN}]


# --- once, and in time ------------------------------------------------------------------------------------------------


async def test_the_first_who_accepts_wins_acc_6_12_and_check_6(own_world: Database) -> None:
    asked = {"invitation": await pending_id(own_world), "primaryAdmins": [user(ADMIN)]}
    await done(ask(own_world, "adatum-tenant-manager"), ACCEPT, **asked)

    for person in ANSWERING:
        errors = await refused(
            ask(own_world, person), ACCEPT, **asked | {"primaryAdmins": [user("adatum-tenant-manager")]}
        )
        assert said(errors) == [("InvalidState", "input.invitation")]
        assert (errors[0]["state"], errors[0]["allowed"]) == ("ACCEPTED", ["PENDING"])
        assert await refused(ask(own_world, person), DECLINE, invitation=asked["invitation"]) == errors

    assert (
        len(await everything(own_world, Partnership, col(Partnership.partner_tenant_id) == tenant("adatum.example")))
        == 1
    )


async def test_whoever_does_not_see_it_learns_nothing_of_an_answered_one_33(own_world: Database) -> None:
    asked = {"invitation": await pending_id(own_world), "primaryAdmins": [user(ADMIN)]}
    await done(ask(own_world, "adatum-manager"), ACCEPT, **asked)

    for person in (ADMIN, "northwind-manager", "fabrikam-manager", "contoso-nobody"):
        errors = await refused(ask(own_world, person), ACCEPT, "ACCEPTED", **asked)
        assert said(errors) == [("NotFound", "input.invitation")]


async def test_it_is_accepted_before_it_expires_and_not_at_that_instant_acc_10_6_and_check_6(
    own_world: Database,
) -> None:
    asked = {"invitation": await pending_id(own_world), "primaryAdmins": [user(ADMIN)]}
    expires, partner = (await pending(own_world)).expires_at, ask(own_world, "adatum-manager")

    for moment in (expires, expires + timedelta(days=40)):
        errors = await refused(partner.at(moment), ACCEPT, **asked)
        assert (said(errors), errors[0]["state"]) == ([("InvalidState", "input.invitation")], "EXPIRED")
        assert await refused(partner.at(moment), DECLINE, invitation=asked["invitation"]) == errors

    await done(partner.at(expires - TICK), ACCEPT, **asked)


async def test_another_version_than_the_current_one_is_not_answered(own_world: Database) -> None:
    asked = {"invitation": await pending_id(own_world), "expectedVersion": 2}
    for document, values in ((ACCEPT, {"primaryAdmins": [user(ADMIN)]}), (DECLINE, {})):
        errors = await refused(ask(own_world, "adatum-manager"), document, **asked, **values)

        assert (said(errors), errors[0]["currentVersion"]) == ([("StaleVersion", "input.expectedVersion")], 1)


# --- declining --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", ANSWERING)
async def test_declining_is_final_acc_8_acc_9_60_and_check_6(own_world: Database, person: str) -> None:
    asked, before, sent = await pending_id(own_world), await heads(own_world), await pending(own_world)

    payload = await done(ask(own_world, person), DECLINE, invitation=asked, expectedVersion=1)

    assert payload["invitation"] is None
    row = await again(own_world, sent)
    assert (row.state, row.answered_at, row.closed_at) == (InvitationState.DECLINED, SEEDED_AT, SEEDED_AT)
    assert (row.partnership_id, row.version) == (None, 2)
    (entry,) = await written(own_world, before)
    assert line(entry) == ("PartnerInvitation", "Delete", "invitation.decline", "adatum.example")
    assert by(entry) == by_person("contoso.example", person)
    assert await received(ask(own_world, person)) == []
    assert (await ask(own_world, "contoso-manager").data(SENT))["viewer"]["invitations"]["nodes"] == []
    for each in ANSWERING:
        errors = await refused(ask(own_world, each), ACCEPT, invitation=asked, primaryAdmins=[user(ADMIN)])
        assert (said(errors), errors[0]["state"]) == ([("InvalidState", "input.invitation")], "DECLINED")
        assert await refused(ask(own_world, each), DECLINE, invitation=asked) == errors


async def test_after_declining_a_new_invitation_can_be_accepted_acc_9(own_world: Database) -> None:
    await done(ask(own_world, "adatum-manager"), DECLINE, invitation=await pending_id(own_world))

    await invited(own_world, "contoso-manager", "adatum.example", groups=[await group(own_world, "Ελλάδα")])
    await accept(own_world)

    assert await room_names(ask(own_world, ADMIN)) == ["Ακρόπολη", "Ελλάδα", "Ολυμπία"]


async def test_an_answer_to_one_customer_is_none_to_another_47_and_48(own_world: Database) -> None:
    rooms = [await room(own_world, "del-1@fabrikam.example")]
    other = await invited(own_world, "fabrikam-manager", "adatum.example", rooms=rooms)

    await accept(own_world)

    assert [each["id"] for each in await received(ask(own_world, "adatum-manager"))] == [other]
    (customer,) = {
        each["customer"]["displayName"]
        for each in (await ask(own_world, ADMIN).data(SEEN_ROOMS))["viewer"]["rooms"]["nodes"]
    }
    assert customer == "Contoso"


async def test_a_room_that_was_retired_meanwhile_is_not_delegated_58(own_world: Database) -> None:
    await meddle(
        own_world, update(Room).where(col(Room.account) == "rvk-1@contoso.example").values(retired_at=SEEDED_AT)
    )

    await accept(own_world)

    assert await room_names(ask(own_world, ADMIN)) == sorted(set(OFFERED) - {"Þingvellir"})


async def test_the_first_answer_stores_who_gave_it(own_world: Database) -> None:
    adatum = tenant("adatum.example")
    stranger = replace(Asker(own_world, global_admin(adatum)), name="Zoë Ýr")
    await refused(stranger, ACCEPT, invitation=await pending_id(own_world), primaryAdmins=["x"])
    assert await everything(own_world, Principal, col(Principal.id) == UNKNOWN) == []

    await done(stranger, DECLINE, invitation=await pending_id(own_world))

    (stored,) = await everything(own_world, Principal, col(Principal.id) == UNKNOWN)
    assert (stored.tenant_id, stored.name, stored.user_type) == (adatum, "Zoë Ýr", UserType.MEMBER)
