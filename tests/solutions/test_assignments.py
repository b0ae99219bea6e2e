"""What every assignment owes, its cells run one after another: without the autograder and without nbgrader."""

import ast
import re
from typing import Any

import numpy as np
import pytest

from tests.solutions.bare import HIDDEN, ROOT, Notebook, bound, hints, points

ASSIGNMENTS = {path.parent.name: Notebook(path.parent.name) for path in sorted(ROOT.glob("solutions/*/assignment.md"))}
ALL = list(ASSIGNMENTS.values())
QUESTIONS = [(notebook, question) for notebook in ALL for question in notebook.answers]
PARTS = [(notebook, part) for notebook in ALL for part in notebook.tests]
MISTAKES = [(notebook, each) for notebook in ALL for each in notebook.catalogue.MISTAKES]
ALTERNATIVES = [(notebook, each) for notebook in ALL for each in notebook.catalogue.ALTERNATIVES]

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.filterwarnings("ignore::RuntimeWarning")]


def label(value: Any) -> str:
    if isinstance(value, Notebook):
        return value.name
    return value if isinstance(value, str) else f"{value.question}: {value.name}"


@pytest.mark.parametrize("notebook", ALL, ids=label)
def test_the_points_add_up_to_20_and_the_text_says_them(notebook):
    assert sum(notebook.points.values()) == 20
    by_question = [sum(notebook.points[part] for part in notebook.parts_of(name)) for name in notebook.answers]
    table = re.findall(r"^\| (\d)\. ([^|]+) \| .* \| (\d) \|$", notebook.text, flags=re.MULTILINE)
    headings = re.findall(r"^## (\d)\. (.+) \((\d) points\)$", notebook.text, flags=re.MULTILINE)
    assert table == headings
    assert [int(number) for _, _, number in headings] == by_question
    assert 4 <= len(by_question) <= 6
    said = re.findall(r"^\*\*Part \d\w\*\* \((\d) points?\)", notebook.text, flags=re.MULTILINE)
    assert [int(number) for number in said] == list(notebook.points.values())


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("notebook", ALL, ids=label)
def test_the_solution_passes_whatever_is_drawn(notebook, seed):
    found = notebook.run(seed)
    assert points(found) == notebook.points, found


@pytest.mark.parametrize("notebook", ALL, ids=label)
def test_the_release_version_gets_no_point(notebook):
    found = notebook.run(0, **notebook.stubs)
    assert set(points(found).values()) == {0}
    assert {message for _, message in found.values()} == {"Your code raised NotImplementedError: "}


@pytest.mark.parametrize(
    "body",
    [
        "return None",
        "return 1",
        "return 3.0",
        "return [1]",
        "return (1, 1)",
        "return np.empty(0), np.empty(0)",
        "return np.full((3, 3), np.nan)",
        "return np.array([1.0])",
        "return np.array([[-1.0, 0, 1]] * 3)",
        "return np.ones((3, 1)), np.ones((1, 3))",
        "return args[0]",
        "return np.zeros_like(args[0])",
        "raise ValueError",
    ],
)
@pytest.mark.parametrize("notebook", ALL, ids=label)
def test_an_answer_that_ignores_the_question_gets_no_point(notebook, body):
    names = [name for source in notebook.answers.values() for name in bound(source)]
    lines = "".join(f"def {name}(*args, **options):\n    {body}\n" for name in names)
    found = notebook.run(0, **dict.fromkeys(notebook.answers, lines))
    assert set(points(found).values()) == {0}, found


@pytest.mark.parametrize(("notebook", "question"), QUESTIONS, ids=label)
def test_no_question_needs_the_answer_of_another(notebook, question):
    found = notebook.run(0, **{name: stub for name, stub in notebook.stubs.items() if name != question})
    assert {name for name, score in points(found).items() if score} == notebook.parts_of(question)


@pytest.mark.parametrize(("notebook", "mistake"), MISTAKES, ids=label)
def test_a_mistake_gets_its_points_and_reads_its_hint(notebook, mistake):
    found = notebook.run(0, **notebook.stubs | {mistake.question: mistake.source})
    assert {name: points(found)[name] for name in mistake.points} == dict(mistake.points), found
    assert any(mistake.hint in message for _, message in found.values()), found


@pytest.mark.parametrize(("notebook", "alternative"), ALTERNATIVES, ids=label)
def test_another_right_answer_gets_full_points(notebook, alternative):
    for seed in range(3):
        found = notebook.run(seed, **{alternative.question: alternative.source})
        assert points(found) == notebook.points, found


@pytest.mark.parametrize(("notebook", "question"), QUESTIONS, ids=label)
def test_the_catalogue_has_enough_for_each_question(notebook, question):
    mistakes = [each for each in notebook.catalogue.MISTAKES if each.question == question]
    assert len(mistakes) >= 3
    assert len([each for each in notebook.catalogue.ALTERNATIVES if each.question == question]) >= 2
    parts = notebook.parts_of(question)
    assert all(set(mistake.points) == parts for mistake in mistakes)
    assert all(any(mistake.points[name] == 0 for mistake in mistakes) for name in parts)
    assert all(value in (0, notebook.points[name]) for mistake in mistakes for name, value in mistake.points.items())


@pytest.mark.parametrize(("notebook", "part"), PARTS, ids=label)
def test_a_part_draws_under_its_own_name_once_and_after_what_students_see(notebook, part):
    visible, hidden = notebook.tests[part].split(HIDDEN)
    assert re.findall(r'check\.draws\("(.*?)"\)', hidden) == [part]
    assert "draws" not in visible
    assert hidden.endswith("### END HIDDEN TESTS")


@pytest.mark.parametrize(("notebook", "part"), PARTS, ids=label)
def test_every_check_of_a_part_carries_a_hint_of_its_own(notebook, part):
    found = hints(notebook.tests[part])
    # A hidden hint is shown only if it stands in the source word for word.
    assert all(isinstance(hint, ast.Constant) and hint.value for hint in found)
    assert len({hint.value for hint in found}) == len(found)


@pytest.mark.parametrize("notebook", ALL, ids=label)
def test_tests_bind_no_name_that_an_answer_binds(notebook):
    answers = {name for source in notebook.answers.values() for name in bound(source)}
    for part, source in notebook.tests.items():
        assert not answers & bound(source), part


@pytest.mark.parametrize("notebook", ALL, ids=label)
def test_the_examples_in_the_text_are_what_the_solution_gives(notebook):
    namespace = notebook.namespace()
    for block in re.findall(r"```python\n(.*?)```", notebook.text, flags=re.DOTALL):
        exec(block, namespace)
    examples = re.findall(r"`([^`]*[(\[][^`]*|values)` is `([^`]+)`", notebook.text)
    assert len(examples) >= 10
    for call, value in examples:
        result = eval(call, namespace)
        assert np.asarray(result).tolist() == np.asarray(ast.literal_eval(value)).tolist(), call
