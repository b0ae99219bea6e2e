import json
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.assignment import Assignment
from autograder.errors import SubmissionError
from autograder.submission import MAX_CELLS, read_cells, rebuild, with_answers


def data(notebook: NotebookNode | dict[str, Any]) -> bytes:
    return json.dumps(notebook).encode()


def sources(notebook: NotebookNode, *ids: str) -> list[str]:
    by_id = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in notebook.cells}
    return [by_id[each] for each in ids]


@pytest.fixture
def notebook(tiny: Assignment, right: dict[str, str]) -> NotebookNode:
    return with_answers(tiny, right)


def place(notebook: NotebookNode, grade_id: str) -> int:
    ids = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in notebook.cells]
    return ids.index(grade_id)


def test_an_honest_notebook_comes_back_as_it_is(tiny: Assignment, notebook: NotebookNode) -> None:
    submission = rebuild(tiny, "ada", data(notebook))
    assert submission.notebook == notebook
    assert submission.flags == ()
    assert submission.blank == {"essay"}
    nbformat.validate(submission.notebook)


def test_the_digest_is_of_the_bytes(tiny: Assignment, notebook: NotebookNode) -> None:
    one = rebuild(tiny, "ada", data(notebook)).digest
    assert rebuild(tiny, "bob", data(notebook)).digest == one
    assert rebuild(tiny, "ada", data(notebook) + b"\n").digest != one


def test_changed_tests_come_from_the_assignment(tiny: Assignment, notebook: NotebookNode) -> None:
    notebook.cells[place(notebook, "mean-test")].source = "pass"
    submission = rebuild(tiny, "ada", data(notebook))
    assert sources(submission.notebook, "mean-test") == [tiny.cells[11].visible_source]
    assert submission.flags == ("Locked cell mean-test was changed; the original was used.",)


def test_metadata_of_the_submission_has_no_effect(tiny: Assignment, notebook: NotebookNode) -> None:
    honest = rebuild(tiny, "ada", data(notebook)).notebook
    test = notebook.cells[place(notebook, "mean-test")]
    test.metadata.nbgrader.update(points=1000, schema_version=99, locked=False)
    test.metadata.update(tags=["raises-exception", "skip-execution"], editable=True)
    notebook.metadata = NotebookNode(kernelspec={"name": "evil"})
    submission = rebuild(tiny, "ada", data(notebook))
    assert submission.notebook == honest
    assert submission.flags == (
        "Grading metadata of cell mean-test was changed (locked, points, schema_version): ignored.",
        "Tags without effect: 'raises-exception', 'skip-execution'.",
    )


def test_missing_cells_are_put_back(tiny: Assignment, notebook: NotebookNode) -> None:
    del notebook.cells[place(notebook, "double-arrays")]
    del notebook.cells[place(notebook, "mean")]
    submission = rebuild(tiny, "ada", data(notebook))
    assert [cell.id for cell in submission.cells if cell] == [cell.id for cell in tiny.cells]
    assert submission.blank == {"mean", "essay"}
    assert submission.flags == (
        "Cell double-arrays is missing; the original was put back.",
        "Cell mean is missing; the original was put back.",
    )


def test_of_a_doubled_answer_the_last_one_with_work_in_it_counts(tiny: Assignment, notebook: NotebookNode) -> None:
    stub = NotebookNode(notebook.cells[place(notebook, "double")], source=tiny.cells[4].visible_source)
    notebook.cells.append(stub)
    submission = rebuild(tiny, "ada", data(notebook))
    assert "double" not in submission.blank
    assert submission.flags[0].startswith("Cell double is there 2 times")


def test_own_cells_stay_behind_the_cell_they_followed(tiny: Assignment, notebook: NotebookNode) -> None:
    notebook.cells.insert(0, new_code_cell("first = 1"))
    at = place(notebook, "double")
    notebook.cells[at + 1 : at + 1] = [new_code_cell("helper = 2"), new_markdown_cell("a note"), new_code_cell("  ")]
    submission = rebuild(tiny, "ada", data(notebook))
    own = [
        (number, node.source) for number, node in enumerate(submission.notebook.cells) if not submission.cells[number]
    ]
    assert own == [(0, "first = 1"), (6, "helper = 2"), (7, "a note")]
    assert submission.cells[5].id == "double"  # type: ignore[union-attr]
    assert len({cell.id for cell in submission.notebook.cells}) == len(submission.notebook.cells)
    assert submission.flags == ()


