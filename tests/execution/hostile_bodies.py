"""Bodies that must be refused, and ones that must be accepted, as data: a name, the bytes, what is said or read."""

from collections.abc import Callable
from typing import Any

GOOD_QUERY = b'"query":"{viewer{name}}"'
SIZE = 64 * 1024


def with_variable(value: bytes) -> bytes:
    return b"{" + GOOD_QUERY + b',"variables":{"v":' + value + b"}}"


def nested(depth: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    """A body whose deepest bracket is on this level, the body and its variables being the first two."""
    return with_variable(opening * (depth - 2) + b"1" * (opening[-1:] == b":") + closing * (depth - 2))


def padded(size: int) -> bytes:
    """A body of exactly this many bytes."""
    return with_variable(b'"' + b"x" * (size - len(with_variable(b'""'))) + b'"')


NOT_JSON = "not valid JSON at line 1, column "
NOT_OBJECT = "not an object"

HOSTILE: dict[str, tuple[bytes, str]] = {
    # No JSON at all
    "nothing": (b"", NOT_JSON + "1"),
    "space": (b" \t\r\n", "not valid JSON at line 2, column 1"),
    "form": (b"query=%7Bviewer%7D", NOT_JSON + "1"),
    "bare document": (b"{viewer{name}}", NOT_JSON + "2"),
    "single quotes": (b"{'query':'{viewer}'}", NOT_JSON + "2"),
    "two values": (b"{" + GOOD_QUERY + b"}{}", NOT_JSON + "27"),
    "trailing comma": (b"{" + GOOD_QUERY + b",}", NOT_JSON),
    "comment": (b"{/*x*/" + GOOD_QUERY + b"}", NOT_JSON + "2"),
    "unclosed object": (b"{" + GOOD_QUERY, NOT_JSON),
    "unclosed string": (b'{"query":"{viewer}', NOT_JSON + "10"),
    "unclosed escape": (b'{"query":"\\', NOT_JSON),
    "unknown escape": (b'{"query":"\\x"}', NOT_JSON),
    "short escape": (b'{"query":"\\u12"}', NOT_JSON),
    "signed escape": (b'{"query":"\\u+123"}', NOT_JSON),
    "line break in a string": (b'{"query":"{\nviewer}"}', NOT_JSON),
    "control character in a string": (b'{"query":"\x01"}', NOT_JSON),
    "raw U+0000 in a string": (b'{"query":"\x00"}', NOT_JSON),
    "only U+0000": (b"\x00" * 100, NOT_JSON + "1"),
    "unquoted key": (b'{query:"{viewer}"}', NOT_JSON + "2"),
    "number as key": (b'{1:"{viewer}"}', NOT_JSON + "2"),
    "no colon": (b'{"query" "{viewer}"}', NOT_JSON),
    "capital constant": (with_variable(b"True"), NOT_JSON),
    "undefined": (with_variable(b"undefined"), NOT_JSON),
    "leading zero": (with_variable(b"01"), NOT_JSON),
    "plus sign": (with_variable(b"+1"), NOT_JSON),
    "hexadecimal": (with_variable(b"0x1F"), NOT_JSON),
    "no digit before the point": (with_variable(b".5"), NOT_JSON),
    "no digit after the point": (with_variable(b"5."), NOT_JSON),
    "minus alone": (with_variable(b"-"), NOT_JSON),
    "underscore in a number": (with_variable(b"1_000"), NOT_JSON),
    "digits of another alphabet": (with_variable("١٢".encode()), NOT_JSON),
    "no-break space": (b"\xc2\xa0{" + GOOD_QUERY + b"}", NOT_JSON + "1"),
    # Not what UTF-8 is
    "byte order mark": (b"\xef\xbb\xbf{" + GOOD_QUERY + b"}", "byte order mark"),
    "UTF-16": ("{}".encode("utf-16"), "not UTF-8 at byte 0"),
    "UTF-16 without a mark": ("{}".encode("utf-16-le"), NOT_JSON + "2"),
    "Latin-1": (b'{"query":"{caf\xe9}"}', "not UTF-8 at byte 14"),
    "overlong": (b'{"query":"\xc0\xaf"}', "not UTF-8 at byte 10"),
    "encoded surrogate": (b'{"query":"\xed\xa0\x80"}', "not UTF-8 at byte 10"),
    "beyond Unicode": (b'{"query":"\xf4\x90\x80\x80"}', "not UTF-8 at byte 10"),
    "cut in a character": (b'{"query":"\xf0\x9f\x98', "not UTF-8 at byte 10"),
    "compressed": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "not UTF-8 at byte 1"),
    # JSON, but no request
    "a number": (b"1", NOT_OBJECT),
    "null": (b"null", NOT_OBJECT),
    "a string": (b'"{viewer{name}}"', NOT_OBJECT),
    "true": (b"true", NOT_OBJECT),
    "empty array": (b"[]", NOT_OBJECT),
    "batch": (b"[{" + GOOD_QUERY + b"}]", "batches are not accepted"),
    "array of pairs": (b'[["query","{viewer{name}}"]]', NOT_OBJECT),
    "empty object": (b"{}", "`query` is missing or not a string"),
    "null query": (b'{"query":null}', "`query` is missing or not a string"),
    "query as array": (b'{"query":["{viewer}"]}', "`query` is missing or not a string"),
    "query as object": (b'{"query":{"viewer":1}}', "`query` is missing or not a string"),
    "query as number": (b'{"query":1}', "`query` is missing or not a string"),
    "query in capitals": (b'{"Query":"{viewer}"}', "`query` is missing or not a string"),
    "persisted query alone": (b'{"extensions":{"persistedQuery":{"version":1}}}', "`query` is missing"),
    "operationName as number": (b"{" + GOOD_QUERY + b',"operationName":1}', "`operationName` is neither"),
    "operationName as array": (b"{" + GOOD_QUERY + b',"operationName":["A"]}', "`operationName` is neither"),
    "operationName as false": (b"{" + GOOD_QUERY + b',"operationName":false}', "`operationName` is neither"),
    "variables as string": (b"{" + GOOD_QUERY + b',"variables":"{}"}', "`variables` is neither"),
    "variables as array": (b"{" + GOOD_QUERY + b',"variables":[]}', "`variables` is neither"),
    "variables as empty string": (b"{" + GOOD_QUERY + b',"variables":""}', "`variables` is neither"),
    "variables as zero": (b"{" + GOOD_QUERY + b',"variables":0}', "`variables` is neither"),
    "extensions as array": (b"{" + GOOD_QUERY + b',"extensions":[]}', "`extensions` is neither"),
    # Keys twice
    "query twice": (b"{" + GOOD_QUERY + b"," + GOOD_QUERY + b"}", "key `query` occurs twice"),
    "query twice, once escaped": (b"{" + GOOD_QUERY + b',"\\u0071uery":"{x}"}', "key `query` occurs twice"),
    "variable twice": (with_variable(b'1,"v":2'), "key `variables.v` occurs twice"),
    "key twice, deep": (with_variable(b'[{},{"a":{"b":1,"b":1}}]'), "key `variables.v[1].a.b` occurs twice"),
    "ignored key twice": (b"{" + GOOD_QUERY + b',"x":1,"x":1}', "key `x` occurs twice"),
    # Numbers that nothing below could hold
    "NaN": (with_variable(b"NaN"), "NaN at `variables.v` is not JSON"),
    "Infinity": (with_variable(b"Infinity"), "Infinity at `variables.v` is not JSON"),
    "minus Infinity": (with_variable(b"[-Infinity]"), "-Infinity at `variables.v[0]` is not JSON"),
    "NaN alone": (b"NaN", "NaN at the outermost level is not JSON"),
    "5,000 digits": (with_variable(b"9" * 5000), "number at `variables.v` is out of range"),
    "5,000 negative digits": (with_variable(b"-" + b"9" * 5000), "number at `variables.v` is out of range"),
    "one more than 64 bits": (with_variable(b"9223372036854775808"), "number at `variables.v` is out of range"),
    "one less than 64 bits": (with_variable(b"-9223372036854775809"), "number at `variables.v` is out of range"),
    "huge exponent": (with_variable(b"1e999"), "number at `variables.v` is out of range"),
    "huge negative exponent": (with_variable(b"-1e999999999"), "number at `variables.v` is out of range"),
    "5,000 digits and a point": (with_variable(b"9" * 5000 + b".0"), "number at `variables.v` is out of range"),
    # Text that nothing below could hold
    "U+0000 in the query": (b'{"query":"{a}\\u0000"}', "text at `query` contains U+0000"),
    "U+0000 in a variable": (with_variable(b'"a\\u0000b"'), "text at `variables.v` contains U+0000"),
    "U+0000 in a list": (with_variable(b'["a", "\\u0000"]'), "text at `variables.v[1]` contains U+0000"),
    "U+0000 in a key": (with_variable(b'{"a\\u0000":1}'), 'text at `variables.v."a\\u0000"` contains U+0000'),
    "U+0000 in operationName": (b"{" + GOOD_QUERY + b',"operationName":"\\u0000"}', "contains U+0000"),
    "U+0000 in an ignored key": (b"{" + GOOD_QUERY + b',"\\u0000":1}', 'text at `"\\u0000"` contains U+0000'),
    "high surrogate": (with_variable(b'"\\ud83d"'), "text at `variables.v` contains U+D83D"),
    "low surrogate": (with_variable(b'"\\ude00"'), "text at `variables.v` contains U+DE00"),
    "surrogates the wrong way round": (with_variable(b'"\\ude00\\ud83d"'), "contains U+DE00"),
    "surrogate in a key": (with_variable(b'{"\\udfff":1}'), 'text at `variables.v."\\udfff"` contains U+DFFF'),
    "surrogate in the query": (b'{"query":"{a(b:\\"\\ud800\\")}"}', "text at `query` contains U+D800"),
    # Too much
    "one byte too many": (padded(SIZE + 1), "has 65537 bytes; at most 65536"),
    "a megabyte": (b"x" * 1_000_000, "has 1000000 bytes; at most 65536"),
    "one level too deep": (nested(21), "nested 21 levels deep at character 61; at most 20"),
    "one object too deep": (nested(21, b'{"a":', b"}"), "nested 21 levels deep"),
    "20,000 arrays": (b"[" * 20_000, "nested 20000 levels deep"),
    "10,000 objects": (b'{"a":' * 10_000, "nested 10000 levels deep"),
    "closed deep arrays": (b"[" * 20_000 + b"]" * 20_000, "nested 20000 levels deep"),
    "depth after a string with a quote": (b'["\\""' + b",[" * 30, "nested 31 levels deep"),
    "depth in an ignored key": (b"{" + GOOD_QUERY + b',"x":' + b"[" * 20 + b"]" * 20 + b"}", "nested 21 levels deep"),
}
"""By name: the body, and what the message says of it."""

