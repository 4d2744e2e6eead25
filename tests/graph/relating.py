"""What partnerships live by: the documents, ids by the names of the demo world, and what a change left behind."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Delete, Insert, Update
from sqlmodel import SQLModel, col

from app.access.scoping import unscoped
from app.domain.ids import GlobalId
from app.domain.vocabulary import InvitationState
from app.storage.engines import Database
from app.storage.global_ids import global_id
from app.storage.tables import AuditEntry, AuditHead, Invitation, Partnership, Room, RoomGroup
from tests.graph.asking import WORLD, Asker, ask, viewer_of
from tests.operations.chains import attempts, check_chain, everything, stored
from tests.world import SEEDED_AT

TESTS = "tests know everything"
TERMS = "2026-11"
TICK = timedelta(microseconds=1)

ERRORS = """errors { __typename code message path
  ... on InvalidInput { min max } ... on Forbidden { missing } ... on StaleVersion { currentVersion }
  ... on Conflict { existing { __typename id } } ... on InvalidState { state allowed } }"""
INVITATION = """id version state partnerDomain partner { displayName } customer { displayName } sentAt expiresAt
  answeredAt roomCount rooms { nodes { displayName } } groups { nodes { displayName } } changeControl { event mode }
  termsVersion sentBy { ... on User { displayName } }"""
PARTNERSHIP = """id version state customer { displayName } partner { displayName } establishedAt
  changeControl { event mode } rooms { nodes { displayName } }
  primaryAdmins { name members { nodes { ... on User { displayName } ... on SecurityGroup { displayName } } } }"""

MEMBERS = "members { nodes { ... on User { displayName } ... on SecurityGroup { displayName } } }"

INVITE = f"""mutation($input: InvitePartnerInput!) {{
  invitePartner(input: $input) {{ invitation {{ {INVITATION} }} {ERRORS} }} }}"""
REVOKE = f"""mutation($input: RevokeInvitationInput!) {{
  revokeInvitation(input: $input) {{ invitation {{ {INVITATION} }} {ERRORS} }} }}"""
DECLINE = f"""mutation($input: DeclineInvitationInput!) {{
  declineInvitation(input: $input) {{ invitation {{ {INVITATION} }} {ERRORS} }} }}"""
ACCEPT = f"""mutation($input: AcceptInvitationInput!) {{
  acceptInvitation(input: $input) {{ invitation {{ {INVITATION} }} partnership {{ {PARTNERSHIP} }} {ERRORS} }} }}"""
SET_CONTROL = f"""mutation($input: SetChangeControlInput!) {{
  setChangeControl(input: $input) {{ partnership {{ {PARTNERSHIP} }} {ERRORS} }} }}"""
SET_MANAGERS = f"""mutation($input: SetTenantManagersInput!) {{
  setTenantManagers(input: $input) {{
    tenantManagers {{ id version name {MEMBERS} }}
    {ERRORS} }} }}"""
RECEIVED = f"{{ viewer {{ invitations(direction: RECEIVED) {{ nodes {{ {INVITATION} }} }} }} }}"
SENT = "{ viewer { invitations(direction: SENT) { nodes { id } } } }"
SEEN_ROOMS = "{ viewer { rooms(first: 100) { nodes { displayName customer { displayName } } } } }"
MANUAL = {"mode": "MANUAL"}
AUTO = {"mode": "AUTO"}


# --- asking -----------------------------------------------------------------------------------------------------------


async def change(asker: Asker, document: str, **values: Any) -> Any:
    """The payload of a change."""
    (payload,) = (await asker.data(document, input=values)).values()
    return payload


async def done(asker: Asker, document: str, **values: Any) -> Any:
    """The payload of a change that has to succeed."""
    payload = await change(asker, document, **values)
    assert payload["errors"] == []
    return payload


async def refused(asker: Asker, document: str, *hidden: str, **values: Any) -> list[dict[str, Any]]:
    """Why it was refused. Fails unless nothing at all changed, and none of the hidden words is in the answer.

    All that is left is a line that says so, for what belongs on the record, and whom the line names.
    """
    before, attempted = await rows(asker.database), {entry.id for entry in await attempts(asker.database)}

    payload = await change(asker, document, **values)

    errors: list[dict[str, Any]] = payload.pop("errors")
    assert errors
    assert all(value is None for value in payload.values()), payload
    assert all("message" in error for error in errors)
    after, codes = await rows(asker.database), [error["code"] for error in errors]
    named = [row for row in after["principals"] if asker.viewer.principal_id in row]
    assert after == before or after == before | {"principals": sorted({*before["principals"], *named})}
    for entry in [each for each in await attempts(asker.database) if each.id not in attempted]:
        assert (entry.user_id, entry.changes[0]["after"] in codes) == (asker.viewer.principal_id, True)
    text = orjson.dumps(errors).decode()
    assert [word for word in hidden if word in text] == []
    return errors


async def invited(
    database: Database, person: str, domain: str, *, at: datetime = SEEDED_AT, days: int = 10, **values: Any
) -> str:
    """The id of a new invitation."""
    asked = {"partnerDomain": domain, "expiresInDays": days, "agreedTermsVersion": TERMS} | values
    payload = await done(ask(database, person).at(at), INVITE, **asked)
    return str(payload["invitation"]["id"])


def said(errors: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """The kinds of the errors, each with its place in the input."""
    return [(error["__typename"], ".".join(error["path"])) for error in errors]


def without_path(error: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in error.items() if name != "path"}


# --- ids by names -----------------------------------------------------------------------------------------------------


def user(name: str) -> str:
    viewer = viewer_of(name)
    return str(GlobalId(viewer.kind.value.lower(), viewer.tenant_id, viewer.principal_id))


def security_group(name: str) -> str:
    entry = next(each for each in WORLD.security_groups if each.name == name)
    assert entry.id is not None
    return str(GlobalId("securitygroup", tenant(entry.tenant), entry.id))


def tenant(domain: str) -> str:
    found = next(each for each in WORLD.tenants if domain in each.domains)
    assert found.id is not None
    return found.id


async def room(database: Database, account: str) -> str:
    (row,) = await everything(database, Room, col(Room.account) == account)
    return global_id(row)


async def group(database: Database, name: str) -> str:
    (row,) = await everything(database, RoomGroup, col(RoomGroup.name) == name)
    return global_id(row)


async def invitation(database: Database, customer: str, partner: str, state: InvitationState) -> Invitation:
    (row,) = await everything(
        database,
        Invitation,
        col(Invitation.tenant_id) == tenant(customer),
        col(Invitation.partner_tenant_id) == tenant(partner),
        col(Invitation.state) == state,
    )
    assert isinstance(row, Invitation)
    return row


async def partnership(database: Database, customer: str, partner: str) -> Partnership:
    (row,) = await everything(
        database,
        Partnership,
        col(Partnership.tenant_id) == tenant(customer),
        col(Partnership.partner_tenant_id) == tenant(partner),
    )
    assert isinstance(row, Partnership)
    return row


async def again(database: Database, row: Any) -> Any:
    """The row as it is now."""
    table: type[SQLModel] = type(row)
    (now,) = await everything(database, table, table.tenant_id == row.tenant_id, table.id == row.id)  # type: ignore[attr-defined]
    return now


# --- what is stored ---------------------------------------------------------------------------------------------------


async def rows(database: Database) -> dict[str, list[str]]:
    """Every row of every table, but for what is recorded of a refusal."""
    return await stored(database)


async def heads(database: Database) -> dict[str, int]:
    """How many lines the record of each tenant has."""
    return {head.tenant_id: head.sequence for head in await everything(database, AuditHead)}


async def written(database: Database, before: dict[str, int]) -> list[AuditEntry]:
    """The lines that were added to the records since; every chain is whole."""
    found = []
    for each, sequence in before.items():
        found += (await check_chain(database, each))[sequence:]
    return found


def line(entry: AuditEntry) -> tuple[str, str, str, str]:
    """What a line of the record says first."""
    assert entry.result_status.value == "Successful"
    return entry.category.value, entry.operation.value, entry.action, entry.object_name


def by(entry: AuditEntry) -> tuple[str, str | None, str | None]:
    """Whose record it is in, and who acted."""
    return entry.tenant_id, entry.user_tenant_id, entry.user_id


def by_person(customer: str, name: str) -> tuple[str, str | None, str | None]:
    """In the record of this customer, by this person."""
    return tenant(customer), viewer_of(name).tenant_id, viewer_of(name).principal_id


async def meddle(database: Database, *statements: Insert | Update | Delete) -> None:
    """Change rows as nobody asked."""
    async with database.writing() as session:
        for statement in statements:
            await session.exec(unscoped(statement, TESTS))
        await session.commit()
