"""From a request to an answer: one document, one operation, every error with a known code."""

import asyncio
import logging
import re
import traceback
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol
from weakref import WeakValueDictionary

import orjson
from graphql import GraphQLError, GraphQLSchema, OperationType, VariableDefinitionNode, print_ast
from graphql.execution.values import VariableValues

from app.config import Limits
from app.domain.refusals import Problem, ProblemCode, bad_argument
from app.execution.bodies import GraphQLRequest
from app.execution.documents import DocumentRefused, Documents, Operation
from app.execution.executions import Execution

log = logging.getLogger("gateway.graphql")
RUNS_AT_ONCE = 4
"""Queries of one tenant run field by field at a time. They take turns anyway, and each takes a megabyte meanwhile, or
more. Those of another tenant wait for none of them.
"""
MAX_ERRORS = 100
"""Errors of one answer; a page of the largest size can have one for each of its objects."""
ARGUMENT = re.compile(r"Argument '(\w+)' ")
"""How graphql-core begins when a value shows only at run time that it does not fit, as a null in a variable does."""
VARIABLE = re.compile(
    r"Variable '\$\w+' has invalid value(?: at (?P<place>[\w.\[\]]{1,200}))?: "
    r"(?:Expected value of type '(?P<type>\w+)' (?:to include required field '(?P<lacking>\w+)'|(?P<unknown>not to)))?"
)
"""How graphql-core says what is wrong with a variable, up to where the client's own values begin."""
MAX_PLACES = 12
"""Frames of a traceback that are logged."""
PLACES = ("locations", "path")
"""Details that GraphQL has a place for outside of `extensions`."""
MASKED = "Something went wrong here. It was logged under the request id; tell it to who runs this service."


@dataclass(slots=True)
class Answer:
    """What is answered: data unless nothing ran, and errors."""

    errors: Sequence[dict[str, Any]] = ()
    data: Any = None
    ran: bool = False
    """Whether the operation was run at all; without it there is no `data` in the answer."""
    understood: bool = False
    """Whether there was a request of GraphQL to answer, even if its document or variables were refused."""
    written: bytes | None = None
    """The whole as JSON, where a planner wrote it."""

    def to_bytes(self) -> bytes:
        """The answer as JSON."""
        if self.written is not None:
            return self.written
        body: dict[str, Any] = {"data": self.data} if self.ran else {}
        if self.errors:
            body["errors"] = list(self.errors)
        return orjson.dumps(body)

    @property
    def code(self) -> ProblemCode | None:
        """The code of a request that was not run."""
        return None if self.ran else ProblemCode(self.errors[0]["extensions"]["code"])


def refused(*problems: Problem) -> Answer:
    """The answer to what is no request, or not one of somebody who may ask."""
    return Answer([show(problem) for problem in problems])


def show(problem: Problem, **where: Any) -> dict[str, Any]:
    """A problem as an error of the answer."""
    places = {name: problem.details[name] for name in PLACES if problem.details.get(name)}
    details = {name: value for name, value in problem.details.items() if name not in PLACES}
    return {"message": problem.message} | places | where | {"extensions": {"code": problem.code.value, **details}}


class NotAdmitted(Exception):
    """Who asks may not ask at all."""


class Planner(Protocol):
    """Answers whole operations in another way than field by field."""

    async def answer(self, operation: Operation, variables: VariableValues, context: Any) -> bytes | None:
        """The whole answer as JSON; None where there is no other way. Raises `NotAdmitted`."""

    async def admit(self, context: Any) -> None:
        """Returns if who asks may ask. Raises `NotAdmitted`."""


