"""How many nodes a request asks for: compiled once for an operation, evaluated with the variables of each request."""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    ValueNode,
    VariableNode,
)

from app.config import DEFAULT_PAGE_SIZE, Limits
from app.execution.expansion import CEILING, Definition, Field, Root, Selections, bottom_up
from app.execution.limits import exceeded, location_of

Variables = Mapping[str, Any]
Count = Callable[[Variables], int]
Amount = Callable[[Variables], int | None]
Term = tuple[Count | None, int | None]


class Nodes:
    """The nodes that one operation requests: a page's size times those below each of its nodes, and itself.

    Counted as if every `@skip` and `@include` let its field in, and fields that are merged counted apart: never less
    than is answered. A size out of bounds counts as the largest page, because the field itself refuses it, with
    its own code.
    """

    def __init__(self, root: Root[Definition], limits: Limits) -> None:
        self._node, self._allowed = root.node, limits.max_nodes
        sizes = _Sizes(root.node, limits.max_page_size)
        order = bottom_up([root.selections], Selections.below)
        places = {selections: place for place, selections in enumerate(order)}
        self._steps = [_step(selections, places, sizes) for selections in order]
        self._fixed = None if sizes.vary else self._counted({})

    def check(self, variables: Variables) -> None:
        """Raises `Problem` when a request with these variables, as the client sent them, asks for too many."""
        asked = self.count(variables)
        if asked > self._allowed:
            raise exceeded("nodes", asked, self._allowed, location_of(self._node))

    def count(self, variables: Variables) -> int:
        """The nodes requested; numbers from a billion on are all alike."""
        return self._counted(variables) if self._fixed is None else self._fixed

    def _counted(self, variables: Variables) -> int:
        counts: list[int] = []
        for step in self._steps:
            total = 0
            for size, place in step:
                below = counts[place] if place is not None else 0
                total += size(variables) * (1 + below) if size else below
            counts.append(min(total, CEILING))
        return counts[-1]


def _step(selections: Selections, places: dict[Selections, int], sizes: "_Sizes") -> list[Term]:
    """What a selection set adds up: sets spread into it, and for each field its size and the set below it."""
    fields = ((sizes.of(field), places[field.selections] if field.selections else None) for field in selections.fields)
    spreads = ((None, places[spread]) for spread in selections.spreads)
    return [term for term in (*fields, *spreads) if term != (None, None)]


class _Sizes:
    """Page sizes of the fields of one operation, whose variables may have defaults."""

    def __init__(self, node: Definition, largest: int) -> None:
        written = node.variable_definitions if isinstance(node, OperationDefinitionNode) else ()
        self._defaults = {each.variable.name.value: each.default_value for each in written or ()}
        self._largest = largest
        self.vary = False
        """Whether any size depends on variables."""

    def of(self, field: Field) -> Count | None:
        """The size of a page, the number of `ids`, or nothing for a field that asks for no nodes of its own."""
        given = {each.name.value: each.value for each in field.node.arguments or ()}
        known = field.definition.args if field.definition else {}
        if "first" in known or "first" in given or "last" in given:
            return self._bounded([given.get("first"), given.get("last")], DEFAULT_PAGE_SIZE)
        return self._bounded([given["ids"]], 1) if "ids" in given else None

    def _bounded(self, written: list[ValueNode | None], otherwise: int) -> Count:
        amounts = [self._amount(value) for value in written if value]

        def size(variables: Variables) -> int:
            asked = [amount for each in amounts if (amount := each(variables)) is not None]
            return max(0, min(max(asked, default=otherwise), self._largest))

        return size

    def _amount(self, written: ValueNode) -> Amount:
        if not isinstance(written, VariableNode):
            fixed = _literal(written)
            return lambda _: fixed
        self.vary = True
        name, default = written.name.value, _literal(self._defaults.get(written.name.value))
        return lambda variables: _value(variables[name]) if name in variables else default


def _literal(written: ValueNode | None) -> int | None:
    """The number that a literal says, or its length; nothing where validation will refuse it anyway."""
    if isinstance(written, IntValueNode):
        # Digits beyond the ceiling are not converted: 5,000 of them are refused by the language itself.
        return int(written.value) if len(written.value) < len(str(CEILING)) else CEILING
    return len(written.values) if isinstance(written, ListValueNode) else None


def _value(sent: object) -> int | None:
    """The same of a variable's value; nothing where coercion will refuse it anyway."""
    if isinstance(sent, list):
        return len(sent)
    is_whole = isinstance(sent, int) or (isinstance(sent, float) and sent.is_integer())
    return int(sent) if is_whole and not isinstance(sent, bool) else None  # type: ignore[call-overload]
