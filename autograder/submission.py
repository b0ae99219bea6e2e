"""From the bytes that were handed in to a notebook that is ours: the rebuild.

The submission is only a source of text. Every cell of the assignment comes from the assignment, with its own
source, metadata, order and type. From the submission come the text of the answers, with the pictures pasted into it,
and the student's own extra cells, which stay where they stand: behind the cell of ours that they followed. Nothing
here runs anything.

A cell of ours is recognised in the submission by, in this order,

1. nbgrader's `grade_id` in its metadata;
2. its cell id (Colab keeps it in the metadata), where a tool dropped the metadata;
3. its text: the released text as it was, or the names that an answer's stub defines;
4. its place: the only cell of its type between two neighbours that were recognised.

Whatever else the submission says (tags, points, versions, duplicates, other orders) changes nothing and is
flagged for a human to see.
"""

import base64
import copy
import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.assignment import Assignment, Cell
from autograder.errors import SubmissionError
from autograder.text import encodable

MAX_CELLS = 2_000
MAX_FLAGS = 20
PICTURE_TYPES = ("image/png", "image/jpeg")
_DEFINES = re.compile(r"^(?:async\s+def|def|class)\s+(\w+)|^(\w+)\s*(?::[^=\n]+)?=(?!=)", re.MULTILINE)


@dataclass(frozen=True)
class Given:
    """A cell as the submission has it: its text and what may tell which cell of ours it is."""

    cell_type: str
    source: str
    cell_id: str = ""
    nbgrader: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    pictures: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def grade_id(self) -> str:
        identifier = self.nbgrader.get("grade_id")
        return identifier if isinstance(identifier, str) else ""


@dataclass(frozen=True)
class Submission:
    """One student's work, rebuilt.

    Attributes:
        student: who handed it in.
        notebook: the rebuilt notebook: ours, with the student's text. Tests hold their visible half.
        cells: for each cell of the notebook the assignment's cell, None for one of the student's own.
        digest: SHA-256 of the bytes that were handed in.
        flags: what a human may want to look at, one short sentence each.
        blank: ids of the answer and manual cells that still hold the released text.
    """

    student: str
    notebook: NotebookNode
    cells: tuple[Cell | None, ...]
    digest: str
    flags: tuple[str, ...] = ()
    blank: frozenset[str] = frozenset()


def rebuild(assignment: Assignment, student: str, data: bytes, flags: tuple[str, ...] = ()) -> Submission:
    """Rebuild one submission from its bytes.

    Raises:
        SubmissionError: it is no notebook, or none of this assignment; the message is for the student.
    """
    given = read_cells(data, assignment.settings.limits.notebook_mb)
    matches, notes = _match(assignment, given)
    if not _ours(matches):
        raise SubmissionError(
            f"This is a notebook of something else: it holds none of the questions of {assignment.name}. "
            "Hand in the notebook of this assignment."
        )
    places = {cell.id: place for place, cell in matches.items()}
    extras = _extras(assignment, given, matches)
    rebuilt: list[tuple[NotebookNode, Cell | None]] = [(node, None) for node in extras.get("", [])]
    blank = set()
    notebook = assignment.notebook()
    for node, cell in zip(notebook.cells, assignment.cells, strict=True):
        if cell.kind in ("answer", "manual", "scratch") and cell.id in places:
            _fill(node, given[places[cell.id]])
        if cell.kind in ("answer", "manual") and _same(node.source, cell.visible_source):
            blank.add(cell.id)
        # A scratch cell is the student's to delete; all else is put back.
        if cell.kind != "scratch" or cell.id in places:
            rebuilt.append((node, cell))
        rebuilt += [(extra, None) for extra in extras.get(cell.id, [])]
    own = (node for node, cell in rebuilt if cell is None)
    for number, node in enumerate(own, start=1):
        node.id = f"extra-{number:03d}"
    notebook.cells = [node for node, _ in rebuilt]
    notes = list(dict.fromkeys((*flags, *notes)))
    if len(notes) > MAX_FLAGS:
        notes = [*notes[:MAX_FLAGS], f"… and {len(notes) - MAX_FLAGS} more of the kind."]
    return Submission(
        student=student,
        notebook=notebook,
        cells=tuple(cell for _, cell in rebuilt),
        digest=hashlib.sha256(data).hexdigest(),
        flags=tuple(notes),
        blank=frozenset(blank),
    )


