"""The book, built once for all workers of a test session, and its pages in a browser."""

import fcntl
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def book(testrun_uid: str) -> Path:
    """The folder of the built pages. The first worker builds, the others wait and share the outcome."""
    lock = ROOT / "_build" / "tests-book.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        run, _, failure = file.read().partition("\n")
        if run != testrun_uid:
            build = subprocess.run([sys.executable, "tools/book.py"], cwd=ROOT, capture_output=True, text=True)
            failure = f"{build.stdout[-6000:]}\n{build.stderr}" if build.returncode else ""
            file.truncate(0)
            file.write(f"{testrun_uid}\n{failure}")
    if failure:
        pytest.fail(f"The book does not build:\n{failure}", pytrace=False)
    return HTML


@pytest.fixture(scope="session")
def pages(book: Path) -> list[str]:
    """Every page that a reader can reach, relative to the book; the redirect at its top is not one."""
    return sorted(page.relative_to(book).as_posix() for page in book.glob("**/*.html") if page != book / "index.html")


@pytest.fixture(scope="session")
def address(book: Path):
    """The book over HTTP on this machine, as a public server would show it."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(book))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def open_page(browser):
    """open_page(url, width=1280, scheme="light", block=None): a page that has loaded, with its widgets started."""
    contexts = []

    def open_page(url: str, width: int = 1280, scheme: str = "light", block: str | None = None, **options):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **options))
        page = contexts[-1].new_page()
        page.faults, page.requested = [], []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda message: page.faults.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: page.requested.append(request.url))
        if block:
            page.route(block, lambda route: route.abort())
        page.goto(url, wait_until="load")
        if page.locator('script[type="application/vnd.jupyter.widget-view+json"]').count():
            page.wait_for_selector("html[data-widgets-ready]")
        return page

    yield open_page
    for context in contexts:
        context.close()
