"""How fast the engine grades, beside stock nbgrader on the same submissions in the same run.

A class is made from the reference, the alternatives and the mistakes of an assignment's catalogue. The engine, with
its sandbox, and stock `nbgrader autograde` grade it in turn, both cold, from the command line. The bare cells, warm
and in one thread, say what there is to gain: they run with the assignment's tests, without any process of ours.

Every figure is a ratio within one run, or becomes one: other machines have other seconds.
"""

import itertools
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat
import psutil
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.api import Gradebook

from autograder import stock
from autograder.assignment import Assignment
from autograder.errors import EngineError
from autograder.results import Results
from autograder.submission import with_answers
from autograder.verify import Catalogue

SAMPLE_SECONDS = 1.0
_LIBRARIES = ("nbgrader", "torch", "numpy", "ipykernel", "nbclient")


@dataclass(frozen=True)
class Bench:
    """Figures of one assignment; seconds are of a submission unless they say otherwise.

    Attributes:
        students, jobs: how many submissions, and how many at once.
        sandbox: the level.
        engine_per_minute, stock_per_minute: submissions a minute, start included.
        ratio_to_stock: how many times the engine's throughput is stock's.
        start_seconds: of the engine, before the first submission is done, as far as a class of one shows it.
        engine_wall_seconds, engine_cpu_seconds, stock_wall_seconds, stock_cpu_seconds: start included.
        bare_seconds: processor time of the cells alone.
        share_of_bare: throughput beside what the bare cells would allow on as many cores as there are jobs.
        overhead_seconds: the engine's processor time, start included, over the bare cells'.
        worker_mb: most private memory of a student's and a judge's process together.
        total_mb: most memory of everything that the engine runs, shared pages counted once.
        same_scores: how many students get the same score from both.
    """

    assignment: str
    students: int
    jobs: int
    sandbox: str
    engine_per_minute: float
    stock_per_minute: float
    ratio_to_stock: float
    start_seconds: float
    engine_wall_seconds: float
    engine_cpu_seconds: float
    stock_wall_seconds: float
    stock_cpu_seconds: float
    bare_seconds: float
    share_of_bare: float
    overhead_seconds: float
    worker_mb: float
    total_mb: float
    same_scores: int


def bench(assignment: Assignment, students: int, jobs: int, say: Callable[[str], object] = lambda text: None) -> Bench:
    """Measure one assignment. Needs minutes: stock takes seconds a submission."""
    name = assignment.name
    notebooks = class_of(assignment, students)
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        folder = Path(place)
        stock.write_course(assignment, folder, assignment.settings.limits.cell_seconds)
        submitted = folder / "submitted"
        _write(notebooks, name, submitted)
        _write(dict(itertools.islice(notebooks.items(), 1)), name, folder / "first")
        say(f"{name}: the bare cells")
        bare = _bare_seconds(assignment, list(notebooks.values()))
        say(f"{name}: the engine on {students} submissions")
        first = _measured(_engine(assignment, folder / "first", folder / "one", jobs))
        engine = _measured(_engine(assignment, submitted, folder / "out", jobs))
        results = Results.load(folder / "out")
        say(f"{name}: stock nbgrader on the same")
        command = [sys.executable, "-m", "nbgrader", "autograde", name, "--create"]
        others = _measured(command, folder)
        scores = {result.student: result.score for result in results.results}
        with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", "stock") as book:
            same = sum(book.find_submission(name, student).score == score for student, score in scores.items())
    return Bench(
        assignment=name,
        students=students,
        jobs=jobs,
        sandbox=results.sandbox,
        engine_per_minute=_round(60 * students / engine.wall),
        stock_per_minute=_round(60 * students / others.wall),
        ratio_to_stock=_round(others.wall / engine.wall),
        start_seconds=_round(first.wall),
        engine_wall_seconds=_round(engine.wall / students),
        engine_cpu_seconds=_round(engine.cpu / students),
        stock_wall_seconds=_round(others.wall / students),
        stock_cpu_seconds=_round(others.cpu / students),
        bare_seconds=_round(bare),
        share_of_bare=_round(bare * students / jobs / engine.wall),
        overhead_seconds=_round(engine.cpu / students - bare),
        worker_mb=_round(engine.worker / 2**20),
        total_mb=_round(engine.total / 2**20),
        same_scores=same,
    )