def read_cells(data: bytes, notebook_mb: int) -> list[Given]:
    """The cells of a notebook of nbformat 3 or 4, read without trusting any of it.

    Raises:
        SubmissionError: too big, no text, no JSON, no notebook, too many cells.
    """
    if len(data) > notebook_mb * 2**20:
        raise SubmissionError(
            f"The file is larger than {notebook_mb} MB. Clear all outputs, save, and hand it in again."
        )
    if not data.strip():
        raise SubmissionError("The file is empty. Save the notebook and hand it in again.")
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise SubmissionError("The file is not UTF-8 text, so it is no notebook. Hand in the .ipynb file.") from None
    except RecursionError:
        raise SubmissionError("The file is nested too deeply to be a notebook.") from None
    except ValueError as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise SubmissionError(
            f"The file is damaged: it is not the JSON of a notebook{where}. "
            "Open it in Jupyter, save it, and hand it in again."
        ) from None
    return [_given(raw) for raw in _raw_cells(document)]


def _raw_cells(document: Any) -> list[dict[str, Any]]:
    if not isinstance(document, dict) or not isinstance(document.get("nbformat"), int):
        raise SubmissionError("The file is no notebook. Hand in the .ipynb file that Jupyter saved.")
    version = document["nbformat"]
    if version == 4:
        cells = document.get("cells")
    elif version == 3:
        sheets = document.get("worksheets")
        cells = []
        for sheet in sheets if isinstance(sheets, list) else ():
            if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list):
                cells += sheet["cells"]
    else:
        raise SubmissionError(
            f"The notebook is saved in format {str(version)[:6]}, which I cannot read. "
            "Open it in JupyterLab, save it, and hand it in again."
        )
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise SubmissionError("The notebook is damaged: it has no list of cells. Save it in Jupyter once more.")
    if len(cells) > MAX_CELLS:
        raise SubmissionError(f"The notebook has {len(cells)} cells; at most {MAX_CELLS} are read. Remove some.")
    return cells


def _given(raw: dict[str, Any]) -> Given:
    metadata = raw.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    nbgrader, tags = metadata.get("nbgrader"), metadata.get("tags")
    cell_id = raw.get("id", metadata.get("id"))
    cell_type = raw.get("cell_type")
    # Format 3 calls a code cell's text its input.
    text = raw.get("source", raw.get("input", ""))
    if isinstance(text, list):
        text = "".join(line for line in text if isinstance(line, str))
    return Given(
        cell_type="code" if cell_type == "code" else "markdown",
        source=encodable(text) if isinstance(text, str) else "",
        cell_id=cell_id if isinstance(cell_id, str) else "",
        nbgrader=nbgrader if isinstance(nbgrader, dict) else {},
        tags=tuple(str(tag)[:30] for tag in tags[:5]) if isinstance(tags, list) else (),
        pictures=_pictures(raw.get("attachments")),
    )


def _pictures(attachments: Any) -> dict[str, dict[str, str]]:
    """Of what is attached to a cell the pictures, by name: each is base64 and nothing else."""
    pictures: dict[str, dict[str, str]] = {}
    for name, bundle in attachments.items() if isinstance(attachments, dict) else ():
        for kind in PICTURE_TYPES:
            data = bundle.get(kind) if isinstance(bundle, dict) else None
            try:
                picture = base64.b64decode("".join(data.split()), validate=True) if isinstance(data, str) else b""
            except ValueError:
                continue
            if picture:
                pictures.setdefault(encodable(name), {})[kind] = base64.b64encode(picture).decode()
    return pictures


def _fill(node: NotebookNode, given: Given) -> NotebookNode:
    """Put the student's text into a cell; pictures stand in text cells only, as the notebook format has it."""
    node.source = given.source
    if node.cell_type == "markdown" and given.pictures:
        node.attachments = given.pictures
    return node


def _match(assignment: Assignment, given: list[Given]) -> tuple[dict[int, Cell], list[str]]:
    """Which cell of ours stands at which place of the submission, and what is odd about that."""
    matches: dict[int, Cell] = {}
    notes: list[str] = []
    open_cells = {cell.id: cell for cell in assignment.cells}

    def take(place: int, cell: Cell) -> None:
        matches[place] = cell
        del open_cells[cell.id]

    named: dict[str, list[int]] = {}
    for place, each in enumerate(given):
        if each.grade_id in open_cells:
            named.setdefault(each.grade_id, []).append(place)
    for identifier, places in named.items():
        cell = open_cells[identifier]
        if len(places) > 1:
            notes.append(f"Cell {identifier} is there {len(places)} times; the last one with work in it counts.")
        worked = [place for place in places if not _same(given[place].source, cell.visible_source)]
        take((worked or places)[-1], cell)
    by_cell_id = {cell.cell_id: cell for cell in open_cells.values()}
    for place, each in enumerate(given):
        same_id = by_cell_id.get(each.cell_id)
        if place not in matches and same_id and same_id.id in open_cells and each.grade_id in ("", same_id.id):
            take(place, same_id)
    by_text = {_normal(cell.visible_source): cell for cell in reversed(open_cells.values())}
    for place, each in enumerate(given):
        same_text = by_text.get(_normal(each.source))
        if place not in matches and same_text and same_text.id in open_cells and not each.grade_id:
            take(place, same_text)
    for cell in [cell for cell in open_cells.values() if cell.kind == "answer"]:
        wanted = _defines(cell.visible_source)
        places = [
            place
            for place, each in enumerate(given)
            if place not in matches and each.cell_type == "code" and wanted & _defines(each.source)
        ]
        if places:
            take(places[-1], cell)
    # A place alone proves nothing: it counts in a notebook that is known to be of this assignment.
    for cell in [cell for cell in open_cells.values() if _ours(matches) and cell.kind in ("answer", "manual")]:
        between = _between(assignment, cell, matches, len(given))
        places = [n for n in between if n not in matches and given[n].cell_type == cell.cell_type]
        if len(places) == 1:
            take(places[0], cell)
    notes += _oddities(assignment, given, matches, open_cells)
    return matches, notes


