"""Assignment 01 by itself: its cells are run here one after another, without the autograder and without nbgrader."""

import ast
import importlib.util
import re
import symtable
from pathlib import Path

import jupytext
import numpy as np
import pytest
import torch

from convbook import check

FOLDER = Path(__file__).parents[2] / "solutions" / "01-convolution"
NOTEBOOK = jupytext.read(FOLDER / "assignment.md", fmt="md:myst")
CODE = [cell for cell in NOTEBOOK.cells if cell.cell_type == "code"]
TEXT = "\n".join(cell.source for cell in NOTEBOOK.cells if cell.cell_type == "markdown")
GRADING = [(cell, cell.metadata["nbgrader"]) for cell in CODE]
ANSWERS = {grading["grade_id"]: cell.source for cell, grading in GRADING if grading["solution"]}
PARTS = {grading["grade_id"]: grading["points"] for _, grading in GRADING if grading["grade"]}
TESTS = {grading["grade_id"]: cell.source for cell, grading in GRADING if grading["grade"]}
STUBS = {
    name: re.sub(r"### BEGIN SOLUTION.*?### END SOLUTION", "raise NotImplementedError()", source, flags=re.DOTALL)
    for name, source in ANSWERS.items()
}

_spec = importlib.util.spec_from_file_location("mistakes_01_convolution", FOLDER / "mistakes.py")
CATALOGUE = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(CATALOGUE)


@pytest.fixture
def verdicts(monkeypatch):
    """A function: the notebook with some answers replaced, to points and message by part."""

    def run(seed, **answers):
        monkeypatch.setenv("CONVBOOK_DRAWS_KEY", f"{seed:064x}")
        namespace, found = {"__name__": "__main__"}, {}
        for cell, grading in GRADING:
            name = grading["grade_id"]
            if grading["grade"]:
                message = failure(cell.source, namespace)
                found[name] = (0 if message else grading["points"], message)
            else:
                exec(compile(answers.get(name, cell.source), name, "exec"), namespace)
        return found

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # on a busy machine a second thread makes small convolutions a hundred times slower
    yield run
    torch.set_num_threads(threads)


def failure(source, namespace):
    """What the student reads of a test cell; nothing where it passes."""
    visible, *hidden = source.split("### BEGIN HIDDEN TESTS\n")
    try:
        exec(visible, namespace)
    except Exception as error:
        return str(error) if isinstance(error, AssertionError) else f"Your code raised {type(error).__name__}: {error}"
    try:
        exec(hidden[0], namespace)
    except check.CheckFailed as error:
        return error.hint or "A hidden test failed."
    except Exception as error:
        return f"Your code raised {type(error).__name__} on an input of the hidden tests."
    return ""


def points(found):
    return {name: score for name, (score, _) in found.items()}


def label(entry):
    return f"{entry.question}: {entry.name}"


def test_the_points_add_up_to_20():
    assert sum(PARTS.values()) == 20
    by_question = {question: sum(PARTS[part] for part in parts_of(question)) for question in ANSWERS}
    assert by_question == {
        "output-size": 4,
        "conv2d": 5,
        "direction-kernel": 3,
        "cost": 3,
        "transpose": 2,
        "bugs": 3,
    }
    table = re.findall(r"^\| (\d)\. ([\w ]+) \| .* \| (\d) \|$", TEXT, flags=re.MULTILINE)
    headings = re.findall(r"^## (\d)\. ([\w ]+) \((\d) points\)$", TEXT, flags=re.MULTILINE)
    assert table == headings
    assert [int(points) for _, _, points in headings] == list(by_question.values())
    said = re.findall(r"^\*\*Part \d\w\*\* \((\d) points?\)", TEXT, flags=re.MULTILINE)
    assert [int(points) for points in said] == list(PARTS.values())


@pytest.mark.parametrize("seed", range(20))
def test_the_solution_passes_whatever_is_drawn(verdicts, seed):
    found = verdicts(seed)
    assert points(found) == PARTS, found


def test_the_release_version_gets_no_point(verdicts):
    found = verdicts(0, **STUBS)
    assert set(points(found).values()) == {0}
    assert {message for _, message in found.values()} == {"Your code raised NotImplementedError: "}


