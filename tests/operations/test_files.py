"""An exported record is checked without the gateway, and whatever was changed in it is found."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.audit import CANONICAL_FIELDS, hash_of
from app.operations.verifying import Report, verify_file
from app.storage.notary import Notary
from tests.operations.recording import notary_in

Lines = list[dict[str, Any]]
TENANT = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def notary(tmp_path: Path) -> Notary:
    return notary_in(tmp_path)


def exported(notary: Notary, names: list[str], start: int = 7, skipped: tuple[int, ...] = (), days: int = 9) -> Lines:
    """What the gateway exports of a chain, by arithmetic that is not the gateway's."""
    lines: Lines = []
    before: str | None = "0" * 64
    for number, name in enumerate(names, start):
        fields: dict[str, Any] = dict.fromkeys(CANONICAL_FIELDS, "x") | {"changes": [], "version": "1"}
        fields |= {"sequence": str(number), "previous_hash": before, "object_name": name, "tenant_id": TENANT}
        fields["creation_time"] = f"2026-06-{days:02}T00:00:00.000000Z"
        before = hash_of(fields)
        lines += [] if number in skipped else [fields | {"hash": before}]
    digest = hashlib.sha256("".join(line["hash"] for line in lines).encode()).hexdigest()
    last = {"sequence": start + len(names) - 1, "hash": before} if names else {"sequence": None, "hash": None}
    closing = {"kind": "export", "tenant": TENANT, "moment": "now", "from": "2026-05-27", "to": "2026-11-23", **last}
    closing["readable_since"] = "2026-06-01T00:00:00.000000Z"
    return [*lines, notary.sign(closing | {"entries": len(lines), "digest": digest})]


def verified(folder: Path, lines: Lines, notary: Notary) -> Report:
    return verified_bytes(folder, b"".join(map(written, lines)), notary)


def written(line: dict[str, Any]) -> bytes:
    return orjson.dumps(line, option=orjson.OPT_SORT_KEYS) + b"\n"


def verified_bytes(folder: Path, content: bytes, notary: Notary) -> Report:
    file = folder / "audit.ndjson"
    file.write_bytes(content)
    return verify_file(file, [notary.public_key])


def test_a_file_as_it_was_exported_is_whole(tmp_path: Path, notary: Notary) -> None:
    report = verified(tmp_path, exported(notary, ["a", "b", "c"]), notary)

    assert report.is_whole
    assert str(report).startswith("audit.ndjson: 3 entries (7 to 9): whole")


def test_a_file_without_entries_is_whole(tmp_path: Path, notary: Notary) -> None:
    assert verified(tmp_path, exported(notary, []), notary).is_whole


def test_a_gap_is_where_an_entry_had_become_too_old_and_nowhere_else(tmp_path: Path, notary: Notary) -> None:
    edge, later = (exported(notary, ["a", "b", "c", "d", "e"], skipped=(8,), days=days) for days in (1, 2))

    assert verified(tmp_path, edge, notary).is_whole
    assert verified(tmp_path, later, notary).findings.shown == ["entry 8 is missing"]
    assert "entry 10 is missing" in verified(tmp_path, [*edge[:2], *edge[3:]], notary).findings.shown


