"""Changes that a customer holds for approval (domain.md 3.9, 7 #13 to #18)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlmodel import col

from app.config import Settings
from app.domain.moments import print_instant
from app.domain.vocabulary import ChangeEvent
from app.main import service_of
from app.storage.engines import Database
from app.storage.tables import AssignmentGroup, AssignmentMember, GroupMember, Principal, Room
from tests.graph.asking import PEOPLE, ask, viewer_of
from tests.graph.holding import (
    APPROVE,
    CANCEL,
    REJECT,
    SEEN_ROOM,
    UPDATE_ROOM,
    by_hand,
    requests_of,
)
from tests.graph.partnering import NODE, remove
from tests.graph.relating import (
    AUTO,
    SET_CONTROL,
    TICK,
    by,
    by_person,
    done,
    heads,
    line,
    meddle,
    refused,
    room,
    rows,
    said,
    written,
)
from tests.world import SEEDED_AT

LIFETIME = timedelta(days=30)
DECIDERS = {"contoso-manager", "contoso-global-admin"}
SEERS = DECIDERS | {"northwind-admin"}


async def held(database: Database, account: str = "zrh-1@contoso.example", **values: Any) -> dict[str, Any]:
    """The request for a change of a room that Northwind's admin asks for and Contoso holds."""
    await by_hand(database, "ROOMS_MODIFY")
    asked = {"room": await room(database, account), "expectedVersion": 1, "capacity": 99} | values
    payload = await done(ask(database, "northwind-admin"), UPDATE_ROOM, **asked)
    assert payload["room"] is None
    return dict(payload["approvalRequest"])


async def capacity(database: Database, account: str = "zrh-1@contoso.example") -> int | None:
    found = await ask(database, "contoso-manager").data(SEEN_ROOM, id=await room(database, account))
    return found["node"]["capacity"]  # type: ignore[no-any-return]


# --- holding ----------------------------------------------------------------------------------------------------------


async def test_a_held_change_changes_nothing_and_says_field_by_field_what_it_would_cc_1(own_world: Database) -> None:
    old, partnership = await capacity(own_world), await by_hand(own_world, "ROOMS_MODIFY")
    before, zrh = await heads(own_world), await room(own_world, "zrh-1@contoso.example")
    location = {"building": "Nord"}

    payload = await done(
        ask(own_world, "northwind-admin"), UPDATE_ROOM, room=zrh, expectedVersion=1, capacity=99, location=location
    )

    request = payload["approvalRequest"]
    building = next(each["before"] for each in request["changes"] if each["field"] == "location.building")
    assert request | {"id": ""} == {
        "id": "",
        "version": 1,
        "state": "PENDING",
        "event": "ROOMS_MODIFY",
        "partnership": {"id": partnership},
        "requestedBy": {"displayName": "northwind-admin"},
        "requestedAt": print_instant(SEEDED_AT),
        "expiresAt": print_instant(SEEDED_AT + LIFETIME),
        "subject": {"__typename": "Room", "id": zrh},
        "changes": [
            {"field": "capacity", "before": str(old), "after": "99"},
            {"field": "location.building", "before": building, "after": "Nord"},
        ],
        "stale": False,
        "decidedBy": None,
        "decidedAt": None,
        "comment": None,
        "failure": None,
    }
    assert (payload["room"], await capacity(own_world)) == (None, old)
    (entry,) = await written(own_world, before)
    assert line(entry)[:3] == ("ApprovalRequest", "Create", "approval.request")
    assert (by(entry), entry.subject) == (by_person("contoso.example", "northwind-admin"), request["id"])


async def test_a_request_can_be_decided_for_thirty_days_15(own_world: Database) -> None:
    request = await held(own_world)
    last, first = SEEDED_AT + LIFETIME - TICK, SEEDED_AT + LIFETIME

    assert [each["state"] for each in await requests_of(own_world, "contoso-manager")] == ["PENDING"]
    manager = ask(own_world, "contoso-manager")
    (late,) = await requests_of(own_world, "contoso-manager", "EXPIRED", at=first)
    assert (late["state"], late["stale"]) == ("EXPIRED", False)
    for asker, document in ((manager, APPROVE), (manager, REJECT), (ask(own_world, "northwind-admin"), CANCEL)):
        (error,) = await refused(asker.at(first), document, request=request["id"])
        assert (said([error]), error["state"]) == ([("InvalidState", "input.request")], "EXPIRED")
    payload = await done(manager.at(last), APPROVE, request=request["id"])
    assert payload["approvalRequest"]["state"] == "APPROVED"