GOOD: dict[str, tuple[bytes, Callable[[Any], Any], Any]] = {
    "only a query": (
        b"{" + GOOD_QUERY + b"}",
        lambda r: (r.query, r.operation_name, r.variables),
        ("{viewer{name}}", None, {}),
    ),
    "all members": (
        b"{" + GOOD_QUERY + b',"operationName":"A","variables":{"a":1},"extensions":{"b":2}}',
        lambda r: (r.operation_name, r.variables, r.extensions),
        ("A", {"a": 1}, {"b": 2}),
    ),
    "nulls": (
        b"{" + GOOD_QUERY + b',"operationName":null,"variables":null,"extensions":null}',
        lambda r: (r.operation_name, r.variables, r.extensions),
        (None, {}, {}),
    ),
    "unknown members": (b'{"id":7,"doc":{"x":[]},' + GOOD_QUERY + b"}", lambda r: r.query, "{viewer{name}}"),
    "space around": (b"\r\n\t {" + GOOD_QUERY + b"} \n", lambda r: r.query, "{viewer{name}}"),
    "empty query": (b'{"query":""}', lambda r: r.query, ""),
    "empty key": (with_variable(b'{"":1}'), lambda r: r.variables["v"], {"": 1}),
    "every kind of value": (
        with_variable(b'[null,true,false,-0,1.5,-1e-3,"x",[],{}]'),
        lambda r: r.variables["v"],
        [None, True, False, 0, 1.5, -0.001, "x", [], {}],
    ),
    "all of 64 bits": (
        with_variable(b"[9223372036854775807,-9223372036854775808]"),
        lambda r: r.variables["v"],
        [2**63 - 1, -(2**63)],
    ),
    "a tiny number": (with_variable(b"1e-999"), lambda r: r.variables["v"], 0.0),
    "a surrogate pair": (with_variable(b'"\\ud83d\\ude00"'), lambda r: r.variables["v"], "😀"),
    "every alphabet": (with_variable('"Zürich 東京 👩‍🚀"'.encode()), lambda r: r.variables["v"], "Zürich 東京 👩‍🚀"),
    "brackets in strings": (with_variable(b'"' + b"[{" * 100 + b'\\"["'), lambda r: len(r.variables["v"]), 202),
    "same key, other objects": (with_variable(b'[{"a":1},{"a":2}]'), lambda r: r.variables["v"], [{"a": 1}, {"a": 2}]),
    "as deep as allowed": (nested(20), lambda r: str(r.variables["v"]), "[" * 18 + "]" * 18),
    "as large as allowed": (padded(SIZE), lambda r: set(r.variables["v"]), {"x"}),
}
"""By name: the body, what to look at, and what it is."""
