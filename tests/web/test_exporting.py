"""The record as files: for whom, of which days, in which form; and that a file shows what was done to it."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import delete
from sqlmodel import col

from app.access.tripwire import WORK
from app.access.viewer import SYSTEM, Viewer
from app.domain.audit import AuditAction
from app.domain.vocabulary import AuditCategory, AuditOperation
from app.operations.verifying import verify_file
from app.operations.work import Work
from app.reading import record as reading
from app.storage.append_only import purging
from app.storage.engines import Database
from app.storage.notary import Notary
from app.storage.tables import AuditEntry
from app.web.development_issuer import DevelopmentIssuer
from app.web.exporting import as_cell, as_csv
from tests.graph.asking import PEOPLE, viewer_of
from tests.operations.chains import check_chain
from tests.operations.recording import notary_in
from tests.web.gateway import Gateway, Logs, opened
from tests.world import SEEDED_AT

CONTOSO = viewer_of("contoso-manager").tenant_id
READERS = {
    "contoso-manager",
    "contoso-global-admin",
    "fabrikam-manager",
    "northwind-manager",
    "northwind-global-admin",
    "adatum-manager",
    "tailspin-manager",
}
FILES = ("/audit.csv", "/audit.ndjson")
HEADER = (
    "activity.category,activity.objectName,activity.operation,activity.resultStatus,activity.tenantId,creationTime,"
    "user.userId,user.userTenantId"
)
HOSTILE = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    " =1+1",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1",
    'say "hello", twice',
    "two\nlines",
    "two\r\nlines",
    "a,b;c",
    "Zürich „1“ 会议室 🏢",
    "\u202eright to left",
    "'quoted",
    "",
]


@pytest.fixture
def notary(tmp_path: Path) -> Notary:
    return notary_in(tmp_path / "heads")


@asynccontextmanager
async def exporting(
    database: Database, issuer: DevelopmentIssuer, notary: Notary, now: datetime = SEEDED_AT
) -> AsyncIterator[Gateway]:
    """The gateway with a notary."""
    database.notary = notary
    try:
        async with opened(database, issuer, now=now) as gateway:
            yield gateway
    finally:
        database.notary = None


@pytest.fixture
async def exports(world: Database, issuer: DevelopmentIssuer, notary: Notary) -> AsyncIterator[Gateway]:
    async with exporting(world, issuer, notary) as gateway:
        yield gateway


@pytest.fixture
async def own_exports(own_world: Database, issuer: DevelopmentIssuer, notary: Notary) -> AsyncIterator[Gateway]:
    async with exporting(own_world, issuer, notary) as gateway:
        yield gateway


async def get(gateway: Gateway, path: str, name: str = "contoso-manager", **asked: str) -> httpx.Response:
    token = gateway.token(name, expires_at=SEEDED_AT + timedelta(hours=1))
    asked = {key.rstrip("_"): value for key, value in asked.items()}
    return await gateway.client.get(path, params=asked, headers={"Authorization": f"Bearer {token}"})


def rows(response: httpx.Response) -> list[list[str]]:
    return list(csv.reader(io.StringIO(response.content.decode("utf-8"), newline="")))


def lines(response: httpx.Response) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in response.content.splitlines()]


async def write(
    database: Database,
    *names: str,
    moment: datetime = SEEDED_AT,
    viewer: Viewer | None = None,
    category: AuditCategory = AuditCategory.ROOM_GROUP,
) -> None:
    """Entries of Contoso's record, in one change."""
    async with Work.begin(database, viewer or SYSTEM, moment, "request") as work:
        for name in names:
            work.record(category, AuditOperation.CREATE, AuditAction.GROUP_CREATE, CONTOSO, name)


# --- who -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES)
async def test_aud_3_managers_read_their_own_tenants_record_and_nobody_else_reads_any(
    path: str, exports: Gateway
) -> None:
    seen = set()
    for name in PEOPLE:
        response = await get(exports, path, name)
        if response.status_code == 200:
            seen.add(name)
            tenants = (
                {row[4] for row in rows(response)[1:]}
                if path == FILES[0]
                else {line["tenant_id"] for line in lines(response)[:-1]}
            )
            assert tenants == {viewer_of(name).tenant_id}
        else:
            assert response.status_code == 403
            (error,) = response.json()["errors"]
            assert error["extensions"] == {"code": "FORBIDDEN", "missing": "AUDIT_VIEW"}
            assert "Content-Disposition" not in response.headers
            assert "Contoso" not in response.text

    assert seen == READERS


