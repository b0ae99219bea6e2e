"""What a notebook's cells may do works without a kernel, and what they show arrives as a notebook file has it."""

import base64
import json
import socket
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from autograder import shell, student
from autograder.outputs import MARK, Reader, Writer
from autograder.runner import CellRun, Step
from autograder.text import clean
from tests.autograder.engine import judged


def run(*sources: str) -> list[CellRun]:
    return judged([], [Step(place, "", source) for place, source in enumerate(sources)])


def texts(cell: CellRun) -> list[str]:
    fields = {"stream": "text", "error": "evalue"}
    return [
        output[fields[output["output_type"]]] if output["output_type"] in fields else output["data"]["text/plain"]
        for output in cell.outputs
    ]


def test_prints_results_displays_and_errors_come_in_order() -> None:
    (cell,) = run("import sys\nprint('a')\nprint('b', file=sys.stderr)\ndisplay('c')\nprint('d')\n1 / 0")
    assert texts(cell) == ["a\n", "b\n", "'c'", "d\n", "division by zero"]
    assert [output["output_type"] for output in cell.outputs] == ["stream", "stream", "display_data", "stream", "error"]
    assert cell.outputs[-1]["ename"] == "ZeroDivisionError" and "1 / 0" in clean("".join(cell.outputs[-1]["traceback"]))
    assert cell.status == "raised" and cell.count == 1


def test_a_shell_made_before_the_fork_is_like_one_made_after_it() -> None:
    def serve_warm(*sockets: socket.socket) -> None:
        shell.warm()
        student.serve(*sockets)

    sources = [
        "import os, sys\nprint(_dh, os.path.expanduser('~'), __name__)\nprint('x', file=sys.stderr)\n1 + 1",
        "_, In, Out, len(_ih), type(get_ipython()).__name__, vars(sys.modules['__main__']) is globals()",
        "from pathlib import Path\nhere = get_ipython()\n"
        "Path(here.profile_dir.location).is_dir(), Path(here.profile_dir.location).parent == Path(here.ipython_dir)",
        "%cd /\n%cd\n%pwd",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.gcf().get_dpi(), plt.get_backend()",
        "!echo from a command",
        "input()",
        "1 / 0",
        "sorted(name for name in globals() if name[:1] != '_')",
    ]
    steps = [Step(place, "", source) for place, source in enumerate(sources)]
    fresh, warmed = judged([], steps), judged([], steps, serve=serve_warm)
    assert [(cell.status, cell.count, cell.outputs) for cell in warmed] == [
        (cell.status, cell.count, cell.outputs) for cell in fresh
    ]


def test_a_result_has_its_execution_count_and_is_remembered() -> None:
    runs = run("1 + 1", "x = 5", "_ + Out[1], In[1]")
    assert [cell.count for cell in runs] == [1, 2, 3]
    assert runs[0].outputs[0]["execution_count"] == 1 and texts(runs[2]) == ["(4, '1 + 1')"]


def test_every_cell_makes_outputs_that_a_notebook_file_may_hold() -> None:
    sources = [
        "print('ok')",
        "1 / 0",
        "from IPython.display import HTML, Markdown, SVG, display\ndisplay(HTML('<b>x</b>'), Markdown('*x*'))\n2",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]);",
        "def f(:",
    ]
    runs = run(*sources)
    cells = [
        new_code_cell(source, outputs=[nbformat.from_dict(output) for output in cell.outputs])
        for source, cell in zip(sources, runs, strict=True)
    ]
    nbformat.validate(new_notebook(cells=cells))
    assert [cell.status for cell in runs] == ["ran", "raised", "ran", "ran", "raised"]