def _ours(matches: dict[int, Cell]) -> bool:
    return any(cell.kind in ("answer", "test", "manual") for cell in matches.values())


def _between(assignment: Assignment, cell: Cell, matches: dict[int, Cell], end: int) -> range:
    """The places between the nearest recognised neighbours of a cell that was not recognised itself."""
    places = {each.id: place for place, each in matches.items()}
    ids = [each.id for each in assignment.cells]
    here = ids.index(cell.id)
    before = next((places[each] for each in reversed(ids[:here]) if each in places), -1)
    after = next((places[each] for each in ids[here + 1 :] if each in places), end)
    return range(before + 1, after)


def _oddities(
    assignment: Assignment, given: list[Given], matches: dict[int, Cell], missing: dict[str, Cell]
) -> list[str]:
    notes = []
    for cell in missing.values():
        if cell.kind not in ("text", "scratch"):
            notes.append(f"Cell {cell.id} is missing; the original was put back.")
    for place, cell in sorted(matches.items(), key=lambda item: item[0]):
        each = given[place]
        ours = cell.metadata.get("nbgrader", {})
        if cell.kind in ("test", "helper", "driver") and not _same(each.source, cell.visible_source):
            notes.append(f"Locked cell {cell.id} was changed; the original was used.")
        if each.cell_type != ("code" if cell.cell_type == "code" else "markdown"):
            notes.append(f"Cell {cell.id} was made a {each.cell_type} cell; it was read as {cell.cell_type}.")
        changed = [key for key, value in ours.items() if each.nbgrader and each.nbgrader.get(key) != value]
        if changed:
            notes.append(f"Grading metadata of cell {cell.id} was changed ({', '.join(sorted(changed))}): ignored.")
    tags = Counter(tag for each in given for tag in each.tags)
    if tags:
        notes.append("Tags without effect: " + ", ".join(f"{tag!a}" for tag, _ in tags.most_common(5)) + ".")
    index = {cell.id: number for number, cell in enumerate(assignment.cells)}
    order = [index[cell.id] for _, cell in sorted(matches.items(), key=lambda item: item[0])]
    if order != sorted(order):
        notes.append("Cells were moved; the assignment's order was used.")
    return notes


def _extras(assignment: Assignment, given: list[Given], matches: dict[int, Cell]) -> dict[str, list[NotebookNode]]:
    """The student's own cells, by the id of the cell of ours that they follow ("": before the first)."""
    extras: dict[str, list[NotebookNode]] = {}
    ours = {_normal(cell.visible_source) for cell in assignment.cells if cell.kind in ("test", "helper", "driver")}
    behind = ""
    for place, each in enumerate(given):
        if place in matches:
            behind = matches[place].id
        elif each.source.strip() and _normal(each.source) not in ours:
            make = new_code_cell if each.cell_type == "code" else new_markdown_cell
            extras.setdefault(behind, []).append(_fill(make(), each))
    return extras


def _normal(source: str) -> str:
    """The text without what editors change on their own: trailing blanks and line ends."""
    return "\n".join(line.rstrip() for line in source.splitlines()).strip("\n")


def _same(one: str, other: str) -> bool:
    return _normal(one) == _normal(other)


def _defines(source: str) -> set[str]:
    """Names bound at the left margin; by pattern, so that a cell with a syntax error counts too."""
    return {first or second for first, second in _DEFINES.findall(source)}


def with_answers(assignment: Assignment, answers: dict[str, str]) -> NotebookNode:
    """The released notebook with some answers filled in, by id: what a student would hand in."""
    notebook = copy.deepcopy(assignment.notebook())
    for node, cell in zip(notebook.cells, assignment.cells, strict=True):
        if cell.id in answers:
            node.source = answers[cell.id]
    return notebook
