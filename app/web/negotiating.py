"""Which media type a client sends, which one it gets, and the status that goes with an answer."""

from collections.abc import Iterable
from functools import lru_cache

from app.domain.refusals import ProblemCode

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
UTF_8 = ("utf-8", "utf8")
OFFERED = (JSON, GRAPHQL_RESPONSE)
"""In the order in which they are preferred where a client does not mind."""
KNOWN_SPELLINGS = 32
"""Headers that are remembered as they were read. Clients send few different ones, which may be long."""
Values = tuple[str, ...]
"""What the headers of one name say, each header one."""
STATUS = {
    ProblemCode.UNAUTHENTICATED: 401,
    ProblemCode.UNKNOWN_TENANT: 403,
    ProblemCode.FORBIDDEN: 403,
    ProblemCode.TIMEOUT: 503,
    ProblemCode.INTERNAL: 500,
}
"""Whatever the media type. All other refusals are 400; but clients of plain JSON look for what is wrong with a
document or its variables under status 200, because a proxy on the way could have made any other."""


def values_of(headers: Iterable[tuple[bytes, bytes]], *names: bytes) -> list[Values]:
    """What the headers of these names say, which ASGI has in lower case."""
    found: dict[bytes, Values] = dict.fromkeys(names, ())
    for name, value in headers:
        if name in found:
            found[name] += (value.decode("latin-1"),)
    return list(found.values())


def parameters(header: str) -> tuple[str, dict[str, str]]:
    """A media type and its parameters, in lower case."""
    kind, *rest = (part.strip() for part in header.lower().split(";"))
    pairs = (part.partition("=") for part in rest)
    return kind, {name.strip(): value.strip().strip('"') for name, _, value in pairs}


@lru_cache(KNOWN_SPELLINGS)
def is_json(content_types: Values) -> bool:
    """The body is JSON in UTF-8, as the one `Content-Type` says."""
    kind, given = parameters(content_types[0] if len(content_types) == 1 else "")
    return kind == JSON and given.get("charset", "utf-8") in UTF_8


@lru_cache(KNOWN_SPELLINGS)
def is_encoded(content_encodings: Values) -> bool:
    """The body is compressed, or encoded otherwise, as any `Content-Encoding` says. `identity` is no encoding."""
    codings = ",".join(content_encodings).lower().split(",")
    return any(coding.strip() not in ("", "identity") for coding in codings)


def quality(given: dict[str, str]) -> float:
    """How much a media type is wanted, 0 to 1; 0 for a value that is no quality."""
    try:
        wanted = float(given.get("q", "1"))
    except ValueError:
        return 0.0
    return wanted if 0 <= wanted <= 1 else 0.0


@lru_cache(KNOWN_SPELLINGS)
def choose(accepts: Values) -> str | None:
    """The media type to answer in, by the client's own preference; None where it accepts none of ours.

    Of equally wanted ones it is the one named first: that is how clients of GraphQL list them.
    """
    accept = ", ".join(accepts)
    if not accept.strip():
        return JSON
    ranges = [parameters(part) for part in accept.split(",") if part.strip()]
    wanted = {offer: wish(offer, ranges) for offer in OFFERED}
    best = max(OFFERED, key=lambda offer: wanted[offer])
    return best if wanted[best][0] else None


def wish(offer: str, ranges: list[tuple[str, dict[str, str]]]) -> tuple[float, int, int]:
    """How much a media type is wanted, how specific the range is that says so, and how early it was named."""
    covering = {offer: 2, "application/*": 1, "*/*": 0}
    fitting = [
        (covering[kind], -place, quality(given))
        for place, (kind, given) in enumerate(ranges)
        if kind in covering and given.get("charset", "utf-8") in UTF_8
    ]
    specific, place, wanted = max(fitting, default=(0, 0, 0.0))
    return wanted, specific, place


def status(code: ProblemCode, media_type: str, *, is_understood: bool) -> int:
    """The status of a request that was not run, for this reason."""
    return STATUS.get(code, 200 if is_understood and media_type == JSON else 400)
