"""Documents, each parsed, limited and validated once, and remembered by its text."""

import re
import sys
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NameNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    parse,
    specified_rules,
    validate,
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.validation import ValuesOfCorrectTypeRule
from graphql.validation.validate import ValidationAbortedError

from app.config import Limits
from app.domain.refusals import Problem, ProblemCode
from app.execution.expansion import Expansion
from app.execution.limits import check_document, check_literals, check_text, shown
from app.execution.literals import LiteralsRule
from app.execution.nodes import Nodes
from app.execution.remembering import Remembered
from app.execution.variables import Variables

MAX_ERRORS = 10
"""Breaches reported of one document; the search for more stops there."""
MAX_LOCATIONS = 4
"""Places named for one breach."""
MAX_NAMES = 20
"""Operations named to a client that has to choose one."""
MAX_ONCE = 10_000
"""Documents that are known to have been asked once."""
BYTES_PER_TOKEN = 400
"""Measured, 300 to 420: what a parsed document occupies for each of its tokens, besides its text."""
TEXT_COPIES = 3
"""The text itself, and once more in the parsed document for what is a name or a literal."""

_RULES = [LiteralsRule if rule is ValuesOfCorrectTypeRule else rule for rule in specified_rules]
_LITERAL = re.compile(r"(String|Int|Float|escape sequence):? '.*'|, did you mean '0.*'\?", re.DOTALL)
"""Where a syntax error repeats a literal of the document, which may be secret and long."""


class DocumentRefused(Exception):
    """A document that breaks rules of the schema: a problem for each breach, `MAX_ERRORS` at most."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation of a valid document."""

    node: OperationDefinitionNode
    nodes: Nodes
    """Says, for the variables of a request, whether it asks for too much."""
    variables: Variables
    fragments: dict[str, FragmentDetails]
    choices: tuple[str, ...]
    """The variables that decide what is skipped and included."""
    came_before: bool = False
    """Whether its document was asked once before, and was not held then."""
    outlines: dict[tuple[Any, ...], Any] = field(default_factory=dict)
    """What a planner knows of it, by the values of those."""

    @property
    def name(self) -> str | None:
        """Its name; only the sole operation of a document may be without one."""
        return self.node.name.value if self.node.name else None

    @property
    def kind(self) -> OperationType:
        """Query, mutation or subscription."""
        return self.node.operation


@dataclass(frozen=True, eq=False)
class Document:
    """A valid document within the limits."""

    text: str
    ast: DocumentNode
    operations: tuple[Operation, ...]
    weight: int
    """Bytes that it occupies, roughly."""

    def operation(self, name: str | None) -> Operation:
        """The one operation to run. Raises `Problem` when `name` is of none, or is needed and missing."""
        if name is None and len(self.operations) == 1:
            return self.operations[0]
        found = [each for each in self.operations if each.name == name]
        if len(found) == 1:
            return found[0]
        names = [shown(each.name or "") for each in self.operations[:MAX_NAMES]]
        choice = f"give one of these as `operationName`: {', '.join(names)}" if any(names) else "it has one, unnamed"
        wrong = "has several operations" if name is None else f"has no operation named `{shown(name)}`"
        raise Problem(ProblemCode.BAD_REQUEST, f"The document {wrong}; {choice}.", operations=names)


