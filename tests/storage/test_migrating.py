"""The tables come up, go down, and are what the models say, on both engines."""

from alembic.script import ScriptDirectory
from sqlalchemy import text

from app.storage.engines import Database
from app.storage.migrating import BASE, configure, drift, migrate
from app.storage.versions import newest, version

TEXT_WITHOUT_BINARY_COLLATION = """
select c.table_name || '.' || c.column_name from information_schema.columns c
where c.table_schema = 'public' and c.data_type in ('character varying', 'text')
  and c.table_name <> 'alembic_version' and c.collation_name is distinct from 'C'
"""
INDEXES_WITHOUT_BINARY_COLLATION = """
select distinct i.relname || '(' || a.attname || ')'
from pg_index x
join pg_class i on i.oid = x.indexrelid
join pg_class t on t.oid = x.indrelid
join pg_namespace n on n.oid = t.relnamespace and n.nspname = 'public'
cross join unnest(x.indkey::smallint[], x.indcollation::oid[]) as part (attnum, coll)
join pg_attribute a on a.attrelid = t.oid and a.attnum = part.attnum
left join pg_collation c on c.oid = part.coll
where part.coll <> 0 and t.relname <> 'alembic_version' and c.collname <> 'C'
"""


async def test_the_migrations_make_what_the_models_say(database: Database) -> None:
    assert await version(database) == newest()
    assert await drift(database) == []


def test_the_names_of_the_migrations_say_which_is_the_newest() -> None:
    assert newest() == ScriptDirectory.from_config(configure()).get_current_head()


async def test_the_migrations_go_down_and_up_again(database: Database) -> None:
    await migrate(database, BASE)
    assert await version(database) is None

    await migrate(database)

    assert await version(database) == newest()
    assert await drift(database) == []


async def test_every_text_column_and_index_compares_bytes(database: Database) -> None:
    if database.is_sqlite:
        async with database.reading() as connection:
            made = (await connection.exec_driver_sql("select sql from sqlite_master where sql is not null")).scalars()
            lines = [line for sql in made for line in sql.splitlines()]
        columns = [line for line in lines if "VARCHAR" in line and "version_num" not in line]
        assert len(columns) > 50
        assert [line for line in columns if 'COLLATE "BINARY"' not in line] == []
        return
    async with database.reading() as connection:
        assert (await connection.execute(text(TEXT_WITHOUT_BINARY_COLLATION))).scalars().all() == []
        assert (await connection.execute(text(INDEXES_WITHOUT_BINARY_COLLATION))).scalars().all() == []
        checked = await connection.execute(text(TEXT_WITHOUT_BINARY_COLLATION.replace("'C'", "'POSIX'")))
        assert len(checked.scalars().all()) > 50
