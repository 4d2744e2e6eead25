"""Every filter narrows to exactly what it says, and an id that the viewer does not see narrows to nothing."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import SQLModel

from app.domain.ids import GlobalId
from app.domain.vocabulary import AuditCategory, AuditOperation, AuditResult
from app.storage.engines import Database
from tests.access_cases import TABLES, Atlas
from tests.graph.asking import Asker, ask
from tests.reading.campus import NOW, TENANT, VIEWER, changing, entry, ground, id_of, key, person, write

Thing = dict[str, Any]
EMPTY: tuple[list[Thing], Thing] = ([], {"value": 0, "exact": True})
DOCUMENTS = {
    "rooms": "query($filter: RoomFilter) { viewer { list: rooms(first: 100, filter: $filter) { %s } } }",
    "roles": "query($filter: RoleFilter) { viewer { list: roles(first: 100, filter: $filter) { %s } } }",
    "auditEntries": "query($filter: AuditFilter) { viewer { list: auditEntries(first: 100, filter: $filter) { %s } } }",
}
FIELDS = {
    "rooms": "id displayName account label nickname enrollment platform location { building city }",
    "roles": "id name side type customer { id } partnership { id }",
    "auditEntries": "id category operation resultStatus user { ... on Node { id } } userTenant { id }",
}
COUNTED = "nodes { ... on Node { id } } totalCount { value exact }"


async def listed(asker: Asker, name: str, **chosen: Any) -> tuple[list[Thing], Thing]:
    """What a filter leaves of a list, and how many it counts; the same number both times."""
    query = DOCUMENTS[name] % f"nodes {{ {FIELDS[name]} }} totalCount {{ value exact }}"
    found = (await asker.data(query, filter=chosen))["viewer"]["list"]
    assert found["totalCount"] == {"value": len(found["nodes"]), "exact": True}
    return found["nodes"], found["totalCount"]


async def accounts(asker: Asker, **chosen: Any) -> set[str]:
    """The rooms that a filter leaves, without the end of their accounts."""
    return {each["account"].partition("@")[0] for each in (await listed(asker, "rooms", **chosen))[0]}


def named(atlas: Atlas, name: str, table: type[SQLModel] | None = None) -> str:
    """The id of the only thing of the demo world that is called so."""
    (found,) = [key for key, each in (atlas.of_table[table] if table else atlas.names).items() if each == name]
    return found


# --- fields that compare --------------------------------------------------------------------------------------------

Holds = Callable[[Thing], bool]
ROOMS: dict[str, tuple[Mapping[str, Any], Holds]] = {
    "one state": ({"enrollment": ["ONBOARDING"]}, lambda room: room["enrollment"] == "ONBOARDING"),
    "two states": ({"enrollment": ["ONBOARDING", "UNENROLLED"]}, lambda room: room["enrollment"] != "ENROLLED"),
    "no state": ({"enrollment": []}, lambda _: False),
    "one platform": ({"platform": ["ANDROID"]}, lambda room: room["platform"] == "ANDROID"),
    "two platforms": ({"platform": ["ANDROID", "OTHER"]}, lambda room: room["platform"] in {"ANDROID", "OTHER"}),
    "no platform": ({"platform": []}, lambda _: False),
    "both": (
        {"platform": ["WINDOWS"], "enrollment": ["ONBOARDING"]},
        lambda room: room["platform"] == "WINDOWS" and room["enrollment"] == "ONBOARDING",
    ),
    "a city": ({"city": "zürich"}, lambda room: room["location"]["city"] == "Zürich"),
    "a city of another alphabet": ({"city": "ΑΘΉΝΑ"}, lambda room: room["location"]["city"] == "Αθήνα"),
    "a city with spaces": ({"city": "  東京 "}, lambda room: room["location"]["city"] == "東京"),
    "the beginning of a city": ({"city": "Zür"}, lambda _: False),
    "a part of a city": ({"city": "rich"}, lambda _: False),
    "a wildcard for a city": ({"city": "%"}, lambda _: False),
    "no city": ({"city": ""}, lambda _: False),
    "a building": ({"building": "HAUS AM UFER"}, lambda room: room["location"]["building"] == "Haus am Ufer"),
    "a building in full width": (
        {"building": "Ｂｕｉｌｄｉｎｇ　７"},
        lambda room: room["location"]["building"] == "Building 7",
    ),
    "a word of a building": ({"building": "Haus"}, lambda _: False),
    "a building and a city elsewhere": ({"building": "Löwenhof", "city": "Bern"}, lambda _: False),
    "everything together": (
        {
            "building": "Löwenhof",
            "city": "ZÜRICH",
            "search": "zürich",
            "platform": ["WINDOWS"],
            "enrollment": ["ENROLLED"],
        },
        lambda room: room["location"]["city"] == "Zürich" and room["platform"] == "WINDOWS",
    ),
}
NOWHERE = {"no state", "no platform", "the beginning of a city", "a part of a city", "a wildcard for a city", "no city"}
NOWHERE |= {"a word of a building", "a building and a city elsewhere"}


@pytest.mark.parametrize("case", ROOMS)
async def test_rooms_are_narrowed_to_exactly_those_that_fit(world: Database, case: str) -> None:
    asker, (chosen, holds) = ask(world, "contoso-manager"), ROOMS[case]
    everything, _ = await listed(asker, "rooms")

    found, _ = await listed(asker, "rooms", **chosen)

    assert found == [each for each in everything if holds(each)]
    assert bool(found) is (case not in NOWHERE)


ROLES: dict[str, tuple[Mapping[str, Any], Holds]] = {
    "the customer's": ({"side": "CUSTOMER"}, lambda role: role["side"] == "CUSTOMER"),
    "the partners'": ({"side": "PARTNER"}, lambda role: role["side"] == "PARTNER"),
    "built in": ({"type": "BUILT_IN"}, lambda role: role["type"] == "BUILT_IN"),
    "custom": ({"type": "CUSTOM"}, lambda role: role["type"] == "CUSTOM"),
    "custom of partners": (
        {"type": "CUSTOM", "side": "PARTNER"},
        lambda role: role["type"] == "CUSTOM" and role["side"] == "PARTNER",
    ),
}


@pytest.mark.parametrize("case", ROLES)
@pytest.mark.parametrize("name", ("contoso-manager", "northwind-admin"))
async def test_roles_are_narrowed_to_exactly_those_that_fit(world: Database, name: str, case: str) -> None:
    asker, (chosen, holds) = ask(world, name), ROLES[case]
    everything, _ = await listed(asker, "roles")

    found, _ = await listed(asker, "roles", **chosen)

    assert found == [each for each in everything if holds(each)]
    assert found or name == "northwind-admin"


@pytest.mark.parametrize("name", ("contoso-manager", "northwind-admin", "northwind-manager", "adatum-manager"))
async def test_roles_are_narrowed_by_the_customer_and_the_partnership_that_they_show(
    world: Database, atlas: Atlas, name: str
) -> None:
    asker = ask(world, name)
    everything, _ = await listed(asker, "roles")

    for field in ("customer", "partnership"):
        for shown in {each[field] and each[field]["id"] for each in everything} - {None}:
            found, _ = await listed(asker, "roles", **{field: shown})
            assert found == [each for each in everything if each[field] == {"id": shown}]


# --- ids ------------------------------------------------------------------------------------------------------------

ASKING = ("contoso-manager", "northwind-admin", "northwind-helpdesk")
FILTERED_BY = {"customer": "tenants", "partnership": "partnerships", "group": "groups", "ring": "rings"}
TYPES = {"partnerships": "Partnership", "groups": "RoomGroup", "rings": "UpdateRing"}


def unusual_ids(atlas: Atlas) -> list[str]:
    """Ids that are malformed, of nothing, or of something with another kind's name."""
    group = named(atlas, "contoso.example: Germany")
    _, tenant, number = group.split("_")
    other = atlas.viewer("fabrikam-manager").tenant_id
    nothing = [str(GlobalId(each, tenant, key(99))) for each in ("roomgroup", "updatering", "partnership", "tenant")]
    wrong = [f"{each}_{tenant}_{number}" for each in ("room", "updatering", "partnership", "RoomGroup", "roomgroups")]
    crossed = [f"roomgroup_{other}_{number}", f"tenant_{tenant}_{tenant}", f"roomgroup_{tenant}", tenant, number]
    malformed = ["", "%", "*", "'", group.upper(), f" {group}", f"{group}\n", f"{group}_{number}", "🏢", "x" * 5_000]
    return [*nothing, *wrong, *crossed, *malformed]


