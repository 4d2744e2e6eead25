"""`updateRoom`: what of a room can be changed, by whom (domain.md 7 #68, Table 1)."""

from typing import Any

import pytest

from app.storage.engines import Database
from tests.graph.asking import PEOPLE, ask
from tests.graph.holding import SEEN_ROOM, UPDATE_ROOM
from tests.graph.relating import (
    by,
    by_person,
    done,
    heads,
    line,
    refused,
    room,
    rows,
    said,
    written,
)

CHANGERS = {
    "contoso-manager",
    "contoso-global-admin",
    "contoso-teams-admin",
    "contoso-devices-admin",
    "contoso-technician",
    "northwind-admin",
}
"""Who may change the room `zrh-1`."""
SEERS = CHANGERS | {"contoso-global-reader", "northwind-helpdesk", "northwind-tool"}
"""Who sees it."""


async def seen(database: Database, identifier: str, person: str = "contoso-manager") -> Any:
    return (await ask(database, person).data(SEEN_ROOM, id=identifier))["node"]


async def test_everything_that_can_be_changed_changes_and_is_on_the_record_68(own_world: Database) -> None:
    zrh, before = await room(own_world, "zrh-1@contoso.example"), await heads(own_world)
    old = await seen(own_world, zrh)

    payload = await done(
        ask(own_world, "contoso-technician"),
        UPDATE_ROOM,
        room=zrh,
        expectedVersion=1,
        label=" Z1 ",
        nickname="Matterhorn",
        capacity=14,
        tags=["vip", "vip", " tower "],
        location={"building": "Nord", "floorLabel": "EG", "street": None},
    )

    new = payload["room"]
    assert (new["label"], new["nickname"], new["capacity"], new["tags"]) == ("Z1", "Matterhorn", 14, ["vip", "tower"])
    kept = {name: value for name, value in old["location"].items() if name not in ("building", "floorLabel", "street")}
    assert new["location"] == kept | {"building": "Nord", "floorLabel": "EG", "street": None}
    assert (new["version"], payload["approvalRequest"]) == (2, None)
    (entry,) = await written(own_world, before)
    assert line(entry) == ("Room", "Update", "room.update", old["displayName"])
    assert by(entry) == by_person("contoso.example", "contoso-technician")
    assert {change["field"]: change["after"] for change in entry.changes} == {
        "label": "Z1",
        "nickname": "Matterhorn",
        "capacity": "14",
        "tags": "vip, tower",
        "location.building": "Nord",
        "location.floor_label": "EG",
    } | ({"location.street": None} if old["location"]["street"] else {})


async def test_a_changed_room_is_found_by_its_new_words(own_world: Database) -> None:
    zrh, manager = await room(own_world, "zrh-1@contoso.example"), ask(own_world, "contoso-manager")

    await done(manager, UPDATE_ROOM, room=zrh, expectedVersion=1, nickname="Ζέφυρος", location={"building": "Süd"})

    for given in ({"search": "ΖΈΦΥΡ"}, {"building": "SÜD"}):
        query = "query($filter: RoomFilter) { viewer { rooms(filter: $filter) { nodes { id } } } }"
        found = await manager.data(query, filter=given)
        assert found["viewer"]["rooms"]["nodes"] == [{"id": zrh}]


@pytest.mark.parametrize("given", [{}, {"label": None}, {"tags": None}, {"location": {}}, {"nickname": "  "}])
async def test_a_change_that_changes_nothing_writes_nothing(own_world: Database, given: dict[str, Any]) -> None:
    zrh = await room(own_world, "brn-1@contoso.example")
    old = await seen(own_world, zrh)
    assert (old["label"], old["nickname"], old["tags"]) == (None, None, [])
    before = await rows(own_world)

    payload = await done(ask(own_world, "contoso-manager"), UPDATE_ROOM, room=zrh, expectedVersion=1, **given)

    assert payload["room"] == old
    assert await rows(own_world) == before


async def test_null_clears_and_what_is_left_out_stays(own_world: Database) -> None:
    zrh, manager = await room(own_world, "zrh-1@contoso.example"), ask(own_world, "contoso-manager")
    await done(manager, UPDATE_ROOM, room=zrh, expectedVersion=1, label="A", capacity=3, tags=["x"])

    payload = await done(manager, UPDATE_ROOM, room=zrh, expectedVersion=2, label=None, tags=None)

    assert (payload["room"]["label"], payload["room"]["capacity"], payload["room"]["tags"]) == (None, 3, [])


