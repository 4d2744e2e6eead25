"""Every single rule of `visible`, broken on purpose, is found by the comparison with the policy.

A breakage is one function of `app.access.visible` with one piece of its text replaced. Rules are the same for every
database, so SQLite is enough here.
"""

import asyncio
import inspect
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from sqlalchemy import CompoundSelect, true
from sqlalchemy.ext.asyncio import AsyncConnection

from app.access import visible as rules
from app.access.tripwire import WORK
from app.domain.permissions import Permission
from app.domain.vocabulary import PrincipalKind
from app.storage.engines import Database
from app.storage.tables import Partnership, Room, RoomGroup, UpdateRing
from tests.access.asking import ALWAYS, Answers, Pair, answer, expected, found, question
from tests.access.policy import Asker, Assignment, AuditEntry, Principal, Role, World
from tests.access.worlds import NOW, rows, sample_worlds, write

pytestmark = [
    pytest.mark.filterwarnings("ignore:SELECT statement has a cartesian product"),
    pytest.mark.timeout(600),
]

SAMPLE = 200
RICHEST = 20
"""Worlds of the sample within which every breakage has to be found; most are in the first."""
SEED = 4

PAIRS: tuple[Pair, ...] = (
    *ALWAYS,
    (Room, Permission.ROOMS_MODIFY),
    (Room, Permission.ROOMS_MODIFY, "in parts"),
    (Room, Permission.TICKETS_VIEW, "in parts"),
    (RoomGroup, Permission.TICKETS_VIEW),
    (UpdateRing, Permission.RINGS_MANAGE),
    (Partnership, Permission.ROOMS_VIEW),
)


@dataclass(frozen=True)
class Breakage:
    """What goes wrong, and how: in the text of a function, a piece and what stands there instead."""

    function: str
    name: str
    piece: str
    instead: str

    @property
    def text(self) -> str:
        return inspect.getsource(getattr(rules, self.function))

    @property
    def fits(self) -> bool:
        """Whether the piece stands exactly once. A rule that was rewritten needs its breakage rewritten too."""
        return self.text.count(self.piece) == 1

    def broken(self) -> CodeType:
        """What defines the function with the piece replaced."""
        return compile(self.text.replace(self.piece, self.instead), self.name, "exec")


