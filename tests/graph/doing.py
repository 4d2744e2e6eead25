"""Changes that are really made in the marked world, each of them and each of its refusals, and what is answered."""

from typing import Any

from tests.graph.asking import viewer_of
from tests.graph.attempting import change
from tests.graph.crawling import TERMS, Crawl, Site

CONTROL = [{"event": "ROOMS_MODIFY", "mode": "MANUAL"}]
MANAGED = "{ viewer { __typename tenantManagers { version } } }"
APPROVED = """{ viewer { __typename auditEntries(first: 20) { nodes { __typename
  approval { __typename id } approvedBy { __typename ... on User { id } } } } } }"""
ROOMS = "{ viewer { __typename rooms(first: 2) { nodes { id } } } }"


async def do(crawl: Crawl, mutation: str, *codes: str, **values: Any) -> dict[str, Any]:
    """The payload of a change that is made, or refused for these reasons."""
    payload: dict[str, Any] = (await crawl.ask(change(mutation), input=values))[mutation]
    assert [error["code"] for error in payload["errors"]] == list(codes), payload["errors"]
    return payload


async def change_everything(site: Site) -> list[Crawl]:
    """Make every change and meet every refusal, in a world of one's own; those who did it."""
    people = ("contoso-manager", "contoso-global-reader", "adatum-manager", "tailspin-manager", "northwind-admin")
    manager, reader, adatum, tailspin, northwind = (site.crawl(person) for person in people)
    await change_rooms(site, manager, reader, northwind)
    await hold_and_decide(site, manager, northwind)
    await change_roles(site, manager, reader)
    await hold_roles(site, manager, northwind)
    await invite_and_answer(site, manager, tailspin)
    partnership = await accept(manager, adatum)
    await settle(manager, reader, partnership)
    await choose_managers(manager)
    return [manager, reader, adatum, tailspin, northwind]


def named(site: Site, kind: str, **values: Any) -> str:
    """The id of the one thing that was called so before everything was marked."""
    relations = site.marked.relations
    (found,) = (
        identifier
        for identifier, row in relations.rows.items()
        if identifier.startswith(f"{kind}_") and all(getattr(row, name) == value for name, value in values.items())
    )
    return found


async def change_rooms(site: Site, manager: Crawl, reader: Crawl, northwind: Crawl) -> None:
    """Rooms, which a partner changes at once as long as nobody holds it."""
    bern, hall = (named(site, "room", account=f"{name}@contoso.example") for name in ("brn-1", "sea-hall"))
    await do(northwind, "updateRoom", "NOT_FOUND", room=hall, expectedVersion=1, label="B")
    await do(reader, "updateRoom", "FORBIDDEN", room=hall, expectedVersion=1, label="B")
    location = {"building": "Nord", "floorLabel": None}
    await do(northwind, "updateRoom", room=bern, expectedVersion=1, tags=["quiet"], location=location)
    await do(manager, "updateRoom", "STALE_VERSION", room=bern, expectedVersion=1, label="B")
    wrong = {"capacity": -1, "nickname": "x" * 300}
    await do(manager, "updateRoom", "INVALID_INPUT", "INVALID_INPUT", room=bern, expectedVersion=2, **wrong)


async def hold_and_decide(site: Site, manager: Crawl, northwind: Crawl) -> None:
    """Changes that are held, and each way that they end: done, too late, refused, taken back."""
    bern = named(site, "room", account="brn-1@contoso.example")
    partner = viewer_of("northwind-admin").tenant_id
    contoso = viewer_of("contoso-manager").tenant_id
    link = named(site, "partnership", tenant_id=contoso, partner_tenant_id=partner)
    await do(manager, "setChangeControl", partnership=link, expectedVersion=1, changeControl=CONTROL)
    requests = []
    for seats in (11, 12, 13, 14):
        held = await do(northwind, "updateRoom", room=bern, expectedVersion=2, capacity=seats)
        manager.learn([held])
        assert held["room"] is None
        requests.append(held["approvalRequest"]["id"])
    done, late, unwanted, back = requests

    await do(northwind, "approveRequest", "FORBIDDEN", request=done)
    await do(manager, "approveRequest", "STALE_VERSION", request=done, expectedVersion=9)
    approved = await do(manager, "approveRequest", request=done, comment="Fine.")
    await do(manager, "approveRequest", "INVALID_STATE", request=done)
    failed = await do(manager, "approveRequest", request=late)
    await do(northwind, "rejectRequest", "FORBIDDEN", request=unwanted)
    await do(manager, "rejectRequest", "INVALID_INPUT", request=unwanted, comment="x" * 2000)
    rejected = await do(manager, "rejectRequest", request=unwanted, comment="No.")
    await do(manager, "rejectRequest", "NOT_FOUND", request="nothing")
    await do(manager, "cancelRequest", "FORBIDDEN", request=back)
    cancelled = await do(northwind, "cancelRequest", request=back)
    await do(northwind, "cancelRequest", "INVALID_STATE", request=back)
    await manager.ask(APPROVED)

    ends = [each["approvalRequest"]["state"] for each in (approved, failed, rejected, cancelled)]
    assert ends == ["APPROVED", "FAILED", "REJECTED", "CANCELLED"]


