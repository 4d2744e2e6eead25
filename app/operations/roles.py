"""Custom roles, of a customer and of a partner within one customer (RB-1 to RB-8, CPR-1 to CPR-6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlmodel import col, delete

from app.access.scoping import Rows
from app.access.visible import visible
from app.domain.audit import AuditAction, Changes, changed, made
from app.domain.permissions import Permission, union
from app.domain.refusals import Refused, RefusedTogether, check_version
from app.domain.roles import built_in, ceiling, named, read_description, wrong_permissions
from app.domain.text import name_key
from app.domain.vocabulary import AuditCategory, AuditOperation, ChangeEvent
from app.operations.assignments import Draft, NewAssignment, draft, erase, make
from app.operations.commands import Command, Prepared, Results
from app.operations.delegating import (
    Place,
    assignments_of,
    check_any,
    check_editor,
    check_grant,
    editing,
    enter,
    enter_new,
)
from app.operations.inviting import keep
from app.operations.naming import free_name, take, write
from app.operations.work import Work
from app.storage.global_ids import global_id
from app.storage.tables import Role

FIXED = "A built-in role can be given, and not be changed or deleted."


class CreateRole(Command):
    """A new role, of the viewer's organization or of a partner within one customer, perhaps given at once."""

    event: ClassVar[ChangeEvent] = ChangeEvent.ROLES_MODIFY

    partnership: str | None = None
    name: str
    description: str | None = None
    permissions: tuple[Permission, ...]
    assignment: NewAssignment | None = None

    async def prepare(self, work: Work) -> Prepared:
        """What would be made. Raises `Refused`, or `RefusedTogether` for what is wrong with the input."""
        place = await enter_new(work, self.partnership)
        most = ceiling(of_partner=place.partnership is not None)
        problems = wrong_permissions(self.permissions, most, "permissions")
        name = await keep(problems, free_name(work, roles_at(place), Role, self.name, "name"))
        description = take(problems, read_description, self.description, "description")
        role = Role(
            tenant_id=place.tenant_id,
            id=work.new_id(),
            partnership_id=place.partnership.id if place.partnership else None,
            name=name or "",
            name_key=name_key(name or ""),
            description=description,
            permissions=union(self.permissions) & most,
        )
        first = None
        if self.assignment is not None:
            first = await keep(problems, draft(work, self.assignment, role, place, "assignment"))
        if problems:
            raise RefusedTogether(problems)
        new = NewRole(role, first)
        return Prepared(place.acting, place.acting, role.name, new.changes, lambda: new.store(work))


@dataclass(frozen=True, slots=True)
class NewRole:
    """A role that could be made, with its first assignment if one is asked for (RB-8)."""

    row: Role
    first: Draft | None

    @property
    def facts(self) -> Changes:
        """Everything about the role."""
        row = self.row
        return made(name=row.name, description=row.description, permissions=named(row.permissions))

    @property
    def changes(self) -> Changes:
        """Everything about the role, and who would get it."""
        return self.facts + (made(assignment=self.first.row.name) + self.first.contents if self.first else [])

    async def store(self, work: Work) -> Results:
        """Make it, on the customer's record."""
        await work.store(self.row)
        record(work, self.row, AuditOperation.CREATE, AuditAction.ROLE_CREATE, self.facts)
        if self.first:
            await make(work, self.first)
        return {"role": self.row}


def roles_at(place: Place) -> Rows:
    """The roles among which a name is unique (#43)."""
    return visible(Role, editing(place)).where(
        col(Role.tenant_id) == place.tenant_id,
        col(Role.partnership_id).is_not_distinct_from(place.partnership.id if place.partnership else None),
    )


def record(work: Work, row: Role, operation: AuditOperation, action: AuditAction, changes: Changes) -> None:
    """Put what happens to a role in the customer's record."""
    subject = global_id(row)
    work.record(AuditCategory.ROLE, operation, action, row.tenant_id, row.name, subject=subject, changes=changes)


class UpdateRole(Command):
    """Change a custom role's words and permissions, for everybody who has it."""

    event: ClassVar[ChangeEvent] = ChangeEvent.ROLES_MODIFY

    role: str
    expected_version: int | None = None
    name: str | None = None
    description: str | None = None
    permissions: tuple[Permission, ...] | None = None

    @classmethod
    def facts(cls, subject: Any) -> Mapping[str, str | None]:
        """The role's present values."""
        return {
            "name": subject.name,
            "description": subject.description,
            "permissions": named(subject.permissions),
        }

    async def prepare(self, work: Work) -> Prepared:
        """What would change. Raises `Refused`, or `RefusedTogether` for what is wrong with the input."""
        row, place = await enter(work, Role, self.role, "role")
        if row.built_in:
            raise built_in(FIXED, "role")
        await check_editor(work, row, place)
        check_version(row.version, self.expected_version)
        values = await self.read(work, row, place)
        after = values.get("permissions", row.permissions)
        if after & ~row.permissions:
            await check_grant(work, place, assignments_of(row), after, "permissions")
        before = self.facts(row)
        wanted = {**before, **values, "permissions": named(after)}
        changes = [line for field in before for line in changed(field, before[field], wanted[field])]

        async def apply() -> Results:
            if changes:
                write(row, values)
                record(work, row, AuditOperation.UPDATE, AuditAction.ROLE_UPDATE, changes)
            return {"role": row}

        is_holdable = bool(values.keys() - {"permissions"} or after & ~row.permissions)
        return Prepared(place.acting, row, row.name, changes, apply, is_holdable)

    async def read(self, work: Work, row: Role, place: Place) -> dict[str, Any]:
        """The new values, as far as they differ. Raises `RefusedTogether`."""
        given, values, problems = self.model_fields_set, dict[str, Any](), list[Refused]()
        if "name" in given:
            values["name"] = await keep(problems, free_name(work, roles_at(place), Role, self.name, "name", but=row.id))
        if "description" in given:
            values["description"] = take(problems, read_description, self.description, "description")
        if "permissions" in given:
            most = ceiling(of_partner=place.partnership is not None)
            problems += wrong_permissions(self.permissions or (), most, "permissions")
            values["permissions"] = union(self.permissions or ())
        if problems:
            raise RefusedTogether(problems)
        return {name: value for name, value in values.items() if value != getattr(row, name)}


async def delete_role(work: Work, *, role: str, expected_version: int | None = None) -> tuple[str, int]:
    """End a custom role and all its assignments; the answer is its id, and how many ended (RB-5, CPR-5, #38, #39).

    Raises `Refused`.
    """
    row, place = await enter(work, Role, role, "role")
    if row.built_in:
        raise built_in(FIXED, "role")
    if place.is_partner or place.partnership is None:
        await check_editor(work, row, place)
    else:
        await check_any(work, row, "role", Permission.PARTNERS_MANAGE)
    check_version(row.version, expected_version)
    assignments = [each for (each,) in await work.ask(assignments_of(row))]
    for each in assignments:
        await erase(work, each)
    record(work, row, AuditOperation.DELETE, AuditAction.ROLE_DELETE, [])
    tenant_id, role_id = row.tenant_id, row.id
    await work.session.exec(delete(Role).where(col(Role.tenant_id) == tenant_id, col(Role.id) == role_id))
    return role, len(assignments)