PIECES: dict[str, list[tuple[str, str, str]]] = {
    "grants": [
        ("every role grants everything", 'found.c.permissions.op("&")(permission.value) != 0', "true()"),
    ],
    "there_is": [
        ("there is whatever is asked for", "rows.offset(0).exists()", "true()"),
        ("there is nothing", "rows.offset(0)", "rows.limit(0)"),
        ("the first of all is passed over", "rows.offset(0)", "rows.offset(1)"),
    ],
    "ways": [
        ("own rooms in two parts", ", not_(everything))", ")"),
        ("own rooms in no part", "rooms.where(is_live, everything), ", ""),
        ("rooms in reach in no part", ", rooms.where(is_live, in_reach, not_(everything))", ""),
        ("retired own rooms listed", "rooms.where(is_live, everything)", "rooms.where(everything)"),
        ("retired rooms in reach listed", "rooms.where(is_live, in_reach", "rooms.where(in_reach"),
        ("rooms of every tenant listed", "all_rooms(right), rows_of", "held_everywhere(right), rows_of"),
        (
            "room of a namesake listed",
            "tuple_(col(Room.tenant_id), col(Room.id)).in_(rule(select(scope.c.tenant_id, scope.c.room_id)))",
            "col(Room.id).in_(rule(select(scope.c.room_id)))",
        ),
        ("a scoped role lists nothing", "*reach_at_home(right), ", ""),
        ("a partner lists nothing", ", *reach_within(widest_as_partner(right))", ""),
        (
            "rooms listed beyond the delegation",
            "*reach_within(widest_as_partner(right))",
            "*map(pairs, scopes_of(held_as_partner(right)))",
        ),
        ("rooms listed by any role at home", "reach_at_home(right)", "reach_at_home(None)"),
        ("rooms listed by any role as partner", "widest_as_partner(right)", "held_as_partner(None)"),
    ],
    "directory_grants": [
        ("any directory role grants all", 'VIEWER_DIRECTORY.op("&")(permission.value)', "VIEWER_DIRECTORY"),
        ("directory roles do not count", 'VIEWER_DIRECTORY.op("&")(permission.value) != 0', "false()"),
    ],
    "room": [
        ("retired rooms shown", "col(Room.retired_at).is_(None)", "true()"),
        (
            "room of a namesake",
            "is_reached(right, col(Room.tenant_id), col(Room.id), Room)",
            "col(Room.id).in_(select(reach(right).c.room_id))",
        ),
        ("own rooms hidden", "or_(all_rooms(right), in_reach)", "in_reach"),
        ("rooms in reach hidden", "or_(all_rooms(right), in_reach)", "all_rooms(right)"),
    ],
    "all_rooms": [
        ("directory roles count abroad", "col(Room.tenant_id) == VIEWER_TENANT", "true()"),
        ("all rooms by a role over some", "held_everywhere(right)", "held(right)"),
    ],
    "held": [
        ("directory roles hold no power", "directory_grants(permission)", "false()"),
        ("assignments hold no power", "held_at_home(permission).exists()", "false()"),
    ],
    "held_everywhere": [
        ("directory roles reach no room", "directory_grants(permission)", "false()"),
        ("a room is as good as all rooms", ".where(over_all)", ""),
    ],
    "memberships": [
        ("security groups do not count", "(in_person, through_group)", "(in_person,)"),
        ("only security groups count", "(in_person, through_group)", "(through_group,)"),
        ("members of any tenant", "col(AssignmentMember.member_tenant_id) == VIEWER_TENANT", "true()"),
    ],
    "own_groups": [
        ("security groups of a namesake", "col(GroupMember.tenant_id) == VIEWER_TENANT", "true()"),
        ("security groups of anybody", "col(GroupMember.member_id) == VIEWER_PRINCIPAL", "true()"),
    ],
    "has_role": [
        ("role of a namesake", "col(Role.tenant_id) == col(Assignment.tenant_id)", "true()"),
        ("any role of the tenant", "col(Role.id) == col(Assignment.role_id)", "true()"),
    ],
    "is_active_partner": [
        ("removed partnerships count", "col(Partnership.state) == PartnershipState.ACTIVE", "true()"),
        ("anybody's partnership counts", "col(Partnership.partner_tenant_id) == VIEWER_TENANT", "true()"),
    ],
    "all_held": [
        ("partnership of a namesake", "col(Partnership.tenant_id) == col(Assignment.tenant_id)", "true()"),
        ("any partnership with the customer", "col(Partnership.id) == col(Assignment.partnership_id)", "true()"),
        ("any partnership at all", "        is_active_partner(),\n", ""),
        ("members of an assignment's namesake", "col(Assignment.tenant_id) == mine.c.tenant_id", "true()"),
        ("every assignment held", "col(Assignment.id) == mine.c.assignment_id", "true()"),
        ("partner's assignment without partnership", "col(Partnership.id).is_not(None)", "true()"),
        ("own assignment in any tenant", "col(Assignment.tenant_id) == VIEWER_TENANT", "true()"),
        ("partner roles held at home", "col(Assignment.partnership_id).is_(None)", "true()"),
        ("any role", "has_role()", "true()"),
    ],
    "held_as_partner": [
        ("partner's assignment without permission", ", grants(found, permission)", ""),
    ],
    "held_at_home": [
        ("own assignment without permission", ", grants(found, permission)", ""),
        ("held at a customer is held at home", "found.c.partnership_id.is_(None), ", ""),
    ],
    "widest_as_partner": [
        ("delegations add nothing", "found.c.assignment_id == found.c.delegation_id, ", ""),
        ("only delegations add something", ", not_(adds_nothing)", ""),
        ("what adds nothing and nothing else", "not_(adds_nothing)", "adds_nothing"),
        ("a namesake of the delegation held", "delegation.c.tenant_id == found.c.tenant_id,", "true(),"),
        ("any assignment held as the delegation", "delegation.c.assignment_id == found.c.delegation_id", "true()"),
        ("widest without permission", "held_as_partner(permission)", "held_as_partner(None)"),
    ],
    "takes_part": [
        ("taking part in a partnership's namesake", "found.c.tenant_id == tenant", "true()"),
        ("taking part in any partnership", "found.c.partnership_id == partnership_id", "true()"),
        ("taking part by any permission", ", grants(found, permission)", ""),
    ],
    "scopes_of": [
        ("groups are in no scope", "rule(by_group).subquery()", "rule(by_group).where(false()).subquery()"),
        ("rooms are in no scope", "rule(by_room).subquery()", "rule(by_room).where(false()).subquery()"),
        ("rooms of any assignment", "col(AssignmentRoom.assignment_id) == assignment_id", "true()"),
        ("rooms of a namesake", "col(AssignmentRoom.tenant_id) == tenant", "true()"),
        ("groups of any assignment", "col(AssignmentGroup.assignment_id) == assignment_id", "true()"),
        ("groups of a namesake", "col(AssignmentGroup.tenant_id) == tenant", "true()"),
    ],
    "is_in_group": [
        ("rooms of a group's namesake", "col(RoomGroupRoom.tenant_id) == tenant", "true()"),
        ("rooms of any group", "col(RoomGroupRoom.group_id) == group", "true()"),
    ],
    "covers": [
        ("covered by room only", ", there_is(rule(by_group, *of))", ""),
        ("covered by group only", "there_is(rule(by_room, *of)), ", ""),
        ("room covered by a namesake", "col(AssignmentRoom.tenant_id) == tenant", "true()"),
        ("room covered by any assignment", "col(AssignmentRoom.assignment_id) == assignment_id", "true()"),
        ("another room covered", "col(AssignmentRoom.room_id) == room_id", "true()"),
        ("group covered by a namesake", "col(AssignmentGroup.tenant_id) == tenant", "true()"),
        ("group covered by any assignment", "col(AssignmentGroup.assignment_id) == assignment_id", "true()"),
        ("another room of the group covered", "col(RoomGroupRoom.room_id) == room_id", "true()"),
    ],
    "is_delegated": [
        ("everything is delegated", "return or_(", "return or_(true(), "),
        (
            "every assignment is the delegation itself",
            "assignments.c.assignment_id == assignments.c.delegation_id",
            "true()",
        ),
        ("only the delegation itself is delegated", "or_(itself, covers(", "and_(itself, covers("),
        (
            "delegated is what is assigned",
            "covers(assignments.c.tenant_id, assignments.c.delegation_id",
            "covers(assignments.c.tenant_id, assignments.c.assignment_id",
        ),
    ],
    "reach_at_home": [
        (
            "permissions and rooms united apart at home",
            "scopes_of(held_at_home(permission))",
            "scopes_of(held_at_home(None).where(held(permission)))",
        ),
    ],
    "reach_as_partner": [
        (
            "permissions and rooms united apart as partner",
            "reach_within(held_as_partner(permission))",
            "reach_within(held_as_partner(None).where(rule(held_as_partner(permission)).exists()))",
        ),
    ],
    "reach_within": [
        ("rooms beyond the delegation", ".where(is_delegated(scope, scope.c.room_id, scope))", ""),
    ],
    "is_reached": [
        ("a partner reaches nothing", "or_(at_home, delegated)", "at_home"),
        ("a scoped role reaches nothing", "or_(at_home, delegated)", "and_(not_(at_home), delegated)"),
        ("reached beyond the delegation", ".where(or_(at_home, delegated))", ""),
    ],
    "is_reached_as_partner": [
        ("reached as partner beyond the delegation", ".where(delegated)", ""),
    ],
    "reaching": [
        ("reached by a namesake", "found.c.tenant_id == tenant", "true()"),
        ("reached without permission", ", grants(found, permission)", ""),
        ("permissions and rooms united apart", "grants(found, permission)", "held(permission)"),
        (
            "whatever there is where something is reached",
            ".where(here, covers(tenant, found.c.assignment_id, room_id, found, of))",
            ".where(here)",
        ),
    ],
    "room_group": [
        ("groups of every tenant", "col(RoomGroup.tenant_id) == VIEWER_TENANT", "true()"),
        ("groups for whoever holds it anywhere", "held_everywhere(right)", "held(right)"),
        ("groups changed by room", "if right is Permission.GROUPS_VIEW:", "if True:"),
        ("groups not seen by room", "if right is Permission.GROUPS_VIEW:", "if False:"),
        ("groups not seen by name", "        this.in_(groups_at_home(right)),\n", ""),
        ("delegated groups not seen by name", "        this.in_(groups_as_partner(right)),\n", ""),
        ("groups seen by rooms out of reach", "is_in_this_group(), in_reach", "is_in_this_group()"),
    ],
    "is_live": [
        ("retired rooms show their groups", "col(Room.retired_at).is_(None)", "true()"),
        ("retired rooms' namesakes show groups", "col(Room.tenant_id) == col(RoomGroupRoom.tenant_id)", "true()"),
        ("any room shows groups of retired ones", "col(Room.id) == col(RoomGroupRoom.room_id)", "true()"),
    ],
    "is_in_this_group": [
        ("groups seen by a room in none", "is_in_group(col(RoomGroup.tenant_id), col(RoomGroup.id))", "true()"),
    ],
    "groups_at_home": [
        ("groups by any role at home", "held_at_home(permission)", "held_at_home(None)"),
    ],
    "is_in_scope": [
        ("groups in anybody's scope", "scopes.c.assignment_id == col(AssignmentGroup.assignment_id)", "true()"),
        ("groups in a namesake's scope", "scopes.c.tenant_id == col(AssignmentGroup.tenant_id)", "true()"),
    ],
    "groups_as_partner": [
        ("groups beyond the delegation", ".join(delegated, is_delegated)", ""),
        (
            "groups delegated by another customer",
            "col(delegated.tenant_id) == scopes.c.tenant_id",
            "true()",
        ),
        ("groups delegated to somebody", "col(delegated.assignment_id) == scopes.c.delegation_id", "true()"),
        ("another group delegated", "col(delegated.group_id) == col(AssignmentGroup.group_id)", "true()"),
        ("groups by any role in the partnership", "held_as_partner(permission)", "held_as_partner(None)"),
    ],
    "update_ring": [
        ("rings of every tenant", "col(UpdateRing.tenant_id) == VIEWER_TENANT", "true()"),
        ("rings need the whole tenant", "held(right)", "held_everywhere(right)"),
        ("own rings without permission", "held(right)", "true()"),
        ("rings changed by who may look", "if right is Permission.RINGS_VIEW:", "if True:"),
        ("rings looked at only when whole", "if right is Permission.RINGS_VIEW:", "if False:"),
        ("rings changed without a room", "there_is(in_ring), ", ""),
        ("rings changed over others' rooms", ", not_(there_is(in_ring.where(not_(inside))))", ""),
        ("retired rooms hold a ring", "col(Room.retired_at).is_(None)", "true()"),
        ("rooms of other rings hold a ring", "col(Room.ring_id) == col(UpdateRing.id)", "true()"),
        ("rooms of a ring's namesake hold a ring", "col(Room.tenant_id) == col(UpdateRing.tenant_id)", "true()"),
        ("a partner sees no ring", "or_(at_home, holds_on_a_room(right))", "at_home"),
        ("a partner changes no ring", "or_(at_home, and_(", "and_(at_home, and_("),
        (
            "rings changed by any role as partner",
            "inside = is_reached_as_partner(right,",
            "inside = is_reached_as_partner(None,",
        ),
    ],
    "holds_on_a_room": [
        ("rings of every customer", "way.c.tenant_id == col(UpdateRing.tenant_id)", "true()"),
        ("rings by a retired room", "col(Room.retired_at).is_(None)", "true()"),
        ("rings by a retired room's namesake", "col(Room.tenant_id) == way.c.tenant_id", "true()"),
        ("rings by a retired room beside a live one", "col(Room.id) == way.c.room_id", "true()"),
        ("rings by any role as partner", "reach_as_partner(right)", "reach_as_partner(None)"),
    ],
    "partnership": [
        (
            "partner sees removed partnerships",
            "and_(is_active_partner(), as_partner)",
            "and_(col(Partnership.partner_tenant_id) == VIEWER_TENANT, as_partner)",
        ),
        (
            "everybody of the partner sees it",
            "or_(takes_part(tenant, key, None, Partnership), held(Permission.INVITATIONS_ANSWER))",
            "true()",
        ),
        (
            "who answers sees no partnership",
            "or_(takes_part(tenant, key, None, Partnership), held(Permission.INVITATIONS_ANSWER))",
            "takes_part(tenant, key, None, Partnership)",
        ),
        ("who takes part sees no partnership", "takes_part(tenant, key, None, Partnership), ", ""),
        ("nobody a primary admin", "if right is Standing.PRIMARY_ADMIN:", "if False:"),
        ("partnerships of nobody who answers", "if right is Standing.ADDRESSEE:", "if False:"),
        (
            "partnerships of everybody as one who answers",
            "return and_(is_active_partner(), held(Permission.INVITATIONS_ANSWER))",
            "return is_active_partner()",
        ),
        (
            "others' and removed partnerships for who answers",
            "return and_(is_active_partner(), held(Permission.INVITATIONS_ANSWER))",
            "return held(Permission.INVITATIONS_ANSWER)",
        ),
        ("nobody a partner's Manager", "if right is Standing.PARTNER_MANAGER:", "if False:"),
        (
            "everybody a partner's Manager",
            "return and_(is_active_partner(), held(Permission.PARTNERS_MANAGE))",
            "return is_active_partner()",
        ),
        (
            "the customer's Manager as the partner's",
            "return and_(is_active_partner(), held(Permission.PARTNERS_MANAGE))",
            "return and_(col(Partnership.tenant_id) == VIEWER_TENANT, held(Permission.PARTNERS_MANAGE))",
        ),
        (
            "primary admin by any role in the partnership",
            "found.c.assignment_id == col(Partnership.delegation_id)",
            "found.c.partnership_id == key",
        ),
        (
            "primary admin by any role at the customer",
            "found.c.assignment_id == col(Partnership.delegation_id)",
            "true()",
        ),
        ("primary admin by a namesake", "found.c.tenant_id == tenant", "true()"),
        ("taking part by another permission", "takes_part(tenant, key, right", "takes_part(tenant, key, None"),
        ("partner's permissions asked of the customer", "if right in PARTNER_CEILING:", "if False:"),
        ("partnerships of every customer", "tenant == VIEWER_TENANT", "true()"),
        ("own partnerships without permission", "VIEWER_TENANT, held(right))", "VIEWER_TENANT)"),
    ],
    "invitation": [
        ("expired invitations shown", "col(Invitation.expires_at) > MOMENT", "true()"),
        (
            "invitations shown as they expire",
            "col(Invitation.expires_at) > MOMENT",
            "col(Invitation.expires_at) >= MOMENT",
        ),
        ("answered invitations shown", "col(Invitation.state) == InvitationState.PENDING", "true()"),
        (
            "declined invitations shown",
            "col(Invitation.state) == InvitationState.PENDING",
            'col(Invitation.state).in_(["PENDING", "DECLINED"])',
        ),
        ("others' invitations shown", "col(Invitation.partner_tenant_id) == VIEWER_TENANT", "true()"),
        ("invitations shown to everybody invited", ", held(Permission.INVITATIONS_ANSWER)", ""),
        ("nobody addressed", "if right is Standing.ADDRESSEE:", "if False:"),
        (
            "addressed only while it can be answered",
            "return and_(col(Invitation.partner_tenant_id)",
            "return and_(col(Invitation.state) == InvitationState.PENDING, col(Invitation.partner_tenant_id)",
        ),
        (
            "what is over still to be answered",
            "and_(invitation(Standing.ADDRESSEE), pending)",
            "invitation(Standing.ADDRESSEE)",
        ),
        ("others' invitations to be answered", "and_(invitation(Standing.ADDRESSEE), pending)", "pending"),
        (
            "what is over shown to who was invited",
            "or_(invitation(Permission.PARTNERS_VIEW), invitation(Permission.INVITATIONS_ANSWER))",
            "or_(invitation(Permission.PARTNERS_VIEW), invitation(Standing.ADDRESSEE))",
        ),
        ("invitations of every customer", "col(Invitation.tenant_id) == VIEWER_TENANT", "true()"),
        ("sent invitations without permission", "VIEWER_TENANT, held(right))", "VIEWER_TENANT)"),
    ],
    "edits_roles": [
        ("no directory role edits roles", "directory_grants(Permission.ROLES_MODIFY), ", ""),
        ("whoever assigns edits roles", "directory_grants(Permission.ROLES_MODIFY)", "held(Permission.ROLES_MODIFY)"),
        ("Managers edit no roles", ", held(Permission.PARTNERS_MANAGE)", ""),
    ],
    "role": [
        ("everybody edits roles", "and_(own, edits_roles())", "own"),
        ("roles of anybody edited", "and_(own, edits_roles())", "edits_roles()"),
        ("partner roles edited by the customer", "and_(own, edits_roles())", "and_(at_home, edits_roles())"),
        ("nobody edits roles", "if right is Standing.ROLE_EDITOR:", "if False:"),
        ("nobody ends partner roles", "if right is Permission.PARTNERS_MANAGE:", "if False:"),
        ("roles of every tenant", "col(Role.tenant_id) == VIEWER_TENANT", "true()"),
        ("partner roles as own roles", "col(Role.partnership_id).is_(None)", "true()"),
        ("Tenant manager role as any other", "or_(col(Role.built_in).is_(None), not_(is_tenant_manager))", "true()"),
        (
            "custom roles hidden",
            "or_(col(Role.built_in).is_(None), not_(is_tenant_manager))",
            "not_(is_tenant_manager)",
        ),
        ("own roles without permission", "and_(plain, held(permission))", "plain"),
        (
            "own roles shown to partners",
            "takes_part(col(Role.tenant_id), col(Role.partnership_id), permission, Role)",
            "col(Role.tenant_id).in_(rule(select(held_as_partner(permission).subquery().c.tenant_id)))",
        ),
        ("partner roles hidden from partners", ", as_partner]", "]"),
        ("partner roles without permission", "col(Role.partnership_id), permission", "col(Role.partnership_id), None"),
        (
            "roles to know as roles to change",
            "if right is Standing.PARTY:\n        answers",
            "if True:\n        answers",
        ),
        ("partner roles for who sees partners", "held(Permission.PARTNERS_MANAGE)", "held(Permission.PARTNERS_VIEW)"),
        ("partner roles hidden from the Manager", "to_customer, names_admins", "names_admins"),
        (
            "roles of removed partnerships",
            "of_active_partnership()",
            "col(Role.partnership_id).is_not(None)",
        ),
        ("roles of others' partnerships", "to_customer = and_(at_home, ", "to_customer = and_("),
        ("partner's custom roles for who answers", "col(Role.built_in) == BuiltInRole.PRIMARY_ADMIN", "true()"),
        ("Primary admins of other partners", "of_active_partnership(is_active_partner())", "of_active_partnership()"),
        ("Primary admins for everybody", "is_primary_admin, answers, ", "is_primary_admin, "),
        ("Primary admins hidden from who answers", "names_admins, and_(", "and_("),
        (
            "Tenant managers of every tenant",
            "and_(at_home, is_tenant_manager, answers)",
            "and_(is_tenant_manager, answers)",
        ),
        (
            "Tenant managers for everybody",
            "and_(at_home, is_tenant_manager, answers)",
            "and_(at_home, is_tenant_manager)",
        ),
        ("Tenant managers hidden", ", and_(at_home, is_tenant_manager, answers)]", "]"),
    ],
    "of_active_partnership": [
        (
            "assignments of removed partnerships count as active",
            "col(Partnership.state) == PartnershipState.ACTIVE",
            "true()",
        ),
        ("roles of a partnership's namesake", "col(Partnership.tenant_id) == col(Role.tenant_id)", "true()"),
        ("roles of any partnership", "col(Partnership.id) == col(Role.partnership_id)", "true()"),
        ("roles of whosever partnership", ", *conditions", ""),
    ],
    "assignment": [
        ("assignment of a role's namesake", "has_role()", "col(Role.id) == col(Assignment.role_id)"),
        ("assignment of any role", "has_role(), ", ""),
    ],
    "approval_request": [
        ("requests to every customer", "col(ApprovalRequest.tenant_id) == VIEWER_TENANT", "true()"),
        ("requests for everybody of the customer", ", held(right))", ")"),
        ("requests for who left the partnership", "and_(asked, of_partnership(Standing.PARTY))", "asked"),
        ("requests of namesakes", "col(ApprovalRequest.requester_tenant_id) == VIEWER_TENANT", "true()"),
        ("requests of others", "col(ApprovalRequest.requester_id) == VIEWER_PRINCIPAL", "true()"),
        ("requests hidden from who decides", "            approval_request(Permission.APPROVALS_DECIDE),\n", ""),
        ("requests hidden from who asked", "            approval_request(Standing.REQUESTER),\n", ""),
        ("requests for all who take part", "partnership(Standing.PRIMARY_ADMIN)", "partnership(Standing.PARTY)"),
        ("requests hidden from primary admins", "            of_partnership(Standing.PRIMARY_ADMIN),\n", ""),
    ],
    "of_partnership": [
        (
            "requests of a partnership's namesake",
            "col(Partnership.tenant_id) == col(ApprovalRequest.tenant_id)",
            "true()",
        ),
        ("requests of any partnership", "col(Partnership.id) == col(ApprovalRequest.partnership_id)", "true()"),
        ("requests of others' partnerships", ", partnership(right)", ""),
    ],
    "directory": [
        ("directory of every tenant", "col(Principal.tenant_id) == VIEWER_TENANT", "true()"),
        ("directory for everybody", ", names_members)", ")"),
        ("removed ones in the directory", "col(Principal.removed_at).is_(None)", "true()"),
        ("directory hidden from who answers", "held(Permission.INVITATIONS_ANSWER),", ""),
        ("directory hidden from who assigns at home", "        held(Permission.ROLES_MODIFY),", ""),
        ("directory hidden from who assigns as partner", "held_as_partner(Permission.ROLES_MODIFY).exists(),", ""),
    ],
    "principal": [
        ("oneself hidden", "return or_(oneself, ", "return or_("),
        ("oneself's namesakes shown", "tenant == VIEWER_TENANT, key == VIEWER_PRINCIPAL", "key == VIEWER_PRINCIPAL"),
        ("the directory not named", "directory(Standing.DIRECTORY), ", ""),
        ("members hidden", "(is_a_member, sent", "(sent"),
        ("members of every assignment", "        assignment(Standing.PARTY),\n", ""),
        (
            "named as a member of an assignment's namesake",
            "col(Assignment.tenant_id) == col(AssignmentMember.tenant_id)",
            "true()",
        ),
        ("members of any assignment", "col(Assignment.id) == col(AssignmentMember.assignment_id)", "true()"),
        ("members' colleagues shown", "col(AssignmentMember.member_id) == key", "true()"),
        ("members' namesakes shown", "col(AssignmentMember.member_tenant_id) == tenant", "true()"),
        ("members only of what one may change", "assignment(Standing.PARTY)", "assignment(Permission.ROLES_VIEW)"),
        ("senders hidden", "sent, held_ones", "held_ones"),
        ("senders of every invitation", ", invitation(Standing.PARTY)", ""),
        ("senders' namesakes shown", "col(Invitation.tenant_id) == tenant", "true()"),
        ("senders' colleagues shown", "col(Invitation.sent_by_id) == key", "true()"),
        ("who asked: colleagues shown", "col(ApprovalRequest.requester_id) == key", "true()"),
        ("who decided: colleagues shown", "col(ApprovalRequest.decider_id) == key", "true()"),
        ("who acted: colleagues shown", "col(AuditEntry.user_id) == key", "true()"),
        ("who acted hidden", ", acted, approved)", ", approved)"),
        ("who approved hidden", ", acted, approved)", ", acted)"),
        ("who approved: colleagues shown", "col(AuditEntry.approved_by_id) == key", "true()"),
        ("who approved: namesakes shown", "col(AuditEntry.tenant_id) == tenant", "true()"),
        ("who asked and decided hidden", "held_ones, acted", "acted"),
        ("who asked and decided, of every request", "approval_request(Standing.PARTY)", "true()"),
        ("who asked: namesakes shown", "col(ApprovalRequest.requester_tenant_id) == tenant", "true()"),
        ("who decided: namesakes shown", "col(ApprovalRequest.decider_tenant_id) == tenant", "true()"),
        ("who acted in every record", "audit_entry(Permission.AUDIT_VIEW)", "true()"),
        ("who acted: namesakes shown", "col(AuditEntry.user_tenant_id) == tenant", "true()"),
    ],
    "tenant": [
        ("own organization hidden", "col(Tenant.id) == VIEWER_TENANT, ", ""),
        ("only customers named", ", col(table.partner_tenant_id) == col(Tenant.id)", ""),
        ("only partners named", "col(table.tenant_id) == col(Tenant.id), ", ""),
        ("organizations named by what is not seen", "            condition(table, Standing.PARTY),\n", ""),
        ("every customer named", "col(table.tenant_id) == col(Tenant.id)", "true()"),
        ("every partner named", "col(table.partner_tenant_id) == col(Tenant.id)", "true()"),
        ("invitations name nobody", "(Partnership, Invitation)", "(Partnership,)"),
        ("partnerships name nobody", "(Partnership, Invitation)", "(Invitation,)"),
    ],
    "audit_entry": [
        ("the record of every tenant", "col(AuditEntry.tenant_id) == VIEWER_TENANT", "true()"),
        ("the record for everybody", ", held(right)", ""),
        ("the record of all times", "is_recent, ", ""),
    ],
}
MADE_ONCE = [name for name, made in vars(rules).items() if hasattr(made, "cache_clear")]
"""Functions that keep what they made: it has to be made anew of broken rules, and of whole ones afterwards."""
BREAKAGES = [Breakage(function, *piece) for function, pieces in PIECES.items() for piece in pieces]


