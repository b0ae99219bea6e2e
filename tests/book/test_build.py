"""tools/book.py and tools/vendor.py, which make the pages."""

import re
import sys

import pytest

from tests.loading import load


@pytest.fixture
def tool(root):
    """tool(name): a script of tools/ as a module."""

    return lambda name: load(f"tools/{name}.py")


@pytest.fixture
def build(tool, tmp_path, monkeypatch):
    module = tool("book")
    monkeypatch.setattr(module, "LOG", tmp_path / "pages.log")
    monkeypatch.setattr(module, "DOCTREES", tmp_path / ".doctrees")
    module.DOCTREES.mkdir()
    return module


def test_a_step_that_works_tells_its_name_and_time(build, capsys):
    build.run("pages", [sys.executable, "-c", "print('a hundred lines of log')"])
    assert re.fullmatch(r"book: pages \d+\.\d s\n", capsys.readouterr().out)
    assert "a hundred lines" in build.LOG.read_text()
    assert build.DOCTREES.exists()


def test_a_step_that_fails_ends_with_its_warnings_and_will_fail_again(build, capsys):
    script = "print('reading'); print('\\033[91m01.md:3: WARNING: no such label\\033[0m'); raise SystemExit(1)"
    with pytest.raises(SystemExit, match=r"pages failed .*\n01\.md:3: WARNING: no such label\n$"):
        build.run("pages", [sys.executable, "-c", script])
    assert "reading" in capsys.readouterr().out
    assert not build.DOCTREES.exists(), "Sphinx would not repeat the warnings of pages that it has read"


def test_vendored_styles_name_only_fonts_that_are_there(tool, tmp_path, monkeypatch):
    vendor = tool("vendor")
    monkeypatch.setattr(vendor, "VENDOR", tmp_path / "vendor")
    vendor.main()
    katex = tmp_path / "vendor" / "katex"
    named = set(re.findall(r"url\(([^)]*)\)", (katex / "katex.min.css").read_text()))
    assert named == {f"fonts/{font.name}" for font in (katex / "fonts").iterdir()}
    assert all(font.endswith(".woff2") for font in named)
    assert "MIT" in (katex / "LICENSE").read_text()


def test_missing_npm_parts_are_named_with_the_command_that_brings_them(tool, tmp_path, monkeypatch):
    vendor = tool("vendor")
    monkeypatch.setattr(vendor, "KATEX", tmp_path / "nothing")
    with pytest.raises(SystemExit, match="make setup"):
        vendor.main()
