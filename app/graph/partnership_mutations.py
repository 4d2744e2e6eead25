"""The mutations of a partnership: invite, answer, settle, end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

import strawberry

from app.domain.refusals import RefusedTogether, invalid_input
from app.domain.vocabulary import ChangeEvent, ChangeMode
from app.graph.changing import ERRORS, IDEMPOTENCY, INPUT, VERSION, change, optional, required, result, several
from app.graph.context import Info
from app.graph.declaring import PART, plain, resolved, unannotated, value_type
from app.graph.errors import UserError
from app.graph.types import Assignment, EndedCounts, Invitation, Partnership, show_ended
from app.graph.vocabulary import DomainName
from app.operations.answering import accept_invitation, decline_invitation
from app.operations.inviting import invite_partner, revoke_invitation
from app.operations.managing import set_change_control, set_tenant_managers
from app.operations.removing import remove_partner
from app.operations.work import Work

# --- inputs ----------------------------------------------------------------------------------------------------------


@strawberry.input(description="What happens to one kind of a partner's changes.")
class ChangeControlRuleInput:
    """What happens to one kind of change."""

    event: ChangeEvent = required("The kind of change.")
    mode: ChangeMode = required("Whether it is applied at once or held for approval.")


@strawberry.input(description="An invitation to an organization.")
class InvitePartnerInput:
    """An invitation."""

    partner_domain: DomainName = required("A verified domain of the organization.")
    expires_in_days: int = required("How long it can be answered: 1 to 30 whole days.")
    rooms: list[strawberry.ID] = several("Rooms to delegate.")
    groups: list[strawberry.ID] = several("Room groups to delegate, live: with the rooms they have at any time.")
    change_control: list[ChangeControlRuleInput] = several("Events that are not named stay on AUTO.")
    agreed_terms_version: str = required("The version of `service.terms` that was shown and agreed to.")
    dry_run: bool = optional("Validate everything, write nothing, answer what would be.", default=False)
    idempotency_key: str | None = optional(IDEMPOTENCY)


@strawberry.input(description="An invitation to take back.")
class RevokeInvitationInput:
    """An invitation to take back."""

    invitation: strawberry.ID = required("A pending invitation that your organization sent.")
    expected_version: int | None = optional(VERSION)
    idempotency_key: str | None = optional(IDEMPOTENCY)


@strawberry.input(description="An invitation to accept.")
class AcceptInvitationInput:
    """An invitation to accept."""

    invitation: strawberry.ID = required("A pending invitation that your organization received.")
    primary_admins: list[strawberry.ID] = required(
        "People or security groups of your organization; at least one person."
    )
    expected_version: int | None = optional(VERSION)
    idempotency_key: str | None = optional(IDEMPOTENCY)


@strawberry.input(description="An invitation to decline.")
class DeclineInvitationInput:
    """An invitation to decline."""

    invitation: strawberry.ID = required("A pending invitation that your organization received.")
    expected_version: int | None = optional(VERSION)
    idempotency_key: str | None = optional(IDEMPOTENCY)


@strawberry.input(description="A partnership to end.")
class RemovePartnerInput:
    """A partnership to end."""

    partnership: strawberry.ID = required("The partnership.")
    confirmation: str | None = optional("`removalImpact.confirmation`; without it the answer is ConfirmationRequired.")
    idempotency_key: str | None = optional(IDEMPOTENCY)


@strawberry.input(description="What a customer approves by hand.")
class SetChangeControlInput:
    """What a customer approves by hand."""

    partnership: strawberry.ID = required("The partnership.")
    expected_version: int = required(VERSION)
    change_control: list[ChangeControlRuleInput] = required("Events that are not named stay as they are.")
    idempotency_key: str | None = optional(IDEMPOTENCY)


@strawberry.input(description="Who answers invitations for your organization.")
class SetTenantManagersInput:
    """Who answers invitations."""

    expected_version: int = required("The `version` of `viewer.tenantManagers` you read; refused if it changed since.")
    add_members: list[strawberry.ID] = several("People or security groups of your organization.")
    remove_members: list[strawberry.ID] = several("Members to take it from; one who is none is left alone.")
    idempotency_key: str | None = optional(IDEMPOTENCY)


# --- payloads --------------------------------------------------------------------------------------------------------


GONE = "The answered invitation; null for the invited side, which sees pending ones only."


@value_type("What became of the invitation.")
class InvitePartnerPayload:
    """What became of the invitation."""

    invitation: Invitation | None = result("invitation", "The invitation; null if it was refused.")
    errors: list[UserError] = plain(ERRORS)


@value_type("What became of the invitation.")
class RevokeInvitationPayload:
    """What became of the invitation."""

    invitation: Invitation | None = result("invitation", "The revoked invitation; null if it was refused.")
    errors: list[UserError] = plain(ERRORS)


@value_type("What became of the invitation.")
class AcceptInvitationPayload:
    """What became of the invitation."""

    invitation: Invitation | None = result("invitation", GONE)
    partnership: Partnership | None = result("partnership", "The new partnership; null if it was refused.")
    errors: list[UserError] = plain(ERRORS)


@value_type("What became of the invitation.")
class DeclineInvitationPayload:
    """What became of the invitation."""

    invitation: Invitation | None = result("invitation", GONE)
    errors: list[UserError] = plain(ERRORS)


def ended(root: strawberry.Parent[Any]) -> Any:
    """How much ended."""
    counts = root.results.get("ended")
    return show_ended(counts) if counts else None


@value_type("What became of the partnership.")
class RemovePartnerPayload:
    """What became of the partnership."""

    partnership: Partnership | None = result(
        "partnership", "The ended partnership, which only the customer still sees; null if it was refused."
    )
    ended: EndedCounts | None = resolved(
        unannotated(ended), "How much ended; null if it was refused, or had ended before.", right=PART
    )
    errors: list[UserError] = plain(ERRORS)


@value_type("What became of the partnership.")
class SetChangeControlPayload:
    """What became of the partnership."""

    partnership: Partnership | None = result("partnership", "The partnership; null if it was refused.")
    errors: list[UserError] = plain(ERRORS)


@value_type("Who answers invitations now.")
class SetTenantManagersPayload:
    """Who answers invitations now."""

    tenant_managers: Assignment | None = result("tenant_managers", "The assignment; null if it was refused.")
    errors: list[UserError] = plain(ERRORS)


# --- what each of them does ------------------------------------------------------------------------------------------


def modes(rules: list[ChangeControlRuleInput]) -> Mapping[ChangeEvent, ChangeMode]:
    """The modes by event. Raises `RefusedTogether` for an event that is named twice."""
    named = [rule.event for rule in rules]
    twice = [place for place, event in enumerate(named) if event in named[:place]]
    if twice:
        message = "Name each event once."
        raise RefusedTogether([invalid_input(message, "changeControl", str(place)) for place in twice])
    return {rule.event: rule.mode for rule in rules}


async def invite(info: Info, input: Annotated[InvitePartnerInput, INPUT]) -> Any:  # noqa: A002
    """Invite a partner."""

    async def operate(work: Work) -> Mapping[str, Any]:
        made = await invite_partner(
            work,
            partner_domain=input.partner_domain,
            expires_in_days=input.expires_in_days,
            rooms=input.rooms,
            groups=input.groups,
            change_control=modes(input.change_control),
            agreed_terms_version=input.agreed_terms_version,
            terms=info.context.service.terms,
        )
        return {"invitation": made}

    return await change(info, InvitePartnerPayload, input, operate)


async def revoke(info: Info, input: Annotated[RevokeInvitationInput, INPUT]) -> Any:  # noqa: A002
    """Take an invitation back."""

    async def operate(work: Work) -> Mapping[str, Any]:
        version = input.expected_version
        return {"invitation": await revoke_invitation(work, invitation=input.invitation, expected_version=version)}

    return await change(info, RevokeInvitationPayload, input, operate)


async def accept(info: Info, input: Annotated[AcceptInvitationInput, INPUT]) -> Any:  # noqa: A002
    """Accept an invitation."""

    async def operate(work: Work) -> Mapping[str, Any]:
        invitation, partnership = await accept_invitation(
            work,
            invitation=input.invitation,
            primary_admins=input.primary_admins,
            expected_version=input.expected_version,
        )
        return {"invitation": invitation, "partnership": partnership}

    return await change(info, AcceptInvitationPayload, input, operate)


async def decline(info: Info, input: Annotated[DeclineInvitationInput, INPUT]) -> Any:  # noqa: A002
    """Decline an invitation."""

    async def operate(work: Work) -> Mapping[str, Any]:
        version = input.expected_version
        return {"invitation": await decline_invitation(work, invitation=input.invitation, expected_version=version)}

    return await change(info, DeclineInvitationPayload, input, operate)


async def remove(info: Info, input: Annotated[RemovePartnerInput, INPUT]) -> Any:  # noqa: A002
    """End a partnership."""

    async def operate(work: Work) -> Mapping[str, Any]:
        partnership, counts = await remove_partner(
            work,
            partnership=input.partnership,
            confirmation=input.confirmation,
            confirmations=info.context.service.confirmations,
        )
        return {"partnership": partnership, "ended": asdict(counts) if counts else None}

    return await change(info, RemovePartnerPayload, input, operate)


async def set_control(info: Info, input: Annotated[SetChangeControlInput, INPUT]) -> Any:  # noqa: A002
    """Choose what is approved by hand."""

    async def operate(work: Work) -> Mapping[str, Any]:
        changed = await set_change_control(
            work,
            partnership=input.partnership,
            expected_version=input.expected_version,
            change_control=modes(input.change_control),
        )
        return {"partnership": changed}

    return await change(info, SetChangeControlPayload, input, operate)


async def set_managers(info: Info, input: Annotated[SetTenantManagersInput, INPUT]) -> Any:  # noqa: A002
    """Choose who answers invitations."""

    async def operate(work: Work) -> Mapping[str, Any]:
        changed = await set_tenant_managers(
            work, expected_version=input.expected_version, add=input.add_members, remove=input.remove_members
        )
        return {"tenant_managers": changed}

    return await change(info, SetTenantManagersPayload, input, operate)
