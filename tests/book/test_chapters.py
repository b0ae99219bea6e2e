"""The contract of a chapter, as DESIGN.md and docs have it, for every book/NN-name.md."""

import re
from itertools import pairwise
from pathlib import Path
from statistics import mean

import jupytext
import pytest
from nbformat import NotebookNode

BOOK = Path(__file__).resolve().parents[2] / "book"
CHAPTERS = sorted(BOOK.glob("[0-9][0-9]-*.md"))
DIRECTIVES = {"note", "tip", "important", "warning", "admonition", "dropdown", "exercise", "solution", "math"}
DIRECTIVES |= {"figure", "image", "bibliography", "code-cell", "quiz", "predict"}
ENDING = ["In practice", "Exercises", "Quiz", "Summary", "References"]
DRAWS = re.compile(r"\bplots\.(?:grids?|pictures)\(|\bplt\.subplots\(")
BLOCK = re.compile(r"^(?P<fence>`{3,})\{(?P<name>[\w-]+)\}(?P<argument>[^\n]*)\n(?P<body>.*?)^(?P=fence)$", re.S | re.M)
OPTION = re.compile(r"^\[(?P<mark>[ x])\] (?P<label>.+)\n: (?P<feedback>.+(?:\n  .+)*)$", re.M)
FORBIDDEN = r"\b(?:simpl[ey]|simplest|eas(?:y|ily|ier)|obvious(?:ly)?|trivial(?:ly)?|just|of course|needless)\b"


class Chapter:
    """The text of a chapter, its code cells, and its directives at the outer level."""

    def __init__(self, path: Path) -> None:
        self.text = path.read_text(encoding="utf-8").split("\n---\n", 1)[1]
        cells: list[NotebookNode] = jupytext.read(path).cells
        self.code = [cell for cell in cells if cell.cell_type == "code"]
        self.blocks = list(BLOCK.finditer(self.text))
        prose = re.sub(r"^(`{3,}).*?^\1$", "", self.text, flags=re.S | re.M)
        self.headings = re.findall(r"^## (.+)$", prose, re.M)

    def section(self, title: str) -> str:
        return re.split(r"^## ", self.text.split(f"\n## {title}\n")[1], flags=re.M)[0]

    def directives(self, name: str, text: str | None = None) -> list[re.Match[str]]:
        found = self.blocks if text is None else BLOCK.finditer(text)
        return [block for block in found if block["name"] == name]


@pytest.fixture(params=CHAPTERS, ids=lambda path: path.stem)
def chapter(request: pytest.FixtureRequest) -> Chapter:
    return Chapter(request.param)


def prose_of(text: str) -> str:
    """What a reader reads as sentences: no code, formulas, tables, fences, options or headings."""
    text = re.sub(r"^(`{3,})\{(?:code-cell|math|figure|bibliography)\}.*?^\1$", "\n", text, flags=re.S | re.M)
    text = re.sub(r"^```python.*?^```$", "", text, flags=re.S | re.M)
    text = re.sub(r"^(?:\[[ x]\] .*|: )", "\n", text, flags=re.M)
    text = re.sub(r"^(?:\||`{3,}|:[\w-]+:|#|\([\w-]+\)=).*$", "\n", text, flags=re.M)
    return re.sub(r"^(?:- |\d\. )", "\n", text, flags=re.M)


def sentences(text: str) -> list[str]:
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n\s*\n", prose_of(text)))
    split = [re.split(r"(?<=[.?!])\s+(?=[A-Z*$(`{])|(?<=\.\*\*)\s", paragraph) for paragraph in paragraphs]
    return [sentence for part in split for sentence in part if len(sentence.split()) >= 3]


def test_there_is_a_chapter():
    assert CHAPTERS


def test_a_chapter_has_one_title(chapter):
    outside = re.sub(r"^(`{3,}).*?^\1$", "", chapter.text, flags=re.S | re.M)
    assert len(re.findall(r"^# .+$", outside, re.M)) == 1


def test_a_demo_comes_before_the_100th_word(chapter):
    before = chapter.text.split("```{code-cell}")[0]
    assert len(before.split()) < 100
    assert "from convbook.widgets import" in chapter.code[0].source


def test_three_objectives_are_mirrored_by_the_summary(chapter):
    (objectives,) = (block for block in chapter.blocks if block["argument"].strip() == "After this chapter you can")
    numbered = re.compile(r"^\d\. ", re.M)
    assert len(numbered.findall(objectives["body"])) == len(numbered.findall(chapter.section("Summary"))) == 3


