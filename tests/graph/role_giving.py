"""What roles and assignments are changed with: the documents, ids by names, and what is asserted of every refusal."""

from typing import Any

from sqlmodel import col

from app.storage.engines import Database
from app.storage.global_ids import global_id
from app.storage.tables import Assignment, AssignmentGroup, AssignmentMember, AssignmentRoom, Role
from tests.graph.asking import Asker, ask
from tests.graph.relating import done, partnership, tenant, user
from tests.operations.chains import everything

ERRORS = """errors { __typename code message path
  ... on InvalidInput { min max } ... on Forbidden { missing } ... on StaleVersion { currentVersion }
  ... on Conflict { existing { __typename id } } ... on InvalidState { state allowed } }"""
ASSIGNMENT = """id version name description notifyByEmail allRooms role { name }
  members { nodes { ... on User { displayName } ... on SecurityGroup { displayName }
    ... on Application { displayName } } }
  rooms { nodes { displayName account } } groups { nodes { displayName } }"""
ROLE = f"""id version name description type side permissions customer {{ displayName }} partnership {{ id }}
  assignments {{ nodes {{ {ASSIGNMENT} }} }}"""

CREATE_ROLE = f"""mutation($input: CreateRoleInput!) {{
  createRole(input: $input) {{ role {{ {ROLE} }} {ERRORS} }} }}"""
UPDATE_ROLE = f"""mutation($input: UpdateRoleInput!) {{
  updateRole(input: $input) {{ role {{ {ROLE} }} {ERRORS} }} }}"""
DELETE_ROLE = f"""mutation($input: DeleteRoleInput!) {{
  deleteRole(input: $input) {{ deletedRole endedAssignments {ERRORS} }} }}"""
CREATE = f"""mutation($input: CreateAssignmentInput!) {{
  createAssignment(input: $input) {{ assignment {{ {ASSIGNMENT} }} {ERRORS} }} }}"""
UPDATE = f"""mutation($input: UpdateAssignmentInput!) {{
  updateAssignment(input: $input) {{ assignment {{ {ASSIGNMENT} }} {ERRORS} }} }}"""
DELETE = f"""mutation($input: DeleteAssignmentInput!) {{
  deleteAssignment(input: $input) {{ deletedAssignment {ERRORS} }} }}"""

CONTOSO, FABRIKAM, NORTHWIND = (f"{name}.example" for name in ("contoso", "fabrikam", "northwind"))
DESK = ["ROOMS_VIEW", "TICKETS_VIEW", "TICKETS_UPDATE"]


async def role(database: Database, customer: str, name: str, partner: str | None = None) -> Role:
    """The role with this name, of the customer or of a partner within it."""
    of = (await partnership(database, customer, partner)).id if partner else None
    (row,) = await everything(
        database,
        Role,
        col(Role.tenant_id) == tenant(customer),
        col(Role.name) == name,
        col(Role.partnership_id).is_not_distinct_from(of),
    )
    assert isinstance(row, Role)
    return row


async def assignment(
    database: Database, customer: str, role_name: str, name: str, partner: str | None = None
) -> Assignment:
    """The assignment with this name, of the role with that name."""
    of = await role(database, customer, role_name, partner)
    (row,) = await everything(
        database,
        Assignment,
        col(Assignment.tenant_id) == of.tenant_id,
        col(Assignment.role_id) == of.id,
        col(Assignment.name) == name,
    )
    assert isinstance(row, Assignment)
    return row


async def admins_of(database: Database, customer: str, partner: str = NORTHWIND) -> Assignment:
    """The Assigned admins of this partnership."""
    return await assignment(database, customer, "Primary admin", "Assigned admins", partner)


def of(row: Assignment, **values: Any) -> dict[str, Any]:
    """The input of a change of this assignment as it is now."""
    return {"assignment": global_id(row), "expectedVersion": row.version} | values


def of_role(row: Role, **values: Any) -> dict[str, Any]:
    """The input of a change of this role as it is now."""
    return {"role": global_id(row), "expectedVersion": row.version} | values


async def partner_id(database: Database, customer: str = CONTOSO, partner: str = NORTHWIND) -> str:
    """The id of a partnership."""
    return global_id(await partnership(database, customer, partner))


async def keeper(database: Database, person: str, *, rooms: list[str], groups: list[str] | None = None) -> Asker:
    """Somebody of Northwind who changes roles within Contoso and is no primary admin, over these rooms."""
    await done(
        ask(database, "northwind-admin"),
        CREATE_ROLE,
        partnership=await partner_id(database),
        name="Keepers",
        permissions=["ROOMS_VIEW", "TICKETS_VIEW", "ROLES_VIEW", "ROLES_MODIFY"],
        assignment={"name": "Keepers", "members": [user(person)], "rooms": rooms, "groups": groups or []},
    )
    return ask(database, person)


def members(shown: dict[str, Any]) -> list[str]:
    """Who has an assignment, as it is shown."""
    return sorted(each["displayName"] for each in shown["members"]["nodes"])


def accounts(shown: dict[str, Any]) -> list[str]:
    """The rooms in an assignment's scope, as far as they are shown."""
    return sorted(each["account"].partition("@")[0] for each in shown["rooms"]["nodes"])


async def left(database: Database, row: Assignment) -> tuple[int, int, int]:
    """How many members, rooms and groups are stored of an assignment."""
    counted = [
        len(
            await everything(database, table, col(table.tenant_id) == row.tenant_id, col(table.assignment_id) == row.id)
        )
        for table in (AssignmentMember, AssignmentRoom, AssignmentGroup)
    ]
    return counted[0], counted[1], counted[2]
