"""Organizations: what every tenant has from its first day, and how commands find one."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.access.scoping import unscoped
from app.domain.audit import AuditAction
from app.domain.domains import NotADomain, normalize_domain
from app.domain.permissions import BuiltInRole
from app.domain.refusals import CommandRefused
from app.domain.rings import PRECONFIGURED, deferments
from app.domain.text import CONTROL, name_key
from app.domain.vocabulary import AuditCategory, PrincipalKind, UserType
from app.operations.work import Work
from app.storage.principal_keys import principal_keys
from app.storage.tables import (
    NAME_LENGTH,
    Assignment,
    AssignmentMember,
    AuditHead,
    Domain,
    Principal,
    Role,
    Tenant,
    UpdateRing,
)

OWN_ROLES = (BuiltInRole.MANAGER, BuiltInRole.SITE_LEAD, BuiltInRole.SITE_TECHNICIAN, BuiltInRole.TENANT_MANAGER)
"""The built-in roles of a tenant; the Primary admin belongs to a partnership."""
STANDING_ASSIGNMENTS = {BuiltInRole.MANAGER: "Managers", BuiltInRole.TENANT_MANAGER: "Tenant managers"}
"""The assignments that every tenant has, whoever is in them."""


@dataclass(frozen=True, slots=True)
class NewUser:
    """Someone to be stored: a name, and Entra's object id if it is known."""

    name: str
    id: str | None = None


async def add_tenant(
    work: Work,
    *,
    name: str,
    domains: Sequence[str],
    tenant_id: str | None = None,
    may_be_partner: bool = False,
    managers: Sequence[NewUser] = (),
) -> Tenant:
    """A new organization with its rings, its built-in roles, its Managers and a record of its own.

    Raises `CommandRefused` for a name, domain or id that cannot be, or that another tenant has.
    """
    tenant = Tenant(
        id=read_id(tenant_id) if tenant_id else work.new_id(),
        name=read_name(name),
        name_key=name_key(read_name(name)),
        may_be_partner=may_be_partner,
        created_at=work.moment,
    )
    verified = await free_domains(work.session, tenant.id, domains)
    await work.store(tenant)
    await work.store(AuditHead(tenant_id=tenant.id), *(Domain(name=d, tenant_id=tenant.id) for d in verified))
    facts = {"domains": verified, "may_be_partner": may_be_partner}
    work.created(AuditCategory.SETTINGS, AuditAction.TENANT_ADD, tenant.id, tenant.name, tenant, **facts)
    await work.store(*preconfigured_rings(work, tenant.id))
    users = [add_user(work, tenant.id, manager) for manager in dict.fromkeys(managers)]
    await add_built_in_roles(work, tenant.id, users)
    return tenant


async def free_domains(session: AsyncSession, tenant_id: str, domains: Sequence[str]) -> list[str]:
    """These domains, normalized. Raises `CommandRefused` if there is none, or if one or the id is somebody's."""
    try:
        wanted = list(dict.fromkeys(map(normalize_domain, domains)))
    except NotADomain as refused:
        raise CommandRefused(str(refused)) from None
    if not wanted:
        raise CommandRefused("a tenant needs at least one domain")
    for owner in await session.exec(unscoped(select(Tenant).where(Tenant.id == tenant_id), COMMANDS)):
        raise CommandRefused(f"the tenant {tenant_id} is already here: {owner.name}")
    taken = select(Tenant, Domain).join(Domain).where(col(Domain.name).in_(wanted))
    for owner, domain in await session.exec(unscoped(taken, COMMANDS)):
        raise CommandRefused(f"the domain {domain.name} belongs to another tenant: {owner.name} ({owner.id})")
    return wanted


COMMANDS = "an operator's command acts for no viewer"


