"""Fuzz the way from a file to a result: `python tests/autograder/fuzz_notebooks.py --count 10000 --seed 1`.

Mutated notebooks (see `mutated_notebooks.py`) are graded in classes of some hundreds, by the same pipeline as a class
of students. Every fourth one, and every one that tampers, goes through the judge in its sandbox, the others through
plain Python. Each must end with a valid result, an autograded notebook that nbgrader reads alike, and a feedback page
with nothing alive in it; what is valid is in `result_problems`, `notebook_problems` and `page_problems`.

A case is made from the seed and its number alone: `--only NUMBER` replays it, `--keep DIR` keeps those that failed.
"""

import argparse
import csv
import faulthandler
import io
import json
import math
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import nbgrader.api
from nbformat import NotebookNode
from nbgrader.utils import determine_grade

from autograder.assignment import Assignment
from autograder.collect import collect
from autograder.direct import DirectExecutor
from autograder.grade import Executor, Handed, Result, Run, grade
from autograder.judged import JudgeExecutor
from autograder.pipeline import grade_class
from autograder.probe import choose
from autograder.submission import Submission

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.autograder.mutated_notebooks import TINY, Case, make

JUDGED_EVERY = 4
CLASS = 500
HANG_SECONDS = 900
STATUSES = {
    "passed", "partial", "failed", "not-attempted", "needs-manual", "timeout", "memory", "crashed", "unreadable",
}  # fmt: skip
HIDDEN_WORDS = ("check.draws", "HIDDEN TESTS", "size=7", "x + x", "rng.integers")


def is_judged(case: Case) -> bool:
    return case.tampers or case.number % JUDGED_EVERY == 0


class Mixed:
    """Sends each case to the executor that it is for."""

    engine = "judge"

    def __init__(self, direct: Executor, judge: Executor, cases: Sequence[Case]) -> None:
        self._executors = (direct, judge)
        self._judged = {case.student: is_judged(case) for case in cases}
        self.sandbox = judge.sandbox

    def run(self, assignment: Assignment, submission: Submission, draws_key: bytes) -> Run:
        return self._executors[self._judged[submission.student]].run(assignment, submission, draws_key)


def check_alone(assignment: Assignment, case: Case, executor: Executor) -> list[str]:
    """What is wrong with the result and the autograded notebook of one case."""
    try:
        result, notebook = grade(assignment, Handed(case.student, case.data), executor, None)
        notebook = nbformat.reads(nbformat.writes(notebook), as_version=4)
        found = [*result_problems(assignment, case, result), *notebook_problems(assignment, case, result, notebook)]
    except Exception as error:
        found = [f"{type(error).__name__}: {error}"]
    return [_line(case, problem) for problem in found]


def check_class(
    assignment: Assignment,
    cases: Sequence[Case],
    executor: Executor,
    folder: Path,
    jobs: int = 1,
) -> list[str]:
    """What is wrong with the cases, graded as one class in `folder`, and with all that the class leaves."""
    for case in cases:
        path = folder / "submitted" / case.student / "tiny" / "tiny.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(case.data)
    out = folder / "out"
    try:
        collected, _ = collect(folder / "submitted", "tiny")
        summary = grade_class(assignment, collected, executor, out, jobs=jobs)
    except Exception as error:
        alone = [line for case in cases for line in check_alone(assignment, case, executor)]
        return [f"a class stopped with {type(error).__name__}: {error}", *alone]
    results = {result.student: result for result in summary.results.results}
    rows = {row["student"]: row for row in csv.DictReader(io.StringIO((out / "grades.csv").read_text(), newline=""))}
    with nbgrader.api.Gradebook(f"sqlite:///{out / 'gradebook.db'}", assignment.course.id) as gradebook:
        booked = {each["student"]: each["score"] for each in gradebook.submission_dicts("tiny")}
    lines = []
    for case in cases:
        result = results.get(case.student)
        if result is None:
            lines.append(_line(case, f"no result: {summary.lost.get(case.student)}"))
            continue
        notebook = nbformat.read(out / "autograded" / case.student / "tiny" / "tiny.ipynb", as_version=4)
        page = (out / "feedback" / case.student / "tiny.html").read_text(encoding="utf-8")
        found = [
            *result_problems(assignment, case, result),
            *notebook_problems(assignment, case, result, notebook),
            *page_problems(case, page),
        ]
        if not float(rows[case.student]["score"]) == booked[case.student] == result.score:
            found.append("results.json, grades.csv and gradebook differ")
        lines += [_line(case, problem) for problem in found]
    return lines


def _line(case: Case, problem: str) -> str:
    engine = "judged" if is_judged(case) else "direct"
    return f"case {case.number} ({case.level} of {case.base.name}, {engine}): {problem}"