def some_ids(atlas: Atlas, noun: str) -> list[str]:
    """The ids of everything that a noun names, and one of everything else."""
    return [key for each, table in TABLES.items() for key in list(atlas.of_table[table])[: None if each == noun else 1]]


@pytest.mark.parametrize("name", ASKING)
@pytest.mark.parametrize("field", FILTERED_BY)
async def test_an_id_narrows_rooms_to_what_is_below_it_and_an_unseen_one_to_nothing(
    world: Database, atlas: Atlas, name: str, field: str
) -> None:
    asker, noun = ask(world, name), FILTERED_BY[field]
    everything, _ = await listed(asker, "rooms")
    ids = [*some_ids(atlas, noun), *unusual_ids(atlas)]

    expected = {each: await rooms_below(asker, each, noun, everything) for each in ids}

    for start in range(0, len(ids), 40):
        some = ids[start : start + 40]
        for identifier, page in zip(some, await filtered(asker, field, some), strict=True):
            due = expected[identifier]
            count = {"value": len(due), "exact": True}
            assert ([each["id"] for each in page["nodes"]], page["totalCount"]) == (due, count), identifier
    assert any(expected.values()) or (name == "northwind-helpdesk" and field in {"group", "ring"})


async def rooms_below(asker: Asker, identifier: str, noun: str, everything: list[Thing]) -> list[str]:
    """The visible rooms that belong to a visible object of this noun, found without any filter."""
    kind, _, tenant = identifier.partition("_")
    if noun == "tenants":
        return [each["id"] for each in everything if kind == "tenant" and each["id"].split("_")[1] == tenant]
    if kind != TYPES[noun].lower():
        return []
    query = (
        f"query($id: ID!) {{ node(id: $id) {{ ... on {TYPES[noun]} {{ rooms(first: 100) {{ nodes {{ id }} }} }} }} }}"
    )
    found = (await asker.data(query, id=identifier))["node"]
    return [each["id"] for each in found["rooms"]["nodes"]] if found else []


