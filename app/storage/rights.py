"""What the role that serves may do in PostgreSQL, and whether it may do more than that."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.refusals import CommandRefused
from app.storage.append_only import ANCHORS, APPEND_ONLY, ENTRIES, define
from app.storage.engines import Database
from app.storage.tables import metadata

HEADS, VERSIONS = "audit_heads", "alembic_version"
ALL = ("SELECT", "INSERT", "UPDATE", "DELETE")
RIGHTS: dict[str, Sequence[str]] = {
    **dict.fromkeys(sorted(metadata.tables), ALL),
    ENTRIES: ("SELECT", "INSERT"),
    ANCHORS: ("SELECT",),
    HEADS: ("SELECT", "INSERT", "UPDATE"),
    VERSIONS: ("SELECT",),
}
"""Exactly what serving needs."""
REWRITING = ("DELETE", "TRUNCATE", "TRIGGER")
IS_FREE = text("select rolsuper from pg_roles where rolname = current_user")
OWNS = text("select pg_has_role(:role, relowner, 'MEMBER') from pg_class where oid = to_regclass(:table)")
EDITS = text("select has_any_column_privilege(current_user, :table, 'UPDATE')")
MAY = text("select asked from unnest(cast(:rights as text[])) asked where has_table_privilege(:table, asked)")
KNOWS = text("select rolname from pg_roles where rolname = :role")
AS_OWNER = "connect as the role that ran `gateway migrate`"
HOW = "make a role for serving, `gateway migrate --grant ROLE`, and connect as that role"


async def grant(database: Database, role: str) -> None:
    """Give a role exactly what serving needs, whatever it had before.

    Raises `CommandRefused` on SQLite, for an unknown role, and for one that owns the tables.
    """
    if database.is_sqlite:
        raise CommandRefused("SQLite has no roles: whoever can open the file can change it; --grant is for PostgreSQL")
    async with database.writer.begin() as connection:
        if (await connection.execute(KNOWS, {"role": role})).first() is None:
            raise CommandRefused(f"there is no role {role}; make it with CREATE ROLE … LOGIN")
        if await owns(connection, role):
            raise CommandRefused(f"{role} owns the tables, or is a superuser, and keeps every right; name another role")
        for statement in grants(connection.dialect.identifier_preparer.quote_identifier(role)):
            await connection.run_sync(define, statement)


def grants(role: str) -> list[str]:
    """The statements that leave a role, its name quoted, with these rights and no others."""
    schema = "schema public"
    taken = [f"revoke all on all tables in {schema} from {role}", f"revoke all on {schema} from {role}"]
    given = [f"grant {', '.join(rights)} on {table} to {role}" for table, rights in RIGHTS.items()]
    return [*taken, f"grant usage on {schema} to {role}", *given]


async def owns(connection: AsyncConnection, role: str) -> bool:
    """The role owns the record, or can act as who does."""
    return bool((await connection.execute(OWNS, {"role": role, "table": ENTRIES})).scalar_one())


async def check_serving(database: Database) -> None:
    """Returns if the record is safe from who serves, and what serving needs is there. Raises `CommandRefused`."""
    if database.is_sqlite:
        return
    async with database.reading() as connection:
        role = (await connection.execute(text("select current_user"))).scalar_one()
        if (await connection.execute(IS_FREE)).scalar_one():
            raise CommandRefused(f"{role} is a superuser and could rewrite the record; {HOW}")
        if await owns(connection, role):
            raise CommandRefused(f"{role} owns the tables and could rewrite the record; {HOW}")
        for table in APPEND_ONLY:
            if had := await rewriting(connection, table):
                raise CommandRefused(f"{role} has {', '.join(had)} on {table} and could rewrite the record; {HOW}")
        for table, needed in RIGHTS.items():
            if missing := set(needed).difference(await held(connection, table, needed)):
                lacks = f"{role} lacks {', '.join(sorted(missing))} on {table}"
                raise CommandRefused(f"{lacks}; run `gateway migrate --grant {role}` as the owner of the tables")


async def rewriting(connection: AsyncConnection, table: str) -> list[str]:
    """With which rights whoever is connected could rewrite this table, or a column of it."""
    edits = (await connection.execute(EDITS, {"table": table})).scalar_one()
    return [*(["UPDATE"] if edits else []), *await held(connection, table, REWRITING)]


async def held(connection: AsyncConnection, table: str, rights: Sequence[str]) -> list[str]:
    """Which of these rights on a table whoever is connected has."""
    return list((await connection.execute(MAY, {"table": table, "rights": list(rights)})).scalars())


async def check_owner(connection: AsyncConnection) -> None:
    """Returns for who may change the record. Raises `CommandRefused`. Whoever opens an SQLite file may."""
    if connection.dialect.name != "postgresql":
        return
    role = (await connection.execute(text("select current_user"))).scalar_one()
    if not await owns(connection, role):
        raise CommandRefused(f"only the owner of the tables may purge, and {role} is not; {AS_OWNER}")
