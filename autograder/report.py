"""The class report: report.html for eyes, grades.csv for spreadsheets, both from results.json alone."""

import csv
import io
import re
import statistics
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader

from autograder.files import write_atomic
from autograder.grade import Result
from autograder.results import Results
from autograder.text import plain_number

ODD = ("unreadable", "crashed", "memory", "timeout", "needs-manual")
_BINS = 10
_FORMULA = re.compile(r"(^|[;\t\r\n])(?= *[=+\-@\t\r\n＝＋－＠])")


def write_reports(out: Path, results: Results) -> None:
    """Write OUT/report.html and OUT/grades.csv."""
    write_atomic(out / "report.html", report_page(results))
    write_atomic(out / "grades.csv", grades_csv(results))


def report_page(results: Results) -> str:
    """The report as one self-contained page; every text in it is escaped."""
    environment = Environment(loader=PackageLoader("autograder"), autoescape=True)
    scores = [result.score for result in results.results]
    rows = sorted((_row(result, results.assignment) for result in results.results), key=lambda row: row["order"])
    histogram, histogram_text = _histogram(results)
    return environment.get_template("report.html.j2").render(
        results=results,
        notices=notices(results),
        mean=plain_number(round(statistics.mean(scores), 2)) if scores else "–",
        median=plain_number(round(statistics.median(scores), 2)) if scores else "–",
        best=_max_score(results),
        statuses=Counter(result.status for result in results.results).most_common(),
        histogram=histogram,
        histogram_text=histogram_text,
        parts=_parts(results),
        odd=sum(row["odd"] for row in rows),
        rows=rows,
    )


def grades_csv(results: Results) -> str:
    """One line a student: score, status and the points of each part; no cell starts a formula."""
    parts = [cell.id for cell in results.results[0].cells] if results.results else []
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["student", "score", "max_score", "status", *map(_no_formula, parts), "message", "flags"])
    for result in results.results:
        points = {cell.id: cell.points for cell in result.cells}
        writer.writerow(
            [
                _no_formula(result.student),
                result.score,
                result.max_score,
                result.status,
                *(points.get(part, "") for part in parts),
                _no_formula(result.message),
                _no_formula(" ".join(result.flags)),
            ]
        )
    return text.getvalue()


def _no_formula(text: str) -> str:
    """Spreadsheets run cells that start with these; a quote in front makes them text.

    Where a country's spreadsheets split lines at semicolons or tabs, a cell may start in the middle of ours.
    """
    return _FORMULA.sub(r"\1'", text)


def is_odd(result: Result) -> bool:
    """Whether a human should look at it."""
    return bool(result.flags) or result.status in ODD


def notices(results: Results) -> list[str]:
    """What a reader has to know about how the verdicts were made."""
    said = []
    if results.seed != "secret":
        said.append(
            "The practice seed was used: the inputs of the hidden tests could be foreseen. "
            "Set secret_seed in course.toml before you grade in earnest."
        )
    if results.engine == "in-kernel":
        said.append(
            "The tests ran inside the students' own Python process, as in stock nbgrader: "
            "a hostile submission can forge its verdict in this mode."
        )
    if results.sandbox == "none":
        said.append("No sandbox was used: submissions could read and change files of this machine.")
    return said


def _max_score(results: Results) -> float:
    return results.results[0].max_score if results.results else 0


def _histogram(results: Results) -> tuple[list[dict[str, Any]], str]:
    """Bars over the range of scores, 0 to the maximum, and the same as a sentence."""
    best = _max_score(results) or 1
    counts = [0] * _BINS
    for result in results.results:
        counts[min(int(result.score / best * _BINS), _BINS - 1)] += 1
    labels = [f"{best * n / _BINS:g}–{best * (n + 1) / _BINS:g}" for n in range(_BINS)]
    highest = max(counts) or 1
    step = 580 / _BINS
    bars = []
    for number, (count, label) in enumerate(zip(counts, labels, strict=True)):
        height = round(140 * count / highest, 1)
        left = round(10 + number * step + 3, 1)
        shape = {"x": left, "y": 170 - height, "width": round(step - 6, 1), "height": height}
        bars.append({**shape, "middle": round(left + step / 2 - 3, 1), "count": count, "label": label})
    said = [f"{label}: {count}" for label, count in zip(labels, counts, strict=True) if count]
    return bars, "How many submissions have a score of … " + ", ".join(said)


def _parts(results: Results) -> list[dict[str, Any]]:
    parts = []
    for number, first in enumerate(results.results[0].cells if results.results else ()):
        cells = [result.cells[number] for result in results.results]
        statuses = Counter(cell.status for cell in cells)
        named = {"passed": statuses["passed"], "failed": statuses["failed"], "blank": statuses["not-attempted"]}
        share = sum(cell.points for cell in cells) / (first.max_points * len(cells))
        other = len(cells) - sum(named.values())
        parts.append(
            {"id": first.id, "points": first.max_points, "percent": round(100 * share), **named, "other": other}
        )
    return parts


def _row(result: Result, name: str) -> dict[str, Any]:
    odd = is_odd(result)
    return {
        "student": result.student,
        "score": result.score,
        "max_score": result.max_score,
        "status": result.status,
        "look": "odd" if result.status in ODD else result.status,
        "message": result.message,
        "flags": result.flags,
        "link": f"feedback/{quote(result.student, safe='')}/{quote(name, safe='')}.html",
        "odd": odd,
        "order": (not odd, result.student.casefold()),
    }
