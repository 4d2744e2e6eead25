"""One change: everything or nothing, and each with its lines in a chain without gaps."""

import asyncio
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, insert, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from app.access.scoping import unscoped
from app.access.tripwire import arm
from app.access.viewer import SYSTEM, Viewer
from app.domain.audit import AuditAction, canonical
from app.domain.vocabulary import AuditCategory, AuditOperation, AuditResult
from app.operations import work as work_module
from app.operations.tenants import add_tenant, find_tenant
from app.operations.work import NothingRecorded, Work
from app.storage.engines import Database
from app.storage.tables import AuditEntry, AuditHead, RoomGroup, Tenant
from tests.operations.chains import check_chain, counts, everything

MOMENT = datetime(2026, 11, 23, 8, 0, 0, 120, tzinfo=UTC)
AT_ONCE = 20


async def two_tenants(database: Database) -> list[str]:
    """Two organizations, in the order of their ids."""
    async with Work.begin(database, SYSTEM, MOMENT, "setup") as work:
        added = [await add_tenant(work, name=name, domains=[f"{name}.example"]) for name in ("contoso", "fabrikam")]
        return sorted(tenant.id for tenant in added)


def note(work: Work, tenant_id: str, name: str) -> None:
    work.record(AuditCategory.ROOM_GROUP, AuditOperation.CREATE, AuditAction.GROUP_CREATE, tenant_id, name)


def group(work: Work, tenant_id: str, name: str) -> RoomGroup:
    return RoomGroup(tenant_id=tenant_id, id=work.new_id(), name=name, name_key=name)


async def test_a_change_and_its_entries_are_committed_together(database: Database) -> None:
    contoso, fabrikam = await two_tenants(database)
    before = len(await check_chain(database, contoso))
    viewer = Viewer(contoso, "11111111-1111-4111-8111-111111111111")

    async with Work.begin(database, viewer, MOMENT, "request-7") as work:
        await work.store(group(work, contoso, "east"))
        note(work, contoso, "east")
        note(work, fabrikam, "elsewhere")
        note(work, contoso, "again")

    assert [row.name for row in await everything(database, RoomGroup)] == ["east"]
    assert (await check_chain(database, fabrikam))[-1].object_name == "elsewhere"
    chain = await check_chain(database, contoso)
    assert [entry.object_name for entry in chain[before:]] == ["east", "again"]
    assert (chain[-1].user_tenant_id, chain[-1].user_id) == (viewer.tenant_id, viewer.principal_id)
    assert (chain[-1].request_id, chain[-1].creation_time) == ("request-7", MOMENT)


async def test_what_the_system_does_names_no_user(database: Database) -> None:
    contoso, _ = await two_tenants(database)

    assert {(e.user_tenant_id, e.user_id) for e in await check_chain(database, contoso)} == {(None, None)}


async def test_an_exception_undoes_rows_and_entries(database: Database) -> None:
    contoso, _ = await two_tenants(database)
    before = await counts(database)

    async def change() -> None:
        async with Work.begin(database, SYSTEM, MOMENT, "r") as work:
            await work.store(group(work, contoso, "east"))
            note(work, contoso, "east")
            raise LookupError("half way")

    with pytest.raises(LookupError, match="half way"):
        await change()

    assert await counts(database) == before
    await check_chain(database, contoso)


async def test_entries_without_their_chain_undo_the_change(database: Database) -> None:
    contoso, _ = await two_tenants(database)
    before = await counts(database)

    async def change() -> None:
        async with Work.begin(database, SYSTEM, MOMENT, "r") as work:
            await work.store(group(work, contoso, "east"))
            note(work, "22222222-2222-4222-8222-222222222222", "nobody's")

    with pytest.raises(KeyError):
        await change()

    assert await counts(database) == before


async def by_rows(work: Work, tenant_id: str) -> None:
    work.session.add(group(work, tenant_id, "east"))


async def by_insert(work: Work, tenant_id: str) -> None:
    rows = [group(work, tenant_id, name).model_dump() for name in ("east", "west")]
    await work.session.exec(insert(RoomGroup), params=rows)


async def by_update(work: Work, tenant_id: str) -> None:
    await work.session.exec(update(Tenant).where(col(Tenant.id) == tenant_id).values(name="Other"))