def test_the_same_cells_show_the_same_as_under_nbclient() -> None:
    sources = [
        "print('a')\nimport sys\nprint('e', file=sys.stderr)",
        "x = 3\nx",
        "from IPython.display import HTML\nHTML('<b>x</b>')",
        "for n in range(3):\n    display(n)",
        "handle = display('one', display_id=True)\nhandle.update('two')",
        "from IPython.display import clear_output\nprint('gone')\nclear_output()\nprint('kept')",
        "raise ValueError('words')",
        "!echo $((6 * 7))",
        "%time None",
        "files = !echo one two\nfiles",
        "import asyncio\nawait asyncio.sleep(0)\n'awaited'",
        "%%capture text\nprint('captured')",
        "text.stdout",
        "f = lambda: 1\nf.__name__;",
        "def g(\n",
    ]
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    NotebookClient(notebook, kernel_name="python3", allow_errors=True).execute()
    for source, cell, theirs in zip(sources, run(*sources), notebook.cells, strict=True):
        assert simple(cell.outputs) == simple(theirs.outputs), source
        assert cell.count == theirs.execution_count


def simple(outputs: list[Any]) -> list[Any]:
    """Outputs without what may differ: timings, paths in tracebacks, the split of a stream."""
    found: list[Any] = []
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream":
            output["text"] = output["text"].replace("\r\n", "\n")  # a kernel gives `!` a terminal
            if "CPU times" in output["text"] or "Wall time" in output["text"]:
                continue
            if found and found[-1][:2] == ["stream", output["name"]]:
                found[-1][2] += output["text"]
            else:
                found.append(["stream", output["name"], output["text"]])
        elif kind == "error":
            found.append([kind, output["ename"], output["evalue"].partition(" (")[0]])
        else:
            found.append([kind, dict(output["data"])])
    return found


def test_pictures_of_matplotlib_arrive_as_png() -> None:
    runs = run(
        "import matplotlib.pyplot as plt",
        "plt.plot([1, 2]);",
        "%matplotlib inline\nplt.imshow([[1, 2]])\nplt.show()\nprint('after')",
        "len(plt.get_fignums())",
    )
    for cell in runs[1:3]:
        picture = next(output for output in cell.outputs if "image/png" in output.get("data", {}))
        assert base64.b64decode(picture["data"]["image/png"]).startswith(b"\x89PNG")
    assert texts(runs[2])[-1] == "after\n" and texts(runs[3]) == ["0"]


def test_a_widget_shows_as_its_text() -> None:
    (cell,) = run(
        "import ipywidgets\nslider = ipywidgets.IntSlider(3)\ndisplay(slider)\nslider.value = 4\nslider.value"
    )
    assert cell.status == "ran" and "IntSlider" in texts(cell)[0] and texts(cell)[-1] == "4"
    assert list(cell.outputs[0]["data"]) == ["text/plain"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("input('name? ')", "nobody is there to answer"),
        ("import sys\nsys.exit(3)", "3"),
        ("class Odd(Exception):\n    def __str__(self): raise ValueError\nraise Odd", "cannot be shown"),
    ],
)
def test_what_stops_a_cell_is_an_error_and_the_next_cell_runs(source: str, words: str) -> None:
    first, second = run(source, "print('next')")
    assert first.status == "raised" and words in "".join(texts(first)) and texts(second) == ["next\n"]


def test_exit_does_not_end_the_notebook() -> None:
    first, second = run("exit()", "print('next')")
    assert "no effect" in texts(first)[0] and texts(second) == ["next\n"]


def test_descriptors_and_subprocesses_are_captured() -> None:
    (cell,) = run(
        "import os, subprocess, sys\nos.write(1, b'raw ')\nsubprocess.run(['echo', 'child'])\n"
        "sys.stdout.buffer.write(b'bytes')\nsys.__stdout__.flush();"
    )
    assert "".join(texts(cell)) == "raw child\nbytes"


def test_failing_shell_commands_leave_their_exit_code() -> None:
    runs = run("!exit 3", "_exit_code", "%%bash\necho from bash")
    assert texts(runs[1]) == ["3"] and "from bash" in "".join(texts(runs[2]))


