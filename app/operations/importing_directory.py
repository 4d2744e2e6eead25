"""A directory as Microsoft Graph lists it, or what changed in it: stored all together, on one line of the record.

Whoever is here is known by their object id, also where only a token told of them before. Nobody is removed for being
absent: only what a page marks as removed is. Who is removed holds nothing and is in no group from then on, but stays
stored, with their groups and assignments, and has all of it again when the directory restores them.

Only what differs is written, a chunk at a time.
"""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import orjson
from sqlalchemy import Row, Update, bindparam, select, update

from app.access.scoping import unscoped
from app.domain.audit import AuditAction, made
from app.domain.vocabulary import AuditCategory, AuditOperation, PrincipalKind
from app.domain.wording import counted
from app.operations.chunks import CHUNK, Columns, Progress, write
from app.operations.memberships import change_direct_members, count_unknown_members, flatten
from app.operations.vacancies import Vacancy, find_vacancies
from app.operations.work import Work
from app.storage.columns import text
from app.storage.dialects import insert_or_update, is_listed
from app.storage.directory_pages import NAMES, UNSAID, Directory, PrincipalRecord
from app.storage.graph_pages import Problems, digest
from app.storage.principal_keys import principal_keys
from app.storage.tables import Principal, Tenant, metadata

COMMAND = "an import acts for no viewer"
PRINCIPALS = metadata.tables[str(Principal.__tablename__)]
SAID = ("name", "user_principal_name", "user_type")
"""What pages say of a principal, beside what it is."""
WRITTEN = (*SAID, *principal_keys(name=""), "removed_at")


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """What became of what was read; who is restored counts as updated."""

    created: int
    updated: int
    unchanged: int
    removed: int
    members_added: int
    """As the directory says it, group by group."""
    members_removed: int
    gained: int
    """In effect: pairs of a group and somebody who is in it, itself or through groups in it."""
    lost: int

    @property
    def is_change(self) -> bool:
        """Something is not as it was."""
        return any(count for name, count in asdict(self).items() if name != "unchanged")


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, and what it leaves to do."""

    counts: ImportCounts
    unknown_members: int
    """How many the directory says are in a group, who are not stored."""
    vacancies: list[Vacancy]
    """Roles that somebody should have, and that nobody has since."""


@dataclass(slots=True)
class Plan:
    """What an import has to do; in a record that is to be written nothing is unsaid."""

    created: list[PrincipalRecord] = field(default_factory=list)
    updated: list[PrincipalRecord] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0


async def import_directory(
    work: Work, tenant: Tenant, directory: Directory, *, on_progress: Progress = lambda _: None
) -> Imported:
    """Store what was read about this tenant's directory.

    `on_progress` is told how many more objects and members of groups are done, and of one more step once it is settled
    who is in which group. Raises `BadFile` for somebody new of whom too little is said, and for an id that belongs to
    another kind of object.
    """
    await work.lock_tenant(tenant.id)  # imports into one tenant follow each other
    vacant = await find_vacancies(work, tenant.id)
    plan = await make_plan(work, tenant, directory)
    on_progress(plan.unchanged)
    await write_principals(work, tenant, plan, on_progress)
    direct = await change_direct_members(work, tenant.id, directory.memberships, on_progress)
    effective = await flatten(work, tenant.id, directory.principals)
    on_progress(1)
    counts = ImportCounts(
        created=len(plan.created),
        updated=len(plan.updated),
        unchanged=plan.unchanged,
        removed=len(plan.removed),
        members_added=direct.added,
        members_removed=direct.removed,
        gained=effective.added,
        lost=effective.removed,
    )
    vacancies = sorted(await find_vacancies(work, tenant.id) - vacant, key=str)
    put_on_record(work, tenant, directory, counts, vacancies)
    return Imported(counts, await count_unknown_members(work, tenant.id), vacancies)


# What there is, and what is to be done


async def make_plan(work: Work, tenant: Tenant, directory: Directory) -> Plan:
    """What makes the stored principals those of the pages. Raises `BadFile`."""
    plan, problems, new = Plan(), Problems(), dict(directory.principals)
    async for row in read_known(work, tenant, directory):
        plan_known(plan, row, new.pop(row.id), problems)
    for record in new.values():
        plan_new(plan, record, problems)
    problems.settle()
    return plan


async def read_known(work: Work, tenant: Tenant, directory: Directory) -> AsyncIterator[Row[Any]]:
    """What is stored of those whom the pages name."""
    compared = (PRINCIPALS.c[name] for name in ("id", "kind", "removed_at", *SAID))
    these = is_listed(PRINCIPALS.c.id, bindparam("ids", type_=text()))
    known = unscoped(select(*compared).where(PRINCIPALS.c.tenant_id == tenant.id, these), COMMAND)
    connection = await work.session.connection()
    ids = {"ids": orjson.dumps(list(directory.principals)).decode()}
    async for row in await connection.stream(known.execution_options(yield_per=CHUNK), ids):
        yield row


def plan_known(plan: Plan, row: Row[Any], record: PrincipalRecord, problems: Problems) -> None:
    """What is to be done about somebody stored; what cannot be is noted."""
    now = complete(record, row.name, row.user_principal_name, row.user_type)
    is_same = all(getattr(now, name) == getattr(row, name) for name in SAID)
    if row.kind is not record.kind:
        problems.add(
            record.place, f"id: expected that of a {NAMES[row.kind]}, as it is stored, got a {NAMES[record.kind]}"
        )
    elif record.is_removed and row.removed_at is None:
        plan.removed.append(row.id)
    elif record.is_removed or (is_same and row.removed_at is None):
        plan.unchanged += 1
    else:
        plan.updated.append(now)


def plan_new(plan: Plan, record: PrincipalRecord, problems: Problems) -> None:
    """What is to be done about somebody new; what cannot be is noted. Who is gone before they came is left out."""
    if record.is_removed:
        plan.unchanged += 1
        return
    if record.name is UNSAID:
        problems.add(record.place, "displayName: expected text for somebody new, got nothing")
    if record.user_type is UNSAID and record.kind is PrincipalKind.USER:
        expected = "member, guest or null for somebody new (Graph has it only if it is selected)"
        problems.add(record.place, f"userType: expected {expected}, got nothing")
    plan.created.append(complete(record, "", None, None))


def complete(record: PrincipalRecord, *stored: Any) -> PrincipalRecord:
    """The record with what is stored where it says nothing."""
    unsaid = {name: value for name, value in zip(SAID, stored, strict=True) if getattr(record, name) is UNSAID}
    return replace(record, **unsaid) if unsaid else record


# Doing it


async def write_principals(work: Work, tenant: Tenant, plan: Plan, on_progress: Progress) -> None:
    """Make everybody who differs, is new, or is gone, what they are to be."""
    dates = {"created_at": work.moment, "removed_at": None}
    new = insert_or_update(PRINCIPALS, work.dialect, WRITTEN).values(tenant_id=tenant.id, **dates)
    await write(work, new, plan.created, lambda each: {"id": each.id, "kind": each.kind, **columns(each)}, on_progress)
    changed = one_principal(tenant).values(removed_at=None)
    await write(work, changed, plan.updated, lambda each: {"principal": each.id, **columns(each)}, on_progress)
    gone = one_principal(tenant).values(removed_at=work.moment)
    await write(work, gone, plan.removed, lambda key: {"principal": key}, on_progress)


def one_principal(tenant: Tenant) -> Update:
    """A change of one principal of the tenant, bound as `principal`."""
    return update(PRINCIPALS).where(PRINCIPALS.c.tenant_id == tenant.id, PRINCIPALS.c.id == bindparam("principal"))


def columns(record: PrincipalRecord) -> Columns:
    """The columns of a principal that the pages say, and the keys that follow from them. Nothing is unsaid."""
    values: Columns = {name: getattr(record, name) for name in SAID}
    return values | principal_keys(name=values["name"], user_principal_name=values["user_principal_name"])


def put_on_record(
    work: Work, tenant: Tenant, directory: Directory, counts: ImportCounts, vacancies: list[Vacancy]
) -> None:
    """One line for the whole import; none if nothing was changed, since the record is of changes."""
    if counts.is_change:
        operation = AuditOperation.CREATE if counts.created else AuditOperation.UPDATE
        facts = made(**asdict(counts), without_a_user=list(map(str, vacancies)), digest=digest(directory.pages))
        action, what = AuditAction.DIRECTORY_IMPORT, summary(directory)
        work.record(AuditCategory.USER, operation, action, tenant.id, what, changes=facts)


def summary(directory: Directory) -> str:
    """How much of what was read."""
    kinds = Counter(record.kind for record in directory.principals.values())
    *others, last = (counted(kinds[kind], name) for kind, name in NAMES.items())
    return f"{', '.join(others)} and {last} in {counted(len(directory.pages), 'file')}"
