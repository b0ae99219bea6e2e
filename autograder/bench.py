"""How fast the engine grades, beside stock nbgrader on the same submissions in the same run.

A class is made from the reference, the alternatives and the mistakes of an assignment's catalogue. The engine, with
its sandbox, and stock `nbgrader autograde` grade it in turn, both cold, from the command line. The bare cells, warm
and in one thread, say what there is to gain: they run with the assignment's tests, without any process of ours.

Every figure is a ratio within one run, or becomes one: other machines have other seconds. Processor seconds are those
that stay the same while something else runs.
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
from dataclasses import asdict, dataclass, field
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
from autograder.grade import CellResult, Result
from autograder.results import Results
from autograder.submission import with_answers
from autograder.verify import Catalogue
from autograder.zygote import SINGLE_THREAD

SAMPLE_SECONDS = 1.0
MOST_BARE = 200
_LIBRARIES = ("nbgrader", "torch", "numpy", "ipykernel", "nbclient")


@dataclass(frozen=True)
class Stock:
    """Figures of stock nbgrader on the same submissions.

    Attributes:
        per_minute, wall_seconds, cpu_seconds: start included, as for the engine.
        ratio_to_stock: how many times its throughput the engine's is.
        same_scores: how many students get the same score from both.
    """

    per_minute: float
    wall_seconds: float
    cpu_seconds: float
    ratio_to_stock: float
    same_scores: int


@dataclass(frozen=True)
class Bench:
    """Figures of one assignment; seconds are of a submission unless they say otherwise.

    Attributes:
        students, jobs: how many submissions, and how many at once.
        sandbox: the level.
        per_minute: submissions a minute, start included.
        start_seconds: what a class of one takes.
        wall_seconds, cpu_seconds: start included.
        bare_seconds: processor time of the cells alone.
        share_of_bare: throughput beside what the bare cells would allow on as many cores as there are jobs.
        overhead_seconds: the engine's processor time, start included, over the bare cells'.
        worker_mb: most private memory of a student's and a judge's process together; looked at once a second.
        total_mb: most memory of everything that the engine runs, shared pages counted once.
        growth: at tenths of the class: submissions done, seconds, processor seconds of the engine's main process,
            and its memory in MB. A class ten times as large must not cost more a submission.
        stock: None where stock was left out.
    """

    assignment: str
    students: int
    jobs: int
    sandbox: str
    per_minute: float
    start_seconds: float
    wall_seconds: float
    cpu_seconds: float
    bare_seconds: float
    share_of_bare: float
    overhead_seconds: float
    worker_mb: float
    total_mb: float
    growth: list[tuple[int, float, float, float]]
    stock: Stock | None


def bench(
    assignment: Assignment,
    students: int,
    jobs: int,
    with_stock: bool = True,
    say: Callable[[str], object] = lambda text: None,
) -> Bench:
    """Measure one assignment. Stock takes seconds a submission."""
    name = assignment.name
    notebooks = class_of(assignment, students)
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        folder = Path(place)
        if with_stock:
            stock.write_course(assignment, folder, assignment.settings.limits.cell_seconds)
        submitted = folder / "submitted"
        _write(notebooks, name, submitted)
        _write(dict(itertools.islice(notebooks.items(), 1)), name, folder / "first")
        say(f"{name}: the bare cells")
        bare = _bare_seconds(assignment, list(itertools.islice(notebooks.values(), MOST_BARE)))
        say(f"{name}: the engine on {students} submissions")
        first = _measured(_engine(assignment, folder / "first", folder / "one", jobs))
        engine = _measured(_engine(assignment, submitted, folder / "out", jobs), students=students)
        results = Results.load(folder / "out")
        if with_stock:
            say(f"{name}: stock nbgrader on the same")
        return Bench(
            assignment=name,
            students=students,
            jobs=jobs,
            sandbox=results.sandbox,
            per_minute=_round(60 * students / engine.wall),
            start_seconds=_round(first.wall),
            wall_seconds=_round(engine.wall / students),
            cpu_seconds=_round(engine.cpu / students),
            bare_seconds=_round(bare),
            share_of_bare=_round(bare * students / jobs / engine.wall),
            overhead_seconds=_round(engine.cpu / students - bare),
            worker_mb=_round(engine.worker / 2**20),
            total_mb=_round(engine.total / 2**20),
            growth=engine.growth,
            stock=_stock(results, folder, engine.wall) if with_stock else None,
        )


def _stock(results: Results, folder: Path, engine_wall: float) -> Stock:
    name, students = results.assignment, len(results.results)
    command = [sys.executable, "-m", "nbgrader", "autograde", name, "--create"]
    found = _measured(command, folder)
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", "stock") as book:
        same = sum(book.find_submission(name, each.student).score == each.score for each in results.results)
    return Stock(
        per_minute=_round(60 * students / found.wall),
        wall_seconds=_round(found.wall / students),
        cpu_seconds=_round(found.cpu / students),
        ratio_to_stock=_round(found.wall / engine_wall),
        same_scores=same,
    )


def lines(found: Bench) -> list[str]:
    """The figures, for reading."""
    said = [
        f"{found.assignment}: {found.students} submissions, {found.jobs} at once, sandbox {found.sandbox}",
        f"  engine   {found.per_minute:7.1f} a minute   {found.wall_seconds:6.3f} s wall, "
        f"{found.cpu_seconds:.3f} s CPU each, of which {found.overhead_seconds:.3f} s are not the cells'",
    ]
    if other := found.stock:
        said += [
            f"  stock    {other.per_minute:7.1f} a minute   {other.wall_seconds:6.3f} s wall, "
            f"{other.cpu_seconds:.3f} s CPU each",
            f"  {other.ratio_to_stock:.1f} times stock's throughput; "
            f"{other.same_scores} of {found.students} scores are the same",
        ]
    return [
        *said,
        f"  bare     {60 * found.jobs / found.bare_seconds:7.1f} a minute   {found.bare_seconds:6.3f} s each; "
        f"the engine reaches {found.share_of_bare:.0%} of that",
        f"  a class of one takes {found.start_seconds:.1f} s; a worker's own memory is {found.worker_mb:.0f} MB, "
        f"all together use {found.total_mb:.0f} MB",
        *(
            f"  after {done:6d}: {seconds:7.1f} s, main process {cpu / done * 1000:.1f} ms each and {mb:.0f} MB"
            for done, seconds, cpu, mb in found.growth
        ),
    ]


@dataclass(frozen=True)
class Reports:
    """What the reports of a large class take, made again from results.json by `autograder report`.

    Attributes:
        students: how many.
        seconds: wall, start included.
        megabytes: most memory.
    """

    students: int
    seconds: float
    megabytes: float


def bench_reports(assignment: Assignment, students: int) -> Reports:
    """Measure report and CSV of a class whose results are made up."""
    cells = tuple(
        CellResult(cell.id, cell.points, cell.points, "passed", "A sentence about it, of the usual length of one.")
        for cell in assignment.cells
        if cell.graded
    )
    results = Results(assignment.name, "none", assignment.settings.engine, "practice")
    maximum = assignment.max_score
    results.results = [
        Result(f"student-{number:06d}", maximum, maximum, "passed", "All parts passed.", (), 0.1, cells)
        for number in range(students)
    ]
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        (Path(place) / "results.json").write_text(results.to_text())
        found = _measured([*_command(assignment), "report", place])
    return Reports(students, _round(found.wall), _round(found.total / 2**20))


def report(found: list[Bench], reports: Reports | None = None) -> dict[str, Any]:
    """All figures with what made them, as plain data."""
    ratios = [each.stock.ratio_to_stock for each in found if each.stock]
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"processor": _processor(), "cores": os.cpu_count()},
        "python": platform.python_version(),
        "versions": {name: version(name) for name in _LIBRARIES},
        "ratio_to_stock": _round(statistics.geometric_mean(ratios)) if ratios else None,
        "assignments": [asdict(each) for each in found],
        "reports": asdict(reports) if reports else None,
    }


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def class_of(assignment: Assignment, students: int) -> dict[str, NotebookNode]:
    """Submissions by student: the reference, the alternatives and the mistakes, over and over."""
    catalogue = Catalogue.load(assignment)
    entries = [None, *catalogue.alternatives, *catalogue.mistakes]
    notebooks = {}
    for number, entry in zip(range(students), itertools.cycle(entries), strict=False):
        answers = assignment.reference | ({entry.question: entry.source} if entry else {})
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


def _command(assignment: Assignment) -> list[str]:
    return [sys.executable, "-m", "autograder", "--course", str(assignment.course.root)]


def _engine(assignment: Assignment, submissions: Path, out: Path, jobs: int) -> list[str]:
    options = ["--submissions", str(submissions), "--out", str(out), "--jobs", str(jobs), "--json-lines"]
    return [*_command(assignment), "grade", assignment.name, *options]


def _bare_seconds(assignment: Assignment, notebooks: list[NotebookNode]) -> float:
    """Processor seconds of one notebook's cells, tests as the instructor has them."""
    tests = {cell.cell_id: cell.source for cell in assignment.cells if cell.kind == "test"}
    sources = [
        [tests.get(cell.id, cell.source) for cell in notebook.cells if cell.cell_type == "code"]
        for notebook in [notebooks[0], *notebooks]
    ]
    done = subprocess.run(
        [sys.executable, "-m", "autograder.barecells"],
        input=json.dumps(sources),
        env={**os.environ, **SINGLE_THREAD},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise EngineError(f"The bare cells did not run: {done.stderr[-2000:]}")
    return float(done.stdout) / len(notebooks)


@dataclass
class _Measured:
    wall: float = 0
    cpu: float = 0
    worker: float = 0
    total: float = 0
    growth: list[tuple[int, float, float, float]] = field(default_factory=list)


def _measured(command: list[str], folder: Path | None = None, students: int = 0) -> _Measured:
    """Run a command to its end: time, and the most memory of it and all that it started."""
    before, started = _children_cpu(), time.monotonic()
    with tempfile.NamedTemporaryFile() as said:
        process = subprocess.Popen(command, cwd=folder, env=stock.with_programs(os.environ), stdout=said, stderr=said)  # noqa: S603 - ours
        found = _Measured()
        watcher = threading.Thread(target=_watch, args=(process, found, Path(said.name), students), daemon=True)
        watcher.start()
        process.wait()
        found.wall = time.monotonic() - started
        watcher.join()
        if process.returncode:
            raise EngineError(f"{' '.join(command[1:6])} failed: {Path(said.name).read_text(errors='replace')[-2000:]}")
    found.cpu = _children_cpu() - before
    return found


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _watch(process: "subprocess.Popen[bytes]", found: _Measured, said: Path, students: int) -> None:
    root, started = psutil.Process(process.pid), time.monotonic()
    while process.poll() is None:
        with suppress(psutil.Error):
            family = root.children(recursive=True)
            found.total = max(found.total, sum(_memory(each, "pss") for each in (root, *family)))
            # Of every child of the command's, a zygote, the largest of those that it forked.
            forked = [each.children(recursive=True) for each in root.children()]
            found.worker = max(found.worker, sum(max((_memory(e, "uss") for e in each), default=0) for each in forked))
            done = said.read_bytes().count(b'"event": "graded"') if students else 0
            if students and done >= students * (len(found.growth) + 1) / 10:
                used = root.cpu_times()
                seconds, megabytes = time.monotonic() - started, root.memory_info().rss / 2**20
                found.growth.append((done, _round(seconds), _round(used.user + used.system), _round(megabytes)))
        time.sleep(SAMPLE_SECONDS)


def _memory(process: psutil.Process, kind: str) -> int:
    """Bytes: "pss" shares pages among those who have them, "uss" are private ones. 0 where the process has ended."""
    with suppress(psutil.Error):
        return int(getattr(process.memory_full_info(), kind))
    return 0


def _round(value: float) -> float:
    return float(f"{value:.4g}")
