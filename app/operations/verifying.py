"""Whether the record is as it was written: in the database, held against what was signed outside, or in a file."""

import hashlib
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import RowMapping, bindparam, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from app.access.scoping import Rows, unscoped
from app.domain.audit import as_bytes, hash_of
from app.domain.chains import BEGINNING, Chain, Findings, Link, Place
from app.domain.heads import SIGNATURE, Kind, Statement, state
from app.domain.moments import parse_instant, print_instant
from app.operations.tenants import COMMANDS
from app.storage.columns import text
from app.storage.engines import Database
from app.storage.head_files import HeadFile, read_heads, read_statement
from app.storage.notary import Keys, head_file, is_signed
from app.storage.stored_entries import AS_STORED, fields_of
from app.storage.tables import AuditAnchor, AuditEntry, AuditHead, Tenant

PAGE = 500
LOWEST = -(2**31)
TENANT = bindparam("tenant", type_=text())
OF_TENANT = col(AuditEntry.tenant_id) == TENANT
EDGE = timedelta(days=1)
"""Entries stand in the order of their commits: one may be too old to be read among others that just are not."""
NUMBER = re.compile("[0-9]{1,18}")
Progress = Callable[[int], object]
"""Told of so many more entries that were looked at."""

ENTRIES: Rows = unscoped(
    select(*AS_STORED)
    .where(OF_TENANT, col(AuditEntry.sequence) > bindparam("after"))
    .order_by(col(AuditEntry.sequence))
    .limit(PAGE),
    COMMANDS,
)
END: Rows = unscoped(
    select(
        col(AuditHead.sequence),
        col(AuditHead.hash),
        unscoped(select(func.count(col(AuditEntry.id))).where(OF_TENANT), COMMANDS).scalar_subquery().label("entries"),
    ).where(col(AuditHead.tenant_id) == TENANT),
    COMMANDS,
)
"""What the database calls the end of a chain, and how many entries there are, at one moment."""
ANCHOR_FIELDS = ("tenant_id", "sequence", "hash", "moment", SIGNATURE)
ANCHORS: Rows = unscoped(
    select(*(type_coerce(col(getattr(AuditAnchor, name)), text()).label(name) for name in ANCHOR_FIELDS)).where(
        col(AuditAnchor.tenant_id) == TENANT
    ),
    COMMANDS,
)
TENANTS: Rows = unscoped(select(col(Tenant.id), col(Tenant.name)).order_by(col(Tenant.name_key)), COMMANDS)


@dataclass
class Report:
    """What was looked at of one chain, and what is wrong with it."""

    name: str
    chain: Chain
    findings: Findings = field(default_factory=Findings)
    notes: list[str] = field(default_factory=list)
    """What an operator should know and is not wrong."""

    @property
    def is_whole(self) -> bool:
        """Nothing is wrong."""
        return not self.findings.count

    def __str__(self) -> str:
        first, last = self.chain.first, self.chain.last.sequence
        looked = f"{self.chain.entries} entries" + (f" ({first} to {last})" if first else "")
        heads = f", {self.chain.agreeing} signed heads agree" if self.chain.agreeing else ""
        verdict = "whole" if self.is_whole else f"NOT AS IT WAS WRITTEN, {self.findings.count} findings"
        more = self.findings.count - len(self.findings.shown)
        lines = [*self.findings.shown, *([f"and {more} more"] if more else []), *self.notes]
        return "\n  ".join([f"{self.name}: {looked}{heads}: {verdict}", *lines])


FIRST_HEADS = "if none was ever made, `gateway migrate` with the signing settings makes the first"