@pytest.mark.parametrize("change", [by_rows, by_insert, by_update])
async def test_a_change_that_recorded_nothing_is_not_committed(change: Callable[..., Any], database: Database) -> None:
    contoso, _ = await two_tenants(database)
    before, tenants = await counts(database), await everything(database, Tenant)

    with pytest.raises(NothingRecorded):
        async with Work.begin(database, SYSTEM, MOMENT, "r") as work:
            await change(work, contoso)

    assert await counts(database) == before
    assert await everything(database, Tenant) == tenants


async def test_a_work_that_changes_nothing_needs_no_entry(database: Database) -> None:
    before = await counts(database)

    async with Work.begin(database, SYSTEM, MOMENT, "r") as work:
        await work.session.exec(update(Tenant).where(col(Tenant.id) == "nobody").values(name="Other"))

    assert await counts(database) == before


async def test_canonical_bytes_are_sorted_text_and_stay_as_they_are() -> None:
    entry = AuditEntry(
        tenant_id="t",
        id="i",
        sequence=7,
        creation_time=MOMENT,
        category=AuditCategory.ROOM_GROUP,
        operation=AuditOperation.CREATE,
        action="group.create",
        result_status=AuditResult.SUCCESSFUL,
        object_name="Zürich „1“",
        changes=[{"field": "rooms", "before": None, "after": "2"}],
        request_id="r",
    )

    assert canonical(entry).decode() == (
        '{"action":"group.create","approval_id":null,"approved_by_id":null,"category":"RoomGroup",'
        '"changes":[{"after":"2","before":null,"field":"rooms"}],"count":"1",'
        '"creation_time":"2026-11-23T08:00:00.000120Z","id":"i","object_name":"Zürich „1“","operation":"Create",'
        '"previous_hash":null,"request_id":"r","result_status":"Successful","sequence":"7","subject":null,'
        '"tenant_id":"t","user_id":null,"user_tenant_id":null,"version":"1"}'
    )


# --- many at once ---------------------------------------------------------------------------------------------------


async def all_at_once(address: str, tenants: list[str]) -> list[BaseException]:
    """Twenty changes of both tenants, by a server and a command that share the database; answers what went wrong."""

    async def change(database: Database, number: int) -> None:
        async with Work.begin(database, SYSTEM, MOMENT, f"r{number}") as work:
            await find_tenant(work.session, "contoso.example")  # whoever changes something has read something before
            for tenant in tenants if number % 2 else reversed(tenants):
                await work.store(group(work, tenant, f"group {number}"))
                note(work, tenant, f"group {number}")

    async with Database(address) as server, Database(address) as command:
        for database in (server, command):
            defer(arm(database))
        changes = (change((server, command)[number % 2], number) for number in range(AT_ONCE))
        results = await asyncio.gather(*changes, return_exceptions=True)
    return [result for result in results if isinstance(result, BaseException)]


deferred: set[str] = set()
"""Engines on which a transaction begins without the lock that it should begin with."""


def defer(database: Database) -> None:
    if "sqlite" in deferred and database.is_sqlite:

        @event.listens_for(database.writer.sync_engine, "before_cursor_execute", retval=True)
        def begin(_c: object, _u: object, sql: str, parameters: object, _x: object, _m: bool) -> tuple[str, object]:
            return sql.replace("BEGIN IMMEDIATE", "BEGIN DEFERRED"), parameters


async def test_changes_at_the_same_time_leave_chains_without_gaps(address: str, database: Database) -> None:
    tenants = await two_tenants(database)
    before = [len(await check_chain(database, tenant)) for tenant in tenants]

    failures = await all_at_once(address, tenants)

    assert failures == []
    after = [len(await check_chain(database, tenant)) for tenant in tenants]
    assert after == [length + AT_ONCE for length in before]


async def without_lock(session: AsyncSession, tenants: Collection[str]) -> dict[str, AuditHead]:
    """The heads, read as `lock_heads` would without its lock."""
    heads = select(AuditHead).where(col(AuditHead.tenant_id).in_(tenants))
    found = {head.tenant_id: head for head in await session.exec(unscoped(heads, "a test without the lock"))}
    await asyncio.sleep(0.05)
    return found


async def test_without_the_lock_changes_at_the_same_time_fail(
    address: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenants = await two_tenants(database)
    monkeypatch.setattr(work_module, "lock_heads", without_lock)
    deferred.add("sqlite")

    try:
        failures = await all_at_once(address, tenants)
    finally:
        deferred.clear()

    assert len(failures) > AT_ONCE / 4
    assert all(isinstance(failure, DBAPIError) for failure in failures)
