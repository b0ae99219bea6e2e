"""From the chapters of the book to notebooks: cells, their ids and metadata, and the head that Colab needs."""

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from jupytext.myst import MystMetadataParsingError, myst_to_notebook
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from convbook.colab import install_cell
from myst.citations import Bibliography
from myst.converter import Chapter, Converter
from myst.directives import numbered
from myst.labels import Labels
from myst.parser import MystError
from myst.site import Site

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
# Cells whose source the page folds or leaves out: JupyterLab and Colab fold it, and it still runs.
FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
METADATA = {"tags", "mystnb"}
TITLE = re.compile(r"# +(?P<title>[^\n]+)\n*(?P<rest>.*)", re.DOTALL)


@dataclass(frozen=True)
class Cell:
    kind: str
    source: str
    line: int
    metadata: dict


def convert_book(sources: Iterable[Path], site: Site) -> dict[str, NotebookNode]:
    """A notebook for each chapter, by name. Raises MystError for what a notebook cannot show."""
    labels, bibliography = Labels(), Bibliography(site.root / "book" / "references.bib")
    chapters = {path: read_cells(path, path.relative_to(site.root).as_posix()) for path in sources}
    for complete in (False, True):
        labels.complete = complete
        built = {path.stem: _notebook(path, cells, site, labels, bibliography) for path, cells in chapters.items()}
    return built


def read_cells(path: Path, name: str) -> list[Cell]:
    """The cells of a MyST notebook, as the book reads them, with the lines where their text begins."""
    text = path.read_text(encoding="utf-8")
    try:
        notebook = myst_to_notebook(text, add_source_map=True)
    except MystMetadataParsingError as error:
        raise MystError(name, 1, str(error)) from error
    head = notebook.metadata
    written_as = head.get("jupytext", {}).get("text_representation", {}).get("format_name")
    if written_as != "myst" or head.get("kernelspec", {}).get("name") != "python3":
        raise MystError(name, 1, "Begin with jupytext's front matter: format_name myst, kernelspec python3.")
    lines = text.splitlines()
    cells = []
    for cell, start in zip(notebook.cells, notebook.metadata["source_map"], strict=True):
        while cell.cell_type == "markdown" and not lines[start].strip():
            start += 1
        line = start + (cell.cell_type == "markdown")
        if cell.cell_type == "raw" or set(cell.metadata) - METADATA:
            raise MystError(name, line, f"A cell is Markdown or code, with {' and '.join(sorted(METADATA))} alone.")
        cells.append(Cell(cell.cell_type, cell.source, line, cell.metadata))
    return cells


def _notebook(path: Path, cells: list[Cell], site: Site, labels: Labels, bibliography: Bibliography) -> NotebookNode:
    name = path.relative_to(site.root).as_posix()
    glued: dict[str, str] = {}
    gluing = [cell for cell in cells if cell.kind == "code" and _only_glues(cell, name, glued)]
    chapter = Chapter(path.stem, name, site, labels, bibliography, glued)
    built: list[NotebookNode] = []
    for cell in cells:
        if cell.kind == "code" and cell not in gluing:
            built.append(new_code_cell(cell.source, metadata=_metadata(cell)))
            shown = cell.metadata.get("mystnb", {})
            if figure := shown.get("figure"):
                caption = Converter(chapter).cell(figure.get("caption", ""), cell.line)
                words = shown.get("image", {}).get("alt", "")
                text = numbered("figure", caption, figure.get("name"), cell.line, chapter, words)
                built.append(new_markdown_cell(text))
        elif cell.kind == "markdown" and (text := Converter(chapter).cell(cell.source, cell.line)):
            built.append(new_markdown_cell(text))
    if labels.cited.get(path.stem) and not chapter.listed:
        built.append(new_markdown_cell("## References\n\n" + bibliography.references(labels.cited[path.stem])))
    match = TITLE.fullmatch(built[0].source) if built and built[0].cell_type == "markdown" else None
    if not match:
        raise MystError(name, cells[0].line if cells else 1, "A chapter begins with its title, as `# Slide a kernel`.")
    labels.titles[path.stem] = match["title"]
    rest = [new_markdown_cell(match["rest"])] if match["rest"] else []
    install = new_code_cell(install_cell(site.repository, site.branch), metadata={"jupyter": {"source_hidden": True}})
    built = [_head(match["title"], path.stem, site), install, *rest, *built[1:]]
    for number, cell in enumerate(built):
        cell.id = f"{path.stem}-{number:02d}"
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    return new_notebook(cells=built, metadata=metadata, nbformat_minor=5)


def _head(title: str, stem: str, site: Site) -> NotebookNode:
    links = {
        "Read this chapter as a page": site.page(f"book/{stem}.md"),
        "Open in Colab": site.colab(f"notebooks/chapters/{stem}.ipynb"),
        "Source": site.blob(f"book/{stem}.md"),
    }
    return new_markdown_cell(f"# {title}\n\n" + " · ".join(f"[{text}]({url})" for text, url in links.items()))


def _metadata(cell: Cell) -> dict:
    tags = cell.metadata.get("tags", [])
    folded = {"cellView": "form", "jupyter": {"source_hidden": True}} if FOLDED & set(tags) else {}
    return {**folded, **({"tags": list(tags)} if tags else {})}


def _only_glues(cell: Cell, name: str, glued: dict[str, str]) -> bool:
    """Whether a code cell does nothing but glue values into the page; adds the variable behind each to `glued`.

    Colab has no myst_nb: such a cell is left out of the notebook, and glue has no place in another.
    """
    try:
        statements = ast.parse(cell.source).body
    except SyntaxError as error:
        raise MystError(name, cell.line + (error.lineno or 1), "This cell is not plain Python.") from error
    gluing = 0
    for statement in statements:
        match statement:
            case ast.ImportFrom(module="myst_nb"):
                gluing += 1
            case ast.Expr(ast.Call(ast.Name("glue"), [ast.Constant(str(key)), ast.Name(variable), *_])):
                glued[key] = variable
                gluing += 1
    if gluing < len(statements) and (gluing or "glue(" in cell.source):
        help_ = 'Put `from myst_nb import glue` and calls such as glue("share", share) in a cell of their own.'
        raise MystError(name, cell.line, f"{help_} The notebook leaves it out and prints the variable's name.")
    return 0 < gluing == len(statements)