def test_lone_surrogates_and_other_alphabets_can_be_printed() -> None:
    (cell,) = run("print('\\ud800 é 卷积 🙂')")
    assert texts(cell) == ["? é 卷积 🙂\n"]
    json.dumps(cell.outputs, ensure_ascii=False).encode()


def test_progress_bars_on_standard_error_are_kept_and_cost_nothing() -> None:
    (cell,) = run("from tqdm import tqdm\nfor _ in tqdm(range(3)): pass")
    assert cell.status == "ran" and "3/3" in "".join(texts(cell))


def feed(*pieces: bytes, limit: int = 10_000) -> list[dict[str, Any]]:
    """What the reader makes of raw bytes."""
    ours, theirs = socket.socketpair()
    reader = Reader(ours, limit)
    with ours, theirs:
        for piece in pieces:
            theirs.sendall(piece)
            reader.drain()
        return reader.take()


def record(**content: Any) -> bytes:
    return MARK + json.dumps(content).encode() + b"\n"


@pytest.mark.parametrize(
    "forged",
    [
        b"{}",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"kind": "result"}',
        b'{"kind": "result", "data": [], "count": 1}',
        b'{"kind": "error", "ename": 1, "evalue": "", "traceback": []}',
        b'{"kind": "stream", "name": "stdout", "text": 5}',
        b'{"kind": "display", "data": {"image/png": "\\" onerror=\\"alert(1)"}, "id": null, "update": false}',
        b"\xff\xfe",
        b'{"kind": "result", "data": {}, "count": 1' + b"0" * 5000 + b"}",
    ],
)
def test_a_forged_record_is_text_at_most(forged: bytes) -> None:
    for output in feed(MARK + forged + b"\n", limit=1 << 20):
        assert output["output_type"] == "stream"


def test_only_known_representations_pass_and_no_metadata() -> None:
    data = {
        "text/html": "<b>x</b>",
        "application/javascript": "alert(1)",
        "application/vnd.x+json": {},
        "text/plain": "x",
    }
    (output,) = feed(record(kind="display", data=data, id=None, update=False, metadata={"a": 1}))
    assert output == {
        "output_type": "display_data",
        "data": {"text/html": "<b>x</b>", "text/plain": "x"},
        "metadata": {},
    }


def test_records_and_text_may_be_cut_anywhere() -> None:
    stream = (
        b"raw \xc3\xa9" + record(kind="stream", name="stdout", text="one") + b"two" + record(kind="clear", wait=True)
    )
    stream += record(kind="stream", name="stderr", text="three")
    whole = feed(stream)
    assert whole == [{"output_type": "stream", "name": "stderr", "text": "three"}]
    assert feed(*(stream[n : n + 1] for n in range(len(stream)))) == whole
    assert feed(b"raw \xc3", b"\xa9") == [{"output_type": "stream", "name": "stdout", "text": "raw é"}]


def test_a_record_over_the_limit_is_dropped_without_being_held() -> None:
    big = MARK + b'{"kind": "stream", "name": "stdout", "text": "' + b"x" * 300_000
    outputs = feed(big[:150_000], big[150_000:], b'"}\nafter', limit=2000)
    assert len(outputs) == 1 and "limit of" in outputs[0]["text"]


def test_the_writer_writes_what_the_reader_reads() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        Writer(theirs.fileno()).emit("display", data={"image/png": b"\x89PNG", "text/plain": "p"}, id="k", update=False)
        Writer(theirs.fileno()).emit("display", data={"text/plain": "q"}, id="k", update=True)
        reader = Reader(ours, 10_000)
        reader.drain()
        assert reader.take() == [{"output_type": "display_data", "data": {"text/plain": "q"}, "metadata": {}}]
        theirs.close()
        reader.drain()
        assert reader.closed


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60).map(lambda data: data.replace(b"R", MARK).replace(b"N", b"\n")), max_size=8))
def test_any_bytes_are_some_output(pieces: list[bytes]) -> None:
    for output in feed(*pieces, limit=100):
        assert output["output_type"] == "stream"
