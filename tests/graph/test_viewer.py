"""What is said to the viewer about the viewer: who they are, what they may do and why, and what only time tells."""

from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

import pytest
from sqlmodel import select

from app.access.scoping import unscoped
from app.access.viewer import Viewer, binds
from app.access.visible import visible
from app.domain.ids import GlobalId
from app.domain.permissions import DirectoryRole, Permission
from app.domain.vocabulary import ChangeEvent, PrincipalKind
from app.storage.engines import Database
from app.storage.global_ids import global_id
from app.storage.tables import Room, metadata
from tests.graph.asking import ENGINE, PEOPLE, Asker, ask, viewer_of
from tests.graph.crawling import STRANGER, Site, claims_of, forget_statements, on_engines
from tests.graph.relations import NOUNS, Relations
from tests.world import SEEDED_AT

OFFER_EXPIRES = SEEDED_AT + timedelta(days=-2 + 14)
"""When the open invitation of the demo world runs out."""
EVERY_STATE = "[PENDING, ACCEPTED, DECLINED, REVOKED, EXPIRED]"
CAN = """query($what: Permission!, $on: ID) { viewer {
    can(permission: $what, on: $on) { allowed reason grants { roleName } } } }"""
NOT_THERE = "There is nothing with this id that you can see."

NEWCOMER = "3f1d2c64-7a55-4b0e-9c1a-52e7a1f0c9d8"
"""Somebody whom nothing here stores."""


async def can(asker: Asker, permission: Permission, on: str | None = None) -> Any:
    """The answer of `can`, without its grants' permissions."""
    return (await asker.data(CAN, what=permission.name, on=on))["viewer"]["can"]


def called(relations: Relations, name: str) -> str:
    """The id of what the access cases call so."""
    return next(identifier for identifier, known in relations.atlas.names.items() if known == name)


async def holding(database: Database, asker: Asker, table: Any, permission: Permission) -> set[str]:
    """The ids of the rows on which `visible` says that the viewer holds the permission."""
    async with database.reading() as connection:
        rows = await connection.execute(visible(table, permission), binds(asker.viewer, asker.moment))
        return {global_id(table(**row._mapping)) for row in rows}


# --- can --------------------------------------------------------------------------------------------------------------


async def test_can_says_through_what(world: Database, relations: Relations) -> None:
    asker, room = ask(world, "contoso-site-lead"), called(relations, "ber-1@contoso.example")

    decision = await can(asker, Permission.ROOMS_MODIFY, room)

    assert decision == {
        "allowed": True,
        "reason": "ROOMS_MODIFY on this room through Site Lead.",
        "grants": [{"roleName": "Site Lead"}],
    }


async def test_can_says_that_nothing_gives_a_permission_on_what_is_seen(world: Database, relations: Relations) -> None:
    asker, room = ask(world, "contoso-analyst"), called(relations, "ath-1@contoso.example")

    decision = await can(asker, Permission.ROOMS_MODIFY, room)

    assert decision == {"allowed": False, "reason": "Nothing gives you ROOMS_MODIFY on this room.", "grants": []}


async def test_can_without_an_object_is_about_anything_at_all(world: Database) -> None:
    analyst, nobody = ask(world, "contoso-analyst"), ask(world, "contoso-nobody")

    some, none = await can(analyst, Permission.ROOMS_MODIFY), await can(nobody, Permission.ROOMS_MODIFY)

    assert some["allowed"]
    assert some["reason"] == "ROOMS_MODIFY somewhere through Caretaker."
    assert none == {"allowed": False, "reason": "Nothing gives you ROOMS_MODIFY anywhere.", "grants": []}


async def test_can_tells_nothing_of_what_is_unseen(world: Database, relations: Relations) -> None:
    asker, room = ask(world, "northwind-helpdesk"), called(relations, "sea-1@contoso.example")
    tenant = room.split("_")[1]
    not_there = [room, called(relations, "krk-1@fabrikam.example"), f"room_{tenant}_{STRANGER}", "room", "", "x" * 300]

    decisions = [await can(asker, Permission.ROOMS_VIEW, identifier) for identifier in not_there]

    assert decisions == [{"allowed": False, "reason": NOT_THERE, "grants": []}] * len(not_there)


