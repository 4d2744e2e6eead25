"""Reading the signed statements about a chain in the order of the chain, however many there are."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from app.domain.chains import Findings, Head
from app.domain.heads import Kind, Statement
from app.storage.notary import Keys, is_signed


@dataclass(frozen=True)
class HeadFile:
    """The statements about one tenant's chain, sorted in a temporary file."""

    connection: sqlite3.Connection

    def heads(self) -> Iterator[Head]:
        """Where the chain stood, in its order."""
        return map(Head._make, self._of(Kind.HEAD))

    def anchors(self) -> Iterator[Head]:
        """Up to where it was purged, in its order."""
        return map(Head._make, self._of(Kind.ANCHOR))

    def _of(self, kind: Kind) -> sqlite3.Cursor:
        asked = "select sequence, hash, moment, line from statements where kind = ? order by sequence, line"
        return self.connection.execute(asked, (kind.value,))


@contextmanager
def read_heads(path: Path, tenant_id: str, keys: Keys, findings: Findings) -> Iterator[HeadFile]:
    """The good lines of a file; what is wrong with the others goes to the findings."""
    with closing(sqlite3.connect("")) as connection:
        connection.execute("create table statements (kind, sequence integer, hash, moment, line integer)")
        lines = good_lines(path, tenant_id, keys, findings)
        connection.executemany("insert into statements values (?, ?, ?, ?, ?)", lines)
        connection.execute("create index in_order on statements (kind, sequence, line)")
        yield HeadFile(connection)


def good_lines(path: Path, tenant_id: str, keys: Keys, findings: Findings) -> Iterator[tuple[object, ...]]:
    """Each line that is a signed statement about this tenant."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            statement = read_statement(line)
            if statement is None or statement.get("tenant") != tenant_id:
                findings.add(f"line {number} of {path.name} is not a statement about this tenant")
            elif not is_signed(statement, keys):
                findings.add(f"line {number} of {path.name} has a wrong signature")
            else:
                yield (*(statement[name] for name in ("kind", "sequence", "hash", "moment")), number)


def read_statement(line: bytes) -> Statement | None:
    """The statement in a line, or None."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None
