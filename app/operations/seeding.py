"""Putting a world into a database: all of it, on the record as done by the system, or nothing.

What belongs to one tenant is here; `seeding_partners` has what links two, `seeding_rights` roles and assignments,
`seeding_approvals` changes that wait.
"""

from collections import defaultdict
from collections.abc import Sequence

from app.domain.audit import AuditAction
from app.domain.refusals import CommandRefused
from app.domain.rings import MAX_TOTAL_DAYS, deferments
from app.domain.text import name_key
from app.domain.vocabulary import AuditCategory, AuditOperation, PrincipalKind
from app.operations.memberships import flatten
from app.operations.names import Names, refusal
from app.operations.seeding_approvals import add_approval_requests
from app.operations.seeding_partners import add_invitations, add_partnerships
from app.operations.seeding_rights import add_assignments, add_roles
from app.operations.tenants import add_tenant
from app.operations.work import Work
from app.storage.global_ids import global_id
from app.storage.graph_pages import BadFile
from app.storage.principal_keys import principal_keys
from app.storage.room_keys import room_keys
from app.storage.tables import DirectMember, Principal, Room, RoomGroup, RoomGroupRoom, UpdateRing
from app.storage.world_entries import (
    ApplicationEntry,
    GroupEntry,
    PersonEntry,
    RingEntry,
    RoomEntry,
    SecurityGroupEntry,
    TenantEntry,
    World,
)


async def seed_world(work: Work, world: World) -> dict[str, int]:
    """Make everything that this world says, at the moment of the work; says how much of what.

    Raises `BadFile`, naming file, section, entry and field, if any of it cannot be or is there already.
    """
    names = Names(work)
    await add_tenants(work, world.tenants)
    await names.load(world)
    await add_principals(work, names, [*world.people, *world.applications, *world.security_groups])
    await add_group_members(work, names, world.security_groups)
    await add_rings(work, names, world.rings)
    await add_rooms(work, names, world.rooms)
    await add_groups(work, names, world.groups)
    await add_partnerships(work, names, world.partnerships)
    await add_invitations(work, names, world.invitations)
    await add_roles(work, names, world.roles)
    await add_assignments(work, names, world.assignments)
    await add_approval_requests(work, names, world.approval_requests)
    return {section: len(getattr(world, section)) for section in World.model_fields}


async def add_tenants(work: Work, entries: Sequence[TenantEntry]) -> None:
    """The organizations, with what every tenant has."""
    for entry in entries:
        fields = entry.model_dump(exclude={"id"})
        try:
            await add_tenant(work, tenant_id=entry.id, **fields)
        except CommandRefused as refused:
            raise BadFile([f"{entry.place}: {refused}"]) from None


PrincipalEntry = PersonEntry | ApplicationEntry | SecurityGroupEntry
PRINCIPALS: dict[type[PrincipalEntry], tuple[PrincipalKind, AuditAction]] = {
    PersonEntry: (PrincipalKind.USER, AuditAction.USER_ADD),
    ApplicationEntry: (PrincipalKind.APPLICATION, AuditAction.APPLICATION_ADD),
    SecurityGroupEntry: (PrincipalKind.GROUP, AuditAction.SECURITY_GROUP_ADD),
}


async def add_principals(work: Work, names: Names, entries: Sequence[PrincipalEntry]) -> None:
    """The people, tools and security groups of the directories."""
    for entry in entries:
        kind, action = PRINCIPALS[type(entry)]
        sign_in = getattr(entry, "user_principal_name", None)
        row = Principal(
            tenant_id=names.tenants[entry.tenant].id,
            id=entry.id or work.new_id(),
            kind=kind,
            name=entry.name,
            user_principal_name=sign_in,
            user_type=getattr(entry, "user_type", None),
            created_at=work.moment,
            **principal_keys(name=entry.name, user_principal_name=sign_in),
        )
        names.claim(row, entry)
        work.session.add(row)
        work.created(AuditCategory.USER, action, row.tenant_id, row.name, row)
    await work.store()


