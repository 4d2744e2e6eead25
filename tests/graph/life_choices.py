"""What somebody might ask for next: mostly what makes sense, sometimes what is somebody else's, sometimes nonsense."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from random import Random
from typing import Any, TypeVar

from app.domain.permissions import CUSTOM_CEILING, PARTNER_CEILING, Permission, Right, Standing
from tests.graph.life_model import TERMS, VIEWS, Actor, Change, Life, Memory, key_of
from tests.graph.life_world import TENANTS, global_ids

Thing = TypeVar("Thing")
NONSENSE = (
    "",
    "nonsense",
    "room_1_2",
    "role_00000000-0000-0000-0000-000000000000_00000000-0000-0000-0000-000000000000",
)
EVENTS = ("ROOMS_MODIFY", "ROLES_MODIFY", "TICKETS_UPDATE")
NAMES = ("Keepers", "keepers ", "Desk", "Night", "Ämter")
WRONG_NAMES = ("", " ", "x" * 101)
KEYS = ("one", "two")


class Choices:
    """What one person might ask for, with dice."""

    def __init__(self, dice: Random, life: Life, memory: Memory, actor: Actor) -> None:
        self.dice = dice
        self.life = life
        self.memory = memory
        self.change = Change(life, memory, actor)
        self.actor = actor

    # --- dice -----------------------------------------------------------------------------------------------------

    def chance(self, percent: int) -> bool:
        return self.dice.random() * 100 < percent

    def one(self, things: Sequence[Thing]) -> Thing:
        return self.dice.choice(things)

    def some(self, things: Sequence[Thing], most: int = 3) -> list[Thing]:
        count = min(len(things), self.dice.randint(0, most))
        return self.dice.sample(things, count)

    def maybe(self, percent: int, name: str, make: Callable[[], Any]) -> dict[str, Any]:
        """A field that is given sometimes."""
        return {name: make()} if self.chance(percent) else {}

    # --- ids ------------------------------------------------------------------------------------------------------

    @cached_property
    def ids(self) -> Mapping[str, Sequence[str]]:
        return global_ids(self.life)

    def seen(self, table: str) -> list[str]:
        """The ids of what the actor sees."""
        right: Right = VIEWS.get(table, Standing.DIRECTORY if table == "Principal" else Standing.PARTY)
        keys = self.change.sees(table, right)
        return [each for each in self.ids[table] if key_of(table, each) in keys]

    def id(self, table: str, likely: Sequence[str] = ()) -> str:
        """An id: a likely one, one that the actor sees, one of somebody, or nonsense."""
        roll, seen = self.dice.random(), self.seen(table)
        if likely and roll < 0.6:
            return self.one(likely)
        if seen and roll < 0.9:
            return self.one(seen)
        if self.ids[table] and roll < 0.97:
            return self.one(self.ids[table])
        return self.one(NONSENSE)

    def several(self, table: str, likely: Sequence[str] = (), least: int = 0, most: int = 3) -> list[str]:
        return [self.id(table, likely) for _ in range(self.dice.randint(least, most))]

    def of(self, table: str, tenant: str) -> list[str]:
        """The ids of this tenant's, as far as they are seen."""
        return [each for each in self.seen(table) if f"_{tenant}_" in each]

    def version(self, current: int | None, *, is_required: bool = False) -> dict[str, int]:
        """The version, right or stale, or none if it may be left out."""
        if not is_required and self.chance(60):
            return {}
        return {"expectedVersion": (current or 1) + (self.one((-1, 1)) if self.chance(12) else 0)}

    def version_of(self, store: Mapping[Any, Any], table: str, identifier: str, **more: bool) -> dict[str, int]:
        found = store.get(key_of(table, identifier))
        return self.version(found.version if found else None, **more)

    # --- inputs ---------------------------------------------------------------------------------------------------

    def scope(self, tenant: str, prefix: str = "") -> dict[str, list[str]]:
        """Rooms and groups, mostly of this customer."""
        found = {}
        for table, name in (("Room", "rooms"), ("RoomGroup", "groups")):
            if chosen := self.several(table, self.of(table, tenant), 0, 2):
                found[f"{prefix}{name.title()}" if prefix else name] = chosen
        return found

    def invite_partner(self) -> dict[str, Any]:
        domain = f"{self.one(TENANTS)}.example" if self.chance(95) else self.one(("nowhere.example", "alpha"))
        return {
            "partnerDomain": domain,
            "expiresInDays": self.one((1, 2, 30)) if self.chance(94) else self.one((0, 31, -1)),
            "agreedTermsVersion": TERMS if self.chance(97) else "older",
            **self.scope(self.actor.tenant),
            **self.maybe(50, "changeControl", self.rules),
            **self.maybe(8, "dryRun", lambda: True),
        }

    def rules(self) -> list[dict[str, str]]:
        return [{"event": event, "mode": self.one(("AUTO", "MANUAL", "MANUAL"))} for event in self.some(EVENTS)]

    def invitation(self) -> dict[str, Any]:
        mine = {
            k for k, each in self.life.invitations.items() if each.partner == self.actor.tenant and not each.is_closed
        }
        received = [each for each in self.ids["Invitation"] if key_of("Invitation", each) in mine]
        identifier = self.id("Invitation", received or self.seen("Invitation"))
        return {"invitation": identifier} | self.version_of(self.life.invitations, "Invitation", identifier)

    def accept_invitation(self) -> dict[str, Any]:
        return self.invitation() | {"primaryAdmins": self.several("Principal", self.of("Principal", self.actor.tenant))}

    def remove_partner(self) -> dict[str, Any]:
        given = self.memory.confirmations.values()
        mine = [each.partnership for each in given if each.actor == self.actor.key and self.life.now < each.until]
        ended = [each for each in self.seen("Partnership") if key_of("Partnership", each) in mine]
        identifier = self.id("Partnership", ended or self.seen("Partnership"))
        words = list(self.memory.confirmations)
        own = [
            word
            for word, each in self.memory.confirmations.items()
            if each.actor == self.actor.key and each.partnership == key_of("Partnership", identifier)
        ]
        if own and self.chance(80):
            words = own[-2:]
        word = self.one(words) if words and self.chance(85) else "never given"
        return {"partnership": identifier} | self.maybe(75, "confirmation", lambda: word)

    def set_change_control(self) -> dict[str, Any]:
        identifier = self.id("Partnership", self.seen("Partnership"))
        version = self.version_of(self.life.partnerships, "Partnership", identifier, is_required=True)
        return {"partnership": identifier, "changeControl": self.rules(), **version}

    def members(self, there: Sequence[str] = ()) -> dict[str, list[str]]:
        """Who comes and who goes."""
        own = self.of("Principal", self.actor.tenant)
        found = {
            "addMembers": self.several("Principal", own, 0, 2),
            "removeMembers": self.several("Principal", there, 0, 2),
        }
        if there and self.chance(25):
            return {"removeMembers": list(there)}
        return {name: ids for name, ids in found.items() if ids and self.chance(60)}

    def members_of(self, tenant: str, assignment: str) -> list[str]:
        """The ids of the members of an assignment."""
        row = self.life.assignments.get((tenant, assignment))
        return [each for each in self.ids["Principal"] if row and key_of("Principal", each) in row.members]

    def set_tenant_managers(self) -> dict[str, Any]:
        mine, name = self.actor.tenant, "Tenant managers"
        key, row = next((k, a) for k, a in self.life.assignments.items() if k[0] == mine and a.name == name)
        return self.members(self.members_of(*key)) | self.version(row.version, is_required=True)

    def name(self) -> str:
        return self.one(NAMES) if self.chance(95) else self.one(WRONG_NAMES)

    def permissions(self, ceiling: Permission) -> list[str]:
        """A set that holds together, mostly."""
        found = {str(each.name) for each in ceiling if self.chance(30)} | {"ROOMS_VIEW"}
        found |= {f"{name.partition('_')[0]}_VIEW" for name in found}
        if self.chance(6):
            found = {self.one(("SETTINGS_VIEW", "ROOMS_MODIFY", "PARTNERS_MANAGE", "AUDIT_VIEW"))}
        return sorted(found)

    def new_assignment(self, tenant: str) -> dict[str, Any]:
        return {
            "name": self.name(),
            "members": self.several(
                "Principal", self.of("Principal", self.actor.tenant), 1 if self.chance(95) else 0, 2
            ),
            **self.scope(tenant),
            **self.maybe(20, "notifyByEmail", lambda: True),
        }

    def create_role(self) -> dict[str, Any]:
        partnership, tenant = None, self.actor.tenant
        if self.chance(60):
            partnership = self.id("Partnership", self.seen("Partnership"))
            key = key_of("Partnership", partnership)
            tenant = key[0] if key else tenant
        asked = {
            "name": self.name(),
            "permissions": self.permissions(PARTNER_CEILING if partnership else CUSTOM_CEILING),
            **self.maybe(60, "assignment", lambda: self.new_assignment(tenant)),
        }
        return asked | ({"partnership": partnership} if partnership is not None else {})

    def role_id(self) -> str:
        custom = [each for each in self.seen("Role") if self.life.roles[self.known("Role", each)].built_in is None]
        return self.id("Role", self.waiting("updateRole", "role") or custom)

    @staticmethod
    def known(table: str, identifier: str) -> tuple[str, str]:
        key = key_of(table, identifier)
        assert key is not None
        return key

    def update_role(self) -> dict[str, Any]:
        identifier = self.role_id()
        row = self.life.roles.get(key_of("Role", identifier) or ("", ""))
        ceiling = PARTNER_CEILING if row and row.partnership else CUSTOM_CEILING
        return {
            "role": identifier,
            **self.version_of(self.life.roles, "Role", identifier, is_required=True),
            **self.maybe(40, "name", self.name),
            **self.maybe(70, "permissions", lambda: self.permissions(ceiling)),
        }

    def delete_role(self) -> dict[str, Any]:
        identifier = self.role_id()
        return {"role": identifier} | self.version_of(self.life.roles, "Role", identifier)

    def create_assignment(self) -> dict[str, Any]:
        identifier = self.role_id()
        key = key_of("Role", identifier)
        return {"role": identifier} | self.new_assignment(key[0] if key else self.actor.tenant)

    def update_assignment(self) -> dict[str, Any]:
        identifier = self.id("Assignment", self.seen("Assignment"))
        key = key_of("Assignment", identifier)
        row = self.life.assignments.get(key) if key else None
        tenant = key[0] if key else self.actor.tenant
        asked: dict[str, Any] = {"assignment": identifier} | self.version(
            row.version if row else None, is_required=True
        )
        if self.chance(60):
            asked |= self.members(self.members_of(*key) if key else ())
        if self.chance(40):
            asked |= self.scope(tenant, "add")
        if self.chance(40):
            asked |= self.scope(tenant, "remove")
        return asked | self.maybe(15, "name", self.name) | self.maybe(10, "notifyByEmail", lambda: self.chance(50))

    def delete_assignment(self) -> dict[str, Any]:
        identifier = self.id("Assignment", self.seen("Assignment"))
        return {"assignment": identifier} | self.version_of(self.life.assignments, "Assignment", identifier)

    def waiting(self, mutation: str, name: str) -> list[str]:
        """What the held changes of this kind are about, which others may change meanwhile; sometimes not said."""
        requests = [
            k for k, each in self.life.requests.items() if self.change.is_open(each) and each.mutation == mutation
        ]
        return [self.memory.held[key[1]].input[name] for key in requests] if self.chance(70) else []

    def update_room(self) -> dict[str, Any]:
        identifier = self.id("Room", self.waiting("updateRoom", "room") or self.seen("Room"))
        return {
            "room": identifier,
            **self.version_of(self.life.rooms, "Room", identifier, is_required=True),
            **self.maybe(60, "label", lambda: self.one(("north", "south", None, " "))),
            **self.maybe(60, "capacity", lambda: self.one((4, 8, None, -1))),
        }

    def request(self) -> dict[str, Any]:
        open_ones = [each for each in self.seen("ApprovalRequest") if self.is_open(each)]
        identifier = self.id("ApprovalRequest", open_ones)
        return {"request": identifier} | self.version_of(self.life.requests, "ApprovalRequest", identifier)

    def is_open(self, identifier: str) -> bool:
        return self.change.is_open(self.life.requests[self.known("ApprovalRequest", identifier)])

    def decided_request(self) -> dict[str, Any]:
        return self.request() | self.maybe(30, "comment", lambda: "x" * self.one((3, 1024, 1025)))


