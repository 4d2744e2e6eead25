"""From a request to an answer: one document, one operation, run within its time, every error with a known code."""

import asyncio
import logging
import re
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLError, GraphQLSchema, VariableDefinitionNode, execute, print_ast

from app.config import Limits
from app.domain.refusals import Problem, ProblemCode
from app.execution.bodies import GraphQLRequest
from app.execution.documents import DocumentRefused, Documents

log = logging.getLogger("gateway.graphql")
MAX_ERRORS = 100
"""Errors of one answer; a page of the largest size can have one for each of its objects."""
AT = re.compile(r" at '([A-Za-z0-9_.\[\]]{1,200})'")
PLACES = ("locations", "path")
"""Details that GraphQL has a place for outside of `extensions`."""
MASKED = "Something went wrong here. It was logged under the request id; tell it to who runs this service."


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered: data unless nothing ran, and errors."""

    errors: Sequence[dict[str, Any]] = ()
    data: Any = None
    ran: bool = False
    """Whether the operation was run at all; without it there is no `data` in the answer."""

    def to_bytes(self) -> bytes:
        """The answer as JSON."""
        body: dict[str, Any] = {"data": self.data} if self.ran else {}
        if self.errors:
            body["errors"] = list(self.errors)
        return orjson.dumps(body)

    @property
    def code(self) -> ProblemCode | None:
        """The code of a request that was not run."""
        return None if self.ran else ProblemCode(self.errors[0]["extensions"]["code"])


def refused(*problems: Problem) -> Answer:
    """The answer to a request that is not run."""
    return Answer([show(problem) for problem in problems])


def show(problem: Problem, **where: Any) -> dict[str, Any]:
    """A problem as an error of the answer."""
    places = {name: problem.details[name] for name in PLACES if problem.details.get(name)}
    details = {name: value for name, value in problem.details.items() if name not in PLACES}
    return {"message": problem.message} | places | where | {"extensions": {"code": problem.code.value, **details}}


class Engine:
    """Runs requests against one schema."""

    def __init__(self, schema: GraphQLSchema, limits: Limits) -> None:
        self._schema, self._limits = schema, limits
        self.documents = Documents(schema, limits)

    async def answer(self, request: GraphQLRequest, context: Any, request_id: str) -> Answer:
        """The answer to a request. Never raises for anything that a client can send."""
        try:
            async with asyncio.timeout(self._limits.timeout_seconds):
                return await self._run(request, context, request_id)
        except DocumentRefused as refusal:
            return refused(*refusal.problems)
        except Problem as problem:
            return refused(problem)
        except TimeoutError:
            return refused(Problem(ProblemCode.TIMEOUT, "This took too long and was stopped; ask for less at once."))
        except Exception as defect:  # noqa: BLE001 - whatever it is, the client gets an answer without our insides
            return refused(internal(defect, request_id))

    async def _run(self, request: GraphQLRequest, context: Any, request_id: str) -> Answer:
        document = self.documents.get(request.query)
        operation = document.operation(request.operation_name)
        operation.nodes.check(request.variables)
        result = execute(
            self._schema,
            document.ast,
            context_value=context,
            variable_values=request.variables,
            operation_name=operation.name,
        )
        if not isinstance(result, ExecutionResult):
            result = await result
        if result.data is None and result.errors and all(is_of_variable(error) for error in result.errors):
            return refused(*(about_variable(error) for error in result.errors[:MAX_ERRORS]))
        errors = [describe(error, request_id) for error in (result.errors or [])[:MAX_ERRORS]]
        return Answer(errors, result.data, ran=True)


def is_of_variable(error: GraphQLError) -> bool:
    """The error is about a value in `variables`, so that nothing was run."""
    return bool(error.path is None and error.nodes and isinstance(error.nodes[0], VariableDefinitionNode))


def about_variable(error: GraphQLError) -> Problem:
    """A variable that does not fit its type, without the value, which may be long or secret."""
    node = error.nodes[0] if error.nodes else None
    if not isinstance(node, VariableDefinitionNode):
        raise TypeError("not an error of a variable")
    found = AT.search(error.message)
    place = found[1] if found else node.variable.name.value
    expected = print_ast(node.type)
    message = f"Variable `${place}` does not fit; `${node.variable.name.value}` is declared as `{expected}`."
    return Problem(ProblemCode.BAD_REQUEST, message, variable=node.variable.name.value, expected=expected)


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
    if original is None and error.message.startswith("Argument "):
        return Problem(ProblemCode.BAD_ARGUMENT, "An argument of this field does not fit its type.")
    return internal(original or error, request_id)


def internal(defect: BaseException, request_id: str) -> Problem:
    """A defect of ours: logged, and told to the client by nothing but the request id."""
    log_defect(defect, request_id)
    return Problem(ProblemCode.INTERNAL, MASKED, requestId=request_id)


def log_defect(error: BaseException, request_id: str) -> None:
    """Kind and place of a defect; never its message, which may hold values of the request or of the database."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
    log.error("defect", extra={"request_id": request_id, "error": type(error).__name__, "places": places})
