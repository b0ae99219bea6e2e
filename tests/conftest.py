"""One browser for all tests that look at pages, one thread for those of many small networks, and long modules first."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tools.browser import chromium

#: Modules that take a minute and more, the longest first. A worker that got one of them last would work on alone for
#: minutes; pytest-xdist's own order (off in pyproject.toml) counts tests, and these have few.
LONG = (
    "solutions/test_stock.py",
    "solutions/test_verify.py",
    "book/test_accessibility.py",
    "solutions/test_assignments.py",
    "autograder/test_cluster.py",
    "book/test_pdf.py",
    "notebooks/test_generated.py",
    "autograder/test_attacks.py",
    "autograder/test_sandbox.py",
    "convbook/test_train_lab.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long modules first; the order of the others, and within each, stays."""
    folder = Path(__file__).parent
    place = {folder / name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


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
