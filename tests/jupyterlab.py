"""A JupyterLab for tests, and its notebooks as a reader drives them in a browser."""

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

WAIT = 120_000  # milliseconds, on a busy machine; nothing waits longer than it must


@contextmanager
def running(home: Path) -> Iterator[tuple[str, Path]]:
    """JupyterLab with a token on a free port of this machine: the address of a notebook by name, and their folder."""
    notebooks = home / "notebooks"
    notebooks.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    folders = {
        name: str(home / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "HOME")
    }
    for folder in folders.values():
        Path(folder).mkdir()
    settings = {
        "labconfig/page_config.json": {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}},
        # All cells stay in the page, wherever it is scrolled to.
        "lab/user-settings/@jupyterlab/notebook-extension/tracker.jupyterlab-settings": {"windowingMode": "none"},
    }
    for name, content in settings.items():
        path = Path(folders["JUPYTER_CONFIG_DIR"]) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.port={port}"),
            *("--ServerApp.port_retries=0", f"--IdentityProvider.token={token}", f"--notebook-dir={notebooks}"),
        ],
        env={**os.environ, **folders, "JUPYTER_PREFER_ENV_PATH": "1", "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if "is running at" in line:
                break
        else:
            pytest.fail("JupyterLab did not start.")
        yield f"http://127.0.0.1:{port}/lab/workspaces/{{0}}/tree/{{0}}.ipynb?token={token}", notebooks
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # the kernels with it
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


class Notebook:
    """A notebook that is open in JupyterLab."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def cell(self, index: int) -> Locator:
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(index)

    def run(self, index: int) -> Locator:
        """Run a cell, wait for its end, give its outputs."""
        cell = self.begin(index)
        expect(cell.locator(".jp-InputArea-prompt")).to_have_text(re.compile(r"\[\d+\]:"), timeout=WAIT)
        return cell.locator(".jp-OutputArea")

    def begin(self, index: int) -> Locator:
        """Run a cell without waiting for its end."""
        cell = self.cell(index)
        prompt = cell.locator(".jp-InputArea-prompt")
        before = prompt.inner_text()
        cell.locator(".cm-content").click()
        for _ in range(12):
            self.page.keyboard.press("Control+Enter")  # lost where the page is not quite ready
            try:
                expect(prompt).not_to_have_text(before, timeout=WAIT / 12)
                break
            except AssertionError:
                continue
        return cell

    def answer(self, index: int) -> tuple[str, int]:
        """The two values that a cell prints."""
        text = self.run(index).inner_text().strip()
        assert re.fullmatch(r"answer \S+ \d+", text), text
        _, word, number = text.split()
        return word, int(number)


@contextmanager
def opened(server: tuple[str, Path], browser: Browser, name: str, sources: Iterable[str]) -> Iterator[Notebook]:
    """A new notebook with these cells in JupyterLab, in a workspace of its own, its kernel idle."""
    address, folder = server
    content = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in sources],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(content, folder / f"{name}.ipynb")
    context = browser.new_context(viewport={"width": 1200, "height": 1600})
    try:
        page = context.new_page()
        page.goto(address.format(name))
        page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=WAIT)
        indicator = ".jp-NotebookPanel-toolbar .jp-Notebook-ExecutionIndicator[data-status=idle]"
        page.locator(indicator).wait_for(timeout=WAIT)
        yield Notebook(page)
    finally:
        context.close()