async def filtered(asker: Asker, field: str, ids: list[str]) -> list[Any]:
    """The rooms that each id leaves, in one document."""
    declared = ", ".join(f"$v{number}: ID" for number in range(len(ids)))
    lists = " ".join(
        f"l{number}: rooms(first: 100, filter: {{{field}: $v{number}}}) {{ {COUNTED} }}" for number in range(len(ids))
    )
    values = {f"v{number}": identifier for number, identifier in enumerate(ids)}
    found = (await asker.data(f"query({declared}) {{ viewer {{ {lists} }} }}", **values))["viewer"]
    return [found[f"l{number}"] for number in range(len(ids))]


async def test_a_partner_learns_nothing_from_a_group_that_it_cannot_see(world: Database, atlas: Atlas) -> None:
    helpdesk, admin = ask(world, "northwind-helpdesk"), ask(world, "northwind-admin")
    switzerland = named(atlas, "contoso.example: Switzerland")

    assert "zrh-1" in await accounts(helpdesk) & await accounts(admin, group=switzerland)

    assert await listed(helpdesk, "rooms", group=switzerland) == EMPTY
    assert await listed(helpdesk, "rooms", ring=named(atlas, "contoso.example: General")) == EMPTY


async def test_a_partner_sees_of_a_group_only_what_was_delegated(world: Database, atlas: Atlas) -> None:
    admin = ask(world, "northwind-admin")

    assert await accounts(admin, group=named(atlas, "contoso.example: Germany")) == {"ber-board"}


@pytest.mark.parametrize("name", ("contoso-manager", "contoso-nobody"))
@pytest.mark.parametrize("field, own", (("groups", "roomgroup"), ("rings", "updatering")))
async def test_groups_and_rings_are_narrowed_by_customer(
    world: Database, atlas: Atlas, name: str, field: str, own: str
) -> None:
    asker = ask(world, name)
    query = f"query($id: ID) {{ viewer {{ list: {field}(customer: $id) {{ {COUNTED} }} }} }}"
    everything = (await asker.data(query))["viewer"]["list"]
    contoso = f"tenant_{asker.viewer.tenant_id}"

    for identifier in [*some_ids(atlas, "tenants"), *unusual_ids(atlas)]:
        found = (await asker.data(query, id=identifier))["viewer"]["list"]
        due = everything if identifier == contoso else {"nodes": [], "totalCount": {"value": 0, "exact": True}}
        assert found == due, identifier


