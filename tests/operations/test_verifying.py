"""Whatever is changed in a record behind the gateway's back is found, and said where."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, update

from app.access.tripwire import arm
from app.domain.audit import CANONICAL_FIELDS, hash_of
from app.operations.verifying import PAGE, Verifier
from app.storage.engines import Database
from app.storage.stored_entries import fields_of
from tests.operations.recording import ENTRY, HEAD, Recorded, notary_in, opened, rechained

FIRST = 10
"""Where the entries begin that these tests write; those before belong to the new tenant."""


@pytest.fixture
async def make(address: str, database: Database, tmp_path: Path) -> AsyncIterator[Callable[[str], Any]]:
    async with opened(address, database, tmp_path / "heads") as making:
        yield making


@pytest.fixture
async def recorded(make: Callable[[str], Awaitable[Recorded]]) -> Recorded:
    """A record of ten changes."""
    made = await make("contoso.example")
    await made.write(*(f"group {number}" for number in range(10)))
    return made


async def test_a_record_that_nobody_touched_is_whole(recorded: Recorded) -> None:
    report = await recorded.verify()

    assert report.findings.shown == []
    assert report.notes == []
    assert report.chain.entries == len(await recorded.rows()) == report.chain.last.sequence
    assert report.chain.agreeing == 11
    assert "whole" in str(report)


async def test_every_field_of_an_entry_is_covered(recorded: Recorded) -> None:
    (row,) = [row for row in await recorded.rows() if row["sequence"] == FIRST]

    for name in (*CANONICAL_FIELDS, "hash"):
        await recorded.edit(FIRST, **{name: recorded.altered(row, name)})
        assert await recorded.found() != "", name
        back = update(ENTRY).where(ENTRY.c.id == row["id"] if name != "id" else recorded.at(FIRST))
        await recorded.change(back.values({name: row[name]}))
        assert await recorded.found() == "", name


async def test_an_edit_is_found_where_it_is(recorded: Recorded) -> None:
    await recorded.edit(FIRST, object_name="nothing")

    assert await recorded.found() == "entry 10 was edited: its fields do not make its hash"


async def test_an_edit_with_a_hash_that_fits_is_found_at_the_next_entry(recorded: Recorded) -> None:
    (row,) = [row for row in await recorded.rows() if row["sequence"] == FIRST]
    forged = row | {"object_name": "nothing"}

    await recorded.edit(FIRST, object_name="nothing", hash=hash_of(fields_of(forged)))

    assert "entry 11 was written after another entry 10 than this one" in await recorded.found()


@pytest.mark.parametrize(("gone", "said"), [
    ([1], "entry 1 is missing"),
    ([1, 2, 3], "entries 1 to 3 are missing"),
    ([FIRST], "entry 10 is missing"),
    ([FIRST, FIRST + 1], "entries 10 to 11 are missing"),
])  # fmt: skip
async def test_a_deletion_is_found(recorded: Recorded, gone: list[int], said: str) -> None:
    await recorded.remove(*gone)

    assert said in await recorded.found()


async def test_a_deletion_of_the_last_is_found_even_if_the_database_agrees(recorded: Recorded) -> None:
    rows = await recorded.rows()
    end = len(rows)

    await recorded.remove(end)
    assert f"audit_heads has the end at {end}, and the entries end at {end - 1}" in await recorded.found()

    await recorded.replace(rows[:-3])
    found = await recorded.found()
    assert f"entries {end - 2} to {end} are gone from the end, to which the signed head of" in found
    assert "audit_heads" not in found


async def test_a_swap_is_found(recorded: Recorded) -> None:
    rows = await recorded.rows()
    rows[4], rows[5] = rows[5] | {"sequence": 5}, rows[4] | {"sequence": 6}

    await recorded.replace(rows)

    assert "entry 5 was edited" in await recorded.found()


async def test_an_insertion_is_found(recorded: Recorded) -> None:
    rows = await recorded.rows()
    await recorded.replace(rechained([*rows[:12], rows[12] | {"id": "forged"}, *rows[12:]], 12))

    assert "rewritten: the signed head of" in await recorded.found()


@pytest.mark.parametrize("sequence", [-5, 0])
async def test_an_entry_before_the_beginning_is_found(recorded: Recorded, sequence: int) -> None:
    (row,) = [row for row in await recorded.rows() if row["sequence"] == FIRST]

    await recorded.change(insert(ENTRY).values(row | {"id": "forged", "sequence": sequence}))

    assert f"entry {sequence} stands before the beginning" in await recorded.found()


async def test_a_tail_that_was_chained_anew_is_found_where_it_begins(recorded: Recorded) -> None:
    rows = await recorded.rows()
    rows[14]["object_name"] = "nothing"

    await recorded.replace(rechained(rows, 14))

    (first, *_) = (await recorded.verify()).findings.shown
    assert first.startswith("entries 14 to 15 are rewritten: the signed head of 2026-11-23T08:00:00.000120Z in line")


async def test_a_restored_backup_that_went_on_is_a_fork(recorded: Recorded) -> None:
    rows = await recorded.rows()
    await recorded.replace(rows[:-4])

    await recorded.write("another", "history")

    found = await recorded.found()
    assert "the record was forked" in found
    assert "rewritten" in found


async def test_an_end_that_only_the_database_moved_is_found(recorded: Recorded) -> None:
    here = HEAD.c.tenant_id == recorded.tenant
    await recorded.change(update(HEAD).where(here).values(sequence=3))
    assert "audit_heads has the end at 3" in await recorded.found()

    await recorded.change(update(HEAD).where(here).values(sequence=99))
    assert "audit_heads has the end at 99" in await recorded.found()

    await recorded.change(delete(HEAD).where(here))
    assert "audit_heads has no row for this tenant" in await recorded.found()


async def test_a_record_that_is_gone_as_a_whole_is_found(recorded: Recorded) -> None:
    await recorded.replace([])

    assert "are gone from the end" in await recorded.found()


async def test_heads_that_are_missing_edited_or_of_another_key_are_found(recorded: Recorded) -> None:
    lines = recorded.lines()

    recorded.write_lines([lines[0] | {"sequence": 2}, *lines[1:]])
    assert "line 1 of" in await recorded.found()
    assert "has a wrong signature" in await recorded.found()

    recorded.heads.write_bytes(b"{\n" + recorded.heads.read_bytes())
    assert "line 1 of" in await recorded.found()

    recorded.write_lines(lines)
    stranger = notary_in(recorded.notary.folder)
    assert (await recorded.verify(stranger)).findings.count == len(lines)

    recorded.heads.unlink()
    assert "there are no signed heads" in await recorded.found()


async def test_a_head_of_another_tenant_is_not_taken(make: Callable[[str], Awaitable[Recorded]]) -> None:
    one, other = await make("one.example"), await make("other.example")

    one.write_lines([*one.lines(), *other.lines()])

    assert "line 2 of" in await one.found()
    assert "is not a statement about this tenant" in await one.found()


async def test_heads_of_a_tenant_that_is_gone_are_found(recorded: Recorded) -> None:
    stray = recorded.notary.folder / "22222222-2222-4222-8222-222222222222.jsonl"
    stray.write_bytes(recorded.heads.read_bytes())
    verifier = Verifier(recorded.database, recorded.notary.folder, [recorded.notary.public_key])

    reports = [report async for report in verifier.verify()]

    assert [report.is_whole for report in reports] == [True, True, False]
    assert "that is not in the database" in str(reports[2])


async def test_a_change_whose_head_was_lost_is_told_and_covered_by_the_next(recorded: Recorded) -> None:
    recorded.write_lines(recorded.lines()[:-1])

    report = await recorded.verify()
    await recorded.write("the next")

    assert report.is_whole
    assert "the last 2 entries have no signed head yet" in str(report)
    assert (await recorded.verify()).notes == []


async def test_many_findings_are_counted_and_the_first_are_told(recorded: Recorded) -> None:
    await recorded.change(update(ENTRY).where(ENTRY.c.tenant_id == recorded.tenant).values(object_name="nothing"))

    report = await recorded.verify()

    assert report.findings.count == report.chain.entries > 20
    assert len(report.findings.shown) == 20
    assert f"and {report.findings.count - 20} more" in str(report)


async def test_values_that_no_reader_understands_are_an_edit(recorded: Recorded) -> None:
    await recorded.edit(FIRST, category="Nonsense", creation_time="yesterday", changes="{not json")

    assert await recorded.found() == "entry 10 was edited: its fields do not make its hash"


async def test_the_record_is_verified_while_it_is_written(recorded: Recorded) -> None:
    writing = asyncio.create_task(recorded.write(*(f"more {number}" for number in range(20))))

    reports = []
    while not writing.done():
        reports.append(await recorded.verify())
        await asyncio.sleep(0)
    await writing

    assert [str(report) for report in reports if not report.is_whole] == []


async def test_a_record_of_many_pages_is_read_to_its_end(recorded: Recorded) -> None:
    rows = await recorded.rows()
    more = [rows[-1] | {"id": f"more {number}"} for number in range(2 * PAGE)]
    await recorded.replace(rechained([*rows, *more], len(rows)))

    report = await recorded.verify()

    assert report.is_whole
    assert report.chain.entries == len(rows) + 2 * PAGE


# --- whatever somebody thinks of -------------------------------------------------------------------------------------


Tampering = tuple[str, int, int, str]
TAMPERINGS = st.tuples(
    st.sampled_from(["edit", "rehash", "remove", "cut", "swap", "rechain", "insert", "head"]),
    st.integers(0, 10_000),
    st.integers(1, 10_000),
    st.sampled_from([*CANONICAL_FIELDS, "hash"]),
)
NAMES = st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8), min_size=1, max_size=4)


class Tamperer:
    """Makes records and tampers with them, in a database of its own."""

    def __init__(self, address: str, folder: Path) -> None:
        self.address, self.folder, self.made = address, folder, 0
        self.loop = asyncio.new_event_loop()

    def run(self, names: list[str], tampering: Tampering) -> None:
        self.loop.run_until_complete(self._run(names, tampering))

    def start(self) -> None:
        self.loop.run_until_complete(self._start())

    async def _start(self) -> None:
        self.database = arm(Database(self.address))
        self.context = opened(self.address, self.database, self.folder)
        self.make = await self.context.__aenter__()

    def close(self) -> None:
        self.loop.run_until_complete(self.context.__aexit__(None, None, None))
        self.loop.run_until_complete(self.database.close())
        self.loop.close()

    async def _run(self, names: list[str], tampering: Tampering) -> None:
        self.made += 1
        recorded = await self.make(f"t{self.made}.example")
        await recorded.write(*names)
        assert await recorded.found() == ""
        await tamper(recorded, *tampering)
        assert await recorded.found() != ""


async def tamper(recorded: Recorded, how: str, one: int, two: int, name: str) -> None:
    """One way of tampering; the numbers choose where."""
    rows = await recorded.rows()
    this = one % len(rows)
    other = (this + 1 + two % (len(rows) - 1)) % len(rows)
    row = rows[this]
    forged = row | {"object_name": f"{row['object_name']}!"}
    match how:
        case "edit":
            await recorded.edit(row["sequence"], **{name: recorded.altered(row, name)})
        case "rehash":
            await recorded.edit(row["sequence"], object_name=forged["object_name"], hash=hash_of(fields_of(forged)))
        case "remove":
            await recorded.remove(row["sequence"])
        case "cut":
            await recorded.replace(rows[:this])
        case "swap":
            places = {"sequence", "previous_hash", "hash"} if two % 2 else {"sequence"}
            kept = [{key: each[key] for key in places} for each in (row, rows[other])]
            rows[this], rows[other] = rows[other] | kept[0], row | kept[1]
            await recorded.replace(rows)
        case "rechain":
            await recorded.replace(rechained([*rows[:this], forged, *rows[this + 1 :]], this))
        case "insert":
            await recorded.replace(rechained([*rows[:this], forged | {"id": "forged"}, *rows[this:]], this))
        case "head":
            lines = recorded.lines()
            lines[one % len(lines)]["hash"] = rows[other]["hash"] + "0"
            recorded.write_lines(lines)


@pytest.fixture
def tamperer(address: str, tmp_path: Path) -> Iterator[Tamperer]:
    made = Tamperer(address, tmp_path / "heads")
    made.start()
    yield made
    made.close()


def test_any_tampering_with_any_record_is_found(tamperer: Tamperer, is_long: bool) -> None:
    @settings(max_examples=2_000 if is_long else 40)
    @given(NAMES, TAMPERINGS)
    def check(names: list[str], tampering: Tampering) -> None:
        tamperer.run(names, tampering)

    check()