async def test_can_takes_an_id_only_as_it_is_answered(world: Database) -> None:
    asker = ask(world, "northwind-tool")
    itself = str(GlobalId("application", asker.viewer.tenant_id, asker.viewer.principal_id))
    mistaken = itself.replace("application", "user")

    assert (await can(asker, Permission.ROLES_VIEW, itself))["reason"] != NOT_THERE
    assert (await can(asker, Permission.ROLES_VIEW, mistaken))["reason"] == NOT_THERE


ASKED = (
    Permission.ROOMS_VIEW,
    Permission.GROUPS_VIEW,
    Permission.GROUPS_MODIFY,
    Permission.RINGS_MODIFY,
    Permission.ROLES_VIEW,
    Permission.ROLES_MODIFY,
    Permission.PARTNERS_VIEW,
    Permission.PARTNERS_MANAGE,
    Permission.INVITATIONS_ANSWER,
    Permission.AUDIT_VIEW,
)


ASKING = (
    "contoso-manager",
    "contoso-teams-admin",
    "contoso-site-lead",
    "contoso-role-keeper",
    "fabrikam-site-lead",
    "northwind-admin",
    "northwind-helpdesk",
    "northwind-global-admin",
    "northwind-tenant-manager",
    "adatum-guest",
)


@pytest.mark.parametrize(("engine", "person"), on_engines(ASKING), indirect=["engine"])
async def test_can_agrees_with_what_is_visible_on_every_kind_of_object(
    person: str, world: Database, relations: Relations
) -> None:
    asker, seen = ask(world, person), relations.seen(person)
    fields = " ".join(f"{each.name}: can(permission: {each.name}, on: $on) {{ ...decision }}" for each in ASKED)
    decision = "fragment decision on AccessDecision { allowed grants { permissions } }"

    for table, identifiers in seen.items():
        held = {each: await holding(world, asker, table, each) for each in ASKED}
        for identifier in (sorted(identifiers)[:1] + sorted(identifiers)[-1:])[: len(identifiers)]:
            found = (await asker.data(f"query($on: ID!) {{ viewer {{ {fields} }} }} {decision}", on=identifier))[
                "viewer"
            ]

            for each in ASKED:
                answer = found[str(each.name)]
                assert answer["allowed"] == (identifier in held[each]), f"{person}: {each.name} on {identifier}"
                assert all(each.name in grant["permissions"] for grant in answer["grants"])
                assert bool(answer["grants"]) == answer["allowed"]


# --- why a room is seen -----------------------------------------------------------------------------------------------

ROOMS = """{ viewer { rooms(first: 100) { nodes { id viewerPermissions visibleThrough {
    source roleName assignmentName permissions } } } } }"""


@pytest.mark.parametrize(("engine", "person"), on_engines(PEOPLE), indirect=["engine"])
async def test_what_one_may_do_with_a_room_is_what_is_visible(person: str, world: Database) -> None:
    asker = ask(world, person)

    nodes = (await asker.data(ROOMS))["viewer"]["rooms"]["nodes"]

    for permission in Permission:
        may = {node["id"] for node in nodes if permission.name in node["viewerPermissions"]}
        seen = {node["id"] for node in nodes}
        assert may == await holding(world, asker, Room, permission) & seen, permission.name


@pytest.mark.parametrize("person", PEOPLE)
async def test_a_room_is_seen_through_exactly_what_reaches_it(
    person: str, world: Database, relations: Relations
) -> None:
    asker = ask(world, person)

    nodes = (await asker.data(ROOMS))["viewer"]["rooms"]["nodes"]

    for node in nodes:
        shown = {(grant["source"], grant["roleName"], grant["assignmentName"]) for grant in node["visibleThrough"]}
        assert shown == ways_to(relations, asker.viewer, node["id"]), node["id"]
        assert len(shown) == len(node["visibleThrough"]) > 0


def ways_to(relations: Relations, viewer: Viewer, room: str) -> set[tuple[str, str, str | None]]:
    """Everything that shows this room to the viewer, by source and names."""
    is_home = relations.rows[room].tenant_id == viewer.tenant_id
    directory = viewer.directory_roles if is_home and viewer.kind is PrincipalKind.USER else ()
    ways: set[tuple[str, str, str | None]] = {("DIRECTORY_ROLE", role.label, None) for role in directory}
    for assignment in relations.held_by(viewer.tenant_id, viewer.principal_id):
        role = relations.atlas.roles[assignment.role_id]
        partnership = relations.atlas.partnerships.get(assignment.partnership_id)
        rooms = relations.scope(assignment) & (relations.delegated(partnership) if partnership else {room})
        covers = room in rooms or (assignment.all_rooms and is_home)
        if covers and Permission.ROOMS_VIEW in role.permissions:
            ways.add(("ASSIGNMENT", role.name, assignment.name))
    return ways


