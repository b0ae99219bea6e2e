"""One browser for all tests that look at pages, and one thread for those of many small networks."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tools.browser import chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for one module of tests: while Playwright runs, no other test of the process can use asyncio."""
    if shutil.which("chromium") is None:
        pytest.fail("These tests need a browser. Install it with `apt-get install chromium`.", pytrace=False)
    expect.set_options(timeout=20_000)  # for a busy machine; nothing waits longer than it must
    with chromium() as running:
        yield running


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Thousands of tiny convolutions on a busy machine: threads would wait for one another."""
    import torch  # most tests do without

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
