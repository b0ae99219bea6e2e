"""Mutated notebooks of the assignment `tiny`, for `fuzz_notebooks.py`: `make(seed, number)`.

    bytes      of the file: flips, cuts, splices, other encodings
    structure  of its JSON: types, keys, ids, versions, numbers and texts that JSON should not hold
    text       of its cells: broken code, odd code, code that tampers
    locked     of cells that are ours: their text, or what tells which they are, or anything else about them

A mutation has nothing to work with but its own notebook, noise, and code that is right for no question. So no part
can earn more than in the notebook that it was made from; by the last kind, none earns less.
"""

import copy
import json
import math
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from autograder.assignment import Assignment
from autograder.submission import with_answers

TINY = Path(__file__).parent / "fixtures" / "tiny"
LEVELS = ("bytes", "structure", "text", "locked")

Json = Any


@dataclass(frozen=True)
class Base:
    """A notebook to be mutated, and what its parts earn."""

    name: str
    document: Json
    points: dict[str, float]


@dataclass(frozen=True)
class Case:
    """One mutated notebook.

    Attributes:
        number: its number, which with the seed makes it.
        level: how it was mutated.
        base: what it was made from.
        data: the file.
        tampers: whether its code tampers with the process it runs in, so that plain Python is no judge of it.
    """

    number: int
    level: str
    base: Base
    data: bytes
    tampers: bool = False

    @property
    def student(self) -> str:
        return f"case-{self.number:06d}"


# The notebooks to start from.


@cache
def bases() -> tuple[Base, ...]:
    """Notebooks as students hand them in, with what they earn without any mutation."""
    assignment = Assignment.load(TINY, "tiny")
    right = {cell.id: cell.source for cell in assignment.cells if cell.kind in ("answer", "manual")}
    six, thirds = "def double(x):\n    return 6", "def mean(values):\n    return sum(values) / 3"
    full = {"double-numbers": 2, "double-arrays": 3, "mean-test": 4, "essay": 0}

    def base(name: str, answers: dict[str, str], *lost: str, change: Callable[[Json], Json] = lambda d: d) -> Base:
        document = change(json.loads(json.dumps(with_answers(assignment, answers))))
        return Base(name, document, {part: 0 if part in lost else points for part, points in full.items()})

    return (
        base("released", {}, *full),
        base("right", right),
        base("half", {**right, "double": six}, "double-numbers", "double-arrays"),
        base("other half", {**right, "mean": thirds, "essay": ""}, "mean-test"),
        base("worked", right, change=_worked),
        base("colab", right, change=_colab),
        base("format 3", right, change=_format_3),
    )


def _worked(document: Json) -> Json:
    """With cells of the student's own and outputs."""
    output = new_output("display_data", {"text/html": "<b>a</b>", "image/png": "AAAA"}, metadata={})
    document["cells"].insert(5, dict(new_code_cell("def helper():\n    return 1\n", outputs=[output])))
    document["cells"].append(dict(new_markdown_cell("Notes: $x^2$ **bold** [a](http://b) ![c](attachment:d.png)")))
    return document


def _colab(document: Json) -> Json:
    document["nbformat_minor"] = 0
    document["metadata"]["colab"] = {"provenance": []}
    for cell in document["cells"]:
        cell["metadata"]["id"] = cell.pop("id")
        cell["source"] = cell["source"].splitlines(keepends=True)
    return document


def _format_3(document: Json) -> Json:
    for cell in document["cells"]:
        if cell["cell_type"] == "code":
            cell["input"] = cell.pop("source")
            cell["language"] = "python"
    sheets = [{"cells": document["cells"], "metadata": {}}]
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": sheets}


def cells_of(document: Json) -> list[Json]:
    return document["cells"] if "cells" in document else document["worksheets"][0]["cells"]


# Mutations of bytes.


