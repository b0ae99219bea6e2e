"""Assignment 02 by itself: its cells are run here one after another, without the autograder and without nbgrader."""

import ast
import re

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from convbook import shapes
from tests.solutions.bare import HIDDEN, Notebook, bound, hints, points

NOTEBOOK = Notebook("02-pooling")
QUESTIONS = ["pool2d", "receptive-field", "cost", "shift-sensitivity", "blur-pool", "max-and-place"]
CATALOGUE = NOTEBOOK.catalogue


def label(entry):
    return f"{entry.question}: {entry.name}"


def test_the_points_add_up_to_20():
    assert sum(NOTEBOOK.points.values()) == 20
    assert list(NOTEBOOK.answers) == QUESTIONS
    in_the_table = re.findall(r"^\| \d\. .*\| (\d) \|$", NOTEBOOK.text, flags=re.MULTILINE)
    in_the_headings = re.findall(r"^## \d\. .*\((\d) points\)$", NOTEBOOK.text, flags=re.MULTILINE)
    by_question = [sum(NOTEBOOK.points[part] for part in NOTEBOOK.parts_of(question)) for question in QUESTIONS]
    assert [int(each) for each in in_the_table] == [int(each) for each in in_the_headings] == by_question


@pytest.mark.parametrize("seed", range(20))
def test_the_solution_passes_whatever_is_drawn(seed):
    found = NOTEBOOK.run(seed)
    assert points(found) == NOTEBOOK.points, found


def test_the_release_version_gets_no_point():
    found = NOTEBOOK.run(0, **NOTEBOOK.stubs)
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
        "return args[0]",
        "return np.zeros_like(args[0])",
        "raise ValueError",
    ],
)
def test_an_answer_that_ignores_the_question_gets_no_point(body):
    names = [name for source in NOTEBOOK.answers.values() for name in bound(source)]
    lines = "".join(f"def {name}(*args, **options):\n    {body}\n" for name in names)
    found = NOTEBOOK.run(0, **dict.fromkeys(QUESTIONS, lines))
    assert set(points(found).values()) == {0}, found


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_needs_the_answer_of_another(question):
    found = NOTEBOOK.run(0, **{name: stub for name, stub in NOTEBOOK.stubs.items() if name != question})
    assert {name for name, score in points(found).items() if score} == NOTEBOOK.parts_of(question)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("mistake", CATALOGUE.MISTAKES, ids=label)
def test_a_mistake_gets_its_points_and_reads_its_hint(mistake):
    for seed in range(3):
        found = NOTEBOOK.run(seed, **NOTEBOOK.stubs | {mistake.question: mistake.source})
        assert {name: points(found)[name] for name in mistake.points} == dict(mistake.points), found
        assert any(mistake.hint in message for _, message in found.values()), found


@pytest.mark.parametrize("alternative", CATALOGUE.ALTERNATIVES, ids=label)
def test_another_right_answer_gets_full_points(alternative):
    for seed in range(6):
        found = NOTEBOOK.run(seed, **{alternative.question: alternative.source})
        assert points(found) == NOTEBOOK.points, found


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_catalogue_has_enough_for_each_question(question):
    mistakes = [each for each in CATALOGUE.MISTAKES if each.question == question]
    assert len(mistakes) >= 3
    assert len([each for each in CATALOGUE.ALTERNATIVES if each.question == question]) >= 2
    parts = NOTEBOOK.parts_of(question)
    assert all(set(mistake.points) == parts for mistake in mistakes)
    assert all(any(mistake.points[name] == 0 for mistake in mistakes) for name in parts)
    assert all(value in (0, NOTEBOOK.points[name]) for mistake in mistakes for name, value in mistake.points.items())


@pytest.mark.parametrize("part", NOTEBOOK.tests)
def test_a_part_draws_under_its_own_name_once_and_after_what_students_see(part):
    visible, hidden = NOTEBOOK.tests[part].split(HIDDEN)
    assert re.findall(r'check\.draws\("(.*?)"\)', hidden) == [part]
    assert "draws" not in visible
    assert hidden.endswith("### END HIDDEN TESTS")


@pytest.mark.parametrize("part", NOTEBOOK.tests)
def test_every_check_of_a_part_carries_a_hint_of_its_own(part):
    found = hints(NOTEBOOK.tests[part])
    # A hidden hint is shown only if it stands in the source word for word.
    assert all(isinstance(hint, ast.Constant) and hint.value for hint in found)
    assert len({hint.value for hint in found}) == len(found)


def test_tests_bind_no_name_that_an_answer_binds():
    answers = {name for source in NOTEBOOK.answers.values() for name in bound(source)}
    for part, source in NOTEBOOK.tests.items():
        assert not answers & bound(source), part


