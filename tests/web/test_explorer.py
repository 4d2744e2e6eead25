"""The explorer as it is served: what leads to it, what it carries, and to whom the demo hands out tokens."""

import gzip
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.config import Settings
from app.main import create_app
from app.web.development_issuer import DevelopmentIssuer
from app.web.explorer.people import Introduction, People
from app.web.explorer.serving import Explorer
from app.web.wrapping import MAX_HEADER_BYTES, Wrapping
from tests.web.gateway import ANSWER, ORIGIN, PERSON, QUESTION, Logs, claims_of
from tests.world import SEEDED_AT, Worlds

POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; "
    "style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SCRIPT = b"export const answer = 42;\n" * 1000
FONT = b"\0\1\0\0" * 500
HERE = "127.0.0.1:8000"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A page like the one that is made, but small; beside it what is nobody's to read."""
    made = tmp_path / "bundle"
    for folder in ("assets", "workers"):
        (made / folder).mkdir(parents=True)
        (made / folder / "index-1a2b.js").write_bytes(SCRIPT)
    (made / "index.html").write_text("<!doctype html><title>explorer</title>")
    (made / "assets" / "codicon-3c4d.ttf").write_bytes(FONT)
    (made / "licenses.md").write_text("of others")
    (tmp_path / "secret.pem").write_text("private")
    (made / "assets" / "outside.pem").symlink_to(tmp_path / "secret.pem")
    return made


@pytest.fixture
def people(issuer: DevelopmentIssuer) -> People:
    token = issuer.token(claims_of(PERSON), SEEDED_AT)
    return People([Introduction(PERSON, "Contoso", "Everything of Contoso.", lambda: token)])