@dataclass(frozen=True)
class Verifier:
    """Verifies the chains of a database."""

    database: Database
    folder: Path
    keys: Keys
    on_progress: Progress = lambda _: None

    async def verify(self, tenant_id: str | None = None) -> AsyncIterator[Report]:
        """Each tenant's chain, or that of one; and of all also those of which only signed heads are left."""
        async with self.database.reading() as connection:
            tenants = {row.id: row.name for row in await connection.execute(TENANTS)}
        for each, name in tenants.items():
            if tenant_id in (None, each):
                yield await self.verify_tenant(each, f"{name} ({each})")
        gone = [path for path in sorted(self.folder.glob("*.jsonl")) if path.stem not in tenants]
        for path in gone if tenant_id is None else ():
            yield lost(path)

    async def verify_tenant(self, tenant_id: str, name: str) -> Report:
        """One chain. Heads are read before entries, so that a change made meanwhile has no head without an entry."""
        findings, path = Findings(), head_file(self.folder, tenant_id)
        with read_heads(path, tenant_id, self.keys, findings) as filed:
            report = Report(name, Chain(await self._start(tenant_id, filed, findings), filed.heads()), findings)
            await self._follow(tenant_id, report)
        if report.chain.entries and not path.is_file():
            findings.add(f"there are no signed heads: {path.name} is missing; {FIRST_HEADS}")
        findings.take(report.chain.findings)
        findings.take(report.chain.gaps)
        return report

    async def _start(self, tenant_id: str, filed: HeadFile, findings: Findings) -> Place:
        """Where the last purge left the chain; its beginning if nothing was purged."""
        async with self.database.reading() as connection:
            rows = (await connection.execute(ANCHORS, {TENANT.key: tenant_id})).mappings().all()
        stored = {Place(row["sequence"], row["hash"]) for row in rows if is_signed(as_statement(row), self.keys)}
        outside = {Place(anchor.sequence, anchor.hash) for anchor in filed.anchors()}
        if len(stored) < len(rows):
            findings.add("audit_anchors has an anchor with a wrong signature")
        for anchor in sorted(outside - stored):
            findings.add(f"the signed anchor at {anchor.sequence} is missing in audit_anchors")
        return max(stored | outside, default=BEGINNING)

    async def _follow(self, tenant_id: str, report: Report) -> None:
        """Read to the end of the entries, which may move while they are read."""
        chain = report.chain
        while True:
            seen = chain.entries
            async with self.database.reading() as connection:
                await self._read(connection, tenant_id, report)
                end = (await connection.execute(END, {TENANT.key: tenant_id})).mappings().first()
            if end is None or end["sequence"] <= chain.last.sequence or chain.entries == seen:
                break
        chain.end()
        check_end(end, report)

    async def _read(self, connection: AsyncConnection, tenant_id: str, report: Report) -> None:
        chain = report.chain
        while True:
            binds = {TENANT.key: tenant_id, "after": chain.last.sequence if chain.entries else LOWEST}
            rows = (await connection.execute(ENTRIES, binds)).mappings().all()
            for row in rows:
                if not isinstance(row["sequence"], int):  # SQLite takes anything, and sorts it last
                    return
                chain.follow(link_of(row))
            self.on_progress(len(rows))
            if len(rows) < PAGE:
                return


def check_end(end: RowMapping | None, report: Report) -> None:
    """Whether the database's end of a chain is the end that its entries have."""
    chain, last = report.chain, report.chain.last
    if end is None:
        report.findings.add("audit_heads has no row for this tenant")
        return
    if (end["sequence"], end["hash"]) != (last.sequence, last.hash):
        report.findings.add(f"audit_heads has the end at {end['sequence']}, and the entries end at {last.sequence}")
    elif end["entries"] != chain.entries:
        report.findings.add(f"{end['entries'] - chain.entries} entries have no place in the record")
    if last.sequence > chain.agreed and not chain.findings.count:
        uncovered = last.sequence - chain.agreed
        report.notes.append(f"the last {uncovered} entries have no signed head yet; the next change covers them")


def link_of(row: RowMapping) -> Link:
    """An entry's place in its chain."""
    return Link(row["sequence"], row["previous_hash"], row["hash"], hash_of(fields_of(row)))


