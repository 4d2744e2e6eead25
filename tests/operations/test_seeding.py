"""Worlds: all of what the files say or nothing, and what is wrong with a file is said where it is."""

import copy
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlmodel import SQLModel, col

from app.access.viewer import SYSTEM, Viewer, binds
from app.access.visible import visible
from app.domain.audit import AuditAction
from app.domain.permissions import BuiltInRole, Permission
from app.domain.text import name_key
from app.domain.vocabulary import AuditCategory, InvitationState, PartnershipState, Side
from app.operations.seeding import seed_world
from app.operations.work import Work
from app.storage.engines import Database
from app.storage.global_ids import global_id
from app.storage.graph_pages import BadFile
from app.storage.room_keys import room_keys
from app.storage.tables import (
    ApprovalRequest,
    Assignment,
    AssignmentMember,
    AssignmentRoom,
    AuditEntry,
    Invitation,
    Partnership,
    Principal,
    Role,
    Room,
    Tenant,
    UpdateRing,
)
from app.storage.world_files import read_world
from tests.graph.asking import ask
from tests.graph.holding import APPROVE, UPDATE_ROOM, by_hand
from tests.graph.relating import done
from tests.graph.relating import room as room_called
from tests.operations.chains import check_chain, counts, everything
from tests.world import SEEDED_AT, WORLD_FILES

C, P = "contoso.example", "northwind.example"
CAMPUS: dict[str, Any] = {
    "tenants": [
        {"name": "Contoso", "domains": [C]},
        {"name": "Northwind", "domains": [P], "mayBePartner": True},
    ],
    "people": [
        {"tenant": C, "name": "contoso-manager"},
        {"tenant": P, "name": "northwind-admin"},
        {"tenant": P, "name": "northwind-helpdesk", "userType": "Guest"},
    ],
    "applications": [{"tenant": P, "name": "northwind-tool"}],
    "securityGroups": [
        {"tenant": P, "name": "northwind-team", "members": ["northwind-admin"]},
        {"tenant": P, "name": "northwind-empty"},
    ],
    "rings": [{"tenant": C, "name": "Halls", "order": 5, "rolloutDays": 2, "testDays": 3}],
    "rooms": [{"tenant": C, "account": f"Room-{i}@{C}", "name": f"Zürich {i}"} for i in range(1, 7)],
    "groups": [{"tenant": C, "name": "First", "rooms": [f"room-1@{C}", f"room-2@{C}"]}],
}
DELEGATION: dict[str, Any] = {
    "partnerships": [
        {
            "customer": C,
            "partner": P,
            "establishedAt": "-P3D",
            "primaryAdmins": ["northwind-team"],
            "rooms": [f"ROOM-4@{C}"],
            "groups": ["First"],
            "manual": ["ROOMS_MODIFY"],
        }
    ],
    "invitations": [
        {
            "customer": C,
            "partner": P,
            "state": "DECLINED",
            "sentAt": "2026-11-01T08:00:00Z",
            "answeredAt": "-PT5M",
            "expiresInDays": 30,
            "rooms": [f"room-5@{C}"],
            "termsVersion": "1",
        }
    ],
    "roles": [{"customer": C, "partner": P, "name": "Help desk", "permissions": ["TICKETS_VIEW", "ROOMS_VIEW"]}],
    "assignments": [
        {
            "customer": C,
            "partner": P,
            "role": "Help desk",
            "name": "First line",
            "members": ["northwind-helpdesk"],
            "rooms": [f"room-1@{C}", f"room-6@{C}"],
        },
        {"customer": C, "role": "Teams Rooms Pro Manager", "name": "Managers", "members": ["contoso-manager"]},
    ],
}


HELD: dict[str, Any] = {
    "customer": C,
    "partner": P,
    "requestedBy": "northwind-admin",
    "requestedAt": "-P3D",
    "expiresInDays": 30,
    "rooms": [f"room-1@{C}"],
    "change": {"capacity": 12, "label": "A 1"},
}
DECIDED = {"decidedAt": "-P2D", "decidedBy": "contoso-manager"}


