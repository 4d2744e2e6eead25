"""One execution of an operation, which is over when its result is there."""

from inspect import CORO_CREATED, getcoroutinestate, iscoroutine
from typing import Any, Self

from graphql import DocumentNode, ExecutionResult, GraphQLError, GraphQLSchema
from graphql.execution.executor import Executor
from graphql.pyutils import is_awaitable


class Execution(Executor[None]):
    """Leaves nothing behind. graphql-core would go on with the siblings of a failed field after the answer, and drop
    others that it had made and not begun; here what is not begun by the end never begins.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._made: list[Any] = []
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