def test_the_examples_in_the_text_are_what_the_solution_gives():
    namespace = NOTEBOOK.namespace()
    for block in re.findall(r"```python\n(.*?)```", NOTEBOOK.text, flags=re.DOTALL):
        exec(block, namespace)
    examples = re.findall(r"`([^`]*[(\[][^`]*|values)` is `([^`]+)`", NOTEBOOK.text)
    assert len(examples) == 21
    for call, value in examples:
        result = eval(call, namespace)
        assert np.asarray(result).tolist() == np.asarray(ast.literal_eval(value)).tolist(), call


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_pooling_is_torchs(size, stride):
    pool2d, max_and_place = (NOTEBOOK.namespace()[name] for name in ("pool2d", "max_and_place"))
    x = torch.randn(2, 3, 8, 11, dtype=torch.float64, generator=torch.Generator().manual_seed(size))
    for padding in range(size // 2 + 1):
        most, places = F.max_pool2d(x, size, stride, padding, return_indices=True)
        assert np.array_equal(pool2d(x.numpy(), size, stride, padding), most)
        for counted in (True, False):
            mean = F.avg_pool2d(x, size, stride, padding, count_include_pad=counted)
            ours = pool2d(x.numpy(), size, stride, padding, "average", counted)
            assert np.allclose(ours, mean, rtol=1e-12, atol=1e-12)
        values, rows_and_columns = max_and_place(x[0, 0].numpy(), (size, size), stride, padding)
        assert np.array_equal(values, most[0, 0])
        assert np.array_equal(rows_and_columns @ [11, 1], places[0, 0])


def test_of_equal_pixels_torch_takes_the_first_one_too():
    max_and_place = NOTEBOOK.namespace()["max_and_place"]
    x = torch.ones(1, 1, 4, 6, dtype=torch.float64)
    _, places = F.max_pool2d(x, (2, 3), 1, 1, return_indices=True)
    assert np.array_equal(max_and_place(x[0, 0].numpy(), (2, 3), 1, 1)[1] @ [6, 1], places[0, 0])


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_blur_pooling_is_a_depthwise_convolution_of_a_reflected_picture(size):
    binomial, blur_pool = (NOTEBOOK.namespace()[name] for name in ("binomial", "blur_pool"))
    x = torch.randn(2, 3, 7, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(size))
    before, after = (size - 1) // 2, size // 2
    weights = torch.from_numpy(np.outer(binomial(size), binomial(size))).expand(3, 1, size, size)
    for stride in (1, 2, 3):
        expected = F.conv2d(F.pad(x, (before, after, before, after), "reflect"), weights, stride=stride, groups=3)
        assert np.allclose(blur_pool(x.numpy(), size, stride), expected, rtol=1e-12, atol=1e-12)


def test_stacks_are_counted_as_the_books_own_tables_count_them():
    namespace = NOTEBOOK.namespace()
    conv, pool, flatten, dense = (namespace[name] for name in ("conv", "pool", "flatten", "dense"))
    stack = [conv(6, 5, padding=2), pool(3, 2, 1), conv(12, 3, 2, 2, 2, groups=3, bias=False), pool(2)]
    same = [
        shapes.Conv(6, 5, padding=2),
        shapes.Pool(3, 2, 1),
        shapes.Conv(12, 3, stride=2, padding=2, dilation=2, groups=3, bias=False),
        shapes.Pool(2),
    ]
    rows = shapes.table([*same, shapes.Flatten(), shapes.Dense(7)], (3, 31, 44)).rows
    assert namespace["sizes"](stack, 31) == [row.output_shape[1] for row in rows[:4]]
    assert namespace["receptive_field"](stack) == (rows[3].receptive_field[0], rows[3].jump[0])
    assert namespace["pixels_seen"](stack, 3) == rows[3].fields[0].sees(3)
    network = [*stack, flatten(), dense(7)]
    assert namespace["parameters"](network, (3, 31, 44)) == [row.parameters for row in rows]
    assert namespace["multiply_adds"](network, (3, 31, 44)) == [row.multiply_adds for row in rows]


def test_a_blur_lowers_the_shift_sensitivity_by_as_much_as_the_text_says():
    namespace = NOTEBOOK.namespace()
    block = next(each for each in re.findall(r"```python\n(.*?)```", NOTEBOOK.text, flags=re.DOTALL) if "soft" in each)
    exec(block, namespace)
    said = NOTEBOOK.text.split(block)[1]
    assert re.findall(r"(\d+) %", said)[:2] == [f"{100 * namespace[name]:.0f}" for name in ("sharp", "soft")]
