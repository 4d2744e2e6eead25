"""`fixtures/access.json`: who sees exactly what, in ids of a database that holds the demo world."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlmodel import SQLModel, select

from app.access.scoping import unscoped
from app.access.viewer import Viewer
from app.domain.permissions import Permission, Right, Standing
from app.domain.vocabulary import PrincipalKind
from app.storage.engines import Database
from app.storage.global_ids import global_id
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
from app.storage.world_files import read_world
from tests.world import WORLD_FILES

CASES = Path(__file__).parents[1] / "fixtures" / "access.json"
TABLES: dict[str, type[SQLModel]] = {
    "rooms": Room,
    "groups": RoomGroup,
    "rings": UpdateRing,
    "partnerships": Partnership,
    "invitations": Invitation,
    "roles": Role,
    "assignments": Assignment,
    "approvalRequests": ApprovalRequest,
    "principals": Principal,
    "tenants": Tenant,
    "auditEntries": AuditEntry,
}


@dataclass(frozen=True)
class Case:
    """One person, one table, one right: the names of exactly what is seen."""

    person: str
    noun: str
    right: Right
    names: frozenset[str]

    @property
    def table(self) -> type[SQLModel]:
        return TABLES[self.noun]

    def __str__(self) -> str:
        return f"{self.person}: {self.noun} {self.right.name}"


@cache
def read_cases() -> dict[str, list[Case]]:
    """Every person with a case for every right of every table, also where nothing is seen."""
    data = orjson.loads(CASES.read_bytes())
    return {person: list(cases_of(person, expected, data)) for person, expected in data["people"].items()}


def cases_of(person: str, expected: dict[str, Any], data: dict[str, Any]) -> Iterator[Case]:
    for noun, rights in data["rights"].items():
        assert expected.get(noun, {}).keys() <= set(rights), f"{person}: {noun} lists a right that is not tested"
        for right in rights:
            names = expected.get(noun, {}).get(right, [])
            yield Case(person, noun, right_called(right), frozenset(spell_out(names, data["sets"])))


def right_called(name: str) -> Right:
    return Standing[name] if name in Standing.__members__ else Permission[name]


def spell_out(names: list[str], sets: dict[str, list[str]]) -> Iterator[str]:
    for name in names:
        yield from sets[name[1:]] if name.startswith("@") else [name]


class Atlas:
    """What everything in a database is called in the cases, and who the people are."""

    def __init__(self, rows: dict[type[SQLModel], list[Any]]) -> None:
        self.rows = rows
        self.domains = {row.id: self._domain(row) for row in rows[Tenant]}
        self.partnerships = {row.id: row for row in rows[Partnership]}
        self.roles = {row.id: row for row in rows[Role]}
        self.of_table = {table: {global_id(row): self.name(row) for row in rows[table]} for table in TABLES.values()}
        self.names = {key: name for of_table in self.of_table.values() for key, name in of_table.items()}
        """Global id → name; a name of the record stands for every entry in it."""

    @classmethod
    async def of(cls, database: Database) -> "Atlas":
        """The atlas of this database, read past every rule."""
        async with database.writing() as session:
            tables = {table: select(table) for table in TABLES.values()}
            return cls({t: list(await session.exec(unscoped(s, "tests know everything"))) for t, s in tables.items()})

    def ids(self, case: Case) -> set[str]:
        """The global ids that the case expects. Every name in it has to be something here."""
        found = {key: name for key, name in self.of_table[case.table].items() if name in case.names}
        assert set(found.values()) == case.names, f"{case} names what is not there"
        return set(found)

    def viewer(self, person: str) -> Viewer:
        """The person, with the directory roles that the demo's token carries."""
        row = next(row for row in self.rows[Principal] if row.name == person)
        entries = [entry for entry in read_world(WORLD_FILES).people if entry.name == person]
        roles = frozenset(role for entry in entries for role in entry.directory_roles)
        return Viewer(row.tenant_id, row.id, row.kind, roles)

    def name(self, row: Any) -> str:
        match row:
            case Room():
                return row.account
            case Principal():
                return row.name
            case Tenant():
                return self.domains[row.id]
            case Partnership() | Invitation():
                return self.between(row)
            case Role():
                return f"{self.owner(row)}: {row.name}"
            case Assignment():
                return f"{self.owner(row)}: {self.roles[row.role_id].name} / {row.name}"
            case ApprovalRequest():
                return self.held_change(row)
            case AuditEntry():
                return f"all of {self.domains[row.tenant_id]}"
            case _:
                return f"{self.domains[row.tenant_id]}: {row.name}"

    def owner(self, row: Role | Assignment) -> str:
        partnership = row.partnership_id and self.partnerships[row.partnership_id]
        return self.between(partnership) if partnership else self.domains[row.tenant_id]

    def between(self, row: Partnership | Invitation) -> str:
        return f"{self.domains[row.tenant_id]} → {self.domains[row.partner_tenant_id]}"

    def held_change(self, row: ApprovalRequest) -> str:
        requester = next(each.name for each in self.rows[Principal] if each.id == row.requester_id)
        return f"{self.between(self.partnerships[row.partnership_id])}: {requester}, {row.subject_name}"

    @staticmethod
    def _domain(tenant: Tenant) -> str:
        return next(entry.domains[0] for entry in read_world(WORLD_FILES).tenants if entry.id == tenant.id)


def is_person(principal: Principal) -> bool:
    """Somebody, or something, that can ask."""
    return principal.kind is not PrincipalKind.GROUP


@pytest.fixture
async def atlas(world: Database) -> Atlas:
    """What everything in the shared demo world is called in the access cases."""
    return await Atlas.of(world)
