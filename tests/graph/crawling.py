"""A crawl: documents asked over HTTP as one person, and everything that comes back looked through for marks."""

import io
import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from starlette.applications import Starlette

from app.config import PublishedTerms, Settings
from app.domain.ids import GlobalId
from app.main import create_app
from app.web.development_issuer import DevelopmentIssuer
from app.web.logs import start_logging
from app.web.tokens import Claims
from tests.graph.asking import EVERYBODY, viewer_of
from tests.graph.marks import UUID, Marked, marks_in
from tests.world import SEEDED_AT

TERMS = PublishedTerms(version="2026-11", text="Until either side ends it.", url="https://gateway.example/terms")
STRANGER = "d3b0b5f4-30a2-4b60-a7ae-3f6b1c0a9c55"
"""The object id of somebody of a registered tenant whom nobody stored."""


SOME = ("contoso-global-reader", "contoso-analyst", "northwind-admin", "northwind-tool", "adatum-guest")
"""People to whom very different rules apply."""


def on_engines(people: Iterable[str]) -> list[tuple[str, str]]:
    """Everybody on SQLite, and some on PostgreSQL, where every statement costs more and every rule is the same."""
    people = list(people)
    return [*(("sqlite", person) for person in people), *(("postgresql", each) for each in people if each in SOME)]


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """What the gateway writes to its log at the level DEBUG, of all loggers."""
    root = logging.getLogger()
    loggers = [root, *(each for each in root.manager.loggerDict.values() if isinstance(each, logging.Logger))]
    before, handlers = {each: each.level for each in loggers}, root.handlers[:]
    try:
        with redirect_stderr(io.StringIO()) as written:
            start_logging("DEBUG")
            yield written
    finally:
        root.handlers[:] = handlers
        for each, level in before.items():
            if each.level != level:
                each.setLevel(level)


@dataclass
class Crawl:
    """One person's requests, and what was found in the answers."""

    person: str
    client: httpx.AsyncClient
    allowed: set[str]
    """The marks that the person may see."""
    objects: set[str]
    """The global ids of all that the person sees."""
    stored: frozenset[str]
    """The global ids of all that there was."""
    visited: set[tuple[str, str]] = field(default_factory=set)
    """Fields of types that came with a value."""
    seen: set[str] = field(default_factory=set)
    """Marks that came."""
    leaks: list[str] = field(default_factory=list)

    expected: set[str] = field(default_factory=lambda: {"BAD_ARGUMENT"})
    """Codes of errors that are answers, too."""
    keys: set[str] = field(init=False)
    """The parts of those ids that tell one from another."""

    def __post_init__(self) -> None:
        self.keys = set(UUID.findall(" ".join(self.objects)))

    def learn(self, payloads: Iterable[Any]) -> None:
        """From now on the person knows of what they made, or tried to."""
        answered = [each for payload in payloads for each in payload.values() if isinstance(each, dict)]
        for each in answered:
            if (made := each.get("id", "")) not in self.stored:
                self.keys.update(UUID.findall(made))

    async def ask(self, query: str, **variables: Any) -> Any:
        """The data of an answer. Everything that came with it is looked through."""
        with logged() as log:
            answer = await self.client.post("/graphql", json={"query": query, "variables": variables})
        body = answer.json()
        if query.startswith("mutation"):
            self.learn(each for each in body["data"].values() if isinstance(each, dict))
        for place, text in (("headers", f"{answer.headers}"), ("body", answer.text), ("log", log.getvalue())):
            self.look(place, text, query)
        found = {error["extensions"]["code"] for error in body.get("errors", [])}
        assert answer.status_code == 200, (query, body)
        assert found <= self.expected, (query, body)
        self.visit(body["data"])
        return body["data"]

    def look(self, place: str, text: str, query: str) -> None:
        """Notice what this person should not have been told; a log tells nothing of anybody."""
        marks, keys = marks_in(text), set(UUID.findall(text))
        known = set() if place == "log" else self.allowed
        self.seen |= marks
        foreign = (marks - known) | {key for key in keys if not self.knows(key)}
        self.leaks += [f"{self.person}: {place} has {sorted(foreign)[:5]}: {query[:300]}"] if foreign else []

    def knows(self, text: str) -> bool:
        """Whether every id in the text is one that the person sees."""
        return self.keys.issuperset(UUID.findall(text))

    def visit(self, value: Any) -> None:
        """Notice which fields have a value."""
        if isinstance(value, list):
            for each in value:
                self.visit(each)
        elif isinstance(value, dict):
            kind = value.get("__typename", "Query")
            self.visited |= {(kind, name) for name, each in value.items() if each not in (None, [])}
            for each in value.values():
                self.visit(each)


@dataclass(frozen=True, eq=False)
class Site:
    """The whole application over the marked world, at the moment that it was seeded."""

    marked: Marked
    issuer: DevelopmentIssuer
    app: Starlette

    @classmethod
    def over(cls, marked: Marked, issuer: DevelopmentIssuer) -> "Site":
        """The application over this database, with tokens of this issuer."""
        return cls(
            marked, issuer, create_app(Settings(terms=TERMS), marked.database, issuer.verifier, lambda: SEEDED_AT)
        )

    def client(self, claims: Claims | None) -> httpx.AsyncClient:
        """Somebody who has a token with these claims, or none."""
        headers = {"Authorization": f"Bearer {self.issuer.token(claims, SEEDED_AT)}"} if claims else {}
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://gateway", headers=headers)

    def crawl(self, person: str) -> Crawl:
        """A crawl as a person of the demo world, which has found nothing yet."""
        allowed, objects = self.marked.allowed(person), self.marked.objects(person)
        return Crawl(person, self.client(claims_of(person)), allowed, objects, frozenset(self.marked.relations.rows))

    def crawl_as_stranger(self, principal: str = STRANGER) -> Crawl:
        """A crawl as somebody of Contoso whom nobody stored: they see their organization and themselves."""
        at_home = viewer_of("contoso-nobody").tenant_id
        tenant, user = str(GlobalId("tenant", at_home, at_home)), str(GlobalId("user", at_home, principal))
        allowed = {mark.word for mark in self.marked.shown() if mark.object == tenant}
        claims = claims_of("contoso-nobody", principal_id=principal, display_name="stranger")
        return Crawl("a stranger", self.client(claims), allowed, {tenant, user}, frozenset(self.marked.relations.rows))


def claims_of(person: str, **changed: Any) -> Claims:
    """What the token of a person of the demo world says."""
    entry, viewer = next(each for each in EVERYBODY if each.name == person), viewer_of(person)
    claims: dict[str, Any] = {
        "tenant_id": viewer.tenant_id,
        "principal_id": viewer.principal_id,
        "kind": viewer.kind,
        "directory_roles": viewer.directory_roles,
        "display_name": entry.name,
        "user_principal_name": getattr(entry, "user_principal_name", None),
        "guest": False,
        "expires_at": SEEDED_AT + timedelta(hours=1),
    }
    return Claims(**claims | changed)


def forget_statements() -> None:
    """Let every statement be made anew, because a rule that it was made from has changed."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("app.access.", "app.reading.")):
            for made in vars(module).values():
                getattr(made, "cache_clear", int)()
