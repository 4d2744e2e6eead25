"""Held changes in tests: the documents, and a partnership whose customer approves by hand."""

from datetime import datetime
from typing import Any

from app.domain.moments import print_instant
from app.storage.engines import Database
from tests.graph.asking import ask
from tests.graph.relating import ERRORS, MANUAL, SET_CONTROL, done, partnership
from tests.world import SEEDED_AT

PERSON = "... on User { displayName } ... on Application { displayName }"
REQUEST = f"""id version state event partnership {{ id }} requestedBy {{ {PERSON} }} requestedAt expiresAt
  subject {{ __typename id }}
  changes {{ field before after }} stale decidedBy {{ {PERSON} }} decidedAt comment failure"""
ROOM = """id version updatedAt displayName label nickname capacity tags
  location { city building floor floorLabel street timeZone latitude }"""
UPDATE_ROOM = f"""mutation($input: UpdateRoomInput!) {{ updateRoom(input: $input) {{
  room {{ {ROOM} }} approvalRequest {{ {REQUEST} }} {ERRORS} }} }}"""
APPROVE = f"""mutation($input: ApproveRequestInput!) {{ approveRequest(input: $input) {{
  approvalRequest {{ {REQUEST} }} {ERRORS} }} }}"""
REJECT = f"""mutation($input: RejectRequestInput!) {{ rejectRequest(input: $input) {{
  approvalRequest {{ {REQUEST} }} {ERRORS} }} }}"""
CANCEL = f"""mutation($input: CancelRequestInput!) {{ cancelRequest(input: $input) {{
  approvalRequest {{ {REQUEST} }} {ERRORS} }} }}"""
REQUESTS = f"""query($states: [ApprovalState!]) {{ viewer {{
  approvalRequests(states: $states) {{ nodes {{ {REQUEST} }} }} }} }}"""
SEEN_ROOM = f"query($id: ID!) {{ node(id: $id) {{ ... on Room {{ {ROOM} }} }} }}"


async def by_hand(database: Database, *events: str) -> str:
    """Let Contoso approve these changes of Northwind by hand; the partnership's id."""
    row = await partnership(database, "contoso.example", "northwind.example")
    identifier = f"partnership_{row.tenant_id}_{row.id}"
    rules = [{"event": event, **MANUAL} for event in events]
    manager = ask(database, "contoso-manager")
    await done(manager, SET_CONTROL, partnership=identifier, expectedVersion=row.version, changeControl=rules)
    return identifier


async def requests_of(database: Database, person: str, *states: str, at: datetime = SEEDED_AT) -> list[dict[str, Any]]:
    """The held changes that this person sees, without those that the demo world begins with."""
    seen = await ask(database, person).at(at).data(REQUESTS, states=list(states) or ["PENDING"])
    found = seen["viewer"]["approvalRequests"]["nodes"]
    return [each for each in found if each["requestedAt"] >= print_instant(SEEDED_AT)]
