"""A document's selections with its fragments in place: shared, never copied, so the whole is as small as the text."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
)

CEILING = 10**9
"""Sums stop growing here: fragments that spread others twice double with every one of them."""

Definition = OperationDefinitionNode | FragmentDefinitionNode
Defined = TypeVar("Defined", bound=Definition, covariant=True)
Each = TypeVar("Each")


@dataclass(slots=True, eq=False)
class Field:
    """One field as written, what the schema says of it, and what is selected below it."""

    node: FieldNode
    definition: GraphQLField | None
    selections: "Selections | None"

    @property
    def key(self) -> str:
        """The name it has in the response."""
        return (self.node.alias or self.node.name).value


@dataclass(slots=True, eq=False)
class Selections:
    """One selection set, its inline fragments dissolved, and how much it asks for with everything below it."""

    fields: list[Field] = field(default_factory=list)
    spreads: list["Selections"] = field(default_factory=list)
    size: int = 0
    """Fields, inline fragments and spreads."""
    aliases: int = 0
    directives: int = 0

    def below(self) -> list["Selections"]:
        """The sets that this one leads to, one as often as it is spread."""
        return [*self.spreads, *(each.selections for each in self.fields if each.selections)]

    def add_up(self) -> None:
        """Adds what is asked for below, which has to be known by now."""
        for below in self.below():
            self.size = min(self.size + below.size, CEILING)
            self.aliases = min(self.aliases + below.aliases, CEILING)
            self.directives = min(self.directives + below.directives, CEILING)


@dataclass(frozen=True, eq=False)
class Root(Generic[Defined]):
    """An operation, or a fragment that nothing spreads, with all it selects."""

    node: Defined
    selections: Selections


class Expansion:
    """Every operation of one document. A spread that closes a cycle, or names no fragment, leads nowhere.

    Documents that contain such a spread are refused by validation; until then they have to be finite.
    """

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._fragments: dict[str, Selections] = {}
        written = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
        spread = {name: [inner for inner in _spreads(each) if inner in written] for name, each in written.items()}
        for name in bottom_up(written, spread.__getitem__):
            self._fragments[name] = self._selections(written[name])
        operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
        self.operations = [Root(each, self._selections(each)) for each in operations]
        used = {name for names in (*spread.values(), *map(_spreads, operations)) for name in names}
        unused = [Root(each, self._fragments[name]) for name, each in written.items() if name not in used]
        self.roots: list[Root[Definition]] = [*self.operations, *unused]
        """Operations, and fragments that nothing spreads: all that there is to check."""

    def _selections(self, node: Definition) -> Selections:
        directives = len(node.directives or ())
        if isinstance(node, OperationDefinitionNode):
            parent: GraphQLNamedType | None = self._schema.get_root_type(node.operation)
            directives += sum(len(variable.directives or ()) for variable in node.variable_definitions or ())
        else:
            parent = self._schema.get_type(node.type_condition.name.value)
        return self._filled(Selections(directives=directives), node.selection_set, parent)

    def _filled(self, into: Selections, node: SelectionSetNode, parent: GraphQLNamedType | None) -> Selections:
        self._dissolve(into, node, parent)
        into.add_up()
        return into

    def _dissolve(self, into: Selections, node: SelectionSetNode, parent: GraphQLNamedType | None) -> None:
        for selection in node.selections:
            into.size += 1
            into.directives += len(selection.directives or ())
            if isinstance(selection, FieldNode):
                into.aliases += selection.alias is not None
                into.fields.append(self._field(selection, parent))
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inner = self._schema.get_type(condition.name.value) if condition else parent
                self._dissolve(into, selection.selection_set, inner)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value in self._fragments:
                into.spreads.append(self._fragments[selection.name.value])

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Field:
        fields = parent.fields if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else {}
        definition = fields.get(node.name.value)
        inner = get_named_type(definition.type) if definition else None
        below = self._filled(Selections(), node.selection_set, inner) if node.selection_set else None
        return Field(node, definition, below)


def bottom_up(roots: Iterable[Each], below: Callable[[Each], Iterable[Each]]) -> list[Each]:
    """Everything reachable, each once and after what it leads to; where that is impossible, a cycle is cut somewhere.

    A chain of fragments can be longer than the interpreter's stack, hence no recursion.
    """
    order: list[Each] = []
    entered: set[Each] = set()
    pending = [(root, False) for root in roots]
    while pending:
        each, left = pending.pop()
        if left:
            order.append(each)
        elif each not in entered:
            entered.add(each)
            pending.append((each, True))
            pending.extend((inner, False) for inner in below(each))
    return order


def _spreads(node: Definition) -> Iterator[str]:
    pending: list[SelectionNode] = list(node.selection_set.selections)
    while pending:
        selection = pending.pop()
        if isinstance(selection, FragmentSpreadNode):
            yield selection.name.value
        elif isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set:
            pending.extend(selection.selection_set.selections)
