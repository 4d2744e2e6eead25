"""The demo world with a mark in every text of every row, and who may see which.

A mark is a word that stands nowhere else. The legend is worked out from `fixtures/access.json` and from plain facts
about rows, never from the code that decides what is visible.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, String, Table, bindparam, select, update

from app.access.scoping import unscoped
from app.domain.audit import AuditAction
from app.domain.ids import UUID_TEXT, GlobalId
from app.domain.vocabulary import AuditCategory, AuditOperation
from app.operations.work import Work
from app.storage.append_only import forbid_rewriting, permit_rewriting
from app.storage.columns import Written
from app.storage.engines import Database
from app.storage.global_ids import global_id
from app.storage.tables import GLOBAL_ID_LENGTH, UUID_LENGTH, metadata
from tests.access_cases import TABLES
from tests.graph.asking import viewer_of
from tests.graph.relations import Relations
from tests.world import SEEDED_AT

MARK = re.compile(r"m\d{2}r\d{4}c\d{2}m")
HIDDEN_MARK = re.compile(r"6d(?:3\d){2}72(?:3\d){4}63(?:3\d){2}6d")
"""The same in hexadecimal, as a cursor would hold it."""
UUID = re.compile(UUID_TEXT)
HOME_ONLY = ("principals", "user_principal_name")
"""What nobody of another tenant sees of a row that they see (domain.md 2.6)."""
INTERNAL = {
    ("rooms", "graph_id"),
    ("rooms", "search_key"),
    ("rooms", "account_key"),
    ("rooms", "building_key"),
    ("rooms", "city_key"),
    ("principals", "search_key"),
    ("invitations", "terms_digest"),
    ("approval_requests", "command"),
    ("approval_requests", "digest"),
    ("approval_requests", "subject_name"),
}
"""What is shown to nobody, not even inside of a cursor."""
CLOSED = {("approval_requests", "mutation")}
"""A closed set of words that is longer than others; the gateway does what it says."""
TABLE_OF = {str(table.__tablename__): table for table in TABLES.values()}
KEEP = "tests change what no work would"
EMPTY = {"tags": [""], "changes": [{"field": "", "before": "", "after": ""}]}
"""What is marked where a list has nothing in it."""


def marks_in(text: str) -> set[str]:
    """Every mark in a text, in plain sight or in hexadecimal."""
    return set(MARK.findall(text)) | {bytes.fromhex(found).decode() for found in HIDDEN_MARK.findall(text)}


@dataclass(frozen=True)
class Mark:
    """A word, and where it stands."""

    word: str
    table: str
    column: str
    row: Any
    object: str | None
    """The global id of what it says something about; a domain belongs to its organization."""

    @property
    def place(self) -> tuple[str, str]:
        """Table and column."""
        return self.table, self.column


@dataclass(frozen=True)
class Marked:
    """A marked world: what its rows were before, and every mark in it."""

    database: Database
    relations: Relations
    marks: Sequence[Mark]

    def allowed(self, person: str) -> set[str]:
        """The marks that a person of the demo world may see."""
        home, objects, held = viewer_of(person).tenant_id, self.objects(person), self.held_names(person)
        return {
            mark.word
            for mark in self.shown()
            if mark.object in held.get(mark.place, ())
            or (mark.object in objects and (mark.place != HOME_ONLY or mark.row.tenant_id == home))
        }

    def shown(self) -> Iterator[Mark]:
        """The marks that anybody at all may see."""
        return (mark for mark in self.marks if mark.object and mark.place not in INTERNAL)

    def domain(self, typed: str) -> str:
        """A verified domain of the demo world as it is called here."""
        marked = (m for m in self.marks if m.place == ("domains", "name") and m.row.name == typed)
        return f"{next(marked).word}.{typed}"

    def objects(self, person: str) -> set[str]:
        """The global ids of everything that the person sees."""
        return set[str]().union(*self.relations.seen(person).values())

    def held_names(self, person: str) -> dict[tuple[str, str], set[str]]:
        """Whoever holds an assignment learns its name and that of its role, without a permission on roles."""
        viewer = viewer_of(person)
        held = list(self.relations.held_by(viewer.tenant_id, viewer.principal_id))
        roles = {global_id(self.relations.atlas.roles[assignment.role_id]) for assignment in held}
        return {("assignments", "name"): {global_id(assignment) for assignment in held}, ("roles", "name"): roles}


# --- marking ----------------------------------------------------------------------------------------------------------


async def mark_world(database: Database) -> Marked:
    """Put a mark into every text of every row, after some more lines in the record."""
    await keep_record(database)
    relations = await Relations.of(database)
    marks: list[Mark] = []
    async with database.writer.begin() as connection:
        await connection.run_sync(permit_rewriting)
    for number, table in enumerate(table for table in metadata.sorted_tables if texts_of(table)):
        marks += await mark_table(database, table, number)
    async with database.writer.begin() as connection:
        await connection.run_sync(forbid_rewriting)
    return Marked(database, relations, marks)


async def keep_record(database: Database) -> None:
    """What people did and approved; all that is seeded was done by the system."""
    approver = viewer_of("contoso-manager")
    for person in ("contoso-manager", "northwind-admin"):
        async with Work.begin(database, viewer_of(person), SEEDED_AT, "crawl") as work:
            work.approver = approver
            work.record(
                AuditCategory.UPDATE_RING,
                AuditOperation.UPDATE,
                AuditAction.RING_UPDATE,
                approver.tenant_id,
                "Staging",
                changes=[{"field": "name", "before": "old", "after": "new"}],
            )


def texts_of(table: Table) -> list[Column[Any]]:
    """The columns that hold words, and not ids or one of a closed set of words."""
    return [each for each in table.columns if is_text(each.type) and (table.name, each.name) not in CLOSED]


def is_text(kind: Any) -> bool:
    if isinstance(kind, Written):
        return bool(kind.kind is list)
    return isinstance(kind, String) and kind.length not in (UUID_LENGTH, GLOBAL_ID_LENGTH)


async def mark_table(database: Database, table: Table, number: int) -> list[Mark]:
    """Mark every text of a table, also where there was none."""
    keys, columns = list(table.primary_key), texts_of(table)
    async with database.writing() as session:
        connection = await session.connection()
        rows = (await connection.execute(unscoped(select(table), KEEP))).all()
        marks = [
            Mark(f"m{number:02}r{place:04}c{index:02}m", table.name, column.name, row, object_of)
            for place, row in enumerate(rows)
            for object_of in [object_named_by(table, row)]
            for index, column in enumerate(columns)
        ]
        change = (
            update(table)
            .where(*(key == bindparam(f"old_{key.name}") for key in keys))
            .values({column.name: bindparam(f"new_{column.name}") for column in columns})
        )
        values: dict[int, dict[str, Any]] = {}
        for mark in marks:
            old = values.setdefault(id(mark.row), {f"old_{key.name}": getattr(mark.row, key.name) for key in keys})
            length = getattr(table.columns[mark.column].type, "length", None)
            value = getattr(mark.row, mark.column) or EMPTY.get(mark.column)
            is_domain = mark.place == ("domains", "name")
            old[f"new_{mark.column}"] = f"{mark.word}.{value}" if is_domain else with_mark(value, mark.word, length)
        if values:
            await connection.execute(unscoped(change, KEEP), list(values.values()))
        await session.commit()
    return marks


def object_named_by(table: Table, row: Any) -> str | None:
    """What the texts of a row say something about; None for what the graph does not show."""
    if table.name == "domains":
        return str(GlobalId("tenant", row.tenant_id, row.tenant_id))
    return global_id(TABLE_OF[table.name](**row._mapping)) if table.name in TABLE_OF else None


def with_mark(value: Any, word: str, length: int | None) -> Any:
    """The value with the mark in it, wherever in it there is text."""
    if isinstance(value, list):
        return [with_mark(each, word, None) for each in value]
    if isinstance(value, dict):
        return {key: with_mark(each, word, None) for key, each in value.items()}
    room = None if length is None else length - len(word) - 1
    return f"{value or ''}"[:room] + f" {word}"