async def test_everything_that_is_wrong_with_the_input_is_told_at_once(own_world: Database) -> None:
    zrh = await room(own_world, "zrh-1@contoso.example")

    errors = await refused(
        ask(own_world, "contoso-manager"),
        UPDATE_ROOM,
        room=zrh,
        expectedVersion=1,
        label="x" * 257,
        nickname="two\nlines",
        capacity=-1,
        tags=["good", "x" * 257],
        location={"floorLabel": "x" * 257},
    )

    assert said(errors) == [
        ("InvalidInput", f"input.{place}")
        for place in ("label", "nickname", "capacity", "tags.1", "location.floorLabel")
    ]
    assert (errors[2]["min"], errors[0]["max"]) == (0, 256)


async def test_a_location_cannot_be_taken_away_and_tags_have_an_end(own_world: Database) -> None:
    zrh, manager = await room(own_world, "zrh-1@contoso.example"), ask(own_world, "contoso-manager")

    tags = [str(number) for number in range(101)]
    errors = await refused(manager, UPDATE_ROOM, room=zrh, expectedVersion=1, location=None, tags=tags)

    assert sorted(said(errors)) == [("InvalidInput", "input.location"), ("InvalidInput", "input.tags")]


async def test_an_old_version_is_refused_with_the_present_one(own_world: Database) -> None:
    zrh, manager = await room(own_world, "zrh-1@contoso.example"), ask(own_world, "contoso-manager")
    await done(manager, UPDATE_ROOM, room=zrh, expectedVersion=1, capacity=7)

    (error,) = await refused(manager, UPDATE_ROOM, room=zrh, expectedVersion=1, capacity=8)

    assert (error["__typename"], error["currentVersion"]) == ("StaleVersion", 2)


async def test_only_who_holds_rooms_modify_on_that_very_room_changes_it_14(own_world: Database) -> None:
    zrh = await room(own_world, "zrh-1@contoso.example")
    for person in sorted(set(PEOPLE) - CHANGERS):
        asked = {"room": zrh, "expectedVersion": 1, "capacity": 3}
        (error,) = await refused(ask(own_world, person), UPDATE_ROOM, "zrh", "Zürich", **asked)

        kind = "Forbidden" if person in SEERS else "NotFound"
        assert said([error]) == [(kind, "input.room")], person
        assert error.get("missing") == ("ROOMS_MODIFY" if kind == "Forbidden" else None)
    for version, person in enumerate(sorted(CHANGERS), 1):
        asked = {"room": zrh, "expectedVersion": version, "capacity": 100 + version}
        payload = await done(ask(own_world, person), UPDATE_ROOM, **asked)
        assert payload["room"]["capacity"] == 100 + version


async def test_a_right_on_one_room_is_none_on_another_check_15(own_world: Database) -> None:
    """RB-14: the analyst sees the Greek rooms through one assignment and may change two rooms through another."""
    analyst = ask(own_world, "contoso-analyst")
    mine, other = [await room(own_world, f"{name}@contoso.example") for name in ("ath-3", "ath-1")]

    assert (await done(analyst, UPDATE_ROOM, room=mine, expectedVersion=1, capacity=2))["room"]["capacity"] == 2
    (error,) = await refused(analyst, UPDATE_ROOM, room=other, expectedVersion=1, capacity=2)

    assert error["missing"] == "ROOMS_MODIFY"


@pytest.mark.parametrize("identifier", ["", "room", "room_x_y", "partnership_a_b", "room_{0}_{0}"])
async def test_an_id_of_nothing_is_answered_as_an_unseen_one(own_world: Database, identifier: str) -> None:
    hidden = await room(own_world, "sea-1@contoso.example")
    admin, values = ask(own_world, "northwind-admin"), {"expectedVersion": 1, "capacity": 2}

    unseen = await refused(admin, UPDATE_ROOM, room=hidden, **values)

    assert await refused(admin, UPDATE_ROOM, room=identifier, **values) == unseen