def test_moved_cells_go_back_to_their_place(tiny: Assignment, notebook: NotebookNode) -> None:
    notebook.cells.reverse()
    submission = rebuild(tiny, "ada", data(notebook))
    assert [cell.id for cell in submission.cells if cell] == [cell.id for cell in tiny.cells]
    assert submission.flags == ("Cells were moved; the assignment's order was used.",)


def test_a_copied_test_cell_is_no_cell_of_the_student(tiny: Assignment, notebook: NotebookNode) -> None:
    notebook.cells.append(new_code_cell(notebook.cells[place(notebook, "mean-test")].source))
    assert all(rebuild(tiny, "ada", data(notebook)).cells)


def test_a_deleted_scratch_cell_stays_deleted(tiny: Assignment, notebook: NotebookNode) -> None:
    notebook.cells = [cell for cell in notebook.cells if "np.mean([1" not in cell.source]
    submission = rebuild(tiny, "ada", data(notebook))
    assert "np.mean([1" not in nbformat.writes(submission.notebook)
    assert submission.flags == ()


def colab(notebook: NotebookNode) -> None:
    notebook.nbformat_minor = 0
    for cell in notebook.cells:
        cell.metadata = NotebookNode({**cell.metadata, "id": cell.pop("id"), "colab": {}})


def ids_only(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        cell.metadata = NotebookNode()


def colab_ids_only(notebook: NotebookNode) -> None:
    colab(notebook)
    for cell in notebook.cells:
        cell.metadata = NotebookNode(id=cell.metadata.id)


def nothing(notebook: NotebookNode) -> None:
    ids_only(notebook)
    for cell in notebook.cells:
        del cell["id"]


def lines(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        cell.source = cell.source.splitlines(keepends=True)


def windows(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        cell.source = cell.source.replace("\n", "  \r\n") + "\r\n"


@pytest.mark.parametrize("save", [colab, ids_only, colab_ids_only, nothing, lines, windows])
def test_saves_of_other_tools_are_recognised(tiny: Assignment, notebook: NotebookNode, save: Any) -> None:
    notebook.cells[place(notebook, "essay")].source = "With outliers."
    notebook.cells.insert(3, new_code_cell("def helper():\n    return 1"))
    save(notebook)
    submission = rebuild(tiny, "ada", data(notebook))
    assert submission.flags == ()
    assert submission.blank == frozenset()
    found = [source.split() for source in sources(submission.notebook, "double", "mean", "essay")]
    assert found[0] == ["def", "double(x):", "return", "2", "*", "x"]
    assert found[1] == ["def", "mean(values):", "return", "sum(values)", "/", "len(values)"]
    assert found[2] == ["With", "outliers."]


@pytest.mark.parametrize("minor", range(6))
def test_all_minor_formats_are_read(tiny: Assignment, notebook: NotebookNode, minor: int) -> None:
    notebook.nbformat_minor = minor
    assert rebuild(tiny, "ada", data(notebook)).blank == {"essay"}


def test_format_3_is_read(tiny: Assignment, notebook: NotebookNode) -> None:
    cells = [
        {"cell_type": "code", "input": cell.source, "metadata": cell.metadata, "language": "python", "outputs": []}
        if cell.cell_type == "code"
        else {"cell_type": "markdown", "source": cell.source, "metadata": cell.metadata}
        for cell in notebook.cells
    ]
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells, "metadata": {}}]}
    assert rebuild(tiny, "ada", data(old)).notebook == notebook


def test_lone_surrogates_are_replaced(tiny: Assignment, notebook: NotebookNode) -> None:
    notebook.cells[place(notebook, "double")].source += "\n# \ud800"
    text = nbformat.writes(rebuild(tiny, "ada", data(notebook)).notebook)
    assert "\ufffd" in text
    text.encode()


