"""Who was removed from the directory holds nothing and counts nowhere; what they did keeps its author."""

from datetime import datetime
from typing import Any

from sqlalchemy import Update, insert, update
from sqlmodel import col

from app.storage.engines import Database
from app.storage.tables import AssignmentMember, Principal
from tests.graph.asking import ask, viewer_of
from tests.graph.holding import APPROVE, UPDATE_ROOM, by_hand
from tests.graph.partnering import NODE
from tests.graph.relating import SEEN_ROOMS, done, meddle, refused, room, said, security_group, user
from tests.graph.role_giving import CONTOSO, UPDATE, admins_of, members, of, partner_id
from tests.world import SEEDED_AT

PICK = """query($search: String!) { viewer { directory(search: $search) { nodes {
  ... on User { displayName } ... on SecurityGroup { displayName } ... on Application { displayName } } } } }"""
RECORD = "{ viewer { auditEntries(first: 1) { nodes { action user { ... on User { displayName } } } } } }"
IMPACT = "query($id: ID!) { node(id: $id) { ... on Partnership { removalImpact { counts { people } } } } }"
ADMIN = "northwind-admin"


def removed(identifier: str, moment: datetime | None = SEEDED_AT) -> Update:
    """The directory removes who has this global id, or restores them."""
    _, tenant, key = identifier.split("_")
    this = (col(Principal.tenant_id) == tenant, col(Principal.id) == key)
    return update(Principal).where(*this).values(removed_at=moment)


async def pick(database: Database, person: str, search: str) -> list[str]:
    found = await ask(database, person).data(PICK, search=search)
    return [each["displayName"] for each in found["viewer"]["directory"]["nodes"]]


async def test_nobody_picks_them_any_more(own_world: Database) -> None:
    gone, team = user("northwind-nobody"), security_group("northwind-fabrikam-team")
    names = ["northwind-nobody", "northwind-fabrikam-team", "northwind-tool"]
    assert [await pick(own_world, ADMIN, name) for name in names] == [[name] for name in names]
    await meddle(own_world, removed(gone), removed(team), removed(user("northwind-tool")))

    assert [await pick(own_world, ADMIN, name) for name in names] == [[], [], []]
    row = await admins_of(own_world, CONTOSO)
    errors = await refused(ask(own_world, ADMIN), UPDATE, **of(row, addMembers=[gone, team]))
    assert said(errors) == [("NotFound", "input.addMembers.0"), ("NotFound", "input.addMembers.1")]

    await meddle(own_world, removed(gone, None))
    assert await pick(own_world, ADMIN, "northwind-nobody") == ["northwind-nobody"]


async def test_what_they_did_and_where_they_are_members_keeps_their_name(own_world: Database) -> None:
    row = await admins_of(own_world, CONTOSO)
    zrh = await room(own_world, "zrh-1@contoso.example")
    await done(ask(own_world, ADMIN), UPDATE_ROOM, room=zrh, expectedVersion=1, capacity=5)
    await meddle(own_world, removed(user(ADMIN)))

    (entry,) = (await ask(own_world, "contoso-manager").data(RECORD))["viewer"]["auditEntries"]["nodes"]
    assert entry == {"action": "room.update", "user": {"displayName": ADMIN}}
    payload = await done(ask(own_world, "northwind-manager"), UPDATE, **of(row, addMembers=[user("northwind-nobody")]))
    assert members(payload["assignment"]) == [ADMIN, "northwind-nobody"]


async def test_they_can_be_taken_out_of_what_they_held(own_world: Database) -> None:
    row, manager = await admins_of(own_world, CONTOSO), ask(own_world, "northwind-manager")
    await meddle(own_world, removed(user(ADMIN)))

    swap = {"removeMembers": [user(ADMIN)], "addMembers": [user("northwind-nobody")]}
    payload = await done(manager, UPDATE, **of(row, **swap))

    assert members(payload["assignment"]) == ["northwind-nobody"]


async def test_who_decided_a_held_change_is_seen_and_still_nobody_to_take_out(own_world: Database) -> None:
    admin, decider = ask(own_world, ADMIN), user("contoso-manager")
    assert (await admin.data(NODE, id=decider))["node"] is not None

    errors = await refused(admin, UPDATE, **of(await admins_of(own_world, CONTOSO), removeMembers=[decider]))

    assert said(errors) == [("NotFound", "input.removeMembers.0")]


async def test_they_are_no_primary_admin_34(own_world: Database) -> None:
    row = await admins_of(own_world, CONTOSO)
    stays: dict[str, Any] = {
        "tenant_id": row.tenant_id,
        "assignment_id": row.id,
        "member_tenant_id": viewer_of(ADMIN).tenant_id,
        "member_id": viewer_of("northwind-nobody").principal_id,
    }
    await meddle(own_world, insert(AssignmentMember).values(**stays), removed(user("northwind-nobody")))
    leave = of(row, removeMembers=[user(ADMIN)])

    errors = await refused(ask(own_world, ADMIN), UPDATE, **leave)
    assert said(errors) == [("LastPrimaryAdmin", "input.removeMembers")]

    await meddle(own_world, removed(user("northwind-nobody"), None))
    await done(ask(own_world, ADMIN), UPDATE, **leave)


async def test_they_do_not_count_among_the_people_who_lose_something(own_world: Database) -> None:
    manager, identifier = ask(own_world, "contoso-manager"), await partner_id(own_world)
    before = (await manager.data(IMPACT, id=identifier))["node"]["removalImpact"]["counts"]["people"]

    await meddle(own_world, removed(user(ADMIN)))

    after = (await manager.data(IMPACT, id=identifier))["node"]["removalImpact"]["counts"]["people"]
    assert (before, after) == (before, before - 1)


async def test_what_they_asked_for_cannot_be_done_in_their_name_16(own_world: Database) -> None:
    await by_hand(own_world, "ROOMS_MODIFY")
    zrh = await room(own_world, "zrh-1@contoso.example")
    held = await done(ask(own_world, ADMIN), UPDATE_ROOM, room=zrh, expectedVersion=1, capacity=99)
    await meddle(own_world, removed(user(ADMIN)))

    payload = await done(ask(own_world, "contoso-manager"), APPROVE, request=held["approvalRequest"]["id"])

    request = payload["approvalRequest"]
    assert (request["state"], request["failure"]) == (
        "FAILED",
        "Who asked for it is no longer in the partner's directory.",
    )
    assert request["requestedBy"]["displayName"] == ADMIN


async def test_their_partnership_and_everybody_elses_rights_stay_acc_7(own_world: Database) -> None:
    helper = ask(own_world, "northwind-helpdesk")
    before = await helper.data(SEEN_ROOMS)

    await meddle(own_world, removed(user(ADMIN)))

    assert await helper.data(SEEN_ROOMS) == before
    manager, identifier = ask(own_world, "contoso-manager"), await partner_id(own_world)
    assert (await manager.data(NODE, id=identifier))["node"] is not None