def as_statement(anchor: RowMapping) -> Statement:
    """The statement that an anchor's row is."""
    tenant_id, sequence, chain_hash, moment, signature = (anchor[name] for name in ANCHOR_FIELDS)
    return state(Kind.ANCHOR, tenant_id, sequence, chain_hash, moment) | {SIGNATURE: signature}


def lost(path: Path) -> Report:
    """The report about a tenant that has signed heads and is not in the database."""
    report = Report(path.stem, Chain())
    report.findings.add(f"{path.name} has signed heads of a tenant that is not in the database")
    return report


# --- a file that was exported ----------------------------------------------------------------------------------------


def verify_file(path: Path, keys: Keys, on_progress: Progress = lambda _: None) -> Report:
    """Whether an exported file is as it was exported: every line of it, in its order, and nothing else."""
    reader = FileReader()
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            reader.read(number, line)
            on_progress(1)
    return reader.report(path, keys)


class FileReader:
    """Reads an export line by line."""

    def __init__(self) -> None:
        self.chain: Chain | None = None
        self.findings, self.digest = Findings(), hashlib.sha256()
        self.tenants: set[str] = set()
        self.before_gaps = self.created = ""
        """When the last entry before a gap was made, and the last entry so far."""
        self.closing: Statement | None = None

    def read(self, number: int, line: bytes) -> None:
        """The next line: an entry, or the signed end."""
        found: dict[str, Any] | None = read_statement(line)
        if found is None or as_bytes(found) != line.rstrip(b"\n"):
            self.findings.add(f"line {number} is not as it was exported")
        elif self.closing is not None:
            self.findings.add(f"line {number} comes after the signed end")
        elif SIGNATURE in found:
            self.closing = found
        elif is_number(found.get("sequence")):
            self._read_entry(found)
        else:
            self.findings.add(f"line {number} is not an entry")

    def _read_entry(self, fields: dict[str, Any]) -> None:
        said, previous = fields.pop("hash", None), fields.get("previous_hash")
        link = Link(int(fields["sequence"]), previous, said, hash_of(fields))
        self.chain = self.chain or Chain(Place(link.sequence - 1, previous))
        if link.sequence > self.chain.last.sequence + 1:
            self.before_gaps = max(self.before_gaps, self.created)
        self.chain.follow(link)
        self.created = str(fields.get("creation_time"))
        self.digest.update(link.computed.encode())
        self.tenants.add(str(fields.get("tenant_id")))

    def report(self, path: Path, keys: Keys) -> Report:
        """What is wrong with the lines that were read."""
        chain = self.chain or Chain()
        report = Report(path.name, chain, self.findings)
        self.findings.take(chain.findings)
        if self.closing is None:
            self.findings.take(chain.gaps)
            self.findings.add("there is no signed end: the file was cut off")
        elif not is_signed(self.closing, keys):
            self.findings.take(chain.gaps)
            self.findings.add("the end of the file has a wrong signature")
        else:
            self._check_closing(self.closing, report)
        return report

    def _check_closing(self, closing: Statement, report: Report) -> None:
        """The lines are those that were signed, and of one chain. Gaps may be where an entry had become too old."""
        is_same = closing.get("digest") == self.digest.hexdigest() and closing.get("entries") == report.chain.entries
        if not (is_same and closing["kind"] == Kind.EXPORT and self.tenants <= {closing["tenant"]}):
            self.findings.add(f"these are not the {closing.get('entries')} entries that were signed")
            self.findings.take(report.chain.gaps)
        elif self.before_gaps >= print_instant(parse_instant(str(closing["readable_since"])) + EDGE):
            self.findings.take(report.chain.gaps)
        else:
            report.notes += report.chain.gaps.shown
            report.notes.append(f"exported {closing['moment']}, {closing['from']} to {closing['to']}")


def is_number(value: object) -> bool:
    """A sequence as it is written in an export."""
    return isinstance(value, str) and NUMBER.fullmatch(value) is not None
