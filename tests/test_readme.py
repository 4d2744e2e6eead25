"""What the README says is what the code does."""

import json
import re
from pathlib import Path

import pytest

from app.domain.permissions import BuiltInRole, DirectoryRole, Permission
from app.storage.engines import Database
from tests.graph.asking import ask

README = Path(__file__).parents[1] / "README.md"
QUESTIONS = re.findall(r"As `([a-z-]+)`:\n\n```graphql\n(.*?)```\n\n```json\n(.*?)```", README.read_text(), re.DOTALL)
TABLE = re.compile(r"<!-- permissions -->\n(.*)<!-- /permissions -->", re.DOTALL)
COLUMNS = [*BuiltInRole, *DirectoryRole]


def permissions_table() -> str:
    """Who holds what, as the README shows it."""
    rows = [
        ["permission", *(role.label for role in COLUMNS)],
        [":--", *(":-:" for _ in COLUMNS)],
        *([f"`{each.name}`", *("✓" if each in role.permissions else "" for role in COLUMNS)] for each in Permission),
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


@pytest.mark.parametrize(("person", "question", "answer"), QUESTIONS, ids=[found[0] for found in QUESTIONS])
async def test_the_questions_have_the_answers_it_shows(
    world: Database, person: str, question: str, answer: str
) -> None:
    assert await ask(world, person).data(question) == json.loads(answer)


def test_there_are_three_questions() -> None:
    assert len(QUESTIONS) == 3


def test_who_may_do_what_is_printed_from_the_code() -> None:
    found = TABLE.search(README.read_text())

    assert found is not None
    assert found[1] == permissions_table()


def test_everything_that_it_links_to_is_there() -> None:
    text = README.read_text()
    links = re.findall(r"\]\(([^)]+)\)", text)
    headings = ["#" + heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)", text, re.MULTILINE)]

    assert [link for link in links if link not in headings and not (README.parent / link).exists()] == []
