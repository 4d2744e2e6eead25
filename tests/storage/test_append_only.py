"""AUD: what is in the record stays in it, whoever writes to the database by whatever statement."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access.viewer import SYSTEM
from app.operations.tenants import add_tenant
from app.operations.work import Work
from app.storage.append_only import REFUSAL
from app.storage.engines import Database
from tests.operations.chains import check_chain
from tests.operations.recording import MOMENT

COLUMNS = (
    "tenant_id, id, sequence, creation_time, category, operation, action, result_status, object_name, subject, "
    "user_tenant_id, user_id, approved_by_id, count, changes, request_id, previous_hash, hash"
)
COPY = f"into audit_entries ({COLUMNS}) select {COLUMNS} from audit_entries limit 1"
ANOTHER = COLUMNS.replace(", id, sequence,", ", hex(randomblob(9)), sequence + 900,")
EVERYWHERE = [
    "update audit_entries set object_name = 'nothing'",
    "update audit_entries set object_name = 'nothing' where 1 = 0",
    "delete from audit_entries",
    "delete from audit_entries where sequence = 1",
    "update audit_anchors set hash = ''",
    "delete from audit_anchors",
]
OF = {
    "sqlite": [
        f"insert or replace {COPY}",
        f"replace {COPY}",
        f"replace into audit_entries (rowid, {COLUMNS}) select 1, {ANOTHER} from audit_entries limit 1",
        f"insert {COPY} on conflict (tenant_id, id) do update set object_name = 'nothing'",
        "update or replace audit_entries set sequence = 1",
    ],
    "postgresql": [
        f"insert {COPY} on conflict (tenant_id, id) do update set object_name = 'nothing'",
        "truncate audit_entries",
        "truncate audit_anchors",
        "truncate tenants cascade",
        "set session_replication_role = replica; delete from audit_entries",
        "with gone as (delete from audit_entries returning 1) select * from gone",
    ],
}
TOUCHES_NOTHING = ("where 1 = 0", "audit_anchors")
"""SQLite fires a trigger for each row, so it lets a statement pass that finds none."""


async def test_no_statement_changes_the_record_or_removes_from_it(address: str, engine: str) -> None:
    async with Database(address) as database:
        async with Work.begin(database, SYSTEM, MOMENT, "setup") as work:
            tenant = await add_tenant(work, name="Contoso", domains=["contoso.example"])
        for statement in (*EVERYWHERE, *OF[engine]):
            if engine == "sqlite" and any(mark in statement for mark in TOUCHES_NOTHING):
                continue
            with pytest.raises(DBAPIError, match=REFUSAL):
                await run(database, statement)

        assert len(await check_chain(database, tenant.id)) == 3


async def run(database: Database, statements: str) -> None:
    async with database.writer.begin() as connection:
        for statement in statements.split("; "):
            await connection.execute(text(statement))


async def test_before_an_insert_sqlite_looks_the_entry_up_and_does_not_search_for_it(migrated: dict[str, str]) -> None:
    asked = "select sql from sqlite_master where name = 'audit_entries_no_insert'"
    async with Database(migrated["sqlite"]) as database, database.reading() as connection:
        made = (await connection.exec_driver_sql(asked)).scalar_one()
        condition = made.partition("where ")[2].partition(") begin")[0].replace("new.", ":")
        names = ("rowid", "tenant_id", "id", "sequence")
        explained = text(f"explain query plan select 1 from audit_entries where {condition}")
        plan = [row[3] for row in await connection.execute(explained, dict.fromkeys(names, 1))]

    assert not [step for step in plan if step.startswith("SCAN")], plan