async def change_roles(site: Site, manager: Crawl, reader: Crawl) -> None:
    """A customer's own role and its assignment, from their beginning to their end."""
    bern, nobody = named(site, "room", account="brn-1@contoso.example"), person("contoso-nobody")
    role = {"name": "Keepers", "permissions": ["ROOMS_VIEW"]}
    await do(reader, "createRole", "FORBIDDEN", **role)
    made = await do(manager, "createRole", **role)
    manager.learn([made])
    this = made["role"]["id"]
    await do(manager, "createRole", "CONFLICT", **role)
    await do(manager, "updateRole", "NOT_FOUND", role="nothing", expectedVersion=1)
    await do(manager, "updateRole", role=this, expectedVersion=1, description="Keep.")
    await do(manager, "createAssignment", "NOT_FOUND", role="nothing", name="Bern", members=[nobody], rooms=[bern])
    given = await do(manager, "createAssignment", role=this, name="Bern", members=[nobody], rooms=[bern])
    manager.learn([given])
    assignment = given["assignment"]["id"]
    await do(manager, "updateAssignment", "STALE_VERSION", assignment=assignment, expectedVersion=9)
    await do(manager, "updateAssignment", assignment=assignment, expectedVersion=1, notifyByEmail=True)
    await do(manager, "deleteAssignment", assignment=assignment)
    await do(manager, "deleteRole", role=this)
    await do(manager, "deleteRole", "NOT_FOUND", role=this)
    managers = named(site, "assignment", name="Managers", tenant_id=viewer_of("contoso-manager").tenant_id)
    await do(manager, "deleteAssignment", "LAST_MANAGER", assignment=managers)


def person(name: str) -> str:
    """The id of somebody."""
    viewer = viewer_of(name)
    return f"user_{viewer.tenant_id}_{viewer.principal_id}"


async def hold_roles(site: Site, manager: Crawl, northwind: Crawl) -> None:
    """Changes of a partner's roles, which are held."""
    contoso, partner = viewer_of("contoso-manager").tenant_id, viewer_of("northwind-admin").tenant_id
    link = named(site, "partnership", tenant_id=contoso, partner_tenant_id=partner)
    rule = [{"event": "ROLES_MODIFY", "mode": "MANUAL"}]
    await do(manager, "setChangeControl", partnership=link, expectedVersion=2, changeControl=rule)
    bern, nobody = named(site, "room", account="brn-1@contoso.example"), person("northwind-nobody")
    desk, line = named(site, "role", name="Help desk"), named(site, "assignment", name="First line")
    more = ["ROOMS_VIEW", "ROOMS_MODIFY", "TICKETS_VIEW", "TICKETS_UPDATE"]
    changes: tuple[tuple[str, dict[str, Any]], ...] = (
        ("createRole", {"partnership": link, "name": "Night", "permissions": ["ROOMS_VIEW"]}),
        ("updateRole", {"role": desk, "expectedVersion": 1, "permissions": more}),
        ("createAssignment", {"role": desk, "name": "Bern", "members": [nobody], "rooms": [bern]}),
        ("updateAssignment", {"assignment": line, "expectedVersion": 1, "addMembers": [nobody]}),
    )
    for mutation, values in changes:
        held = await do(northwind, mutation, **values)
        assert held["approvalRequest"]["state"] == "PENDING"


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
