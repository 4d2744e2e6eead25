"""One execution of an operation, which is over when its result is there."""

from contextlib import suppress
from dataclasses import dataclass
from inspect import CORO_CREATED, getcoroutinestate, iscoroutine
from typing import Any, Self

import orjson
from graphql import DocumentNode, ExecutionResult, GraphQLError, GraphQLObjectType, GraphQLSchema
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.executor import Executor
from graphql.pyutils import is_awaitable

from app.execution.completion import Complete, NotPlain, Selecting, plain_object


@dataclass(frozen=True, slots=True)
class Finished:
    """A value that is complete already: JSON as it stands in the answer."""

    json: bytes


class Execution(Executor[None]):
    """Passes finished values through, and completes objects of plain attributes by functions made once.

    It leaves nothing behind. graphql-core would go on with the siblings of a failed field after the answer, and drop
    others that it had made and not begun; here what is not begun by the end never begins.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._made: list[Any] = []
        self._completions: dict[Any, Complete | None] = {}
        self.is_awaitable = self._is_awaitable  # type: ignore[assignment]

    @classmethod
    def of(
        cls, schema: GraphQLSchema, document: DocumentNode, name: str | None, variables: dict[str, Any], context: Any
    ) -> Self | list[GraphQLError]:
        """The execution of one operation of a valid document, or what is wrong with the variables."""
        made: Any = cls.build(schema, document, None, context, variables, name)
        return made  # type: ignore[no-any-return]

    async def result(self) -> ExecutionResult:
        """Data and errors."""
        try:
            begun: Any = self.execute_operation()
            result: ExecutionResult = await begun if is_awaitable(begun) else begun
            return result
        finally:
            self._discard()

    def complete_value(self, return_type: Any, details: Any, info: Any, path: Any, result: Any, *rest: Any) -> Any:
        """As the executor does; a finished value is passed through as it is."""
        if isinstance(result, Finished):
            return orjson.Fragment(result.json)
        return super().complete_value(return_type, details, info, path, result, *rest)

    def complete_object_value(
        self, return_type: Any, details: Any, info: Any, path: Any, result: Any, *rest: Any
    ) -> Any:
        """As the executor does; at once where all that is selected are attributes, and they have values that fit."""
        complete = self._completion(return_type, details)
        if complete is not None:
            with suppress(Exception):  # whatever it is, the executor finds it again, and says it with its path
                return complete(result)
        return super().complete_object_value(return_type, details, info, path, result, *rest)

    def _completion(self, kind: GraphQLObjectType, details: list[FieldDetails]) -> Complete | None:
        key = (kind.name, *(id(each.node) for each in details))
        if key not in self._completions:
            selecting = Selecting(self.schema, self.fragments, self.operation, self.variable_values)
            try:
                self._completions[key] = plain_object(selecting, kind, details)
            except NotPlain:
                self._completions[key] = None
        return self._completions[key]

    def settle_in_background(self, awaitables: list[Any]) -> None:
        """Nothing: it is called with what is not begun."""

    def complete_list_item_value(self, item: Any, completed: list[Any], *rest: Any) -> bool:
        """As the executor does; it makes something to await that it asks nobody about."""
        waits = super().complete_list_item_value(item, completed, *rest)
        return waits and self._is_awaitable(completed[-1])

    def _is_awaitable(self, value: Any) -> bool:
        """Asked about everything that the executor makes or gets."""
        if not is_awaitable(value):
            return False
        self._made.append(value)
        return True

    def _discard(self) -> None:
        for each in self._made:
            if iscoroutine(each) and getcoroutinestate(each) == CORO_CREATED:
                each.close()
