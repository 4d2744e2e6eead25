"""Looking at the explorer as a person does, and watching what it does meanwhile."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Request

VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.effectiveDirective} ${event.blockedURI}`);
});
"""
MS = 15_000
OWN = "__MONACO.editor.getEditors().find((each) => element.contains(each.getDomNode()))"
"""The editor in an element."""
EDITOR, VARIABLES, RESPONSE = ".graphiql-query-editor", ".graphiql-editor-tool", ".graphiql-response"


@dataclass
class Look:
    """One window with the explorer, and everything that it tried."""

    page: Page
    url: str
    said: list[str] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)

    def open(self, path: str = "/explorer/") -> "Look":
        """Go there, and wait until one can write and the schema is there."""
        with self.page.expect_response(lambda response: response.url == f"{self.url}/graphql"):
            self.page.goto(self.url + path)
        self.page.wait_for_selector(f"{EDITOR} .view-line")
        return self

    # --- what a person does ---

    def write(self, query: str) -> None:
        """Put this into the editor in place of what is there."""
        self._replace(EDITOR, query)

    def write_variables(self, variables: dict[str, Any]) -> None:
        self._replace(VARIABLES, json.dumps(variables))

    def _replace(self, editor: str, text: str) -> None:
        self.page.locator(editor).evaluate(f"(element, text) => {OWN}.setValue(text)", text)
        self.page.wait_for_timeout(300)  # the editor tells the page a moment later

    def type_at_end(self, text: str) -> None:
        """Type behind what is in the editor, key by key."""
        self.page.locator(f"{EDITOR} .view-lines").first.click()
        self.page.keyboard.press("Control+End")
        self.page.keyboard.type(text)

    def run(self) -> Any:
        """Press the button, and read the answer."""
        with self.answering():
            self.page.locator(".graphiql-execute-button").click()
        return self.answer()

    def ask_as(self, name: str) -> Any:
        """Choose somebody else, and read the answer."""
        with self.answering():
            self.page.get_by_label("Ask as").select_option(name)
        return self.answer()

    def give_token(self, token: str) -> None:
        """Ask with a token of one's own."""
        self.page.get_by_role("button", name="Own token").click()
        self.page.get_by_label("Access token").fill(token)
        self.page.get_by_role("button", name="Ask with it").click()

    def show(self, panel: str) -> Locator:
        """Open a panel at the side."""
        self.page.get_by_role("button", name=f"Show {panel}").click()
        return self.page.locator(".graphiql-plugin")

    # --- what a person sees ---

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Within it somebody asks; it ends when the answer is shown."""
        with self.page.expect_response(lambda response: response.url == f"{self.url}/graphql"):
            yield
        self.status()

    def status(self) -> str:
        """What is said below the answer, once there is one."""
        said = self.page.locator(".explorer-answered", has_text="Answered as")
        said.wait_for()
        return str(said.inner_text())

    def answer(self) -> Any:
        """The answer that is shown."""
        return json.loads(self.text_of(RESPONSE))

    def query(self) -> str:
        return self.text_of(EDITOR)

    def variables(self) -> str:
        return self.text_of(VARIABLES)

    def text_of(self, editor: str) -> str:
        """Everything that is in an editor, of which the window may show only some lines."""
        return str(self.page.locator(editor).evaluate(f"(element) => {OWN}.getValue()"))

    def picture(self) -> Image.Image:
        """The window as it looks."""
        return Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")

    def trouble(self) -> Locator:
        """What the page says is wrong with the token."""
        return self.page.locator(".explorer-trouble")

    def tab(self, title: str) -> Locator:
        """The tab of this title, when it is the one in front."""
        return self.page.locator(".graphiql-tab-active", has_text=title)

    def sent(self) -> list[Any]:
        """The bodies of all questions that were sent."""
        return [request.post_data_json for request in self.asked if request.method == "POST"]

    # --- what it must not do ---

    def complaints(self) -> list[str]:
        """What it asked of others, what the policy stopped, and what the console says."""
        others = [f"asked {each.url}" for each in self.asked if not each.url.startswith((f"{self.url}/", "data:"))]
        stopped = [f"stopped {violation}" for violation in self.page.evaluate("window.violations")]
        return [*others, *stopped, *self.said]

    def forget(self, expected: str = "") -> None:
        """Do not complain of what was done for the sake of a test; in the console, of lines like this."""
        assert all(expected in said for said in self.said)
        self.asked.clear()
        self.said.clear()
        self.page.evaluate("window.violations = []")


@contextmanager
def looking(browser: Browser, url: str, *, width: int = 1360, height: int = 850, **options: Any) -> Iterator[Look]:
    """A window of its own, without anything stored; whatever it did is checked at the end."""
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    context.set_default_timeout(MS)
    context.add_init_script(VIOLATIONS)
    look = Look(context.new_page(), url)

    context.on("request", lambda request: look.asked.append(request))
    context.on("console", lambda message: look.said.append(f"{message.type}: {message.text}"))
    context.on("weberror", lambda error: look.said.append(f"uncaught: {error.error}"))
    try:
        yield look
        complaints = look.complaints()
        assert not complaints, complaints
    finally:
        context.close()