def written(folder: Path, **files: Any) -> list[Path]:
    for name, content in files.items():
        (folder / f"{name}.json").write_bytes(content if isinstance(content, bytes) else orjson.dumps(content))
    return [folder / f"{name}.json" for name in files]


async def seed(database: Database, folder: Path, **files: Any) -> dict[str, int]:
    async with Work.begin(database, SYSTEM, SEEDED_AT, "seed") as work:
        return await seed_world(work, read_world(written(folder, **files)))


async def accounts(database: Database, person: str, permission: Permission) -> set[str]:
    (row,) = await everything(database, Principal, col(Principal.name) == person)
    async with database.reading() as connection:
        rows = await connection.execute(
            visible(Room, permission), binds(Viewer(row.tenant_id, row.id, row.kind), SEEDED_AT)
        )
        return {room.account for room in rows}


# --- what becomes of a file -----------------------------------------------------------------------------------------


async def test_a_small_file_delegates_rooms_that_are_there_already(database: Database, tmp_path: Path) -> None:
    await seed(database, tmp_path, campus=CAMPUS)

    seeded = await seed(database, tmp_path, delegation=DELEGATION)

    assert {section: n for section, n in seeded.items() if n} == {
        "partnerships": 1,
        "invitations": 1,
        "roles": 1,
        "assignments": 2,
    }
    delegated = {f"Room-{i}@{C}" for i in (1, 2, 4)}
    assert await accounts(database, "northwind-admin", Permission.ROOMS_MODIFY) == delegated
    assert await accounts(database, "northwind-helpdesk", Permission.TICKETS_VIEW) == {f"Room-1@{C}"}
    assert await accounts(database, "northwind-helpdesk", Permission.ROOMS_MODIFY) == set()
    assert len(await accounts(database, "contoso-manager", Permission.AUDIT_VIEW)) == 6


async def test_one_file_or_several_in_any_order_make_the_same_world(database: Database, tmp_path: Path) -> None:
    await seed(database, tmp_path, delegation=DELEGATION, campus=CAMPUS)

    assert len(await accounts(database, "northwind-admin", Permission.ROOMS_VIEW)) == 3


async def test_a_partnership_has_its_role_and_the_assignment_that_delegates(database: Database, tmp_path: Path) -> None:
    await seed(database, tmp_path, campus=CAMPUS, delegation=DELEGATION)

    (partnership,) = await everything(database, Partnership)
    (role,) = await everything(database, Role, col(Role.built_in) == BuiltInRole.PRIMARY_ADMIN)
    (assignment,) = await everything(database, Assignment, col(Assignment.id) == partnership.delegation_id)
    rooms = await everything(database, AssignmentRoom, col(AssignmentRoom.assignment_id) == assignment.id)

    assert partnership.established_at == SEEDED_AT - timedelta(days=3)
    assert partnership.manual_events == Permission.ROOMS_MODIFY
    assert (role.partnership_id, role.permissions) == (partnership.id, BuiltInRole.PRIMARY_ADMIN.permissions)
    assert (assignment.name, assignment.role_id, len(rooms)) == ("Assigned admins", role.id, 1)
    assert assignment.partnership_id == partnership.id


async def test_instants_count_from_the_moment_of_seeding(database: Database, tmp_path: Path) -> None:
    await seed(database, tmp_path, campus=CAMPUS, delegation=DELEGATION)

    (invitation,) = await everything(database, Invitation)

    assert invitation.answered_at == invitation.closed_at == SEEDED_AT - timedelta(minutes=5)
    assert invitation.sent_at.isoformat() == "2026-11-01T08:00:00+00:00"
    assert invitation.expires_at == invitation.sent_at + timedelta(days=30)


async def test_groups_may_be_in_groups(database: Database, tmp_path: Path) -> None:
    world = copy.deepcopy(CAMPUS)
    world["securityGroups"][0]["members"] = ["northwind-empty"]
    world["securityGroups"][1]["members"] = ["northwind-admin"]

    await seed(database, tmp_path, campus=world, delegation=changed_delegation(primaryAdmins=["northwind-team"]))

    assert len(await accounts(database, "northwind-admin", Permission.ROOMS_MODIFY)) == 3