@contextmanager
def broken_rules(breakage: Breakage) -> Iterator[None]:
    """`visible`, with this breakage in it. What was made of the whole rules is set aside, and back afterwards."""
    whole, broken = getattr(rules, breakage.function), breakage.broken()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "true", true, raising=False)
        for name in MADE_ONCE:
            patch.setattr(rules, name, cache(getattr(rules, name).__wrapped__))
        patch.setattr(rules, breakage.function, whole)
        exec(broken, vars(rules))
        for table, decide in rules.RULES.items():
            if decide is whole:
                patch.setitem(rules.RULES, table, getattr(rules, breakage.function))
        yield


def made_of(pair: Pair) -> tuple[Any, list[Any]]:
    """The shape of a pair's statement and the values in it."""
    shape = answer(pair)._generate_cache_key()
    assert shape is not None
    return shape.key, [bind.value for bind in shape.bindparams]


def touched(breakage: Breakage) -> tuple[list[Pair], CompoundSelect[Any]]:
    """The pairs whose statement the breakage changes, and the broken question about them."""
    with broken_rules(breakage):
        pairs = [pair for pair in PAIRS if made_of(pair) != AS_IT_IS[pair]]
        return pairs, question(pairs)


def richest_worlds() -> list[tuple[World, list[Asker]]]:
    """The worlds of a fixed sample with the most rows, which show most at once."""
    by_size = sorted(sample_worlds(SAMPLE, SEED), key=lambda example: len(list(rows(example[0]))), reverse=True)
    return by_size[:RICHEST]