@pytest.mark.parametrize(
    "body",
    [
        "return None",
        "return 1",
        "return 3.0",
        "return (1, 1)",
        "return np.empty(0), np.empty(0)",
        "return np.full((3, 3), np.nan)",
        "return np.array([[-1.0, 0, 1]] * 3)",
        "return np.ones((3, 1)), np.ones((1, 3))",
        "return args[0]",
        "return np.zeros_like(args[0])",
        "raise ValueError",
    ],
)
def test_an_answer_that_ignores_the_question_gets_no_point(verdicts, body):
    lines = [f"def {name}(*args, **options):\n    {body}\n" for source in ANSWERS.values() for name in bound(source)]
    found = verdicts(0, **{question: "".join(lines) for question in ANSWERS})
    assert set(points(found).values()) == {0}, found


@pytest.mark.parametrize("question", ANSWERS)
def test_no_question_needs_the_answer_of_another(verdicts, question):
    found = verdicts(0, **{name: stub for name, stub in STUBS.items() if name != question})
    assert {name for name, score in points(found).items() if score} == parts_of(question)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("mistake", CATALOGUE.MISTAKES, ids=label)
def test_a_mistake_gets_its_points_and_reads_its_hint(verdicts, mistake):
    for seed in range(4):
        found = verdicts(seed, **STUBS | {mistake.question: mistake.source})
        assert {name: points(found)[name] for name in mistake.points} == dict(mistake.points), found
        assert any(mistake.hint in message for _, message in found.values()), found


@pytest.mark.parametrize("alternative", CATALOGUE.ALTERNATIVES, ids=label)
def test_another_right_answer_gets_full_points(verdicts, alternative):
    for seed in range(8):
        found = verdicts(seed, **{alternative.question: alternative.source})
        assert points(found) == PARTS, found


@pytest.mark.parametrize("question", ANSWERS)
def test_the_catalogue_has_enough_for_each_question(question):
    mistakes = [each for each in CATALOGUE.MISTAKES if each.question == question]
    assert len(mistakes) >= 3
    assert len([each for each in CATALOGUE.ALTERNATIVES if each.question == question]) >= 2
    parts = parts_of(question)
    assert {name for mistake in mistakes for name in mistake.points} == parts
    assert all(set(mistake.points) == parts for mistake in mistakes)
    assert all(any(mistake.points[name] == 0 for mistake in mistakes) for name in parts)
    assert all(value in (0, PARTS[name]) for mistake in mistakes for name, value in mistake.points.items())


def parts_of(question):
    """The test cells between this answer cell and the next."""
    order = [grading["grade_id"] for _, grading in GRADING if grading["grade"] or grading["solution"]]
    following = order[order.index(question) + 1 :]
    end = next((place for place, name in enumerate(following) if name in ANSWERS), len(following))
    return set(following[:end])


@pytest.mark.parametrize("part", PARTS)
def test_a_part_draws_under_its_own_name_once_and_after_what_students_see(part):
    visible, hidden = TESTS[part].split("### BEGIN HIDDEN TESTS\n")
    assert re.findall(r'check\.draws\("(.*?)"\)', hidden) == [part]
    assert "draws" not in visible
    assert hidden.endswith("### END HIDDEN TESTS")


@pytest.mark.parametrize("part", PARTS)
def test_every_check_of_a_part_carries_a_hint_of_its_own(part):
    calls = [node for node in ast.walk(ast.parse(TESTS[part])) if isinstance(node, ast.Call)]
    calls = [node for node in calls if ast.unparse(node.func).startswith(("check.check_", "check.raises"))]
    hints = [keyword.value for node in calls for keyword in node.keywords if keyword.arg == "hint"]
    # A hidden hint is shown only if it stands in the source word for word.
    assert all(isinstance(hint, ast.Constant) and hint.value for hint in hints)
    assert len({hint.value for hint in hints}) == len(calls)


def test_tests_bind_no_name_that_an_answer_binds():
    answers = {name for source in ANSWERS.values() for name in bound(source)}
    assert answers == {
        *("output_size", "same_padding", "conv2d", "direction_kernel", "separate"),
        *("parameters", "multiply_adds", "conv2d_by_product", "conv2d_transpose", "convolve"),
    }
    for part, source in TESTS.items():
        assert not answers & bound(source), part


