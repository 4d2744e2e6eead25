"""`obtain`: the row that a change is about, or why not."""

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import Row
from sqlmodel import SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession

from app.access.scoping import Rows
from app.access.visible import visible
from app.domain.ids import GlobalId, parse_global_id
from app.domain.permissions import Permission, Right, Standing
from app.domain.refusals import forbidden, not_found
from app.domain.vocabulary import PrincipalKind
from app.storage.global_ids import KIND_OF_PRINCIPAL
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
    UpdateRing,
)

Table = TypeVar("Table", bound=SQLModel)

SEEN_UNDER: dict[type[SQLModel], Right] = {
    Room: Permission.ROOMS_VIEW,
    RoomGroup: Permission.GROUPS_VIEW,
    UpdateRing: Permission.RINGS_VIEW,
    Partnership: Standing.PARTY,
    Invitation: Standing.PARTY,
    Role: Standing.PARTY,
    Assignment: Standing.PARTY,
    ApprovalRequest: Standing.PARTY,
    Principal: Standing.NAMED,
    AuditEntry: Permission.AUDIT_VIEW,
}
"""What a row of each table is seen under, wherever it turns up."""


async def obtain(
    session: AsyncSession,
    binds: dict[str, Any],
    table: type[Table],
    identifier: str,
    permission: Permission,
    *path: str,
) -> Table:
    """The row, locked for this change.

    Raises `Refused`: NOT_FOUND for what the viewer does not see, the same as for what does not exist, and FORBIDDEN for
    what the viewer sees without holding the permission on it. `path` is where in the input the id stands. What is seen
    is asked last, so that a row which somebody ended while this change waited for it is answered as gone.
    """
    allowed = await find(session, binds, table, identifier, permission, lock=True)
    if await find(session, binds, table, identifier, SEEN_UNDER[table]) is None:
        raise not_found(*path)
    if allowed is None:
        raise forbidden(permission, *path)
    return allowed


async def find(
    session: AsyncSession,
    binds: dict[str, Any],
    table: type[Table],
    identifier: str,
    right: Right,
    *,
    lock: bool = False,
) -> Table | None:
    """The row with this global id on which the viewer holds the right, or None.

    A lock leaves other changes free to name the row, which could wait for each other otherwise.
    """
    key = parse_global_id(identifier)
    if key is None or key.kind not in kinds_of(table):
        return None
    statement = one_row(visible(table, right), table, key)
    asked = statement.with_for_update(of=table, key_share=True) if lock else statement
    found = [row[0] for row in await ask(session, asked.execution_options(populate_existing=True), binds)]
    return found[0] if found and is_of_kind(found[0], key.kind) else None


async def find_seen(session: AsyncSession, binds: dict[str, Any], identifier: str) -> SQLModel | None:
    """The row with this global id, of whatever kind, if the viewer sees it."""
    key = parse_global_id(identifier)
    table = next((each for each in SEEN_UNDER if key is not None and key.kind in kinds_of(each)), None)
    return None if table is None else await find(session, binds, table, identifier, SEEN_UNDER[table])


async def ask(session: AsyncSession, statement: Rows, binds: dict[str, Any]) -> Sequence[Row[Any]]:
    """The rows of a statement that is made from `visible`, or of its rules."""
    asked: Any = statement
    rows: Sequence[Row[Any]] = (await session.exec(asked, params=binds)).all()
    return rows


def one_row(rows: Rows, table: Any, key: GlobalId) -> Rows:
    """The row with this key."""
    return rows.where(col(table.tenant_id) == key.tenant, col(table.id) == key.key)


def kinds_of(table: type[SQLModel]) -> frozenset[str]:
    """The first parts that ids of the table's rows can have."""
    return frozenset(KIND_OF_PRINCIPAL.values() if table is Principal else [table.__name__.lower()])


def is_of_kind(row: SQLModel, kind: str) -> bool:
    """A principal is what its id says it is."""
    return not isinstance(row, Principal) or KIND_OF_PRINCIPAL[PrincipalKind(row.kind)] == kind
