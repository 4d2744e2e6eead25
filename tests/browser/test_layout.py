"""The page is whole, to the eye: with its styles refused it is not, though every text is still there."""

from PIL import Image
from playwright.sync_api import Browser, FloatRect, Route, expect

from app.web.explorer.serving import POLICY
from tests.browser.looking import EDITOR, RESPONSE, Look, looking

PANEL = ".graphiql-plugin"
ROWS = 7
"""So many of the ten lines at least are told from each other by rows without ink; some touch their neighbour."""
SCROLL_BAR = 20
"""What a bar to scroll with takes at most of a text that does not fit."""
SCROLL = """(element) => {
  element.scrollIntoView({ block: "nearest" });
  return new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
}"""
LINES = [f"  field{number}: tenant {{ displayName }}" for number in range(8)]
QUERY = "\n".join(["query Lines { viewer {", *LINES, "} }"])


def test_an_ordinary_window_is_whole(browser: Browser, demo: str) -> None:
    with looking(browser, demo, width=1280, height=800) as look:
        look.open()
        look.write(QUERY)
        look.run()

        assert faults(look) == []
        panel, editor, response, bar = (box(look, each) for each in (PANEL, EDITOR, RESPONSE, "header"))
        assert bar["y"] + bar["height"] <= panel["y"]
        assert panel["x"] + panel["width"] <= editor["x"]
        assert editor["x"] + editor["width"] <= response["x"]
        assert min(panel["width"], editor["width"], response["width"]) > 250


def test_a_narrow_window_has_everything_below_each_other(browser: Browser, demo: str) -> None:
    with looking(browser, demo, width=480, height=900) as look:
        look.open()
        look.write(QUERY)
        look.run()

        assert faults(look) == []
        expect(look.page.locator(PANEL)).not_to_be_in_viewport()
        editor, response = box(look, EDITOR), box(look, RESPONSE)
        assert editor["y"] + editor["height"] <= response["y"]
        assert min(editor["width"], response["width"]) > 400
        assert look.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        panel = look.show("Documents")
        expect(panel.get_by_role("button", name="room-page")).to_be_visible()
        panel.get_by_role("button", name="room-page").click()
        look.tab("RoomPage").wait_for()
        look.status()


def test_a_dark_window_is_dark_and_whole(browser: Browser, demo: str) -> None:
    with looking(browser, demo, color_scheme="dark") as look:
        look.open()
        look.write(QUERY)
        look.run()

        assert faults(look) == []
        for part in ("header", EDITOR, RESPONSE):
            assert brightness(common(shot(look, part))) < 80


def test_with_its_styles_refused_the_text_is_there_and_the_page_is_not_whole(browser: Browser, demo: str) -> None:
    """So the checks above can fail, and the policy grants styles no more than they need."""
    with looking(browser, demo) as look:
        refuse_styles(look)
        look.open()
        look.write(QUERY)
        look.run()

        assert look.query() == QUERY
        assert look.answer()["data"]["viewer"]["field7"] == {"displayName": "Contoso"}
        assert "the document is not coloured by what its words are" in faults(look)
        assert any(complaint.startswith("stopped style-src") for complaint in look.complaints())
        look.forget("Content Security Policy")


def refuse_styles(look: Look) -> None:
    """Let the page have only styles that are files."""

    def change(route: Route) -> None:
        response = route.fetch()
        policy = POLICY.replace("style-src 'self' 'unsafe-inline'", "style-src 'self'")
        route.fulfill(response=response, headers=response.headers | {"content-security-policy": policy})

    look.page.route(f"{look.url}/explorer/", change)


# --- what the eye sees -----------------------------------------------------------------------------------------------


def faults(look: Look) -> list[str]:
    """What is wrong with how the page looks, by its pixels."""
    button, lines = shot(look, ".graphiql-execute-button"), rows_of_text(shot(look, f"{EDITOR} .view-lines"))
    answered = rows_of_text(shot(look, f"{RESPONSE} .view-lines"))
    checks = {
        "the button to run is not of the colour of GraphiQL": is_pink(common(button)),
        "the button to run is not square": abs(button.width - button.height) <= 2 and button.width >= 36,
        "the lines of the document lie over each other": len(lines) >= ROWS,
        "the lines of the answer lie over each other": len(answered) >= ROWS,
        "the editors have no height": shot(look, EDITOR).height > 200 and shot(look, RESPONSE).height > 200,
        "the bar has no room": 40 <= shot(look, "header").height <= 220,
        "the document is not coloured by what its words are": has_hues(shot(look, f"{EDITOR} .view-lines")),
    }
    return [fault for fault, is_right in checks.items() if not is_right]


def box(look: Look, part: str) -> FloatRect:
    found = look.page.locator(part).first.bounding_box()
    assert found is not None
    return found


def shot(look: Look, part: str) -> Image.Image:
    """A part of the window, as it looks, as far as it is in the window."""
    look.page.locator(part.split()[0]).first.evaluate(SCROLL)
    picture, place = look.picture(), box(look, part)
    left, top = max(place["x"], 0), max(place["y"], 0)
    right = min(place["x"] + place["width"], picture.width)
    bottom = min(place["y"] + place["height"], picture.height)
    return picture.crop(
        (round(left), round(top), max(round(right), round(left) + 1), max(round(bottom), round(top) + 1))
    )


Colour = tuple[int, int, int]


def counted(picture: Image.Image) -> dict[Colour, int]:
    """How many points have which colour."""
    found = picture.getcolors(picture.width * picture.height) or []
    return {(colour[0], colour[1], colour[2]): count for count, colour in found if isinstance(colour, tuple)}


def common(picture: Image.Image) -> Colour:
    """The colour that most of a picture has."""
    points = counted(picture)
    return max(points, key=lambda colour: points[colour])


def brightness(colour: Colour) -> float:
    return sum(colour) / 3


def is_pink(colour: Colour) -> bool:
    red, green, blue = colour
    return red > 200 and green < 100 and 100 < blue < 180


def distance(one: Colour, other: Colour) -> int:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True))


def rows_of_text(picture: Image.Image) -> list[int]:
    """Where lines of text begin: rows with ink below rows without any."""
    paper, rows, before = common(picture), [], False
    for row in range(picture.height):
        line = picture.crop((30, row, picture.width - SCROLL_BAR, row + 1))
        has_ink = any(distance(colour, paper) > 150 for colour in counted(line))
        if has_ink and not before:
            rows.append(row)
        before = has_ink
    return rows


def has_hues(picture: Image.Image) -> bool:
    """Some text is bluish and some is reddish or golden."""
    points = counted(picture)
    bluish = sum(count for (red, _, blue), count in points.items() if blue - red > 90)
    golden = sum(count for (red, _, blue), count in points.items() if red - blue > 90)
    return min(bluish, golden) > 20
