"""Users, groups and service principals on pages as Microsoft Graph lists them, or tells what changed since.

A page says what it lists in `@odata.context`. All pages of one import are one statement about one moment, whatever
order they come in: an object may be on several of them, as Graph spreads the members of a large group over many, but
what they say has to agree. Answers that follow each other are imported one after the other.

What is absent says nothing: not an object, not a field (a delta may have only those that changed), not a member of
`members@delta`. What is gone is marked `@removed`. Only `members`, which Graph expands in place, is the whole list.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Final, TypeVar

from app.domain.ids import UUID_TEXT
from app.domain.vocabulary import PrincipalKind, UserType
from app.storage.graph_pages import Entry, Page, Problems, each_page, shown

Value = TypeVar("Value")
Told = tuple[Entry, str, bool]
"""A member, its id, and whether it is in the group."""

OBJECT_ID = re.compile(UUID_TEXT)
CONTEXT = re.compile(r"[^#]*\$metadata#(\w+)(?:\(.*\))?(?:/\$delta)?")
"""An address, the list, the fields that were selected, and how OData marks a delta, which Graph does not."""
LISTS = {
    "users": PrincipalKind.USER,
    "groups": PrincipalKind.GROUP,
    "servicePrincipals": PrincipalKind.APPLICATION,
}
TYPES = {
    PrincipalKind.USER: "microsoft.graph.user",
    PrincipalKind.GROUP: "microsoft.graph.group",
    PrincipalKind.APPLICATION: "microsoft.graph.servicePrincipal",
}
MEMBER_TYPES = frozenset(TYPES.values())
NAMES = {PrincipalKind.USER: "user", PrincipalKind.GROUP: "group", PrincipalKind.APPLICATION: "service principal"}
CUT = 20
"""Graph expands at most so many members, and gives no link to the others."""
REMOVED, MEMBERS, DELTA, REST = "@removed", "members", "members@delta", "members@odata.nextLink"


class Unsaid(Enum):
    """What stands for a field that a page does not have."""

    UNSAID = "UNSAID"


UNSAID: Final = Unsaid.UNSAID


@dataclass(frozen=True, slots=True)
class PrincipalRecord:
    """What the pages say about one user, group or service principal, named like the columns that it is stored in."""

    place: object
    id: str
    kind: PrincipalKind
    name: str | Unsaid = UNSAID
    user_principal_name: str | Unsaid | None = UNSAID
    user_type: UserType | Unsaid | None = UNSAID
    is_removed: bool = False


@dataclass(frozen=True, slots=True)
class Membership:
    """What the pages say about who is in one group."""

    place: object
    is_whole: bool
    """Whoever is not named is not in it."""
    told: dict[str, bool] = field(default_factory=dict)
    """By id: whether it is in the group, or was removed."""


@dataclass(slots=True)
class Directory:
    """What was read: each object once, and the members of the groups."""

    pages: list[Page] = field(default_factory=list)
    principals: dict[str, PrincipalRecord] = field(default_factory=dict)
    memberships: dict[str, Membership] = field(default_factory=dict)
    """By the group's id."""
    left_out: int = 0
    """Members that are something else, such as devices and contacts, which never ask and never count."""

    def __len__(self) -> int:
        """How much there is to do: objects, and what is said of members."""
        return len(self.principals) + sum(len(each.told) for each in self.memberships.values())


def read_directory(paths: Sequence[Path], on_progress: Callable[[Page], object] = lambda _: None) -> Directory:
    """Everything that these files say. `on_progress` is called after each file.

    Raises `BadFile`, whose message names file, entry, field and what was expected.
    """
    problems, directory = Problems(), Directory()
    for page, entries in each_page(paths, problems):
        kind = read_kind(page, problems)
        if kind is not None:
            for entry in entries:
                take(directory, kind, entry)
        directory.pages.append(page)
        on_progress(page)
    problems.settle()
    return directory


def read_kind(page: Page, problems: Problems) -> PrincipalKind | None:
    """What the page lists; a page of something else is noted, unless it is noted for being none."""
    found = CONTEXT.fullmatch(page.context or "")
    kind = LISTS.get(found[1]) if found else None
    if kind is None and not problems.has(page.file):
        lists = ", ".join(f"…#{name}" for name in LISTS)
        problems.add(page.file, f"@odata.context: expected one of {lists}, got {shown(page.context)}")
    return kind


def take(directory: Directory, kind: PrincipalKind, entry: Entry) -> None:
    """Add what the entry says to what is known; where it disagrees is noted.

    If something is wrong within the entry, that alone is noted: compared with others it would be told once more.
    """
    noted = len(entry.problems)
    record = read_principal(kind, entry)
    has_members = kind is PrincipalKind.GROUP and not record.is_removed
    members = read_members(directory, entry) if has_members else {}
    if len(entry.problems) == noted:
        known = directory.principals.setdefault(record.id, record)
        if known is not record:
            directory.principals[record.id] = merge(known, record, entry)
        for name, told in members.items():
            take_members(directory, record.id, entry, name, told)


