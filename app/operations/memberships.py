"""Who is in which security group: what the directory says, and what follows from it where groups are in groups.

The directory says who is in a group *itself* (`DirectMember`), groups and people alike. What every request reads is
`GroupMember`: each user and application that is in a group, itself or through groups in it, however deep, in circles or
not. `flatten` is the one place where the second follows from the first. It makes the stored rows of each group that may
be concerned exactly what follows now, so that nobody has to think of what a removal undoes: who is in a group in two
ways stays until both are gone.

Who is not stored, or was removed, is in no group, and nothing passes through a group that was removed. What the
directory said of them is kept, and counts again from the first `flatten` after they are there.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Select, and_, bindparam, delete, func, insert, literal, select, tuple_

from app.access.scoping import unscoped
from app.domain.vocabulary import PrincipalKind
from app.operations.chunks import CHUNK, Progress, write
from app.operations.work import Work
from app.storage.columns import text
from app.storage.dialects import is_listed, pairs_of
from app.storage.directory_pages import Membership
from app.storage.tables import DirectMember, GroupMember, Principal, metadata

Pair = tuple[str, str]
"""A group and a member."""

EVERYBODY = "who is in a group does not depend on who looks"
PRINCIPALS, DIRECT, EFFECTIVE = (
    metadata.tables[str(table.__tablename__)] for table in (Principal, DirectMember, GroupMember)
)
IS_MEMBER = and_(PRINCIPALS.c.tenant_id == DIRECT.c.tenant_id, PRINCIPALS.c.id == DIRECT.c.member_id)
"""The row of principals is who the direct membership names."""
IS_GROUP, IS_PRESENT = PRINCIPALS.c.kind == PrincipalKind.GROUP, PRINCIPALS.c.removed_at.is_(None)


@dataclass(frozen=True, slots=True)
class Moves:
    """How many came and went."""

    added: int
    removed: int


# What the directory says


async def change_direct_members(
    work: Work, tenant_id: str, memberships: Mapping[str, Membership], on_progress: Progress = lambda _: None
) -> Moves:
    """Make the direct members of these groups what was said of them; `on_progress` is told of each membership told."""
    told = [(group, member, is_in) for group, said in memberships.items() for member, is_in in said.told.items()]
    coming = {(group, member) for group, member, is_in in told if is_in}
    going = []
    async for pair in read_direct_members(work, tenant_id, memberships):
        if pair in coming:
            coming.remove(pair)
        elif is_gone(memberships, pair):
            going.append(pair)
    on_progress(len(told) - len(coming))
    this_pair = (DIRECT.c.group_id == bindparam("group"), DIRECT.c.member_id == bindparam("member"))
    gone = delete(DIRECT).where(DIRECT.c.tenant_id == tenant_id, *this_pair)
    await write(work, gone, going, lambda pair: {"group": pair[0], "member": pair[1]})
    new = insert(DIRECT).values(tenant_id=tenant_id)
    await write(work, new, sorted(coming), lambda pair: {"group_id": pair[0], "member_id": pair[1]}, on_progress)
    return Moves(len(coming), len(going))


async def read_direct_members(work: Work, tenant_id: str, memberships: Mapping[str, Membership]) -> AsyncIterator[Pair]:
    """The stored direct members of these groups."""
    pairs = select(DIRECT.c.group_id, DIRECT.c.member_id).where(
        DIRECT.c.tenant_id == tenant_id, is_listed(DIRECT.c.group_id, bindparam("groups", type_=text()))
    )
    connection = await work.session.connection()
    groups = {"groups": orjson.dumps(list(memberships)).decode()}
    async for row in await connection.stream(unscoped(pairs, EVERYBODY).execution_options(yield_per=CHUNK), groups):
        yield row.group_id, row.member_id


def is_gone(memberships: Mapping[str, Membership], pair: Pair) -> bool:
    """A stored member that was not said to be in the group: it was removed, or is not on the whole list."""
    said = memberships[pair[0]]
    return said.is_whole or pair[1] in said.told


async def count_unknown_members(work: Work, tenant_id: str) -> int:
    """How many the directory says are in a group, who are not stored."""
    unknown = select(func.count(DIRECT.c.member_id.distinct())).where(
        DIRECT.c.tenant_id == tenant_id, ~select(PRINCIPALS.c.id).where(IS_MEMBER).exists()
    )
    connection = await work.session.connection()
    return int((await connection.execute(unscoped(unknown, EVERYBODY))).scalar_one())


# What follows


async def flatten(work: Work, tenant_id: str, changed: Collection[str]) -> Moves:
    """Make the stored memberships those that follow from what the directory says now, in this one transaction.

    `changed` are the principals of whom anything may be said now that was not: that they are there or gone, or who is
    in them. Looked at are the groups among them, those that any of them is in, or somebody who was stored meanwhile
    because they asked, and all groups around these.
    """
    nested = await read_nested(work, tenant_id)
    around = gather((inner, group) for group, inner in nested)
    looked_at = set(reach([*changed, *await read_groups_of(work, tenant_id, changed)], around))
    groups = [group for group in await read_groups(work, tenant_id) if group in looked_at]
    within = groups_within(groups, nested)
    bound = {"within": orjson.dumps(within).decode(), "groups": orjson.dumps(list(looked_at)).decode()}
    follow, stored = following(work.dialect, tenant_id), stored_pairs(tenant_id)
    connection = await work.session.connection()
    surplus = stored.except_(follow).subquery()  # not as a query of its own, SQLite would take minutes for a large one
    pair = tuple_(EFFECTIVE.c.group_id, EFFECTIVE.c.member_id)
    is_surplus = pair.in_(select(surplus.c.group_id, surplus.c.member_id))
    gone = delete(EFFECTIVE).where(EFFECTIVE.c.tenant_id == tenant_id, is_surplus)
    removed = await connection.execute(unscoped(gone, EVERYBODY), bound)
    missing = follow.except_(stored).subquery()
    rows = select(literal(tenant_id), missing.c.group_id, missing.c.member_id)
    new = insert(EFFECTIVE).from_select(["tenant_id", "group_id", "member_id"], rows)
    added = await connection.execute(unscoped(new, EVERYBODY).execution_options(preserve_rowcount=True), bound)
    return Moves(added.rowcount, removed.rowcount)


async def read_groups_of(work: Work, tenant_id: str, members: Collection[str]) -> list[str]:
    """The groups that any of these is in itself, or somebody who is there and does not count yet."""
    these = is_listed(DIRECT.c.member_id, bindparam("members", type_=text()))
    groups = select(DIRECT.c.group_id).where(DIRECT.c.tenant_id == tenant_id)
    counts = select(EFFECTIVE.c.member_id).where(*(EFFECTIVE.c[each.name] == each for each in DIRECT.primary_key))
    overlooked = groups.join(PRINCIPALS, IS_MEMBER).where(IS_PRESENT, ~IS_GROUP, ~counts.exists())
    found = unscoped(groups.where(these).union(overlooked), EVERYBODY)
    bound = {"members": orjson.dumps(list(members)).decode()}
    return list((await (await work.session.connection()).execute(found, bound)).scalars())


async def read_groups(work: Work, tenant_id: str) -> list[str]:
    """The groups that are there."""
    groups = select(PRINCIPALS.c.id).where(PRINCIPALS.c.tenant_id == tenant_id, IS_PRESENT, IS_GROUP)
    return list((await (await work.session.connection()).execute(unscoped(groups, EVERYBODY))).scalars())


async def read_nested(work: Work, tenant_id: str) -> list[Pair]:
    """Groups that are in groups themselves."""
    pairs = select(DIRECT.c.group_id, DIRECT.c.member_id).join(PRINCIPALS, IS_MEMBER)
    nested = pairs.where(DIRECT.c.tenant_id == tenant_id, IS_PRESENT, IS_GROUP)
    found = await (await work.session.connection()).execute(unscoped(nested, EVERYBODY))
    return [(row.group_id, row.member_id) for row in found]


def groups_within(groups: Iterable[str], nested: Iterable[Pair]) -> list[Pair]:
    """Each group with itself and every group within it.

    There are few of them beside the people, and a recursive statement took SQLite minutes for what takes this no time.
    """
    inside = gather(nested)
    return [(group, inner) for group in groups for inner in reach([group], inside)]


def gather(pairs: Iterable[Pair]) -> Mapping[str, list[str]]:
    """What each of the first comes with."""
    gathered: defaultdict[str, list[str]] = defaultdict(list)
    for first, second in pairs:
        gathered[first].append(second)
    return gathered


def reach(starts: Iterable[str], onward: Mapping[str, list[str]]) -> Iterable[str]:
    """These and everything that is reached from them, each once, also where it goes in circles."""
    reached = dict.fromkeys(starts)
    pending = list(reached)
    while pending:
        new = [each for each in onward.get(pending.pop(), ()) if each not in reached]
        reached |= dict.fromkeys(new)
        pending += new
    return reached


def following(dialect: str, tenant_id: str) -> Select[Any]:
    """The memberships that follow: whoever is in a group within the group. `within` is bound as JSON."""
    within = pairs_of(bindparam("within", type_=text()), dialect)
    is_within = and_(DIRECT.c.tenant_id == tenant_id, DIRECT.c.group_id == within.c.second)
    members = select(within.c.first.label("group_id"), DIRECT.c.member_id).join(DIRECT, is_within)
    return members.join(PRINCIPALS, IS_MEMBER).where(IS_PRESENT, ~IS_GROUP)


def stored_pairs(tenant_id: str) -> Select[Any]:
    """The memberships that are stored of the groups that are looked at, bound as `groups`."""
    is_looked_at = is_listed(EFFECTIVE.c.group_id, bindparam("groups", type_=text()))
    return select(EFFECTIVE.c.group_id, EFFECTIVE.c.member_id).where(EFFECTIVE.c.tenant_id == tenant_id, is_looked_at)
