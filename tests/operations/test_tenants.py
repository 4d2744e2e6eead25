"""What every tenant has from its first day, and what cannot be added."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import col

from app.access.viewer import SYSTEM
from app.domain.permissions import BuiltInRole, Permission
from app.domain.refusals import CommandRefused
from app.domain.rings import MAX_TOTAL_DAYS, PRECONFIGURED, deferments
from app.operations.tenants import NewUser, add_tenant, find_tenant
from app.operations.work import Work
from app.storage.engines import Database
from app.storage.tables import Assignment, AssignmentMember, Domain, Principal, Role, Tenant, UpdateRing
from tests.operations.chains import check_chain, counts, everything

MOMENT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TENANT_ID = "3F2504E0-4F89-41D3-9A0C-0305E82C3301"
PERSON_ID = "9b2c1b0e-5f0a-4d8a-9d6e-0c1d2e3f4a5b"


async def add(database: Database, name: str = "Contoso", *domains: str, **more: Any) -> Tenant:
    async with Work.begin(database, SYSTEM, MOMENT, "r") as work:
        return await add_tenant(work, name=name, domains=domains or ("contoso.example",), **more)


async def test_a_new_tenant_has_rings_that_follow_each_other(database: Database) -> None:
    tenant = await add(database)

    rings = await everything(database, UpdateRing, col(UpdateRing.tenant_id) == tenant.id)
    rings = sorted(rings, key=lambda ring: ring.position)

    assert [(ring.position, ring.name) for ring in rings] == [(1, "Staging"), (2, "General"), (3, "Executive")]
    assert [ring.deferment_days for ring in rings] == [0, 14, 35]
    assert all(ring.preconfigured for ring in rings)
    assert sum(step.days for step in PRECONFIGURED) <= MAX_TOTAL_DAYS


def test_a_ring_waits_for_all_before_it() -> None:
    assert deferments([]) == []
    assert deferments([14, 21, 14]) == [0, 14, 35]


async def test_a_new_tenant_has_the_built_in_roles_as_table_1_says(database: Database) -> None:
    await add(database)

    roles = {role.name: role for role in await everything(database, Role)}

    assert {name: role.built_in for name, role in roles.items()} == {
        "Teams Rooms Pro Manager": BuiltInRole.MANAGER,
        "Site Lead": BuiltInRole.SITE_LEAD,
        "Site Technician": BuiltInRole.SITE_TECHNICIAN,
        "Tenant manager": BuiltInRole.TENANT_MANAGER,
    }
    assert all(role.permissions == role.built_in.permissions for role in roles.values())
    assert roles["Tenant manager"].permissions == Permission.INVITATIONS_ANSWER


async def test_a_new_tenant_has_managers_over_all_rooms_and_no_tenant_managers(database: Database) -> None:
    await add(database, managers=[NewUser("contoso-manager", PERSON_ID), NewUser("contoso-deputy")])

    assignments = {row.id: row for row in await everything(database, Assignment)}
    members = await everything(database, AssignmentMember)
    people = {row.id: row.name for row in await everything(database, Principal)}

    assert {(row.name, row.all_rooms) for row in assignments.values()} == {
        ("Managers", True),
        ("Tenant managers", False),
    }
    held = {(assignments[row.assignment_id].name, people[row.member_id]) for row in members}
    assert held == {("Managers", "contoso-manager"), ("Managers", "contoso-deputy")}
    assert people[PERSON_ID] == "contoso-manager"


async def test_adding_a_tenant_begins_its_record(database: Database) -> None:
    tenant = await add(database, managers=[NewUser("contoso-manager")])

    actions = [entry.action for entry in await check_chain(database, tenant.id)]

    assert actions == ["tenant.add", "user.add", "assignment.create", "assignment.create"]


async def test_ids_are_entras_and_generated_when_absent(database: Database) -> None:
    given = await add(database, tenant_id=TENANT_ID)
    generated = await add(database, "Fabrikam", "fabrikam.example", may_be_partner=True)

    assert given.id == TENANT_ID.lower()
    assert generated.id[14] == "7"
    assert (given.may_be_partner, generated.may_be_partner) == (False, True)


async def test_domains_are_kept_as_dns_knows_them(database: Database) -> None:
    await add(database, "Zürich", " Zürich.Example. ", "zürich.example", "ＣＯＮＴＯＳＯ.example")

    assert {row.name for row in await everything(database, Domain)} == {"xn--zrich-kva.example", "contoso.example"}


async def test_a_tenant_is_found_by_any_spelling_of_its_domain(database: Database) -> None:
    added = await add(database, "Zürich", "zürich.example")

    async with database.writing() as session:
        found = [await find_tenant(session, typed) for typed in ("ZÜRICH.example", "xn--zrich-kva.example.")]
        with pytest.raises(CommandRefused, match=r"no tenant has the domain contoso\.example"):
            await find_tenant(session, "contoso.example")
        with pytest.raises(CommandRefused, match="not a domain name"):
            await find_tenant(session, "contoso")

    assert [tenant.id for tenant in found] == [added.id, added.id]


REFUSED: dict[str, dict[str, Any]] = {
    "the domain contoso.example belongs to another tenant: Contoso": {"domains": ["new.example", "CONTOSO.example"]},
    "is already here: Contoso": {"tenant_id": TENANT_ID},
    "a tenant needs at least one domain": {"domains": []},
    "`localhost` is not a domain name": {"domains": ["localhost"]},
    "`10.0.0.1` is not a domain name": {"domains": ["10.0.0.1"]},
    "`user@contoso.example` is not a domain name": {"domains": ["user@contoso.example"]},
    "`` is not a domain name": {"domains": [""]},
    "`one` is not an id": {"tenant_id": "one"},
    "`two` is not an id": {"managers": [NewUser("fabrikam-manager", "two")]},
    "a name has 1 to 256": {"name": "  "},
    "no control characters": {"managers": [NewUser("fabrikam\x00manager")]},
}


@pytest.mark.parametrize("message", REFUSED)
async def test_what_cannot_be_added_is_refused_and_leaves_nothing(message: str, database: Database) -> None:
    await add(database, tenant_id=TENANT_ID)
    before = await counts(database)
    asked: dict[str, Any] = {"name": "Fabrikam", "domains": ["fabrikam.example"]} | REFUSED[message]

    async def change() -> None:
        async with Work.begin(database, SYSTEM, MOMENT, "r") as work:
            await add_tenant(work, **asked)

    with pytest.raises(CommandRefused) as refused:
        await change()

    assert message in str(refused.value)
    assert await counts(database) == before
