"""Two organizations and what they do to their partnership: the documents, and looks behind the graph."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import SQLModel, col, update

from app.access.tripwire import WORK
from app.domain.vocabulary import PartnershipState
from app.storage.engines import Database
from app.storage.tables import Invitation, Partnership
from tests.graph.asking import WORLD, Asker
from tests.operations.chains import everything, stored

TERMS = "2026-11"
PROBLEMS = """errors { __typename code message path
  ... on InvalidInput { min max }
  ... on Forbidden { missing }
  ... on Conflict { existing { id } }
  ... on InvalidState { state allowed }
  ... on ConfirmationRequired { impact { confirmation counts { rooms roles assignments people } } } }"""
INVITE = f"""mutation Invite($input: InvitePartnerInput!) {{ invitePartner(input: $input) {{
  invitation {{ id state roomCount sentBy {{ ... on User {{ id }} }} }} {PROBLEMS} }} }}"""
REVOKE = f"""mutation Revoke($input: RevokeInvitationInput!) {{ revokeInvitation(input: $input) {{
  invitation {{ id state }} {PROBLEMS} }} }}"""
ACCEPT = f"""mutation Accept($input: AcceptInvitationInput!) {{ acceptInvitation(input: $input) {{
  invitation {{ id }} partnership {{ id state }} {PROBLEMS} }} }}"""
REMOVE = f"""mutation Remove($input: RemovePartnerInput!) {{ removePartner(input: $input) {{
  partnership {{ id state removedBySide removedAt version }}
  ended {{ rooms roles assignments people }} {PROBLEMS} }} }}"""
NODE = "query Node($id: ID!) { node(id: $id) { __typename id } }"
IMPACT = """query Impact($id: ID!) { node(id: $id) { ... on Partnership {
  removalImpact { confirmation counts { rooms roles assignments people } } } } }"""
UNKNOWN = "01900000-0000-7000-8000-000000000000"
"""The id of nothing."""


def tenant_id(domain: str) -> str:
    """The id of the organization of the demo world with this domain."""
    return next(each.id for each in WORLD.tenants if domain in each.domains and each.id)


async def partnership_of(database: Database, customer: str, partner: str) -> str:
    """The id of the active partnership between the organizations of these domains."""
    between = (
        col(Partnership.tenant_id) == tenant_id(customer),
        col(Partnership.partner_tenant_id) == tenant_id(partner),
    )
    (found,) = await everything(database, Partnership, *between, col(Partnership.state) == PartnershipState.ACTIVE)
    return f"partnership_{found.tenant_id}_{found.id}"


async def rooms_of(asker: Asker, count: int = 2) -> list[str]:
    """Ids of rooms that the asker sees."""
    asked = await asker.data("query Rooms($n: Int) { viewer { rooms(first: $n) { nodes { id } } } }", n=count)
    return [room["id"] for room in asked["viewer"]["rooms"]["nodes"]]


def offer(domain: str, rooms: Sequence[str], **more: Any) -> dict[str, Any]:
    """The input of an invitation."""
    return {
        "partnerDomain": domain,
        "expiresInDays": 3,
        "rooms": list(rooms),
        "agreedTermsVersion": TERMS,
    } | more


async def do(asker: Asker, document: str, **values: Any) -> dict[str, Any]:
    """The payload of a mutation."""
    answer = await asker.answer(document, input=values)
    assert answer["errors"] == [], answer["errors"]
    (payload,) = answer["data"].values()
    return dict(payload)


async def done(asker: Asker, document: str, **values: Any) -> dict[str, Any]:
    """The payload of a mutation that is not refused."""
    payload = await do(asker, document, **values)
    assert payload["errors"] == [], payload["errors"]
    return payload


def codes(payload: dict[str, Any]) -> list[str]:
    """Why a mutation was refused."""
    return [error["code"] for error in payload["errors"]]


def without_messages(payload: dict[str, Any], *ids: str) -> str:
    """A payload as text, with these ids taken out, so that two of them can be compared."""
    told = str(payload)
    for identifier in ids:
        told = told.replace(identifier, "…")
    return told


async def confirmation(asker: Asker, partnership: str) -> str:
    """The word to end a partnership with."""
    asked = await asker.data(IMPACT, id=partnership)
    return str(asked["node"]["removalImpact"]["confirmation"])


async def remove(asker: Asker, partnership: str, **more: Any) -> dict[str, Any]:
    """End a partnership as its preview asks for."""
    return await done(
        asker, REMOVE, partnership=partnership, confirmation=await confirmation(asker, partnership), **more
    )


# --- behind the graph -----------------------------------------------------------------------------------------------


async def snapshot(database: Database) -> dict[str, list[str]]:
    """Every row of every table, to see whether anything changed at all, but for what is recorded of a refusal."""
    return await stored(database)


async def put(database: Database, *rows: SQLModel) -> None:
    """Write rows past every rule."""
    async with database.writing() as session:
        await session.connection(execution_options={WORK: True})
        session.add_all(rows)
        await session.commit()


async def alter(database: Database, table: type[SQLModel], *conditions: Any, **values: Any) -> None:
    """Change rows past every rule."""
    async with database.writing() as session:
        await session.connection(execution_options={WORK: True})
        await session.exec(update(table).where(*conditions).values(**values))
        await session.commit()


async def end_partnerships(database: Database, customer: str, partner: str, moment: datetime) -> None:
    """End what links two organizations, past every rule."""
    between = col(Partnership.tenant_id) == customer, col(Partnership.partner_tenant_id) == partner
    await alter(database, Partnership, *between, state=PartnershipState.REMOVED, removed_at=moment)


async def links(database: Database, customer: str, partner: str) -> tuple[int, int]:
    """How many open invitations and active partnerships there are between two organizations."""
    open_ones = await everything(
        database,
        Invitation,
        col(Invitation.tenant_id) == customer,
        col(Invitation.partner_tenant_id) == partner,
        col(Invitation.closed_at).is_(None),
    )
    active = await everything(
        database,
        Partnership,
        col(Partnership.tenant_id) == customer,
        col(Partnership.partner_tenant_id) == partner,
        col(Partnership.state) == PartnershipState.ACTIVE,
    )
    return len(open_ones), len(active)
