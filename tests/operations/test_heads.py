"""After every change, where each chain ends now is signed and kept outside of the database."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.access.viewer import SYSTEM
from app.operations.tenants import add_tenant
from app.operations.work import Work, witness_all
from app.storage.engines import Database
from app.storage.head_files import read_statement
from app.storage.notary import Notary, head_file, is_signed
from tests.operations.chains import check_chain
from tests.operations.recording import MOMENT, notary_in, note


@pytest.fixture
def notary(database: Database, tmp_path: Path) -> Notary:
    made = notary_in(tmp_path / "heads")
    database.notary = made
    return made


async def two_tenants(database: Database) -> list[str]:
    async with Work.begin(database, SYSTEM, MOMENT, "setup") as work:
        return [(await add_tenant(work, name=n, domains=[f"{n}.example"])).id for n in ("contoso", "fabrikam")]


def heads(notary: Notary, tenant: str) -> list[tuple[object, object]]:
    """What is signed of a tenant; every line has to be good."""
    lines = head_file(notary.folder, tenant).read_bytes().splitlines()
    statements = [statement for statement in map(read_statement, lines) if statement]
    assert all(is_signed(statement, [notary.public_key]) for statement in statements)
    assert {(statement["kind"], statement["tenant"]) for statement in statements} == {("head", tenant)}
    return [(statement["sequence"], statement["hash"]) for statement in statements]


async def test_one_head_a_change_and_chain(database: Database, notary: Notary) -> None:
    contoso, fabrikam = await two_tenants(database)

    async with Work.begin(database, SYSTEM, MOMENT, "r") as work:
        note(work, contoso, "a")
        note(work, contoso, "b")
    async with Work.begin(database, SYSTEM, MOMENT, "r") as work:
        note(work, contoso, "c")
        note(work, fabrikam, "d")

    chain = [(entry.sequence, entry.hash) for entry in await check_chain(database, contoso)]
    assert heads(notary, contoso) == [chain[2], chain[4], chain[5]]
    assert [sequence for sequence, _ in heads(notary, fabrikam)] == [3, 4]


async def test_nothing_is_signed_of_what_was_not_committed(database: Database, notary: Notary) -> None:
    contoso, _ = await two_tenants(database)
    before = heads(notary, contoso)

    async def fail() -> None:
        async with Work.begin(database, SYSTEM, MOMENT, "r") as work:
            note(work, contoso, "a")
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    async with Work.begin(database, SYSTEM, MOMENT, "r"):
        pass

    assert heads(notary, contoso) == before


async def test_a_head_that_cannot_be_written_breaks_nothing_and_is_logged(
    database: Database, notary: Notary, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    contoso, fabrikam = await two_tenants(database)

    def fail(signed: dict[str, object], file: Callable[..., None] = notary.file) -> None:
        if signed["tenant"] == contoso:
            raise OSError("no space left")
        file(signed)

    monkeypatch.setattr(Notary, "file", lambda _, signed: fail(signed))
    with caplog.at_level(logging.ERROR, "gateway.record"):
        async with Work.begin(database, SYSTEM, MOMENT, "r") as work:
            note(work, contoso, "a")
            note(work, fabrikam, "a")
    monkeypatch.undo()

    assert [entry.object_name for entry in await check_chain(database, contoso)][-1] == "a"
    (logged,) = caplog.records
    assert (vars(logged)["tenant"], vars(logged)["sequence"], vars(logged)["error"]) == (contoso, 4, "OSError")
    assert [sequence for sequence, _ in heads(notary, contoso)] == [3]
    assert [sequence for sequence, _ in heads(notary, fabrikam)] == [3, 4]

    async with Work.begin(database, SYSTEM, MOMENT, "r") as work:
        note(work, contoso, "b")
    assert [sequence for sequence, _ in heads(notary, contoso)] == [3, 5]


async def test_all_ends_are_signed_when_asked(database: Database, tmp_path: Path) -> None:
    contoso, fabrikam = await two_tenants(database)
    moment = datetime(2027, 1, 1, tzinfo=UTC)
    await witness_all(database, moment)

    database.notary = notary_in(tmp_path / "heads")
    await witness_all(database, moment)

    assert {tenant: heads(database.notary, tenant)[0][0] for tenant in (contoso, fabrikam)} == {contoso: 3, fabrikam: 3}


async def test_without_a_notary_nothing_is_signed(database: Database) -> None:
    assert database.notary is None
    await two_tenants(database)