async def test_the_operator_says_for_how_many_days(own_world: Database) -> None:
    await by_hand(own_world, "ROOMS_MODIFY")
    admin = replace(ask(own_world, "northwind-admin"), service=service_of(Settings(approval_days=2)))
    zrh = await room(own_world, "zrh-1@contoso.example")

    payload = await done(admin, UPDATE_ROOM, room=zrh, expectedVersion=1, capacity=99)

    assert payload["approvalRequest"]["expiresAt"] == print_instant(SEEDED_AT + timedelta(days=2))


@pytest.mark.parametrize("event", [each.name for each in ChangeEvent if each is not ChangeEvent.ROOMS_MODIFY])
async def test_other_events_and_the_customers_own_people_are_not_held_cc_2(own_world: Database, event: str) -> None:
    zrh = await room(own_world, "zrh-1@contoso.example")
    admin, technician = ask(own_world, "northwind-admin"), ask(own_world, "contoso-technician")
    await by_hand(own_world, event)
    assert (await done(admin, UPDATE_ROOM, room=zrh, expectedVersion=1, capacity=98))["room"]

    await by_hand(own_world, "ROOMS_MODIFY")
    assert (await done(technician, UPDATE_ROOM, room=zrh, expectedVersion=2, capacity=97))["room"]
    assert await requests_of(own_world, "contoso-manager") == []


async def test_what_changes_nothing_is_not_held(own_world: Database) -> None:
    await by_hand(own_world, "ROOMS_MODIFY")
    zrh, old, before = await room(own_world, "zrh-1@contoso.example"), await capacity(own_world), await rows(own_world)

    payload = await done(ask(own_world, "northwind-admin"), UPDATE_ROOM, room=zrh, expectedVersion=1, capacity=old)

    assert (payload["room"]["version"], payload["approvalRequest"]) == (1, None)
    assert await rows(own_world) == before


async def test_an_identical_pending_request_is_answered_and_not_doubled_15(own_world: Database) -> None:
    request = await held(own_world)
    before, zrh = await rows(own_world), await room(own_world, "zrh-1@contoso.example")
    admin = ask(own_world, "northwind-admin")

    again = await done(admin, UPDATE_ROOM, room=zrh, expectedVersion=1, capacity=99)

    assert again["approvalRequest"] == request
    assert await rows(own_world) == before
    other = await done(admin, UPDATE_ROOM, room=zrh, expectedVersion=1, capacity=98)
    assert other["approvalRequest"]["id"] != request["id"]


async def test_a_lapsed_request_is_closed_by_the_next_identical_one(own_world: Database) -> None:
    request, later = await held(own_world), SEEDED_AT + LIFETIME
    zrh, before = await room(own_world, "zrh-1@contoso.example"), await heads(own_world)

    fresh = await done(
        ask(own_world, "northwind-admin").at(later), UPDATE_ROOM, room=zrh, expectedVersion=1, capacity=99
    )

    assert fresh["approvalRequest"]["id"] != request["id"]
    lapsed, asked = await written(own_world, before)
    assert (lapsed.action, by(lapsed)[1:], lapsed.subject) == ("approval.expire", (None, None), request["id"])
    assert asked.action == "approval.request"


async def test_a_refused_change_is_not_held(own_world: Database) -> None:
    await by_hand(own_world, "ROOMS_MODIFY")
    zrh, sea = [await room(own_world, f"{name}@contoso.example") for name in ("zrh-1", "sea-1")]

    for person, identifier in (("northwind-helpdesk", zrh), ("northwind-admin", sea)):
        await refused(ask(own_world, person), UPDATE_ROOM, room=identifier, expectedVersion=1, capacity=99)


async def test_a_later_setting_concerns_later_changes_only_17(own_world: Database) -> None:
    request = await held(own_world)
    manager, zrh = ask(own_world, "contoso-manager"), await room(own_world, "zrh-1@contoso.example")
    rule = [{"event": "ROOMS_MODIFY", **AUTO}]
    await done(manager, SET_CONTROL, partnership=request["partnership"]["id"], expectedVersion=2, changeControl=rule)

    await done(ask(own_world, "northwind-admin"), UPDATE_ROOM, room=zrh, expectedVersion=1, nickname="At once")

    assert [each["id"] for each in await requests_of(own_world, "contoso-manager")] == [request["id"]]
    approved = await done(manager, APPROVE, request=request["id"])
    assert (approved["approvalRequest"]["state"], await capacity(own_world)) == ("APPROVED", 99)


# --- who sees it ------------------------------------------------------------------------------------------------------


