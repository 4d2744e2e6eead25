"""Changes that are really made in the marked world, each of them and each of its refusals, and what is answered."""

from typing import Any

from tests.graph.asking import viewer_of
from tests.graph.attempting import change
from tests.graph.crawling import TERMS, Crawl, Site

CONTROL = [{"event": "ROOMS_MODIFY", "mode": "MANUAL"}]
MANAGED = "{ viewer { __typename tenantManagers { version } } }"
ROOMS = "{ viewer { __typename rooms(first: 2) { nodes { id } } } }"


async def do(crawl: Crawl, mutation: str, *codes: str, **values: Any) -> dict[str, Any]:
    """The payload of a change that is made, or refused for these reasons."""
    payload: dict[str, Any] = (await crawl.ask(change(mutation), input=values))[mutation]
    assert [error["code"] for error in payload["errors"]] == list(codes), payload["errors"]
    return payload


async def change_everything(site: Site) -> list[Crawl]:
    """Make every change and meet every refusal, in a world of one's own; those who did it."""
    people = ("contoso-manager", "contoso-global-reader", "adatum-manager", "tailspin-manager")
    manager, reader, adatum, tailspin = (site.crawl(person) for person in people)
    await invite_and_answer(site, manager, tailspin)
    partnership = await accept(manager, adatum)
    await settle(manager, reader, partnership)
    await choose_managers(manager)
    return [manager, reader, adatum, tailspin]


async def invite_and_answer(site: Site, manager: Crawl, tailspin: Crawl) -> None:
    """An invitation that is taken back, and one that is declined."""
    rooms = [room["id"] for room in (await manager.ask(ROOMS))["viewer"]["rooms"]["nodes"]]
    offer = {"expiresInDays": 3, "rooms": rooms, "agreedTermsVersion": TERMS.version}
    to_tailspin = offer | {"partnerDomain": site.marked.domain("tailspin.example")}
    await do(manager, "invitePartner", "INVALID_INPUT", **(to_tailspin | {"expiresInDays": 0}))
    sent = (await do(manager, "invitePartner", **to_tailspin))["invitation"]
    await do(manager, "invitePartner", "CONFLICT", **to_tailspin)
    await do(manager, "revokeInvitation", "STALE_VERSION", invitation=sent["id"], expectedVersion=9)
    await do(manager, "revokeInvitation", invitation=sent["id"])
    await do(manager, "revokeInvitation", "INVALID_STATE", invitation=sent["id"])
    await do(manager, "revokeInvitation", "NOT_FOUND", invitation="nothing")
    again = (await do(manager, "invitePartner", **to_tailspin, idempotencyKey="k"))["invitation"]
    other = to_tailspin | {"expiresInDays": 4, "idempotencyKey": "k"}
    await do(manager, "invitePartner", "IDEMPOTENCY_MISMATCH", **other)
    await do(tailspin, "declineInvitation", invitation=again["id"])
    await do(tailspin, "declineInvitation", "INVALID_STATE", invitation=again["id"])


async def accept(manager: Crawl, adatum: Crawl) -> str:
    """The partnership that the open invitation from Contoso to Adatum becomes."""
    viewer = viewer_of("adatum-manager")
    (invitation,) = (each for each in adatum.objects if each.startswith("invitation_"))
    await do(adatum, "acceptInvitation", "LAST_PRIMARY_ADMIN", invitation=invitation, primaryAdmins=[])
    admins = [f"user_{viewer.tenant_id}_{viewer.principal_id}"]
    made = await do(adatum, "acceptInvitation", invitation=invitation, primaryAdmins=admins)
    manager.learn([made])
    return str(made["partnership"]["id"])


async def settle(manager: Crawl, reader: Crawl, partnership: str) -> None:
    """What is approved by hand, and the end."""
    reader.learn([{"partnership": {"id": partnership}}])
    asked = {"partnership": partnership, "expectedVersion": 1, "changeControl": CONTROL}
    await do(reader, "setChangeControl", "FORBIDDEN", **asked)
    await do(manager, "setChangeControl", **asked)
    required = await do(manager, "removePartner", "CONFIRMATION_REQUIRED", partnership=partnership)
    confirmation = required["errors"][0]["impact"]["confirmation"]
    await do(manager, "removePartner", partnership=partnership, confirmation=confirmation)


async def choose_managers(manager: Crawl) -> None:
    """Who answers invitations."""
    version = (await manager.ask(MANAGED))["viewer"]["tenantManagers"]["version"]
    viewer = viewer_of("contoso-nobody")
    members = [f"user_{viewer.tenant_id}_{viewer.principal_id}"]
    await do(manager, "setTenantManagers", expectedVersion=version, addMembers=members)
    await do(manager, "setTenantManagers", "STALE_VERSION", expectedVersion=version)
