"""Inviting a partner and taking it back, by the numbers of domain.md 3.2 and 7."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update
from sqlmodel import col

from app.access.viewer import Viewer
from app.domain.permissions import DirectoryRole
from app.domain.vocabulary import ChangeEvent, InvitationState, UserType
from app.graph.context import Service
from app.storage.engines import Database
from app.storage.tables import Invitation, InvitationRoom, Principal, Room, RoomGroup, RoomGroupRoom
from tests.graph.asking import LIMITS, PEOPLE, SERVICE, Asker, ask, viewer_of
from tests.graph.relating import (
    ACCEPT,
    AUTO,
    DECLINE,
    INVITE,
    MANUAL,
    RECEIVED,
    REVOKE,
    SEEN_ROOMS,
    SENT,
    TERMS,
    TICK,
    again,
    by,
    by_person,
    change,
    done,
    group,
    heads,
    invitation,
    invited,
    line,
    meddle,
    partnership,
    refused,
    room,
    rows,
    said,
    tenant,
    user,
    without_path,
    written,
)
from tests.operations.chains import everything
from tests.world import SEEDED_AT

UNKNOWN = "00000000-0000-7000-8000-000000000000"
MANAGERS = {
    "contoso-manager",
    "contoso-global-admin",
    "fabrikam-manager",
    "northwind-manager",
    "northwind-global-admin",
    "adatum-manager",
    "tailspin-manager",
}
"""Managers and Global Administrators, each of the own organization."""


async def offer(database: Database, **values: Any) -> dict[str, Any]:
    """What Contoso can offer to Tailspin: one room, and a group of three."""
    return {
        "partnerDomain": "tailspin.example",
        "expiresInDays": 5,
        "rooms": [await room(database, "rvk-2@contoso.example")],
        "groups": [await group(database, "Ελλάδα")],
        "agreedTermsVersion": TERMS,
    } | values


def names(connection: dict[str, Any]) -> list[str]:
    return sorted(each["displayName"] for each in connection["nodes"])


# --- who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", ["contoso-manager", "contoso-global-admin"])
async def test_a_manager_of_the_customer_invites_inv_1_to_inv_7(own_world: Database, person: str) -> None:
    before = await heads(own_world)

    sent = (await done(ask(own_world, person), INVITE, **await offer(own_world)))["invitation"]

    assert (sent["state"], sent["partnerDomain"], sent["partner"]) == (
        "PENDING",
        "tailspin.example",
        {"displayName": "Tailspin"},
    )
    assert (sent["sentAt"], sent["expiresAt"]) == ("2026-11-23T08:00:00.000000Z", "2026-11-28T08:00:00.000000Z")
    assert (sent["roomCount"], sent["termsVersion"], sent["sentBy"]) == (4, TERMS, {"displayName": person})
    assert names(sent["groups"]) == ["Ελλάδα"]
    assert names(sent["rooms"]) == ["Ægir", "Ακρόπολη", "Ελλάδα", "Ολυμπία"]
    (entry,) = await written(own_world, before)
    assert line(entry) == ("PartnerInvitation", "Create", "invitation.send", "tailspin.example")
    assert by(entry) == by_person("contoso.example", person)
    assert entry.subject == sent["id"]
    assert {each["field"]: each["after"] for each in entry.changes} == {
        "partner": "Tailspin",
        "expires_at": "2026-11-28T08:00:00.000000Z",
        "rooms": "1",
        "groups": "1",
    }


async def test_the_terms_agreed_to_are_kept_with_their_digest_and_who_and_when_inv_6_and_11(
    own_world: Database,
) -> None:
    await done(ask(own_world, "contoso-manager"), INVITE, **await offer(own_world))

    row = await invitation(own_world, "contoso.example", "tailspin.example", InvitationState.PENDING)
    assert SERVICE.terms is not None
    assert row.terms_version == TERMS
    assert row.terms_digest == hashlib.sha256(f"{TERMS}\n{SERVICE.terms.text}".encode()).hexdigest()
    assert (row.sent_by_id, row.sent_at) == (viewer_of("contoso-manager").principal_id, SEEDED_AT)


async def test_nobody_else_invites_inv_1_and_check_2(own_world: Database) -> None:
    asked = await offer(own_world)
    for person in sorted(set(PEOPLE) - MANAGERS):
        errors = await refused(
            ask(own_world, person), INVITE, "Tailspin", tenant("tailspin.example"), "Ægir", "Ελλάδα", **asked
        )

        assert said(errors) == [("Forbidden", "input")], person
        assert errors[0]["missing"] == "PARTNERS_MANAGE"


async def test_a_manager_invites_for_the_own_organization_alone_inv_1(own_world: Database) -> None:
    asked = await offer(own_world)
    for person in ("northwind-manager", "northwind-global-admin", "adatum-manager", "fabrikam-manager"):
        errors = await refused(ask(own_world, person), INVITE, "Ægir", "Ελλάδα", "Contoso", **asked)

        assert said(errors) == [("NotFound", "input.rooms.0"), ("NotFound", "input.groups.0")], person


# --- the input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [1, 30])
async def test_one_and_thirty_days_are_accepted_inv_3_and_check_1(own_world: Database, days: int) -> None:
    await done(ask(own_world, "contoso-manager"), INVITE, **await offer(own_world, expiresInDays=days))

    row = await invitation(own_world, "contoso.example", "tailspin.example", InvitationState.PENDING)
    assert row.expires_at == SEEDED_AT + timedelta(days=days)


async def test_other_numbers_of_days_are_refused_with_the_bounds_inv_3_and_check_1(own_world: Database) -> None:
    asked = await offer(own_world)
    for days in (0, 31, -1, 2**31 - 1, -(2**31)):
        errors = await refused(ask(own_world, "contoso-manager"), INVITE, **asked | {"expiresInDays": days})

        assert said(errors) == [("InvalidInput", "input.expiresInDays")]
        assert (errors[0]["min"], errors[0]["max"]) == (1, 30)


@pytest.mark.parametrize("days", [1.5, "7", None, True])
async def test_days_that_are_no_whole_number_are_no_request_inv_3_and_check_1(own_world: Database, days: Any) -> None:
    asked, before = await offer(own_world, expiresInDays=days), await rows(own_world)

    answer = await ask(own_world, "contoso-manager").answer(INVITE, input=asked)

    assert not answer["data"]
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert await rows(own_world) == before


async def test_the_days_have_to_be_given_7(own_world: Database) -> None:
    asked = await offer(own_world)
    del asked["expiresInDays"]

    answer = await ask(own_world, "contoso-manager").answer(INVITE, input=asked)

    assert not answer["data"]
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_all_that_is_wrong_is_said_at_once_with_exact_places(own_world: Database) -> None:
    known, foreign = await room(own_world, "rvk-1@contoso.example"), await room(own_world, "del-1@fabrikam.example")

    errors = await refused(
        ask(own_world, "contoso-manager"),
        INVITE,
        "गंगा",
        "Fabrikam",
        partnerDomain="co.uk",
        expiresInDays=31,
        rooms=[known, foreign, known, "nonsense"],
        groups=[await group(own_world, "Germany"), known],
        agreedTermsVersion="2026-01",
    )

    assert sorted(said(errors)) == [
        ("InvalidInput", "input.agreedTermsVersion"),
        ("InvalidInput", "input.expiresInDays"),
        ("InvalidInput", "input.partnerDomain"),
        ("NotFound", "input.groups.1"),
        ("NotFound", "input.rooms.1"),
        ("NotFound", "input.rooms.3"),
    ]


async def test_an_empty_form_is_told_of_the_rooms_as_well_10(own_world: Database) -> None:
    errors = await refused(
        ask(own_world, "contoso-manager"), INVITE, partnerDomain="", expiresInDays=0, agreedTermsVersion=""
    )

    assert sorted(said(errors)) == [
        ("InvalidInput", "input.agreedTermsVersion"),
        ("InvalidInput", "input.expiresInDays"),
        ("InvalidInput", "input.partnerDomain"),
        ("InvalidInput", "input.rooms"),
    ]


# --- domains ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["  Tailspin.EXAMPLE. ", "ＴＡＩＬＳＰＩＮ。example", "tailspin.example"])
async def test_a_domain_is_normalized_and_shown_with_whom_it_names_inv_2_and_2(own_world: Database, typed: str) -> None:
    asked = await offer(own_world, partnerDomain=typed)

    sent = (await done(ask(own_world, "contoso-manager"), INVITE, **asked))["invitation"]

    assert (sent["partnerDomain"], sent["partner"]) == ("tailspin.example", {"displayName": "Tailspin"})


async def test_an_unknown_domain_is_answered_like_one_that_is_not_eligible_2_and_4(own_world: Database) -> None:
    manager, rooms = ask(own_world, "fabrikam-manager"), [await room(own_world, "del-1@fabrikam.example")]
    asked = {"expiresInDays": 3, "rooms": rooms, "agreedTermsVersion": TERMS}
    hidden = ("Contoso", tenant("contoso.example"))

    unknown = await refused(manager, INVITE, **asked, partnerDomain="nobody-has-this.example")
    for domain in ("contoso.example", "contoso-labs.example"):
        ineligible = await refused(manager, INVITE, *hidden, **asked, partnerDomain=domain)
        assert ineligible == unknown

    assert said(unknown) == [("InvalidInput", "input.partnerDomain")]


@pytest.mark.parametrize(
    ("person", "domain", "account"),
    [
        ("fabrikam-manager", "fabrikam.example", "del-1@fabrikam.example"),
        ("contoso-manager", "contoso.example", "rvk-1@contoso.example"),
        ("contoso-manager", "Contoso-Labs.example", "rvk-1@contoso.example"),
    ],
)
async def test_an_organization_cannot_invite_itself_3(
    own_world: Database, person: str, domain: str, account: str
) -> None:
    asked = await offer(own_world, partnerDomain=domain, rooms=[await room(own_world, account)], groups=[])

    errors = await refused(ask(own_world, person), INVITE, **asked)

    assert said(errors) == [("InvalidInput", "input.partnerDomain")]
    assert "itself" in errors[0]["message"]


async def test_what_is_no_domain_of_an_organization_is_refused_2(own_world: Database) -> None:
    wrong = [
        "tailspin",
        "co.uk",
        "example",
        "10.0.0.1",
        "[::1]",
        "tailspin.example:443",
        "admin@tailspin.example",
        "*.tailspin.example",
        "https://tailspin.example/",
        "tаilspin.example",  # a Cyrillic letter in it
        "tail spin.example",
        "",
        "a" * 64 + ".example",
    ]
    asked = await offer(own_world)
    for domain in wrong:
        errors = await refused(
            ask(own_world, "contoso-manager"), INVITE, "Tailspin", **asked | {"partnerDomain": domain}
        )

        assert said(errors) == [("InvalidInput", "input.partnerDomain")], domain
        assert "No organization" not in errors[0]["message"]


# --- rooms and groups -------------------------------------------------------------------------------------------------


async def test_ids_that_the_inviter_does_not_see_answer_as_if_missing_inv_5_and_33(own_world: Database) -> None:
    contoso, fabrikam = tenant("contoso.example"), tenant("fabrikam.example")
    retired = await room(own_world, "rvk-1@contoso.example")
    await meddle(
        own_world, update(Room).where(col(Room.account) == "rvk-1@contoso.example").values(retired_at=SEEDED_AT)
    )
    rooms = [
        f"room_{contoso}_{UNKNOWN}",
        await room(own_world, "del-1@fabrikam.example"),
        retired,
        await group(own_world, "Germany"),
        f"room_{fabrikam}_{UNKNOWN}",
        "",
    ]
    groups = [
        f"roomgroup_{contoso}_{UNKNOWN}",
        await group(own_world, "Kraków"),
        await room(own_world, "rvk-2@contoso.example"),
    ]

    errors = await refused(
        ask(own_world, "contoso-manager"),
        INVITE,
        *("गंगा", "Kraków", "Fabrikam", "Germany", "Ægir", "Þingvellir", fabrikam),
        **await offer(own_world, rooms=rooms, groups=groups),
    )

    assert [each["path"] for each in errors] == [
        *(["input", "rooms", str(place)] for place in range(len(rooms))),
        *(["input", "groups", str(place)] for place in range(len(groups))),
    ]
    assert all(without_path(each) == without_path(errors[0]) for each in errors)
    assert errors[0]["__typename"] == "NotFound"


async def test_a_customers_rooms_are_not_a_partners_to_offer_inv_5(own_world: Database) -> None:
    """Whoever sees them as a partner learns that they may not, as it is seen; nothing is passed on."""
    plain = viewer_of("northwind-admin")
    viewer = replace(plain, directory_roles=frozenset({DirectoryRole.GLOBAL_ADMINISTRATOR}))
    asked = await offer(
        own_world,
        rooms=[await room(own_world, "zrh-1@contoso.example"), await room(own_world, "rvk-1@contoso.example")],
        groups=[await group(own_world, "Switzerland"), await group(own_world, "Next year")],
    )

    errors = await refused(Asker(own_world, viewer), INVITE, "Þingvellir", "Next year", **asked)

    assert said(errors) == [
        ("Forbidden", "input.rooms.0"),
        ("NotFound", "input.rooms.1"),
        ("Forbidden", "input.groups.0"),
        ("NotFound", "input.groups.1"),
    ]
    assert {each["missing"] for each in errors if "missing" in each} == {"PARTNERS_MANAGE"}


@pytest.mark.parametrize("groups", [[], ["Next year"]])
async def test_at_least_one_room_is_offered_10(own_world: Database, groups: list[str]) -> None:
    asked = await offer(own_world, rooms=[], groups=[await group(own_world, name) for name in groups])

    errors = await refused(ask(own_world, "contoso-manager"), INVITE, **asked)

    assert said(errors) == [("InvalidInput", "input.rooms")]
    assert errors[0]["min"] == 1


async def test_an_empty_group_may_come_with_a_room_10(own_world: Database) -> None:
    asked = await offer(own_world, groups=[await group(own_world, "Next year")])

    sent = (await done(ask(own_world, "contoso-manager"), INVITE, **asked))["invitation"]

    assert (sent["roomCount"], names(sent["groups"])) == (1, ["Next year"])


async def test_a_room_named_twice_is_offered_once_inv_5(own_world: Database) -> None:
    one = await room(own_world, "ath-1@contoso.example")
    greece = await group(own_world, "Ελλάδα")

    asked = await offer(own_world, rooms=[one, one], groups=[greece, greece])
    sent = (await done(ask(own_world, "contoso-manager"), INVITE, **asked))["invitation"]

    assert sent["roomCount"] == 3
    row = await invitation(own_world, "contoso.example", "tailspin.example", InvitationState.PENDING)
    assert len(await everything(own_world, InvitationRoom, col(InvitationRoom.invitation_id) == row.id)) == 1


async def test_groups_stay_live_for_both_sides_10(own_world: Database) -> None:
    await done(ask(own_world, "contoso-manager"), INVITE, **await offer(own_world))
    (greece,) = await everything(own_world, RoomGroup, col(RoomGroup.name) == "Ελλάδα")
    (more,) = await everything(own_world, Room, col(Room.account) == "muc-1@contoso.example")

    await meddle(
        own_world,
        insert(RoomGroupRoom).values(tenant_id=greece.tenant_id, group_id=greece.id, room_id=more.id),
    )

    (seen,) = (await ask(own_world, "tailspin-manager").data(RECEIVED))["viewer"]["invitations"]["nodes"]
    assert seen["roomCount"] == 5


# --- change control and terms -----------------------------------------------------------------------------------------


async def test_every_event_starts_as_auto_inv_4_and_check_3(own_world: Database) -> None:
    sent = (await done(ask(own_world, "contoso-manager"), INVITE, **await offer(own_world)))["invitation"]

    assert sent["changeControl"] == [{"event": event.name, **AUTO} for event in ChangeEvent]


async def test_change_control_is_chosen_event_by_event_inv_4(own_world: Database) -> None:
    for person, event in zip(
        ("contoso-manager", "contoso-global-admin"), ("ROLES_MODIFY", "ROOMS_MODIFY"), strict=True
    ):
        asked = await offer(own_world, changeControl=[{"event": event, **MANUAL}, {"event": "TICKETS_UPDATE", **AUTO}])
        sent = (await done(ask(own_world, person), INVITE, **asked))["invitation"]

        modes = {rule["event"]: rule["mode"] for rule in sent["changeControl"]}
        assert modes == {each.name: "AUTO" for each in ChangeEvent} | {event: "MANUAL"}
        await done(ask(own_world, person), REVOKE, invitation=sent["id"])


async def test_other_terms_than_the_current_ones_are_refused_inv_6_and_11(own_world: Database) -> None:
    manager = ask(own_world, "contoso-manager")
    for version in ("2026-01", "", "2026-11 "):
        errors = await refused(manager, INVITE, **await offer(own_world, agreedTermsVersion=version))
        assert said(errors) == [("InvalidInput", "input.agreedTermsVersion")]
        assert TERMS in errors[0]["message"]

    unpublished = replace(manager, service=Service(LIMITS))
    errors = await refused(unpublished, INVITE, **await offer(own_world))
    assert said(errors) == [("InvalidInput", "input.agreedTermsVersion")]
    assert "has not published terms" in errors[0]["message"]


# --- one at a time ----------------------------------------------------------------------------------------------------


async def test_one_invitation_is_open_for_a_partner_5(own_world: Database) -> None:
    sent = await done(ask(own_world, "contoso-manager"), INVITE, **await offer(own_world))

    errors = await refused(ask(own_world, "contoso-global-admin"), INVITE, **await offer(own_world))

    assert said(errors) == [("Conflict", "input.partnerDomain")]
    assert errors[0]["existing"] == {"__typename": "Invitation", "id": sent["invitation"]["id"]}


@pytest.mark.parametrize("domain", ["northwind.example", "nordwind.example"])
async def test_a_partner_is_not_invited_again_5(own_world: Database, domain: str) -> None:
    """Whichever of its domains is typed."""
    linked = await partnership(own_world, "contoso.example", "northwind.example")

    errors = await refused(ask(own_world, "contoso-manager"), INVITE, **await offer(own_world, partnerDomain=domain))

    assert said(errors) == [("Conflict", "input.partnerDomain")]
    assert errors[0]["existing"] == {"__typename": "Partnership", "id": f"partnership_{linked.tenant_id}_{linked.id}"}


async def test_a_lapsed_invitation_is_closed_by_the_system_with_the_next_5_and_60(own_world: Database) -> None:
    lapsed = await invitation(own_world, "fabrikam.example", "adatum.example", InvitationState.PENDING)
    before = await heads(own_world)
    rooms = [await room(own_world, "del-1@fabrikam.example")]

    await invited(own_world, "fabrikam-manager", "adatum.example", rooms=rooms)

    closed = await again(own_world, lapsed)
    assert (closed.state, closed.closed_at, closed.answered_at) == (InvitationState.EXPIRED, SEEDED_AT, None)
    assert closed.version == lapsed.version + 1
    expired, sent = await written(own_world, before)
    assert line(expired) == ("PartnerInvitation", "Update", "invitation.expire", "adatum.example")
    assert by(expired) == (tenant("fabrikam.example"), None, None)
    assert expired.changes == [{"field": "state", "before": "PENDING", "after": "EXPIRED"}]
    assert line(sent)[:3] == ("PartnerInvitation", "Create", "invitation.send")


async def test_a_lapsed_invitation_stays_as_it_is_when_the_next_is_refused_5(own_world: Database) -> None:
    closed_group = await group(own_world, "Closed")

    errors = await refused(
        ask(own_world, "fabrikam-manager"),
        INVITE,
        **await offer(own_world, partnerDomain="adatum.example", rooms=[], groups=[closed_group]),
    )

    assert said(errors) == [("InvalidInput", "input.rooms")]


async def test_an_invitation_is_open_until_the_very_instant_6(own_world: Database) -> None:
    await invited(own_world, "contoso-manager", "tailspin.example", days=1, groups=[await group(own_world, "Germany")])
    expires, asked = SEEDED_AT + timedelta(days=1), await offer(own_world)
    manager = ask(own_world, "contoso-manager")

    assert said(await refused(manager.at(expires - TICK), INVITE, **asked)) == [("Conflict", "input.partnerDomain")]

    await done(manager.at(expires), INVITE, **asked)


async def test_partners_may_share_rooms_inv_10_and_49(own_world: Database) -> None:
    shared = [await room(own_world, "zrh-1@contoso.example")]

    for domain in ("tailspin.example", "fabrikam.example"):
        await invited(own_world, "contoso-manager", domain, rooms=shared)

    for person in ("tailspin-manager", "fabrikam-manager"):
        (seen,) = (await ask(own_world, person).data(RECEIVED))["viewer"]["invitations"]["nodes"]
        assert seen["roomCount"] == 1


async def test_two_customers_may_invite_the_same_partner_at_once_5(own_world: Database) -> None:
    rooms = [await room(own_world, "del-1@fabrikam.example")]

    await invited(own_world, "fabrikam-manager", "adatum.example", rooms=rooms)

    seen = (await ask(own_world, "adatum-manager").data(RECEIVED))["viewer"]["invitations"]["nodes"]
    assert sorted(each["customer"]["displayName"] for each in seen) == ["Contoso", "Fabrikam"]


# --- where it arrives -------------------------------------------------------------------------------------------------


async def test_it_arrives_pending_without_any_data_of_the_customer_inv_8_inv_9_acc_3_and_45(
    own_world: Database,
) -> None:
    asked = await offer(own_world, changeControl=[{"event": "RINGS_MODIFY", **MANUAL}])
    sent = (await done(ask(own_world, "contoso-manager"), INVITE, **asked))["invitation"]
    directory_role = frozenset({DirectoryRole.GLOBAL_ADMINISTRATOR})
    global_admin = Viewer(tenant("tailspin.example"), UNKNOWN, directory_roles=directory_role)

    for asker in (ask(own_world, "tailspin-manager"), Asker(own_world, global_admin)):
        (seen,) = (await asker.data(RECEIVED))["viewer"]["invitations"]["nodes"]

        assert seen == sent | {"rooms": {"nodes": []}, "groups": {"nodes": []}}
        assert (seen["state"], seen["roomCount"], seen["termsVersion"]) == ("PENDING", 4, TERMS)
        assert {"event": "RINGS_MODIFY", "mode": "MANUAL"} in seen["changeControl"]
        assert (await asker.data(SEEN_ROOMS))["viewer"]["rooms"]["nodes"] == []


async def test_without_tenant_managers_nobody_else_of_the_partner_sees_it_acc_2(own_world: Database) -> None:
    sent = await invited(own_world, "contoso-manager", "tailspin.example", groups=[await group(own_world, "Germany")])

    for person in sorted(set(PEOPLE) - {"tailspin-manager"}):
        seen = (await ask(own_world, person).data(RECEIVED))["viewer"]["invitations"]["nodes"]
        assert sent not in [each["id"] for each in seen], person


async def test_it_is_read_as_expired_from_the_very_instant_on_6(own_world: Database) -> None:
    await invited(own_world, "contoso-manager", "tailspin.example", days=1, groups=[await group(own_world, "Germany")])
    expires, partner = SEEDED_AT + timedelta(days=1), ask(own_world, "tailspin-manager")

    assert len((await partner.at(expires - TICK).data(RECEIVED))["viewer"]["invitations"]["nodes"]) == 1
    assert (await partner.at(expires).data(RECEIVED))["viewer"]["invitations"]["nodes"] == []
    row = await invitation(own_world, "contoso.example", "tailspin.example", InvitationState.PENDING)
    for moment, state in ((expires - TICK, "PENDING"), (expires, "EXPIRED")):
        asked = "query($id: ID!) { node(id: $id) { ... on Invitation { state } } }"
        seen = await ask(own_world, "contoso-manager").at(moment).data(asked, id=f"invitation_{row.tenant_id}_{row.id}")
        assert seen["node"] == {"state": state}


# --- who is not stored yet --------------------------------------------------------------------------------------------


async def test_the_first_change_stores_who_made_it_and_a_refused_one_does_not(own_world: Database) -> None:
    viewer = Viewer(tenant("contoso.example"), UNKNOWN, directory_roles=frozenset({DirectoryRole.GLOBAL_ADMINISTRATOR}))
    stranger = replace(Asker(own_world, viewer), name="Zoë Ýr", is_guest=True)
    await refused(stranger, INVITE, **await offer(own_world, expiresInDays=0))
    before = await heads(own_world)

    sent = (await done(stranger, INVITE, **await offer(own_world)))["invitation"]

    assert sent["sentBy"] == {"displayName": "Zoë Ýr"}
    (stored,) = await everything(own_world, Principal, col(Principal.id) == UNKNOWN)
    assert (stored.name, stored.user_type) == ("Zoë Ýr", UserType.GUEST)
    (entry,) = await written(own_world, before)
    assert by(entry) == (viewer.tenant_id, viewer.tenant_id, UNKNOWN)


# --- taking it back ---------------------------------------------------------------------------------------------------


async def open_invitation(database: Database) -> str:
    """Contoso's open invitation to Adatum."""
    row = await invitation(database, "contoso.example", "adatum.example", InvitationState.PENDING)
    return f"invitation_{row.tenant_id}_{row.id}"


