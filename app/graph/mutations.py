"""What can be changed. A resolver names the operation and its input; everything else is the same for all."""

from __future__ import annotations

from app.graph.approval_mutations import (
    ApproveRequestPayload,
    CancelRequestPayload,
    RejectRequestPayload,
    approve,
    cancel,
    reject,
)
from app.graph.changing import approvable, mutation
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
from app.graph.role_mutations import (
    CreateAssignmentPayload,
    CreateRolePayload,
    DeleteAssignmentPayload,
    DeleteRolePayload,
    UpdateAssignmentPayload,
    UpdateRolePayload,
    create_assignment,
    create_role,
    end_assignment,
    end_role,
    update_assignment,
    update_role,
)
from app.graph.room_mutations import UpdateRoomPayload, update_room
from app.operations.assignment_changes import UpdateAssignment
from app.operations.assignments import CreateAssignment
from app.operations.roles import CreateRole, UpdateRole
from app.operations.rooms import UpdateRoom


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
    approve_request: ApproveRequestPayload | None = mutation(
        approve, "Approve a held change and do it. For Managers of the customer."
    )
    reject_request: RejectRequestPayload | None = mutation(
        reject, "Reject a held change for good. For Managers of the customer."
    )
    cancel_request: CancelRequestPayload | None = mutation(
        cancel, "Take back a change that is held. For who asked for it."
    )
    update_room: UpdateRoomPayload | None = approvable(
        update_room, "Change a room's location, capacity, label, nickname or tags.", UpdateRoom
    )
    set_tenant_managers: SetTenantManagersPayload | None = mutation(
        set_managers, "Choose who answers invitations for your organization. For its Managers."
    )
    create_role: CreateRolePayload | None = approvable(
        create_role,
        "Create a custom role. For Managers, Global Administrators and Teams Administrators of your organization, and "
        "for whoever holds ROLES_MODIFY in the partnership.",
        CreateRole,
    )
    update_role: UpdateRolePayload | None = approvable(
        update_role,
        "Change a custom role. For those who may create it; what you add you have to hold wherever the role is given.",
        UpdateRole,
    )
    delete_role: DeleteRolePayload | None = mutation(
        end_role,
        "End a custom role and all its assignments. For those who may create it; a partner's also for Managers of the "
        "customer.",
    )
    create_assignment: CreateAssignmentPayload | None = approvable(
        create_assignment,
        "Give a role to members over a scope. For whoever holds ROLES_MODIFY, as far as they hold what they give.",
        CreateAssignment,
    )
    update_assignment: UpdateAssignmentPayload | None = approvable(
        update_assignment,
        "Change who has a role, and over which rooms; giving a partner more rooms is this, on the scope of its Primary "
        "admin assignment. For whoever holds ROLES_MODIFY; of the Primary admin assignment Managers of the customer "
        "change the scope, and the partner's primary admins and Managers the members.",
        UpdateAssignment,
    )
    delete_assignment: DeleteAssignmentPayload | None = mutation(
        end_assignment,
        "Take an assignment away from everybody. For whoever holds ROLES_MODIFY; a partner's also for Managers of the "
        "customer.",
    )
