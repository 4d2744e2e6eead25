"""The role that serves can do what serving needs, and cannot rewrite the record: a real second role of PostgreSQL."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from app.access.tripwire import arm
from app.access.viewer import SYSTEM
from app.domain.refusals import CommandRefused
from app.operations.purging import purge
from app.operations.tenants import add_tenant
from app.operations.work import Work
from app.storage.engines import Database
from app.storage.migrating import migrate
from app.storage.rights import RIGHTS, check_serving, grant
from app.storage.tables import metadata
from tests.conftest import Databases
from tests.operations.chains import check_chain
from tests.operations.recording import MOMENT, notary_in

HOSTILE = 'ro"le; drop table audit_entries; -- % :x'
"""A name that PostgreSQL takes, if it is quoted."""
IN_VAIN = [
    "update audit_entries set object_name = 'nothing'",
    "delete from audit_entries",
    "truncate audit_entries",
    "truncate tenants cascade",
    "alter table audit_entries disable trigger audit_entries_append_only",
    "drop trigger audit_entries_append_only on audit_entries",
    "drop table audit_entries",
    "alter table audit_entries owner to current_user",
    "create trigger mine before insert on audit_entries for each statement execute function refuse_rewriting()",
    "create or replace function refuse_rewriting() returns trigger language plpgsql as $$ begin return null; end $$",
    "create table mine (id int)",
    "delete from audit_heads",
    "truncate audit_heads",
    "insert into audit_anchors (tenant_id, sequence, hash, moment, signature) select id, 1, '', '', '' from tenants",
    "update audit_anchors set hash = ''",
    "delete from audit_anchors",
    "update alembic_version set version_num = '0001'",
    "set session_replication_role = replica",
]


@dataclass(frozen=True)
class Roles:
    """A database with its owner and a role that serves."""

    owner: Database
    address: str
    name: str

    def connect(self, name: str) -> Database:
        return arm(Database(make_url(self.address).set(username=name).render_as_string(hide_password=False)))

    async def run(self, *statements: str) -> None:
        async with Database(self.address) as unarmed, unarmed.writer.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))


@pytest.fixture
async def roles(migrated: dict[str, str], databases: Databases) -> AsyncIterator[Roles]:
    name, own = f"serving-{uuid4().hex}", f"rights-{uuid4().hex}"
    address = await databases.copy("postgresql", own, "template")
    async with Database(address) as owner:
        made = Roles(arm(owner), address, name)
        await made.run(f'create role "{name}" login')
        yield made
        await made.run(f'drop owned by "{name}" cascade', f'drop role "{name}"')
    await databases.drop("postgresql", own)


async def test_the_role_that_was_granted_serves_and_adds_to_the_record(roles: Roles) -> None:
    await grant(roles.owner, roles.name)

    async with roles.connect(roles.name) as serving:
        await check_serving(serving)
        async with Work.begin(serving, SYSTEM, MOMENT, "request") as work:
            tenant = await add_tenant(work, name="Contoso", domains=["contoso.example"])

    assert len(await check_chain(roles.owner, tenant.id)) == 3


@pytest.mark.parametrize("statement", IN_VAIN)
async def test_it_cannot_rewrite_the_record_or_take_away_what_keeps_it(roles: Roles, statement: str) -> None:
    await grant(roles.owner, roles.name)
    async with Work.begin(roles.owner, SYSTEM, MOMENT, "request") as work:
        tenant = await add_tenant(work, name="Contoso", domains=["contoso.example"])

    serving = make_url(roles.address).set(username=roles.name).render_as_string()
    async with Database(serving) as unarmed, unarmed.writer.connect() as connection:
        with pytest.raises(DBAPIError, match=r"permission denied|must be owner|InsufficientPrivilege"):
            await connection.execute(text(statement))

    assert len(await check_chain(roles.owner, tenant.id)) == 3


async def test_it_cannot_purge(roles: Roles, tmp_path: Path) -> None:
    await grant(roles.owner, roles.name)
    async with Work.begin(roles.owner, SYSTEM, MOMENT, "request") as work:
        await add_tenant(work, name="Contoso", domains=["contoso.example"])
    later = MOMENT + timedelta(days=200)

    async with roles.connect(roles.name) as serving:
        with pytest.raises(CommandRefused, match="only the owner of the tables may purge"):
            await purge(
                serving,
                notary_in(tmp_path),
                "contoso.example",
                MOMENT.date() + timedelta(days=1),
                later,
                "r",
                is_sure=True,
            )


async def test_a_grant_takes_away_what_was_too_much_and_can_be_said_again(roles: Roles) -> None:
    name = f'"{roles.name}"'
    await roles.run(f"grant all on all tables in schema public to {name}", f"grant all on schema public to {name}")
    asked = text("select table_name, privilege_type from information_schema.role_table_grants where grantee = :role")

    for _ in range(2):
        await grant(roles.owner, roles.name)
        async with Database(roles.address) as owner, owner.reading() as connection:
            given = {(table, right) for table, right in await connection.execute(asked, {"role": roles.name})}
            may_create = text("select has_schema_privilege(:role, 'public', 'CREATE')")
            assert not (await connection.execute(may_create, {"role": roles.name})).scalar_one()
        assert given == {(table, right) for table, rights in RIGHTS.items() for right in rights}
    assert RIGHTS.keys() == {*metadata.tables, "alembic_version"}
    assert {right for rights in RIGHTS.values() for right in rights} == {"SELECT", "INSERT", "UPDATE", "DELETE"}


async def test_a_role_is_quoted_whatever_it_is_called(roles: Roles) -> None:
    quoted = '"' + HOSTILE.replace('"', '""') + '"'
    async with Database(roles.address) as owner, owner.writer.begin() as connection:
        await connection.exec_driver_sql(f"create role {quoted} login")

    await grant(roles.owner, HOSTILE)

    async with roles.connect(HOSTILE) as serving:
        await check_serving(serving)
    async with Database(roles.address) as owner, owner.writer.begin() as connection:
        await connection.exec_driver_sql(f"drop owned by {quoted} cascade")
        await connection.exec_driver_sql(f"drop role {quoted}")


async def test_who_is_nobody_or_owns_the_tables_is_not_granted(roles: Roles) -> None:
    with pytest.raises(CommandRefused, match="there is no role stranger; make it with CREATE ROLE"):
        await grant(roles.owner, "stranger")
    with pytest.raises(CommandRefused, match="postgres owns the tables, or is a superuser"):
        await grant(roles.owner, "postgres")


async def test_sqlite_has_no_roles(migrated: dict[str, str]) -> None:
    async with Database(migrated["sqlite"]) as database:
        await check_serving(database)
        with pytest.raises(CommandRefused, match="SQLite has no roles"):
            await grant(database, "somebody")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (["alter role {role} superuser"], "is a superuser and could rewrite the record; make a role for serving"),
        (["alter table audit_entries owner to {role}"], "owns the tables and could rewrite the record"),
        (
            ["create role {role}_o", "grant {role}_o to {role}", "alter table audit_entries owner to {role}_o"],
            "owns the",
        ),
        (["grant update on audit_entries to {role}"], "has UPDATE on audit_entries"),
        (["grant update (object_name) on audit_entries to {role}"], "has UPDATE on audit_entries"),
        (["grant delete, truncate on audit_entries to {role}"], "has DELETE, TRUNCATE on audit_entries"),
        (["grant delete on audit_anchors to public"], "has DELETE on audit_anchors"),
        (["grant trigger on audit_entries to {role}"], "has TRIGGER on audit_entries"),
        (["revoke insert on rooms from {role}"], "lacks INSERT on rooms; run `gateway migrate --grant"),
    ],
)
async def test_whoever_could_rewrite_the_record_does_not_serve(roles: Roles, made: list[str], said: str) -> None:
    role = f"r{uuid4().hex}"
    await roles.run(f"create role {role} login")
    await grant(roles.owner, role)
    await roles.run(*(statement.format(role=role) for statement in made))

    async with roles.connect(role) as serving:
        with pytest.raises(CommandRefused, match=said):
            await check_serving(serving)

    await roles.run(f"alter role {role} nosuperuser")


async def test_the_owner_does_not_serve(roles: Roles) -> None:
    with pytest.raises(CommandRefused, match="is a superuser"):
        await check_serving(roles.owner)


async def test_tables_come_with_a_new_version_and_their_rights_with_a_new_grant(roles: Roles) -> None:
    await grant(roles.owner, roles.name)
    await migrate(roles.owner, "base")
    await migrate(roles.owner)

    async with roles.connect(roles.name) as serving:
        with pytest.raises(CommandRefused, match="lacks"):
            await check_serving(serving)
        await grant(roles.owner, roles.name)
        await check_serving(serving)
