"""Pages of rooms are read whole and in any order, and whatever is wrong with them is named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.vocabulary import BookingType
from app.storage.graph_pages import (
    MAX_PROBLEMS,
    BadFile,
    Entry,
    Page,
    Problems,
    check_complete,
    cut,
    digest,
    parse,
    parse_spans,
    shown,
)
from app.storage.room_pages import RoomRecord, read_room, read_rooms

Write = Callable[..., Path]

TEXT = "text of at most 256 characters and no control characters"
LINK = "https://graph.example/v1.0/places/microsoft.graph.room?$top=100&$skip="


def room(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"id-{number}",
        "emailAddress": f"room-{number}@contoso.example",
        "displayName": f"Room {number}",
        **fields,
    }


def page(*entries: Any, **fields: Any) -> dict[str, Any]:
    return {"@odata.context": "https://graph.example/v1.0/$metadata#places/microsoft.graph.room", **fields} | {
        "value": list(entries)
    }


def linked(*entries: Any, skip: object) -> dict[str, Any]:
    return page(*entries, **{"@odata.nextLink": f"{LINK}{skip}"})


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(content: Any, name: str = "rooms-1.json") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    return to_file


def refusal(*paths: Path) -> str:
    with pytest.raises(BadFile) as refused:
        read_rooms(paths)
    return str(refused.value)


def read_one(**fields: Any) -> RoomRecord:
    problems = Problems()
    record = read_room(Entry("rooms-1.json", room(**fields), problems))
    problems.settle()
    return record


def attempt(**fields: Any) -> RoomRecord | BadFile:
    try:
        return read_one(**fields)
    except BadFile as refused:
        return refused


# What is read


def test_every_field_of_a_room_is_read(write: Write) -> None:
    path = write(
        page(
            room(
                address={
                    "street": " 1 Main Street ",
                    "city": "Zürich",
                    "state": "ZH",
                    "postalCode": "8001",
                    "countryOrRegion": "Switzerland",
                },
                geoCoordinates={"latitude": 47.37, "longitude": "8.54", "altitude": None},
                nickname="The den",
                label="Z-1",
                capacity="48",
                building="Main",
                floorNumber=-1,
                floorLabel="LG",
                isWheelChairAccessible=False,
                bookingType="Reserved",
                tags=["Video", "Quiet", "Video"],
                phone="not a phone \x00",
                audioDeviceName={"unknown": ["shape"]},
                somethingNew=[1, {"deep": {"deeper": {}}}],
            )
        )
    )

    assert read_rooms([path]).records == [
        RoomRecord(
            graph_id="id-1",
            account="room-1@contoso.example",
            account_key="room-1@contoso.example",
            name="Room 1",
            nickname="The den",
            label="Z-1",
            country_or_region="Switzerland",
            state="ZH",
            city="Zürich",
            postal_code="8001",
            street="1 Main Street",
            building="Main",
            floor="-1",
            floor_label="LG",
            latitude=47.37,
            longitude=8.54,
            capacity=48,
            tags=("Video", "Quiet"),
            wheelchair_accessible=False,
            booking_type=BookingType.RESERVED,
        )
    ]


OPTIONAL = [
    "address",
    "geoCoordinates",
    "nickname",
    "label",
    "capacity",
    "building",
    "floorNumber",
    "floorLabel",
    "isWheelChairAccessible",
    "bookingType",
    "tags",
    "@odata.type",
]


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_null_and_blank_are_as_absent_as_a_missing_field(nothing: str | None) -> None:
    assert read_one(**dict.fromkeys(OPTIONAL, nothing)) == read_one()
    assert read_one(address={"city": nothing}, geoCoordinates={"latitude": nothing}, tags=[nothing]) == read_one()


def test_an_absent_booking_type_is_unknown() -> None:
    assert read_one().booking_type is BookingType.UNKNOWN


@pytest.mark.parametrize("field", ["isWheelChairAccessible", "isWheelchairAccessible"])
def test_accessibility_is_read_in_either_spelling(field: str) -> None:
    assert read_one(**{field: True}).wheelchair_accessible is True
    assert read_one(**{field: False}).wheelchair_accessible is False


def test_an_account_is_kept_as_given_and_matched_in_any_case() -> None:
    record = read_one(emailAddress=" Room.A@Contoso.Example ")

    assert record.account == "Room.A@Contoso.Example"
    assert record.account_key == "room.a@contoso.example"


@given(st.integers(0, 2**31 - 1), st.sampled_from(["{}", "{}.0", " {} ", "00{}", "{}e0", "{}E+00"]))
def test_a_whole_number_is_the_same_in_every_spelling(number: int, spelling: str) -> None:
    assert read_one(capacity=spelling.format(number)) == read_one(capacity=number) == read_one(capacity=float(number))


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_coordinates_are_the_same_as_numbers_and_as_text(latitude: float, longitude: float) -> None:
    record = read_one(geoCoordinates={"latitude": str(latitude), "longitude": longitude})

    assert (record.latitude, record.longitude) == (latitude, longitude)


@given(st.text(max_size=20))
def test_text_is_a_number_only_if_it_is_spelled_like_one(text: str) -> None:
    found = attempt(geoCoordinates={"longitude": text})

    if isinstance(found, BadFile):
        assert "geoCoordinates.longitude: expected a number from -180 to 180" in str(found)
    else:
        assert found.longitude == (float(text) if text.strip() else None)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*OPTIONAL, "id", "emailAddress", "displayName"]), json_values))
def test_whatever_a_field_holds_it_is_read_or_named(fields: dict[str, Any]) -> None:
    found = attempt(**fields)

    problems = found.problems if isinstance(found, BadFile) else ()
    assert all(line.startswith("rooms-1.json: ") and ": expected " in line for line in problems)
    assert "".join(problems).isprintable()


def test_progress_is_told_after_each_file(write: Write) -> None:
    told: list[Page] = []
    paths = [write(page(room(1), room(2)), "a.json"), write(page(room(3)), "b.json")]

    reading = read_rooms(paths, told.append)

    assert told == reading.pages
    assert [(one.file, one.entries) for one in told] == [("a.json", 2), ("b.json", 1)]


def test_a_page_is_read_whatever_its_layout(write: Write) -> None:
    expected = read_rooms([write(page(room(1), room(2)))]).records
    deep = {"a": {"b": {"c": ['}"']}}}

    assert (
        read_rooms([write(b"\xef\xbb\xbf" + json.dumps(page(room(1), room(2)), indent=2).encode())]).records == expected
    )
    assert read_rooms([write(page(room(1, **deep), room(2)))]).records == expected
    assert read_rooms([write(page(room(1), room(2, **deep)))]).records == expected
    assert read_rooms([write({"nested": {"first": []}} | page(room(1), room(2)))]).records == expected
    assert read_rooms([write({"value": [room(1, label='"}],{\\"'), room(2)]})]).records[1] == expected[1]


@given(st.recursive(st.text() | st.integers(0, 9), lambda inner: st.dictionaries(st.text(), inner) | st.lists(inner)))
def test_entries_cut_out_of_a_page_are_those_that_the_parser_finds(entry: Any) -> None:
    for values in ([entry], [{}, entry], [entry, {}], [{"inner": entry}, {"inner": entry}]):
        content = json.dumps({"@odata.context": "{", "value": values, "after": 1}, ensure_ascii=False).encode()
        shell, spans = cut(content)
        problems = Problems()
        document = parse(shell, content, "rooms-1.json", problems)

        rest = document["value"]
        assert isinstance(rest, list)
        assert [*parse_spans(content, spans, "rooms-1.json", problems), *rest] == values
        assert document["after"] == 1


# What is refused


@pytest.mark.parametrize(
    "content, expected",
    [
        (b"", "rooms-1.json: expected JSON, got something else at line 1, column 1"),
        (b'{"value":\n[{},]}', "rooms-1.json: expected JSON, got something else at line 2, column 4"),
        (b'{"value":[{} {}]}', "rooms-1.json: expected JSON, got something else at line 1, column 14"),
        (b'{"value":[{}]} {}', "rooms-1.json: expected JSON, got something else at line 1, column 16"),
        (b'{"value":[{"id": NaN}]}', "rooms-1.json: expected JSON, got something else at line 1, column 18"),
        (b'{"value":[{"id": "\\ud800"}]}', "rooms-1.json: expected JSON, got something else at line 1, column"),
        (b'{"value":[{"id": "\xff"}]}', "rooms-1.json: expected UTF-8, got something else at byte 19"),
        (json.dumps(page()).encode("utf-16"), "rooms-1.json: expected UTF-8, got something else at byte 1"),
        (b"[" * 20_000, "rooms-1.json: expected JSON, got something else at line 1, column"),
        (b"[{}]", "rooms-1.json: expected an object with a list `value`, got a list of 1"),
        (b"null", "rooms-1.json: expected an object with a list `value`, got nothing"),
        (b'{"error":{"code":"Forbidden"}}', "rooms-1.json: value: expected a list, got nothing"),
        (b'{"value":{}}', "rooms-1.json: value: expected a list, got an object"),
        (b'{"value":[], "@odata.nextLink": 7}', "rooms-1.json: @odata.nextLink: expected text of at most 8192"),
        (b'{"value":[], "@odata.count": -1}', "rooms-1.json: @odata.count: expected a whole number from 0"),
        (b'{"value":[7]}', "rooms-1.json: entry 1: expected an object, got 7"),
    ],
)
def test_what_is_not_a_page_is_named(write: Write, content: bytes, expected: str) -> None:
    message = refusal(write(content))

    assert expected in message
    assert message.splitlines()[0].startswith("rooms-1.json: ")


def test_a_file_that_cannot_be_read_is_named(write: Write, tmp_path: Path) -> None:
    assert refusal(tmp_path / "absent.json").startswith("absent.json: cannot be read: ")
    assert refusal(tmp_path).startswith(f"{tmp_path.name}: cannot be read: ")
    assert "\x1b" not in refusal(tmp_path / "red\x1b[31m.json")


@pytest.mark.parametrize(
    "fields, expected",
    [
        ({"id": None}, "id: expected text, got nothing"),
        ({"emailAddress": " "}, 'emailAddress: expected text, got " "'),
        ({"displayName": ""}, 'displayName: expected text, got ""'),
        ({"id": 7}, f"id: expected {TEXT}, got 7"),
        ({"displayName": "R" * 257}, f'displayName: expected {TEXT}, got "{"R" * 60}…"'),
        ({"nickname": "a\x00b"}, f'nickname: expected {TEXT}, got "a\\u0000b"'),
        ({"label": "a\x1b[31mb"}, f'label: expected {TEXT}, got "a\\u001b[31mb"'),
        ({"building": "a\u2028b"}, "building: expected text"),
        ({"floorLabel": ["LG"]}, f"floorLabel: expected {TEXT}, got a list of 1"),
        ({"capacity": "many"}, 'capacity: expected a whole number from 0 to 2147483647, got "many"'),
        ({"capacity": -1}, "capacity: expected a whole number from 0 to 2147483647, got -1"),
        ({"capacity": 4.5}, "capacity: expected a whole number from 0 to 2147483647, got 4.5"),
        ({"capacity": 2**31}, "capacity: expected a whole number from 0 to 2147483647, got 2147483648"),
        ({"capacity": "1_000"}, "capacity: expected a whole number"),
        ({"capacity": "٤٨"}, "capacity: expected a whole number"),
        ({"capacity": "9" * 5000}, "capacity: expected a whole number"),
        ({"capacity": True}, "capacity: expected a whole number from 0 to 2147483647, got true"),
        ({"floorNumber": "G"}, 'floorNumber: expected a whole number from -2147483647 to 2147483647, got "G"'),
        ({"address": "1 Main Street"}, 'address: expected an object, got "1 Main Street"'),
        ({"address": {"city": 8001}}, "address.city: expected text"),
        ({"geoCoordinates": [1, 2]}, "geoCoordinates: expected an object, got a list of 2"),
        ({"geoCoordinates": {"latitude": 90.1}}, "geoCoordinates.latitude: expected a number from -90 to 90, got 90.1"),
        ({"geoCoordinates": {"longitude": "nan"}}, "geoCoordinates.longitude: expected a number from -180 to 180"),
        ({"geoCoordinates": {"longitude": "-1e999"}}, "geoCoordinates.longitude: expected a number"),
        ({"bookingType": "maybe"}, 'bookingType: expected one of standard, reserved, unknown, got "maybe"'),
        ({"isWheelChairAccessible": "yes"}, 'isWheelChairAccessible: expected true or false, got "yes"'),
        ({"isWheelchairAccessible": 1}, "isWheelchairAccessible: expected true or false, got 1"),
        ({"tags": "Video"}, 'tags: expected a list of at most 100 texts, got "Video"'),
        ({"tags": ["t"] * 101}, "tags: expected a list of at most 100 texts, got a list of 101"),
        ({"tags": ["Video", {}]}, f"tags: item 2: expected {TEXT}, got an object"),
        ({"@odata.type": "#microsoft.graph.roomList"}, "@odata.type: expected microsoft.graph.room, got"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_with_what_was_expected(fields: dict[str, Any], expected: str) -> None:
    found = attempt(**fields)

    assert isinstance(found, BadFile)
    assert len(found.problems) == 1
    assert str(found).startswith(f"rooms-1.json: {expected}")


def test_a_problem_says_file_entry_name_field_and_value(write: Write) -> None:
    path = write(page(room(1), room(2, displayName="Main LG01", capacity="many"), {"id": "id-3"}), "rooms-3.json")

    assert refusal(path).splitlines() == [
        'rooms-3.json: entry 2 ("Main LG01"): capacity: expected a whole number from 0 to 2147483647, got "many"',
        'rooms-3.json: entry 3 ("id-3"): emailAddress: expected text, got nothing',
        'rooms-3.json: entry 3 ("id-3"): displayName: expected text, got nothing',
    ]


def test_a_room_may_say_what_it_is() -> None:
    assert read_one(**{"@odata.type": "#microsoft.graph.room"}) == read_one()


def test_a_file_that_is_broken_in_two_places_is_told_once(write: Write) -> None:
    told = refusal(write(b'{"value":[{"id":nope},{"id":7}'))

    assert told == "rooms-1.json: expected JSON, got something else at line 1, column 17"


def test_all_problems_of_all_files_are_told_up_to_twenty(write: Write) -> None:
    wrong = [room(number, capacity="many") for number in range(100)]
    few = [write(page(*wrong[:2]), "a.json"), write(b"{", "b.json"), write(page(wrong[3]), "c.json")]

    assert [line.split(":")[0] for line in refusal(*few).splitlines()] == ["a.json", "a.json", "b.json", "c.json"]

    lines = refusal(write(page(*wrong))).splitlines()
    assert len(lines) == MAX_PROBLEMS + 1
    assert lines[-1] == "there may be more: reading stopped after 20 problems"


def test_one_id_twice_is_refused_naming_both_places(write: Write) -> None:
    paths = [write(page(room(1)), "a.json"), write(page(room(2), room(3, id="id-1")), "b.json")]

    assert refusal(*paths) == (
        'b.json: entry 2 ("Room 3"): id: expected to be unique, got the same as a.json: entry 1 ("Room 1")'
    )


def test_one_account_twice_is_refused_in_any_case(write: Write) -> None:
    path = write(page(room(1), room(2, emailAddress="ROOM-1@Contoso.example")))

    assert refusal(path) == (
        'rooms-1.json: entry 2 ("Room 2"): emailAddress: expected to be unique, '
        'got the same as rooms-1.json: entry 1 ("Room 1")'
    )


def test_files_of_one_name_are_told_apart(write: Write, tmp_path: Path) -> None:
    paths = [write(page(room(1)), "monday/rooms.json"), write(page(room(2, capacity=-1)), "friday/rooms.json")]

    assert refusal(*paths).startswith(f"{tmp_path}/friday/rooms.json: entry 1")


@pytest.mark.parametrize("value, expected", [(None, "nothing"), (True, "true"), (1.5, "1.5"), ({}, "an object")])
def test_values_are_shown_in_the_words_of_json(value: object, expected: str) -> None:
    assert shown(value) == expected


# A complete set of pages


@pytest.fixture
def pages(write: Write) -> list[Path]:
    """Three pages of one list of five rooms."""
    return [
        write(linked(room(1), room(2), skip=2), "a.json"),
        write(linked(room(3), room(4), skip=4), "b.json"),
        write(page(room(5)), "c.json"),
    ]


def gap(*paths: Path) -> str:
    with pytest.raises(BadFile) as refused:
        check_complete(read_rooms(paths).pages)
    prefix, why = str(refused.value).split(": ", 1)
    assert prefix == "not a complete set of pages"
    return why


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
def test_pages_are_complete_in_any_order(pages: list[Path], order: tuple[int, ...]) -> None:
    reading = read_rooms([pages[number] for number in order])

    check_complete(reading.pages)
    assert {record.name for record in reading.records} == {f"Room {number}" for number in range(1, 6)}


def test_one_page_without_a_link_is_complete(write: Write) -> None:
    check_complete(read_rooms([write(page(room(1)))]).pages)
    check_complete(read_rooms([write(page())]).pages)


@given(st.lists(st.integers(1, 9), max_size=8), st.randoms())
def test_pages_are_complete_only_all_together(sizes: list[int], random: Any) -> None:
    ends = [sum(sizes[: number + 1]) for number in range(len(sizes))]
    whole = [Page(f"{end}.json", size, f"{LINK}{end}", None, b"") for size, end in zip(sizes, ends, strict=True)]
    whole.append(Page("last.json", 1, None, sum(sizes) + 1, b""))
    random.shuffle(whole)

    check_complete(whole)
    for absent in range(len(whole)):
        with pytest.raises(BadFile):
            check_complete([*whole[:absent], *whole[absent + 1 :]])


def test_a_missing_page_is_told(pages: list[Path]) -> None:
    a, b, c = pages

    assert gap(b, c) == "b.json goes on at `$skip=4`, but it and the pages before it have 2"
    assert gap(a, b) == "expected exactly one page without `@odata.nextLink`, got 0"
    assert gap() == "expected exactly one page without `@odata.nextLink`, got 0"


def test_two_last_pages_are_told(pages: list[Path], write: Write) -> None:
    more = [write(page(room(number)), f"{number}.json") for number in range(6, 9)]

    assert gap(*pages, more[0]) == "expected exactly one page without `@odata.nextLink`, got 2: c.json, 6.json"
    assert gap(*pages, *more).endswith("got 4: c.json, 6.json, 7.json, …")


def test_two_equal_links_are_told(pages: list[Path], write: Write) -> None:
    again = write(linked(skip=4), "d.json")

    assert gap(*pages, again) == "expected different links, got two pages that go on at the same `$skip`"


@pytest.mark.parametrize("link", ["https://graph.example/rooms?%24skip=1", "?$top=1&$skip=1", "/rooms?skip=1"])
def test_a_skip_is_read_as_a_link_may_spell_it(write: Write, link: str) -> None:
    first = write(page(room(1), **{"@odata.nextLink": link}), "a.json")

    check_complete(read_rooms([write(page(room(2)), "b.json"), first]).pages)


@pytest.mark.parametrize(
    "link",
    [
        "https://graph.example/rooms",
        "https://graph.example/rooms?$skiptoken=abc",
        "https://graph.example/rooms?$skip=1&%24skiptoken=abc",
        "https://graph.example/rooms?$skip=",
        "https://graph.example/rooms?$skip=-1",
        "https://graph.example/rooms?$skip=1x",
        "https://graph.example/rooms?$skip=99999999999999999999",
        "https://[graph",
    ],
)
def test_a_link_that_counts_nothing_is_refused(write: Write, link: str) -> None:
    first = write(page(room(1), **{"@odata.nextLink": link}), "a.json")

    assert gap(first, write(page(room(2)), "b.json")) == (
        "a.json has a next link without a plain `$skip`, so nothing tells how many entries come before it"
    )


def test_a_link_that_leaves_rooms_out_is_refused(write: Write) -> None:
    first = write(page(room(1), **{"@odata.nextLink": f"{LINK}1&%24Filter=capacity%20gt%2010"}), "a.json")

    assert gap(first, write(page(room(2)), "b.json")) == (
        "a.json goes on with `$filter`, which leaves out a part of the list"
    )


def test_a_stated_total_has_to_be_reached(write: Write) -> None:
    assert gap(write(page(room(1), **{"@odata.count": 2}))) == (
        "rooms-1.json says that there are 2 in all, the pages have 1"
    )


# The digest


def test_the_digest_depends_on_what_the_files_contain_and_not_on_their_order(pages: list[Path], write: Write) -> None:
    before = digest(read_rooms(pages).pages)

    assert digest(read_rooms(pages[::-1]).pages) == before
    assert len(before) == 64

    write(page(room(6)), "c.json")
    assert digest(read_rooms(pages).pages) != before
