"""The README's story, lived through over HTTP on both engines: every answer is the one that it shows."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from app.commands.demo import DEMO_TERMS
from app.config import Settings
from app.main import create_app
from app.storage.engines import Database
from app.web.development_issuer import DevelopmentIssuer
from tests.graph.asking import PEOPLE
from tests.graph.crawling import claims_of
from tests.world import SEEDED_AT

README = (Path(__file__).parents[1] / "README.md").read_text()
STORY = re.search(r"^## The whole story\n(.*?)^## ", README, re.DOTALL | re.MULTILINE)
STEP = re.compile(r"^\*\*(\d+)\.\*\* `([a-z-]+)` ([^\n]+)\n(.*?)(?=^\*\*|\Z)", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
MARK = "…"
"""Between how a shortened value begins and its name in the story."""


@dataclass(frozen=True)
class Step:
    """Somebody asks something, and gets this answer."""

    person: str
    document: str
    variables: Any
    answer: Any


@dataclass
class Shortener:
    """What the shortened values of the story stand for, as far as it was told."""

    meanings: dict[str, str] = field(default_factory=dict)

    def shorten(self, given: Any, shown: Any) -> Any:
        """What was given, with those values shortened that are shown so and mean what they meant before."""
        if isinstance(given, dict) and isinstance(shown, dict):
            return {name: self.shorten(each, shown.get(name)) for name, each in given.items()}
        if isinstance(given, list) and isinstance(shown, list) and len(given) == len(shown):
            return [self.shorten(*pair) for pair in zip(given, shown, strict=True)]
        if isinstance(given, str) and isinstance(shown, str) and MARK in shown and self.means(shown, given):
            return shown
        return given

    def means(self, short: str, value: str) -> bool:
        """Whether the short form stands for this value and for no other; what is new is learnt."""
        if not value.startswith(short.partition(MARK)[0]):
            return False
        if short not in self.meanings and value not in self.meanings.values():
            self.meanings[short] = value
        return self.meanings.get(short) == value

    def lengthen(self, shown: Any) -> Any:
        """What is shown, with the values that the short forms stand for."""
        if isinstance(shown, dict):
            return {name: self.lengthen(each) for name, each in shown.items()}
        if isinstance(shown, list):
            return [self.lengthen(each) for each in shown]
        return self.meanings[shown] if isinstance(shown, str) and MARK in shown else shown


def read_steps() -> Iterator[Step]:
    """The steps of the story. One without a document sends that of the step before."""
    assert STORY is not None
    document = ""
    for _, person, _, body in STEP.findall(STORY[1]):
        blocks = BLOCK.findall(body)
        document = next((text for language, text in blocks if language == "graphql"), document)
        *variables, answer = [json.loads(text) for language, text in blocks if language == "json"]
        yield Step(person, document, variables[0] if variables else None, answer)


STEPS = list(read_steps())


@pytest.fixture
def issuer(folder: Path) -> DevelopmentIssuer:
    """Who makes the tokens."""
    return DevelopmentIssuer(folder / "issuer", "access_as_user")


@pytest.fixture
def gateway(own_world: Database, issuer: DevelopmentIssuer) -> Starlette:
    """The application over a demo world, with the terms of the demo and a clock that moves with every request."""
    moments = (SEEDED_AT + timedelta(seconds=second) for second in count())
    return create_app(Settings(terms=DEMO_TERMS), own_world, issuer.verifier, lambda: next(moments))


async def test_the_story_is_what_happens(gateway: Starlette, issuer: DevelopmentIssuer) -> None:
    short = Shortener()

    async with httpx.AsyncClient(transport=httpx.ASGITransport(gateway), base_url="http://gateway") as client:
        for step in STEPS:
            headers = {"Authorization": f"Bearer {issuer.token(claims_of(step.person), SEEDED_AT)}"}
            body = {"query": step.document, "variables": short.lengthen(step.variables)}
            answer = (await client.post("/graphql", json=body, headers=headers)).json()

            assert in_order(short.shorten(answer, step.answer)) == in_order(step.answer), step.document


def in_order(answer: Any) -> str:
    """An answer as text, in which also the order of the fields counts."""
    return json.dumps(answer, indent=1, ensure_ascii=False)


def test_every_step_is_run_and_fits_on_a_line() -> None:
    assert STORY is not None
    numbers = [int(number) for number, *_ in STEP.findall(STORY[1])]

    assert numbers == list(range(1, len(STEPS) + 1))
    assert len(STEPS) == STORY[1].count("\n**") == 16
    assert len(BLOCK.findall(STORY[1])) == STORY[1].count("\n```\n")
    assert {step.person for step in STEPS} <= set(PEOPLE)
    assert max(map(len, STORY[1].splitlines())) <= 120


def test_a_short_form_stands_for_one_value_and_a_value_has_one() -> None:
    short = Shortener()

    assert short.shorten(["room_1", "room_1", "room_2"], ["room_…a", "room_…a", "room_…a"]) == [
        "room_…a",
        "room_…a",
        "room_2",
    ]
    assert short.shorten("room_1", "room_…b") == "room_1"
    assert short.shorten("ring_3", "room_…c") == "ring_3"
    assert short.shorten("room_3", "room_…c") == "room_…c"
    assert short.lengthen({"room": ["room_…a", None]}) == {"room": ["room_1", None]}
