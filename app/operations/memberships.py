"""Who is in which security group: what the directory says, and what follows from it where groups are in groups.

The directory says who is in a group *itself* (`DirectMember`), groups and people alike. What every request reads is
`GroupMember`: each user and application that is in a group, itself or through groups in it, however deep, in circles or
not. `flatten` is the one place where the second follows from the first. It makes the stored rows exactly what follows
now, so that nobody has to think of what a removal undoes: who is in a group in two ways stays until both are gone.

Who is not stored, or was removed, is in no group, and nothing passes through a group that was removed. What the
directory said of them is kept, and counts again from the first `flatten` after they are there.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import CTE, Select, and_, bindparam, delete, func, insert, literal, select, tuple_

from app.access.scoping import unscoped
from app.domain.vocabulary import PrincipalKind
from app.operations.chunks import CHUNK, Progress, write
from app.operations.work import Work
from app.storage.columns import text
from app.storage.dialects import is_listed
from app.storage.directory_pages import Membership
from app.storage.tables import DirectMember, GroupMember, Principal, metadata

Pair = tuple[str, str]
"""A group and a member."""

EVERYBODY = "who is in a group does not depend on who looks"
PRINCIPALS, DIRECT, EFFECTIVE = (
    metadata.tables[str(table.__tablename__)] for table in (Principal, DirectMember, GroupMember)
)
IS_GROUP = PRINCIPALS.c.kind == PrincipalKind.GROUP


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
    here = and_(PRINCIPALS.c.tenant_id == DIRECT.c.tenant_id, PRINCIPALS.c.id == DIRECT.c.member_id)
    unknown = select(func.count(DIRECT.c.member_id.distinct())).where(
        DIRECT.c.tenant_id == tenant_id, ~select(PRINCIPALS.c.id).where(here).exists()
    )
    connection = await work.session.connection()
    return int((await connection.execute(unscoped(unknown, EVERYBODY))).scalar_one())


# What follows


async def flatten(work: Work, tenant_id: str) -> Moves:
    """Make the stored memberships those that follow from what the directory says now, in this one transaction."""
    connection = await work.session.connection()
    follow, stored = following(tenant_id), stored_pairs(tenant_id)
    pair = tuple_(EFFECTIVE.c.group_id, EFFECTIVE.c.member_id)
    gone = delete(EFFECTIVE).where(EFFECTIVE.c.tenant_id == tenant_id, pair.in_(stored.except_(follow)))
    removed = await connection.execute(unscoped(gone, EVERYBODY))
    missing = follow.except_(stored).subquery()
    rows = select(literal(tenant_id), missing.c.group_id, missing.c.member_id)
    new = insert(EFFECTIVE).from_select(["tenant_id", "group_id", "member_id"], rows)
    added = await connection.execute(unscoped(new, EVERYBODY).execution_options(preserve_rowcount=True))
    return Moves(added.rowcount, removed.rowcount)


def stored_pairs(tenant_id: str) -> Select[Any]:
    """The memberships that are stored."""
    return select(EFFECTIVE.c.group_id, EFFECTIVE.c.member_id).where(EFFECTIVE.c.tenant_id == tenant_id)


def following(tenant_id: str) -> Select[Any]:
    """The memberships that follow: who is in a group, or in a group within it."""
    within = groups_within(tenant_id)
    is_member = and_(DIRECT.c.tenant_id == tenant_id, DIRECT.c.group_id == within.c.inner_id)
    members = select(within.c.group_id, DIRECT.c.member_id).join(DIRECT, is_member)
    found = members.join(PRINCIPALS, is_present(tenant_id)).where(~IS_GROUP).subquery()
    return select(found.c.group_id, found.c.member_id)


def groups_within(tenant_id: str) -> CTE:
    """Each group with itself and every group within it. A union has each pair once, which ends circles.

    It is nested where it is used: Python's SQLite counts no rows of a change that begins with anything but its verb.
    """
    itself = select(PRINCIPALS.c.id.label("group_id"), PRINCIPALS.c.id.label("inner_id"))
    ours = (PRINCIPALS.c.tenant_id == tenant_id, PRINCIPALS.c.removed_at.is_(None), IS_GROUP)
    within = itself.where(*ours).cte("groups_within", recursive=True, nesting=True)
    is_member = and_(DIRECT.c.tenant_id == tenant_id, DIRECT.c.group_id == within.c.inner_id)
    deeper = select(within.c.group_id, DIRECT.c.member_id).join(DIRECT, is_member)
    return within.union(deeper.join(PRINCIPALS, is_present(tenant_id)).where(IS_GROUP))


def is_present(tenant_id: str) -> Any:
    """The row of principals is the member, whom the directory still has."""
    this = and_(PRINCIPALS.c.tenant_id == tenant_id, PRINCIPALS.c.id == DIRECT.c.member_id)
    return and_(this, PRINCIPALS.c.removed_at.is_(None))