@pytest.mark.parametrize("person", ["contoso-manager", "contoso-global-admin"])
async def test_a_manager_revokes_and_it_is_gone_for_the_partner_9_and_60(own_world: Database, person: str) -> None:
    pending, before = await open_invitation(own_world), await heads(own_world)

    payload = await done(ask(own_world, person), REVOKE, invitation=pending, expectedVersion=1)

    assert (payload["invitation"]["state"], payload["invitation"]["version"]) == ("REVOKED", 2)
    assert payload["invitation"]["answeredAt"] is None
    row = await invitation(own_world, "contoso.example", "adatum.example", InvitationState.REVOKED)
    assert row.closed_at == SEEDED_AT
    (entry,) = await written(own_world, before)
    assert line(entry) == ("PartnerInvitation", "Delete", "invitation.revoke", "adatum.example")
    assert by(entry) == by_person("contoso.example", person)
    assert entry.changes == [{"field": "state", "before": "PENDING", "after": "REVOKED"}]
    for partner in ("adatum-manager", "adatum-tenant-manager", "adatum-guest"):
        assert (await ask(own_world, partner).data(RECEIVED))["viewer"]["invitations"]["nodes"] == []
    assert (await ask(own_world, person).data(SENT))["viewer"]["invitations"]["nodes"] == []


