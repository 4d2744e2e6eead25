"""What can be changed. A resolver names the operation and its input; everything else is the same for all."""

from __future__ import annotations

from app.graph.changing import mutation
from app.graph.declaring import value_type
from app.graph.partnership_mutations import (
    AcceptInvitationPayload,
    DeclineInvitationPayload,
    InvitePartnerPayload,
    RemovePartnerPayload,
    RevokeInvitationPayload,
    SetChangeControlPayload,
    SetTenantManagersPayload,
    accept,
    decline,
    invite,
    remove,
    revoke,
    set_control,
    set_managers,
)


@value_type("What can be changed. Mutations of one document run one after the other.")
class Mutation:
    """What can be changed."""

    invite_partner: InvitePartnerPayload | None = mutation(
        invite, "Invite an organization by its domain. For Managers of a customer."
    )
    revoke_invitation: RevokeInvitationPayload | None = mutation(
        revoke, "Take back a pending invitation. For Managers of the customer."
    )
    accept_invitation: AcceptInvitationPayload | None = mutation(
        accept, "Accept an invitation and name the primary admins. For who answers invitations; the first one wins."
    )
    decline_invitation: DeclineInvitationPayload | None = mutation(
        decline, "Decline an invitation for good. For who answers invitations."
    )
    remove_partner: RemovePartnerPayload | None = mutation(
        remove, "End a partnership for good. For Managers of the customer, and primary admins of this customer."
    )
    set_change_control: SetChangeControlPayload | None = mutation(
        set_control, "Choose which of a partner's changes you approve by hand. For Managers of the customer."
    )
    set_tenant_managers: SetTenantManagersPayload | None = mutation(
        set_managers, "Choose who answers invitations for your organization. For its Managers."
    )
