"""A small prepared world in which every kind of step is possible at once, and how it is read from a database."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import orjson
from sqlalchemy import Row, Select
from sqlmodel import select

from app.access.scoping import unscoped
from app.access.tripwire import arm
from app.access.viewer import SYSTEM
from app.domain.ids import GlobalId
from app.domain.permissions import BuiltInRole, DirectoryRole
from app.domain.vocabulary import PartnershipState, PrincipalKind, UserType
from app.operations.seeding import seed_world
from app.operations.work import Work
from app.storage.engines import Database
from app.storage.tables import metadata
from app.storage.world_entries import World
from tests.access.policy import Key
from tests.graph import life_model as model
from tests.graph.life_model import Actor, Life
from tests.world import SEEDED_AT

ALPHA, BETA, GAMMA, DELTA = TENANTS = ("alpha", "beta", "gamma", "delta")
"""A customer; a customer that is a partner, too; and two partners."""
MANAGER, GLOBAL, ANSWER, ANN, BOB, GUEST, TOOL = PEOPLE = (
    "manager",
    "global",
    "answer",
    "ann",
    "bob",
    "guest",
    "tool",
)
TEAM, EMPTY = GROUPS = ("team", "empty")
OTHER_DIRECTORY_ROLES = {(ALPHA, BOB): ("TEAMS_ADMINISTRATOR",), (BETA, GUEST): ("GLOBAL_READER",)}
KEEPING = ["ROOMS_VIEW", "ROOMS_MODIFY", "GROUPS_VIEW", "ROLES_VIEW", "ROLES_MODIFY"]
EVERYTHING = "tests know everything"


def number(*parts: str) -> str:
    """An id that is the same in every run."""
    return str(uuid5(NAMESPACE_DNS, "/".join(parts)))


def tenant_id(tenant: str) -> str:
    return number(tenant)


def principal_key(tenant: str, name: str) -> Key:
    return tenant_id(tenant), number(tenant, name)


def directory_roles(tenant: str, name: str) -> tuple[str, ...]:
    return ("GLOBAL_ADMINISTRATOR",) if name == GLOBAL else OTHER_DIRECTORY_ROLES.get((tenant, name), ())


def actors() -> dict[Key, tuple[str, Actor]]:
    """Everybody who may ask, with a name to read."""
    found = {}
    for tenant in TENANTS:
        for name in PEOPLE:
            key = principal_key(tenant, name)
            kind = PrincipalKind.APPLICATION if name == TOOL else PrincipalKind.USER
            roles = frozenset(DirectoryRole[each] for each in directory_roles(tenant, name))
            found[key] = (f"{tenant}-{name}", Actor(*key, kind, roles, is_guest=name == GUEST))
    return found


def entries() -> dict[str, list[dict[str, Any]]]:
    """The world, as people write one."""
    domain = {tenant: f"{tenant}.example" for tenant in TENANTS}
    people = [name for name in PEOPLE if name != TOOL]
    alpha, beta, gamma, delta = domain.values()
    return {
        "tenants": [
            {
                "name": tenant.title(),
                "id": tenant_id(tenant),
                "domains": [domain[tenant]],
                "mayBePartner": tenant != ALPHA,
            }
            for tenant in TENANTS
        ],
        "people": [
            {
                "tenant": domain[tenant],
                "name": f"{tenant}-{name}",
                "id": number(tenant, name),
                "userType": "Guest" if name == GUEST else "Member",
                "directoryRoles": list(directory_roles(tenant, name)),
            }
            for tenant in TENANTS
            for name in people
        ],
        "applications": [
            {"tenant": domain[tenant], "name": f"{tenant}-{TOOL}", "id": number(tenant, TOOL)} for tenant in TENANTS
        ],
        "securityGroups": [
            {
                "tenant": domain[tenant],
                "name": f"{tenant}-{group}",
                "id": number(tenant, group),
                "members": [f"{tenant}-{ANN}", f"{tenant}-{GUEST}"] if group == TEAM else [],
            }
            for tenant in TENANTS
            for group in GROUPS
        ],
        "rooms": [
            {"tenant": domain[tenant], "account": f"{room}@{domain[tenant]}", "name": f"{tenant} {room}"}
            for tenant, rooms in ((ALPHA, "abcde"), (BETA, "abc"), (GAMMA, "a"))
            for room in rooms
        ],
        "groups": [
            {"tenant": domain[tenant], "name": name, "rooms": [f"{room}@{domain[tenant]}" for room in rooms]}
            for tenant, name, rooms in (
                (ALPHA, "first", "abc"),
                (ALPHA, "second", "cd"),
                (ALPHA, "none", ""),
                (BETA, "first", "ab"),
            )
        ],
        "partnerships": [
            {
                "customer": alpha,
                "partner": gamma,
                "establishedAt": "-P1D",
                "primaryAdmins": [f"gamma-{BOB}", f"gamma-{EMPTY}"],
                "rooms": [f"e@{alpha}"],
                "groups": ["first"],
                "manual": ["ROOMS_MODIFY"],
            },
            {
                "customer": beta,
                "partner": delta,
                "establishedAt": "-P1D",
                "primaryAdmins": [f"delta-{TEAM}"],
                "rooms": [f"{room}@{beta}" for room in "ab"],
                "manual": ["ROLES_MODIFY"],
            },
        ],
        "invitations": [
            {
                "customer": customer,
                "partner": partner,
                "sentAt": "-P1D",
                "expiresInDays": days,
                "sentBy": f"{name}-{MANAGER}",
                "rooms": [f"a@{customer}"],
                "groups": ["first"],
                "termsVersion": model.TERMS,
            }
            for customer, name, partner, days in ((alpha, ALPHA, beta, 10), (beta, BETA, gamma, 2))
        ],
        "roles": [
            {"customer": alpha, "name": "Keepers", "permissions": KEEPING},
            {"customer": alpha, "partner": gamma, "name": "Keepers", "permissions": KEEPING},
            {"customer": beta, "partner": delta, "name": "Desk", "permissions": ["ROOMS_VIEW", "TICKETS_VIEW"]},
        ],
        "assignments": [
            *(
                {
                    "customer": domain[tenant],
                    "role": "Teams Rooms Pro Manager",
                    "name": "Managers",
                    "members": [f"{tenant}-{MANAGER}"],
                }
                for tenant in TENANTS
            ),
            *(
                {"customer": domain[tenant], "role": "Tenant manager", "name": "Tenant managers", "members": members}
                for tenant, members in ((BETA, [f"beta-{TEAM}"]), (GAMMA, [f"gamma-{ANSWER}", f"gamma-{TEAM}"]))
            ),
            {"customer": alpha, "role": "Keepers", "name": "Some", "members": [f"alpha-{ANN}"], "groups": ["second"]},
            {
                "customer": alpha,
                "partner": gamma,
                "role": "Keepers",
                "name": "Some",
                "members": [f"gamma-{ANN}", f"gamma-{TOOL}"],
                "rooms": [f"{room}@{alpha}" for room in "ae"],
            },
            {
                "customer": beta,
                "partner": delta,
                "role": "Desk",
                "name": "Desk",
                "members": [f"delta-{TEAM}", f"delta-{BOB}"],
                "rooms": [f"{room}@{beta}" for room in "bc"],
            },
        ],
    }


async def prepare(address: str) -> None:
    """Put the world into this database."""
    world = World.model_validate_json(orjson.dumps(entries()))
    async with Database(address) as database, Work.begin(arm(database), SYSTEM, SEEDED_AT, "seed") as work:
        await seed_world(work, world)


# --- what is stored -------------------------------------------------------------------------------------------------


Rows = Mapping[str, Sequence[Row[Any]]]
STATEMENTS: dict[str, Select[Any]] = {
    name: unscoped(select(table), EVERYTHING) for name, table in metadata.tables.items()
}


async def rows_of(database: Database) -> Rows:
    """Every row of every table."""
    async with database.reading() as connection:
        return {name: (await connection.execute(statement)).all() for name, statement in STATEMENTS.items()}


def key(row: Row[Any]) -> Key:
    return row.tenant_id, row.id


def linked(rows: Sequence[Row[Any]], to: str, name: str) -> dict[Key, frozenset[str]]:
    """What a table of links says belongs to each."""
    found: dict[Key, set[str]] = {}
    for row in rows:
        found.setdefault((row.tenant_id, getattr(row, to)), set()).add(getattr(row, name))
    return {each: frozenset(names) for each, names in found.items()}


def read(rows: Rows, now: Any) -> Life:
    """What these rows say, as the model knows it."""
    nothing: frozenset[str] = frozenset()
    offered_rooms = linked(rows["invitation_rooms"], "invitation_id", "room_id")
    offered_groups = linked(rows["invitation_groups"], "invitation_id", "group_id")
    rooms = linked(rows["assignment_rooms"], "assignment_id", "room_id")
    groups = linked(rows["assignment_groups"], "assignment_id", "group_id")
    in_room_groups = linked(rows["room_group_rooms"], "group_id", "room_id")
    members: dict[Key, set[Key]] = {}
    for row in rows["assignment_members"]:
        members.setdefault((row.tenant_id, row.assignment_id), set()).add((row.member_tenant_id, row.member_id))
    return Life(
        now=now,
        domains={row.name: row.tenant_id for row in rows["domains"]},
        may_be_partner=frozenset(row.id for row in rows["tenants"] if row.may_be_partner),
        people={key(row): model.Person(row.kind, row.user_type is UserType.GUEST) for row in rows["principals"]},
        in_groups=frozenset((row.tenant_id, row.group_id, row.member_id) for row in rows["group_members"]),
        rooms={key(row): model.Room(row.version, row.label, row.capacity) for row in rows["rooms"]},
        room_groups={key(row): in_room_groups.get(key(row), nothing) for row in rows["room_groups"]},
        partnerships={
            key(row): model.Partnership(
                row.partner_tenant_id, row.delegation_id, row.manual_events, row.state, row.version
            )
            for row in rows["partnerships"]
        },
        invitations={
            key(row): model.Invitation(
                row.partner_tenant_id,
                row.expires_at,
                row.manual_events,
                offered_rooms.get(key(row), nothing),
                offered_groups.get(key(row), nothing),
                row.sent_by_id,
                row.state,
                row.version,
                row.closed_at is not None,
                row.partnership_id,
            )
            for row in rows["invitations"]
        },
        roles={
            key(row): model.Role(row.name, row.permissions, row.partnership_id, row.built_in, row.version)
            for row in rows["roles"]
        },
        assignments={
            key(row): model.Assignment(
                row.role_id,
                row.name,
                frozenset(members.get(key(row), ())),
                rooms.get(key(row), nothing),
                groups.get(key(row), nothing),
                row.partnership_id,
                row.all_rooms,
                row.notify_by_email,
                row.version,
            )
            for row in rows["assignments"]
        },
        requests={
            key(row): model.Request(
                row.partnership_id,
                row.mutation,
                (row.requester_tenant_id, row.requester_id),
                row.expires_at,
                row.state,
                row.version,
                row.decided_at is not None,
                (row.decider_tenant_id, row.decider_id) if row.decider_id else None,
            )
            for row in rows["approval_requests"]
        },
    )


# --- what always holds, by counting rows ----------------------------------------------------------------------------


def broken_links(rows: Rows) -> list[Key]:
    """Pairs of customer and partner with more than one open invitation or active partnership, taken together."""
    links = [(row.tenant_id, row.partner_tenant_id) for row in rows["invitations"] if row.closed_at is None]
    active = [row for row in rows["partnerships"] if row.state is PartnershipState.ACTIVE]
    links += [(row.tenant_id, row.partner_tenant_id) for row in active]
    return [pair for pair in set(links) if links.count(pair) > 1]


def without_admins(rows: Rows) -> set[Key]:
    """Active partnerships whose Primary admin role no user holds, security groups counted by their members."""
    users = {key(row) for row in rows["principals"] if row.kind is PrincipalKind.USER}
    primary = {key(row) for row in rows["roles"] if row.built_in is BuiltInRole.PRIMARY_ADMIN}
    administered = set()
    for row in rows["assignments"]:
        if (row.tenant_id, row.role_id) in primary:
            held = {(m.member_tenant_id, m.member_id) for m in rows["assignment_members"] if m.assignment_id == row.id}
            held |= {(g.tenant_id, g.member_id) for g in rows["group_members"] if (g.tenant_id, g.group_id) in held}
            if held & users:
                administered.add((row.tenant_id, row.partnership_id))
    active = {key(row) for row in rows["partnerships"] if row.state is PartnershipState.ACTIVE}
    return active - administered


def global_ids(life: Life) -> dict[str, list[str]]:
    """The ids of everything there is, by table."""
    words = {PrincipalKind.USER: "user", PrincipalKind.GROUP: "securitygroup", PrincipalKind.APPLICATION: "application"}
    stores: dict[str, Mapping[Key, Any]] = {
        "Room": life.rooms,
        "RoomGroup": life.room_groups,
        "Partnership": life.partnerships,
        "Invitation": life.invitations,
        "Role": life.roles,
        "Assignment": life.assignments,
        "ApprovalRequest": life.requests,
    }
    found = {table: [str(GlobalId(table.lower(), *each)) for each in store] for table, store in stores.items()}
    found["Principal"] = [str(GlobalId(words[person.kind], *each)) for each, person in life.people.items()]
    return found
