"""A change as a client asks for it: once however often it is sent, whole or not at all, its failures as data.

It runs shielded: a client that goes away leaves neither half a change nor a lock.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlmodel import SQLModel, select

from app.access.scoping import unscoped
from app.access.viewer import Caller
from app.domain.refusals import ErrorCode, Refused, RefusedTogether, invalid_input
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
        try:
            if asked.is_dry_run:
                return await self._try_out(operate, stack)
            return await shielded(self._change(asked, operate))
        except Refused as refused:
            return Outcome(refusals=(refused,))
        except RefusedTogether as refused:
            return Outcome(refusals=refused.refusals)

    async def _change(self, asked: Asked, operate: Operation) -> Outcome:
        async with Work.begin(self.database, self.caller.viewer, self.moment, self.request_id, self.caller) as work:
            record = await claim(work, asked)
            if record is not None and record.results:
                return Outcome(record.results)
            results = named(await operate(work))
            if record is not None:
                record.results = dict(results)
            return Outcome(results)

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


async def shielded(change: Coroutine[Any, Any, Outcome]) -> Outcome:
    """What becomes of the change, which goes on to its end if the caller goes away."""
    task = asyncio.create_task(change)
    UNDER_WAY.add(task)
    task.add_done_callback(UNDER_WAY.discard)
    return await asyncio.shield(task)


def named(results: Results) -> dict[str, Any]:
    """The results as they are kept: rows by their global ids."""
    return {name: global_id(value) if isinstance(value, SQLModel) else value for name, value in results.items()}


async def claim(work: Work, asked: Asked) -> IdempotencyRecord | None:
    """The record of this key, new or with what was answered before; None without a key.

    Whoever sends the same key at the same time waits here until the first is done. Raises `Refused` for another input.
    """
    if asked.idempotency_key is None:
        return None
    if not 1 <= len(asked.idempotency_key) <= MAX_KEY_LENGTH:
        message = f"An idempotency key has 1 to {MAX_KEY_LENGTH} characters."
        raise invalid_input(message, "idempotencyKey", minimum=1, maximum=MAX_KEY_LENGTH)
    values = {"mutation": asked.mutation, "idempotency_key": asked.idempotency_key}
    values |= {"tenant_id": work.asker.tenant_id, "principal_id": work.asker.principal_id}
    fresh = values | {"input_digest": asked.digest, "results": {}, "created_at": work.moment}
    await work.session.exec(insert_if_absent(IdempotencyRecord, work.dialect).values(fresh))
    same = select(IdempotencyRecord).filter_by(**values).with_for_update()
    record = (await work.session.exec(unscoped(same, "a caller's own keys, which no query shows"))).one()
    if record.created_at + REPLAY <= work.moment:
        record.results, record.input_digest, record.created_at = {}, asked.digest, work.moment
    if record.input_digest != asked.digest:
        message = "This idempotency key was used for another input."
        raise Refused(ErrorCode.IDEMPOTENCY_MISMATCH, message, ("input", "idempotencyKey"))
    return record