def approved_by_who_is_gone() -> tuple[World, list[Asker]]:
    """A record that alone names somebody: no other part of a world is as seldom all that does."""
    gone = [Principal(tenant, name, removed=True) for tenant in "AB" for name in ("u1", "u2")]
    world = World(
        NOW,
        ["A", "B"],
        principals=[Principal("A", "u0"), *gone],
        roles=[Role("A", "r0", Permission.AUDIT_VIEW)],
        assignments=[Assignment("A", "s0", "r0", all_rooms=True, members=frozenset({("A", "u0")}))],
        audit_entries=[AuditEntry("A", "a0", approved_by="u1")],
    )
    return world, [Asker("A", "u0", PrincipalKind.USER, frozenset())]


class Hunt:
    """How many worlds it took until each breakage showed."""

    def __init__(self) -> None:
        self.broken = {breakage.name: touched(breakage) for breakage in BREAKAGES if breakage.fits}
        self.worlds_needed: dict[str, int] = {}
        self.whole_differed = 0

    async def run(self, address: str) -> None:
        async with Database(address) as database, database.writer.connect() as connection:
            await connection.execution_options(**{WORK: True})
            for number, (world, askers) in enumerate([*richest_worlds(), approved_by_who_is_gone()], 1):
                async with connection.begin() as transaction:
                    await write(connection, world)
                    for asker in askers:
                        await self.look(connection, world, asker, number)
                    await transaction.rollback()

    async def look(self, connection: AsyncConnection, world: World, asker: Asker, number: int) -> None:
        due: Answers = expected(PAIRS, world, asker)
        self.whole_differed += await found(connection, WHOLE, PAIRS, world, asker) != due
        for name, (pairs, asked) in self.broken.items():
            if name not in self.worlds_needed:
                seen = await found(connection, asked, pairs, world, asker)
                if any(seen[pair] != due[pair] for pair in pairs):
                    self.worlds_needed[name] = number