def changed_delegation(**values: Any) -> dict[str, Any]:
    """The delegation, with another partnership."""
    return DELEGATION | {"partnerships": [DELEGATION["partnerships"][0] | values]}


async def test_a_removed_partnership_keeps_its_end(world: Database) -> None:
    (removed,) = await everything(world, Partnership, col(Partnership.state) == PartnershipState.REMOVED)

    assert (removed.removed_by_side, removed.removed_at) == (Side.CUSTOMER, SEEDED_AT - timedelta(days=20))


async def test_an_invitation_may_be_pending_past_its_time(world: Database) -> None:
    pending = await everything(world, Invitation, col(Invitation.state) == InvitationState.PENDING)

    assert sorted(row.expires_at > SEEDED_AT for row in pending) == [False, True]
    assert {row.closed_at for row in pending} == {None}


async def test_rooms_get_the_keys_that_imports_give_them(world: Database) -> None:
    for row in await everything(world, Room):
        spoken = {name: getattr(row, name) for name in ("name", "account", "label", "nickname", "building", "city")}
        assert room_keys(**spoken).items() <= row.model_dump().items()
    (hall,) = await everything(world, Room, col(Room.account) == "ber-board@contoso.example")
    assert (hall.name_key, hall.city_key, hall.building_key) == ("grosser saal", "berlin", "haus am ufer")
    assert all(f" {word}" in hall.search_key for word in ("saal", "ber-board", "b-300", "ballsaal", "ufer", "berlin"))


async def test_a_ring_in_between_moves_the_later_ones(database: Database, tmp_path: Path) -> None:
    between = {"rings": [{"tenant": C, "name": "Labs", "order": 4, "rolloutDays": 3, "testDays": 1}]}
    await seed(database, tmp_path, campus=CAMPUS)

    await seed(database, tmp_path, between=between)

    (halls,) = await everything(database, UpdateRing, col(UpdateRing.name) == "Halls")
    (labs,) = await everything(database, UpdateRing, col(UpdateRing.name) == "Labs")
    assert (labs.deferment_days, halls.deferment_days, halls.version) == (49, 53, 2)
    actions = [entry.action for entry in await check_chain(database, halls.tenant_id)]
    assert actions[-2:] == ["ring.update", "ring.create"]


async def test_seeding_is_on_the_record_as_done_by_the_system(world: Database) -> None:
    for tenant in await everything(world, Tenant):
        await check_chain(world, tenant.id)

    entries = await everything(world, AuditEntry)
    documented = {(entry.action, entry.category.value, entry.operation.value) for entry in entries}
    assert {(entry.user_id, entry.request_id) for entry in entries} == {(None, "seed")}
    assert len({entry.subject for entry in entries if entry.action == "room.create"}) == 36
    assert documented >= {
        ("invitation.send", "PartnerInvitation", "Create"),
        ("invitation.decline", "PartnerInvitation", "Delete"),
        ("partnership.establish", "PartnerInvitation", "Update"),
        ("partnership.remove", "PartnerInvitation", "Delete"),
        ("role.delete", "Role", "Delete"),
        ("assignment.create", "Assignment", "Create"),
        ("tenant_managers.change", "User", "Update"),
    }


async def test_every_object_is_in_the_record(world: Database) -> None:
    entries = {entry.subject for entry in await everything(world, AuditEntry)}

    kinds: dict[str, type[SQLModel]] = {
        "room": Room,
        "partnership": Partnership,
        "invitation": Invitation,
        "assignment": Assignment,
    }
    for kind, table in kinds.items():
        assert {f"{kind}_{row.tenant_id}_{row.id}" for row in await everything(world, table)} <= entries


async def test_the_demo_says_what_everybody_should_see() -> None:
    world = read_world(WORLD_FILES)

    assert all(entry.expects for entry in world.people)
    assert all(entry.expects for entry in world.applications)
    assert {role.name for person in world.people for role in person.directory_roles} == {
        "GLOBAL_ADMINISTRATOR",
        "TEAMS_ADMINISTRATOR",
        "TEAMS_DEVICES_ADMINISTRATOR",
        "GLOBAL_READER",
    }