@pytest.mark.parametrize("path", FILES)
async def test_without_a_token_there_is_nothing(path: str, exports: Gateway) -> None:
    assert (await exports.client.get(path)).status_code == 401
    assert (await exports.client.post(path)).status_code == 405


async def test_who_may_not_read_is_told_nothing_of_what_was_asked(exports: Gateway) -> None:
    assert (await get(exports, "/audit.csv", "northwind-helpdesk", from_="yesterday")).status_code == 403


async def test_aud_10_a_partners_change_is_in_the_customers_record_with_both_tenants(own_exports: Gateway) -> None:
    partner = viewer_of("northwind-helpdesk")
    await write(own_exports.database, "by a partner", viewer=partner)

    customers, partners = (
        await get(own_exports, "/audit.csv"),
        await get(own_exports, "/audit.csv", "northwind-manager"),
    )

    (row,) = [row for row in rows(customers) if row[1] == "by a partner"]
    assert (row[4], row[6], row[7]) == (CONTOSO, partner.principal_id, partner.tenant_id)
    assert "by a partner" not in partners.text


# --- which -----------------------------------------------------------------------------------------------------------


async def test_aud_6_check_19_what_is_181_days_old_is_neither_listed_nor_exported(own_exports: Gateway) -> None:
    database = own_exports.database
    for days in (181, 179):
        await write(database, f"{days} days ago", moment=SEEDED_AT - timedelta(days=days))
    query = "{ viewer { auditEntries(first: 3) { nodes { objectName } } } }"

    listed = await own_exports.ask(query)
    asked = {"from_": "2020-01-01"}
    exported = [await get(own_exports, path, **span) for path in FILES for span in ({}, asked)]

    names = [node["objectName"] for node in listed.json()["data"]["viewer"]["auditEntries"]["nodes"]]
    assert "179 days ago" in names
    assert "181 days ago" not in names
    for response in exported:
        assert "179 days ago" in response.text
        assert "181 days ago" not in response.text


async def test_aud_6_it_is_180_days_to_the_microsecond(own_exports: Gateway) -> None:
    limit = SEEDED_AT - timedelta(days=180)
    await write(own_exports.database, "just", moment=limit)
    await write(own_exports.database, "not any more", moment=limit - timedelta(microseconds=1))

    names = {row[1] for row in rows(await get(own_exports, "/audit.csv"))}

    assert "just" in names
    assert "not any more" not in names


async def test_aud_5_days_are_inclusive_in_utc(own_exports: Gateway) -> None:
    midnight = SEEDED_AT.replace(hour=0) - timedelta(days=10)
    microsecond = timedelta(microseconds=1)
    moments = {"before": midnight - microsecond, "first": midnight, "last": midnight + timedelta(days=1) - microsecond}
    for name, moment in (moments | {"after": midnight + timedelta(days=1)}).items():
        await write(own_exports.database, name, moment=moment)
    day = midnight.date().isoformat()

    response = await get(own_exports, "/audit.csv", from_=day, to=day)

    assert [row[1] for row in rows(response)[1:]] == ["first", "last"]
    assert response.headers["Content-Disposition"] == f'attachment; filename="audit-{day}-{day}.csv"'


@pytest.mark.parametrize(
    ("asked", "argument"),
    [
        ("from=2026-11-02&to=2026-11-01", "from"),
        ("from=yesterday", "from"),
        ("from=", "from"),
        ("to=2026-02-30", "to"),
        ("to=20261101", "to"),
        ("to=٢٠٢٦-١١-٠١", "to"),
        ("from=2026-11-01T00:00:00Z", "from"),
        ("form=2026-11-01", "form"),
        ("to=2026-11-01&to=2026-11-02", "to"),
        ("categories=all", "categories"),
    ],
)
async def test_what_cannot_be_asked_is_refused_by_its_name(asked: str, argument: str, exports: Gateway) -> None:
    headers = {"Authorization": f"Bearer {exports.token()}"}

    response = await exports.client.get(f"/audit.csv?{asked}", headers=headers)

    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "BAD_ARGUMENT", "argument": argument}


