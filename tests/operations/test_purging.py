"""AUD-6, domain.md 7 #62: an operator purges what cannot be read any more, and the rest still verifies."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, update
from sqlalchemy.exc import DBAPIError

from app.domain.refusals import CommandRefused
from app.operations.purging import Purge, purge
from app.operations.work import Work
from app.storage.append_only import REFUSAL, forbid_rewriting, permit_rewriting
from app.storage.engines import Database
from tests.operations.recording import ANCHOR, ENTRY, MOMENT, Recorded, opened

NOW = datetime(2027, 6, 30, 12, 0, tzinfo=UTC)
LATEST = date(2027, 1, 1)
"""180 days before."""


@pytest.fixture
async def recorded(address: str, database: Database, tmp_path: Path) -> AsyncIterator[Recorded]:
    """Entries of the day before the latest that can be purged, and of that day."""
    async with opened(address, database, tmp_path / "heads") as make:
        made = await make("contoso.example")
        async with made.hands.writer.begin() as connection:
            await connection.run_sync(forbid_rewriting)
        await made.write("old", moment=datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC))
        await made.write("new", "newer", moment=datetime(2027, 1, 1, tzinfo=UTC))
        yield made


async def purged(recorded: Recorded, before: date = LATEST, *, is_sure: bool = True) -> Purge:
    return await purge(recorded.database, recorded.notary, recorded.domain, before, NOW, "purge", is_sure=is_sure)


async def test_aud_6_what_is_older_goes_and_the_rest_verifies_from_the_anchor(recorded: Recorded) -> None:
    rows = await recorded.rows()
    old = [row for row in rows if row["creation_time"] < "2027"]

    done = await purged(recorded)

    left = await recorded.rows()
    assert done.count == len(old) == done.sequence
    assert left[:-1] == rows[len(old) :]
    assert (left[-1]["category"], left[-1]["operation"], left[-1]["action"]) == ("Settings", "Delete", "audit.purge")
    assert f'"field":"entries","before":null,"after":"{len(old)}"' in left[-1]["changes"]
    report = await recorded.verify()
    assert report.findings.shown == []
    assert report.chain.first == done.sequence + 1
    assert [line["kind"] for line in recorded.lines()][-2:] == ["head", "anchor"]


async def test_the_record_goes_on_after_a_purge_and_can_be_purged_again(recorded: Recorded) -> None:
    await purged(recorded)
    await recorded.write("next", moment=NOW)
    later = NOW + timedelta(days=300)

    await purge(recorded.database, recorded.notary, recorded.domain, date(2027, 7, 1), later, "purge", is_sure=True)

    assert await recorded.found() == ""
    assert [row["action"] for row in await recorded.rows()] == ["audit.purge"]


async def test_the_triggers_are_there_again(recorded: Recorded) -> None:
    await purged(recorded)

    for statement in (update(ENTRY).values(object_name="nothing"), delete(ENTRY), delete(ANCHOR)):
        with pytest.raises(DBAPIError, match=REFUSAL):
            await recorded.change(statement)


async def test_what_can_still_be_read_is_not_purged(recorded: Recorded) -> None:
    before = await recorded.rows()

    with pytest.raises(CommandRefused, match="--before is 2027-01-01 at the latest"):
        await purged(recorded, LATEST + timedelta(days=1))
    with pytest.raises(CommandRefused, match=r"nothing in the record of contoso\.example is from before 2026-01-01"):
        await purged(recorded, date(2026, 1, 1))
    with pytest.raises(CommandRefused, match=r"5 entries of contoso\.example would be deleted for good; say --yes"):
        await purged(recorded, is_sure=False)
    with pytest.raises(CommandRefused, match="no tenant has the domain"):
        await purge(recorded.database, recorded.notary, "nobody.example", LATEST, NOW, "purge", is_sure=True)

    assert await recorded.rows() == before
    assert await recorded.found() == ""


async def test_an_entry_that_was_committed_late_keeps_those_after_it(recorded: Recorded) -> None:
    await recorded.write("late", moment=MOMENT)

    assert (await purged(recorded)).count == 5


async def test_a_purge_that_fails_leaves_everything(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, lines = await recorded.rows(), recorded.lines()

    async def fail(_: Work) -> None:
        raise RuntimeError("at the last moment")

    monkeypatch.setattr(Work, "commit", fail)
    with pytest.raises(RuntimeError):
        await purged(recorded)
    monkeypatch.undo()

    assert (await recorded.rows(), recorded.lines()) == (rows, lines)
    with pytest.raises(DBAPIError, match=REFUSAL):
        await recorded.change(delete(ENTRY))


async def test_what_was_purged_cannot_come_back_and_nothing_else_go(recorded: Recorded) -> None:
    rows = await recorded.rows()
    done = await purged(recorded)
    left = await recorded.rows()
    async with recorded.hands.writer.begin() as connection:
        await connection.run_sync(permit_rewriting)

    await recorded.change(insert(ENTRY).values(rows[0]))
    assert "entry 1 stands before the beginning of the record, 6" in await recorded.found()
    await recorded.remove(1, done.sequence + 1)
    assert f"entry {done.sequence + 1} is missing" in await recorded.found()
    await recorded.replace(left)
    assert await recorded.found() == ""

    await recorded.change(update(ANCHOR).values(sequence=7))
    assert "audit_anchors has an anchor with a wrong signature" in await recorded.found()
    await recorded.change(delete(ANCHOR))
    assert "the signed anchor at 5 is missing in audit_anchors" in await recorded.found()
    recorded.write_lines([line for line in recorded.lines() if line["kind"] != "anchor"])
    assert "entries 1 to 5 are missing" in await recorded.found()


async def test_a_signed_head_is_no_anchor(recorded: Recorded) -> None:
    head = recorded.lines()[0]
    values = {"tenant_id": recorded.tenant, "moment": head["moment"], "signature": head["signature"]}
    async with recorded.hands.writer.begin() as connection:
        await connection.run_sync(permit_rewriting)

    await recorded.change(insert(ANCHOR).values(sequence=head["sequence"], hash=head["hash"], **values))
    await recorded.remove(*range(1, head["sequence"] + 1))

    assert "wrong signature" in await recorded.found()
    assert "entries 1 to 3 are missing" in await recorded.found()