async def test_standing_assignments_are_added_to(own_world: Database, tmp_path: Path) -> None:
    more = {
        "people": [{"tenant": "adatum.example", "name": "adatum-deputy"}],
        "assignments": [
            {"customer": "adatum.example", "role": role, "name": name, "members": ["adatum-deputy"]}
            for role, name in (("Teams Rooms Pro Manager", "Managers"), ("Tenant manager", "Tenant managers"))
        ],
    }

    await seed(own_world, tmp_path, more=more)

    (deputy,) = await everything(own_world, Principal, col(Principal.name) == "adatum-deputy")
    assert len(await everything(own_world, AssignmentMember, col(AssignmentMember.member_id) == deputy.id)) == 2


async def test_an_expired_invitation_is_closed_when_its_time_was_over(database: Database, tmp_path: Path) -> None:
    invitation = DELEGATION["invitations"][0] | {"state": "EXPIRED", "sentAt": "-P40D"}
    del invitation["answeredAt"]

    await seed(database, tmp_path, campus=CAMPUS, invitation={"invitations": [invitation]})

    (row,) = await everything(database, Invitation)
    assert row.closed_at == row.expires_at == SEEDED_AT - timedelta(days=10)
    actions = [entry.action for entry in await check_chain(database, row.tenant_id)]
    assert actions[-2:] == ["invitation.send", "invitation.expire"]


# --- what is refused ------------------------------------------------------------------------------------------------


async def test_the_same_world_is_refused_a_second_time_and_changes_nothing(own_world: Database) -> None:
    before = await counts(own_world)

    for files in (WORLD_FILES, [path for path in WORLD_FILES if path.name == "partnerships.json"]):
        with pytest.raises(BadFile, match="already"):
            await seed_files(own_world, files)

    assert await counts(own_world) == before


async def seed_files(database: Database, files: list[Path]) -> None:
    async with Work.begin(database, SYSTEM, SEEDED_AT, "again") as work:
        await seed_world(work, read_world(files))


async def test_a_removed_partnership_takes_no_more_roles(own_world: Database, tmp_path: Path) -> None:
    role = {"customer": C, "partner": "tailspin.example", "name": "Late", "permissions": ["ROOMS_VIEW"]}

    with pytest.raises(BadFile, match="partner: expected a partner of Contoso"):
        await seed(own_world, tmp_path, late={"roles": [role]})

    assert await everything(own_world, Role, col(Role.name) == "Late") == []


# --- held changes ---------------------------------------------------------------------------------------------------


async def requests(database: Database) -> list[ApprovalRequest]:
    found = await everything(database, ApprovalRequest)
    return sorted(found, key=lambda row: row.id)


async def test_a_held_change_is_stored_as_if_it_had_been_asked_for(own_world: Database) -> None:
    """The same change asked for again is the one that waits already, so digest and command are what they would be."""
    before = {row.id for row in await requests(own_world)}
    await by_hand(own_world, "ROOMS_MODIFY")
    zrh = await room_called(own_world, "zrh-2@contoso.example")

    asked = {"room": zrh, "expectedVersion": 1, "capacity": 14, "label": "L-102a"}
    again = await done(ask(own_world, "northwind-admin"), UPDATE_ROOM, **asked)

    assert again["approvalRequest"]["id"].split("_")[2] in before
    assert {row.id for row in await requests(own_world)} == before


async def test_a_held_change_of_a_file_can_be_approved(own_world: Database) -> None:
    (request,) = [each for each in await requests(own_world) if each.subject_name == "Zürich 2"]

    payload = await done(ask(own_world, "contoso-manager"), APPROVE, request=global_id(request))

    assert payload["approvalRequest"]["state"] == "APPROVED"
    (row,) = await everything(own_world, Room, col(Room.account) == "zrh-2@contoso.example")
    assert (row.capacity, row.label) == (14, "L-102a")


