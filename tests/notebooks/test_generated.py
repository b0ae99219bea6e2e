"""notebooks/ is what its sources give, and it works where it will be opened."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from html import unescape
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
import yaml
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbclient import NotebookClient

from convbook.colab import install_cell

ROOT = Path(__file__).resolve().parents[2]
COURSE = tomllib.loads((ROOT / "course.toml").read_text())["course"]
SLUG = COURSE["repository"].removeprefix("https://github.com/")
CHAPTERS = sorted(path.stem for path in (ROOT / "book").glob("[0-9][0-9]-*.md"))
NOTEBOOKS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "notebooks").glob("*/**/*.ipynb"))


@cache
def notebook(name):
    return nbformat.read(ROOT / name, as_version=4)


def chapter(stem):
    return notebook(f"notebooks/chapters/{stem}.ipynb")


def markdown_nodes(cells):
    """Every node of every Markdown cell, as JupyterLab and Colab read it: CommonMark, tables and formulas, no MyST."""
    parser = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin)
    for cell in cells:
        if cell.cell_type == "markdown":
            for node in SyntaxTreeNode(parser.parse(cell.source)).walk(include_self=False):
                yield cell, node


def addresses(cells):
    for _, node in markdown_nodes(cells):
        if node.type in ("link", "image"):
            yield str(node.attrs.get("href") or node.attrs.get("src"))
        elif node.type in ("html_inline", "html_block"):
            yield from re.findall(r'(?:src|href)="([^"]+)"', node.content)


def test_the_folder_is_exactly_what_book_and_solutions_give():
    check = [sys.executable, str(ROOT / "tools" / "notebooks.py"), "--check"]
    result = subprocess.run(check, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr


def test_every_chapter_and_every_assignment_has_its_notebook():
    assignments = [path.parent.name for path in (ROOT / "solutions").glob("*/assignment.md")]
    wanted = [f"notebooks/chapters/{name}.ipynb" for name in CHAPTERS]
    wanted += [f"notebooks/assignments/{name}/{name}.ipynb" for name in assignments]
    assert CHAPTERS and sorted(wanted) == NOTEBOOKS


def test_the_generator_reads_the_extensions_that_the_book_enables():
    sys.path.insert(0, str(ROOT / "tools"))
    from myst.parser import EXTENSIONS

    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    assert set(config["parse"]["myst_enable_extensions"]) == EXTENSIONS


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebooks_are_valid_and_hold_no_outputs_and_no_widgets(name):
    found = notebook(name)
    nbformat.validate(found)
    assert found.metadata["kernelspec"]["name"] == "python3"
    assert "widgets" not in found.metadata
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in found.cells)
    assert len({cell.id for cell in found.cells}) == len(found.cells)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_no_myst_is_left(name):
    for cell, node in markdown_nodes(notebook(name).cells):
        where = f"{name}, cell {cell.id}: {node.content[:80] if node.content else ''}"
        if node.type == "fence":
            assert not node.info.startswith("{"), where
        if node.type == "inline":
            assert not re.search(r"^(:::|\(\S+\)=$|\+\+\+|%)", node.content, re.MULTILINE), where
        if node.type == "text":
            assert not re.search(r"\{[\w:+-]+\}$|\[\^", node.content), where


@pytest.mark.parametrize("stem", CHAPTERS)
def test_cells_are_numbered_by_their_place(stem):
    assert [cell.id for cell in chapter(stem).cells] == [f"{stem}-{i:02d}" for i in range(len(chapter(stem).cells))]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_first_code_cell_installs_the_course_in_colab_and_no_torch(name):
    first = next(cell for cell in notebook(name).cells if cell.cell_type == "code")
    assert first.source == install_cell(COURSE["repository"], COURSE["branch"])
    words = [node.value for node in ast.walk(ast.parse(first.source)) if isinstance(node, ast.Constant)]
    assert "--no-deps" in words and f"convbook @ git+{COURSE['repository']}@{COURSE['branch']}" in words
    assert not any("torch" in str(word) for word in words)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_address_in_this_repository_leads_to_a_file(name):
    folder = (ROOT / name).parent
    prefixes = {
        f"https://raw.githubusercontent.com/{SLUG}/{COURSE['branch']}/",
        f"https://colab.research.google.com/github/{SLUG}/blob/{COURSE['branch']}/",
        f"{COURSE['repository']}/blob/{COURSE['branch']}/",
    }
    for address in addresses(notebook(name).cells):
        inside = [address.removeprefix(prefix) for prefix in prefixes if address.startswith(prefix)]
        if inside:
            assert (ROOT / inside[0].partition("?")[0]).is_file(), address
        elif not address.startswith(("https://", "mailto:")):
            assert (folder / address.partition("#")[0]).is_file(), address


@pytest.mark.parametrize("stem", CHAPTERS)
def test_a_chapter_links_to_itself_in_colab_and_to_its_page(stem):
    found = set(addresses(chapter(stem).cells[:1]))
    owner, repository = SLUG.split("/")
    assert f"https://{owner}.github.io/{repository}/book/{stem}.html" in found
    path = f"notebooks/chapters/{stem}.ipynb"
    assert f"https://colab.research.google.com/github/{SLUG}/blob/{COURSE['branch']}/{path}" in found


def test_pictures_say_what_they_show():
    # A chapter may do without pictures in its text: those of its cells are looked at below.
    nodes = [each for stem in CHAPTERS for each in markdown_nodes(chapter(stem).cells)]
    pictures = [node for _, node in nodes if node.type == "image"]
    assert pictures and all(node.content.strip() for node in pictures)


@pytest.mark.parametrize("stem", CHAPTERS)
def test_what_a_cell_draws_is_said_in_words_below_it_as_on_the_page(stem):
    source = (ROOT / "book" / f"{stem}.md").read_text()
    drawn = [
        (options["mystnb"]["image"]["alt"], body.strip())
        for head, body in re.findall(r"^```\{code-cell\} python\n---\n(.*?)^---\n(.*?)^```$", source, re.M | re.S)
        if "image" in (options := yaml.safe_load(head)).get("mystnb", {})
    ]
    below = {code.source: text.source for code, text in pairwise(chapter(stem).cells) if code.cell_type == "code"}
    assert drawn and len(drawn) == source.count("    alt: ")
    for alt, body in drawn:
        said = re.search(r"<summary>(Fig\. [\d.]+\d) in words</summary>\n\n<p>(.*)</p>\n\n</details>$", below[body])
        assert below[body].startswith(f"**{said[1]}.**")
        assert unescape(said[2]) == alt


@pytest.mark.parametrize("stem", CHAPTERS)
def test_a_chapter_runs_from_top_to_bottom_outside_the_repository(stem, tmp_path):
    client = NotebookClient(
        nbformat.from_dict(chapter(stem)), timeout=120, resources={"metadata": {"path": str(tmp_path)}}
    )
    done = client.execute()
    assert any(cell.get("outputs") for cell in done.cells)
    assert not any(output.output_type == "error" for cell in done.cells for output in cell.get("outputs", []))
