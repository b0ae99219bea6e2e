"""What is kept by hand about the tree is true."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {"autograder", "book", "convbook", "docs", "notebooks", "solutions", "tests", "tools"}


def tracked() -> list[str]:
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return listing.stdout.splitlines()


def test_the_top_folders_are_the_ones_that_contributing_explains():
    found = {path.split("/")[0] for path in tracked() if "/" in path and not path.startswith(".")}
    assert found == FOLDERS
    explained = set(re.findall(r"^\| `([a-z]+)/", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE))
    assert explained | {"docs"} == FOLDERS


def test_decisions_are_numbered_without_gaps():
    numbers = sorted(path.name[:4] for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert numbers == [f"{index:04d}" for index in range(1, len(numbers) + 1)]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"])
def test_links_between_the_root_pages_lead_somewhere(name):
    text = (ROOT / name).read_text()
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_nothing_large_or_secret_is_tracked():
    paths = tracked()
    assert [path for path in paths if (ROOT / path).stat().st_size > 5_000_000] == []
    assert [path for path in paths if path.startswith((".secrets", ".venv", "_build", "node_modules"))] == []


def test_ci_is_what_a_laptop_runs():
    assert "exec make test" in (ROOT / ".ci" / "run").read_text()


def test_make_help_lists_every_target():
    makefile = (ROOT / "Makefile").read_text()
    phony = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE).group(1).split())
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^make ([a-z]+)", shown, re.MULTILINE)) == phony