async def test_an_approved_one_is_done_and_a_rejected_one_is_not(world: Database) -> None:
    rooms = {row.name: row for row in await everything(world, Room)}
    ends = {row.subject_name: row for row in await requests(world)}

    assert {name: row.state for name, row in ends.items()} == {
        "Zürich 3": "APPROVED",
        "Ελλάδα": "REJECTED",
        "Zürich 2": "PENDING",
        "Kraków 1": "PENDING",
    }
    assert (rooms["Zürich 3"].capacity, rooms["Zürich 3"].version) == (5, 2)
    assert (rooms["Ελλάδα"].label, rooms["Ελλάδα"].version) == ("Α-201", 1)
    assert ends["Zürich 3"].changes == [{"field": "capacity", "before": "4", "after": "5"}]
    assert ends["Zürich 3"].requested_at == SEEDED_AT - timedelta(days=40)
    assert ends["Zürich 3"].decided_at == SEEDED_AT - timedelta(days=39)
    assert ends["Kraków 1"].expires_at == SEEDED_AT + timedelta(days=29)


WRONG_REQUESTS: dict[str, dict[str, Any]] = {
    "requestedBy: expected the name of a person": {"requestedBy": "contoso-manager"},
    "rooms: expected accounts of rooms": {"rooms": [f"room-9@{C}"]},
    "change: expected one that may be asked for and decided so, got": {"rooms": [f"room-6@{C}"]},
    "change: expected something that changes the room": {"change": {}},
    "change.colour: Extra inputs are not permitted": {"change": {"colour": "red"}},
    "partner: expected a partner of Contoso": {"partner": C},
    "state: expected PENDING, or one that somebody decided, and when": {"decidedAt": "-P2D"},
    "state: expected PENDING, or one that somebody decided, and when, ": DECIDED | {"state": "FAILED"},
    "state: expected PENDING, or one that somebody decided, and when, got": {"state": "APPROVED"},
    "decidedBy: expected the name of a person": DECIDED | {"state": "REJECTED", "decidedBy": "northwind-admin"},
    "decidedBy: expected the name of a person, ": {"state": "REJECTED", "decidedAt": "-P2D"},
}


@pytest.mark.parametrize("said", WRONG_REQUESTS)
async def test_a_held_change_that_cannot_be_is_refused(database: Database, tmp_path: Path, said: str) -> None:
    wrong = HELD | WRONG_REQUESTS[said]

    with pytest.raises(BadFile) as refused:
        await seed(database, tmp_path, bad=CAMPUS | DELEGATION | {"approvalRequests": [wrong]})

    assert f'approvalRequests: entry 1 ("{wrong["partner"]}"): {said.rstrip(", ")}' in str(refused.value)


async def test_who_asked_must_be_allowed_to_and_who_decided_too(database: Database, tmp_path: Path) -> None:
    for wrong in (
        {"requestedBy": "northwind-helpdesk"},
        DECIDED | {"state": "APPROVED", "decidedBy": "contoso-nobody"},
    ):
        world = copy.deepcopy(CAMPUS | DELEGATION) | {"approvalRequests": [HELD | wrong]}
        world["people"].append({"tenant": C, "name": "contoso-nobody"})
        with pytest.raises(BadFile, match="change: expected one that may be asked for and decided so"):
            await seed(database, tmp_path, bad=world)


async def test_the_same_held_change_twice_is_refused(database: Database, tmp_path: Path) -> None:
    await seed(database, tmp_path, campus=CAMPUS | DELEGATION | {"approvalRequests": [HELD]})

    with pytest.raises(BadFile, match="rooms: expected something new"):
        await seed(database, tmp_path, again={"approvalRequests": [HELD]})


def bad(section: str, number: int = 0, **fields: Any) -> dict[str, Any]:
    """The small world with one entry changed; a field that is None is left out."""
    world = copy.deepcopy(CAMPUS | DELEGATION)
    entry = world[section][number]
    entry.update(fields)
    world[section][number] = {key: value for key, value in entry.items() if value is not None}
    return world


