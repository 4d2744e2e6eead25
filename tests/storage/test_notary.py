"""Keys, signatures, and lines that several processes append."""

import multiprocessing
import stat
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from app.domain.chains import Findings
from app.domain.heads import Kind, state
from app.storage.head_files import read_heads
from app.storage.notary import AuditKeyRefused, Notary, append_line, is_signed, make_key, read_private, read_public

TENANT = "11111111-1111-4111-8111-111111111111"
LINES = 400


def test_a_key_is_for_its_owner_alone_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"

    public = make_key(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert public == tmp_path / "key.pem.pub"
    assert read_private(path).public_key() == read_public(public)
    with pytest.raises(AuditKeyRefused, match="File exists"):
        make_key(path)
    with pytest.raises(AuditKeyRefused, match="No such file"):
        make_key(tmp_path / "nowhere" / "key.pem")


def test_what_is_no_ed25519_key_is_refused(tmp_path: Path) -> None:
    path, other = tmp_path / "key.pem", rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem, spki = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    contents = {
        "private": other.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        "public": other.public_key().public_bytes(pem, spki),
        "text": b"hello",
    }

    for name, read in (
        ("private", read_private),
        ("public", read_public),
        ("text", read_private),
        ("text", read_public),
    ):
        path.write_bytes(contents[name])
        with pytest.raises(AuditKeyRefused, match=r"key\.pem"):
            read(path)
    with pytest.raises(AuditKeyRefused, match="cannot be read"):
        read_private(tmp_path / "nothing")


def test_a_signature_is_for_one_statement_of_one_kind(tmp_path: Path) -> None:
    make_key(tmp_path / "key.pem")
    notary = Notary(read_private(tmp_path / "key.pem"), tmp_path)
    keys = [notary.public_key]
    signed = notary.sign(state(Kind.HEAD, TENANT, 7, "abc", "now"))

    assert is_signed(signed, keys)
    for change in ({"kind": "anchor"}, {"sequence": 8}, {"tenant": "t"}, {"signature": "zz"}, {"signature": None}):
        assert not is_signed(signed | change, keys)  # type: ignore[operator]
    assert not is_signed(signed, [])


def write_many(path: Path, mark: str) -> None:
    for number in range(LINES):
        append_line(path, orjson.dumps({"mark": mark, "number": number, "filling": "x" * 200}))


def test_processes_that_append_together_do_not_mix_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "heads.jsonl"
    context = multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else None)
    processes = [context.Process(target=write_many, args=(path, mark)) for mark in "abcd"]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    lines = [orjson.loads(line) for line in path.read_bytes().splitlines() if line]

    assert len(lines) == 4 * LINES
    for mark in "abcd":
        assert [line["number"] for line in lines if line["mark"] == mark] == list(range(LINES))


def test_a_line_after_one_that_was_cut_off_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "heads.jsonl"
    path.write_bytes(b'{"whole":1}\n{"cut')

    append_line(path, b'{"next":1}')

    assert path.read_bytes() == b'{"whole":1}\n{"cut\n{"next":1}\n'


def test_heads_are_read_in_the_order_of_the_chain(tmp_path: Path) -> None:
    make_key(tmp_path / "key.pem")
    notary = Notary(read_private(tmp_path / "key.pem"), tmp_path)
    for sequence in (3, 1, 9, 2):
        notary.file(notary.sign(state(Kind.HEAD, TENANT, sequence, f"h{sequence}", "now")))
    notary.file(notary.sign(state(Kind.ANCHOR, TENANT, 2, "h2", "now")))
    findings = Findings()

    with read_heads(tmp_path / f"{TENANT}.jsonl", TENANT, [notary.public_key], findings) as filed:
        assert [(head.sequence, head.line) for head in filed.heads()] == [(1, 2), (2, 4), (3, 1), (9, 3)]
        assert [anchor.sequence for anchor in filed.anchors()] == [2]

    assert findings.count == 0
