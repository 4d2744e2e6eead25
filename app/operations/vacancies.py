"""Roles that somebody should always have, and that nobody has (PA-4, #41).

A change of roles that would leave one is refused. A directory is not ours to refuse, so an import tells of it (#34).
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, literal, or_, select, tuple_
from sqlmodel import col

from app.access.scoping import unscoped
from app.domain.permissions import BuiltInRole
from app.domain.vocabulary import PartnershipState, PrincipalKind
from app.operations.work import Work
from app.storage.tables import Assignment, AssignmentMember, GroupMember, Partnership, Principal, Role, Tenant

WHOEVER = "whether anybody is left does not depend on who looks"


@dataclass(frozen=True, slots=True)
class Vacancy:
    """A role that nobody of the tenant has: its own, or one at a customer."""

    role_id: str
    role: str
    organization: str

    def __str__(self) -> str:
        return f"{self.role} at {self.organization}"


async def find_vacancies(work: Work, tenant_id: str) -> set[Vacancy]:
    """Its own Manager role and its Primary admin roles at customers, as far as no user of this tenant has them.

    Groups are counted by their stored members, and who was removed is nobody.
    """
    asked = select(col(Role.id), col(Role.name), col(Tenant.name)).join(Tenant, col(Tenant.id) == col(Role.tenant_id))
    vacant = asked.where(is_to_be_held(tenant_id), ~is_held(tenant_id))
    rows = await (await work.session.connection()).execute(unscoped(vacant, WHOEVER))
    return {Vacancy(*row) for row in rows}


def is_to_be_held(tenant_id: str) -> ColumnElement[bool]:
    """Somebody of this tenant should have the role."""
    active = select(col(Partnership.tenant_id), col(Partnership.id)).where(
        col(Partnership.partner_tenant_id) == tenant_id, col(Partnership.state) == PartnershipState.ACTIVE
    )
    at_customer = tuple_(col(Role.tenant_id), col(Role.partnership_id)).in_(active)
    return or_(
        and_(col(Role.tenant_id) == tenant_id, col(Role.built_in) == BuiltInRole.MANAGER),
        and_(col(Role.built_in) == BuiltInRole.PRIMARY_ADMIN, at_customer),
    )


def is_held(tenant_id: str) -> ColumnElement[bool]:
    """A user of this tenant has the role, in person or through a group."""
    is_of_role = and_(col(Assignment.tenant_id) == col(Role.tenant_id), col(Assignment.role_id) == col(Role.id))
    is_member = and_(
        col(AssignmentMember.tenant_id) == col(Assignment.tenant_id),
        col(AssignmentMember.assignment_id) == col(Assignment.id),
        col(AssignmentMember.member_tenant_id) == tenant_id,
    )
    is_inside = and_(
        col(GroupMember.tenant_id) == tenant_id, col(GroupMember.group_id) == col(AssignmentMember.member_id)
    )
    is_user = and_(
        col(Principal.tenant_id) == tenant_id,
        col(Principal.id) == func.coalesce(col(GroupMember.member_id), col(AssignmentMember.member_id)),
        col(Principal.kind) == PrincipalKind.USER,
        col(Principal.removed_at).is_(None),
    )
    members = select(literal(1)).select_from(Assignment).join(AssignmentMember, is_member)
    users = members.outerjoin(GroupMember, is_inside).join(Principal, is_user)
    return users.where(is_of_role).correlate(Role).exists()