FIRST_LINE = 'bad.json: assignments: entry 1 ("First line"): '
REFUSED: dict[str, Any] = {
    "bad.json: expected JSON in UTF-8, got something else at line 1, column 13": b'{ "rooms": [',
    "bad.json: Input should be an object, got a list of 0": [],
    "bad.json: rumes: Extra inputs are not permitted, got a list of 0": {"rumes": []},
    "bad.json: rooms: Input should be a valid array, got an object": {"rooms": {}},
    "bad.json: rooms: entry 1: Input should be an object, got 7": {"rooms": [7]},
    'bad.json: rooms: entry 1 ("Zürich 1"): account: Field required': bad("rooms", account=None),
    'rooms: entry 1 ("Zürich 1"): capacity: Input should be a valid integer, got "8"': bad("rooms", capacity="8"),
    'rooms: entry 1 ("Zürich 1"): colour: Extra inputs are not permitted, got "red"': bad("rooms", colour="red"),
    'rooms: entry 1 ("Zürich 1"): nickname: expected no control characters': bad("rooms", nickname="a\x00b"),
    'rooms: entry 1 ("Zürich 1"): platform: Input should be': bad("rooms", platform="LINUX"),
    'rooms: entry 1 ("Zürich 1"): ring: expected the name of an update ring': bad("rooms", ring="Halles"),
    "account: expected a new one, got": bad("rooms", account=f"ROOM-2@{C}"),
    'rooms: entry 1 ("Zürich 1"): tenant: expected a domain of a tenant': bad("rooms", tenant="nobody.example"),
    'tenants: entry 1 ("Contoso"): `localhost` is not a domain': bad("tenants", domains=["localhost"]),
    'people: entry 1 ("contoso-manager"): id: String should match pattern': bad("people", id="one"),
    'people: entry 3 ("northwind-helpdesk"): name: expected something new': bad("people", 1, name="northwind-helpdesk"),
    "directoryRoles.0: expected one of GLOBAL_ADMINISTRATOR, ": bad("people", directoryRoles=["ADMIN"]),
    'securityGroups: entry 1 ("northwind-team"): members: expected the name of a person': bad(
        "securityGroups", members=["contoso-manager"]
    ),
    'rings: entry 1 ("Halls"): order: expected a place that no ring has': bad("rings", order=3),
    'rings: entry 1 ("Halls"): order: Input should be less than or equal to 9': bad("rings", order=10),
    'rings: entry 1 ("Halls"): rolloutDays: expected at most 60 days': bad("rings", rolloutDays=9),
    'groups: entry 1 ("First"): rooms: expected accounts of rooms': bad("groups", rooms=["room-9@contoso.example"]),
    'partnerships: entry 1 ("contoso.example"): partner: expected another tenant': bad("partnerships", partner=C),
    "partner: expected another tenant that may be a partner": bad("tenants", 1, mayBePartner=False),
    "establishedAt: expected a duration such as -P3D": bad("partnerships", establishedAt="yesterday"),
    "establishedAt: expected a duration such as": bad("partnerships", establishedAt="2026-11-01T08:00:00"),
    "primaryAdmins: expected at least one user, groups counted by their members, got a list of 1": bad(
        "partnerships", primaryAdmins=["northwind-empty"]
    ),
    "primaryAdmins: expected at least one user": bad("partnerships", primaryAdmins=[]),
    'primaryAdmins: expected users and security groups, got "northwind-tool"': bad(
        "partnerships", primaryAdmins=["northwind-team", "northwind-tool"]
    ),
    "primaryAdmins: expected the name of a person": bad("partnerships", primaryAdmins=["contoso-manager"]),
    'invitations: entry 1 ("northwind.example"): expiresInDays: Input should be less than or equal to 30': bad(
        "invitations", expiresInDays=31
    ),
    "rooms: expected at least one room or group": bad("invitations", rooms=[]),
    "answeredAt: expected an instant for what was answered": bad("invitations", answeredAt=None),
    'answeredAt: expected an instant for what was answered and for nothing else, got "PENDING"': bad(
        "invitations", state="PENDING"
    ),
    "partner: expected a tenant that is not a partner already": bad("invitations", state="PENDING", answeredAt=None),
    "partner: expected a tenant with a partnership, as it accepted": CAMPUS
    | {"invitations": [DELEGATION["invitations"][0] | {"state": "ACCEPTED"}]},
    'roles: entry 1 ("Help desk"): partner: expected a partner of Contoso': CAMPUS | {"roles": DELEGATION["roles"]},
    'entry 2 ("Managers"): members: expected people who are not in it already': CAMPUS
    | {"assignments": [DELEGATION["assignments"][1]] * 2},
    "sentBy: expected the name of a person": bad("invitations", sentBy="northwind-admin"),
    'roles: entry 1 ("Help desk"): permissions: expected only ROOMS_VIEW': bad("roles", permissions=["ROOMS_UNENROLL"]),
    'got "AUDIT_VIEW"': bad("roles", partner=None, permissions=["ROOMS_VIEW", "AUDIT_VIEW"]),
    'roles: entry 1 ("PRIMARY Admin"): name: expected something new': bad("roles", name="PRIMARY Admin"),
    f"{FIRST_LINE}members: expected the name of a person": bad("assignments", members=["contoso-manager"]),
    f'{FIRST_LINE}role: expected the name of a role of the right tenant, got "Site Lead"': bad(
        "assignments", role="Site Lead"
    ),
    f"{FIRST_LINE}role: expected a role other than Primary admin": bad("assignments", role="Primary admin"),
    f"{FIRST_LINE}allRooms: expected true for the Manager role and for no other, got true": bad(
        "assignments", allRooms=True
    ),
    f"{FIRST_LINE}groups: expected the name of a room group": bad("assignments", groups=["Second"]),
    'entry 2 ("Managers"): allRooms: expected true for the Manager role and for no other, got false': bad(
        "assignments", 1, allRooms=False
    ),
    'entry 2 ("Managers"): rooms: expected no rooms and no groups': bad("assignments", 1, groups=["First"]),
    'entry 2 ("Chiefs"): name: expected the name of an assignment': bad("assignments", 1, name="Chiefs"),
    'entry 2 ("Tenant managers"): members: expected users and security groups, got "northwind-tool"': bad(
        "assignments", 1, customer=P, role="Tenant manager", name="Tenant managers", members=["northwind-tool"]
    ),
}