@pytest.mark.parametrize("field", ("customer", "partnership"))
async def test_an_unseen_or_malformed_id_narrows_roles_to_nothing(world: Database, atlas: Atlas, field: str) -> None:
    asker = ask(world, "fabrikam-manager")
    everything, _ = await listed(asker, "roles")
    shown = {each[field] and each[field]["id"] for each in everything}

    for identifier in [*some_ids(atlas, FILTERED_BY[field]), *unusual_ids(atlas)]:
        if identifier not in shown:
            assert await listed(asker, "roles", **{field: identifier}) == EMPTY, identifier


# --- partnerships and invitations -----------------------------------------------------------------------------------


async def between(asker: Asker, atlas: Atlas, field: str) -> list[str]:
    """Whom the partnerships or invitations of a list are between, in order."""
    found = await asker.data(f"{{ viewer {{ list: {field} {{ nodes {{ id }} totalCount {{ value }} }} }} }}")
    names = [atlas.names[each["id"]].replace(".example", "") for each in found["viewer"]["list"]["nodes"]]
    assert found["viewer"]["list"]["totalCount"]["value"] == len(names)
    return names


NORTHWIND, TAILSPIN = "contoso → northwind", "contoso → tailspin"
PARTNERSHIPS: tuple[tuple[str, str, list[str]], ...] = (
    ("contoso-manager", "partners", [NORTHWIND]),
    ("contoso-manager", "partners(states: null)", [NORTHWIND]),
    ("contoso-manager", "partners(states: [ACTIVE])", [NORTHWIND]),
    ("contoso-manager", "partners(states: [REMOVED])", [TAILSPIN]),
    ("contoso-manager", "partners(states: [REMOVED, ACTIVE])", [NORTHWIND, TAILSPIN]),
    ("contoso-manager", "partners(states: [])", []),
    ("contoso-manager", "customers(states: [ACTIVE, REMOVED])", []),
    ("northwind-manager", "customers", [NORTHWIND, "fabrikam → northwind"]),
    ("northwind-manager", "partners(states: [ACTIVE, REMOVED])", []),
    ("tailspin-manager", "customers(states: [ACTIVE, REMOVED])", []),
)


@pytest.mark.parametrize("name, field, expected", PARTNERSHIPS)
async def test_partnerships_are_narrowed_by_side_and_state(
    world: Database, atlas: Atlas, name: str, field: str, expected: list[str]
) -> None:
    assert await between(ask(world, name), atlas, field) == expected


ADATUM, LAPSED = "contoso → adatum", "fabrikam → adatum"
INVITATIONS: tuple[tuple[str, str, list[str]], ...] = (
    ("contoso-manager", "invitations", [ADATUM]),
    ("contoso-manager", "invitations(states: [ACCEPTED])", [TAILSPIN, NORTHWIND]),
    ("contoso-manager", "invitations(states: [REVOKED, PENDING])", [ADATUM, "contoso → fabrikam"]),
    ("contoso-manager", "invitations(states: [EXPIRED, DECLINED])", []),
    ("contoso-manager", "invitations(states: [])", []),
    ("contoso-manager", "invitations(direction: SENT)", [ADATUM]),
    ("contoso-manager", "invitations(direction: RECEIVED)", []),
    ("fabrikam-manager", "invitations", []),
    ("fabrikam-manager", "invitations(states: [EXPIRED])", [LAPSED]),
    ("fabrikam-manager", "invitations(states: [EXPIRED, DECLINED], direction: SENT)", [LAPSED, "fabrikam → tailspin"]),
    ("fabrikam-manager", "invitations(states: [REVOKED], direction: RECEIVED)", []),
    ("adatum-manager", "invitations", [ADATUM]),
    ("adatum-manager", "invitations(direction: RECEIVED)", [ADATUM]),
    ("adatum-manager", "invitations(direction: SENT)", []),
    ("adatum-manager", "invitations(states: [EXPIRED])", []),
)


@pytest.mark.parametrize("name, field, expected", INVITATIONS)
async def test_invitations_are_narrowed_by_direction_and_state(
    world: Database, atlas: Atlas, name: str, field: str, expected: list[str]
) -> None:
    assert await between(ask(world, name), atlas, field) == expected


