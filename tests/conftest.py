"""One browser for all tests that look at pages."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

# What keeps Chromium from calling home, and lets it run as root in a container.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for one module of tests: while Playwright runs, no other test of the process can use asyncio."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("These tests need a browser. Install it with `apt-get install chromium`.", pytrace=False)
    expect.set_options(timeout=20_000)  # for a busy machine; nothing waits longer than it must
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()