async def test_only_deciders_requester_and_primary_admins_see_a_request_2_6(own_world: Database) -> None:
    before = {person: await requests_of(own_world, person) for person in PEOPLE}
    request = await held(own_world)

    for person in PEOPLE:
        known = {each["id"] for each in before[person]}
        fresh = [each["id"] for each in await requests_of(own_world, person) if each["id"] not in known]
        assert fresh == ([request["id"]] if person in SEERS else []), person
        node = await ask(own_world, person).data(NODE, id=request["id"])
        assert (node["node"] is not None) == (person in SEERS), person


async def test_requests_are_listed_below_their_partnership_by_state(own_world: Database) -> None:
    """Beside the one of this test there are three in the demo world: one waits, one was approved, one rejected."""
    request = await held(own_world)
    query = """query($id: ID!, $states: [ApprovalState!]) { node(id: $id) { ... on Partnership {
      approvalRequests(states: $states) { nodes { id } totalCount { value } } } } }"""
    manager, partnership = ask(own_world, "contoso-manager"), request["partnership"]["id"]

    for states, count in ((None, 2), (["PENDING"], 2), (["APPROVED", "FAILED"], 1), (["CANCELLED"], 0), ([], 0)):
        found = (await manager.data(query, id=partnership, states=states))["node"]["approvalRequests"]
        assert (len(found["nodes"]), found["totalCount"]["value"]) == (count, count)


# --- deciding ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", sorted(DECIDERS))
async def test_an_approved_change_is_done_in_the_requesters_name_16(own_world: Database, person: str) -> None:
    request, before = await held(own_world), await heads(own_world)

    payload = await done(
        ask(own_world, person).at(SEEDED_AT + TICK), APPROVE, request=request["id"], expectedVersion=1, comment="Fine."
    )

    decided = payload["approvalRequest"]
    assert (decided["state"], decided["comment"], decided["failure"]) == ("APPROVED", "Fine.", None)
    assert (decided["decidedBy"], decided["version"]) == ({"displayName": person}, 2)
    assert await capacity(own_world) == 99
    entries = {entry.action: entry for entry in await written(own_world, before)}
    changed, approved = entries["room.update"], entries["approval.approve"]
    assert by(changed) == by_person("contoso.example", "northwind-admin")
    assert f"user_{changed.tenant_id}_{changed.approved_by_id}" == f"user_{approved.user_tenant_id}_{approved.user_id}"
    assert str(changed.approval_id) in request["id"]
    assert by(approved) == by_person("contoso.example", person)


@pytest.mark.parametrize("document", [APPROVE, REJECT])
async def test_only_the_customers_managers_decide_15(own_world: Database, document: str) -> None:
    request = await held(own_world)
    for person in sorted(set(PEOPLE) - DECIDERS):
        (error,) = await refused(ask(own_world, person), document, "99", request=request["id"])

        assert said([error]) == [("Forbidden" if person in SEERS else "NotFound", "input.request")], person


async def test_a_rejected_change_is_never_done(own_world: Database) -> None:
    request, old, before = await held(own_world), await capacity(own_world), await heads(own_world)
    manager = ask(own_world, "contoso-manager")

    payload = await done(manager, REJECT, request=request["id"], comment="Not now.")

    assert (payload["approvalRequest"]["state"], payload["approvalRequest"]["comment"]) == ("REJECTED", "Not now.")
    assert await capacity(own_world) == old
    (entry,) = await written(own_world, before)
    assert line(entry)[:3] == ("ApprovalRequest", "Update", "approval.reject")
    (error,) = await refused(manager, APPROVE, request=request["id"])
    assert (error["state"], error["allowed"]) == ("REJECTED", ["PENDING"])


async def test_only_who_asked_takes_it_back(own_world: Database) -> None:
    request = await held(own_world)
    for person in sorted(set(PEOPLE) - {"northwind-admin"}):
        (error,) = await refused(ask(own_world, person), CANCEL, request=request["id"])

        assert said([error]) == [("Forbidden" if person in SEERS else "NotFound", "input.request")], person
    payload = await done(ask(own_world, "northwind-admin"), CANCEL, request=request["id"])
    assert payload["approvalRequest"]["state"] == "CANCELLED"


async def test_an_old_version_or_a_long_comment_decides_nothing(own_world: Database) -> None:
    request, manager = await held(own_world), ask(own_world, "contoso-manager")

    (stale,) = await refused(manager, APPROVE, request=request["id"], expectedVersion=2)
    (long,) = await refused(manager, REJECT, request=request["id"], comment="x" * 1025)

    assert (stale["__typename"], stale["currentVersion"]) == ("StaleVersion", 1)
    assert said([long]) == [("InvalidInput", "input.comment")]


# --- checked again ----------------------------------------------------------------------------------------------------


