"""What a frontend developer does with the explorer, as any person of the demo world, without any network."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, expect

from app.web.development_issuer import DevelopmentIssuer
from tests.browser.looking import EDITOR, Look, looking
from tests.web.gateway import claims_of

QUERIES = sorted((Path(__file__).parents[2] / "fixtures/queries").glob("*.graphql"))
ROOMS = "query Rooms { viewer { tenant { displayName } rooms(first: 3) { totalCount { value } } } }"
MUTATION = """mutation Edit($input: EditRoomInput!) { editRoom(input: $input) { errors { code } } }"""


def rooms(answer: dict[str, dict[str, dict[str, dict[str, dict[str, int]]]]]) -> int:
    return answer["data"]["viewer"]["rooms"]["totalCount"]["value"]


def test_it_asks_nobody_but_the_gateway_and_violates_nothing(look: Look) -> None:
    """Every test here ends with that; this one shows that they would tell."""
    look.run()
    assert look.complaints() == []

    look.page.evaluate("new Image().src = 'http://elsewhere.example/picture.png'")
    look.page.wait_for_function("window.violations.length > 0")

    asked, stopped, said = look.complaints()
    assert asked == "asked http://elsewhere.example/picture.png"
    assert stopped == "stopped img-src http://elsewhere.example/picture.png"
    assert "violates the following Content Security Policy" in said
    look.forget()


def test_a_query_runs_and_is_answered(look: Look) -> None:
    look.write(ROOMS)

    answer = look.run()

    assert answer == {
        "data": {"viewer": {"tenant": {"displayName": "Contoso"}, "rooms": {"totalCount": {"value": 24}}}}
    }
    assert look.status().startswith("Answered as contoso-manager in ")


def test_who_is_chosen_gets_another_answer_to_the_same_document_at_once(look: Look) -> None:
    look.write(ROOMS)

    counts = {"contoso-manager": rooms(look.run())}
    counts |= {name: rooms(look.ask_as(name)) for name in ("northwind-tool", "contoso-nobody", "contoso-manager")}

    assert counts == {"contoso-manager": 24, "northwind-tool": 7, "contoso-nobody": 0}
    assert look.query() == ROOMS
    expect(look.page.locator("header")).to_contain_text("Everything of Contoso: 24 rooms")


def test_what_is_different_for_somebody_else_is_marked(look: Look) -> None:
    look.write(ROOMS)
    look.run()
    assert look.page.locator(".explorer-differs").count() == 0

    look.ask_as("northwind-tool")

    assert "2 lines that contoso-manager does not get, and without 2 that they get." in look.status()
    assert look.page.locator(".explorer-differs").count() == 2
    look.run()
    assert look.page.locator(".explorer-differs").count() == 0
    look.ask_as("northwind-helpdesk")
    look.ask_as("northwind-tool")


def test_a_change_is_never_made_again_by_choosing_somebody_else(look: Look) -> None:
    look.write(MUTATION)
    look.write_variables({"input": {}})
    before = look.sent()

    look.page.get_by_label("Ask as").select_option("northwind-tool")
    look.page.wait_for_timeout(1000)

    assert look.sent() == before


def test_the_documents_are_one_click_away_and_answered(look: Look) -> None:
    panel = look.show("Documents")
    assert panel.get_by_role("button").locator("strong").all_inner_texts() == [file.stem for file in QUERIES]

    for file in QUERIES:
        panel.get_by_role("button", name=re.compile(rf"^{file.stem}\b(?!-)")).click()
        look.tab(file.stem.title().replace("-", "")).wait_for()
        look.status()
        answer = look.answer()
        assert look.query() == file.read_text()
        assert "errors" not in answer, file.stem
        assert all(answer["data"].values()), file.stem


def test_the_documentation_is_that_of_the_schema(look: Look) -> None:
    panel = look.page.locator(".graphiql-plugin")
    expect(panel).to_contain_text("Begin at viewer. Below it is everything that you may see")

    panel.get_by_role("link", name="Viewer", exact=True).first.click()

    schema = (Path(__file__).parents[2] / "schema.graphql").read_text()
    described = schema.split("type Viewer ")[0].rstrip().rsplit('"""', 2)[1].strip()
    assert len(described) > 20
    expect(panel).to_contain_text(" ".join(described.split()))


def test_the_documentation_is_open_until_it_is_closed(look: Look) -> None:
    described = look.page.locator(".graphiql-plugin", has_text="Begin at viewer")
    expect(described).to_be_visible()
    look.open()
    expect(described).to_be_visible()

    look.page.get_by_role("button", name="Hide Documentation Explorer").click()
    expect(described).to_have_count(0)

    look.open()
    expect(look.page.get_by_role("button", name="Show Documentation Explorer")).to_be_visible()
    expect(described).to_have_count(0)


def test_names_are_completed_and_mistakes_are_told_by_workers_of_the_page(look: Look) -> None:
    look.write("{ viewer { rooms { totalCount { valu } } } }")
    look.page.locator(f"{EDITOR} .squiggly-error").first.wait_for()

    look.write("{ viewer { ")
    look.type_at_end("direc")
    suggestion = look.page.locator(".suggest-widget .monaco-list-row").first
    expect(suggestion).to_contain_text("directory")
    look.page.keyboard.press("Enter")
    assert "directory" in look.query()

    look.write("query Page($room: ID!) { node(id: $room) { id } }")
    look.write_variables({"room": ["no", "id"]})
    look.page.locator(".graphiql-editor-tool .squiggly-error").first.wait_for()
    workers = sorted(worker.url.rpartition("/")[2].partition(".")[0] for worker in look.page.workers)
    assert set(workers) == {"editor", "graphql", "json"}
    assert all(worker.url.startswith(f"{look.url}/explorer/workers/") for worker in look.page.workers)