async def test_days_without_entries_are_an_empty_file(exports: Gateway, notary: Notary, tmp_path: Path) -> None:
    for span in ({"to": "0001-01-01"}, {"from_": "9999-12-31", "to": "9999-12-31"}):
        assert len(rows(await get(exports, "/audit.csv", **span))) == 1
        (tmp_path / "audit.ndjson").write_bytes((await get(exports, "/audit.ndjson", **span)).content)
        assert verify_file(tmp_path / "audit.ndjson", [notary.public_key]).is_whole


async def test_only_documented_categories_if_asked(own_exports: Gateway) -> None:
    await write(own_exports.database, "a role", category=AuditCategory.ROLE)
    await write(own_exports.database, "a group")

    every = {row[0] for row in rows(await get(own_exports, "/audit.csv"))[1:]}
    documented = rows(await get(own_exports, "/audit.csv", categories="documented"))[1:]

    assert {row[0] for row in documented} <= {"User", "Assignment", "PartnerInvitation", "Role"} < every
    assert "a role" in {row[1] for row in documented}
    assert (await get(own_exports, "/audit.ndjson", categories="documented")).status_code == 400


# --- as what ---------------------------------------------------------------------------------------------------------


async def test_aud_8_the_documented_columns_in_their_order(exports: Gateway) -> None:
    response = await get(exports, "/audit.csv")

    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="audit-2026-05-27-2026-11-23.csv"'
    assert response.content.startswith(HEADER.encode() + b"\r\n")
    assert response.content.count(b"\n") == response.content.count(b"\r\n")
    first, chain = rows(response)[1], await check_chain(exports.database, CONTOSO)
    assert first == ["Settings", "Contoso", "Create", "Successful", CONTOSO, "2026-11-23T08:00:00.000000Z", "", ""]
    assert [row[1] for row in rows(response)[1:]] == [entry.object_name for entry in chain]


async def test_names_are_shown_by_a_spreadsheet_and_not_run(own_exports: Gateway) -> None:
    await write(own_exports.database, *HOSTILE)

    shown = [row[1] for row in rows(await get(own_exports, "/audit.csv"))[-len(HOSTILE) :]]

    assert shown == [f"'{name}" for name in HOSTILE[:9]] + HOSTILE[9:]
    assert all(len(row) == 8 for row in rows(await get(own_exports, "/audit.csv")))


def test_cells_are_quoted_as_rfc_4180_says() -> None:
    assert as_csv([["a,b", 'say "x"', "two\r\nlines", "plain"]]) == b'"a,b","say ""x""","two\r\nlines",plain\r\n'
    assert as_cell(None) == ""


async def test_each_line_is_checked_alone_and_all_of_them_by_the_last(
    own_exports: Gateway, notary: Notary, tmp_path: Path
) -> None:
    await write(own_exports.database, *HOSTILE)
    chain, file = await check_chain(own_exports.database, CONTOSO), tmp_path / "audit.ndjson"

    response = await get(own_exports, "/audit.ndjson")
    file.write_bytes(response.content)

    assert response.headers["Content-Type"] == "application/x-ndjson; charset=utf-8"
    *entries, closing = lines(response)
    assert [(line["sequence"], line["hash"], line["previous_hash"]) for line in entries] == [
        (str(entry.sequence), entry.hash, entry.previous_hash) for entry in chain
    ]
    assert [line["object_name"] for line in entries[-len(HOSTILE) :]] == HOSTILE
    assert (closing["sequence"], closing["hash"], closing["tenant"]) == (len(chain), chain[-1].hash, CONTOSO)
    assert verify_file(file, [notary.public_key]).is_whole
    assert not verify_file(file, [notary_in(tmp_path).public_key]).is_whole
    file.write_bytes(response.content.replace(b"two\\nlines", b"one line"))
    assert not verify_file(file, [notary.public_key]).is_whole


async def test_a_part_of_the_record_verifies_also_where_changes_were_committed_late(
    own_exports: Gateway, notary: Notary, tmp_path: Path
) -> None:
    day = SEEDED_AT - timedelta(days=10)
    for name, moment in (("a", day), ("late", day - timedelta(days=1)), ("b", day), ("next", day + timedelta(days=1))):
        await write(own_exports.database, name, moment=moment)

    response = await get(own_exports, "/audit.ndjson", from_=day.date().isoformat(), to=day.date().isoformat())

    (tmp_path / "audit.ndjson").write_bytes(response.content)
    report = verify_file(tmp_path / "audit.ndjson", [notary.public_key])
    assert [line["object_name"] for line in lines(response)[:-1]] == ["a", "late", "b"]
    assert report.is_whole


