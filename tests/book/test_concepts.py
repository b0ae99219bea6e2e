"""book/concepts.toml is true: each concept of a chapter has its section, example, check and question."""

import ast
import re
import tomllib
from pathlib import Path

import jupytext
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MAP: dict[str, dict] = tomllib.loads((ROOT / "book" / "concepts.toml").read_text(encoding="utf-8"))
ENTRIES = [(chapter, entry) for chapter, listed in MAP.items() for entry in listed["concept"]]
FENCED = re.compile(r"^(`{3,}).*?^\1$", re.S | re.M)
NUMBER = re.compile(r"\d+(?:[,_]\d{3})*(?:\.\d+)?")


def flat(text: str) -> str:
    return " ".join(text.split())


def source_of(chapter: str) -> str:
    return (ROOT / "book" / f"{chapter}.md").read_text(encoding="utf-8")


def sections(chapter: str) -> dict[str, str]:
    """The text under each heading of the second level; a heading inside a fence is none."""
    text = source_of(chapter)
    fenced = [range(*match.span()) for match in FENCED.finditer(text)]
    heads = [head for head in re.finditer(r"^## (.+)$", text, re.M) if not any(head.start() in each for each in fenced)]
    ends = [*(head.start() for head in heads[1:]), len(text)]
    return {head[1]: text[head.end() : end] for head, end in zip(heads, ends, strict=True)}


def checks(chapter: str, check: str) -> list[str]:
    """The sources that a check names: a test function, or the chapter's code cells that hold it and an assertion."""
    if "::" not in check:
        cells = [
            cell.source for cell in jupytext.read(ROOT / "book" / f"{chapter}.md").cells if cell.cell_type == "code"
        ]
        return [source for source in cells if check in source and re.search(r"^\s*assert ", source, re.M)]
    path, name = check.split("::")
    text = (ROOT / path).read_text(encoding="utf-8") if (ROOT / path).is_file() else ""
    nodes = ast.walk(ast.parse(text))
    found = [node for node in nodes if isinstance(node, ast.FunctionDef) and node.name == name]
    return ["\n".join(ast.unparse(part) for part in (*node.decorator_list, node)) for node in found]


def numbers(text: str) -> set[str]:
    return {re.sub("[,_]", "", number) for number in NUMBER.findall(text)}


@pytest.fixture(params=ENTRIES, ids=lambda pair: f"{pair[0][:2]}: {pair[1]['name']}")
def mapped(request: pytest.FixtureRequest) -> tuple[str, dict]:
    return request.param


def test_every_chapter_in_the_contents_is_mapped_and_no_other():
    listed = {Path(each["file"]).name for each in walk(yaml.safe_load((ROOT / "_toc.yml").read_text()))}
    assert set(MAP) == {name for name in listed if re.match(r"\d\d-", name)}


def walk(node: object) -> list[dict]:
    """Every entry of a table of contents that names a file."""
    if isinstance(node, list):
        return [entry for each in node for entry in walk(each)]
    if not isinstance(node, dict):
        return []
    return [node] * ("file" in node) + [entry for value in node.values() for entry in walk(value)]


@pytest.mark.parametrize("chapter", MAP)
def test_the_concepts_are_those_of_the_curriculum_each_once(chapter):
    rest = MAP[chapter]["curriculum"]
    for name in sorted((entry["name"] for entry in MAP[chapter]["concept"]), key=len, reverse=True):
        assert name in rest, f"{name!r} is not in the curriculum's row, or stands there for another concept."
        rest = rest.replace(name, "", 1)
    assert not re.sub(r"\band\b|[^\w]", "", rest), f"The map lacks a concept of the curriculum: {rest!r}"


def test_an_entry_has_a_section_an_example_a_check_and_one_question(mapped):
    _, entry = mapped
    assert set(entry) - {"exercise", "quiz"} == {"name", "section", "example", "check"}
    assert len({"exercise", "quiz"} & set(entry)) == 1


def test_the_example_stands_in_its_section(mapped):
    chapter, entry = mapped
    assert entry["section"] in sections(chapter), f"No section is called {entry['section']!r}."
    assert flat(entry["example"]) in flat(sections(chapter)[entry["section"]])


def test_a_cell_or_a_test_asserts_the_figure_of_the_example(mapped):
    chapter, entry = mapped
    result = [*NUMBER.finditer(entry["example"])][-1][0].replace(",", "")
    found = checks(chapter, entry["check"])
    assert found, f"{entry['check']!r} is neither a test nor part of a code cell that asserts."
    assert any(result in numbers(source) for source in found), f"{entry['check']!r} says nothing of {result}."


def test_the_reader_is_asked_about_it(mapped):
    chapter, entry = mapped
    parts = sections(chapter)
    if "exercise" in entry:
        assert f":label: {entry['exercise']}\n" in parts["Exercises"]
    else:
        questions = re.findall(r"^`{3,}\{quiz\}\n(?::[^\n]*\n)*\n?(.*?)^\[", parts["Quiz"], re.S | re.M)
        assert [question for question in questions if flat(question).startswith(entry["quiz"])]