WHOLE = question(PAIRS)
AS_IT_IS = {pair: made_of(pair) for pair in PAIRS}


@pytest.fixture(scope="module")
def hunt(folder: Path, migrated: dict[str, str]) -> Hunt:
    shutil.copy(folder / "template.db", folder / "broken-rules.db")
    loop, hunt = asyncio.new_event_loop(), Hunt()
    loop.run_until_complete(hunt.run(f"sqlite:///{folder / 'broken-rules.db'}"))
    loop.close()
    return hunt


def test_the_rules_stand_in_every_world_of_the_sample(hunt: Hunt) -> None:
    assert hunt.whole_differed == 0


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda breakage: breakage.name)
def test_a_broken_rule_is_found(hunt: Hunt, breakage: Breakage) -> None:
    assert breakage.fits, f"`{breakage.piece}` is not once in {breakage.function}: say anew how to break it"
    assert breakage.name in hunt.worlds_needed, f"{breakage.function}: not found in {RICHEST} worlds"


def all_made() -> list[Any]:
    """What each function keeps; `visible` keeps a select for each table and right."""
    return [getattr(rules, name)(*((Room, None) if name == "visible" else ())) for name in MADE_ONCE]


def test_what_was_broken_is_whole_again() -> None:
    names, text, made = {*vars(rules)}, str(question(PAIRS)), all_made()

    for breakage in BREAKAGES:
        with broken_rules(breakage):
            assert all(anew is not one for anew, one in zip(all_made(), made, strict=True))

    assert ({*vars(rules)}, str(question(PAIRS))) == (names, text)
    assert all(kept is one for kept, one in zip(all_made(), made, strict=True))


def test_every_breakage_has_a_name_of_its_own() -> None:
    assert len({breakage.name for breakage in BREAKAGES}) == len(BREAKAGES)