async def test_a_bad_file_is_refused_with_its_place_and_leaves_nothing(database: Database, tmp_path: Path) -> None:
    for message, file in REFUSED.items():
        with pytest.raises(BadFile, match=re.escape(message)):
            await seed(database, tmp_path, bad=file)

        assert not any((await counts(database)).values()), message


def test_every_problem_of_the_format_is_named_at_once(tmp_path: Path) -> None:
    files = written(tmp_path, one={"rooms": [{"name": "A"}, {"name": "B", "ring": 3}]}, two=b"\xff")

    with pytest.raises(BadFile) as refused:
        read_world([*files, tmp_path / "three.json"])

    places = [line.partition(": ")[0] for line in refused.value.problems]
    assert places == ["one.json"] * 5 + ["two.json", "three.json"]


async def test_a_name_that_two_have_names_nobody(database: Database, tmp_path: Path) -> None:
    await seed(database, tmp_path, campus=CAMPUS)
    (admin,) = await everything(database, Principal, col(Principal.name) == "northwind-admin")
    twin = admin.model_dump() | {"id": "9b2c1b0e-5f0a-4d8a-9d6e-0c1d2e3f4a5b", "name_key": name_key("Northwind-Admin")}
    async with Work.begin(database, SYSTEM, SEEDED_AT, "twin") as work:
        await work.store(row := Principal(**twin))
        work.created(AuditCategory.USER, AuditAction.USER_ADD, row.tenant_id, row.name, row)
    by_name, by_id = copy.deepcopy(DELEGATION), copy.deepcopy(DELEGATION)
    by_name["partnerships"][0]["primaryAdmins"] = ["northwind-admin"]
    by_id["partnerships"][0]["primaryAdmins"] = [admin.id]

    with pytest.raises(BadFile, match="expected a name that only one has, or its id"):
        await seed(database, tmp_path, named=by_name)
    await seed(database, tmp_path, numbered=by_id)

    assert len(await accounts(database, "northwind-team", Permission.ROOMS_VIEW)) == 0
