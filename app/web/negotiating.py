"""Which media type a client sends, which one it gets, and the status that goes with an answer."""

from app.domain.refusals import ProblemCode
from app.execution.answers import Answer

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
OFFERED = (JSON, GRAPHQL_RESPONSE)
"""In the order in which they are preferred where a client does not mind."""
STATUS = {
    ProblemCode.UNAUTHENTICATED: 401,
    ProblemCode.UNKNOWN_TENANT: 403,
    ProblemCode.TIMEOUT: 503,
    ProblemCode.INTERNAL: 500,
}
"""Whatever the media type; all other refusals are 400, or, of a document in plain JSON, 200."""
OF_DOCUMENT = {ProblemCode.PARSE_FAILED, ProblemCode.VALIDATION_FAILED, ProblemCode.LIMIT_EXCEEDED}
"""What a well-formed request is told in the answer; plain JSON clients look for it under status 200."""


def parameters(header: str) -> tuple[str, dict[str, str]]:
    """A media type and its parameters, in lower case."""
    kind, *rest = (part.strip() for part in header.lower().split(";"))
    pairs = (part.partition("=") for part in rest)
    return kind, {name.strip(): value.strip().strip('"') for name, _, value in pairs}


def is_json(content_type: str) -> bool:
    """The body is JSON in UTF-8."""
    kind, given = parameters(content_type)
    return kind == JSON and given.get("charset", "utf-8").replace("_", "-") in {"utf-8", "utf8"}


def quality(given: dict[str, str]) -> float:
    """How much a media type is wanted, 0 to 1; 0 for a value that is no quality."""
    try:
        wanted = float(given.get("q", "1"))
    except ValueError:
        return 0.0
    return wanted if 0 <= wanted <= 1 else 0.0


def choose(accept: str | None) -> str | None:
    """The media type to answer in, by the client's own preference; None where it accepts none of ours."""
    if accept is None or not accept.strip():
        return JSON
    ranges = [parameters(part) for part in accept.split(",") if part.strip()]
    wanted = {offer: wish(offer, ranges) for offer in OFFERED}
    best = max(OFFERED, key=lambda offer: wanted[offer])
    return best if wanted[best] > (0.0, 0) else None


def wish(offer: str, ranges: list[tuple[str, dict[str, str]]]) -> tuple[float, int]:
    """How much a media type is wanted: by the most specific range that covers it, and how specific that is."""
    covering = {offer: 2, "application/*": 1, "*/*": 0}
    fitting = [
        (covering[kind], quality(given))
        for kind, given in ranges
        if kind in covering and given.get("charset", "utf-8") in {"utf-8", "utf8"}
    ]
    if not fitting:
        return (0.0, 0)
    specific, wanted = max(fitting, key=lambda found: found[0])
    return (wanted, specific) if wanted else (0.0, 0)


def status(answer: Answer, media_type: str) -> int:
    """The status of an answer."""
    if answer.code is None:
        return 200
    if answer.code in OF_DOCUMENT and media_type == JSON:
        return 200
    return STATUS.get(answer.code, 400)
