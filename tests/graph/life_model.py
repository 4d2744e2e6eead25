"""The life of partnerships, said a second time: what each change does, or why it is refused, by the text of the domain.

It shares no rule with `app.access` and `app.operations`. Who sees what is said by the independent policy for reading.
A `Life` is everything that is stored and counts, at one moment; `attempt` answers what a change makes of it, and leaves
it as it is. Numbers (#) are those of the domain's list of choices.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from app.domain.permissions import (
    CUSTOM_CEILING,
    NOTHING,
    PARTNER_CEILING,
    BuiltInRole,
    DirectoryRole,
    Permission,
    Right,
    Standing,
)
from app.domain.vocabulary import ApprovalState, InvitationState, PartnershipState, PrincipalKind
from tests.access import policy
from tests.access.policy import Key

TERMS = "2026-11"
REPLAY = timedelta(hours=24)
HELD_FOR = timedelta(days=30)
CONFIRMED_FOR = timedelta(minutes=10)
PERSON_KINDS = {
    "user": PrincipalKind.USER,
    "securitygroup": PrincipalKind.GROUP,
    "application": PrincipalKind.APPLICATION,
}
ID = re.compile(r"([a-z]+)_([0-9a-f-]{36})_([0-9a-f-]{36})")
FEATURE_FREE = Permission.REPORTS_CREATE_INCIDENT
"""The one level that needs no VIEW beside it (#27, #28)."""


# --- what is stored -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """A principal: a user, a guest among them, a security group or a tool."""

    kind: PrincipalKind
    is_guest: bool = False


@dataclass(frozen=True)
class Room:
    version: int
    label: str | None
    capacity: int | None


@dataclass(frozen=True)
class Partnership:
    partner: str
    delegation: str
    manual: Permission
    state: PartnershipState = PartnershipState.ACTIVE
    version: int = 1


@dataclass(frozen=True)
class Invitation:
    partner: str
    expires_at: datetime
    manual: Permission
    rooms: frozenset[str]
    groups: frozenset[str]
    sent_by: str | None
    state: InvitationState = InvitationState.PENDING
    version: int = 1
    is_closed: bool = False
    partnership: str | None = None


@dataclass(frozen=True)
class Role:
    name: str
    permissions: Permission
    partnership: str | None = None
    built_in: BuiltInRole | None = None
    version: int = 1


@dataclass(frozen=True)
class Assignment:
    role: str
    name: str
    members: frozenset[Key]
    rooms: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    partnership: str | None = None
    all_rooms: bool = False
    notify: bool = False
    version: int = 1


@dataclass(frozen=True)
class Request:
    """A held change."""

    partnership: str
    mutation: str
    requester: Key
    expires_at: datetime
    state: ApprovalState = ApprovalState.PENDING
    version: int = 1
    is_decided: bool = False
    decider: Key | None = None


@dataclass(frozen=True)
class Actor:
    """Who asks, as a token says it."""

    tenant: str
    id: str
    kind: PrincipalKind = PrincipalKind.USER
    directory_roles: frozenset[DirectoryRole] = frozenset()
    is_guest: bool = False

    @property
    def key(self) -> Key:
        return self.tenant, self.id


@dataclass(frozen=True)
class Entry:
    """A line of a record: whose record, what was done, by whom (nobody is the system), and who approved it."""

    tenant: str
    category: str
    operation: str
    action: str
    user: Key | None
    approver: str | None = None


class No(Exception):
    """A change is refused, for these reasons."""

    def __init__(self, *codes: str) -> None:
        super().__init__(*codes)
        self.codes = codes


@dataclass
class Life:
    """Everything that is stored and counts."""

    now: datetime
    domains: dict[str, str] = field(default_factory=dict)
    may_be_partner: frozenset[str] = frozenset()
    people: dict[Key, Person] = field(default_factory=dict)
    in_groups: frozenset[tuple[str, str, str]] = frozenset()
    """(tenant, security group, member)"""
    rooms: dict[Key, Room] = field(default_factory=dict)
    room_groups: dict[Key, frozenset[str]] = field(default_factory=dict)
    partnerships: dict[Key, Partnership] = field(default_factory=dict)
    invitations: dict[Key, Invitation] = field(default_factory=dict)
    roles: dict[Key, Role] = field(default_factory=dict)
    assignments: dict[Key, Assignment] = field(default_factory=dict)
    requests: dict[Key, Request] = field(default_factory=dict)

    def copy(self) -> "Life":
        """The same, to be changed apart from this one."""
        stores = {each.name: getattr(self, each.name) for each in fields(self)}
        apart: dict[str, Any] = {name: dict(store) for name, store in stores.items() if isinstance(store, dict)}
        return replace(self, **apart)

    def differences(self, other: "Life") -> list[str]:
        """What is not the same here and there."""
        found = []
        for each in fields(self):
            ours, theirs = getattr(self, each.name), getattr(other, each.name)
            if isinstance(ours, dict):
                keys = sorted(key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key))
                found += [f"{each.name} {key}: {ours.get(key)} is not {theirs.get(key)}" for key in keys]
            elif ours != theirs:
                found.append(f"{each.name}: {ours} is not {theirs}")
        return found

    def world(self) -> policy.World:
        """The same, as the policy for reading knows it."""
        groups = {member: set[str]() for member in self.people}
        for tenant, group, member in self.in_groups:
            groups[tenant, member].add(group)
        return policy.World(
            now=self.now,
            tenants=sorted(set(self.domains.values())),
            principals=[
                policy.Principal(*key, person.kind, frozenset(groups[key])) for key, person in self.people.items()
            ],
            rooms=[policy.Room(*key, "ring") for key in self.rooms],
            room_groups=[policy.RoomGroup(*key, rooms) for key, rooms in self.room_groups.items()],
            partnerships=[
                policy.Partnership(*key, each.partner, each.state is PartnershipState.ACTIVE, each.delegation)
                for key, each in self.partnerships.items()
            ],
            invitations=[
                policy.Invitation(*key, each.partner, each.state, each.expires_at, each.sent_by)
                for key, each in self.invitations.items()
            ],
            roles=[
                policy.Role(*key, each.permissions, each.partnership, each.built_in) for key, each in self.roles.items()
            ],
            assignments=[
                policy.Assignment(
                    *key, each.role, each.partnership, each.all_rooms, each.members, each.rooms, each.groups
                )
                for key, each in self.assignments.items()
            ],
            approval_requests=[
                policy.ApprovalRequest(*key, each.partnership, each.requester, each.decider)
                for key, each in self.requests.items()
            ],
        )

    def users(self, members: Iterable[Key]) -> set[Key]:
        """The users among these, security groups being their stored members (#34)."""
        found = set()
        for tenant, member in members:
            inside = {(tenant, each) for there, group, each in self.in_groups if (there, group) == (tenant, member)}
            found |= {key for key in inside | {(tenant, member)} if self.people[key].kind is PrincipalKind.USER}
        return found

    def scope(self, tenant: str, assignment: Assignment | Invitation) -> set[str]:
        """The rooms in it, room groups as they are now (#22)."""
        return set(assignment.rooms).union(*(self.room_groups[tenant, group] for group in assignment.groups))


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """The value with these ids given to what had none yet."""
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, dict):
        return {renamed(key, names): renamed(each, names) for key, each in value.items()}
    if type(value) in (tuple, frozenset, list, set):
        return type(value)(renamed(each, names) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        return type(value)(**{each.name: renamed(getattr(value, each.name), names) for each in fields(value)})
    return value


# --- what becomes of a change ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Held:
    """What a request holds: the input, and what the fields were that it changes."""

    mutation: str
    input: Mapping[str, Any]
    before: Mapping[str, object]


@dataclass(frozen=True)
class Confirmation:
    """What the preview of a removal gave, to whom, for what, until when (#56)."""

    actor: Key
    partnership: Key
    until: datetime


@dataclass
class Memory:
    """What is not in the tables, or not in plain sight."""

    held: dict[str, Held] = field(default_factory=dict)
    """By request."""
    keys: dict[tuple[Key, str, str], tuple[str, datetime]] = field(default_factory=dict)
    """Idempotency keys: the input and when."""
    confirmations: dict[str, Confirmation] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of a change."""

    kind: str
    """done, held or refused"""
    life: Life
    codes: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()
    counts: Mapping[str, int] | None = None
    request: str | None = None
    """The request that holds it; of one that was there already."""
    held: Held | None = None
    is_replay: bool = False


def said(mutation_input: Mapping[str, Any]) -> str:
    """The input as text, to tell one from another."""
    return json.dumps({k: v for k, v in mutation_input.items() if k != "idempotencyKey"}, sort_keys=True)


def attempt(life: Life, memory: Memory, actor: Actor, mutation: str, asked: Mapping[str, Any]) -> Outcome:
    """What becomes of this change, if this one asks for it now."""
    word, is_dry_run = asked.get("idempotencyKey"), asked.get("dryRun", False)
    if word is not None and not is_dry_run:
        known = memory.keys.get((actor.key, mutation, word))
        if known is not None and life.now < known[1] + REPLAY:
            if known[0] != said(asked):
                return Outcome("refused", life, ("IDEMPOTENCY_MISMATCH",))
            return Outcome("done", life, is_replay=True)
    change = Change(life.copy(), memory, actor)
    try:
        change.perform(mutation, asked)
    except No as no:
        return Outcome("refused", life, tuple(sorted(no.codes)))
    if is_dry_run:
        return Outcome("done", life)
    kind = "held" if change.request else "done"
    return Outcome(kind, change.life, (), tuple(change.entries), change.counts, change.request, change.held)


@dataclass
class Change:
    """One change in the making."""

    life: Life
    memory: Memory
    actor: Actor
    approver: str | None = None
    entries: list[Entry] = field(default_factory=list)
    counts: Mapping[str, int] | None = None
    request: str | None = None
    held: Held | None = None
    _policy: policy.Policy | None = None

    def perform(self, mutation: str, asked: Mapping[str, Any]) -> None:
        """Do it. Raises `No`."""
        CHANGES[mutation](self, asked)

    # --- seeing ---------------------------------------------------------------------------------------------------

    def sees(self, table: str, right: Right) -> set[Key]:
        """The keys of what the actor sees under this right."""
        if self._policy is None:
            asker = policy.Asker(self.actor.tenant, self.actor.id, self.actor.kind, self.actor.directory_roles)
            self._policy = policy.Policy(self.life.world(), asker)
        return self._policy.sees(table, right)

    def holds(self, permission: Permission) -> bool:
        """The actor holds it at home, wherever."""
        self.sees("Tenant", Standing.PARTY)
        assert self._policy is not None
        return self._policy.holds_at_home(permission)

    def find(self, table: str, identifier: str, right: Right) -> Key | None:
        """The key that this id names, if the actor sees it under this right."""
        key = key_of(table, identifier)
        return key if key is not None and key in self.sees(table, right) else None

    def obtain(self, table: str, identifier: str, right: Right, seen: Right = Standing.PARTY) -> Key:
        """The key, for who sees it and may. Raises `No`."""
        if self.find(table, identifier, seen) is None:
            raise No("NOT_FOUND")
        key = self.find(table, identifier, right)
        if key is None:
            raise No("FORBIDDEN")
        return key

    def record(self, tenant: str, category: str, operation: str, action: str, *, by_system: bool = False) -> None:
        user = None if by_system else self.actor.key
        self.entries.append(Entry(tenant, category, operation, action, user, self.approver))

    # --- invitations ----------------------------------------------------------------------------------------------

    def invite_partner(self, asked: Mapping[str, Any]) -> None:
        """INV-1 to INV-8, #2 to #11."""
        if not self.holds(Permission.PARTNERS_MANAGE):
            raise No("FORBIDDEN")
        mine = self.actor.tenant
        rooms, groups = asked.get("rooms", []), asked.get("groups", [])
        problems = ["INVALID_INPUT"] * (
            (not 1 <= asked["expiresInDays"] <= 30)
            + (asked["agreedTermsVersion"] != TERMS)
            + (not rooms and not groups)
        )
        partner = self.life.domains.get(asked["partnerDomain"].strip().lower())
        if partner is None or partner == mine or partner not in self.life.may_be_partner:
            problems.append("INVALID_INPUT")
        for table, right, named in (
            ("Room", Permission.ROOMS_VIEW, rooms),
            ("RoomGroup", Permission.GROUPS_VIEW, groups),
        ):
            found = [self.find(table, each, right) for each in named]
            problems += ["NOT_FOUND" if key is None else "FORBIDDEN" for key in found if key is None or key[0] != mine]
        if problems or partner is None:
            raise No(*problems)
        self.clear_the_way(mine, partner)
        invitation = Invitation(
            partner,
            self.life.now + timedelta(days=asked["expiresInDays"]),
            with_modes(NOTHING, asked.get("changeControl", [])),
            frozenset(keys_of("Room", rooms)),
            frozenset(keys_of("RoomGroup", groups)),
            self.actor.id,
        )
        if not self.life.scope(mine, invitation):
            raise No("INVALID_INPUT")
        self.life.invitations[mine, "new invitation"] = invitation
        self.record(mine, "PartnerInvitation", "Create", "invitation.send")

    def clear_the_way(self, customer: str, partner: str) -> None:
        """One open invitation, or one partnership; what has lapsed is closed (#5)."""
        for key, each in self.life.invitations.items():
            if key[0] == customer and each.partner == partner and not each.is_closed:
                if self.life.now < each.expires_at:
                    raise No("CONFLICT")
                closed = {"state": InvitationState.EXPIRED, "is_closed": True, "version": each.version + 1}
                self.life.invitations[key] = replace(each, **closed)  # type: ignore[arg-type]
                self.record(customer, "PartnerInvitation", "Update", "invitation.expire", by_system=True)
        if self.active(customer, partner):
            raise No("CONFLICT")

    def active(self, customer: str, partner: str) -> Key | None:
        """The active partnership between these."""
        for key, each in self.life.partnerships.items():
            if key[0] == customer and each.partner == partner and each.state is PartnershipState.ACTIVE:
                return key
        return None

    def revoke_invitation(self, asked: Mapping[str, Any]) -> None:
        """#9."""
        key = self.obtain("Invitation", asked["invitation"], Permission.PARTNERS_MANAGE)
        check_version(self.life.invitations[key].version, asked)
        self.close(key, InvitationState.REVOKED)
        self.record(key[0], "PartnerInvitation", "Delete", "invitation.revoke")

    def close(self, key: Key, state: InvitationState) -> None:
        """Only what is pending and in time can be answered or taken back (#6, ACC-8, ACC-10)."""
        row = self.life.invitations[key]
        if row.state is not InvitationState.PENDING or row.expires_at <= self.life.now:
            raise No("INVALID_STATE")
        self.life.invitations[key] = replace(row, state=state, is_closed=True, version=row.version + 1)

    def received(self, asked: Mapping[str, Any]) -> Key:
        """The invitation, for a person of the invited organization who answers (ACC-1, ACC-2)."""
        key = self.find("Invitation", asked["invitation"], Standing.ADDRESSEE)
        if key is None and self.find("Invitation", asked["invitation"], Standing.PARTY) is None:
            raise No("NOT_FOUND")
        stored = self.life.people.get(self.actor.key)
        is_guest = self.actor.is_guest or (stored is not None and stored.is_guest)
        if key is None or is_guest or self.actor.kind is not PrincipalKind.USER:
            raise No("FORBIDDEN")
        check_version(self.life.invitations[key].version, asked)
        return key

    def decline_invitation(self, asked: Mapping[str, Any]) -> None:
        """ACC-8."""
        key = self.received(asked)
        self.close(key, InvitationState.DECLINED)
        self.record(key[0], "PartnerInvitation", "Delete", "invitation.decline")

    def accept_invitation(self, asked: Mapping[str, Any]) -> None:
        """ACC-4 to ACC-7, #12."""
        key = self.received(asked)
        admins = self.own_members(asked["primaryAdmins"], with_tools=False)
        self.close(key, InvitationState.ACCEPTED)
        if not self.life.users(admins):
            raise No("LAST_PRIMARY_ADMIN")
        row, customer = self.life.invitations[key], key[0]
        self.life.invitations[key] = replace(row, partnership="new partnership")
        self.life.partnerships[customer, "new partnership"] = Partnership(row.partner, "new assignment", row.manual)
        primary = BuiltInRole.PRIMARY_ADMIN
        self.life.roles[customer, "new role"] = Role(
            primary.label, PARTNER_CEILING, "new partnership", BuiltInRole.PRIMARY_ADMIN
        )
        self.life.assignments[customer, "new assignment"] = Assignment(
            "new role", "Assigned admins", frozenset(admins), row.rooms, row.groups, "new partnership"
        )
        self.record(customer, "PartnerInvitation", "Update", "invitation.accept")
        self.record(customer, "Assignment", "Create", "assignment.create")

    def own_members(self, identifiers: Sequence[str], *, with_tools: bool) -> list[Key]:
        """Principals of the own directory, for who may name members (#26, TM-3). Raises `No` for each that cannot."""
        problems, found = [], []
        for identifier in identifiers:
            key = self.principal(identifier)
            if key is None:
                problems.append("NOT_FOUND")
            elif self.life.people[key].kind is PrincipalKind.APPLICATION and not with_tools:
                problems.append("INVALID_INPUT")
            else:
                found.append(key)
        if problems:
            raise No(*problems)
        return list(dict.fromkeys(found))

    def principal(self, identifier: str) -> Key | None:
        """The principal of the own directory with this id."""
        key = self.find("Principal", identifier, Standing.DIRECTORY)
        kind = PERSON_KINDS.get(identifier.partition("_")[0])
        return key if key is not None and self.life.people[key].kind is kind else None

    def gone_members(self, identifiers: Sequence[str]) -> list[Key]:
        """Principals of the own directory to take away. Raises `No` for each that cannot be seen."""
        found = [self.principal(each) for each in identifiers]
        if problems := ["NOT_FOUND" for key in found if key is None]:
            raise No(*problems)
        return [key for key in found if key is not None]

    # --- what is settled, and the end -----------------------------------------------------------------------------

    def set_change_control(self, asked: Mapping[str, Any]) -> None:
        """#17."""
        key = self.obtain("Partnership", asked["partnership"], Permission.PARTNERS_MANAGE)
        row = self.life.partnerships[key]
        check_version(row.version, asked)
        if row.state is PartnershipState.REMOVED:
            raise No("INVALID_STATE")
        manual = with_modes(row.manual, asked["changeControl"])
        if manual != row.manual:
            self.life.partnerships[key] = replace(row, manual=manual, version=row.version + 1)
            self.record(key[0], "PartnerInvitation", "Update", "change_control.set")

    def set_tenant_managers(self, asked: Mapping[str, Any]) -> None:
        """TM-1 to TM-6; there need not be anybody."""
        if not self.holds(Permission.PARTNERS_MANAGE):
            raise No("FORBIDDEN")
        mine = self.actor.tenant
        (key,) = [
            key
            for key, each in self.life.assignments.items()
            if key[0] == mine and self.life.roles[mine, each.role].built_in is BuiltInRole.TENANT_MANAGER
        ]
        row = self.life.assignments[key]
        check_version(row.version, asked)
        coming, going = self.moved_members(row, asked, with_tools=False)
        if coming or going:
            self.life.assignments[key] = replace(row, members=row.members - going | coming, version=row.version + 1)
            self.record(mine, "User", "Update", "tenant_managers.change")

    def moved_members(
        self, row: Assignment, asked: Mapping[str, Any], *, with_tools: bool
    ) -> tuple[frozenset[Key], frozenset[Key]]:
        """Who would come into an assignment, and who would go. Raises `No`."""
        problems: list[str] = []
        named = keep(problems, lambda: self.own_members(asked.get("addMembers", []), with_tools=with_tools)) or []
        gone = keep(problems, lambda: self.gone_members(asked.get("removeMembers", []))) or []
        if problems:
            raise No(*problems)
        return frozenset(named) - row.members, frozenset(gone) & row.members

    def remove_partner(self, asked: Mapping[str, Any]) -> None:
        """REM-1 to REM-6, #52 to #56."""
        identifier = asked["partnership"]
        key = self.find("Partnership", identifier, Permission.PARTNERS_MANAGE)
        key = key or self.find("Partnership", identifier, Standing.PRIMARY_ADMIN)
        if key is None:
            raise No("FORBIDDEN" if self.find("Partnership", identifier, Standing.PARTY) else "NOT_FOUND")
        row = self.life.partnerships[key]
        if row.state is PartnershipState.REMOVED:
            return
        given = self.memory.confirmations.get(asked.get("confirmation", ""))
        if given is None or (given.actor, given.partnership) != (self.actor.key, key) or given.until <= self.life.now:
            raise No("CONFIRMATION_REQUIRED")
        self.counts = self.ended(key)
        self.life.partnerships[key] = replace(row, state=PartnershipState.REMOVED, version=row.version + 1)
        for number, request in list(self.life.requests.items()):
            if (number[0], request.partnership) == key and self.is_open(request):
                self.decide(number, ApprovalState.CANCELLED)
                self.record(key[0], "ApprovalRequest", "Update", "approval.cancel")
        self.record(key[0], "PartnerInvitation", "Delete", "partnership.remove")
        for number, role in self.life.roles.items():
            if (number[0], role.partnership) == key:
                self.record(key[0], "Role", "Delete", "role.delete")

    def ended(self, key: Key) -> Mapping[str, int]:
        """How much ends with a partnership."""
        customer, _ = key
        theirs = {n: a for n, a in self.life.assignments.items() if (n[0], a.partnership) == key}
        delegation = self.life.assignments[customer, self.life.partnerships[key].delegation]
        requests = [each for n, each in self.life.requests.items() if (n[0], each.partnership) == key]
        return {
            "rooms": len(self.life.scope(customer, delegation)),
            "roles": sum((n[0], role.partnership) == key for n, role in self.life.roles.items()),
            "assignments": len(theirs),
            "people": len(self.life.users(member for each in theirs.values() for member in each.members)),
            "openApprovals": sum(map(self.is_open, requests)),
        }

    # --- roles ----------------------------------------------------------------------------------------------------

    def acting_at(self, customer: str) -> Key | None:
        """The partnership in which the actor acts at a customer; None at home. Raises `No`."""
        if customer == self.actor.tenant:
            return None
        partnership = self.active(customer, self.actor.tenant)
        if partnership is None or partnership not in self.sees("Partnership", Standing.PARTY):
            raise No("NOT_FOUND")
        return partnership

    def enter(self, table: str, identifier: str) -> Key:
        """The role or assignment, as far as it is seen. Raises `No`."""
        key = self.find(table, identifier, Standing.PARTY)
        if key is None:
            raise No("NOT_FOUND")
        self.acting_at(key[0])
        return key

    def may_edit(self, key: Key) -> bool:
        """Whether the actor may change what a role is (RB-1 to RB-3, CPR-6, #26, #38)."""
        is_home = self.life.roles[key].partnership is None
        return key in self.sees("Role", Standing.ROLE_EDITOR if is_home else Permission.ROLES_MODIFY)

    def is_home_manager(self, tenant: str, partnership: str | None) -> bool:
        """A Manager, where the own organization's roles are concerned (#25)."""
        return partnership is None and tenant == self.actor.tenant and self.holds(Permission.PARTNERS_MANAGE)

    def grants_at_will(self, tenant: str, partnership: str | None) -> bool:
        """Who holds whatever may be in a scope here: a Manager at home, a primary admin in the partnership."""
        if partnership is None:
            return self.is_home_manager(tenant, None)
        return (tenant, partnership) in self.sees("Partnership", Standing.PRIMARY_ADMIN)

    def create_role(self, asked: Mapping[str, Any]) -> None:
        """RB-1 to RB-8, CPR-1 to CPR-6."""
        tenant, partnership = self.actor.tenant, None
        if asked.get("partnership") is not None:
            tenant, partnership = self.obtain("Partnership", asked["partnership"], Permission.ROLES_MODIFY)
            self.acting_at(tenant)
        elif not self.sees("Role", Standing.ROLE_EDITOR):
            raise No("FORBIDDEN")
        ceiling = CUSTOM_CEILING if partnership is None else PARTNER_CEILING
        permissions = asked_permissions(asked["permissions"])
        problems = wrong_permissions(asked["permissions"], ceiling)
        problems += self.wrong_name(asked["name"], self.roles_of(tenant, partnership).values())
        role = Role(asked["name"].strip(), permissions & ceiling, partnership)
        first = asked.get("assignment")
        made = None
        if first is not None:
            made = keep(problems, lambda: self.draft(tenant, "new role", role, first))
        if problems:
            raise No(*problems)
        if partnership is not None and self.hold((tenant, partnership), "createRole", asked):
            return
        self.life.roles[tenant, "new role"] = role
        self.record(tenant, "Role", "Create", "role.create")
        if made is not None:
            self.life.assignments[tenant, "new assignment"] = made
            self.record(tenant, "Assignment", "Create", "assignment.create")

    def roles_of(self, tenant: str, partnership: str | None) -> dict[Key, Role]:
        """The roles among which a name is unique (#43)."""
        return {k: r for k, r in self.life.roles.items() if (k[0], r.partnership) == (tenant, partnership)}

    def assignments_of(self, key: Key) -> dict[Key, Assignment]:
        """A role's assignments."""
        return {k: a for k, a in self.life.assignments.items() if (k[0], a.role) == key}

    @staticmethod
    def wrong_name(name: str | None, others: Iterable[Role | Assignment]) -> list[str]:
        """#43: 1 to 100 characters, unique without regard to case."""
        read = (name or "").strip()
        if not 1 <= len(read) <= 100:
            return ["INVALID_INPUT"]
        return ["CONFLICT"] if read.casefold() in {each.name.casefold() for each in others} else []

    def draft(self, tenant: str, role_id: str, role: Role, asked: Mapping[str, Any]) -> Assignment:
        """A new assignment, as far as the actor may grant it. Raises `No`."""
        rooms, groups = asked.get("rooms", []), asked.get("groups", [])
        problems = [] if asked["members"] else ["INVALID_INPUT"]
        if role.built_in is BuiltInRole.MANAGER:
            problems += ["INVALID_INPUT"] * (bool(rooms) + bool(groups))
        elif not rooms and not groups:
            problems.append("INVALID_INPUT")
        problems += self.wrong_name(asked["name"], self.assignments_of((tenant, role_id)).values())
        tools = role.built_in not in (BuiltInRole.MANAGER, BuiltInRole.PRIMARY_ADMIN)
        members = keep(problems, lambda: self.own_members(asked["members"], with_tools=tools)) or []
        problems += self.not_to_grant("Room", tenant, role, rooms, rooms)
        problems += self.not_to_grant("RoomGroup", tenant, role, groups, groups)
        if problems:
            raise No(*problems)
        return Assignment(
            role_id,
            asked["name"].strip(),
            frozenset(members),
            frozenset(keys_of("Room", rooms)),
            frozenset(keys_of("RoomGroup", groups)),
            role.partnership,
            role.built_in is BuiltInRole.MANAGER,
            asked.get("notifyByEmail", False),
        )

    def not_to_grant(
        self, table: str, tenant: str, role: Role, named: Sequence[str], coming: Collection[str]
    ) -> list[str]:
        """Rooms or groups that are not seen here, or on which the actor does not hold what is granted (#23, #25)."""
        if problems := self.unseen(table, tenant, named):
            return problems
        if self.is_home_manager(tenant, role.partnership):
            return []
        keys = {key_of(table, each) for each in coming}
        return ["FORBIDDEN" for key in keys if any(key not in self.sees(table, each) for each in role.permissions)]

    def unseen(self, table: str, tenant: str, named: Sequence[str]) -> list[str]:
        """Those of these that the actor does not see, or that are somebody else's than this customer's."""
        seen = {key for key in self.sees(table, VIEWS[table]) if key[0] == tenant}
        return ["NOT_FOUND" for each in named if key_of(table, each) not in seen]

    def exceeds(self, key: Key, assignment: Assignment, permission: Permission) -> bool:
        """It covers something over which the actor does not hold this permission (#25); an empty scope, too, is given
        only by who holds the permission there (#29).
        """
        tenant = key[0]
        if assignment.partnership is None:
            is_held = self.holds(permission)
        else:
            is_held = (tenant, assignment.partnership) in self.sees("Partnership", permission)
        rooms, groups = self.sees("Room", permission), self.sees("RoomGroup", permission)
        if assignment.all_rooms and not self.holds_over_all(permission):
            return True
        return (
            not is_held
            or any((tenant, each) not in rooms for each in assignment.rooms)
            or any((tenant, each) not in groups for each in assignment.groups)
        )

    def holds_over_all(self, permission: Permission) -> bool:
        """Over the whole own organization."""
        self.sees("Tenant", Standing.PARTY)
        assert self._policy is not None
        return self._policy.holds_over_all(permission)

    def check_grant(self, key: Key, permissions: Permission, assignments: Mapping[Key, Assignment]) -> None:
        """Nobody gives what they do not hold, over what is in these scopes. Raises `No`."""
        role = self.life.roles[key]
        if self.grants_at_will(key[0], role.partnership):
            return
        for permission in permissions:
            if any(self.exceeds(number, each, permission) for number, each in assignments.items()):
                raise No("FORBIDDEN")

    def update_role(self, asked: Mapping[str, Any]) -> None:
        """RB-5, CPR-6, #25, #26, #38."""
        key = self.enter("Role", asked["role"])
        row = self.life.roles[key]
        if row.built_in is not None:
            raise No("INVALID_STATE")
        if not self.may_edit(key):
            raise No("FORBIDDEN")
        check_version(row.version, asked)
        after, problems = row, []
        if "name" in asked:
            others = [each for k, each in self.roles_of(key[0], row.partnership).items() if k != key]
            problems += self.wrong_name(asked["name"], others)
            after = replace(after, name=(asked["name"] or "").strip())
        if "permissions" in asked:
            problems += wrong_permissions(
                asked["permissions"], CUSTOM_CEILING if row.partnership is None else PARTNER_CEILING
            )
            after = replace(after, permissions=asked_permissions(asked["permissions"]))
        if problems:
            raise No(*problems)
        is_wider = bool(after.permissions & ~row.permissions)
        if is_wider:
            self.check_grant(key, after.permissions, self.assignments_of(key))
        before = {
            name: getattr(row, name) for name in ("name", "permissions") if getattr(row, name) != getattr(after, name)
        }
        if not before:
            return
        if (is_wider or "name" in before) and self.hold((key[0], row.partnership), "updateRole", asked, before):
            return
        self.life.roles[key] = replace(after, version=row.version + 1)
        self.record(key[0], "Role", "Update", "role.update")

    def delete_role(self, asked: Mapping[str, Any]) -> None:
        """RB-5, CPR-5, #38, #39; never held (#18)."""
        key = self.enter("Role", asked["role"])
        row = self.life.roles[key]
        if row.built_in is not None:
            raise No("INVALID_STATE")
        if not self.may_edit(key) and key not in self.sees("Role", Permission.PARTNERS_MANAGE):
            raise No("FORBIDDEN")
        check_version(row.version, asked)
        for number in self.assignments_of(key):
            self.erase(number)
        del self.life.roles[key]
        self.record(key[0], "Role", "Delete", "role.delete")

    def erase(self, key: Key) -> None:
        del self.life.assignments[key]
        self.record(key[0], "Assignment", "Delete", "assignment.delete")

    # --- assignments ----------------------------------------------------------------------------------------------

    def create_assignment(self, asked: Mapping[str, Any]) -> None:
        """RB-9 to RB-15, #21 to #25."""
        key = self.enter("Role", asked["role"])
        role = self.life.roles[key]
        if role.built_in in (BuiltInRole.TENANT_MANAGER, BuiltInRole.PRIMARY_ADMIN):
            raise No("INVALID_STATE")
        if key not in self.sees("Role", Permission.ROLES_MODIFY):
            raise No("FORBIDDEN")
        if role.built_in is BuiltInRole.MANAGER and not self.is_home_manager(key[0], None):
            raise No("FORBIDDEN")
        made = self.draft(key[0], key[1], role, asked)
        if role.partnership is not None and self.hold((key[0], role.partnership), "createAssignment", asked):
            return
        self.life.assignments[key[0], "new assignment"] = made
        self.record(key[0], "Assignment", "Create", "assignment.create")

    def update_assignment(self, asked: Mapping[str, Any]) -> None:
        """PA-4, PA-5, ROOM-1 to ROOM-4, #25, #34, #35, #38, #40, #41."""
        key = self.enter("Assignment", asked["assignment"])
        row = self.life.assignments[key]
        role_key = (key[0], row.role)
        role = self.life.roles[role_key]
        is_admins = role.built_in is BuiltInRole.PRIMARY_ADMIN
        if role.built_in is BuiltInRole.TENANT_MANAGER:
            raise No("INVALID_STATE")
        if is_admins:
            self.check_side((key[0], role.partnership or ""), asked)
        elif key not in self.sees("Assignment", Permission.ROLES_MODIFY):
            raise No("FORBIDDEN")
        check_version(row.version, asked)
        after = self.edited(key, row, role, asked)
        self.check_left(role_key, role, key, row, after)
        changed = ("name", "notify", "members", "rooms", "groups")
        before = {name: getattr(row, name) for name in changed if getattr(row, name) != getattr(after, name)}
        if not before:
            return
        gives = bool(wider(row, after) or before.keys() & {"name", "notify"})
        plain = {name: value for name, value in before.items() if name in ("name", "notify")}
        if gives and not is_admins and self.hold((key[0], role.partnership), "updateAssignment", asked, plain):
            return
        self.life.assignments[key] = replace(after, version=row.version + 1)
        self.record(key[0], "Assignment", "Update", "assignment.update")

    def check_side(self, partnership: Key, asked: Mapping[str, Any]) -> None:
        """Of Assigned admins the partner chooses who, the customer over what (#35, #38, TM-8, PA-5, ROOM-1)."""
        admin = partnership in self.sees("Partnership", Standing.PRIMARY_ADMIN)
        manager = partnership in self.sees("Partnership", Standing.PARTNER_MANAGER)
        answers = partnership in self.sees("Partnership", Standing.ADDRESSEE)
        customer = partnership in self.sees("Partnership", Permission.PARTNERS_MANAGE)
        may = {"addMembers": admin or manager or answers} | dict.fromkeys(SCOPE, customer)
        may |= dict.fromkeys(("removeMembers", "notifyByEmail"), admin or manager)
        if problems := [
            "FORBIDDEN" for name, allowed in may.items() if not allowed and asked.get(name) not in (None, [])
        ]:
            raise No(*problems)

    def edited(self, key: Key, row: Assignment, role: Role, asked: Mapping[str, Any]) -> Assignment:
        """The assignment as it would be. Raises `No`."""
        tenant, problems, after = key[0], list[str](), row
        is_admins = role.built_in is BuiltInRole.PRIMARY_ADMIN
        granted = NOTHING if is_admins else role.permissions
        if role.built_in is BuiltInRole.MANAGER:
            problems += ["INVALID_INPUT" for name in SCOPE if asked.get(name)]
        if "name" in asked:
            others = [each for k, each in self.assignments_of((tenant, row.role)).items() if k != key]
            problems += self.wrong_name(asked["name"], others)
            after = replace(after, name=(asked["name"] or "").strip())
            if is_admins and after.name != row.name:
                problems.append("INVALID_STATE")
        if "notifyByEmail" in asked:
            after = replace(after, notify=asked["notifyByEmail"])
        tools = role.built_in not in (BuiltInRole.MANAGER, BuiltInRole.PRIMARY_ADMIN)
        moved = keep(problems, lambda: self.moved_members(row, asked, with_tools=tools))
        if moved is not None:
            after = replace(after, members=row.members - moved[1] | moved[0])
        given = replace(role, permissions=granted)
        rooms = self.moved("Room", tenant, given, row.rooms, asked, problems)
        groups = self.moved("RoomGroup", tenant, given, row.groups, asked, problems)
        if problems:
            raise No(*problems)
        after = replace(after, rooms=rooms, groups=groups)
        if wider(row, after):
            left = replace(row, rooms=row.rooms & after.rooms, groups=row.groups & after.groups)
            self.check_grant((tenant, row.role), granted, {key: left})
        return after

    def moved(
        self,
        table: str,
        tenant: str,
        role: Role,
        there: frozenset[str],
        asked: Mapping[str, Any],
        problems: list[str],
    ) -> frozenset[str]:
        """The rooms or groups of a scope as they would be; what is wrong with them is kept."""
        word = "Rooms" if table == "Room" else "Groups"
        add, remove = asked.get(f"add{word}", []), asked.get(f"remove{word}", [])
        missing = self.unseen(table, tenant, remove)
        problems += missing
        coming = [each for each in add if key_of(table, each) not in {(tenant, number) for number in there}]
        problems += self.not_to_grant(table, tenant, role, add, coming)
        new = frozenset(keys_of(table, coming))
        return there - (frozenset(keys_of(table, remove)) & there) | new

    def check_left(self, role_key: Key, role: Role, key: Key, row: Assignment, after: Assignment | None) -> None:
        """Somebody always is Manager, and somebody primary admin (#34, #41, PA-4). Raises `No`."""
        going = row.members - (after.members if after else frozenset())
        if not going or role.built_in not in (BuiltInRole.MANAGER, BuiltInRole.PRIMARY_ADMIN):
            return
        is_global = DirectoryRole.GLOBAL_ADMINISTRATOR in self.actor.directory_roles
        if role.built_in is BuiltInRole.MANAGER and is_global:
            return
        others = self.assignments_of(role_key) | ({key: after} if after else {})
        if after is None:
            del others[key]
        if not self.life.users(member for each in others.values() for member in each.members):
            raise No("LAST_MANAGER" if role.built_in is BuiltInRole.MANAGER else "LAST_PRIMARY_ADMIN")

    def delete_assignment(self, asked: Mapping[str, Any]) -> None:
        """CPR-5, #38, #41; never held (#18)."""
        key = self.enter("Assignment", asked["assignment"])
        row = self.life.assignments[key]
        role = self.life.roles[key[0], row.role]
        if role.built_in in (BuiltInRole.TENANT_MANAGER, BuiltInRole.PRIMARY_ADMIN):
            raise No("INVALID_STATE")
        changed = self.sees("Assignment", Permission.ROLES_MODIFY) | self.sees("Assignment", Permission.PARTNERS_MANAGE)
        if key not in changed:
            raise No("FORBIDDEN")
        check_version(row.version, asked)
        self.check_left((key[0], row.role), role, key, row, None)
        self.erase(key)

    # --- rooms ----------------------------------------------------------------------------------------------------

    def update_room(self, asked: Mapping[str, Any]) -> None:
        """#68."""
        key = self.obtain("Room", asked["room"], Permission.ROOMS_MODIFY, Permission.ROOMS_VIEW)
        partnership = self.acting_at(key[0])
        row = self.life.rooms[key]
        check_version(row.version, asked)
        capacity = asked.get("capacity", row.capacity)
        if capacity is not None and capacity < 0:
            raise No("INVALID_INPUT")
        after = replace(row, capacity=capacity, label=(asked.get("label", row.label) or "").strip() or None)
        before = {
            name: getattr(row, name) for name in ("label", "capacity") if getattr(row, name) != getattr(after, name)
        }
        if not before or (partnership and self.hold(partnership, "updateRoom", asked, before)):
            return
        self.life.rooms[key] = replace(after, version=row.version + 1)
        self.record(key[0], "Room", "Update", "room.update")

    # --- held changes ---------------------------------------------------------------------------------------------

    def hold(
        self,
        partnership: tuple[str, str | None],
        mutation: str,
        asked: Mapping[str, Any],
        before: Mapping[str, object] | None = None,
    ) -> bool:
        """Whether the change is held instead of done: a partner's, where the customer approves by hand (CC-1, #15)."""
        customer, number = partnership
        event = Permission.ROOMS_MODIFY if mutation == "updateRoom" else Permission.ROLES_MODIFY
        if number is None or customer == self.actor.tenant or self.approver is not None:
            return False
        if event not in self.life.partnerships[customer, number].manual:
            return False
        asked = {name: value for name, value in asked.items() if name not in ("idempotencyKey", "expectedVersion")}
        for key, each in self.life.requests.items():
            same = (key[0], each.partnership, each.requester) == (customer, number, self.actor.key) and (
                not each.is_decided
            )
            if same and each.mutation == mutation and said(self.memory.held[key[1]].input) == said(asked):
                if self.life.now < each.expires_at:
                    self.request = key[1]
                    return True
                closed = {"state": ApprovalState.EXPIRED, "is_decided": True, "version": each.version + 1}
                self.life.requests[key] = replace(each, **closed)  # type: ignore[arg-type]
                self.record(customer, "ApprovalRequest", "Update", "approval.expire", by_system=True)
        self.life.requests[customer, "new request"] = Request(
            number, mutation, self.actor.key, self.life.now + HELD_FOR
        )
        self.request, self.held = "new request", Held(mutation, asked, before or {})
        self.record(customer, "ApprovalRequest", "Create", "approval.request")
        return True

    def is_open(self, request: Request) -> bool:
        return request.state is ApprovalState.PENDING and self.life.now < request.expires_at

    def decide(self, key: Key, state: ApprovalState, decider: Key | None = None) -> None:
        """Only what is pending and in time can be decided. Raises `No`."""
        row = self.life.requests[key]
        if not self.is_open(row):
            raise No("INVALID_STATE")
        self.life.requests[key] = replace(row, state=state, is_decided=True, version=row.version + 1, decider=decider)

    def decidable(self, asked: Mapping[str, Any]) -> Key:
        """The request, for who may decide it. Raises `No`."""
        if len(asked.get("comment") or "") > 1024:
            raise No("INVALID_INPUT")
        key = self.obtain("ApprovalRequest", asked["request"], Permission.APPROVALS_DECIDE)
        check_version(self.life.requests[key].version, asked)
        return key

    def approve_request(self, asked: Mapping[str, Any]) -> None:
        """#16: done in the name of who asked, with what is stored of them, or failed."""
        key = self.decidable(asked)
        self.decide(key, ApprovalState.APPROVED, self.actor.key)
        inner = self.done_for(key)
        if inner is None:
            self.life.requests[key] = replace(self.life.requests[key], state=ApprovalState.FAILED)
            self.record(key[0], "ApprovalRequest", "Update", "approval.fail")
            return
        self.life = inner.life
        self.entries += inner.entries
        self.record(key[0], "ApprovalRequest", "Update", "approval.approve")

    def done_for(self, key: Key) -> "Change | None":
        """The held change, done for who asked; None if it cannot be done any more."""
        request, held = self.life.requests[key], self.memory.held[key[1]]
        person = self.life.people[request.requester]
        requester = Actor(*request.requester, person.kind)
        inner = Change(self.life.copy(), self.memory, requester, self.actor.id)
        try:
            inner.perform(held.mutation, held.input)
        except No:
            return None
        return None if self.is_overtaken(held) else inner

    def is_overtaken(self, held: Held) -> bool:
        """A field that it changes is not what it was (#16)."""
        table, name = SUBJECTS.get(held.mutation, ("", ""))
        if not name:
            return False
        key = key_of(table, held.input[name])
        stores: dict[str, Mapping[Any, Any]] = {
            "Room": self.life.rooms,
            "Role": self.life.roles,
            "Assignment": self.life.assignments,
        }
        now = stores[table][key]
        return any(getattr(now, field_name) != before for field_name, before in held.before.items())

    def reject_request(self, asked: Mapping[str, Any]) -> None:
        """#15."""
        key = self.decidable(asked)
        self.decide(key, ApprovalState.REJECTED, self.actor.key)
        self.record(key[0], "ApprovalRequest", "Update", "approval.reject")

    def cancel_request(self, asked: Mapping[str, Any]) -> None:
        """By who asked for it, and nobody else."""
        key = self.obtain("ApprovalRequest", asked["request"], Standing.REQUESTER)
        check_version(self.life.requests[key].version, asked)
        self.decide(key, ApprovalState.CANCELLED, self.actor.key)
        self.record(key[0], "ApprovalRequest", "Update", "approval.cancel")


VIEWS = {"Room": Permission.ROOMS_VIEW, "RoomGroup": Permission.GROUPS_VIEW}
SCOPE = ("addRooms", "removeRooms", "addGroups", "removeGroups")
SUBJECTS = {
    "updateRoom": ("Room", "room"),
    "updateRole": ("Role", "role"),
    "updateAssignment": ("Assignment", "assignment"),
}
CHANGES: Mapping[str, Callable[[Change, Mapping[str, Any]], None]] = {
    "invitePartner": Change.invite_partner,
    "revokeInvitation": Change.revoke_invitation,
    "acceptInvitation": Change.accept_invitation,
    "declineInvitation": Change.decline_invitation,
    "removePartner": Change.remove_partner,
    "setChangeControl": Change.set_change_control,
    "setTenantManagers": Change.set_tenant_managers,
    "createRole": Change.create_role,
    "updateRole": Change.update_role,
    "deleteRole": Change.delete_role,
    "createAssignment": Change.create_assignment,
    "updateAssignment": Change.update_assignment,
    "deleteAssignment": Change.delete_assignment,
    "updateRoom": Change.update_room,
    "approveRequest": Change.approve_request,
    "rejectRequest": Change.reject_request,
    "cancelRequest": Change.cancel_request,
}


def keep(problems: list[str], step: Callable[[], Any]) -> Any:
    """What a step answers; what it refuses is kept with the other problems of the input."""
    try:
        return step()
    except No as no:
        problems.extend(no.codes)
        return None


def check_version(current: int, asked: Mapping[str, Any]) -> None:
    """Raises `No` if the client knows another version."""
    if asked.get("expectedVersion", current) not in (None, current):
        raise No("STALE_VERSION")


def key_of(table: str, identifier: str) -> Key | None:
    """What an id names, if it can name a row of this table."""
    found = ID.fullmatch(identifier)
    kinds = PERSON_KINDS if table == "Principal" else (table.lower(),)
    return (found[2], found[3]) if found and found[1] in kinds else None


def keys_of(table: str, identifiers: Iterable[str]) -> list[str]:
    """The ids within their tenant that these name."""
    return [key[1] for each in identifiers if (key := key_of(table, each)) is not None]


def wider(before: Assignment, after: Assignment) -> bool:
    """Somebody would get more."""
    return bool(after.members - before.members or after.rooms - before.rooms or after.groups - before.groups)


def asked_permissions(names: Iterable[str]) -> Permission:
    """The permissions of these names."""
    found = NOTHING
    for name in names:
        found |= Permission[name]
    return found


def wrong_permissions(names: Sequence[str], ceiling: Permission) -> list[str]:
    """#24, #27: one at least, none beyond the ceiling, none without the VIEW of its feature."""
    if not names:
        return ["INVALID_INPUT"]
    problems = []
    for name in names:
        is_alone = f"{name.partition('_')[0]}_VIEW" not in names and Permission[name] is not FEATURE_FREE
        if Permission[name] not in ceiling or is_alone:
            problems.append("INVALID_INPUT")
    return problems


def with_modes(manual: Permission, rules: Iterable[Mapping[str, str]]) -> Permission:
    """What is approved by hand, with these rules; the last of one event counts."""
    for rule in rules:
        event = Permission[rule["event"]]
        manual = manual | event if rule["mode"] == "MANUAL" else manual & ~event
    return manual