INPUTS: Mapping[str, Callable[[Choices], dict[str, Any]]] = {
    "invitePartner": Choices.invite_partner,
    "revokeInvitation": Choices.invitation,
    "acceptInvitation": Choices.accept_invitation,
    "declineInvitation": Choices.invitation,
    "removePartner": Choices.remove_partner,
    "setChangeControl": Choices.set_change_control,
    "setTenantManagers": Choices.set_tenant_managers,
    "createRole": Choices.create_role,
    "updateRole": Choices.update_role,
    "deleteRole": Choices.delete_role,
    "createAssignment": Choices.create_assignment,
    "updateAssignment": Choices.update_assignment,
    "deleteAssignment": Choices.delete_assignment,
    "updateRoom": Choices.update_room,
    "approveRequest": Choices.decided_request,
    "rejectRequest": Choices.decided_request,
    "cancelRequest": Choices.request,
}


def instants(life: Life, memory: Memory) -> list[timedelta]:
    """How far it is to everything that runs out, and to the last moment before that."""
    tick = timedelta(microseconds=1)
    ends = [each.expires_at for each in life.invitations.values()]
    ends += [each.expires_at for each in life.requests.values()]
    ends += [each.until for each in memory.confirmations.values()]
    ends += [at + timedelta(hours=24) for _, at in memory.keys.values()]
    return [end - life.now - step for end in ends for step in (timedelta(0), tick) if end - life.now > tick]
