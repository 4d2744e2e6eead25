"""The mutations of roles and assignments: who may do what, over which rooms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import strawberry

from app.domain.permissions import Permission
from app.graph.changing import (
    APPROVAL,
    ERRORS,
    IDEMPOTENCY,
    INPUT,
    VERSION,
    change,
    change_by,
    chosen,
    optional,
    required,
    result,
    several,
)
from app.graph.context import Info
from app.graph.declaring import PART, plain, resolved, unannotated, value_type
from app.graph.errors import UserError
from app.graph.types import ApprovalRequest, Assignment, Role
from app.operations.assignment_changes import UpdateAssignment
from app.operations.assignments import CreateAssignment, delete_assignment
from app.operations.roles import CreateRole, UpdateRole, delete_role
from app.operations.work import Work

ROLE_NAME = "1 to 100 characters, unique among the roles of the owner; upper and lower case are the same."
ASSIGNMENT_NAME = "1 to 100 characters, unique among the role's assignments; upper and lower case are the same."
DESCRIPTION = "At most 1024 characters."
PERMISSIONS = (
    "At least one of the 19 permissions of Table 1, for a partner's role of those that its primary admins have. Every "
    "level of a feature needs its VIEW, except REPORTS_CREATE_INCIDENT."
)
MEMBERS = (
    "At least one person or security group of your organization; for custom roles, Site Lead and Site Technician also "
    "a tool."
)
ROOMS = "Rooms to cover. You need every permission of the role on each of them, unless you are a Manager."
GROUPS = (
    "Room groups to cover, live: with the rooms they have at any time. You need the permissions on the group itself."
)
NOTIFY = "Whether its members get service e-mail about the rooms in its scope."

# --- inputs ----------------------------------------------------------------------------------------------------------


@strawberry.input(description="Who gets a new role at once, over which rooms.")
class FirstAssignmentInput:
    """Who gets a new role at once."""

    name: str = required(ASSIGNMENT_NAME)
    description: str | None = optional(DESCRIPTION)
    notify_by_email: bool = optional(NOTIFY, default=False)
    members: list[strawberry.ID] = required(MEMBERS)
    rooms: list[strawberry.ID] = several(ROOMS)
    groups: list[strawberry.ID] = several(GROUPS)


@strawberry.input(description="A new custom role.")
class CreateRoleInput:
    """A new custom role."""

    partnership: strawberry.ID | None = optional(
        "The partnership in which your organization, as the partner, gets the role; null for a role of its own."
    )
    name: str = required(ROLE_NAME)
    description: str | None = optional(DESCRIPTION)
    permissions: list[Permission] = required(PERMISSIONS)
    assignment: FirstAssignmentInput | None = optional("Who gets the role at once.")
    idempotency_key: str | None = optional(IDEMPOTENCY)


@strawberry.input(description="Changes of a custom role, for everybody who has it. What you leave out stays.")
class UpdateRoleInput:
    """Changes of a custom role."""

    role: strawberry.ID = required("The role.")
    expected_version: int = required(VERSION)
    name: str | None = chosen(ROLE_NAME)
    description: str | None = chosen(f"{DESCRIPTION} Null clears it.")
    permissions: list[Permission] | None = chosen(f"All of its permissions from now on. {PERMISSIONS}")
    idempotency_key: str | None = optional(IDEMPOTENCY)


@strawberry.input(description="A custom role to end, with its assignments.")
class DeleteRoleInput:
    """A custom role to end."""

    role: strawberry.ID = required("The role.")
    expected_version: int | None = optional(VERSION)
    idempotency_key: str | None = optional(IDEMPOTENCY)


@strawberry.input(description="A role to give to members over a scope.")
class CreateAssignmentInput:
    """A role to give."""

    role: strawberry.ID = required("The role, built in or custom.")
    name: str = required(ASSIGNMENT_NAME)
    description: str | None = optional(DESCRIPTION)
    notify_by_email: bool = optional(NOTIFY, default=False)
    members: list[strawberry.ID] = required(MEMBERS)
    rooms: list[strawberry.ID] = several(ROOMS)
    groups: list[strawberry.ID] = several(GROUPS)
    idempotency_key: str | None = optional(IDEMPOTENCY)


@strawberry.input(description="Changes of an assignment. What you leave out stays.")
class UpdateAssignmentInput:
    """Changes of an assignment."""

    assignment: strawberry.ID = required("The assignment.")
    expected_version: int = required(VERSION)
    name: str | None = chosen(ASSIGNMENT_NAME)
    description: str | None = chosen(f"{DESCRIPTION} Null clears it.")
    notify_by_email: bool | None = chosen(NOTIFY)
    add_rooms: list[strawberry.ID] = several(ROOMS)
    remove_rooms: list[strawberry.ID] = several("Rooms to take out of the scope; one that is not in it is left alone.")
    add_groups: list[strawberry.ID] = several(GROUPS)
    remove_groups: list[strawberry.ID] = several(
        "Groups to take out of the scope; one that is not in it is left alone."
    )
    add_members: list[strawberry.ID] = several("People, security groups or tools of your organization.")
    remove_members: list[strawberry.ID] = several("Members to take it from; one who is none is left alone.")
    idempotency_key: str | None = optional(IDEMPOTENCY)


@strawberry.input(description="An assignment to end.")
class DeleteAssignmentInput:
    """An assignment to end."""

    assignment: strawberry.ID = required("The assignment.")
    expected_version: int | None = optional(VERSION)
    idempotency_key: str | None = optional(IDEMPOTENCY)


# --- payloads --------------------------------------------------------------------------------------------------------


def told(name: str, description: str) -> Any:
    """A plain result of a change; null if it was refused."""

    def resolve(root: strawberry.Parent[Any]) -> Any:
        return root.results.get(name)

    return resolved(unannotated(resolve), description, right=PART)


@value_type("What became of the role.")
class CreateRolePayload:
    """What became of the role."""

    role: Role | None = result("role", "The new role; null if the change was held or refused.")
    approval_request: ApprovalRequest | None = result("approval_request", APPROVAL)
    errors: list[UserError] = plain(ERRORS)


@value_type("What became of the role.")
class UpdateRolePayload:
    """What became of the role."""

    role: Role | None = result("role", "The role; null if the change was held or refused.")
    approval_request: ApprovalRequest | None = result("approval_request", APPROVAL)
    errors: list[UserError] = plain(ERRORS)


@value_type("What became of the role.")
class DeleteRolePayload:
    """What became of the role."""

    deleted_role: strawberry.ID | None = told("deleted_role", "The id that the role had; null if it was refused.")
    ended_assignments: int | None = told(
        "ended_assignments", "How many assignments ended with it; null if it was refused."
    )
    errors: list[UserError] = plain(ERRORS)


@value_type("What became of the assignment.")
class CreateAssignmentPayload:
    """What became of the assignment."""

    assignment: Assignment | None = result("assignment", "The new assignment; null if the change was held or refused.")
    approval_request: ApprovalRequest | None = result("approval_request", APPROVAL)
    errors: list[UserError] = plain(ERRORS)


@value_type("What became of the assignment.")
class UpdateAssignmentPayload:
    """What became of the assignment."""

    assignment: Assignment | None = result("assignment", "The assignment; null if the change was held or refused.")
    approval_request: ApprovalRequest | None = result("approval_request", APPROVAL)
    errors: list[UserError] = plain(ERRORS)


@value_type("What became of the assignment.")
class DeleteAssignmentPayload:
    """What became of the assignment."""

    deleted_assignment: strawberry.ID | None = told(
        "deleted_assignment", "The id that the assignment had; null if it was refused."
    )
    errors: list[UserError] = plain(ERRORS)


# --- what each of them does ------------------------------------------------------------------------------------------


async def create_role(info: Info, input: Annotated[CreateRoleInput, INPUT]) -> Any:  # noqa: A002
    """Make a role."""
    return await change_by(info, CreateRolePayload, input, CreateRole)


async def update_role(info: Info, input: Annotated[UpdateRoleInput, INPUT]) -> Any:  # noqa: A002
    """Change a role."""
    return await change_by(info, UpdateRolePayload, input, UpdateRole)


async def end_role(info: Info, input: Annotated[DeleteRoleInput, INPUT]) -> Any:  # noqa: A002
    """End a role."""

    async def operate(work: Work) -> Mapping[str, Any]:
        ended, count = await delete_role(work, role=input.role, expected_version=input.expected_version)
        return {"deleted_role": ended, "ended_assignments": count}

    return await change(info, DeleteRolePayload, input, operate)


async def create_assignment(info: Info, input: Annotated[CreateAssignmentInput, INPUT]) -> Any:  # noqa: A002
    """Give a role."""
    return await change_by(info, CreateAssignmentPayload, input, CreateAssignment)


async def update_assignment(info: Info, input: Annotated[UpdateAssignmentInput, INPUT]) -> Any:  # noqa: A002
    """Change an assignment."""
    return await change_by(info, UpdateAssignmentPayload, input, UpdateAssignment)


async def end_assignment(info: Info, input: Annotated[DeleteAssignmentInput, INPUT]) -> Any:  # noqa: A002
    """End an assignment."""

    async def operate(work: Work) -> Mapping[str, Any]:
        version = input.expected_version
        ended = await delete_assignment(work, assignment=input.assignment, expected_version=version)
        return {"deleted_assignment": ended}

    return await change(info, DeleteAssignmentPayload, input, operate)
