"""What one document may ask for, checked before it is validated, in time that follows from its length alone."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from graphql import DocumentNode, Node, OperationDefinitionNode, Source, SourceLocation, Token, TokenKind

from app.config import Limits
from app.domain.refusals import Problem, ProblemCode
from app.execution.expansion import CEILING, Definition, Expansion, Field, Root, Selections

Path = tuple[str, ...]
Merged = tuple[Path, list[Selections]]

_TOKEN = re.compile(
    r"""
    [_A-Za-z][_0-9A-Za-z]*+
  | \"{3} (?: [^"\\] | \\"{3} | \\ | "(?!"") )*+ (?:\"{3})?
  | "(?: [^"\\\n\r] | \\. )*+ "?
  | \#[^\n\r]*+
  | -?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?
  | \.{3}
  | [^ \t\n\r,\ufeff]
    """,
    re.VERBOSE,
)
"""One token, a comment being one too. What the lexer refuses is cut up somehow: it is refused in a moment."""
SHOWN_LENGTH = 200
"""Of longer text of the client's own, a message repeats only the beginning."""
_NESTING = {"{": 1, "[": 1, "}": -1, "]": -1}


def max_nesting(limits: Limits) -> int:
    """How deep brackets of all kinds may be nested: every field in an inline fragment, at the bottom a literal.

    The literal may be as deep as a variable. Needed because the parser is recursive.
    """
    return 2 * limits.max_depth + limits.max_body_depth


def check_text(text: str, limits: Limits) -> int:
    """The number of tokens. Raises `Problem` for a text too deep or too long to be parsed."""
    tokens = _TOKEN.findall(text)
    depth = deepest = place = 0
    for index, token in enumerate(tokens):
        depth += _NESTING.get(token, 0)
        if depth > deepest:
            deepest, place = depth, index
    if deepest > max_nesting(limits):
        raise exceeded("nesting", deepest, max_nesting(limits), _location(text, place))
    if len(tokens) > limits.max_tokens:
        raise exceeded("tokens", len(tokens), limits.max_tokens, _location(text, limits.max_tokens))
    return len(tokens)


def _location(text: str, index: int) -> SourceLocation:
    """Line and column of a token."""
    match = next(found for place, found in enumerate(_TOKEN.finditer(text)) if place == index)
    return Source(text).get_location(match.start())


def check_literals(document: DocumentNode) -> None:
    """Raises `Problem` for U+0000 in a string literal, escaped or not; the lexer itself refuses lone surrogates.

    VALIDATION_FAILED, as the text is a proper document whose value no argument accepts, as one of a wrong type is.
    """
    token: Token | None = document.loc.start_token if document.loc else None
    while token:
        if token.kind in (TokenKind.STRING, TokenKind.BLOCK_STRING) and "\0" in (token.value or ""):
            message = f"The string at line {token.line}, column {token.column} contains U+0000, which is not accepted."
            location = {"line": token.line, "column": token.column}
            raise Problem(ProblemCode.VALIDATION_FAILED, message, locations=[location])
        token = token.next


def check_document(expansion: Expansion, limits: Limits) -> None:
    """Raises `Problem` for the first limit that an operation, or a fragment nothing uses, exceeds.

    Fragments count wherever they are spread. What is counted by adding up comes first: it is known for every
    fragment once, and bounds the walk that the rest needs.
    """
    roots = expansion.roots
    for root in roots:
        _check("aliases", root.selections.aliases, limits.max_aliases, root.node)
        _check("directives", root.selections.directives, limits.max_directives, root.node)
    _check_size(roots, limits)
    for root in roots:
        _check_shape(root, limits)


def _check_size(roots: Sequence[Root[Definition]], limits: Limits) -> None:
    # Through fragments a document may not ask for more than it could without them, where each selection is a token.
    total = 0
    for root in roots:
        total = min(total + root.selections.size, CEILING)
        _check("selections", total, limits.max_tokens, root.node)


class Level(NamedTuple):
    """One selection set of the response: all fields that are merged into it, by response key."""

    path: Path
    fields: dict[str, list[Field]]


def _check_shape(root: Root[Definition], limits: Limits) -> None:
    levels = [level for level in _levels(root.selections) if level.fields]
    if levels and isinstance(root.node, OperationDefinitionNode):
        _check("rootFields", len(levels[0].fields), limits.max_root_fields, root.node)
    deepest = max((len(level.path) + 1 for level in levels), default=0)
    for path, merged in levels:
        for key, fields in merged.items():
            _check("repeats", len(fields), limits.max_repeats, fields[-1].node, (*path, key))
            if len(path) == limits.max_depth:
                _check("depth", deepest, limits.max_depth, fields[0].node, (*path, key))


def _levels(root: Selections) -> Iterator[Level]:
    """The selection sets of the response, the root's first; each selection is visited as often as it is asked for."""
    pending: list[Merged] = [((), [root])]
    while pending:
        path, merged = pending.pop()
        fields = _collected(merged)
        yield Level(path, fields)
        for key, same in fields.items():
            if below := [each.selections for each in same if each.selections]:
                pending.append(((*path, key), below))


def _collected(merged: list[Selections]) -> dict[str, list[Field]]:
    fields: dict[str, list[Field]] = {}
    pending = list(merged)
    while pending:
        selections = pending.pop()
        for each in selections.fields:
            fields.setdefault(each.key, []).append(each)
        pending.extend(selections.spreads)
    return fields


def _check(limit: str, asked: int, allowed: int, node: Node, path: Path = ()) -> None:
    if asked > allowed:
        raise exceeded(limit, asked, allowed, location_of(node), path)


def exceeded(limit: str, asked: int, allowed: int, location: SourceLocation, path: Path = ()) -> Problem:
    """The refusal of a document that asks for too much. `locations` and `path` are as in a GraphQL error."""
    number = f"at least {asked:,}" if asked >= CEILING else f"{asked:,}"
    where = f"line {location.line}, column {location.column}" + (f", `{shown('.'.join(path))}`" if path else "")
    message = f"Limit `{limit}` exceeded at {where}: {number} asked, {allowed:,} allowed."
    details = {"path": list(path)} if path else {}
    return Problem(
        ProblemCode.LIMIT_EXCEEDED,
        message,
        limit=limit,
        asked=asked,
        allowed=allowed,
        locations=[location._asdict()],
        **details,
    )


def location_of(node: Node) -> SourceLocation:
    """Where a node of a document begins."""
    return node.loc.source.get_location(node.loc.start) if node.loc else SourceLocation(1, 1)


def shown(text: str) -> str:
    """As much of the client's own text as belongs in a message."""
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}…"