async def test_an_invitation_is_pending_until_the_instant_it_expires(world: Database, atlas: Atlas) -> None:
    asker = ask(world, "contoso-manager")
    expiry = asker.moment + timedelta(days=12)
    before = Asker(world, asker.viewer, expiry - timedelta(microseconds=1))
    then = Asker(world, asker.viewer, expiry)

    assert await between(before, atlas, "invitations") == [ADATUM]
    assert await between(before, atlas, "invitations(states: [EXPIRED])") == []
    assert await between(then, atlas, "invitations") == []
    assert await between(then, atlas, "invitations(states: [EXPIRED])") == [ADATUM]


# --- the record -----------------------------------------------------------------------------------------------------

DAY = date(2026, 3, 29)
MIDNIGHT = datetime(2026, 3, 29, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
MOMENTS = (MIDNIGHT - INSTANT, MIDNIGHT, MIDNIGHT + timedelta(days=1) - INSTANT, MIDNIGHT + timedelta(days=1))
"""The last instant of a day, the first and the last of the next, the first of the one after."""
SOMEBODY, SOMEBODY_ELSE, ELSEWHERE = key(30), key(31), key(32)


async def record(database: Database, *moments: datetime, **values: Any) -> Asker:
    """A campus whose record has an entry at each of these moments, numbered from 1."""
    entries = [entry(number, moment, **values) for number, moment in enumerate(moments, 1)]
    async with changing(database) as connection:
        await write(connection, [*ground(), person(SOMEBODY, "Somebody"), *entries])
    return Asker(database, VIEWER, NOW)


async def sequences(asker: Asker, **chosen: Any) -> list[int]:
    """The numbers of the entries that a filter leaves, newest first."""
    query = DOCUMENTS["auditEntries"] % "nodes { sequence } totalCount { value exact }"
    found = (await asker.data(query, filter=chosen))["viewer"]["list"]
    assert found["totalCount"] == {"value": len(found["nodes"]), "exact": True}
    return [each["sequence"] for each in found["nodes"]]


async def test_days_of_the_record_begin_and_end_at_midnight_utc_to_the_microsecond(database: Database) -> None:
    asker = (await record(database, *MOMENTS)).at(MOMENTS[-1])
    before, after = (DAY - timedelta(days=1)).isoformat(), (DAY + timedelta(days=1)).isoformat()
    day = DAY.isoformat()

    assert await sequences(asker) == [4, 3, 2, 1]
    assert await sequences(asker, **{"from": day}) == [4, 3, 2]
    assert await sequences(asker, to=day) == [3, 2, 1]
    assert await sequences(asker, **{"from": day, "to": day}) == [3, 2]
    assert await sequences(asker, **{"from": before, "to": before}) == [1]
    assert await sequences(asker, **{"from": after, "to": after}) == [4]
    assert await sequences(asker, **{"from": before, "to": after}) == [4, 3, 2, 1]


async def test_the_record_can_be_asked_from_the_first_to_the_last_day_there_is(database: Database) -> None:
    oldest, newest = NOW - timedelta(days=180), datetime.max.replace(tzinfo=UTC)
    asker = await record(database, oldest, NOW, newest)

    assert await sequences(asker, **{"from": "0001-01-01", "to": "9999-12-31"}) == [3, 2, 1]
    assert await sequences(asker, **{"from": "9999-12-31"}) == [3]
    assert await sequences(asker, to="0001-01-01") == []
    assert await sequences(asker, to=oldest.date().isoformat()) == [1]
    assert await sequences(asker, to="9999-12-30") == [2, 1]


async def test_days_in_the_wrong_order_are_refused(world: Database) -> None:
    asker = ask(world, "contoso-manager")

    answer = await asker.answer(
        DOCUMENTS["auditEntries"] % "nodes { id }", filter={"from": "2026-03-30", "to": "2026-03-29"}
    )

    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "BAD_ARGUMENT", "argument": "filter.from"}


WORDS = (
    ("categories", AuditCategory, lambda value: [value]),
    ("operation", AuditOperation, lambda value: value),
    ("resultStatus", AuditResult, lambda value: value),
)