async def test_nobody_else_revokes_9(own_world: Database) -> None:
    pending = await open_invitation(own_world)
    missing = f"invitation_{tenant('contoso.example')}_{UNKNOWN}"
    seeing = {"contoso-teams-admin", "contoso-devices-admin", "contoso-global-reader"}
    seeing |= {"adatum-manager", "adatum-tenant-manager", "adatum-guest"}
    for person in sorted(set(PEOPLE) - {"contoso-manager", "contoso-global-admin"}):
        asker = ask(own_world, person)
        errors = await refused(asker, REVOKE, "Contoso", "Adatum", "adatum.example", invitation=pending)

        if person in seeing:
            assert said(errors) == [("Forbidden", "input.invitation")], person
            assert errors[0]["missing"] == "PARTNERS_MANAGE"
        else:
            assert errors == await refused(asker, REVOKE, invitation=missing), person
            assert said(errors) == [("NotFound", "input.invitation")]


async def test_only_a_pending_invitation_is_revoked_9(own_world: Database) -> None:
    manager = ask(own_world, "contoso-manager")
    for partner, state in (
        ("fabrikam.example", InvitationState.REVOKED),
        ("northwind.example", InvitationState.ACCEPTED),
    ):
        row = await invitation(own_world, "contoso.example", partner, state)

        errors = await refused(manager, REVOKE, invitation=f"invitation_{row.tenant_id}_{row.id}")

        assert said(errors) == [("InvalidState", "input.invitation")]
        assert (errors[0]["state"], errors[0]["allowed"]) == (state.value, ["PENDING"])

    pending = await open_invitation(own_world)
    expires = (await everything(own_world, Invitation, col(Invitation.id) == pending[-36:]))[0].expires_at
    errors = await refused(manager.at(expires), REVOKE, invitation=pending)
    assert errors[0]["state"] == "EXPIRED"
    await done(manager.at(expires - TICK), REVOKE, invitation=pending)


