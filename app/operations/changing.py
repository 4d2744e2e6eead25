"""A change as a client asks for it: once however often it is sent, whole or not at all, its failures as data.

It runs shielded: a client that goes away leaves neither half a change nor a lock.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import orjson
from sqlalchemy import tuple_
from sqlmodel import SQLModel, col, delete, select

from app.access.scoping import unscoped
from app.access.viewer import Caller
from app.domain.refusals import ErrorCode, Refused, RefusedTogether, invalid_input, to_record
from app.operations.attempts import record_refusal
from app.operations.commands import Results
from app.operations.work import Work
from app.reading.reader import Trial
from app.storage.dialects import insert_if_absent
from app.storage.engines import Database
from app.storage.global_ids import global_id
from app.storage.tables import IdempotencyRecord

REPLAY = timedelta(hours=24)
"""How long the same request again is answered alike."""
MAX_KEY_LENGTH = 128
UNDER_WAY: set[asyncio.Task[Any]] = set()
"""Changes that run; the event loop alone would forget one that nobody waits for."""
STOPS_WITHIN_SECONDS = 15.0
"""Longer than a change waits for the database's lock."""
Answer = TypeVar("Answer")
Operation = Callable[[Work], Awaitable[Results]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A change that somebody asks for: which, with what input, and under which key if it may be sent again."""

    mutation: str
    input: Mapping[str, Any]
    idempotency_key: str | None = None
    is_dry_run: bool = False

    @property
    def digest(self) -> str:
        """What tells one input from another."""
        return hashlib.sha256(orjson.dumps(self.input, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it: global ids and numbers by the payload's fields, or why not."""

    results: Mapping[str, Any] = field(default_factory=dict)
    refusals: tuple[Refused, ...] = ()
    trial: Trial | None = None
    """The open transaction of a dry run, in which the results are."""


@dataclass(frozen=True, slots=True)
class Changer:
    """Makes changes for one caller at one moment."""

    database: Database
    caller: Caller
    moment: datetime
    request_id: str

    async def change(self, asked: Asked, operate: Operation, stack: AsyncExitStack) -> Outcome:
        """What became of the change. A dry run stays open to be read until the stack is closed, and is undone then."""
        if asked.is_dry_run:
            return await told(self._try_out(operate, stack))
        return await shielded(self._attempt(asked, operate))

    async def _attempt(self, asked: Asked, operate: Operation) -> Outcome:
        """What became of it. A refusal that belongs on the record is there, though nothing else is left of it."""
        outcome = await told(self._change(asked, operate))
        if (refused := to_record(outcome.refusals)) is not None:
            async with self._begin() as work:
                await record_refusal(work, asked.mutation, asked.input, refused)
        return outcome

    async def _change(self, asked: Asked, operate: Operation) -> Outcome:
        async with self._begin() as work:
            claimed = await claim(work, asked)
            if claimed.answered is not None:
                return Outcome(claimed.answered)
            results = named(await operate(work))
            claimed.keep(results)
            return Outcome(results)

    def _begin(self) -> AbstractAsyncContextManager[Work]:
        return Work.begin(self.database, self.caller.viewer, self.moment, self.request_id, self.caller)

    async def _try_out(self, operate: Operation, stack: AsyncExitStack) -> Outcome:
        session = await stack.enter_async_context(self.database.writing())
        trial = Trial(session)
        stack.push_async_callback(trial.end)
        work = Work(session, self.caller.viewer, self.moment, self.request_id, self.caller)
        return Outcome(await trial.use(lambda _: rehearse(work, operate)), trial=trial)


async def rehearse(work: Work, operate: Operation) -> dict[str, Any]:
    """What the change would answer, written and not committed."""
    await work.watch()
    results = await operate(work)
    await work.session.flush()
    return named(results)


async def told(change: Awaitable[Outcome]) -> Outcome:
    """What became of the change, its refusals as data."""
    try:
        return await change
    except Refused as refused:
        return Outcome(refusals=(refused,))
    except RefusedTogether as refused:
        return Outcome(refusals=refused.refusals)


async def shielded(change: Coroutine[Any, Any, Answer]) -> Answer:
    """What becomes of the change, which goes on to its end if the caller goes away."""
    task = asyncio.create_task(change)
    UNDER_WAY.add(task)
    task.add_done_callback(UNDER_WAY.discard)
    return await asyncio.shield(task)


async def finish(within: float = STOPS_WITHIN_SECONDS) -> None:
    """Returns when no change is under way any more: each has been made, or, where time was up, undone."""
    late = set(UNDER_WAY)
    if late:
        _, late = await asyncio.wait(late, timeout=within)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)


def named(results: Results) -> dict[str, Any]:
    """The results as they are kept: rows by their global ids."""
    return {name: global_id(value) if isinstance(value, SQLModel) else value for name, value in results.items()}


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that is this change's alone until it ends; nothing where the client gave none."""

    record: IdempotencyRecord | None = None
    answered: Mapping[str, Any] | None = None
    """What was answered under it before."""

    def keep(self, results: Mapping[str, Any]) -> None:
        """Let these be answered again."""
        if self.record is not None:
            self.record.results = dict(results)


async def claim(work: Work, asked: Asked) -> Claim:
    """The key of this change, with what was answered under it in the last 24 hours.

    Whoever sends the same key at the same time waits here until the first is done. Raises `Refused` for another input.
    """
    if asked.idempotency_key is None:
        return Claim()
    if not 1 <= len(asked.idempotency_key) <= MAX_KEY_LENGTH:
        message = f"An idempotency key has 1 to {MAX_KEY_LENGTH} characters."
        raise invalid_input(message, "idempotencyKey", minimum=1, maximum=MAX_KEY_LENGTH)
    values = {"mutation": asked.mutation, "idempotency_key": asked.idempotency_key}
    values |= {"tenant_id": work.asker.tenant_id, "principal_id": work.asker.principal_id}
    fresh = values | {"input_digest": asked.digest, "results": {}, "created_at": work.moment}
    made = await work.session.exec(insert_if_absent(IdempotencyRecord, work.dialect).values(fresh))
    same = select(IdempotencyRecord).filter_by(**values).with_for_update()
    record = (await work.session.exec(unscoped(same, "a caller's own keys, which no query shows"))).one()
    if made.rowcount or record.created_at + REPLAY <= work.moment:
        record.results, record.input_digest, record.created_at = {}, asked.digest, work.moment
        await forget_old(work)
        return Claim(record)
    if record.input_digest != asked.digest:
        message = "This idempotency key was used for another input."
        raise Refused(ErrorCode.IDEMPOTENCY_MISMATCH, message, ("input", "idempotencyKey"))
    return Claim(record, record.results)


async def forget_old(work: Work) -> None:
    """Throw away what the tenant's people would not be answered again, but for what somebody claims just now."""
    table = IdempotencyRecord
    key = tuple_(col(table.tenant_id), col(table.principal_id), col(table.mutation), col(table.idempotency_key))
    old = col(table.tenant_id) == work.asker.tenant_id, col(table.created_at) <= work.moment - REPLAY
    unclaimed = select(*key.clauses).where(*old).with_for_update(skip_locked=True)
    gone = delete(table).where(key.in_(unclaimed)).execution_options(synchronize_session=False)
    await work.session.exec(unscoped(gone, "old answers are thrown away unseen"))
