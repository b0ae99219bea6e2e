from collections.abc import Iterator
from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from autograder.assignment import Assignment
from autograder.feedback import MAX_SHOWN, MAX_SOURCES, FeedbackExporter, plain_page, sanitize
from autograder.grade import Handed, grade
from autograder.gradebook import Gradebook


@pytest.fixture
def page(tiny: Assignment, tmp_path: Path) -> Iterator[object]:
    """Makes the page of an unreadable submission with some cells added."""
    url = f"sqlite:///{tmp_path / 'gradebook.db'}"
    result, notebook = grade(tiny, Handed("ada", b""), None, None)  # type: ignore[arg-type]
    with Gradebook(url, tiny) as gradebook:
        gradebook.record(result, None, 0)
        exporter = FeedbackExporter(gradebook)

        def make(*cells: NotebookNode) -> str:
            notebook.cells = [*tiny.notebook().cells, *cells]
            return exporter.page("ada", notebook, "<i>Reason</i>")

        yield make


@pytest.mark.parametrize(
    ("fragment", "kept"),
    [
        ("<p onclick='x()'>a</p>", "<p>a</p>"),
        ("<script>x()</script>b", "b"),
        ("<svg><script>x()</script></svg>c", "c"),
        ("<form action=/x><input name=y></form>d", "d"),
        ("<iframe src=//x></iframe><object data=x></object><embed src=x>e", "e"),
        ('<a href="data:text/html,x">f</a>', '<a rel="noopener noreferrer nofollow">f</a>'),
        ('<a href=" java\tscript:x()">f</a>', '<a rel="noopener noreferrer nofollow">f</a>'),
        ('<img src="data:image/svg+xml;base64,AA" alt="g">', '<img alt="g">'),
        ('<img src="data:image/png;base64,AA" alt="g">', '<img src="data:image/png;base64,AA" alt="g">'),
        ('<p style="position:fixed">h</p><style>*{}</style>', "<p>h</p>"),
        ("<meta http-equiv=refresh content=0><base href=//x><link rel=stylesheet href=//x>i", "i"),
        ('<div class="input" id="x">j</div>', '<div class="input" id="x">j</div>'),
    ],
)
def test_only_inert_html_is_left(fragment: str, kept: str) -> None:
    assert sanitize(fragment) == kept


def test_outputs_show_as_text_tables_and_plain_pictures(page: object) -> None:
    outputs = [
        new_output("stream", text="\x1b[31mred\x1b[0m <b>not bold</b>"),
        new_output("display_data", {"text/html": "<table><tr><td>cell</td></tr></table><script>x()</script>"}),
        new_output("display_data", {"application/javascript": "x()", "text/plain": "a script"}),
        new_output("display_data", {"image/svg+xml": "<svg onload='x()'/>", "text/plain": "a drawing"}),
        new_output("display_data", {"image/png": "AAAA", "text/plain": "a picture"}),
    ]
    text = page(new_code_cell("show()", outputs=outputs)).split("<body>")[1]  # type: ignore[operator]
    assert "&lt;b&gt;not bold" in text
    assert "\x1b" not in text
    assert "<td>cell</td>" in text
    assert "a script" in text
    assert "a drawing" in text
    assert 'src="data:image/png;base64,AAAA"' in text
    for poison in ("<script", "x()", "onload"):
        assert poison not in text.replace("show()", "")


def test_controls_written_as_entities_are_gone_too(page: object) -> None:
    text = page(new_markdown_cell("a &#27;[2J&#x07; <b title='&#x1b;'>b</b> \x1b[31m"))  # type: ignore[operator]
    assert not set(text) & set(map(chr, [*range(9), *range(14, 32), 127]))


def test_pasted_pictures_show_a_few_times_and_missing_ones_as_their_description(page: object) -> None:
    source = "![mine](attachment:a%20b.png)\n\n![gone](attachment:b.png)\n\n" + "![again](attachment:c.png)\n\n" * 200
    pictures = {"a%20b.png": {"image/png": "AAAA"}, "c.png": {"image/jpeg": "BBBB"}}
    text = page(new_markdown_cell(source, attachments=pictures))  # type: ignore[operator]
    assert '<img src="data:image/png;base64,AAAA" alt="mine">' in text
    assert '<img src="data:image/png;base64," alt="gone">' in text
    assert text.count('src="data:image/jpeg;base64,BBBB" alt="again"') == MAX_SHOWN


def test_the_reason_stands_on_top_as_text(page: object) -> None:
    text = page()  # type: ignore[operator]
    assert text.index("&lt;i&gt;Reason") < text.index("tiny (Score: 0.0 / 10.0)")
    assert '<html lang="en">' in text


def test_a_flood_of_text_is_cut_before_it_is_rendered(page: object) -> None:
    text = page(*[new_markdown_cell("word " * 10_000) for _ in range(100)])  # type: ignore[operator]
    assert "the rest is not shown" in text
    assert text.split("<body>")[1].count("word") < MAX_SOURCES / 5 + 100


def test_the_plain_page_is_escaped() -> None:
    text = plain_page("<1>", ["a & b", "<script>"])
    assert "<h1>&lt;1&gt;</h1>" in text
    assert "<p>a &amp; b</p>" in text
    assert "<script>" not in text


def test_a_page_asks_no_other_host_and_shows_formulas_as_they_are_written(page: object) -> None:
    text = page(new_markdown_cell("For $x < 0$:\n\n$$\n\\lceil n / s \\rceil\n$$\n"))  # type: ignore[operator]
    assert "<script" not in text and "cdnjs" not in text
    assert "<code>x &lt; 0</code>" in text and "\\lceil n / s \\rceil" in text