def test_an_expired_token_is_explained_with_when_it_ended(look: Look, state: Path) -> None:
    expired = token_of(state, "contoso-manager", timedelta(minutes=-10))

    with look.answering():
        look.give_token(expired)

    expect(look.trouble()).to_contain_text("The token of contoso-manager expired 10 minutes ago")
    assert look.answer()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    with look.answering():
        look.trouble().get_by_role("button", name="Get new tokens").click()
    assert rooms(look.answer()) == 24
    expect(look.trouble()).to_have_count(0)
    look.forget("401 (Unauthorized)")


def test_a_token_that_ends_meanwhile_is_told_without_asking(look: Look, state: Path) -> None:
    with look.answering():
        look.give_token(token_of(state, "northwind-tool", timedelta(seconds=4)))
    assert rooms(look.answer()) == 7

    expect(look.trouble()).to_contain_text("expired just now", timeout=15_000)


def test_a_token_of_somebody_elses_issuer_is_told_apart(look: Look, tmp_path: Path) -> None:
    with look.answering():
        look.give_token(token_of(tmp_path, "contoso-manager", timedelta(hours=1)))

    expect(look.trouble()).to_contain_text("does not accept the token of contoso-manager although")
    look.forget("401 (Unauthorized)")


def test_what_is_no_token_is_refused_before_it_is_sent(look: Look) -> None:
    before = look.sent()

    look.give_token("no token, a sentence")

    expect(look.page.get_by_role("dialog").get_by_role("alert")).to_contain_text("That is no token")
    assert look.sent() == before


def test_no_token_is_kept_anywhere(look: Look, state: Path) -> None:
    own = token_of(state, "northwind-manager", timedelta(hours=1))
    look.write(ROOMS)
    look.run()
    look.ask_as("northwind-tool")
    with look.answering():
        look.give_token(f"Authorization: Bearer {own}")
    look.page.get_by_label("Copy a link to this document").click()
    look.page.wait_for_timeout(1000)  # GraphiQL stores half a second later

    sent = {request.headers["authorization"] for request in look.asked if request.url.endswith("/graphql")}
    kept = json.dumps([look.page.context.storage_state(indexed_db=True), look.page.evaluate("({ ...sessionStorage })")])
    assert len(sent) == 3
    assert "Rooms" in kept
    for part in {part for header in sent for part in header.removeprefix("Bearer ").split(".")}:
        assert part not in kept
        assert part not in look.page.url
    assert look.page.context.cookies() == []
    look.open()
    assert own not in {request.headers.get("authorization", "")[7:] for request in look.asked[-5:]}


@pytest.mark.parametrize(
    "link, query, variables",
    [
        ({"query": ROOMS, "variables": '{"a": 1}', "as": "northwind-tool"}, ROOMS, '{"a": 1}'),
        ({"document": "who-am-i", "as": "northwind-tool"}, None, ""),
    ],
)
def test_a_link_opens_a_document_as_somebody_and_runs_nothing(
    browser: Browser, demo: str, link: dict[str, str], query: str | None, variables: str
) -> None:
    expected = query or next(file.read_text() for file in QUERIES if file.stem == link["document"])
    with looking(browser, demo) as look:
        look.open(f"/explorer/#{urlencode(link)}")
        look.tab("Rooms" if query else "WhoAmI").wait_for()
        look.page.wait_for_timeout(500)

        assert (look.query(), look.variables()) == (expected, variables)
        expect(look.page.get_by_label("Ask as")).to_have_value("northwind-tool")
        assert [question["operationName"] for question in look.sent()] == ["IntrospectionQuery"]


def test_a_link_to_what_one_sees_shows_it_to_somebody_else(look: Look, browser: Browser) -> None:
    look.write(ROOMS)
    look.write_variables({"some": "thing"})
    look.ask_as("northwind-tool")

    look.page.get_by_label("Copy a link to this document").click()

    with looking(browser, look.url) as other:
        other.open(look.page.url.removeprefix(look.url))
        other.tab("Rooms").wait_for()
        assert (other.query(), json.loads(other.variables())) == (ROOMS, {"some": "thing"})
        assert rooms(other.run()) == 7


def test_another_link_in_the_same_window_is_followed(look: Look) -> None:
    look.page.evaluate("location.hash = 'document=room-sync'")

    look.tab("RoomSync").wait_for()
    assert "query RoomSync" in look.query()


def token_of(folder: Path, name: str, lifetime: timedelta) -> str:
    """A token of the issuer in this folder for somebody in the demo world, ending after this time."""
    now = datetime.now(UTC)
    claims = claims_of(name, expires_at=now + lifetime)
    return DevelopmentIssuer(folder, "access_as_user").token(claims, min(now, now + lifetime) - timedelta(minutes=1))


def test_outside_of_the_demo_one_brings_a_token_of_ones_own(browser: Browser, served: str, state: Path) -> None:
    with looking(browser, served) as look:
        look.page.goto(f"{served}/explorer/")
        expect(look.trouble()).to_have_text("Give an access token to ask with: “Own token…”.")
        assert look.page.get_by_label("Ask as").count() == 0
        look.forget("404 (Not Found)")

        look.page.wait_for_selector(f"{EDITOR} .view-line")
        look.write(ROOMS)
        with look.answering():
            look.give_token(token_of(state, "northwind-tool", timedelta(hours=1)))

        assert rooms(look.answer()) == 7
        expect(look.trouble()).to_have_count(0)
        expect(look.page.locator(".graphiql-plugin")).to_contain_text("All Schema Types")