def lines(found: Bench) -> list[str]:
    """The figures, for reading."""
    return [
        f"{found.assignment}: {found.students} submissions, {found.jobs} at once, sandbox {found.sandbox}",
        f"  engine   {found.engine_per_minute:7.1f} a minute   {found.engine_wall_seconds:6.3f} s wall, "
        f"{found.engine_cpu_seconds:.3f} s CPU each, of which {found.overhead_seconds:.3f} s are not the cells'",
        f"  stock    {found.stock_per_minute:7.1f} a minute   {found.stock_wall_seconds:6.3f} s wall, "
        f"{found.stock_cpu_seconds:.3f} s CPU each",
        f"  bare     {60 * found.jobs / found.bare_seconds:7.1f} a minute   {found.bare_seconds:6.3f} s each",
        f"  {found.ratio_to_stock:.1f} times stock's throughput, "
        f"{found.share_of_bare:.0%} of what the bare cells would allow",
        f"  a class of one takes {found.start_seconds:.1f} s; a worker's own memory is {found.worker_mb:.0f} MB, "
        f"all together use {found.total_mb:.0f} MB",
        f"  {found.same_scores} of {found.students} scores are the same",
    ]


def report(found: list[Bench]) -> dict[str, Any]:
    """All figures with what made them, as plain data."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "python": platform.python_version(),
        "versions": {name: version(name) for name in _LIBRARIES},
        "ratio_to_stock": _round(statistics.geometric_mean(each.ratio_to_stock for each in found)),
        "assignments": [asdict(each) for each in found],
    }


def class_of(assignment: Assignment, students: int) -> dict[str, NotebookNode]:
    """Submissions by student: the reference, the alternatives and the mistakes, over and over."""
    catalogue = Catalogue.load(assignment)
    reference = {cell.id: cell.source for cell in assignment.cells if cell.kind == "answer"}
    entries = [None, *catalogue.alternatives, *catalogue.mistakes]
    notebooks = {}
    for number, entry in zip(range(students), itertools.cycle(entries), strict=False):
        answers = reference | ({entry.question: entry.source} if entry else {})
        notebook = with_answers(assignment, answers)
        student = f"student-{number:05d}"
        notebook.cells.append(new_markdown_cell(f"Handed in by {student}.", id="mine"))
        notebooks[student] = notebook
    return notebooks


def _write(notebooks: dict[str, NotebookNode], name: str, folder: Path) -> None:
    for student, notebook in notebooks.items():
        path = folder / student / name / f"{name}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)


def _engine(assignment: Assignment, submissions: Path, out: Path, jobs: int) -> list[str]:
    root = str(assignment.course.root)
    paths = ["--submissions", str(submissions), "--out", str(out), "--jobs", str(jobs)]
    return [sys.executable, "-m", "autograder", "--course", root, "grade", assignment.name, *paths]


def _bare_seconds(assignment: Assignment, notebooks: list[NotebookNode]) -> float:
    """Processor seconds of one notebook's cells, tests as the instructor has them."""
    tests = {cell.cell_id: cell.source for cell in assignment.cells if cell.kind == "test"}
    sources = [
        [tests.get(cell.id, cell.source) for cell in notebook.cells if cell.cell_type == "code"]
        for notebook in [notebooks[0], *notebooks]
    ]
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        [sys.executable, "-m", "autograder.barecells"],
        input=json.dumps(sources),
        env={**os.environ, **one_thread},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise EngineError(f"The bare cells did not run: {done.stderr[-2000:]}")
    return float(done.stdout) / len(notebooks)


@dataclass
class _Measured:
    wall: float
    cpu: float
    worker: float = 0
    total: float = 0


def _measured(command: list[str], folder: Path | None = None) -> _Measured:
    """Run a command to its end: time, and the most memory of it and all that it started."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    before, started = _children_cpu(), time.monotonic()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said)  # noqa: S603 - ours
        found = _Measured(0, 0)
        watcher = threading.Thread(target=_watch, args=(process, found), daemon=True)
        watcher.start()
        process.wait()
        found.wall = time.monotonic() - started
        watcher.join()
        said.seek(0)
        if process.returncode:
            raise EngineError(f"{' '.join(command[1:5])} failed: {said.read()[-2000:].decode(errors='replace')}")
    found.cpu = _children_cpu() - before
    return found


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _watch(process: "subprocess.Popen[bytes]", found: _Measured) -> None:
    root = psutil.Process(process.pid)
    while process.poll() is None:
        with suppress(psutil.Error):
            family = root.children(recursive=True)
            found.total = max(found.total, sum(_memory(each, "pss") for each in (root, *family)))
            # Of every child of the command's, a zygote, the largest of those that it forked.
            forked = [each.children(recursive=True) for each in root.children()]
            found.worker = max(found.worker, sum(max((_memory(e, "uss") for e in each), default=0) for each in forked))
        time.sleep(SAMPLE_SECONDS)


def _memory(process: psutil.Process, kind: str) -> int:
    """Bytes: "pss" shares pages among those who have them, "uss" are private ones. 0 where the process has ended."""
    with suppress(psutil.Error):
        return int(getattr(process.memory_full_info(), kind))
    return 0


def _round(value: float) -> float:
    return round(value, 3)
