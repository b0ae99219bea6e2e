import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from autograder.errors import InstructorError
from autograder.grade import CellResult, Result
from autograder.report import grades_csv, report_page, write_reports
from autograder.results import Results

EVIL = "<img src=x onerror=alert(1)>\"'&"


def result(student: str, score: float, status: str = "partial", flags: tuple[str, ...] = ()) -> Result:
    first = "passed" if score >= 4 else "failed"
    cells = (
        CellResult("kernel-test", min(score, 4), 4, first, ""),
        CellResult("size-test", max(score - 4, 0), 6, "not-attempted" if score <= 4 else "passed", ""),
    )
    return Result(student, score, 10, status, f"About {student}.", flags, 1.5, cells)


@pytest.fixture
def results() -> Results:
    each = [
        result("zoe", 10, "passed"),
        result("ada", 4),
        result("mallory", 0, "crashed"),
        result("eve", 4, "partial", (f"Odd: {EVIL}",)),
    ]
    return Results("01-convolution", "namespaces", "judge", "secret", each)


class Outline(HTMLParser):
    """What a screen reader meets: headings, captions, header cells, and the text of the student table."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.unscoped = 0
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.unscoped += tag == "th" and "scope" not in dict(attrs)
        if tag == "a":
            self.links.append(dict(attrs)["href"] or "")


def test_the_page_has_headings_captions_scopes_and_loads_nothing(results: Results) -> None:
    page = report_page(results)
    outline = Outline(page)
    assert outline.tags.count("h1") == 1
    assert outline.tags.count("h2") == 3
    assert outline.tags.count("caption") == outline.tags.count("table") == 2
    assert outline.unscoped == 0
    assert page.startswith("<!DOCTYPE html>")
    assert '<html lang="en">' in page
    assert not re.search(r"<(script|link|iframe|img)\b|url\(|https?://", page)
    assert 'role="img" aria-labelledby' in page


def test_odd_ones_stand_on_top_and_link_to_their_feedback(results: Results) -> None:
    assert Outline(report_page(results)).links == [
        "feedback/eve/01-convolution.html",
        "feedback/mallory/01-convolution.html",
        "feedback/ada/01-convolution.html",
        "feedback/zoe/01-convolution.html",
    ]
    assert "The first 2 want a look" in report_page(results)


def test_everything_is_escaped(results: Results) -> None:
    results.results[0] = replace(results.results[0], student=EVIL, message=EVIL)
    results.assignment = EVIL
    page = report_page(results)
    assert "<img" not in page
    assert "&lt;img" in page
    assert any(link.startswith("feedback/%3Cimg") for link in Outline(page).links)


def test_numbers_are_right(results: Results) -> None:
    page = report_page(results)
    assert "<b>4.5</b> mean of 10" in page
    assert "<b>4</b> median" in page
    assert "0–1: 1, 4–5: 2, 9–10: 1" in page
    rows = re.findall(r'<tr><th scope="row">([\w-]+)</th>(.*?)</tr>', page, re.DOTALL)
    cells = [re.findall(r">\s*([\d]+ ?%?)<", row.replace("</span> ", "<i>>")) for _, row in rows]
    assert [name for name, _ in rows] == ["kernel-test", "size-test"]
    assert cells == [["4", "75 %", "3", "1", "0", "0"], ["6", "25 %", "1", "0", "3", "0"]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": "practice"}, "The practice seed was used"),
        ({"engine": "in-kernel"}, "can forge its verdict"),
        ({"sandbox": "none"}, "No sandbox was used"),
    ],
)
def test_every_weakness_of_the_run_is_said(results: Results, change: dict[str, str], words: str) -> None:
    assert words not in report_page(results)
    assert words in report_page(replace(results, **change))


def test_an_empty_class_has_a_report_too() -> None:
    empty = Results("a", "none", "judge", "secret")
    assert "0</b> submissions" in report_page(empty)
    assert grades_csv(empty) == "student,score,max_score,status,message,flags\n"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_no_cell_starts_a_formula(results: Results, start: str) -> None:
    formula = start + 'cmd|" /C calc"!A0'
    results.results = [replace(results.results[0], student=formula, message=formula, flags=(formula,))]
    (row,) = csv.DictReader(io.StringIO(grades_csv(results), newline=""))
    assert {row["student"], row["message"], row["flags"]} == {"'" + formula}


@pytest.mark.parametrize("separator", [";", "\t", "\n", "\r\n", "; "])
def test_no_cell_starts_a_formula_where_other_separators_are_used(results: Results, separator: str) -> None:
    results.results = [replace(results.results[0], message=f"There is only a{separator}=cmd|x.pdf.")]
    for cell in re.split(r"[;\t\r\n]", grades_csv(results)):
        assert not cell.strip().startswith("=")


def test_reports_are_made_again_from_results_json_alone(results: Results, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(results.to_text())
    again = Results.load(tmp_path)
    assert again == results
    write_reports(tmp_path, again)
    assert (tmp_path / "report.html").read_text() == report_page(results)
    assert (tmp_path / "grades.csv").read_text() == grades_csv(results)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"results": [{}]}', '{"results": 3}', "\x00"])
def test_damaged_results_are_said_so(tmp_path: Path, content: str) -> None:
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(InstructorError, match="damaged"):
        Results.load(tmp_path)