def bound(source):
    """The global names that a cell binds."""
    symbols = symtable.symtable(source, "cell", "exec").get_symbols()
    return {each.get_name() for each in symbols if each.is_assigned() or each.is_imported() or each.is_namespace()}


def test_the_examples_in_the_text_are_what_the_solution_gives():
    namespace = {"np": np}
    for source in ANSWERS.values():
        exec(source, namespace)
    for block in re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL):
        exec(block, namespace)
    examples = re.findall(r"`([^`]+\([^`]*\)[^`]*)` is `([^`]+)`", TEXT)
    assert len(examples) == 16
    for call, value in examples:
        result = eval(call, namespace)
        assert np.asarray(result).tolist() == np.asarray(ast.literal_eval(value)).tolist(), call


def test_the_sobel_numbers_in_the_text_are_right():
    picture = np.array([[0, 1, 2]] * 3)
    kernel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    drawn = "\n".join(
        f"{' '.join(map(str, p))}       {' '.join(f'{w:2d}' for w in k)}" for p, k in zip(picture, kernel, strict=True)
    )
    assert re.sub(r" +", " ", drawn) in re.sub(r" +", " ", TEXT)
    assert (picture * kernel).sum() == 8 == 2 * 1 + 4 * 1 + 2 * 1
    assert (np.rot90(picture) * kernel).sum() == 0


def defined(*sources):
    namespace = {"np": np}
    for source in sources:
        exec(source, namespace)
    return namespace


def test_the_costs_in_the_text_are_right():
    functions = defined(ANSWERS["cost"])
    assert functions["parameters"](2, 3, (1, 2)) == 15 == 3 * 5
    assert functions["multiply_adds"](2, 3, (1, 2), (2, 5), stride=2) == 36 == 3 * 3 * 4
    layer = torch.nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False, device="meta")
    positions = layer(torch.empty(1, 3, 224, 224, device="meta")).numel()
    assert (layer.weight.numel(), positions * layer.weight[0].numel()) == (9408, 118_013_952)


def test_the_windows_in_the_text_are_those_of_the_picture():
    windows = torch.nn.functional.unfold(torch.arange(1.0, 10).reshape(1, 1, 3, 3), 2)[0].long().tolist()
    drawn = re.search(r"windows as columns\n(.*?)```", TEXT, flags=re.DOTALL)[1].splitlines()
    assert [[int(number) for number in line.split()[-4:]] for line in drawn] == windows
    assert np.array_equal(np.array([1, 0, 2, 1]) @ windows, [14, 18, 26, 30])


def test_the_matrices_in_the_text_are_each_others_transposes():
    rows = re.search(r"from 2 positions to 3 pixels\n\n(.*?)```", TEXT, flags=re.DOTALL)[1].splitlines()
    numbers = [[int(number) for number in line.split()] for line in rows]
    forward, backward = np.array([row[:3] for row in numbers[:2]]), np.array([row[-2:] for row in numbers])
    assert np.array_equal(forward, backward.T)
    assert (backward @ [1, 2]).tolist() == [10, 21, 2]
    assert (forward @ [1, 2, 3]).tolist() == [12, 23]
    assert (backward @ [12, 23]).tolist() == [120, 242, 23]


def test_the_text_with_bugs_is_right_where_the_colleague_tried_it_and_has_three_wrong_lines():
    given = STUBS["bugs"].replace("    raise NotImplementedError()\n", "")
    buggy, mended = defined(given)["convolve"], defined(ANSWERS["bugs"])["convolve"]
    photograph, blur = np.random.default_rng(0).uniform(size=(9, 9)), np.outer([1.0, 2, 1], [1, 2, 1]) / 16
    assert np.allclose(buggy(photograph, blur), mended(photograph, blur), rtol=1e-12)
    solution, rest = ANSWERS["bugs"].split("### BEGIN SOLUTION\n")[1].split("    ### END SOLUTION\n")
    lines = list(zip(solution.splitlines(), rest.splitlines(), strict=True))
    assert sum(ours != theirs for ours, theirs in lines) == 3
    assert CATALOGUE.GIVEN.endswith(rest + "\n")