async def add_group_members(work: Work, names: Names, entries: Sequence[SecurityGroupEntry]) -> None:
    """Who is in the security groups: users, applications and groups of the same tenant."""
    changed: defaultdict[str, list[str]] = defaultdict(list)
    for entry in entries:
        tenant = names.tenants[entry.tenant]
        group = names.find(Principal, tenant.id, entry.name, entry, "name")
        members = names.principals(tenant.id, entry, "members")
        await work.store(*(DirectMember(tenant_id=tenant.id, group_id=group.id, member_id=each.id) for each in members))
        changed[tenant.id].append(group.id)
    for tenant_id, groups in changed.items():
        await flatten(work, tenant_id, groups)


async def add_rings(work: Work, names: Names, entries: Sequence[RingEntry]) -> None:
    """The tenants' own update rings, each in a place that is free."""
    for entry in entries:
        tenant = names.tenants[entry.tenant]
        others = names.all(UpdateRing, tenant.id)
        if taken := [ring.name for ring in others if ring.position == entry.order]:
            raise refusal(entry, "order", f"a place that no ring has, unlike that of {taken[0]}", entry.order)
        row = UpdateRing(
            tenant_id=tenant.id,
            id=work.new_id(),
            name=entry.name,
            name_key=name_key(entry.name),
            description=entry.description,
            position=entry.order,
            rollout_days=entry.rollout_days,
            test_days=entry.test_days,
            deferment_days=0,
        )
        names.claim(row, entry)
        schedule(work, row, sorted([*others, row], key=lambda ring: ring.position), entry)
        await work.store(row)
        work.created(AuditCategory.UPDATE_RING, AuditAction.RING_CREATE, tenant.id, row.name, row, order=row.position)


def schedule(work: Work, new: UpdateRing, rings: Sequence[UpdateRing], entry: RingEntry) -> None:
    """Let each ring begin when the ones before it are done; later rings move (domain.md 6.3, RING-2)."""
    days = [ring.rollout_days + ring.test_days for ring in rings]
    if sum(days) > MAX_TOTAL_DAYS:
        raise refusal(entry, "rolloutDays", f"at most {MAX_TOTAL_DAYS} days over all rings", sum(days))
    for ring, start in zip(rings, deferments(days), strict=True):
        if ring is not new and ring.deferment_days != start:
            before, after = str(ring.deferment_days), str(start)
            ring.version += 1
            work.record(
                AuditCategory.UPDATE_RING,
                AuditOperation.UPDATE,
                AuditAction.RING_UPDATE,
                ring.tenant_id,
                ring.name,
                subject=global_id(ring),
                changes=[{"field": "deferment_days", "before": before, "after": after}],
            )
        ring.deferment_days = start


async def add_rooms(work: Work, names: Names, entries: Sequence[RoomEntry]) -> None:
    """The meeting rooms."""
    for entry in entries:
        tenant = names.tenants[entry.tenant]
        ring = names.find(UpdateRing, tenant.id, entry.ring, entry, "ring")
        columns = entry.model_dump(exclude={"tenant", "ring", "tags"})
        keyed = {key: columns[key] for key in ("name", "account", "label", "nickname", "building", "city")}
        row = Room(
            tenant_id=tenant.id,
            id=work.new_id(),
            created_at=work.moment,
            updated_at=work.moment,
            ring_id=ring.id,
            tags=list(entry.tags),
            **columns,
            **room_keys(**keyed),
        )
        names.claim_room(tenant.id, row, entry)
        work.session.add(row)
        work.created(AuditCategory.ROOM, AuditAction.ROOM_CREATE, tenant.id, row.name, row, account=row.account)
    await work.store()


async def add_groups(work: Work, names: Names, entries: Sequence[GroupEntry]) -> None:
    """The room groups with their rooms."""
    for entry in entries:
        tenant = names.tenants[entry.tenant]
        row = RoomGroup(tenant_id=tenant.id, id=work.new_id(), name=entry.name, name_key=name_key(entry.name))
        names.claim(row, entry)
        rooms = names.rooms(tenant.id, entry)
        await work.store(row)
        await work.store(*(RoomGroupRoom(tenant_id=tenant.id, group_id=row.id, room_id=room) for room in rooms))
        facts = {"rooms": len(rooms)}
        work.created(AuditCategory.ROOM_GROUP, AuditAction.GROUP_CREATE, tenant.id, row.name, row, **facts)