def test_a_chapter_ends_with_practice_exercises_quiz_summary_and_references(chapter):
    assert chapter.headings[-len(ENDING) :] == ENDING
    assert "{cite:" in chapter.section("References")


def test_at_least_eight_exercises_have_dropdown_solutions(chapter):
    labels = [re.search(r"^:label: (\S+)$", block["body"], re.M)[1] for block in chapter.directives("exercise")]
    solutions = chapter.directives("solution")
    assert len(labels) >= 8
    assert [block["argument"].strip() for block in solutions] == labels
    assert all(block["body"].startswith(":class: dropdown\n") for block in solutions)


def test_at_least_eight_quiz_items_give_feedback_on_every_option(chapter):
    questions = chapter.directives("quiz", chapter.section("Quiz"))
    assert len(questions) >= 8
    for question in questions:
        options = list(OPTION.finditer(question["body"]))
        assert len(options) >= 3, question["body"]
        # A reason for the wrong ones; for the right one the working, which may be a formula.
        assert all(len(each["feedback"].split()) >= (3 if each["mark"] == "x" else 7) for each in options), options


def test_quiz_answers_are_not_all_in_the_same_place(chapter):
    marks = ["".join(each["mark"] for each in OPTION.finditer(block["body"])) for block in chapter.directives("quiz")]
    places = [each.index("x") for each in marks]
    assert max(map(places.count, places)) <= len(places) // 2


def test_readers_predict_and_then_run(chapter):
    assert sum(":run:" in block["body"] for block in chapter.directives("predict")) >= 2


def test_every_demo_has_a_task_with_an_answer(chapter):
    cells = [block for block in chapter.directives("code-cell") if re.search(r"^[A-Z]\w+\(.*\)$", block["body"], re.M)]
    assert cells
    for cell in cells:
        after = chapter.text[cell.end() :].split("```{code-cell}")[0]
        assert after.lstrip().startswith("**Try it.**")
        assert chapter.directives("dropdown", after)[0]["argument"].strip() == "Answer"


def test_code_cells_are_short_enough_to_read(chapter):
    for cell in chapter.code:
        assert len(cell.source.splitlines()) <= 15, cell.source
        widest = 120 if "hide-input" in cell.metadata.get("tags", []) else 80
        assert max(map(len, cell.source.splitlines())) <= widest, cell.source


def test_every_figure_has_a_caption_and_says_in_words_what_it_shows(chapter):
    for cell in chapter.code:
        if DRAWS.search(cell.source):
            shown = cell.metadata.get("mystnb", {})
            assert len(shown.get("image", {}).get("alt", "").split()) >= 10, cell.source
            assert shown.get("figure", {}).get("caption") and shown["figure"].get("name"), cell.source
    for block in chapter.directives("figure"):
        alt = re.search(r"^:alt: (.+)$", block["body"], re.M)
        assert alt and len(alt[1].split()) >= 10, block["argument"]
        assert re.sub(r"^:.*$", "", block["body"], flags=re.M).strip(), block["argument"]


def test_only_the_closed_set_of_directives_stands_in_backtick_fences(chapter):
    assert not re.search(r"^\s*:{3,}", chapter.text, re.M)
    fences = re.findall(r"^`{3,}(?!`)([^\n]+)$", chapter.text, re.M)
    assert {name for line in fences for name in re.findall(r"^\{([\w-]+)\}", line)} <= DIRECTIVES
    assert not [line for line in fences if "`" in line], "a backtick after the fence keeps the fence from opening"


def test_sentences_have_the_length_of_speech(chapter):
    lengths = [len(sentence.split()) for sentence in sentences(chapter.text)]
    assert 12 <= mean(lengths) <= 16
    assert sum(length < 25 for length in lengths) >= 0.9 * len(lengths)


def test_no_sentence_says_that_something_is_easy(chapter):
    found = [sentence for sentence in sentences(chapter.text) if re.search(FORBIDDEN, sentence, re.I)]
    assert not found


def test_a_picture_or_a_demo_comes_every_300_words(chapter):
    body = chapter.text.split("\n## In practice\n")[0]
    shown = [
        block.start()
        for block in BLOCK.finditer(body)
        if block["name"] in ("figure", "image")
        or (
            block["name"] == "code-cell" and ("alt:" in block["body"] or re.search(r"^[A-Z]\w+\(", block["body"], re.M))
        )
    ]
    for start, end in pairwise([0, *shown, len(body)]):
        words = sum(len(sentence.split()) for sentence in sentences(body[start:end]))
        assert words <= 300, body[start:end][:200]