# --- who one is -------------------------------------------------------------------------------------------------------

WHO = """{ viewer { principal { __typename ... on Node { id } ... on Application { name: displayName }
    ... on User { displayName userPrincipalName tenant { id } } }
    tenant { id displayName domains } rooms { totalCount { value } } } }"""


@pytest.mark.parametrize("person", PEOPLE)
async def test_everybody_is_told_who_they_are_as_stored(person: str, world: Database, relations: Relations) -> None:
    viewer = viewer_of(person)

    found = (await ask(world, person).data(WHO))["viewer"]

    is_user = viewer.kind is PrincipalKind.USER
    identifier = str(GlobalId("user" if is_user else "application", viewer.tenant_id, viewer.principal_id))
    assert found["principal"]["id"] == identifier
    assert found["principal"]["displayName" if is_user else "name"] == relations.rows[identifier].name
    assert found["tenant"]["id"] == f"tenant_{viewer.tenant_id}"


async def test_whom_nobody_stored_is_answered_from_the_token(site: Site) -> None:
    claims = claims_of(
        "contoso-nobody", principal_id=NEWCOMER, display_name="New Here", user_principal_name="new@x.example"
    )

    answer = await site.client(claims).post("/graphql", json={"query": WHO})

    found = answer.json()["data"]["viewer"]
    tenant = f"tenant_{claims.tenant_id}"
    assert found["principal"] == {
        "__typename": "User",
        "id": f"user_{claims.tenant_id}_{NEWCOMER}",
        "displayName": "New Here",
        "userPrincipalName": "new@x.example",
        "tenant": {"id": tenant},
    }
    assert found["tenant"]["id"] == tenant
    assert found["rooms"] == {"totalCount": {"value": 0}}


async def test_whom_nobody_stored_can_fetch_themselves_again(site: Site) -> None:
    crawl, others = site.crawl_as_stranger(NEWCOMER), site.crawl("contoso-manager")
    own = next(identifier for identifier in crawl.objects if identifier.startswith("user_"))
    query = "query($id: ID!) { node(id: $id) { __typename id } }"

    found = [await each.ask(query, id=own) for each in (crawl, others)]

    assert found == [{"node": {"__typename": "User", "id": own}}, {"node": None}]
    assert await crawl.ask(query, id=own.replace("user", "application")) == {"node": None}


async def test_what_one_document_says_of_whom_nobody_stored_is_each_viewers_own(world: Database) -> None:
    manager = ask(world, "contoso-manager")
    tenant = manager.viewer.tenant_id
    document = f'{{ node(id: "user_{tenant}_{NEWCOMER}") {{ id }} }}'
    newcomer = Asker(world, Viewer(tenant, NEWCOMER))

    found = [(await each.data(document))["node"] for each in (manager, newcomer, manager)]

    assert found == [None, {"id": f"user_{tenant}_{NEWCOMER}"}, None]


async def test_whom_nobody_stored_holds_only_directory_roles(world: Database) -> None:
    home = viewer_of("contoso-nobody").tenant_id
    asker = Asker(world, Viewer(home, NEWCOMER, directory_roles=frozenset({DirectoryRole.GLOBAL_READER})))

    found, may = (await asker.data(WHO))["viewer"], await can(asker, Permission.ROOMS_MODIFY)
    through = (await can(asker, Permission.ROOMS_VIEW))["grants"]

    assert found["rooms"] == {"totalCount": {"value": 24}}
    assert through == [{"roleName": "Global Reader"}]
    assert not may["allowed"]


async def test_reading_writes_nothing(world: Database) -> None:
    stranger = Asker(world, Viewer(viewer_of("contoso-nobody").tenant_id, NEWCOMER))
    before = await everything(world)

    for asker in (stranger, ask(world, "contoso-manager"), ask(world, "adatum-manager")):
        await asker.data(WHO)
        await asker.data(f"{{ viewer {{ invitations(states: {EVERY_STATE}) {{ nodes {{ state }} }} }} }}")

    assert await everything(world) == before


async def everything(database: Database) -> dict[str, list[str]]:
    """Every row of every table."""
    async with database.writing() as session:
        connection = await session.connection()
        return {
            name: sorted(str(row) for row in await connection.execute(unscoped(select(table), "tests know everything")))
            for name, table in metadata.tables.items()
        }