@asynccontextmanager
async def opened(
    worlds: dict[str, Worlds], issuer: DevelopmentIssuer, explorer: Explorer | None, peer: str = "127.0.0.1"
) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway with this explorer, or none, asked by this peer."""
    settings = Settings(cors_origins=(ORIGIN,))
    app = create_app(settings, worlds["sqlite"].shared, issuer.verifier, lambda: SEEDED_AT, explorer=explorer)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(peer, 40000))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HERE}") as client:
        client.headers["Accept-Encoding"] = "identity"
        yield client


@pytest.fixture
async def demo(
    worlds: dict[str, Worlds], issuer: DevelopmentIssuer, bundle: Path, people: People
) -> AsyncIterator[httpx.AsyncClient]:
    """The demo with the explorer, asked on its own machine."""
    async with opened(worlds, issuer, Explorer(bundle, people)) as client:
        yield client


async def test_the_page_and_its_parts_are_served_as_what_they_are(demo: httpx.AsyncClient) -> None:
    page, script, worker, font = [
        await demo.get(f"/explorer/{path}")
        for path in ("", "assets/index-1a2b.js", "workers/index-1a2b.js", "assets/codicon-3c4d.ttf")
    ]

    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert page.text == "<!doctype html><title>explorer</title>"
    assert script.content == worker.content == SCRIPT
    assert script.headers["Content-Type"] == worker.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert (font.content, font.headers["Content-Type"]) == (FONT, "font/ttf")


@pytest.mark.parametrize(
    "method, path, headers, status",
    [
        ("GET", "/explorer/", {}, 200),
        ("HEAD", "/explorer/", {}, 200),
        ("GET", "/explorer/assets/index-1a2b.js", {"If-None-Match": "*"}, 304),
        ("GET", "/explorer/assets/index-1a2b.js", {"Range": "bytes=0-9"}, 206),
        ("GET", "/explorer/assets/", {}, 404),
        ("GET", "/explorer/nothing", {}, 404),
        ("POST", "/explorer/", {}, 405),
        ("POST", "/explorer/assets/index-1a2b.js", {}, 405),
        ("GET", "/explorer/people", {}, 200),
        ("GET", "/explorer/people", {"Host": "evil.example"}, 403),
        ("POST", "/explorer/people", {}, 405),
        ("POST", "/explorer", {}, 405),
        ("POST", "/", {}, 405),
        ("GET", "/explorer/no%0Aline", {}, 404),
        ("GET", "/explorer/people", {"X-Filler": "x" * MAX_HEADER_BYTES}, 431),
        ("OPTIONS", "/explorer/people", {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}, 200),
        ("OPTIONS", "/explorer/people", {"Origin": "http://evil.example", "Access-Control-Request-Method": "GET"}, 400),
    ],
)
async def test_every_response_of_the_mount_carries_the_policy(
    demo: httpx.AsyncClient, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    response = await demo.request(method, path, headers=headers)

    assert response.status_code == status
    assert response.headers.get_list("Content-Security-Policy") == [POLICY]
    assert response.headers.get_list("X-Content-Type-Options") == ["nosniff"]
    assert response.headers["Cache-Control"] == (
        "no-store" if (method, path, status) == ("GET", "/explorer/people", 200) else "no-cache"
    )
    assert (response.content == b"") == (method == "HEAD" or status == 304)
    if status == 405:
        assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD"}


@pytest.mark.parametrize("path", ["", "assets/index-1a2b.js", "workers/index-1a2b.js", "assets/codicon-3c4d.ttf"])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_what_a_browser_has_already_is_not_sent_again(demo: httpx.AsyncClient, path: str, encoding: str) -> None:
    headers = {"Accept-Encoding": encoding}
    first = await demo.get(f"/explorer/{path}", headers=headers)
    etag = first.headers["ETag"]

    for known in (etag, f'W/{etag}, "another"'):
        again = await demo.get(f"/explorer/{path}", headers=headers | {"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
        assert again.headers.get_list("Content-Security-Policy") == [POLICY]
        assert again.headers["Cache-Control"] == "no-cache"
    other = await demo.get(f"/explorer/{path}", headers=headers | {"If-None-Match": '"another"'})
    assert (other.status_code, other.content) == (200, first.content)


async def test_another_page_is_sent_though_it_is_as_long_and_as_old(demo: httpx.AsyncClient, bundle: Path) -> None:
    page = bundle / "index.html"
    before = page.stat()
    etag = (await demo.get("/explorer/")).headers["ETag"]

    page.write_text(page.read_text().replace("explorer", "exploded"))
    os.utime(page, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert page.stat().st_size == before.st_size
    assert (await demo.get("/explorer/", headers={"If-None-Match": etag})).status_code == 200


async def test_a_defect_in_the_mount_carries_the_policy_too(
    worlds: dict[str, Worlds], issuer: DevelopmentIssuer, bundle: Path
) -> None:
    def fail() -> str:
        raise RuntimeError("a private key")

    broken = Explorer(bundle, People([Introduction(PERSON, "Contoso", "", fail)]))
    async with opened(worlds, issuer, broken) as client:
        response = await client.get("/explorer/people")

    assert response.status_code == 500
    assert response.headers.get_list("Content-Security-Policy") == [POLICY]
    assert "private" not in response.text


async def test_a_defect_around_the_mount_carries_the_policy_too(bundle: Path) -> None:
    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("a private key")

    status, headers, body = await ask_exactly(Wrapping(fail, Explorer(bundle).headers_at))

    assert (status, headers[b"content-security-policy"]) == (500, POLICY.encode())
    assert b"private" not in body


async def test_the_policy_is_carried_also_below_an_address_of_somebody_else(
    worlds: dict[str, Worlds], issuer: DevelopmentIssuer, bundle: Path
) -> None:
    page = Explorer(bundle)
    app = create_app(Settings(), worlds["sqlite"].shared, issuer.verifier, lambda: SEEDED_AT, explorer=page)

    status, headers, _ = await ask_exactly(app, path="/ours/explorer/people", root_path="/ours")

    assert (status, headers[b"content-security-policy"]) == (404, POLICY.encode())


async def test_only_the_mount_compresses_and_has_a_policy(demo: httpx.AsyncClient, issuer: DevelopmentIssuer) -> None:
    accepting = {"Accept-Encoding": "br, gzip"}
    headers = accepting | {"Authorization": f"Bearer {issuer.token(claims_of(PERSON), SEEDED_AT)}"}
    schema = {"query": "{ __schema { types { name description } } }"}

    async with demo.stream("GET", "/explorer/assets/index-1a2b.js", headers=accepting) as script:
        compressed = b"".join([chunk async for chunk in script.aiter_raw()])
    plain = await demo.get("/explorer/assets/index-1a2b.js")
    answer = await demo.post("/graphql", json=schema, headers=headers)

    assert script.headers["Content-Encoding"] == "gzip"
    assert len(compressed) < len(SCRIPT) / 10
    assert gzip.decompress(compressed) == SCRIPT
    assert "Accept-Encoding" in script.headers["Vary"]
    assert "Content-Encoding" not in plain.headers
    assert len(answer.content) > 10_000
    for other in (answer, await demo.get("/healthz", headers=headers), await demo.get("/nothing", headers=headers)):
        assert "Content-Encoding" not in other.headers
        assert "Content-Security-Policy" not in other.headers


@pytest.mark.parametrize("path", ["/", "/explorer"])
@pytest.mark.parametrize("host", [HERE, "evil.example"])
async def test_the_root_leads_to_it_and_to_no_host_that_a_request_names(
    demo: httpx.AsyncClient, path: str, host: str
) -> None:
    for response in (await demo.get(path, headers={"Host": host}), await demo.head(path, headers={"Host": host})):
        assert (response.status_code, response.headers["Location"]) == (307, "explorer/")
        assert response.headers.get_list("Content-Security-Policy") == [POLICY]
        assert response.headers.get_list("X-Content-Type-Options") == ["nosniff"]


@pytest.mark.parametrize(
    "path",
    [
        "../secret.pem",
        "assets/../../secret.pem",
        "assets/..%2f..%2fsecret.pem",
        "assets/%2e%2e/%2e%2e/secret.pem",
        "assets/..%5c..%5csecret.pem",
        "assets//etc/passwd",
        "assets/%2fetc%2fpasswd",
        "assets/index-1a2b.js%00.html",
        "assets/outside.pem",
        f"assets/{'x' * 5000}",
        "assets",
        "workers/",
        "index.html",
        "licenses.md",
        "made-from.sha256",
        ".",
        "//evil.example/",
    ],
)
async def test_nothing_else_is_read(
    worlds: dict[str, Worlds], issuer: DevelopmentIssuer, bundle: Path, people: People, path: str
) -> None:
    page = Explorer(bundle, people)
    app = create_app(Settings(), worlds["sqlite"].shared, issuer.verifier, lambda: SEEDED_AT, explorer=page)

    status, headers, body = await ask_exactly(app, path=unquote(f"/explorer/{path}"))

    assert status == 404
    assert headers[b"content-security-policy"] == POLICY.encode()
    assert json.loads(body)["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_without_it_there_is_nothing_at_any_of_its_addresses(
    worlds: dict[str, Worlds], issuer: DevelopmentIssuer
) -> None:
    async with opened(worlds, issuer, None) as client:
        for path in ("/", "/explorer", "/explorer/", "/explorer/people", "/explorer/assets/index-1a2b.js"):
            assert (await client.get(path)).status_code == 404


async def test_there_are_no_people_outside_of_the_demo(
    worlds: dict[str, Worlds], issuer: DevelopmentIssuer, bundle: Path
) -> None:
    async with opened(worlds, issuer, Explorer(bundle)) as client:
        assert (await client.get("/explorer/")).status_code == 200
        assert (await client.get("/explorer/people")).status_code == 404


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.9.8.7", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", [HERE, "localhost", "LOCALHOST:8000", "[::1]:8000", "[::1]", "127.1.2.3:80"])
async def test_people_are_introduced_on_their_own_machine_with_tokens_that_work(
    worlds: dict[str, Worlds], issuer: DevelopmentIssuer, bundle: Path, people: People, peer: str, host: str
) -> None:
    async with opened(worlds, issuer, Explorer(bundle, people), peer) as client:
        response = await client.get("/explorer/people", headers={"Host": host, "Sec-Fetch-Site": "same-origin"})
        [person] = response.json()["people"]
        headers = {"Authorization": f"Bearer {person['token']}"}
        answer = await client.post("/graphql", json={"query": QUESTION}, headers=headers)

    expected = {
        "name": PERSON,
        "organization": "Contoso",
        "expects": "Everything of Contoso.",
        "token": person["token"],
    }
    assert person == expected
    assert answer.json() == ANSWER


@pytest.mark.parametrize(
    "peer, headers",
    [
        ("192.168.1.20", {}),
        ("10.0.0.1", {"X-Forwarded-For": "127.0.0.1"}),
        ("fe80::1", {}),
        ("::ffff:192.168.1.20", {}),
        ("", {}),
        ("testclient", {}),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}),
        ("127.0.0.1", {"Forwarded": "for=203.0.113.9"}),
        ("127.0.0.1", {"X-Real-IP": "203.0.113.9"}),
        ("127.0.0.1", {"X-Forwarded-Host": "evil.example"}),
        ("127.0.0.1", {"X-Forwarded-Proto": "https"}),
        ("127.0.0.1", {"Via": "1.1 proxy"}),
        ("127.0.0.1", {"Host": "evil.example"}),
        ("127.0.0.1", {"Host": "evil.example:8000"}),
        ("127.0.0.1", {"Host": "localhost.evil.example"}),
        ("127.0.0.1", {"Host": "127.0.0.1.evil.example"}),
        ("127.0.0.1", {"Host": "localhost."}),
        ("127.0.0.1", {"Host": "127.0.0.1@evil.example"}),
        ("127.0.0.1", {"Host": "evil.example, localhost"}),
        ("127.0.0.1", {"Host": "0.0.0.0:8000"}),
        ("127.0.0.1", {"Host": "[::]:8000"}),
        ("127.0.0.1", {"Host": "127.0.0.1:8000:1"}),
        ("127.0.0.1", {"Host": "localhost:"}),
        ("127.0.0.1", {"Host": ""}),
        ("127.0.0.1", {"Origin": ORIGIN}),
        ("127.0.0.1", {"Origin": f"http://{HERE}"}),
        ("127.0.0.1", {"Origin": "null"}),
        ("127.0.0.1", {"Sec-Fetch-Site": "cross-site"}),
        ("127.0.0.1", {"Sec-Fetch-Site": "same-site"}),
    ],
)
async def test_nobody_else_is_told_a_token(
    worlds: dict[str, Worlds],
    issuer: DevelopmentIssuer,
    bundle: Path,
    people: People,
    peer: str,
    headers: dict[str, str],
) -> None:
    async with opened(worlds, issuer, Explorer(bundle, people), peer) as client:
        response = await client.get("/explorer/people", headers=headers)

    assert response.status_code == 403
    assert response.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert people.introductions[0].token() not in response.text
    assert PERSON not in response.text


async def test_two_hosts_and_no_host_are_refused(
    worlds: dict[str, Worlds], issuer: DevelopmentIssuer, bundle: Path, people: People
) -> None:
    page = Explorer(bundle, people)
    app = create_app(Settings(), worlds["sqlite"].shared, issuer.verifier, lambda: SEEDED_AT, explorer=page)

    here = (b"host", HERE.encode())
    assert (await ask_exactly(app, headers=[here]))[0] == 200
    assert (await ask_exactly(app, headers=[]))[0] == 403
    assert (await ask_exactly(app, headers=[here, (b"host", b"evil.example")]))[0] == 403
    assert (await ask_exactly(app, headers=[here], client=None))[0] == 403


async def ask_exactly(app: ASGIApp, **changes: Any) -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers and body of what no well-behaved client sends, as the server hands it on."""
    sent: list[Message] = []
    scope: dict[str, Any] = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/explorer/people",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", HERE.encode())],
        "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", 8000),
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope | changes, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


async def test_logs_hold_neither_tokens_nor_what_was_asked_for_by_mistake(
    demo: httpx.AsyncClient, people: People, logs: Logs
) -> None:
    await demo.get("/explorer/people")
    await demo.get(f"/explorer/{people.introductions[0].token()}")

    assert [(line["path"], line["status"]) for line in logs.of("gateway.requests")] == [
        ("/people", 200),
        ("/explorer", 404),
    ]
    assert people.introductions[0].token() not in logs.text