async def test_an_entry_that_became_too_old_among_others_is_a_gap_that_verifies(
    own_exports: Gateway, notary: Notary, tmp_path: Path
) -> None:
    limit = SEEDED_AT - timedelta(days=180)
    for name, moment in (("a", limit), ("too old", limit - timedelta(seconds=1)), ("b", limit + timedelta(hours=1))):
        await write(own_exports.database, name, moment=moment)

    response = await get(own_exports, "/audit.ndjson", to=limit.date().isoformat())

    (tmp_path / "audit.ndjson").write_bytes(response.content)
    report = verify_file(tmp_path / "audit.ndjson", [notary.public_key])
    assert [line["object_name"] for line in lines(response)[:-1]] == ["a", "b"]
    assert report.is_whole
    assert any("is missing" in note for note in report.notes)


async def test_an_entry_that_was_deleted_in_the_database_is_missed_in_the_file(
    own_exports: Gateway, notary: Notary, tmp_path: Path
) -> None:
    database = own_exports.database
    async with database.writer.begin() as connection, purging(connection):
        gone = delete(AuditEntry).where(col(AuditEntry.tenant_id) == CONTOSO, col(AuditEntry.sequence) == 9)
        await connection.execute(gone, execution_options={WORK: True})

    (tmp_path / "audit.ndjson").write_bytes((await get(own_exports, "/audit.ndjson")).content)

    assert verify_file(tmp_path / "audit.ndjson", [notary.public_key]).findings.shown == ["entry 9 is missing"]


async def test_head_requests_are_answered_without_a_body(exports: Gateway) -> None:
    headers = {"Authorization": f"Bearer {exports.token()}"}

    response = await exports.client.head("/audit.csv", headers=headers)

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["Content-Disposition"].startswith("attachment")


async def test_without_a_notary_there_is_no_file_that_could_be_signed(
    world: Database, issuer: DevelopmentIssuer
) -> None:
    async with opened(world, issuer) as gateway:
        assert (await get(gateway, "/audit.csv")).status_code == 200
        assert (await get(gateway, "/audit.ndjson")).status_code == 404


# --- a stream --------------------------------------------------------------------------------------------------------


async def test_a_long_record_is_read_in_short_reads_of_bounded_size(
    own_exports: Gateway, notary: Notary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(own_exports.database, *(f"entry {number}" for number in range(3 * reading.WINDOW)))
    sizes, read = [], reading.Record._read

    async def count(self: reading.Record, *asked: Any) -> Any:
        found = await read(self, *asked)
        sizes.append(len(found))
        return found

    monkeypatch.setattr(reading.Record, "_read", count)
    response = await get(own_exports, "/audit.ndjson")

    chain = await check_chain(own_exports.database, CONTOSO)
    assert len(lines(response)) == len(chain) + 1
    assert max(sizes) == reading.WINDOW
    assert sum(sizes) == len(chain) + 2
    (tmp_path / "audit.ndjson").write_bytes(response.content)
    assert verify_file(tmp_path / "audit.ndjson", [notary.public_key]).is_whole


async def test_whoever_loses_the_right_in_the_middle_gets_a_broken_file_and_not_a_short_one(
    own_exports: Gateway, monkeypatch: pytest.MonkeyPatch, logs: Logs
) -> None:
    await write(own_exports.database, *(f"entry {number}" for number in range(2 * reading.WINDOW)))
    read, calls = reading.Record._read, 0

    async def lose(self: reading.Record, *asked: Any) -> Any:
        nonlocal calls
        calls += 1
        return [] if calls > 3 else await read(self, *asked)

    monkeypatch.setattr(reading.Record, "_read", lose)

    for path in FILES:
        calls = 0
        with pytest.raises(reading.RecordLost):
            await get(own_exports, path)
    assert [line["error"] for line in logs.of("gateway.graphql")] == ["RecordLost"] * 2


async def test_an_export_during_changes_is_whole_up_to_where_it_was_asked_for(
    own_exports: Gateway, notary: Notary, tmp_path: Path
) -> None:
    async def go_on() -> None:
        for number in range(10):
            await write(own_exports.database, f"meanwhile {number}")

    writing = asyncio.create_task(go_on())
    while not writing.done():
        (tmp_path / "audit.ndjson").write_bytes((await get(own_exports, "/audit.ndjson")).content)
        assert verify_file(tmp_path / "audit.ndjson", [notary.public_key]).is_whole
    await writing
