"""The body of a request, read strictly: what comes out can be compared, stored and answered by every floor below."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from app.config import Limits
from app.domain.refusals import Problem, ProblemCode

Path = tuple[str | int, ...]
"""Keys and list positions that lead from the outermost object to a value."""

MAX_INTEGER = 2**63 - 1
"""The largest number that both databases and the response writer hold; its negative counterpart is one further."""
SHOWN_KEY_LENGTH = 40
"""Of a longer key, a message repeats only the beginning."""

_SIGN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""A string as a whole, so that brackets in it do not count, or one bracket."""
_STRING, _BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL), re.compile(r"[\[\]{}]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""U+0000 is an error in one database and accepted by the other; half a surrogate pair is no character at all."""


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What a client asks: one document, the operation of it to run, and its variables."""

    query: str
    operation_name: str | None
    variables: dict[str, Any]
    extensions: dict[str, Any]


def parse_body(raw: bytes, limits: Limits) -> GraphQLRequest:
    """The request in this body. Whatever the bytes, the only exception is a `Problem` of code BAD_REQUEST.

    Members of the outermost object that GraphQL over HTTP does not name are ignored, as its draft asks for the
    sake of later versions; what is inside them still has to be acceptable.
    """
    text = _text(raw, limits)
    body = _checked(_decoded(text, limits), ())
    if "\\u" in text:  # written as it is, a character that cannot be stored is refused by the decoders
        _check_texts(body, ())
    if not isinstance(body, dict):
        _refuse("The body is not an object; send one object with a `query`, batches are not accepted.")
    query, name = body.get("query"), body.get("operationName")
    if not isinstance(query, str):
        _refuse("`query` is missing or not a string; a string holding a GraphQL document is required.")
    if not isinstance(name, str | None):
        _refuse("`operationName` is neither a string nor null; give the name of one operation of the document.")
    return GraphQLRequest(query, name, _member(body, "variables"), _member(body, "extensions"))


def _member(body: dict[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    if not isinstance(value, dict | None):
        _refuse(f"`{name}` is neither an object nor null.")
    return value or {}


def _text(raw: bytes, limits: Limits) -> str:
    if len(raw) > limits.max_body_bytes:
        allowed = limits.max_body_bytes
        _refuse(f"The body has {len(raw)} bytes; at most {allowed} are accepted.", asked=len(raw), allowed=allowed)
    if raw.startswith(b"\xef\xbb\xbf"):
        _refuse("The body begins with a byte order mark; send UTF-8 without one.")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        _refuse(f"The body is not UTF-8 at byte {error.start}; only UTF-8 is accepted.")


class _Pairs(list[tuple[str, Any]]):
    """An object as it was written, duplicate keys included."""


class _Integer(str):
    """A whole number as it was written: to convert 5,000 digits is refused by the language itself."""

    __slots__ = ()


class _Decimal(str):
    """A number with a fraction or an exponent, as it was written."""

    __slots__ = ()


class _Constant(str):
    """NaN or an infinity, which is not JSON."""

    __slots__ = ()


_DECODER = json.JSONDecoder(
    object_pairs_hook=_Pairs, parse_int=_Integer, parse_float=_Decimal, parse_constant=_Constant
)


def _decoded(text: str, limits: Limits) -> Any:
    # The decoder is recursive, so depth is counted before it is called; there is none without brackets.
    allowed = limits.max_body_depth
    if text.count("{") + text.count("[") > allowed and _deepest(text) > allowed:
        deepest, offset = max(_depths(text))
        message = f"The body is nested {deepest} levels deep at character {offset}; at most {allowed} are accepted."
        _refuse(message, asked=deepest, allowed=allowed)
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        _refuse(f"The body is not valid JSON at {where}; one JSON object is accepted.")


def _deepest(text: str) -> int:
    depth = deepest = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _depths(text: str) -> Iterator[tuple[int, int]]:
    depth = 0
    for sign in _SIGN.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(sign[0], 0)
        yield depth, sign.start()


def _checked(value: Any, path: Path) -> Any:
    match value:
        case _Pairs():
            return _object(value, path)
        case list():
            return [_checked(item, (*path, index)) for index, item in enumerate(value)]
        case _Integer():
            return _integer(value, path)
        case _Decimal():
            return _decimal(value, path)
        case _Constant():
            _refuse(f"{value} at {_place(path)} is not JSON; only finite numbers are accepted.")
    return value


def _object(pairs: _Pairs, path: Path) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            _refuse(f"The key {_place((*path, key))} occurs twice; each key is accepted once.")
        # Most values are texts, of which there is nothing to say here; numbers are of classes derived from `str`.
        result[key] = value if type(value) is str else _checked(value, (*path, key))
    return result


def _integer(text: str, path: Path) -> int:
    number = int(text) if len(text) <= len(str(-MAX_INTEGER)) else MAX_INTEGER + 1
    if not -MAX_INTEGER - 1 <= number <= MAX_INTEGER:
        _refuse(f"The number at {_place(path)} is out of range; integers of 64 bits are accepted.")
    return number


def _decimal(text: str, path: Path) -> float:
    number = float(text)
    if not math.isfinite(number):
        _refuse(f"The number at {_place(path)} is out of range; numbers of double precision are accepted.")
    return number


def _check_texts(value: Any, path: Path) -> None:
    match value:
        case dict():
            for key, inside in value.items():
                _check_text(key, (*path, key))
                _check_texts(inside, (*path, key))
        case list():
            for index, inside in enumerate(value):
                _check_texts(inside, (*path, index))
        case str():
            _check_text(value, path)


def _check_text(text: str, path: Path) -> None:
    if (not text.isascii() or "\0" in text) and (unstorable := _UNSTORABLE.search(text)):
        code = f"U+{ord(unstorable[0]):04X}"
        _refuse(f"The text at {_place(path)} contains {code}; U+0000 and lone surrogates are not accepted.")


def _place(path: Path) -> str:
    """The path as a client would write it; a key that is not a plain name is quoted and escaped as JSON does."""
    parts = (f"[{step}]" if isinstance(step, int) else f".{_shown(step)}" for step in path)
    return f"`{''.join(parts).lstrip('.')}`" if path else "the outermost level"


def _shown(key: str) -> str:
    short = key[:SHOWN_KEY_LENGTH]
    return short if short.isidentifier() and short.isascii() else json.dumps(short)


def _refuse(message: str, **details: object) -> NoReturn:
    raise Problem(ProblemCode.BAD_REQUEST, message, **details)
