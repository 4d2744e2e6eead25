"""A record with signed heads, and hands that can change it behind the gateway's back."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, insert, select, type_coerce, update

from app.access.viewer import SYSTEM
from app.domain.audit import AuditAction, hash_of
from app.domain.vocabulary import AuditCategory, AuditOperation
from app.operations.tenants import add_tenant
from app.operations.verifying import Report, Verifier
from app.operations.work import Work
from app.storage import columns
from app.storage.append_only import permit_rewriting
from app.storage.engines import Database
from app.storage.notary import Notary, head_file
from app.storage.stored_entries import fields_of
from app.storage.tables import AuditAnchor, AuditEntry, AuditHead, Tenant

MOMENT = datetime(2026, 11, 23, 8, 0, 0, 120, tzinfo=UTC)
ENTRY, HEAD, ANCHOR = AuditEntry.__table__, AuditHead.__table__, AuditAnchor.__table__  # type: ignore[attr-defined]
RAW = [type_coerce(column, columns.text()).label(column.name) for column in ENTRY.columns]
Row = dict[str, Any]


def notary_in(folder: Path) -> Notary:
    """A notary with a new key."""
    folder.mkdir(parents=True, exist_ok=True)
    return Notary(Ed25519PrivateKey.generate(), folder)


def note(work: Work, tenant_id: str, name: str) -> None:
    work.record(AuditCategory.ROOM_GROUP, AuditOperation.CREATE, AuditAction.GROUP_CREATE, tenant_id, name)


@dataclass(frozen=True)
class Recorded:
    """One tenant's record: as the gateway writes it, and as somebody with the database's password can."""

    database: Database
    hands: Database
    """The same database, without the tripwire, and without triggers once `permit_rewriting` ran."""
    notary: Notary
    tenant: str
    domain: str
    elsewhere: str
    """A tenant without any record."""

    @property
    def heads(self) -> Path:
        return head_file(self.notary.folder, self.tenant)

    async def write(self, *names: str, moment: datetime = MOMENT) -> None:
        """One change a name, each with two entries."""
        for name in names:
            async with Work.begin(self.database, SYSTEM, moment, "request") as work:
                note(work, self.tenant, name)
                note(work, self.tenant, f"{name} again")

    async def verify(self, notary: Notary | None = None) -> Report:
        keys = [(notary or self.notary).public_key]
        return await Verifier(self.database, self.notary.folder, keys).verify_tenant(self.tenant, self.domain)

    async def found(self) -> str:
        """What is wrong, in one text; empty if nothing."""
        return "\n".join((await self.verify()).findings.shown)

    async def change(self, *statements: Any) -> None:
        """Run these as the owner of the database."""
        async with self.hands.writer.begin() as connection:
            for statement in statements:
                await connection.execute(statement)

    async def rows(self) -> list[Row]:
        """The entries as they are stored, in order."""
        async with self.hands.writer.begin() as connection:
            asked = select(*RAW).where(ENTRY.c.tenant_id == self.tenant).order_by(ENTRY.c.sequence)
            return [dict(row) for row in (await connection.execute(asked)).mappings()]

    def altered(self, row: Row, name: str) -> Any:
        """Another value for this field of an entry."""
        if name == "tenant_id":
            return self.elsewhere
        return row[name] + 1_000 if isinstance(row[name], int) else f"{row[name] or ''}0"[-27:]

    async def edit(self, place: int, /, **values: Any) -> None:
        await self.change(update(ENTRY).where(self.at(place)).values(values))

    def at(self, *sequences: int) -> Any:
        return (ENTRY.c.tenant_id == self.tenant) & ENTRY.c.sequence.in_(sequences)

    async def remove(self, *sequences: int) -> None:
        await self.change(delete(ENTRY).where(self.at(*sequences)))

    async def replace(self, rows: list[Row]) -> None:
        """Let the record consist of these rows, and the database's end of it agree."""
        last: Row = rows[-1] if rows else {"sequence": 0, "hash": None}
        end = update(HEAD).where(HEAD.c.tenant_id == self.tenant)
        values = {"sequence": int(last["sequence"]), "hash": last["hash"]}
        everything = delete(ENTRY).where(ENTRY.c.tenant_id == self.tenant)
        await self.change(everything, *[insert(ENTRY).values(row) for row in rows], end.values(values))

    def lines(self) -> list[dict[str, Any]]:
        """What is signed outside."""
        return [orjson.loads(line) for line in self.heads.read_bytes().splitlines()]

    def write_lines(self, lines: list[dict[str, Any]]) -> None:
        self.heads.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))


def rechained(rows: list[Row], start: int = 0) -> list[Row]:
    """The rows with places and hashes that fit together from one of them on."""
    made = [dict(row) for row in rows]
    for number in range(start, len(made)):
        before = made[number - 1]["hash"] if number else None
        made[number] |= {"sequence": number + 1, "previous_hash": before}
        made[number]["hash"] = hash_of(fields_of(made[number]))
    return made


@asynccontextmanager
async def opened(address: str, database: Database, folder: Path) -> AsyncIterator[Callable[[str], Any]]:
    """A way to make records in this database, whose triggers are gone."""
    database.notary = notary_in(folder)
    async with Database(address) as hands:
        async with hands.writer.begin() as connection:
            await connection.run_sync(permit_rewriting)

        async def make(domain: str) -> Recorded:
            async with Work.begin(database, SYSTEM, MOMENT, "setup") as work:
                tenant = await add_tenant(work, name=domain, domains=[domain])
                elsewhere = work.new_id()
            empty = {"id": elsewhere, "name": "", "name_key": "", "may_be_partner": False, "created_at": MOMENT}
            assert database.notary is not None
            made = Recorded(database, hands, database.notary, tenant.id, domain, elsewhere)
            await made.change(insert(Tenant).values(empty), insert(HEAD).values(tenant_id=elsewhere, sequence=0))
            return made

        yield make