@pytest.mark.parametrize("person", PEOPLE)
async def test_who_answers_invitations_is_shown_to_those_who_do(
    person: str, world: Database, relations: Relations
) -> None:
    domain = relations.atlas.domains[viewer_of(person).tenant_id]
    answering = called(relations, f"{domain}: Tenant manager / Tenant managers")

    found = (await ask(world, person).data("{ viewer { tenantManagers { id name role { name side } } } }"))["viewer"]

    is_seen = answering in relations.seen(person)[NOUNS["Assignment"]]
    role = {"name": "Tenant manager", "side": "PARTNER"}
    assert found["tenantManagers"] == ({"id": answering, "name": "Tenant managers", "role": role} if is_seen else None)


async def test_no_statement_outlives_the_rules_that_it_was_made_from(world: Database) -> None:
    """What is made of `visible` is made when it is asked for, so that all of a statement is made of the same rules."""
    forget_statements()

    asked = "tenantManagers { role { name } } auditEntries(first: 1) { nodes { id } }"
    found = await ask(world, "northwind-manager").data(f"{{ viewer {{ {asked} }} }}")

    assert found["viewer"]["tenantManagers"] == {"role": {"name": "Tenant manager"}}
    assert ENGINE._planner.counts["defect"] == 0  # type: ignore[union-attr]


async def test_sign_in_names_stay_at_home(world: Database) -> None:
    members = "members { nodes { ... on User { displayName userPrincipalName } } }"
    query = f"{{ viewer {{ roles {{ nodes {{ assignments(first: 10) {{ nodes {{ {members} }} }} }} }} }} }}"
    sender = "{ viewer { invitations { nodes { sentBy { ... on User { displayName userPrincipalName } } } } } }"

    roles = (await ask(world, "contoso-manager").data(query))["viewer"]["roles"]["nodes"]
    invitations = (await ask(world, "adatum-manager").data(sender))["viewer"]["invitations"]["nodes"]

    people = [
        user for role in roles for each in role["assignments"]["nodes"] for user in each["members"]["nodes"] if user
    ]
    names = {user["displayName"]: user["userPrincipalName"] for user in people}
    assert names["contoso-manager"] == "contoso-manager@contoso.example"
    assert {"northwind-admin": None, "northwind-helpdesk": None}.items() <= names.items()
    assert invitations == [{"sentBy": {"displayName": "contoso-manager", "userPrincipalName": None}}]


# --- invitations ------------------------------------------------------------------------------------------------------

INVITATIONS = """query($states: [InvitationState!]) { viewer { invitations(states: $states) { nodes {
    state roomCount partnerDomain customer { displayName } rooms { nodes { account } } groups { nodes { displayName } }
    } totalCount { value exact } } } }"""


async def invitations(asker: Asker, states: list[str] | None = None) -> Any:
    return (await asker.data(INVITATIONS, states=states))["viewer"]["invitations"]["nodes"]


@pytest.mark.parametrize("person", ["adatum-manager", "adatum-tenant-manager", "adatum-guest"])
async def test_the_invited_side_sees_what_can_be_answered_and_of_the_rooms_their_number(
    person: str, world: Database
) -> None:
    found = await invitations(ask(world, person), EVERY_STATE.strip("[]").split(", "))

    japan, boards, iceland, both = 4, 4, 1, 1
    assert found == [
        {
            "state": "PENDING",
            "roomCount": japan + boards + iceland - both,
            "partnerDomain": "adatum.example",
            "customer": {"displayName": "Contoso"},
            "rooms": {"nodes": []},
            "groups": {"nodes": []},
        }
    ]


async def test_the_customer_sees_which_rooms_it_offered(world: Database) -> None:
    [found] = await invitations(ask(world, "contoso-manager"))

    assert len(found["rooms"]["nodes"]) == found["roomCount"] == 8
    assert {group["displayName"] for group in found["groups"]["nodes"]} == {"日本", "Boardrooms"}