def result_problems(assignment: Assignment, case: Case, result: Result) -> Iterator[str]:
    """What is wrong with the result of a case."""
    text = json.dumps(result.to_json(), ensure_ascii=False)
    text.encode()  # raises for what no file can hold
    parts = [(cell.id, cell.points) for cell in assignment.cells if cell.graded]
    if [(cell.id, cell.max_points) for cell in result.cells] != parts:
        yield "the parts are not those of the assignment"
    if not {result.status, *(cell.status for cell in result.cells)} <= STATUSES:
        yield f"a status that is none: {result.status}, {[cell.status for cell in result.cells]}"
    for number in (result.score, result.max_score, result.seconds, *(cell.points for cell in result.cells)):
        if type(number) not in (int, float) or not math.isfinite(number):
            yield f"a number that is none: {number!r}"
    if (
        result.score != min(max(sum(cell.points for cell in result.cells), 0), result.max_score)
        or result.max_score != 10
    ):
        yield f"a score of {result.score} of {result.max_score}, which its parts do not give"
    for cell in result.cells:
        if not 0 <= cell.points <= cell.max_points:
            yield f"{cell.id} has {cell.points} of {cell.max_points} points"
        if cell.points < cell.max_points and not cell.message:
            yield f"{cell.id} ({cell.status}) lost points and says nothing"
        if cell.points > case.base.points[cell.id]:
            yield f"{cell.id} earned {cell.points}, more than before the mutation"
        if case.level == "locked" and cell.points != case.base.points[cell.id]:
            yield f"{cell.id} earned {cell.points}, and only cells of ours were touched: {result.message}"
    if not result.message:
        yield "no message"
    if len(text) > 50_000:
        yield f"a result of {len(text)} characters"


def notebook_problems(assignment: Assignment, case: Case, result: Result, notebook: NotebookNode) -> Iterator[str]:
    """What is wrong with the autograded notebook of a case."""
    nbformat.validate(notebook)
    ours = {cell.cell_id: cell for cell in assignment.cells}
    found = [node for node in notebook.cells if node.id in ours]
    if [node.id for node in found if ours[node.id].kind != "scratch"] != [
        cell.cell_id for cell in assignment.cells if cell.kind != "scratch"
    ]:
        yield "the autograded notebook does not hold our cells in order"
    verdicts = {cell.id: cell for cell in result.cells}
    for node in found:
        cell = ours[node.id]
        if dict(node.metadata) != cell.metadata or node.cell_type != cell.cell_type:
            yield f"the metadata of {cell.id} is not ours"
        if cell.kind not in ("answer", "manual", "scratch") and node.source != cell.visible_source:
            yield f"the text of {cell.id} is not ours"
        if cell.graded:
            verdict = verdicts[cell.id]
            points = None if verdict.status == "needs-manual" else verdict.points
            if determine_grade(node) != (points, cell.points):
                yield f"nbgrader reads {determine_grade(node)} for {cell.id}, which is {verdict}"
    yield from _hidden(case, nbformat.writes(notebook))


class _Alive(HTMLParser):
    """What a browser would run, load or send in a page's body."""

    def __init__(self, body: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(body)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style", "iframe", "object", "embed", "form", "svg", "base", "meta", "link", "template"):
            self.found.append(tag)
        self.found += [name for name, value in attrs if name.startswith("on") or "script:" in str(value).lower()]


def page_problems(case: Case, page: str) -> Iterator[str]:
    """What is wrong with the feedback page of a case."""
    head, body = page.split("<body>", 1)
    if "Score:" not in body:
        yield "the feedback page could not be made by nbgrader's template"
    if alive := _Alive(body).found:
        yield f"the feedback page has {alive[:5]}"
    if re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", page) or "alert(1)" in head:
        yield "the feedback page has control characters, or text of the student in its head"
    yield from _hidden(case, page)


def _hidden(case: Case, text: str) -> Iterator[str]:
    said = case.data.decode("utf-8", "replace")
    if leaked := [word for word in HIDDEN_WORDS if word not in said and word in text]:
        yield f"hidden tests show: {leaked}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="grade this case alone")
    parser.add_argument("--keep", type=Path, help="folder for the notebooks of cases that failed")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    numbers = range(arguments.count) if arguments.only is None else [arguments.only]
    assignment, started, wrong = Assignment.load(TINY, "tiny"), time.monotonic(), 0
    with DirectExecutor(assignment) as direct, JudgeExecutor(choose(None)) as judge:
        for first in range(0, len(numbers), CLASS):
            cases = [make(arguments.seed, number) for number in numbers[first : first + CLASS]]
            faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)  # a class takes about a minute
            with tempfile.TemporaryDirectory() as folder:
                lines = check_class(assignment, cases, Mixed(direct, judge, cases), Path(folder), arguments.jobs)
            wrong += len(lines)
            for line in lines:
                print(f"seed {arguments.seed}, {line}", flush=True)
            bad = {int(each) for line in lines for each in re.findall(r"^case (\d+)", line)}
            for case in cases:
                if arguments.keep and (case.number in bad or arguments.only is not None):
                    arguments.keep.mkdir(parents=True, exist_ok=True)
                    (arguments.keep / f"{case.student}.ipynb").write_bytes(case.data)
            seconds = time.monotonic() - started
            print(f"{first + len(cases)} of {len(numbers)} cases, {wrong} problems, {seconds:.0f} s", file=sys.stderr)
    faulthandler.cancel_dump_traceback_later()
    return wrong > 0


if __name__ == "__main__":
    raise SystemExit(main())