class Documents:
    """The documents of one schema. Holds the latest used, no more than `capacity` and about `max_bytes` of them.

    What is asked once mostly never comes again: unless told to hold all at once, only its hash is remembered, and it is
    held from the second time on. Refused ones are not remembered: they could push out the good ones.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: Limits,
        capacity: int = 2_000,
        max_bytes: int = 15_000_000,
        *,
        at_once: bool = False,
    ) -> None:
        self._schema, self._limits = schema, limits
        self._capacity, self._max_bytes, self._at_once = capacity, max_bytes, at_once
        self._held: OrderedDict[str, Document] = OrderedDict()
        self._once = Remembered(MAX_ONCE)
        self._bytes = 0

    def get(self, text: str) -> Document:
        """The document of this text. Raises `Problem` or `DocumentRefused`, having done a bounded amount of work."""
        document = self._held.get(text)
        if document is not None:
            self._held.move_to_end(text)
            return document
        came_before = text in self._once
        document = self._read(text, came_before)
        if came_before or self._at_once:
            self._keep(document)
        else:
            self._once.add(text)
        return document

    def _read(self, text: str, came_before: bool) -> Document:
        tokens = check_text(text, self._limits)
        ast = _parsed(text)
        check_literals(ast)
        expansion = Expansion(self._schema, ast)
        check_document(expansion, self._limits)
        _validate(self._schema, ast)
        _lighten(ast)
        fragments = {
            each.name.value: FragmentDetails(each)
            for each in ast.definitions
            if isinstance(each, FragmentDefinitionNode)
        }
        choices = tuple(sorted(choosing(ast)))
        operations = tuple(
            Operation(
                root.node,
                Nodes(root, self._limits),
                Variables(self._schema, root.node.variable_definitions or ()),
                fragments,
                choices,
                came_before,
            )
            for root in expansion.operations
        )
        return Document(text, ast, operations, tokens * BYTES_PER_TOKEN + sys.getsizeof(text) * TEXT_COPIES)

    def _keep(self, document: Document) -> None:
        self._held[document.text] = document
        self._bytes += document.weight
        while len(self._held) > 1 and (len(self._held) > self._capacity or self._bytes > self._max_bytes):
            _, oldest = self._held.popitem(last=False)
            self._bytes -= oldest.weight


def choosing(ast: DocumentNode) -> set[str]:
    """The variables in directives of a document's selections, which say what is skipped and included."""
    directives = (node for node in nodes_of(ast) if isinstance(node, DirectiveNode))
    values = (argument.value for directive in directives for argument in directive.arguments or ())
    return {value.name.value for value in values if isinstance(value, VariableNode)}


def nodes_of(*roots: Node) -> Iterator[Node]:
    """These nodes and all below them."""
    pending = list(roots)
    while pending:
        node = pending.pop()
        yield node
        for key in node.keys:
            value = getattr(node, key, None)
            pending.extend(value if isinstance(value, list | tuple) else [value] if isinstance(value, Node) else [])


def _lighten(ast: DocumentNode) -> None:
    """Forget the tokens, and where names and braces stand: a third of all, which only parsing and validating need."""
    for node in nodes_of(ast):
        if isinstance(node, NameNode | SelectionSetNode):
            object.__setattr__(node, "loc", None)  # nodes are frozen
        elif node.loc is not None:
            del node.loc.start_token, node.loc.end_token


def _parsed(text: str) -> DocumentNode:
    try:
        return parse(text, allow_empty_selection_sets=False)
    except GraphQLSyntaxError as error:
        problem = _problem(ProblemCode.PARSE_FAILED, _LITERAL.sub(r"\1", error.description), error)
    # Outside the block, so that the error, which holds the whole text, is not kept as this one's context.
    raise problem


def _validate(schema: GraphQLSchema, ast: DocumentNode) -> None:
    errors = validate(schema, ast, _RULES, MAX_ERRORS, hide_suggestions=True, allow_empty_selection_sets=False)
    breaches = [error for error in errors if not isinstance(error, ValidationAbortedError)]
    problems = [_problem(ProblemCode.VALIDATION_FAILED, error.message, error) for error in breaches]
    if errors and not problems:
        message = "The document's fragments take too much work to check; spread fewer, less often and less deeply."
        problems = [Problem(ProblemCode.VALIDATION_FAILED, message)]
    if problems:
        raise DocumentRefused(problems)


def _problem(code: ProblemCode, message: str, error: GraphQLError) -> Problem:
    places = [{"line": place.line, "column": place.column} for place in (error.locations or ())[:MAX_LOCATIONS]]
    where = f" (line {places[0]['line']}, column {places[0]['column']})" if places else ""
    return Problem(code, shown(message) + where, locations=places)