class Engine:
    """Runs requests against one schema, by the planner where it can.

    It holds documents from the second time on, or `at_once`.
    """

    def __init__(
        self, schema: GraphQLSchema, limits: Limits, planner: Planner | None = None, *, at_once: bool = False
    ) -> None:
        self._schema, self._planner = schema, planner
        self.documents = Documents(schema, limits, at_once=at_once)
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def answer(self, request: GraphQLRequest, context: Any, request_id: str) -> Answer:
        """The answer to a request. Raises `NotAdmitted`, and nothing else that a client can cause.

        Nothing is run, and nothing is said of what was asked, before it is known that who asks may ask.
        """
        try:
            return await self._run(request, context, request_id)
        except NotAdmitted:
            raise
        except DocumentRefused as refusal:
            problems = refusal.problems
        except Problem as problem:
            problems = (problem,)
        except Exception as defect:  # noqa: BLE001 - whatever it is, the client gets an answer without our insides
            problems = (internal(defect, request_id),)
        await self.admit(context)
        return Answer([show(problem) for problem in problems], understood=True)

    async def _run(self, request: GraphQLRequest, context: Any, request_id: str) -> Answer:
        document = self.documents.get(request.query)
        operation = document.operation(request.operation_name)
        operation.nodes.check(request.variables)
        variables = operation.variables.read(request.variables)
        if isinstance(variables, list):
            raise DocumentRefused(about_variables(variables))
        if self._planner and (written := await self._planner.answer(operation, variables, context)) is not None:
            return Answer(ran=True, understood=True, written=written)
        await self.admit(context)
        execution = Execution.of(self._schema, document.ast, operation.name, request.variables, context)
        if isinstance(execution, list):
            raise DocumentRefused(about_variables(execution))
        async with self._turn(operation, context):
            result = await execution.result()
        errors = [describe(error, request_id) for error in (result.errors or [])[:MAX_ERRORS]]
        return Answer(errors, result.data, ran=True, understood=True)

    def _turn(self, operation: Operation, context: Any) -> AbstractAsyncContextManager[None]:
        """What is held while the operation runs. A change waits for others, and would keep all from reading."""
        if operation.kind is not OperationType.QUERY:
            return nullcontext()
        return self._turns.setdefault(context.viewer.tenant_id, asyncio.Semaphore(RUNS_AT_ONCE))

    async def admit(self, context: Any) -> None:
        """Returns if who asks may ask. Raises `NotAdmitted`."""
        if self._planner:
            await self._planner.admit(context)


def about_variables(errors: Sequence[GraphQLError]) -> list[Problem]:
    """What is wrong with `variables`. The last error of very many only says that there are more, of no variable."""
    nodes = ((error.message, node) for error in errors for node in (error.nodes or ())[:1])
    return [about_variable(message, node) for message, node in nodes if isinstance(node, VariableDefinitionNode)]


def about_variable(text: str, node: VariableDefinitionNode) -> Problem:
    """A variable that does not fit its type, without the value, which may be long or secret."""
    found = VARIABLE.match(text)
    said: dict[str, str | None] = found.groupdict() if found else {}
    name, expected = node.variable.name.value, print_ast(node.type)
    place, problem = name + (said.get("place") or ""), "does not fit"
    if lacking := said.get("lacking"):
        place, problem = f"{place}.{lacking}", "is missing"
    elif said.get("unknown"):
        problem = f"has a field that `{said['type']}` does not have"
    message = f"Variable `${place}` {problem}; `${name}` is declared as `{expected}`."
    return Problem(ProblemCode.BAD_REQUEST, message, variable=name, expected=expected)


def describe(error: GraphQLError, request_id: str) -> dict[str, Any]:
    """An error of a field: what the client can act on, or, for a defect of ours, a request id and nothing else."""
    where: dict[str, Any] = {}
    if error.locations:
        where["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        where["path"] = error.path
    return show(problem_of(error, request_id), **where)


def problem_of(error: GraphQLError, request_id: str) -> Problem:
    """The problem behind an error of a field."""
    original = error.original_error
    if isinstance(original, Problem):
        return original
    of_graphql = original is None or isinstance(original, GraphQLError)
    if of_graphql and (found := ARGUMENT.match(error.message)):
        return bad_argument(found[1], f"`{found[1]}` does not fit its type.")
    return internal(original or error, request_id)


def internal(defect: BaseException, request_id: str) -> Problem:
    """A defect of ours: logged, and told to the client by nothing but the request id."""
    log_defect(defect, request_id)
    return Problem(ProblemCode.INTERNAL, MASKED, requestId=request_id)


def log_defect(error: BaseException, request_id: str | None) -> None:
    """Kind and place of a defect; never its message, which may hold values of the request or of the database."""
    extra = {"request_id": request_id, "error": type(error).__name__, "places": places_of(error.__traceback__)}
    log.error("defect", extra=extra)


def places_of(trace: TracebackType | None) -> list[str]:
    """The innermost places of a traceback, without the text of their lines."""
    frames = list(traceback.walk_tb(trace))[-MAX_PLACES:]
    codes = [(frame.f_code, line) for frame, line in frames]
    return [f"{code.co_filename.rpartition('site-packages/')[2]}:{line} {code.co_name}" for code, line in codes]
