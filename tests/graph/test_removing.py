"""The end of a partnership: by whom, after which look, what ends with it, and what is left (REM-1 to REM-7)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col

from app.domain.vocabulary import AuditCategory, AuditOperation, PartnershipState, Side
from app.operations.removing import Confirmations
from app.storage.engines import Database
from app.storage.tables import (
    Assignment,
    AssignmentMember,
    Invitation,
    Partnership,
    Role,
    Room,
    RoomGroup,
    RoomGroupRoom,
    UpdateRing,
)
from tests.graph.asking import PEOPLE, Asker, ask, viewer_of
from tests.graph.partnering import (
    ACCEPT,
    IMPACT,
    INVITE,
    NODE,
    REMOVE,
    UNKNOWN,
    alter,
    codes,
    confirmation,
    do,
    done,
    links,
    offer,
    partnership_of,
    put,
    remove,
    rooms_of,
    snapshot,
    tenant_id,
)
from tests.operations.chains import check_chain, everything
from tests.world import SEEDED_AT

CONTOSO, FABRIKAM, NORTHWIND = "contoso.example", "fabrikam.example", "northwind.example"
MAY = {
    CONTOSO: ("contoso-manager", "contoso-global-admin", "northwind-admin"),
    FABRIKAM: ("fabrikam-manager", "northwind-admin", "northwind-fabrikam-admin"),
}
"""Who may end this customer's partnership with Northwind; Fabrikam's primary admins are so through a group."""
SIDES = [(customer, name) for customer, names in MAY.items() for name in names]
ENDED = {
    CONTOSO: {"rooms": 9, "roles": 3, "assignments": 3, "people": 2},
    FABRIKAM: {"rooms": 4, "roles": 2, "assignments": 2, "people": 2},
}
SEES = {
    CONTOSO: {
        *("contoso-teams-admin", "contoso-devices-admin", "contoso-global-reader"),
        *("northwind-manager", "northwind-global-admin", "northwind-tenant-manager"),
        *("northwind-helpdesk", "northwind-tool"),
    },
    FABRIKAM: {"northwind-manager", "northwind-global-admin", "northwind-tenant-manager", "northwind-tool"},
}
"""Who sees the partnership and may not end it."""
OF_CUSTOMER = """{ viewer {
  rooms { nodes { id } } groups { nodes { id } } rings { nodes { id } } customers { nodes { id } }
  everyCustomer: customers(states: [ACTIVE, REMOVED]) { nodes { id } }
  roles { nodes { id } } invitations(states: [PENDING, ACCEPTED, DECLINED, REVOKED, EXPIRED]) { nodes { id } } } }"""
KEPT = """query Kept($id: ID!) { node(id: $id) { ... on Partnership {
  state removedBySide removedAt version rooms { totalCount { value } } roles { totalCount { value } }
  primaryAdmins { id } removalImpact { confirmation } partner { displayName } } } }"""


def side_of(customer: str, name: str) -> Side:
    return Side.CUSTOMER if viewer_of(name).tenant_id == tenant_id(customer) else Side.PARTNER


# --- who may --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("customer, name", SIDES)
async def test_rem_1_2_3_4_check_16_the_customers_manager_and_its_primary_admins_end_it(
    own_world: Database, customer: str, name: str
) -> None:
    asker, side = ask(own_world, name), side_of(customer, name)
    partnership = await partnership_of(own_world, customer, NORTHWIND)
    other = await partnership_of(own_world, FABRIKAM if customer == CONTOSO else CONTOSO, NORTHWIND)

    payload = await remove(asker, partnership)

    assert payload["ended"] == ENDED[customer]
    kept = {"id": partnership, "state": "REMOVED", "removedBySide": side.name, "version": 2}
    expected = kept | {"removedAt": "2026-11-23T08:00:00.000000Z"} if side is Side.CUSTOMER else None
    assert payload["partnership"] == expected
    assert await partnership_of(own_world, FABRIKAM if customer == CONTOSO else CONTOSO, NORTHWIND) == other
    entries = await check_chain(own_world, tenant_id(customer))
    assert (entries[-1].user_tenant_id, entries[-1].user_id) == (asker.viewer.tenant_id, asker.viewer.principal_id)


@pytest.mark.parametrize("customer", MAY)
async def test_rem_2_5_check_2_16_nobody_else_ends_it_or_learns_of_it(own_world: Database, customer: str) -> None:
    """Check 2 and 16: also with the confirmation that was given to somebody who may."""
    partnership = await partnership_of(own_world, customer, NORTHWIND)
    nothing = f"partnership_{tenant_id(customer)}_{UNKNOWN}"
    stolen = await confirmation(ask(own_world, MAY[customer][0]), partnership)
    before = await snapshot(own_world)

    for name in set(PEOPLE) - set(MAY[customer]):
        asker = ask(own_world, name)
        for word in (None, stolen):
            refused = await do(asker, REMOVE, partnership=partnership, confirmation=word)
            unknown = await do(asker, REMOVE, partnership=nothing, confirmation=word)

            assert (refused["partnership"], refused["ended"]) == (None, None)
            assert codes(unknown) == ["NOT_FOUND"], name
            if name in SEES[customer]:
                (error,) = refused["errors"]
                assert (error["code"], error["missing"], error["path"]) == (
                    "FORBIDDEN",
                    "PARTNERS_MANAGE",
                    ["input", "partnership"],
                ), name
            else:
                assert refused == unknown, name

    assert await snapshot(own_world) == before


@pytest.mark.parametrize("customer", MAY)
async def test_56_the_preview_is_for_those_who_may_end_it(own_world: Database, customer: str) -> None:
    partnership = await partnership_of(own_world, customer, NORTHWIND)
    before = await snapshot(own_world)

    for name in PEOPLE:
        shown = (await ask(own_world, name).data(IMPACT, id=partnership))["node"]
        if name in MAY[customer]:
            assert shown["removalImpact"]["counts"] == ENDED[customer], name
        else:
            assert shown == ({"removalImpact": None} if name in SEES[customer] else None), name

    assert await snapshot(own_world) == before


# --- the confirmation -----------------------------------------------------------------------------------------------


async def check_unconfirmed(asker: Asker, customer: str, partnership: str, word: str | None) -> str:
    """This word does not do; returns the one that is answered."""
    before = await snapshot(asker.database)

    payload = await do(asker, REMOVE, partnership=partnership, confirmation=word)

    (error,) = payload["errors"]
    assert (payload["partnership"], payload["ended"]) == (None, None)
    assert (error["code"], error["path"]) == ("CONFIRMATION_REQUIRED", ["input", "confirmation"])
    assert error["message"].startswith("That confirmation is too old") == (word is not None)
    assert error["impact"]["counts"] == ENDED[customer]
    assert await snapshot(asker.database) == before
    return str(error["impact"]["confirmation"])


@pytest.mark.parametrize("customer, name", SIDES)
async def test_56_without_the_right_confirmation_nothing_ends(own_world: Database, customer: str, name: str) -> None:
    asker, other = ask(own_world, name), next(each for each in MAY[customer] if each != name)
    partnership = await partnership_of(own_world, customer, NORTHWIND)
    right = await confirmation(asker, partnership)
    until, seal = right.split("_")
    forged = [None, "", "_", "x", until, f"{until}_", f"_{seal}", f"{until}_{seal[:-1]}{'01'[seal[-1] == '0']}"]
    forged += [f"2027-01-01T00:00:00.000000Z_{seal}", right + " ", right + "_", f"{until}_{seal}é", right.upper()]
    others = [await confirmation(ask(own_world, other), partnership)]
    if name == "northwind-admin":
        another = await partnership_of(own_world, FABRIKAM if customer == CONTOSO else CONTOSO, NORTHWIND)
        others.append(await confirmation(asker, another))

    for word in [*forged, *others]:
        answered = await check_unconfirmed(asker, customer, partnership, word)

    await done(asker, REMOVE, partnership=partnership, confirmation=answered)


async def test_56_a_confirmation_of_another_gateway_is_none(own_world: Database) -> None:
    asker = ask(own_world, "contoso-manager")
    partnership = await partnership_of(own_world, CONTOSO, NORTHWIND)
    stranger = replace(asker, service=replace(asker.service, confirmations=Confirmations.new()))

    await check_unconfirmed(asker, CONTOSO, partnership, await confirmation(stranger, partnership))


async def test_56_a_confirmation_holds_for_ten_minutes_and_not_a_moment_longer(own_world: Database) -> None:
    asker = ask(own_world, "contoso-manager")
    partnership = await partnership_of(own_world, CONTOSO, NORTHWIND)
    word = await confirmation(asker, partnership)
    over = SEEDED_AT + timedelta(minutes=10)

    await check_unconfirmed(asker.at(over), CONTOSO, partnership, word)
    await check_unconfirmed(asker.at(over + timedelta(days=1)), CONTOSO, partnership, word)
    payload = await do(asker.at(over - timedelta(microseconds=1)), REMOVE, partnership=partnership, confirmation=word)

    assert (payload["errors"], payload["ended"]) == ([], ENDED[CONTOSO])


async def test_56_a_confirmation_stays_good_while_the_partner_changes_what_would_end(own_world: Database) -> None:
    manager = ask(own_world, "fabrikam-manager")
    partnership = await partnership_of(own_world, FABRIKAM, NORTHWIND)
    word = await confirmation(manager, partnership)
    helpdesk = viewer_of("northwind-helpdesk")
    await put(own_world, await member(own_world, FABRIKAM, helpdesk.tenant_id, helpdesk.principal_id))

    payload = await done(manager, REMOVE, partnership=partnership, confirmation=word)

    assert payload["ended"] == ENDED[FABRIKAM] | {"people": 3}


# --- what is counted ------------------------------------------------------------------------------------------------


async def member(database: Database, customer: str, tenant: str, principal: str) -> AssignmentMember:
    """One more primary admin of Northwind at this customer."""
    found = (await partnership_of(database, customer, NORTHWIND)).split("_")
    (row,) = await everything(database, Partnership, col(Partnership.id) == found[2])
    return AssignmentMember(
        tenant_id=row.tenant_id, assignment_id=row.delegation_id, member_tenant_id=tenant, member_id=principal
    )


async def counts(database: Database, name: str, customer: str) -> dict[str, int]:
    partnership = await partnership_of(database, customer, NORTHWIND)
    asked = await ask(database, name).data(IMPACT, id=partnership)
    return dict(asked["node"]["removalImpact"]["counts"])


async def test_56_people_count_once_however_often_they_are_members(own_world: Database) -> None:
    """In person and through a group and in two assignments; tools are none."""
    admin = viewer_of("northwind-admin")
    await put(own_world, await member(own_world, FABRIKAM, admin.tenant_id, admin.principal_id))
    assert await counts(own_world, "fabrikam-manager", FABRIKAM) == ENDED[FABRIKAM]
    tools = await everything(own_world, Assignment, col(Assignment.name) == "Tool")

    for tool in tools:
        ids = {"tenant_id": tool.tenant_id, "assignment_id": tool.id, "member_tenant_id": admin.tenant_id}
        await put(own_world, AssignmentMember(**ids, member_id=admin.principal_id))

    assert await counts(own_world, "fabrikam-manager", FABRIKAM) == ENDED[FABRIKAM]
    assert await counts(own_world, "northwind-admin", CONTOSO) == ENDED[CONTOSO]


async def test_56_rooms_count_by_themselves_and_in_groups_once_and_retired_ones_never(own_world: Database) -> None:
    partnership = await partnership_of(own_world, FABRIKAM, NORTHWIND)
    by_group, in_person = [await room(own_world, f"{name}@fabrikam.example") for name in ("krk-1", "cai-1")]
    (ground,) = await everything(own_world, RoomGroup, col(RoomGroup.name) == "Ground floors")
    await put(own_world, RoomGroupRoom(tenant_id=ground.tenant_id, group_id=ground.id, room_id=in_person.id))
    assert (await counts(own_world, "fabrikam-manager", FABRIKAM))["rooms"] == 4

    await alter(own_world, Room, col(Room.id) == in_person.id, retired_at=SEEDED_AT)
    assert (await counts(own_world, "fabrikam-manager", FABRIKAM))["rooms"] == 3
    await alter(own_world, Room, col(Room.id) == by_group.id, retired_at=SEEDED_AT)
    assert (await counts(own_world, "northwind-fabrikam-admin", FABRIKAM))["rooms"] == 2

    payload = await remove(ask(own_world, "northwind-fabrikam-admin"), partnership)
    assert payload["ended"] == ENDED[FABRIKAM] | {"rooms": 2}


async def room(database: Database, account: str) -> Room:
    (found,) = await everything(database, Room, col(Room.account) == account)
    assert isinstance(found, Room)
    return found


# --- what is left ---------------------------------------------------------------------------------------------------


async def ids_of(database: Database, customer: str) -> list[str]:
    """The ids of everything that the customer has."""
    tenant, found = tenant_id(customer), list[str]()
    tables: tuple[Any, ...] = (Room, RoomGroup, UpdateRing, Partnership, Role, Assignment, Invitation)
    for table in tables:
        rows: Iterable[Any] = await everything(database, table, col(table.tenant_id) == tenant)
        found += [f"{table.__name__.lower()}_{row.tenant_id}_{row.id}" for row in rows]
    return found


async def what_is_seen(database: Database, name: str, customer: str) -> set[str]:
    """What of the customer somebody sees: in every list, and by every id."""
    asker, mark = ask(database, name), f"_{tenant_id(customer)}_"
    lists = str(await asker.data(OF_CUSTOMER))
    seen = {word for word in lists.replace("'", " ").split() if mark in word}
    ids = await ids_of(database, customer)
    for start in range(0, len(ids), 100):
        asked = await asker.data("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=ids[start : start + 100])
        seen |= {node["id"] for node in asked["nodes"] if node}
    return seen


@pytest.mark.parametrize("customer, name", [(CONTOSO, "contoso-manager"), (FABRIKAM, "northwind-fabrikam-admin")])
async def test_rem_6_check_17_the_partners_next_request_sees_nothing_of_the_customer(
    own_world: Database, customer: str, name: str
) -> None:
    """Check 17, after a removal by either side: nobody of the partner, through no list and by no id."""
    partners = [each for each in PEOPLE if each.startswith("northwind")]
    other = FABRIKAM if customer == CONTOSO else CONTOSO
    seen_before = {each: await what_is_seen(own_world, each, customer) for each in partners}
    assert sum(bool(seen) for seen in seen_before.values()) >= 5
    seen_elsewhere = await what_is_seen(own_world, "northwind-admin", other)

    await remove(ask(own_world, name), await partnership_of(own_world, customer, NORTHWIND))

    assert {each: await what_is_seen(own_world, each, customer) for each in partners} == {
        each: set() for each in partners
    }
    assert await what_is_seen(own_world, "northwind-admin", other) == seen_elsewhere


async def test_rem_6_a_removal_ends_what_is_read_below_it_in_the_same_document(own_world: Database) -> None:
    partnership = await partnership_of(own_world, CONTOSO, NORTHWIND)
    word = await confirmation(ask(own_world, "northwind-admin"), partnership)
    document = """mutation($p: ID!, $w: String) {
      first: removePartner(input: {partnership: $p, confirmation: $w}) { partnership { id } errors { code } }
      again: removePartner(input: {partnership: $p, confirmation: $w}) { partnership { id } errors { code } } }"""

    data = await ask(own_world, "northwind-admin").data(document, p=partnership, w=word)

    assert data["first"] == {"partnership": None, "errors": []}
    assert data["again"] == {"partnership": None, "errors": [{"code": "NOT_FOUND"}]}


@pytest.mark.parametrize("name", ["contoso-manager", "northwind-admin"])
async def test_33_the_customer_keeps_it_without_rooms_and_roles(own_world: Database, name: str) -> None:
    partnership = await partnership_of(own_world, CONTOSO, NORTHWIND)
    manager = ask(own_world, "contoso-manager")
    rooms = await everything(own_world, Room)

    await remove(ask(own_world, name), partnership)

    kept = (await manager.data(KEPT, id=partnership))["node"]
    side = side_of(CONTOSO, name).name
    nothing = {"rooms": {"totalCount": {"value": 0}}, "roles": {"totalCount": {"value": 0}}}
    assert kept == nothing | {
        "state": "REMOVED",
        "removedBySide": side,
        "removedAt": "2026-11-23T08:00:00.000000Z",
        "version": 2,
        "primaryAdmins": None,
        "removalImpact": None,
        "partner": {"displayName": "Northwind"},
    }
    listed = "{ viewer { partners { nodes { id } } all: partners(states: [REMOVED]) { nodes { id } } } }"
    lists = (await manager.data(listed))["viewer"]
    assert {"id": partnership} not in lists["partners"]["nodes"]
    assert {"id": partnership} in lists["all"]["nodes"]
    assert await everything(own_world, Room) == rooms  # REM-7: the data stays where it was


# --- again ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["contoso-manager", "northwind-admin"])
async def test_54_a_second_removal_is_a_quiet_success_for_the_customers_manager_and_not_found_for_the_others(
    own_world: Database, name: str
) -> None:
    partnership = await partnership_of(own_world, CONTOSO, NORTHWIND)
    nothing = f"partnership_{tenant_id(CONTOSO)}_{UNKNOWN}"
    await remove(ask(own_world, name), partnership)
    before = await snapshot(own_world)
    side = side_of(CONTOSO, name).name

    for each in PEOPLE:
        asker = ask(own_world, each).at(SEEDED_AT + timedelta(hours=1))
        again = await do(asker, REMOVE, partnership=partnership)
        if each in ("contoso-manager", "contoso-global-admin"):
            assert (again["errors"], again["ended"]) == ([], None)
            assert again["partnership"]["removedBySide"] == side
            assert again["partnership"]["removedAt"] == "2026-11-23T08:00:00.000000Z"
        elif each in SEES[CONTOSO] and each.startswith("contoso"):
            assert codes(again) == ["FORBIDDEN"], each
        else:
            assert again == await do(asker, REMOVE, partnership=nothing), each
            assert codes(again) == ["NOT_FOUND"], each

    assert await snapshot(own_world) == before


async def test_54_a_retry_with_the_same_key_answers_the_partner_again_who_sees_nothing_more(
    own_world: Database,
) -> None:
    admin = ask(own_world, "northwind-admin")
    partnership = await partnership_of(own_world, CONTOSO, NORTHWIND)
    word = await confirmation(admin, partnership)
    asked = {"partnership": partnership, "confirmation": word, "idempotencyKey": "end"}
    first = await done(admin, REMOVE, **asked)
    before = await snapshot(own_world)

    again = await do(admin.at(SEEDED_AT + timedelta(hours=23)), REMOVE, **asked)

    assert again == first == {"partnership": None, "ended": ENDED[CONTOSO], "errors": []}
    assert await snapshot(own_world) == before


async def test_54_a_partner_can_be_invited_again_at_once_and_starts_clean(own_world: Database) -> None:
    manager, admin = ask(own_world, "contoso-manager"), ask(own_world, "northwind-admin")
    old = await partnership_of(own_world, CONTOSO, NORTHWIND)
    (room_id,) = await rooms_of(manager, 1)
    await remove(manager, old)

    sent = await done(manager, INVITE, **offer(NORTHWIND, [room_id]))
    user = f"user_{tenant_id(NORTHWIND)}_{viewer_of('northwind-helpdesk').principal_id}"
    answer = ask(own_world, "northwind-manager")
    made = await done(answer, ACCEPT, invitation=sent["invitation"]["id"], primaryAdmins=[user])

    assert made["partnership"]["id"] != old
    assert await links(own_world, tenant_id(CONTOSO), tenant_id(NORTHWIND)) == (0, 1)
    asked = "{ viewer { customers { nodes { id } } roles { nodes { name customer { displayName } } } } }"
    assert {"id": made["partnership"]["id"]} not in (await admin.data(asked))["viewer"]["customers"]["nodes"]
    new_one = (await ask(own_world, "northwind-helpdesk").data(asked))["viewer"]
    assert new_one["customers"]["nodes"] == [{"id": made["partnership"]["id"]}]
    assert new_one["roles"]["nodes"] == [{"name": "Primary admin", "customer": {"displayName": "Contoso"}}]
    assert await rooms_of(ask(own_world, "northwind-helpdesk"), 50) == [room_id]
    assert (await manager.data(KEPT, id=old))["node"]["state"] == "REMOVED"
    assert (await do(manager, REMOVE, partnership=old))["ended"] is None
    assert await links(own_world, tenant_id(CONTOSO), tenant_id(NORTHWIND)) == (0, 1)


# --- the record -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("customer, name", SIDES)
async def test_60_check_18_a_removal_is_one_line_for_the_link_and_one_for_each_role(
    own_world: Database, customer: str, name: str
) -> None:
    """Check 18: in the customer's record, with the tenant of who acted; the partner's own record has no line of it.

    The demo world has one open request in either partnership, which is cancelled on the record, too.
    """
    asker = ask(own_world, name)
    partnership = await partnership_of(own_world, customer, NORTHWIND)
    before = len(await check_chain(own_world, tenant_id(customer)))
    elsewhere = len(await check_chain(own_world, tenant_id(NORTHWIND)))
    key = partnership.split("_")[2]
    roles = {
        f"role_{role.tenant_id}_{role.id}": role.name
        for role in await everything(own_world, Role, col(Role.partnership_id) == key)
    }

    await remove(asker, partnership)

    cancelled, link, *ended = (await check_chain(own_world, tenant_id(customer)))[before:]
    assert (link.category, link.operation, link.action, link.object_name, link.subject) == (
        AuditCategory.PARTNER_INVITATION,
        AuditOperation.DELETE,
        "partnership.remove",
        "Northwind",
        partnership,
    )
    assert (cancelled.category, cancelled.action) == (AuditCategory.APPROVAL_REQUEST, "approval.cancel")
    assert link.changes == [{"field": "state", "before": "ACTIVE", "after": "REMOVED"}]
    assert {entry.subject: entry.object_name for entry in ended} == roles
    assert {(entry.category, entry.operation) for entry in ended} == {(AuditCategory.ROLE, AuditOperation.DELETE)}
    actors = {(entry.user_tenant_id, entry.user_id, entry.creation_time) for entry in (cancelled, link, *ended)}
    assert actors == {(asker.viewer.tenant_id, asker.viewer.principal_id, SEEDED_AT)}
    assert len(await check_chain(own_world, tenant_id(NORTHWIND))) == elsewhere


async def test_52_only_the_partnership_changes_its_state(own_world: Database) -> None:
    """Roles and assignments stay as rows, without effect; nothing of another partnership is touched.

    Only the one open request of the partnership ends with it.
    """
    partnership = await partnership_of(own_world, CONTOSO, NORTHWIND)
    before = await snapshot(own_world)

    await remove(ask(own_world, "contoso-manager"), partnership)

    after = await snapshot(own_world)
    changed = {"partnerships", "approval_requests", "audit_entries"}
    assert {name for name in after if after[name] != before[name]} == changed
    for name in ("partnerships", "approval_requests"):
        assert len(set(after[name]) - set(before[name])) == 1
    (row,) = await everything(own_world, Partnership, col(Partnership.id) == partnership.split("_")[2])
    assert (row.state, row.removed_at, row.removed_by_side) == (PartnershipState.REMOVED, SEEDED_AT, Side.CUSTOMER)


async def test_a_removal_needs_the_id_of_a_partnership(own_world: Database) -> None:
    manager = ask(own_world, "contoso-manager")
    (room_id,) = await rooms_of(manager, 1)
    before = await snapshot(own_world)

    for identifier in ("", "x", "partnership_", room_id, f"partnership_{tenant_id(CONTOSO)}_{UNKNOWN}", "é" * 500):
        payload = await do(manager, REMOVE, partnership=identifier)
        assert codes(payload) == ["NOT_FOUND"]
        assert payload["errors"][0]["path"] == ["input", "partnership"]

    assert await snapshot(own_world) == before
    assert (await manager.data(NODE, id=room_id))["node"]["id"] == room_id
