"""book/_ext/fresh.py: cells run again after every change in what their result depends on, and after no other."""

import ast
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import jupytext
import pytest

from tests.loading import load

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = """\
---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {display_name: Python 3, language: python, name: python3}
---

# A chapter

Some prose.

```{code-cell} python
from pathlib import Path
import convbook

tree = Path(convbook.__file__).parents[1]
with (tree / "runs").open("a") as runs:
    runs.write("x")
print("".join(file.read_text() for file in sorted((tree / "convbook").rglob("*.[jmp]*"))))
```
"""
CONFIGURATION = """\
import importlib.metadata, os, sys
sys.path.insert(0, "book/_ext")
installed = importlib.metadata.version
importlib.metadata.version = lambda name: os.environ.get(f"VERSION_OF_{name}") or installed(name)
extensions = ["myst_nb", "fresh"]
html_theme = "basic"
include_patterns = ["index.md"]
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
"""


@pytest.fixture(scope="module")
def fresh():
    return load("book/_ext/fresh.py")


@pytest.fixture
def tree(tmp_path) -> Path:
    """A course of one chapter, which prints the files that it depends on and counts its runs."""
    files = {
        "index.md": CHAPTER,
        "conf.py": CONFIGURATION,
        "requirements.txt": "torch==2.14.1\n",
        "convbook/__init__.py": "#init-1\n",
        "convbook/widgets/a.mjs": "//script-1\n",
        "convbook/assets/logs/run.json": "log-1\n",
        "book/static/book.css": "/* style-1 */\n",
        "tests/test_a.py": "pass\n",
        "package-lock.json": "{}\n",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    (tmp_path / "book" / "_ext").mkdir()
    shutil.copy(ROOT / "book" / "_ext" / "fresh.py", tmp_path / "book" / "_ext")
    return tmp_path


def build(tree: Path, **versions: str) -> tuple[int, str]:
    """How often the cell has run by now, and the page."""
    environment = os.environ | {
        "PYTHONPATH": str(tree),
        **{f"VERSION_OF_{name}": each for name, each in versions.items()},
    }
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", str(tree), str(tree / "_build" / "html")]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return len((tree / "runs").read_text()), (tree / "_build" / "html" / "index.html").read_text()


def test_the_chapter_runs_again_after_a_change_in_what_it_depends_on_and_shows_it(tree):
    assert build(tree)[0] == 1
    changes = {"convbook/widgets/a.mjs": "//script-2", "convbook/assets/logs/run.json": "log-2"}
    for runs, (name, content) in enumerate(changes.items(), start=2):
        (tree / name).write_text(f"{content}\n")
        count, page = build(tree)
        assert count == runs, f"after a change in {name}"
        assert re.search(content.strip("#/"), page), f"the page shows {name} as it is now"
    (tree / "convbook" / "assets" / "logs" / "run.json").unlink()
    count, page = build(tree, torch="99.0")
    assert count == 4 and "log-2" not in page
    assert build(tree, torch="99.0")[0] == 4


def test_the_chapter_does_not_run_again_after_any_other_change(tree):
    assert build(tree)[0] == 1
    (tree / "index.md").write_text(CHAPTER.replace("Some prose.", "Other prose."))
    for name in ("requirements.txt", "book/static/book.css", "tests/test_a.py", "package-lock.json"):
        with (tree / name).open("a") as file:
            file.write("\n")
    count, page = build(tree, sphinx="99.0", pytest="99.0")
    assert count == 1 and "Other prose." in page


@pytest.mark.parametrize(
    "name", ["a.py", "a.js", "a.mjs", "a.css", "a.json", "assets/a.npz", "assets/deep/a.safetensors", "a.txt"]
)
def test_every_kind_of_file_counts(fresh, tmp_path, name):
    file = tmp_path / "convbook" / name
    file.parent.mkdir(parents=True)
    seen = set()
    for content in (b"1", b"2"):
        file.write_bytes(content)
        seen.add(fresh.hash_files(tmp_path, fresh.CODE))
    file.rename(file.with_name("b"))
    seen.add(fresh.hash_files(tmp_path, fresh.CODE))
    file.with_name("b").unlink()
    seen.add(fresh.hash_files(tmp_path, fresh.CODE))
    assert len(seen) == 4, "a change, a new name and a removal each count"


def test_what_python_compiles_does_not_count(fresh, tmp_path):
    before = fresh.hash_files(tmp_path, fresh.CODE)
    (tmp_path / "convbook" / "__pycache__").mkdir(parents=True)
    (tmp_path / "convbook" / "__pycache__" / "b.pyc").write_bytes(b"bytes")
    assert fresh.hash_files(tmp_path, fresh.CODE) == before


def test_every_package_that_cells_import_is_watched(fresh):
    sources = [path.read_text() for path in (ROOT / "convbook").rglob("*.py")]
    for chapter in (file for file in (ROOT / "book").glob("*.md") if "{code-cell}" in file.read_text()):
        sources += [cell.source for cell in jupytext.read(chapter).cells if cell.cell_type == "code"]
    distributions = packages_distributions()
    unwatched = {
        f"{module} ({name})"
        for source in sources
        for module in imported(source) - sys.stdlib_module_names - {"convbook", "google"}  # the latter is Colab's
        for name in distributions[module]
        if name.lower() not in fresh.PACKAGES
    }
    assert not unwatched


def imported(source: str) -> set[str]:
    """Top-level names of all modules that a source imports anywhere."""
    nodes = list(ast.walk(ast.parse(source)))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level]
    return {name.split(".")[0] for name in names}


def test_what_freshness_is_judged_by_exists(fresh):
    assert all((ROOT / place).exists() for place in {*fresh.CODE, *fresh.SHELL})
    assert "absent" not in fresh.versions()