def read_principal(kind: PrincipalKind, entry: Entry) -> PrincipalRecord:
    """The object in this entry; what is wrong with it is noted there. One that is gone is only known by its id."""
    entry.check_type(TYPES[kind])
    key = read_id(entry)
    if is_removed(entry):
        return PrincipalRecord(entry.place, key, kind, is_removed=True)
    is_user = kind is PrincipalKind.USER
    return PrincipalRecord(
        place=entry.place,
        id=key,
        kind=kind,
        name=entry.required("displayName") if "displayName" in entry.fields else UNSAID,
        user_principal_name=said(entry, "userPrincipalName", entry.text) if is_user else UNSAID,
        user_type=said(entry, "userType", lambda name: entry.word(name, UserType)) if is_user else UNSAID,
    )


def read_id(entry: Entry) -> str:
    """The object id in lower case; where there is none that is noted."""
    value = entry.fields.get("id")
    key = value.strip().lower() if isinstance(value, str) else ""
    if OBJECT_ID.fullmatch(key):
        return key
    entry.refuse("id", "an object id such as 3f2504e0-4f89-41d3-9a0c-0305e82c3301", value)
    return ""


def is_removed(entry: Entry) -> bool:
    """Whether the entry tells of something that is gone. Why does not matter: Graph brings back what is restored."""
    if REMOVED not in entry.fields:
        return False
    entry.inner(REMOVED)  # which notes what is no object
    return entry.fields[REMOVED] is not None


def said(entry: Entry, name: str, read: Callable[[str], Value]) -> Value | Unsaid:
    """The field, if the entry has it."""
    return read(name) if name in entry.fields else UNSAID


def merge(known: PrincipalRecord, record: PrincipalRecord, entry: Entry) -> PrincipalRecord:
    """What two entries say together about an object; where they disagree is noted."""
    if known.kind is not record.kind:
        entry.refuse("id", f"another than that of a {NAMES[known.kind]} in {known.place}", record.id)
        return known
    if agree(entry, REMOVED, known.is_removed, record.is_removed, known.place) is not record.is_removed:
        return known
    return replace(
        known,
        name=agree(entry, "displayName", known.name, record.name, known.place),
        user_principal_name=agree(
            entry, "userPrincipalName", known.user_principal_name, record.user_principal_name, known.place
        ),
        user_type=agree(entry, "userType", known.user_type, record.user_type, known.place),
    )


def agree(entry: Entry, name: str, known: Value, new: Value, place: object) -> Value:
    """What both say of a field, or the one that says something; what is said there first where they disagree."""
    if known is UNSAID or known == new:
        return new
    if new is not UNSAID:
        entry.refuse(name, f"{shown(known)} as in {place}, or an import of its own", new)
    return known


# Who is in a group


def read_members(directory: Directory, entry: Entry) -> dict[str, list[Told]]:
    """By field, what the entry says there about the group's members; what is wrong with it is noted."""
    names = [name for name in (MEMBERS, DELTA) if entry.fields.get(name) is not None]
    if MEMBERS in names:
        refuse_cut(entry)
    return {name: list(read_told(directory, entry, name)) for name in names}


def read_told(directory: Directory, entry: Entry, name: str) -> Iterator[Told]:
    """What is told of each member that can ask or pass a right on; the others are counted."""
    for member in entry.inners(name):
        kind = member.required("@odata.type")
        key = read_id(member)
        if kind.removeprefix("#") in MEMBER_TYPES:
            yield member, key, not is_removed(member)
        else:
            directory.left_out += 1


def take_members(directory: Directory, group: str, entry: Entry, name: str, told: list[Told]) -> None:
    """Add what the entry says about the group's members; where it disagrees is noted."""
    new = Membership(entry.place, name == MEMBERS)
    known = directory.memberships.setdefault(group, new)
    if known.is_whole is not new.is_whole:
        entry.refuse(name, f"`{MEMBERS if known.is_whole else DELTA}` as in {known.place}", entry.fields[name])
    elif new.is_whole:
        new.told.update((key, is_in) for _, key, is_in in told)
        if known.told != new.told:
            entry.refuse(name, f"the same members as in {known.place}, or an import of its own", entry.fields[name])
    else:
        for member, key, is_in in told:
            is_out = agree(member, REMOVED, not known.told.get(key, is_in), not is_in, known.place)
            known.told[key] = not is_out


def refuse_cut(entry: Entry) -> None:
    """Note a list of members that is not known to be whole."""
    members = entry.fields[MEMBERS]
    if REST in entry.fields or (isinstance(members, list) and len(members) >= CUT):
        expected = f"fewer than {CUT}, where Graph cuts (`/groups/delta?$select=displayName,{MEMBERS}` has all)"
        entry.refuse(MEMBERS, expected, members)