TAMPERED: dict[str, tuple[Callable[[Lines], Lines], str]] = {
    "an edit": (lambda lines: [lines[0] | {"object_name": "z"}, *lines[1:]], "entry 7 was edited"),
    "the first deleted": (lambda lines: lines[1:], "these are not the 4 entries that were signed"),
    "one deleted": (lambda lines: [*lines[:1], *lines[2:]], "entry 8 is missing"),
    "the last deleted": (lambda lines: [*lines[:3], lines[4]], "these are not the 4 entries"),
    "two swapped": (lambda lines: [lines[1], lines[0], *lines[2:]], "entry 7 stands before the beginning"),
    "one twice": (lambda lines: [*lines[:2], *lines[1:]], "entry 8 is there after entry 8"),
    "cut off": (lambda lines: lines[:-1], "there is no signed end: the file was cut off"),
    "something after the end": (lambda lines: [*lines, lines[0]], "line 6 comes after the signed end"),
    "another end": (
        lambda lines: [*lines[:-1], lines[-1] | {"entries": 5}],
        "the end of the file has a wrong signature",
    ),
    "no entry": (lambda lines: [{"sequence": "many"}, *lines], "line 1 is not an entry"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_what_was_done_to_a_file_is_said(name: str, tmp_path: Path, notary: Notary) -> None:
    tamper, said = TAMPERED[name]

    report = verified(tmp_path, tamper(exported(notary, ["a", "b", "c", "d"])), notary)

    assert not report.is_whole
    assert any(said in finding for finding in report.findings.shown), report.findings.shown


def test_a_file_of_another_key_or_form_is_not_taken(tmp_path: Path, notary: Notary) -> None:
    content = b"".join(map(written, exported(notary, ["a", "b"])))

    assert "wrong signature" in str(verified_bytes(tmp_path, content, notary_in(tmp_path)))
    assert "line 1 is not as it was exported" in str(verified_bytes(tmp_path, content.replace(b"\n", b"\r\n"), notary))
    assert "line 1 is not as it was exported" in str(verified_bytes(tmp_path, b"{]\n" + content, notary))
    twice = content.replace(b'"object_name":"a"', b'"object_name":"z","object_name":"a"')
    assert "line 1 is not as it was exported" in str(verified_bytes(tmp_path, twice, notary))


def test_a_signed_head_does_not_close_a_file(tmp_path: Path, notary: Notary) -> None:
    lines = exported(notary, ["a", "b"])
    head = {"kind": "head", "tenant": TENANT, "sequence": 7, "hash": lines[0]["hash"], "moment": "now"}

    assert not verified(tmp_path, [lines[0], notary.sign(head)], notary).is_whole


HOW = st.sampled_from(["edit", "rehash", "remove", "cut", "swap", "rechain", "insert", "closing"])


def tampered(lines: Lines, how: str, one: int, two: int, name: str) -> Lines:
    """One way of tampering; the numbers choose where."""
    entries = lines[:-1]
    this, other = one % len(entries), (one + 1 + two % (len(entries) - 1)) % len(entries)
    forged = entries[this] | {name: f"{entries[this][name]}!"}
    match how:
        case "edit":
            return [*lines[:this], forged, *lines[this + 1 :]]
        case "rehash":
            return [*lines[:this], rehashed(forged), *lines[this + 1 :]]
        case "remove":
            return [*lines[: one % len(lines)], *lines[one % len(lines) + 1 :]]
        case "cut":
            return [*lines[:this], lines[-1]] if two % 2 else lines[: this + 1]
        case "swap":
            entries[this], entries[other] = entries[other], entries[this]
        case "rechain":
            entries = [*entries[:this], *rechained(forged, entries[this + 1 :])]
        case "insert":
            entries = [*entries[: this + 1], *rechained(forged, entries[this + 1 :])]
        case "closing":
            return [*entries, lines[-1] | {"tenant": "another's"}]
    return [*entries, lines[-1]]


def rehashed(line: dict[str, Any]) -> dict[str, Any]:
    fields = {key: value for key, value in line.items() if key != "hash"}
    return fields | {"hash": hash_of(fields)}


def rechained(first: dict[str, Any], rest: Lines) -> Lines:
    made = [rehashed(first | {"object_name": "forged"})]
    for line in rest:
        made.append(rehashed(line | {"previous_hash": made[-1]["hash"]}))
    return made


def test_any_tampering_with_any_file_is_found(tmp_path: Path, notary: Notary, is_long: bool) -> None:
    names = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=2, max_size=8)
    numbers = st.integers(0, 10_000)

    @settings(max_examples=20_000 if is_long else 300)
    @given(names, HOW, numbers, numbers, st.sampled_from(CANONICAL_FIELDS))
    def check(names: list[str], how: str, one: int, two: int, name: str) -> None:
        lines = exported(notary, names)

        assert verified(tmp_path, lines, notary).is_whole
        assert not verified(tmp_path, tampered(lines, how, one, two, name), notary).is_whole

    check()