async def test_the_record_is_narrowed_by_every_word(database: Database) -> None:
    asker = await record(database)
    stored = {"categories": "category", "operation": "operation", "resultStatus": "result_status"}
    numbers: dict[tuple[str, Any], int] = {}
    async with changing(database) as connection:
        for field, words, _ in WORDS:
            for word in words:
                numbers[field, word] = len(numbers) + 1
                await write(connection, [entry(len(numbers), NOW, **{stored[field]: word})])
    defaults = {
        "categories": AuditCategory.ROOM,
        "operation": AuditOperation.UPDATE,
        "resultStatus": AuditResult.SUCCESSFUL,
    }

    for field, words, shaped in WORDS:
        for word in words:
            due = {
                number
                for (other, value), number in numbers.items()
                if value == word or (other != field and word == defaults[field])
            }
            assert await sequences(asker, **{field: shaped(word.name)}) == sorted(due, reverse=True), word

    some = [numbers["categories", AuditCategory.KEY], numbers["categories", AuditCategory.USER]]
    assert await sequences(asker, categories=["KEY", "USER"]) == sorted(some, reverse=True)
    assert await sequences(asker, categories=[]) == []


async def test_the_record_is_narrowed_by_who_acted(database: Database) -> None:
    asker = await record(database)
    actors = [(None, None), (TENANT, SOMEBODY), (TENANT, SOMEBODY_ELSE), (ELSEWHERE, SOMEBODY)]
    async with changing(database) as connection:
        people = [person(SOMEBODY_ELSE, "Somebody else")]
        entries = [entry(n, NOW, user_tenant_id=actor[0], user_id=actor[1]) for n, actor in enumerate(actors, 1)]
        await write(connection, [*people, *entries])

    assert await sequences(asker, user=id_of("user", SOMEBODY)) == [2]
    assert await sequences(asker, user=id_of("user", SOMEBODY_ELSE)) == [3]
    assert await sequences(asker, userTenant=f"tenant_{TENANT}") == [3, 2]
    assert await sequences(asker, userTenant=f"tenant_{ELSEWHERE}") == [4]


@pytest.mark.parametrize("field", ("user", "userTenant", "subject"))
async def test_an_id_of_nothing_or_of_another_kind_narrows_the_record_to_nothing(
    world: Database, atlas: Atlas, field: str
) -> None:
    asker = ask(world, "contoso-manager")
    manager = asker.viewer
    wrong = {
        "user": [
            f"{kind}_{manager.tenant_id}_{manager.principal_id}"
            for kind in ("securitygroup", "application", "principal")
        ],
        "userTenant": [f"user_{manager.tenant_id}_{manager.principal_id}"],
        "subject": [],
    }

    for identifier in [*wrong[field], *unusual_ids(atlas)]:
        if identifier != f"tenant_{manager.tenant_id}":
            assert await sequences(asker, **{field: identifier}) == [], identifier


async def test_who_acted_is_found_by_the_kind_that_they_are(database: Database) -> None:
    asker = await record(database, NOW, user_tenant_id=TENANT, user_id=SOMEBODY)

    found = {
        kind: await sequences(asker, user=id_of(kind, SOMEBODY)) for kind in ("user", "securitygroup", "application")
    }

    assert found == {"user": [1], "securitygroup": [], "application": []}


async def test_the_record_is_narrowed_by_what_it_is_about(database: Database) -> None:
    subjects = [None, id_of("room", key(40)), id_of("room", key(41)), id_of("roomgroup", key(40))]
    asker = await record(database)
    async with changing(database) as connection:
        await write(connection, [entry(number, NOW, subject=subject) for number, subject in enumerate(subjects, 1)])

    assert await sequences(asker, subject=subjects[1]) == [2]
    assert await sequences(asker, subject=subjects[3]) == [4]
    assert await sequences(asker, subject=id_of("room", key(42))) == []
    assert await sequences(asker, subject="") == []


# --- search ---------------------------------------------------------------------------------------------------------

