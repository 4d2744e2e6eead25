"""One transaction in which a world to be measured is made: seeded ids, rows in bulk, and organizations."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from sqlmodel import col, select

from app.access.scoping import unscoped
from app.access.viewer import SYSTEM
from app.bench.loading import Loader, Progress
from app.bench.places import JOBS
from app.bench.seeded_ids import SeededIds
from app.domain.vocabulary import PrincipalKind, UserType
from app.operations.tenants import NewUser, add_tenant
from app.operations.work import Work
from app.storage.engines import Database
from app.storage.principal_keys import principal_keys
from app.storage.tables import GroupMember, Principal, Tenant, UpdateRing

SEED = 20261123
PEOPLE_PER_GROUP = 5


@dataclass
class SeededWork(Work):
    """A work whose ids are the same in every run."""

    _made: int = 0

    def new_id(self) -> str:
        """The next id."""
        self._made += 1
        return SeededIds(self.moment, SEED).of("made", self._made)


@dataclass(frozen=True)
class Organization:
    """A tenant with its directory."""

    tenant: Tenant
    domain: str
    manager: str
    """Id of its Manager."""
    users: Sequence[Principal]
    groups: Sequence[Principal]

    @property
    def id(self) -> str:
        """The tenant's id."""
        return self.tenant.id


@dataclass(frozen=True)
class Maker:
    """Makes what is measured."""

    work: SeededWork
    loader: Loader
    ids: SeededIds
    random: Random = field(default_factory=lambda: Random(SEED))  # noqa: S311 - the same in every run

    @classmethod
    @asynccontextmanager
    async def begin(
        cls, database: Database, moment: datetime, ids: SeededIds, on_progress: Progress
    ) -> AsyncIterator["Maker"]:
        """Begin a transaction at this moment. It is committed when the context is left."""
        async with SeededWork.begin(database, SYSTEM, moment, "bench") as work:
            yield cls(work, Loader(work, on_progress), ids)

    async def organization(self, name: str, label: str, people: int, *, is_partner: bool = False) -> Organization:
        """An organization with a Manager, and with people and security groups, named by what they do."""
        domain, manager = f"{label}.example", NewUser(f"{label}-manager", self.ids.of("manager", label))
        identifier = self.ids.of("tenant", label)
        tenant = await add_tenant(
            self.work, name=name, domains=[domain], tenant_id=identifier, may_be_partner=is_partner, managers=[manager]
        )
        users = [self._user(tenant.id, f"{label}-{JOBS[n % len(JOBS)]}-{n + 1}", domain) for n in range(people)]
        groups = [self._group(tenant.id, f"{label}-shift-{n // PEOPLE_PER_GROUP + 1}") for n in places(people)]
        await self.work.store(*users, *groups)
        for group, first in zip(groups, places(people), strict=True):
            members = users[first : first + PEOPLE_PER_GROUP]
            self.work.session.add_all(
                GroupMember(tenant_id=tenant.id, group_id=group.id, member_id=member.id) for member in members
            )
        await self.work.store()
        return Organization(tenant, domain, self.ids.of("manager", label), users, groups)

    async def rings(self, customer: Organization) -> list[str]:
        """The ids of the customer's update rings, in their order."""
        rings = select(UpdateRing.id).where(col(UpdateRing.tenant_id) == customer.id).order_by(col(UpdateRing.position))
        return list(await self.work.session.exec(unscoped(rings, "a world to be measured is made for no viewer")))

    def _user(self, tenant: str, name: str, domain: str) -> Principal:
        sign_in = f"{name}@{domain}"
        return Principal(
            tenant_id=tenant,
            id=self.ids.of("user", name),
            kind=PrincipalKind.USER,
            name=name,
            user_principal_name=sign_in,
            user_type=UserType.MEMBER,
            created_at=self.work.moment,
            **principal_keys(name=name, user_principal_name=sign_in),
        )

    def _group(self, tenant: str, name: str) -> Principal:
        return Principal(
            tenant_id=tenant,
            id=self.ids.of("group", name),
            kind=PrincipalKind.GROUP,
            name=name,
            user_type=None,
            created_at=self.work.moment,
            **principal_keys(name=name),
        )


def places(people: int) -> range:
    """Where among the people each security group begins."""
    return range(0, people - PEOPLE_PER_GROUP + 1, PEOPLE_PER_GROUP)
