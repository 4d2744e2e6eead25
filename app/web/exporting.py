"""`GET /audit.csv` and `GET /audit.ndjson`: the own tenant's record as a stream, for whoever may read it."""

import csv
import hashlib
import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import RowMapping
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.domain.audit import READABLE, as_bytes
from app.domain.heads import Kind, Statement, state
from app.domain.moments import print_instant
from app.domain.permissions import Permission
from app.domain.refusals import Problem, ProblemCode, bad_argument
from app.execution.answers import refused
from app.operations.attempts import complete_record
from app.operations.changing import shielded
from app.reading.record import Days, Record, readable_days
from app.storage.engines import Database
from app.storage.notary import Notary
from app.storage.stored_entries import fields_of
from app.web.authenticating import Authenticator
from app.web.endpoint import REQUEST_ID, Clock, respond
from app.web.negotiating import JSON

COLUMNS = {
    "activity.category": "category",
    "activity.objectName": "object_name",
    "activity.operation": "operation",
    "activity.resultStatus": "result_status",
    "activity.tenantId": "tenant_id",
    "creationTime": "creation_time",
    "user.userId": "user_id",
    "user.userTenantId": "user_tenant_id",
}
"""The documented columns in their order (AUD-8), and what each is read from."""
FORMULA = re.compile(r"[\t\r\n]|\s*[=+\-@＝＋－＠]")
"""How a cell begins that a spreadsheet would run instead of show."""
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
DOCUMENTED = "documented"
Lines = Callable[[Record, Days], AsyncIterator[bytes]]


@dataclass(frozen=True)
class AuditExport:
    """Streams the record. A stream that cannot be carried to its end breaks off, so that nobody takes it for whole."""

    authenticator: Authenticator
    database: Database
    clock: Clock

    async def csv(self, request: Request) -> Response:
        """The documented columns, for people and their spreadsheets."""

        def lines(record: Record, days: Days) -> AsyncIterator[bytes]:
            return csv_lines(record, days, documented="categories" in request.query_params)

        return await self._answer(request, "csv", "text/csv", lines, "categories")

    def ndjson(self, notary: Notary) -> Callable[[Request], Awaitable[Response]]:
        """Everything, with what is needed to check it without this service; its last line is signed."""

        async def answer(request: Request) -> Response:
            def lines(record: Record, days: Days) -> AsyncIterator[bytes]:
                return signed_lines(record, days, notary)

            return await self._answer(request, "ndjson", "application/x-ndjson", lines)

        return answer

    async def _answer(self, request: Request, kind: str, media_type: str, lines: Lines, *options: str) -> Response:
        """Who asks is settled first, then whether they may, then what is asked."""
        now = self.clock()
        try:
            tokens = request.headers.getlist("authorization")
            caller = await self.authenticator.caller(tokens, now, request.scope[REQUEST_ID])
            record = Record(self.database, caller.viewer, now)
            await require_reader(record)
            await shielded(complete_record(self.database, caller.viewer, now, request.scope[REQUEST_ID]))
            days = read_days(request.query_params, readable_days(now), *options)
        except Problem as problem:
            return respond(refused(problem), JSON)
        name = f'attachment; filename="audit-{days.first}-{days.last}.{kind}"'
        headers = {"Content-Disposition": name, "Content-Type": f"{media_type}; charset=utf-8"}
        if request.method == "HEAD":
            return Response(headers=headers)
        return StreamingResponse(lines(record, days), headers=headers)


async def require_reader(record: Record) -> None:
    """Returns for who may read the record. Raises a `Problem` of code FORBIDDEN (AUD-3)."""
    if not await record.is_readable():
        missing = Permission.AUDIT_VIEW.name
        message = f"You need {missing} in your own organization to read its record."
        raise Problem(ProblemCode.FORBIDDEN, message, missing=missing)


# --- what is asked ---------------------------------------------------------------------------------------------------


def read_days(asked: QueryParams, readable: Days, *options: str) -> Days:
    """The days that are asked for, of those that can be read. Raises a `Problem` of code BAD_ARGUMENT."""
    known = ("from", "to", *options)
    for name, value in asked.multi_items():
        if name not in known:
            raise bad_argument(name, f"There is no `{name}` here; known are {', '.join(known)}.")
        if len(asked.getlist(name)) > 1:
            raise bad_argument(name, f"Give `{name}` once.")
        if name == "categories" and value != DOCUMENTED:
            raise bad_argument(name, f"`categories` is `{DOCUMENTED}`, or left out for all.")
    last = read_day("to", asked["to"]) if "to" in asked else readable.last
    first = read_day("from", asked["from"]) if "from" in asked else min(readable.first, last)
    if first > last:
        raise bad_argument("from", f"`from` is {first}, after `to`, {last}.")
    return Days(first, last)


def read_day(name: str, value: str) -> date:
    """A day. Raises a `Problem` of code BAD_ARGUMENT."""
    try:
        return date.fromisoformat(value if DAY.fullmatch(value) else "")
    except ValueError:
        raise bad_argument(name, f"`{name}` is a day in UTC such as 2026-11-23.") from None


# --- what is answered ------------------------------------------------------------------------------------------------


async def csv_lines(record: Record, days: Days, *, documented: bool) -> AsyncIterator[bytes]:
    """The header, and a line for each entry (RFC 4180)."""
    yield as_csv([list(COLUMNS)])
    async for page in record.of_days(days, documented=documented):
        yield as_csv([[as_cell(row[name]) for name in COLUMNS.values()] for row in page])


def as_csv(rows: Sequence[Sequence[str]]) -> bytes:
    """Rows as they are written."""
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue().encode()


def as_cell(value: str | None) -> str:
    """A text that a spreadsheet shows and does not run (domain.md 7 #64)."""
    cell = value or ""
    return f"'{cell}" if FORMULA.match(cell) else cell


async def signed_lines(record: Record, days: Days, notary: Notary) -> AsyncIterator[bytes]:
    """A line for each entry with its hash, and the line that signs them all."""
    digest, count, last = hashlib.sha256(), 0, None
    async for page in record.without_gaps(days):
        yield b"".join(as_line(row) for row in page)
        count, last = count + len(page), page[-1]
        for row in page:
            digest.update(row["hash"].encode())
    said = closing(record, last) | {"entries": count, "digest": digest.hexdigest()}
    said |= {"from": str(days.first), "to": str(days.last), "readable_since": print_instant(record.moment - READABLE)}
    yield as_bytes(notary.sign(said)) + b"\n"


def as_line(row: RowMapping) -> bytes:
    """An entry with everything that its hash is over."""
    return as_bytes(fields_of(row) | {"hash": row["hash"]}) + b"\n"


def closing(record: Record, last: RowMapping | None) -> Statement:
    """The statement up to where the chain was exported."""
    sequence, chain_hash = (last["sequence"], last["hash"]) if last else (None, None)
    return state(Kind.EXPORT, record.viewer.tenant_id, sequence, chain_hash, print_instant(record.moment))
