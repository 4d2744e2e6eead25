"""Triggers that refuse to change the record, and the one way past them, which is the owner's."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from sqlalchemy import DDL, Connection
from sqlalchemy.ext.asyncio import AsyncConnection

ENTRIES, ANCHORS = "audit_entries", "audit_anchors"
APPEND_ONLY = (ENTRIES, ANCHORS)
REFUSAL = "the record is append-only"

SQLITE_IDENTITY = {ENTRIES: ("id", "sequence"), ANCHORS: ("sequence",)}
"""What makes a row this row, within its tenant."""
POSTGRESQL_FUNCTION = f"""
create function refuse_rewriting() returns trigger language plpgsql as
$$ begin raise exception using message = '{REFUSAL}', errcode = 'insufficient_privilege'; end $$
"""


def forbid_rewriting(connection: Connection) -> None:
    """Refuse every change of a row in the record, and its removal, from now on."""
    if connection.dialect.name == "postgresql":
        define(connection, POSTGRESQL_FUNCTION)
    for table in APPEND_ONLY:
        _guard(connection, table)


def permit_rewriting(connection: Connection) -> None:
    """Refuse nothing any more."""
    for table in APPEND_ONLY:
        for name in _triggers(connection, table):
            define(connection, f"drop trigger {name}" + f" on {table}" * _is_postgresql(connection))
    if _is_postgresql(connection):
        define(connection, "drop function refuse_rewriting()")


@asynccontextmanager
async def purging(connection: AsyncConnection) -> AsyncIterator[None]:
    """Entries can be deleted here, and by nobody else until this transaction ends. It takes the table's owner.

    PostgreSQL switches the trigger off, which others can read beside; SQLite has to make it anew.
    """
    await connection.run_sync(_let_through)
    yield
    await connection.run_sync(_close_again)


def define(connection: Connection, statement: str) -> None:
    """Run a statement that changes what the database is, not what is in it."""
    connection.execute(DDL(statement.replace("%", "%%")))  # type: ignore[no-untyped-call]


def _is_postgresql(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def _triggers(connection: Connection, table: str) -> list[str]:
    if _is_postgresql(connection):
        return [f"{table}_append_only"]
    return [f"{table}_no_{change}" for change in ("update", "delete", "insert")]


def _guard(connection: Connection, table: str) -> None:
    made = _postgresql_guards(table) if _is_postgresql(connection) else _sqlite_guards(table)
    for statement in made:
        define(connection, statement)


def _let_through(connection: Connection) -> None:
    if _is_postgresql(connection):
        define(connection, f"alter table {ENTRIES} disable trigger {ENTRIES}_append_only")
        return
    for name in _triggers(connection, ENTRIES):
        define(connection, f"drop trigger {name}")


def _close_again(connection: Connection) -> None:
    if _is_postgresql(connection):
        define(connection, f"alter table {ENTRIES} enable always trigger {ENTRIES}_append_only")
        return
    _guard(connection, ENTRIES)


def _postgresql_guards(table: str) -> Iterator[str]:
    """One trigger a statement, which fires whatever `session_replication_role` says."""
    yield (
        f"create trigger {table}_append_only before update or delete or truncate on {table} "
        "for each statement execute function refuse_rewriting()"
    )
    yield f"alter table {table} enable always trigger {table}_append_only"


def _sqlite_guards(table: str) -> Iterator[str]:
    """A trigger for each change, and one for `insert or replace`, which deletes without telling any trigger."""
    refuse = f"begin select raise(abort, '{REFUSAL}'); end"
    yield f"create trigger {table}_no_update before update on {table} {refuse}"
    yield f"create trigger {table}_no_delete before delete on {table} {refuse}"
    same = [f"tenant_id = new.tenant_id and {column} = new.{column}" for column in SQLITE_IDENTITY[table]]
    there = f"select 1 from {table} where {' or '.join(['rowid = new.rowid', *same])}"  # noqa: S608 - our own names
    yield f"create trigger {table}_no_insert before insert on {table} when exists ({there}) {refuse}"