def test_pictures_pasted_into_text_are_kept_and_nothing_else_that_is_attached(
    tiny: Assignment, notebook: NotebookNode
) -> None:
    attached = {
        "a.png": {"image/png": "iVBO\nRw0=", "text/html": "<script>"},
        "b.svg": {"image/svg+xml": "AAAA"},
        "c.png": {"image/png": "no base64!"},
        "d.jpg": {"image/jpeg": '" onerror=alert(1)'},
        "e.png": {"image/png": ["AAAA"]},
        "f.png": "AAAA",
        "\ud800": {"image/jpeg": "AAAA"},
    }
    kept = {"a.png": {"image/png": "iVBORw0="}, "\ufffd": {"image/jpeg": "AAAA"}}
    for cell in notebook.cells:
        cell.attachments = attached
    essay = notebook.cells[place(notebook, "essay")]
    essay.source = "![a](attachment:a.png)"
    notebook.cells.append(NotebookNode(essay, id="mine", metadata={}, source="Mine: ![a](attachment:a.png)"))
    rebuilt = rebuild(tiny, "ada", data(notebook)).notebook
    nbformat.validate(rebuilt)
    with_pictures = {cell.source: cell.attachments for cell in rebuilt.cells if "attachments" in cell}
    assert with_pictures == {essay.source: kept, notebook.cells[-1].source: kept}


def test_a_notebook_of_something_else_is_refused(tiny: Assignment, notebook: NotebookNode) -> None:
    notebook.cells = [new_code_cell("x = 1"), new_markdown_cell("Spheres")]
    with pytest.raises(SubmissionError, match="none of the questions of tiny"):
        rebuild(tiny, "ada", data(notebook))


def test_flags_are_bounded(tiny: Assignment, notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        cell.metadata = NotebookNode(nbgrader={"grade_id": cell.metadata.get("nbgrader", {}).get("grade_id", "?")})
        cell.metadata.tags = ["<b>" * 1000] * 20
        cell.source = "changed"
    flags = rebuild(tiny, "ada", data(notebook)).flags
    assert len(flags) <= 21
    assert all(len(flag) < 300 for flag in flags)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{nope", "damaged"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"[" * 100_000, "nested too deeply|damaged"),
        (b'{"a":' * 50_000, "nested too deeply|damaged"),
        (b"[]", "no notebook"),
        (b'"x"', "no notebook"),
        (b"1e999", "no notebook"),
        (b"9" * 5000, "damaged"),
        (b'{"cells": []}', "no notebook"),
        (b'{"nbformat": "4", "cells": []}', "no notebook"),
        (b'{"nbformat": 2, "worksheets": []}', "format 2"),
        (b'{"nbformat": 99999999999999999999, "cells": []}', "format 999999,"),
        (b'{"nbformat": 4}', "no list of cells"),
        (b'{"nbformat": 4, "cells": {}}', "no list of cells"),
        (b'{"nbformat": 4, "cells": [1]}', "no list of cells"),
        (b'{"nbformat": 3, "worksheets": [1, {"cells": 2}]}', None),
        (json.dumps({"nbformat": 4, "cells": [{}] * (MAX_CELLS + 1)}).encode(), "2001 cells"),
        (b" " * (2**20 + 1), "larger than 1 MB"),
    ],
)
def test_anything_else_in_place_of_a_notebook_gets_a_reason(content: bytes, reason: str | None) -> None:
    if reason is None:
        assert read_cells(content, 1) == []
    else:
        with pytest.raises(SubmissionError, match=reason):
            read_cells(content, 1)


def test_a_byte_order_mark_is_no_obstacle(tiny: Assignment, notebook: NotebookNode) -> None:
    assert rebuild(tiny, "ada", b"\xef\xbb\xbf" + data(notebook)).blank == {"essay"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(
    key=st.sampled_from(["cell_type", "source", "metadata", "id", "outputs", "input"]),
    value=json_values,
    where=st.integers(0, 13),
    nbgrader=st.booleans(),
)
def test_odd_values_anywhere_give_a_submission_or_a_reason(
    tiny: Assignment, key: str, value: Any, where: int, nbgrader: bool
) -> None:
    notebook = tiny.notebook()
    cell = notebook.cells[where]
    if nbgrader:
        cell.metadata = {
            "nbgrader": {**cell.metadata.get("nbgrader", {}), key: value, "grade_id": value},
            "tags": value,
        }
    else:
        cell[key] = value
    submission = rebuild(tiny, "ada", data(notebook))
    assert len(submission.notebook.cells) >= len(tiny.cells) - 2
    nbformat.validate(submission.notebook)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_submission_or_a_reason(content: bytes) -> None:
    try:
        read_cells(content, 1)
    except SubmissionError as error:
        assert str(error).endswith(".")
