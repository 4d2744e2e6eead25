"""How a change is asked for in the graph: what inputs and payloads have in common, and the one way all of them run."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import strawberry

from app.graph.context import Info
from app.graph.declaring import ANYONE, PART, Approvable, make, resolved, unannotated
from app.graph.errors import show_refusal
from app.graph.types import load_node
from app.operations.changing import Asked, Operation
from app.operations.commands import Command, Results
from app.operations.holding import perform
from app.operations.work import Work

IDEMPOTENCY = (
    "A word of your own, 1 to 128 characters. Send the same change with the same word again, and it is answered again "
    "without being done twice, for 24 hours."
)
APPROVAL = "The request that waits for the customer's approval, if the change is held; nothing changed yet."
ERRORS = "Why it was refused; empty if it was done."
INPUT = strawberry.argument(description="What to do.")
VERSION = "The `version` you read; refused if the object changed since."


def required(description: str) -> Any:
    """A field of an input that has to be given."""
    return strawberry.field(description=description)


def optional(description: str, default: Any = None) -> Any:
    """A field of an input that may be left out."""
    return strawberry.field(default=default, description=description)


def chosen(description: str) -> Any:
    """A field of an input that may be left out, which is not the same as null."""
    return strawberry.field(default=strawberry.UNSET, description=description)


def several(description: str) -> Any:
    """A list in an input, empty if it is left out."""
    return strawberry.field(default_factory=list, description=description)


def result(name: str, description: str) -> Any:
    """An object that the change made or changed, as the caller sees it now; null if it was refused."""

    async def resolve(root: strawberry.Parent[Any], info: Info) -> Any:
        identifier = root.results.get(name)
        return None if identifier is None else await fetch(info, identifier)

    return resolved(unannotated(resolve), description, right=PART)


async def fetch(info: Info, identifier: str) -> Any:
    """The object as it is selected here: by a plan, or, where there is none, field by field."""
    planned = info.context.planned
    finished = None if planned is None else await planned(info, identifier)
    return await load_node(info, identifier) if finished is None else finished


def given(asked: Any) -> dict[str, Any]:
    """The fields of an input that the client gave, null among them; what was left out is absent."""
    values = {each.name: getattr(asked, each.name) for each in fields(asked)}
    return {
        name: given(value) if is_dataclass(value) else value
        for name, value in values.items()
        if value is not strawberry.UNSET
    }


async def change(info: Info, payload: type[Any], asked: Any, operate: Operation) -> Any:
    """The payload that says what became of a change."""
    values = given(asked)
    dry_run, key = values.pop("dry_run", False), values.pop("idempotency_key", None)
    outcome = await info.context.change(Asked(info.field_name, values, key, dry_run), operate)
    return make(payload, results=outcome.results, errors=[show_refusal(each) for each in outcome.refusals])


async def change_by(info: Info, payload: type[Any], asked: Any, command: type[Command]) -> Any:
    """The payload that says what became of a change that a customer can hold: done, held or refused."""
    values = {name: value for name, value in given(asked).items() if name != "idempotency_key"}

    async def operate(work: Work) -> Results:
        return await perform(work, command(**values), info.context.service.approval_lifetime)

    return await change(info, payload, asked, operate)


def mutation(operate: Any, description: str) -> Any:
    """A mutation; who may do it is said by its operation."""
    return resolved(unannotated(operate), description, right=ANYONE)


def approvable(operate: Any, description: str, command: type[Command]) -> Any:
    """A mutation that a customer can hold for approval."""
    field = mutation(operate, description)
    field.directives = [*field.directives, Approvable(event=command.event)]
    return field