@pytest.mark.parametrize(
    ("moment", "is_open"), [(OFFER_EXPIRES - timedelta(microseconds=1), True), (OFFER_EXPIRES, False)]
)
async def test_an_invitation_lapses_at_its_very_instant(moment: datetime, is_open: bool, world: Database) -> None:
    customer = Asker(world, viewer_of("contoso-manager"), moment)
    invited = Asker(world, viewer_of("adatum-manager"), moment)

    states = {state: len(await invitations(customer, [state])) for state in ("PENDING", "EXPIRED")}

    assert states == ({"PENDING": 1, "EXPIRED": 0} if is_open else {"PENDING": 0, "EXPIRED": 1})
    assert len(await invitations(invited, ["PENDING", "EXPIRED"])) == is_open
    assert (await can(invited, Permission.INVITATIONS_ANSWER, await offer(world)))["allowed"] == is_open


async def offer(database: Database) -> str:
    """The id of the one invitation that is open."""
    asker = ask(database, "contoso-manager")
    return str(
        (await asker.data("{ viewer { invitations { nodes { id } } } }"))["viewer"]["invitations"]["nodes"][0]["id"]
    )


async def test_who_may_answer_an_invitation_is_told_through_what(world: Database) -> None:
    identifier = await offer(world)

    manager = await can(ask(world, "adatum-manager"), Permission.INVITATIONS_ANSWER, identifier)
    customer = await can(ask(world, "contoso-teams-admin"), Permission.INVITATIONS_ANSWER, identifier)

    assert manager["allowed"]
    assert manager["grants"] == [{"roleName": "Teams Rooms Pro Manager"}]
    assert not customer["allowed"]


@pytest.mark.parametrize("field", ["partners", "customers", "invitations"])
async def test_no_state_at_all_answers_nothing(field: str, world: Database) -> None:
    query = f"{{ viewer {{ {field}(states: []) {{ nodes {{ id }} totalCount {{ value exact }} }} }} }}"

    answers = [
        (await ask(world, person).data(query))["viewer"][field] for person in ("contoso-manager", "northwind-admin")
    ]

    assert answers == [{"nodes": [], "totalCount": {"value": 0, "exact": True}}] * 2


# --- partnerships -----------------------------------------------------------------------------------------------------

ENDED = """{ viewer { partners(states: [REMOVED]) { nodes { id state removedAt removedBySide partner { displayName }
    rooms { nodes { id } } roles { nodes { id } } primaryAdmins { id } } } } }"""


async def test_a_removed_partnership_is_history_for_the_customer(world: Database) -> None:
    [found] = (await ask(world, "contoso-manager").data(ENDED))["viewer"]["partners"]["nodes"]

    assert found.pop("id")
    assert found == {
        "state": "REMOVED",
        "removedAt": "2026-11-03T08:00:00.000000Z",
        "removedBySide": "CUSTOMER",
        "partner": {"displayName": "Tailspin"},
        "rooms": {"nodes": []},
        "roles": {"nodes": []},
        "primaryAdmins": None,
    }


@pytest.mark.parametrize("person", ["tailspin-manager", "tailspin-admin"])
async def test_a_removed_partnership_does_not_exist_for_the_partner(person: str, world: Database) -> None:
    ended = (await ask(world, "contoso-manager").data(ENDED))["viewer"]["partners"]["nodes"][0]["id"]
    query = "query($id: ID!) { node(id: $id) { id } viewer { customers(states: [ACTIVE, REMOVED]) { nodes { id } } } }"

    found = await ask(world, person).data(query, id=ended)

    assert found == {"node": None, "viewer": {"customers": {"nodes": []}}}


@pytest.mark.parametrize(("person", "field"), [("contoso-manager", "partners"), ("northwind-helpdesk", "customers")])
async def test_change_control_names_every_event_on_both_sides(person: str, field: str, world: Database) -> None:
    query = f"{{ viewer {{ {field} {{ nodes {{ changeControl {{ event mode }} }} }} }} }}"

    [found] = (await ask(world, person).data(query))["viewer"][field]["nodes"]

    assert found["changeControl"] == [
        {"event": event.name, "mode": "MANUAL" if event is ChangeEvent.RINGS_MODIFY else "AUTO"}
        for event in ChangeEvent
    ]


async def test_a_ring_starts_when_those_before_it_are_done(world: Database) -> None:
    query = "{ viewer { rings { nodes { order rolloutDays testDays defermentDays } } } }"

    found = (await ask(world, "contoso-manager").data(query))["viewer"]["rings"]["nodes"]

    rings = sorted(found, key=lambda ring: ring["order"])
    starts = accumulate((ring["rolloutDays"] + ring["testDays"] for ring in rings), initial=0)
    assert [ring["defermentDays"] for ring in rings] == list(starts)[:-1]
    assert len({ring["defermentDays"] for ring in rings}) == 4