FOUND_BY = {
    "zürich": {"zrh-1", "zrh-2", "zrh-3", "zrh-board"},
    "ZÜRICH": {"zrh-1", "zrh-2", "zrh-3", "zrh-board"},
    "zu\u0308rich": {"zrh-1", "zrh-2", "zrh-3", "zrh-board"},
    "zürich 101": {"zrh-1"},
    "101 zürich": {"zrh-1"},
    "  zürich \t 101 ": {"zrh-1"},
    "zürich 10": {"zrh-1", "zrh-2"},
    "zürich 4": set(),
    "rich": set(),
    "Großer": {"ber-board"},
    "GROSSER": {"ber-board"},
    "GROẞER": {"ber-board"},
    "gross": {"ber-board"},
    "ΕΛΛΆΔΑ": {"ath-1"},
    "ελλάδα": {"ath-1"},
    "Ελλαδα": set(),
    "ΒΡΆΧΟΣ": {"ath-2"},
    "βράχοσ": {"ath-2"},
    "βράχ": {"ath-2"},
    "Σύνταγμα": {"ath-1", "ath-2", "ath-3"},
    "ＢＥＲＬＩＮ　ｌａｂ": {"ber-lab"},
    "ｂｅｒ": {"brn-1", "ber-1", "ber-2", "ber-board", "ber-lab"},
    "会議室": {"tyo-east", "tyo-west"},
    "役員": {"tyo-board"},
    "12階": set(),
    "東-1201": {"tyo-east"},
    "1201": {"tyo-east"},
    "ちゃ": {"tyo-tea"},
    "þing": {"rvk-1"},
    "ÆGIR": {"rvk-2"},
    "L-101": {"zrh-1"},
    "7/3": {"sea-1", "sea-2"},
    "101": {"zrh-1", "ber-1"},
    "aquarium": {"zrh-1"},
    "ufer": {"ber-1", "ber-2", "ber-board", "ber-lab"},
    "sea-": {"sea-1", "sea-2", "sea-hall", "sea-board"},
    "zrh-1@contoso.example": {"zrh-1"},
    "löwenstrasse": set(),
    "the hall": {"sea-hall"},
    "%%": set(),
    "__": set(),
    "\\\\": set(),
    "zür%": set(),
    "z_rich": set(),
    "'' or 1=1 --": set(),
}


@pytest.mark.parametrize("search", FOUND_BY)
async def test_a_search_finds_rooms_by_the_beginnings_of_their_words(world: Database, search: str) -> None:
    assert await accounts(ask(world, "contoso-manager"), search=search) == FOUND_BY[search]


@pytest.mark.parametrize("search", ("", " ", "a", " z ", "会", "\t\n"))
@pytest.mark.parametrize("field, argument", (("rooms", "filter.search"), ("directory", "search")))
async def test_a_search_of_less_than_two_characters_is_refused(
    world: Database, field: str, argument: str, search: str
) -> None:
    assert await refusal(ask(world, "contoso-manager"), field, search) == {
        "code": "BAD_ARGUMENT",
        "argument": argument,
        "min": 2,
        "max": 512,
    }


@pytest.mark.parametrize("field, argument", (("rooms", "filter.search"), ("directory", "search")))
async def test_a_search_of_too_many_words_or_characters_is_refused(world: Database, field: str, argument: str) -> None:
    asker = ask(world, "contoso-manager")
    refused = {"code": "BAD_ARGUMENT", "argument": argument}
    too_long = refused | {"min": 2, "max": 512}

    assert await refusal(asker, field, "zü " * 8) is None
    assert await refusal(asker, field, "zü " * 9) == refused | {"max": 8}
    assert await refusal(asker, field, "z" * 512) is None
    assert await refusal(asker, field, "z" * 513) == too_long
    assert await refusal(asker, field, "z" * 60_000) == too_long
    assert await refusal(asker, field, "\ufdfa" * 3_000) == too_long


async def refusal(asker: Asker, field: str, search: str) -> dict[str, Any] | None:
    """The extensions of the error that a search is refused with, if it is."""
    arguments = "filter: {search: $search}" if field == "rooms" else "search: $search"
    query = f"query($search: String) {{ viewer {{ {field}({arguments}) {{ totalCount {{ value }} }} }} }}"
    errors = (await asker.answer(query, search=search))["errors"]
    found: dict[str, Any] | None = errors[0]["extensions"] if errors else None
    return found


DIRECTORY = {
    None: 12,
    "contoso": 12,
    "CONTOSO-": 12,
    "contoso-manager": 1,
    "manager": 1,
    "anager": 0,
    "keeper role": 1,
    "northwind": 0,
    "%%": 0,
}


@pytest.mark.parametrize("search, count", DIRECTORY.items())
async def test_a_search_finds_people_by_the_beginnings_of_their_names(
    world: Database, search: str | None, count: int
) -> None:
    query = f"query($search: String) {{ viewer {{ directory(search: $search) {{ {COUNTED} }} }} }}"

    found = (await ask(world, "contoso-manager").data(query, search=search))["viewer"]["directory"]

    assert found["totalCount"]["value"] == len(found["nodes"]) == count
