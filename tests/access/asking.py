"""Both answers for one asker, side by side: what `visible` finds in a database, and what the policy says."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from sqlalchemy import CompoundSelect, Select, Subquery, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from app.access import visible as rules
from app.access.viewer import Viewer, binds
from app.domain.permissions import Permission, Right, Standing
from app.storage.tables import (
    ApprovalRequest,
    Assignment,
    AuditEntry,
    Invitation,
    Partnership,
    Principal,
    Role,
    Room,
    RoomGroup,
    Tenant,
    UpdateRing,
)
from tests.access.policy import Asker, Key, Policy, World

Pair = tuple[type[SQLModel], Right] | tuple[type[SQLModel], Right, Literal["in parts"]]
"""What is asked of `visible`, or of `ways`, whose parts together have to be the same."""
Answers = dict[Pair, Counter[Key]]

ALWAYS: tuple[Pair, ...] = (
    (Room, Permission.ROOMS_VIEW),
    (Room, Permission.ROOMS_VIEW, "in parts"),
    (RoomGroup, Permission.GROUPS_VIEW),
    (RoomGroup, Permission.GROUPS_MODIFY),
    (UpdateRing, Permission.RINGS_VIEW),
    (UpdateRing, Permission.RINGS_MODIFY),
    (Partnership, Standing.PARTY),
    (Partnership, Standing.PRIMARY_ADMIN),
    (Partnership, Standing.ADDRESSEE),
    (Partnership, Standing.PARTNER_MANAGER),
    (Partnership, Permission.PARTNERS_VIEW),
    (Partnership, Permission.ROLES_MODIFY),
    (Invitation, Standing.PARTY),
    (Invitation, Standing.ADDRESSEE),
    (Invitation, Permission.PARTNERS_VIEW),
    (Invitation, Permission.PARTNERS_MANAGE),
    (Invitation, Permission.INVITATIONS_ANSWER),
    (Role, Standing.PARTY),
    (Role, Permission.ROLES_VIEW),
    (Role, Permission.ROLES_MODIFY),
    (Role, Permission.PARTNERS_MANAGE),
    (Role, Standing.ROLE_EDITOR),
    (Assignment, Standing.PARTY),
    (Assignment, Permission.ROLES_VIEW),
    (Assignment, Permission.ROLES_MODIFY),
    (ApprovalRequest, Standing.PARTY),
    (ApprovalRequest, Standing.REQUESTER),
    (ApprovalRequest, Permission.APPROVALS_DECIDE),
    (Assignment, Permission.PARTNERS_MANAGE),
    (Assignment, Standing.ROLE_EDITOR),
    (Principal, Standing.NAMED),
    (Principal, Standing.DIRECTORY),
    (Tenant, Standing.NAMED),
    (AuditEntry, Permission.AUDIT_VIEW),
)
"""Each rule in each of its forms."""

TABLES = tuple(dict.fromkeys(pair[0] for pair in ALWAYS))

MEANINGLESS: tuple[Pair, ...] = (
    *((table, standing) for standing in Standing for table in TABLES if (table, standing) not in ALWAYS),
    (Principal, Permission.ROLES_MODIFY),
    (Tenant, Permission.PARTNERS_VIEW),
    (AuditEntry, Permission.ROLES_VIEW),
    (ApprovalRequest, Permission.PARTNERS_VIEW),
)
"""Rights that mean nothing on a table: nobody sees a row."""

OTHERS: tuple[Pair, ...] = (
    *(
        (table, permission)
        for permission in Permission
        for table in (Room, RoomGroup, UpdateRing, Partnership)
        if (table, permission) not in ALWAYS
    ),
    *((Room, permission, "in parts") for permission in Permission if (Room, permission) not in ALWAYS),
)
"""The same rules for every other permission."""

TURNS = 10
BY_TURNS = (*OTHERS, *MEANINGLESS)
PAGES: tuple[tuple[Pair, ...], ...] = (ALWAYS, *(BY_TURNS[turn::TURNS] for turn in range(TURNS)))
"""What is asked in one statement. An asker is asked the first page and, in turns, one other."""


def answer(pair: Pair) -> Subquery:
    """What is answered for a pair; a row that two parts have in common is in it twice."""
    table, right = pair[0], pair[1]
    return (rules.visible(table, right) if len(pair) == 2 else union_all(*rules.ways(table, right))).subquery()


def keys(pair: Pair, number: int) -> Select[Any]:
    """The keys that are answered for a pair, marked with the pair's number."""
    rows = answer(pair)
    return select(literal(number).label("pair"), rows.c.get("tenant_id", rows.c.id).label("tenant"), rows.c.id)


def question(pairs: Sequence[Pair]) -> CompoundSelect[Any]:
    """One statement for many pairs; its text is always the same, so that it is compiled once."""
    return union_all(*(keys(pair, number) for number, pair in enumerate(pairs)))


def parameters(world: World, asker: Asker) -> dict[str, str | int]:
    return binds(Viewer(asker.tenant, asker.id, asker.kind, asker.directory_roles), world.now)


async def found(
    connection: AsyncConnection, asked: CompoundSelect[Any], pairs: Sequence[Pair], world: World, asker: Asker
) -> Answers:
    """What the database answers, a key that comes twice counted twice."""
    answers: Answers = {pair: Counter() for pair in pairs}
    for number, tenant, key in await connection.execute(asked, parameters(world, asker)):
        answers[pairs[number]][tenant, key] += 1
    return answers


def expected(pairs: Iterable[Pair], world: World, asker: Asker) -> Answers:
    """What the policy says."""
    policy = Policy(world, asker)
    return {pair: Counter(policy.sees(pair[0].__name__, pair[1])) for pair in pairs}


def differences(seen: Answers, due: Answers) -> list[str]:
    """Every pair on which the two disagree, in words."""
    return [
        f"{pair[0].__name__} under {' '.join([str(pair[1].name), *pair[2:]])}: leaked {sorted(seen[pair] - due[pair])},"
        f" missing {sorted(due[pair] - seen[pair])}"
        for pair in due
        if seen[pair] != due[pair]
    ]
