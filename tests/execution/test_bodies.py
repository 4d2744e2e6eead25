"""Whatever the bytes of a body, it is a request or a clear refusal."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config import Limits
from app.domain.refusals import Problem, ProblemCode
from app.execution.bodies import GraphQLRequest, parse_body
from tests.execution.hostile_bodies import GOOD, HOSTILE, nested, padded

LIMITS = Limits()
PYTHON = re.compile(r"Expecting|Extra data|codec|int\(\)|\bNone\b|\bdict\b|\bstr\b|Traceback|Error|invalid literal")


def test_there_are_at_least_sixty_hostile_bodies() -> None:
    assert len(HOSTILE) >= 60


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_body_is_refused_with_a_clear_message(name: str) -> None:
    body, said = HOSTILE[name]

    with pytest.raises(Problem) as refused:
        parse_body(body, LIMITS)

    assert refused.value.code is ProblemCode.BAD_REQUEST
    assert said in refused.value.message
    assert not PYTHON.search(refused.value.message)
    assert len(refused.value.message) < 300
    refused.value.message.encode()


@pytest.mark.parametrize("name", GOOD)
def test_good_body_is_read(name: str) -> None:
    body, looked_at, expected = GOOD[name]

    assert looked_at(parse_body(body, LIMITS)) == expected


def test_size_is_refused_by_the_setting_alone() -> None:
    body = padded(LIMITS.max_body_bytes + 1)

    assert parse_body(body, Limits(max_body_bytes=len(body)))


def test_depth_is_refused_by_the_setting_alone() -> None:
    assert parse_body(nested(21), Limits(max_body_depth=21))


def test_size_and_depth_are_told_to_machines_too() -> None:
    with pytest.raises(Problem) as large:
        parse_body(padded(65_537), LIMITS)
    with pytest.raises(Problem) as deep:
        parse_body(nested(21), LIMITS)

    assert large.value.details == {"asked": 65_537, "allowed": 65_536}
    assert deep.value.details == {"asked": 21, "allowed": 20}


def test_long_key_is_shown_only_in_part() -> None:
    body = b'{"query":"","variables":{"' + b"k" * 60_000 + b'":NaN}}'

    with pytest.raises(Problem) as refused:
        parse_body(body, LIMITS)

    assert "`variables." + "k" * 40 + "`" in refused.value.message


PIECES = [
    *(b'{ } [ ] , : " \\ "query" "variables" "v" "\\u0000" "\\ud800" "\\u00e9" \x00 \xff \xc3\xa9 1 -1 1e999 '
      b"NaN null true 0.5 9999999999999999999999").split(b" "),
    b" ",
    b'{"query":"{a}","variables":',
]  # fmt: skip


@given(st.one_of(st.binary(max_size=60), st.lists(st.sampled_from(PIECES), max_size=25).map(b"".join)))
def test_any_bytes_are_a_request_or_a_bad_request(raw: bytes) -> None:
    try:
        request = parse_body(raw, LIMITS)
    except Problem as refused:
        assert refused.code is ProblemCode.BAD_REQUEST  # noqa: PT017
    else:
        assert isinstance(request, GraphQLRequest)
