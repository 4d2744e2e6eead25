"""The world that is measured: as large as was asked for, the same in every run, and one that the rules would allow."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.access.scoping import unscoped
from app.access.viewer import Viewer
from app.bench.loading import tell_nobody
from app.bench.making import Maker
from app.bench.seeded_ids import SeededIds
from app.bench.world import Sizes, World, make_world
from app.operations.verifying import Verifier
from app.operations.work import NothingRecorded
from app.storage.engines import Database
from app.storage.notary import Notary, make_key, read_private
from app.storage.tables import Partnership, RoomGroup
from tests.graph.asking import Asker

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SIZES = Sizes(rooms=300, partners=3, rooms_per_partner=50, people=10, audit_entries=500)
DOCUMENTS = Path(__file__).parents[2] / "fixtures" / "queries"


async def ask(database: Database, viewer: Viewer, name: str, **variables: str) -> Any:
    text = (DOCUMENTS / f"{name}.graphql").read_text()
    return await Asker(database, viewer, NOW).data(text, **variables)


async def test_it_has_as_much_of_everything_as_was_asked_for(database: Database) -> None:
    made = await make_world(database, SIZES, NOW)

    rooms = (await ask(database, made.admin, "bench-rooms"))["viewer"]["rooms"]
    partners = (await ask(database, made.manager, "bench-nested"))["viewer"]["partners"]["nodes"]
    record = (await ask(database, made.manager, "bench-audit"))["viewer"]["auditEntries"]["nodes"]
    assert rooms["totalCount"] == {"value": SIZES.rooms_per_partner, "exact": True}
    assert len(partners) == SIZES.partners
    assert all(len(partner["roles"]["nodes"]) == 1 + SIZES.custom_roles for partner in partners)
    assert record[0]["sequence"] == SIZES.audit_entries
    assert (await ask(database, made.admin, "bench-node", id=made.room))["node"]["id"] == made.room


async def test_its_record_is_an_unbroken_chain(database: Database, tmp_path: Path) -> None:
    make_key(tmp_path / "key")
    database.notary = Notary(read_private(tmp_path / "key"), tmp_path)
    made = await make_world(database, SIZES, NOW)

    report = await Verifier(database, tmp_path, [database.notary.public_key]).verify_tenant(
        made.manager.tenant_id, "Contoso"
    )

    assert report.is_whole, str(report)
    assert f"{SIZES.audit_entries} entries" in str(report)


async def test_whoever_makes_it_names_the_same_people_and_rooms(engine: str, database: Database) -> None:
    """Both engines answer the same bytes only if every id is the same."""
    made = await make_world(database, SIZES, NOW)

    ids = SeededIds(datetime(2026, 8, 15, 8, 0, tzinfo=UTC), 20261123)
    assert made == World(
        manager=Viewer(ids.of("tenant", "customer"), ids.of("manager", "customer")),
        admin=Viewer(ids.of("tenant", "partner-01"), ids.of("user", "partner-01-technician-1")),
        room=f"room_{ids.of('tenant', 'customer')}_{ids.of('room', 'customer.example', 25)}",
    )


async def test_a_scope_has_groups_and_rooms_of_its_own(database: Database) -> None:
    await make_world(database, SIZES, NOW)

    async with database.reading() as connection:
        counted = {
            table: (await connection.execute(unscoped(select(func.count()).select_from(table), "a test"))).scalar_one()
            for table in (Partnership, RoomGroup)
        }
    assert counted == {Partnership: SIZES.partners, RoomGroup: SIZES.rooms // SIZES.group_size}


async def test_rows_in_bulk_are_not_committed_without_a_line_in_the_record(database: Database) -> None:
    with pytest.raises(NothingRecorded):
        await make_unrecorded_group(database)

    async with database.reading() as connection:
        assert (await connection.execute(unscoped(select(RoomGroup), "a test"))).first() is None


async def make_unrecorded_group(database: Database) -> None:
    async with Maker.begin(database, NOW, SeededIds(NOW, 1), tell_nobody) as maker:
        customer = await maker.organization("Contoso", "customer", 5)
        maker.work.entries.clear()
        row = (customer.id, maker.work.new_id(), 1, "A", "a")
        await maker.loader.load(RoomGroup, ("tenant_id", "id", "version", "name", "name_key"), [row])