async def test_a_declined_invitation_is_not_revoked_and_a_revoked_one_not_answered_9(own_world: Database) -> None:
    manager, partner = ask(own_world, "contoso-manager"), ask(own_world, "adatum-manager")
    first = await open_invitation(own_world)
    await done(partner, DECLINE, invitation=first)
    assert (await refused(manager, REVOKE, invitation=first))[0]["state"] == "DECLINED"
    second = await invited(
        own_world, "contoso-manager", "adatum.example", rooms=[await room(own_world, "rvk-1@contoso.example")]
    )
    await done(manager, REVOKE, invitation=second)

    accepted = await refused(partner, ACCEPT, invitation=second, primaryAdmins=[user("adatum-nobody")])
    declined = await refused(partner, DECLINE, invitation=second)

    assert accepted == declined
    assert (said(accepted), accepted[0]["state"]) == ([("InvalidState", "input.invitation")], "REVOKED")


async def test_a_stale_version_is_not_revoked(own_world: Database) -> None:
    errors = await refused(
        ask(own_world, "contoso-manager"), REVOKE, invitation=await open_invitation(own_world), expectedVersion=7
    )

    assert (said(errors), errors[0]["currentVersion"]) == ([("StaleVersion", "input.expectedVersion")], 1)


async def test_a_revoked_partner_may_be_invited_again_at_once_9(own_world: Database) -> None:
    await done(ask(own_world, "contoso-manager"), REVOKE, invitation=await open_invitation(own_world))

    payload = await change(
        ask(own_world, "contoso-manager"), INVITE, **await offer(own_world, partnerDomain="adatum.example")
    )

    assert (payload["errors"], payload["invitation"]["state"]) == ([], "PENDING")