async def failed(database: Database, request: dict[str, Any]) -> str:
    """Why an approved change could not be done. Fails unless nothing of it was."""
    before, old = await heads(database), await capacity(database)

    payload = await done(ask(database, "contoso-manager"), APPROVE, request=request["id"])

    decided = payload["approvalRequest"]
    assert (decided["state"], await capacity(database)) == ("FAILED", old)
    (entry,) = await written(database, before)
    assert line(entry)[:3] == ("ApprovalRequest", "Update", "approval.fail")
    return str(decided["failure"])


async def test_it_fails_once_who_asked_has_lost_the_right_16(own_world: Database) -> None:
    request, admin = await held(own_world), viewer_of("northwind-admin").principal_id
    await meddle(own_world, delete(AssignmentMember).where(col(AssignmentMember.member_id) == admin))

    assert "does not see it any more" in await failed(own_world, request)


async def test_it_fails_once_the_room_is_out_of_scope_16(own_world: Database) -> None:
    request = await held(own_world)
    await meddle(own_world, delete(AssignmentGroup))

    assert "does not see it any more" in await failed(own_world, request)


async def test_it_fails_once_the_room_is_gone_and_is_stale_58(own_world: Database) -> None:
    request = await held(own_world)
    await meddle(
        own_world, update(Room).where(col(Room.account) == "zrh-1@contoso.example").values(retired_at=SEEDED_AT)
    )

    (seen,) = await requests_of(own_world, "contoso-manager")
    assert (seen["subject"], seen["stale"]) == (None, True)
    payload = await done(ask(own_world, "contoso-manager"), APPROVE, request=request["id"])
    assert payload["approvalRequest"]["state"] == "FAILED"


async def test_a_field_that_changed_meanwhile_makes_it_stale_and_others_do_not_16(own_world: Database) -> None:
    request, manager = await held(own_world), ask(own_world, "contoso-manager")
    zrh = await room(own_world, "zrh-1@contoso.example")

    await done(manager, UPDATE_ROOM, room=zrh, expectedVersion=1, nickname="Something else")
    assert [each["stale"] for each in await requests_of(own_world, "northwind-admin")] == [False]
    await done(manager, UPDATE_ROOM, room=zrh, expectedVersion=2, capacity=5)
    assert [each["stale"] for each in await requests_of(own_world, "northwind-admin")] == [True]

    assert "changed in the meantime" in await failed(own_world, request)


async def test_another_change_of_the_same_room_can_still_be_approved_16(own_world: Database) -> None:
    """Not the version of the object counts, but the fields that the request changes."""
    request, manager = await held(own_world), ask(own_world, "contoso-manager")
    zrh = await room(own_world, "zrh-1@contoso.example")
    await done(manager, UPDATE_ROOM, room=zrh, expectedVersion=1, nickname="Something else")

    payload = await done(manager, APPROVE, request=request["id"])

    assert (payload["approvalRequest"]["state"], await capacity(own_world)) == ("APPROVED", 99)


async def test_it_fails_once_who_asked_has_left_the_directory_16(own_world: Database) -> None:
    request = await held(own_world)
    gone = viewer_of("northwind-admin").principal_id
    await meddle(own_world, delete(GroupMember).where(col(GroupMember.member_id) == gone))
    await meddle(own_world, delete(Principal).where(col(Principal.id) == gone))

    assert "no longer in the partner's directory" in await failed(own_world, request)


# --- the end of the partnership ---------------------------------------------------------------------------------------


async def test_open_requests_end_with_the_partnership_52(own_world: Database) -> None:
    request = await held(own_world)
    manager, partnership = ask(own_world, "contoso-manager"), request["partnership"]["id"]
    query = """query($id: ID!) { node(id: $id) { ... on Partnership {
      removalImpact { counts { openApprovals } } } } }"""
    impact = (await manager.data(query, id=partnership))["node"]["removalImpact"]
    assert impact["counts"] == {"openApprovals": 2}

    await remove(manager, partnership)

    assert await requests_of(own_world, "northwind-admin", "PENDING", "CANCELLED") == []
    (seen,) = await requests_of(own_world, "contoso-manager", "CANCELLED")
    assert (seen["id"], seen["decidedBy"], seen["state"]) == (request["id"], None, "CANCELLED")
    (error,) = await refused(manager, APPROVE, request=request["id"])
    assert error["state"] == "CANCELLED"


async def test_removal_is_never_held_18(own_world: Database) -> None:
    partnership = await by_hand(own_world, *(event.name for event in ChangeEvent))
    admin = ask(own_world, "northwind-admin")

    payload = await remove(admin, partnership)

    assert payload["partnership"] is None
    assert (await admin.data(NODE, id=partnership))["node"] is None