def mutate_bytes(rng: random.Random, data: bytes) -> bytes:
    for _ in range(rng.choice((1, 1, 1, 2, 5, 30))):
        at, size = rng.randrange(len(data) + 1), rng.choice((1, 2, 8, 60, 1000))
        match rng.randrange(10):
            case 0 | 1:
                letter = rng.choice(b"aeghilmnorstu_0123456789 ")
                data = data[:at] + bytes([letter]) + data[at + 1 :]
            case 2:
                flipped = (data[at : at + 1] or b" ")[0] ^ (1 << rng.randrange(8))
                data = data[:at] + bytes([flipped]) + data[at + 1 :]
            case 3:
                data = data[:at] + data[at + size :]
            case 4:
                data = data[:at] if rng.random() < 0.5 else data[at:]
            case 5:
                start = rng.randrange(len(data) + 1)
                data = data[:at] + data[start : start + size] + data[at:]
            case 6:
                data = data[:at] + rng.choice(ODD_BYTES) + data[at:]
            case 7:
                data = data[:at] + bytes(rng.randrange(256) for _ in range(min(size, 60))) + data[at:]
            case 8:
                data = data.replace(
                    rng.choice((b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\n")), rng.choice(ODD_BYTES), 1
                )
            case 9 if rng.random() < 0.3:
                text = data.decode("utf-8", "replace")
                data = text.encode(rng.choice(("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "utf-7")), "replace")
    return data


ODD_BYTES = (
    b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc0\x80", b"\r", b"\r\n", b"\x1b[31m", b"\\ud800",
    b"\\u0000", b"\xe2\x80\xa8", b"\xe2\x80\xae", b"\\", b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"NaN",
    b"-", b"1e999", b"9" * 5000, b"[" * 3000, b'{"a":' * 3000, b"/* c */", b"\x00" * 500, b" " * 5000,
)  # fmt: skip

# Mutations of the JSON.

RAW = {"raw-huge": "9" * 4000, "raw-too-huge": "9" * 5000, "raw-exponent": "1e999", "raw-deep": "[" * 900 + "]" * 900}
RAW |= {"raw-too-deep": "[" * 90_000 + "]" * 90_000, "raw-tiny": "-1e-999", "raw-zero": "-0"}
ODD_TEXTS = (
    "", " ", "\x00", "\ud800", "\udfff\ud800", "\x1b]0;title\x07", "\u202eevil", "<script>alert(1)</script>", "=1+1",
    "'", "</body></html>", "../../etc/passwd", "x" * 70_000, "𝔘𝔫𝔦", "\u2028", "{{ resources }}", "{% raw %}", "%s%n",
    "None", "code", "markdown", "raw", "heading", "setup", "double-numbers", "mean-test", "tiny-05", "display_data",
    "stream", "error",
)  # fmt: skip
ODD_VALUES: tuple[Json, ...] = (
    None, True, False, 0, 1, -1, 3, 4, 5, 99, 2**31, 2**64, 0.5, -0.0, math.nan, math.inf, -math.inf, [], {}, [[]],
    [{}], [None], {"": ""}, ["a", "b"], [1, ["x"], {"y": 2}], {"grade": True}, *RAW, *ODD_TEXTS,
)  # fmt: skip
OUTPUTS: tuple[Json, ...] = (
    {"output_type": "stream", "name": "stdout", "text": ["a\n", 5, None]},
    {"output_type": "stream", "name": 7, "text": {"a": 1}},
    {"output_type": "execute_result", "data": {"text/plain": "100"}, "metadata": {}, "execution_count": -5},
    {"output_type": "error", "ename": None, "evalue": [], "traceback": "no list"},
    {"output_type": "display_data", "data": {"text/html": "<script>alert(1)</script>", "application/x": {}}},
    {"output_type": "display_data", "data": {"image/svg+xml": "<svg onload='alert(1)'/>"}, "metadata": 0},
    {"output_type": "pyout", "prompt_number": "x", "text": "1"}, {"output_type": "\ud800"}, {}, 5, "text", [[]], None,
)  # fmt: skip


def mutate_structure(rng: random.Random, document: Json) -> bytes:
    for _ in range(rng.choice((1, 1, 2, 4, 10))):
        document = rng.choice((_mutate_node, _mutate_notebook))(rng, document)
    return dump(rng, document, rng.choice(("replace", "surrogatepass")), odd_keys=rng.random() < 0.15)


def dump(rng: random.Random, document: Json, errors: str = "replace", odd_keys: bool = False) -> bytes:
    """The file, with what Python's JSON cannot write put in as text: huge numbers, depth, keys that are there twice."""
    text = json.dumps(document, ensure_ascii=rng.random() < 0.5, indent=rng.choice((None, 1)))
    for name, raw in RAW.items():
        text = text.replace(f'"{name}"', raw)
    if odd_keys:
        keys = list(re.finditer(r'"\w+": ', text))
        key = rng.choice(keys) if keys else None
        if key:
            text = text[: key.start()] + key[0] + rng.choice(("null", "[]", '"x"', "3")) + ", " + text[key.start() :]
    return text.encode("utf-8", errors)


def _places(node: Json) -> Iterator[tuple[Json, Any]]:
    """Every container with every key in it."""
    stack = [node]
    while stack:
        node = stack.pop()
        for key in list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
            yield node, key
            stack.append(node[key])


def _mutate_node(rng: random.Random, document: Json) -> Json:
    places = list(_places(document))
    if not places:
        return rng.choice(ODD_VALUES)
    holder, key = rng.choice(places)
    match rng.randrange(9):
        case 0 | 1 | 2:
            holder[key] = rng.choice(ODD_VALUES)
        case 3:
            del holder[key]
        case 4 if isinstance(holder, dict):
            holder[rng.choice((*ODD_TEXTS, "source", "metadata", "cells", "id", "nbgrader"))] = holder.pop(key)
        case 4 | 5:
            holder[key] = rng.choice(([holder[key]], {"a": holder[key]}, str(holder[key]), [[[holder[key]] * 3]]))
        case 6:
            other, name = rng.choice(places)
            if isinstance(other, dict) or name < len(other):
                holder[key] = copy.deepcopy(other.get(name) if isinstance(other, dict) else other[name])
        case 7 if isinstance(holder, list):
            rng.shuffle(holder)
        case 7 if isinstance(holder[key], str):
            holder[key] = holder[key].splitlines(keepends=True)
        case 8 if isinstance(holder, list):
            holder *= rng.choice((2, 2, 3, 40 if len(holder) < 20 else 2))
    return document


def _mutate_notebook(rng: random.Random, document: Json) -> Json:
    """What a notebook of its own may have wrong; a document that is none any more stays as it is."""
    cells = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(cells, list) or not cells or not all(isinstance(cell, dict) for cell in cells):
        return document
    cell = rng.choice(cells)
    metadata = cell.get("metadata")
    grading = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    match rng.randrange(12):
        case 0:
            document["nbformat"] = rng.choice((1, 2, 3, 4, 5, 4.0, "4", True, None, -4, 2**70))
        case 1:
            document["nbformat_minor"] = rng.choice((0, 1, 2, 3, 4, 5, 6, 99, -1, "5", None, [], math.nan))
        case 2:
            cell["cell_type"] = rng.choice(("code", "markdown", "raw", "heading", "", 5, None, ["code"]))
        case 3 if isinstance(grading, dict):
            key = rng.choice(
                ("schema_version", "points", "grade", "locked", "solution", "task", "checksum", "cell_type")
            )
            grading[key] = rng.choice((0, 1, 2, 4, 99, -1, 1000, True, False, None, "3", "x", math.inf, [], "raw-huge"))
        case 4 if isinstance(metadata, dict):
            metadata["tags"] = rng.choice(
                (["skip-execution"], ["raises-exception"] * 500, "x", [[]], [None, "\ud800"], {})
            )
        case 5:
            cell["id"] = rng.choice((*(each.get("id") for each in cells), "extra-001", "", "a b", "x" * 500, 7, None))
        case 6:
            cell["outputs"] = [copy.deepcopy(rng.choice(OUTPUTS)) for _ in range(rng.choice((0, 1, 3, 50)))]
            cell["execution_count"] = rng.choice((None, 1, -1, "x", 2**70, math.nan, []))
        case 7:
            cell["attachments"] = rng.choice(
                ({"d.png": {"image/png": "AAAA"}}, {"x": 5}, [], "x", {"": {"text/html": "<b>"}})
            )
        case 8:
            cells.insert(rng.randrange(len(cells) + 1), copy.deepcopy(cell))
        case 9:
            document["metadata"] = rng.choice(
                (None, [], {"kernelspec": 5}, {"kernelspec": {"name": "bash"}}, {"widgets": []})
            )
        case 10:
            rng.shuffle(cells)
        case 11 if len(cells) < 200:
            document["cells"] = cells * rng.choice((2, 3, 20, 160))
    return document


# Mutations of the text of cells.

CODE = (
    "", " ", "\n\n", "def double(x:\n    return 2", "def mean(values)\n    pass", "1/0", "x = 1", "del double",
    "double = None", "mean = 3", "def double(x):\n    return x", "def double(x):\n    return float('nan')",
    "def mean(values):\n    return values", "def mean(values):\n    return '3.0'",
    "def mean(values):\n    return None", "class double: pass", "double = lambda *a: []", "return 1", "await x",
    "yield", "import nothing_like_it", "raise ValueError('\\ud800\\x1b[31m<script>alert(1)</script>')",
    "raise SystemExit", "raise KeyboardInterrupt", "exit()", "raise Exception('x' * 10**6)",
    "raise type('\\u202e<b>', (Exception,), {})", "print('\\ud800 <script>alert(1)</script> \\x1b[2J')",
    "print('x' * 300_000)", "import sys; print('warning', file=sys.stderr)",
    "import warnings; warnings.warn('<img src=x onerror=alert(1)>')", "# -*- coding: latin-1 -*-\nx = 'é'", "'''",
    "\\", "\t x = 1", "if True:\n\tx = 1\n        y = 2", "x = 1\x0c\x0b\x1c", "x\u2028= 1", "\x00", "\ud800 = 1",
    "ℯ = ｄｏｕｂｌｅ = 5", "(" * 300, "-" * 5000 + "1", "x = " + "9" * 5000, "#" * 50_000, "$" * 3000,
    "%%bash\necho hello", "%time 1 + 1", "%reset -f", "!echo hello", "?double", "%%javascript\nalert(1)",
    "from IPython.display import HTML\nHTML('<script>alert(1)</script>')", "### BEGIN SOLUTION\nx = 1",
    "### BEGIN HIDDEN TESTS\nx = 1\n### END HIDDEN TESTS", "raise NotImplementedError()",
    "def double(x):\n    raise MemoryError", "def double(x):\n    return double(x)",
    "def mean(values):\n    values.clear()\n    return 0.0", "def double(x):\n    return lambda: x",
)  # fmt: skip
TAMPERING = (
    "check.check_equal = check.check_close = lambda *a, **k: None", "import os; os._exit(0)",
    "import os; os.kill(os.getpid(), 9)", "import ctypes; ctypes.string_at(0)",
    "def double(x):\n    import os\n    os._exit(0)", "import os; os.close(1); os.close(2)",
    "import os\nfor n in range(3, 40):\n    try: os.write(n, b'passed' * 20)\n    except OSError: pass",
    "%matplotlib inline", "import sys; sys.stdout = None", "import sys; sys.setrecursionlimit(10**9)",
    "import builtins; builtins.print = None", "get_ipython().run_cell = lambda *a, **k: None",
    "import threading, time\nthreading.Thread(target=time.sleep, args=(99,)).start()",
    "class Yes:\n    __eq__ = lambda *a: True\ndef double(x):\n    return Yes()\ndef mean(values):\n    return Yes()",
    "print('\\x1e{\"kind\": \"result\", \"count\": 1, \"data\": {\"text/plain\": \"4\"}}')",
    "import os; os.write(1, bytes(range(256)) * 99)",
    "from IPython.display import display\nfor n in range(2000): display(n)",
    "import gc; [o.clear() for o in gc.get_objects() if type(o) is dict]",
    "import builtins; builtins.__import__ = None", "import numpy; numpy.allclose = numpy.all = lambda *a, **k: True",
    "import os; os.abort()", "import signal; signal.raise_signal(signal.SIGINT)",
    "get_ipython().input_transformers_cleanup.append(lambda lines: ['pass'])",
)  # fmt: skip
PROSE = (
    "<script>alert(1)</script>", "[" * 3000, "> " * 2000, "`" * 3000, "**a " * 1500, "<b" * 2000, "$" * 3001,
    "\\(" * 1500, "- " * 2000, "![a](" * 1000, "<!--", "&#x1b;&#0;\x1b[31m", "[a](javascript:alert(1))",
    "<img src=x onerror=alert(1)>", "| a " * 2000, "$$\\def\\x{\\x}\\x$$", "![d](attachment:d.png)",
    "<svg><script>alert(1)</script></svg>", "[a]: b\n[a]\n" * 500, "<details open ontoggle=alert(1)>", "_a*" * 1000,
)  # fmt: skip


def mutate_text(rng: random.Random, document: Json) -> tuple[bytes, bool]:
    """The file, and whether it tampers."""
    cells, tampers = cells_of(document), False
    for _ in range(rng.choice((1, 1, 2, 3))):
        own = [cell for cell in cells if not _locked(cell)]
        cell = rng.choice(own)
        code, tamper = cell["cell_type"] == "code", rng.random() < 0.1
        snippet = rng.choice((TAMPERING if tamper else CODE) if code or tamper else PROSE)
        if not code and tamper:
            cell = rng.choice([each for each in own if each["cell_type"] == "code"])
        tampers |= tamper
        text = _text(cell)
        match rng.randrange(6):
            case 0 | 1:
                _write(cell, snippet)
            case 2:
                _write(cell, text + "\n" + snippet)
            case 3:
                _write(cell, snippet + "\n" + text)
            case 4:
                made = {"cell_type": cell["cell_type"], "metadata": {}, "source": snippet, "outputs": []}
                cells.insert(rng.randrange(len(cells) + 1), made)
            case 5:
                _write(cell, _edit(rng, text))
    return dump(rng, document), tampers


def _text(cell: Json) -> str:
    text = cell.get("source", cell.get("input", ""))
    return "".join(text) if isinstance(text, list) else text


def _write(cell: Json, text: str) -> None:
    cell["input" if "input" in cell else "source"] = text


def _edit(rng: random.Random, text: str) -> str:
    for _ in range(rng.choice((1, 2, 5))):
        at, size = rng.randrange(len(text) + 1), rng.choice((1, 1, 4, 20))
        put = rng.choice(("", "", "x", " ", "\n", "0", "(", ")", '"', "é", "\t", "\u200b", "\x00", text[:size]))
        text = text[:at] + put + text[at + rng.choice((0, size)) :]
    return text


# Mutations of what is ours: none may matter.


def _locked(cell: Json) -> bool:
    """Whether a cell is neither the student's to write nor a cell of the student's own."""
    grading = cell["metadata"].get("nbgrader")
    if grading is None:
        return cell["cell_type"] == "markdown" and ("id" in cell or "id" in cell["metadata"])
    return not grading["solution"]


def mutate_locked(rng: random.Random, document: Json) -> bytes:
    """Change either the text of a cell of ours or what tells which it is: both, and it is the student's own cell."""
    cells = cells_of(document)
    locked = [cell for cell in cells if _locked(cell)]
    for cell in rng.sample(locked, rng.randint(1, len(locked))):
        match rng.randrange(6):
            case 0 | 1:
                _write(cell, rng.choice((*CODE, *TAMPERING, *PROSE)))
            case 2:
                for holder in (cell, cell["metadata"]):
                    holder.pop("id", None)
                cell["metadata"].pop("nbgrader", None)
            case 3:
                cells[:] = [each for each in cells if each is not cell]
            case 4:
                cells.insert(rng.randrange(len(cells) + 1), copy.deepcopy(cell))
            case 5:
                grading = cell["metadata"].setdefault("nbgrader", {})
                for key in ("points", "grade", "locked", "solution", "schema_version", "task", "checksum"):
                    if rng.random() < 0.4:
                        grading[key] = rng.choice((True, False, 0, -1, 1000, "x", None, math.nan, "raw-huge"))
        if rng.random() < 0.4:
            cell["outputs"] = [copy.deepcopy(rng.choice(OUTPUTS))]
        if rng.random() < 0.3:
            cell["cell_type"] = rng.choice(("code", "markdown", "raw", 5))
        if rng.random() < 0.3:
            cell["metadata"]["tags"] = rng.choice((["skip-execution"], [5], "x"))
    return dump(rng, document)


def make(seed: int, number: int) -> Case:
    """Case `number` of `seed`."""
    rng = random.Random(f"{seed}/{number}")
    base = rng.choice(bases())
    level = rng.choice(LEVELS)
    document, tampers = copy.deepcopy(base.document), False
    match level:
        case "bytes":
            data = mutate_bytes(rng, dump(rng, document))
        case "structure":
            data = mutate_structure(rng, document)
        case "text":
            data, tampers = mutate_text(rng, document)
        case _:
            data = mutate_locked(rng, document)
    return Case(number, level, base, data, tampers)