async def find_tenant(session: AsyncSession, domain: str) -> Tenant:
    """The tenant that has this domain. Raises `CommandRefused` if none has."""
    try:
        owner = select(Tenant).join(Domain).where(col(Domain.name) == normalize_domain(domain))
    except NotADomain as refused:
        raise CommandRefused(str(refused)) from None
    found = (await session.exec(unscoped(owner, COMMANDS))).first()
    if found is None:
        raise CommandRefused(f"no tenant has the domain {domain}; `gateway tenants add` adds one")
    return found


def preconfigured_rings(work: Work, tenant_id: str) -> list[SQLModel]:
    """Staging, General and Executive."""
    starts = deferments([step.days for step in PRECONFIGURED])
    return [
        UpdateRing(
            tenant_id=tenant_id,
            id=work.new_id(),
            name=step.name,
            name_key=name_key(step.name),
            position=step.position,
            rollout_days=step.rollout_days,
            test_days=step.test_days,
            deferment_days=start,
            preconfigured=True,
        )
        for step, start in zip(PRECONFIGURED, starts, strict=True)
    ]


def add_user(work: Work, tenant_id: str, user: NewUser) -> Principal:
    """A user of this tenant's directory, on the record."""
    principal = Principal(
        tenant_id=tenant_id,
        id=read_id(user.id) if user.id else work.new_id(),
        kind=PrincipalKind.USER,
        name=read_name(user.name),
        user_type=UserType.MEMBER,
        created_at=work.moment,
        **principal_keys(name=read_name(user.name)),
    )
    work.session.add(principal)
    work.created(AuditCategory.USER, AuditAction.USER_ADD, tenant_id, principal.name, principal)
    return principal


async def add_built_in_roles(work: Work, tenant_id: str, managers: Sequence[Principal]) -> None:
    """The four roles, and the two assignments that are always there: the Managers, and the Tenant managers (none)."""
    roles = {role: built_in_role(work, tenant_id, role) for role in OWN_ROLES}
    await work.store(*roles.values())
    for role, name in STANDING_ASSIGNMENTS.items():
        assignment = Assignment(
            tenant_id=tenant_id,
            id=work.new_id(),
            role_id=roles[role].id,
            name=name,
            name_key=name_key(name),
            all_rooms=role is BuiltInRole.MANAGER,
        )
        await work.store(assignment)
        members = managers if role is BuiltInRole.MANAGER else ()
        await add_members(work, assignment, members)
        facts = {"role": role.label, "members": [member.name for member in members]}
        work.created(AuditCategory.ASSIGNMENT, AuditAction.ASSIGNMENT_CREATE, tenant_id, name, assignment, **facts)


def built_in_role(work: Work, tenant_id: str, role: BuiltInRole, partnership_id: str | None = None) -> Role:
    """A built-in role as this tenant, or this partnership, has it."""
    return Role(
        tenant_id=tenant_id,
        id=work.new_id(),
        partnership_id=partnership_id,
        built_in=role,
        name=role.label,
        name_key=name_key(role.label),
        permissions=role.permissions,
    )


async def add_members(work: Work, assignment: Assignment, members: Sequence[Principal]) -> None:
    """Let these hold the assignment."""
    await work.store(
        *(
            AssignmentMember(
                tenant_id=assignment.tenant_id,
                assignment_id=assignment.id,
                member_tenant_id=member.tenant_id,
                member_id=member.id,
            )
            for member in members
        )
    )


def read_id(text: str) -> str:
    """A tenant or object id as Entra gives it. Raises `CommandRefused` for anything but a UUID."""
    try:
        return str(uuid.UUID(text.strip()))
    except ValueError:
        raise CommandRefused(f"`{text}` is not an id such as 3f2504e0-4f89-41d3-9a0c-0305e82c3301") from None


def read_name(text: str) -> str:
    """A name without its outer spaces. Raises `CommandRefused` if nothing is left, too much, or a control character."""
    name = text.strip()
    if 0 < len(name) <= NAME_LENGTH and not CONTROL.search(name):
        return name
    raise CommandRefused(f"a name has 1 to {NAME_LENGTH} characters and no control characters, unlike {text[:60]!r}")
