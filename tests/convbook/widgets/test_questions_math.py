"""What questions compute, in node: which option a number is, what a browser remembers, the line that sums up."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from convbook.widgets.base import bundle

Node = Callable[..., Any]
IMPORT = 'import * as math from "./questions.math.mjs";\n'
OPTIONS = [
    {"option": "15", "right": False},
    {"option": "16", "right": True},
    {"option": "−1/3", "right": False},
    {"option": "else", "right": False},
]

# A browser's storage, of which other pages use some; `denied` are the methods that throw.
STORAGE = """
const storage = (kept, denied = []) => {
  const methods = {
    getItem: (name) => (Object.hasOwn(kept, name) ? kept[name] : null),
    setItem: (name, value) => void (kept[name] = value),
    removeItem: (name) => void delete kept[name],
  };
  for (const name of denied) methods[name] = () => { throw new Error("denied"); };
  return new Proxy(kept, { get: (_, name) => methods[name] ?? kept[name] });
};
"""


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("16", [16]),
        (" −0.5 ", [-0.5]),
        ("1/3", [1 / 3]),
        ("49,152", [49152, 49.152]),
        ("49 152", [49152]),
        ("1,000,000", [1000000]),
        ("1,5", [1.5]),
        ("1234,567", [1234567, 1234.567]),
        ("", []),
        ("sixteen", []),
        ("1/0", []),
        ("16 or 17", []),
    ],
)
def test_a_number_is_read_in_each_way_that_people_write_it(node: Node, text: str, numbers: list[float]) -> None:
    found = node(f"{IMPORT}const answer = [...new Set(math.readings(input))];", text)
    assert found == pytest.approx(numbers)


@pytest.mark.parametrize(
    ("text", "tolerance", "option"),
    [
        ("16", 0, "16"),
        ("16.0", 0, "16"),
        ("32/2", 0, "16"),
        ("15", 0, "15"),
        ("16.01", 0, "else"),
        ("16.01", 0.01, "16"),
        ("16.011", 0.01, "else"),
        ("15.6", 0.45, "16"),
        ("-0.333", 0.001, "−1/3"),
        ("16,000", 0, "16"),
        ("-16", 0, "else"),
        ("what?", 0, None),
        ("", 0, None),
    ],
)
def test_a_number_is_the_option_within_its_tolerance(node: Node, text: str, tolerance: float, option: str) -> None:
    code = f"{IMPORT}const answer = math.judge(input.text, input.options, input.tolerance)?.option ?? null;"
    assert node(code, {"text": text, "options": OPTIONS, "tolerance": tolerance}) == option


def test_decimals_and_fractions_meet_at_the_edge_of_the_tolerance(node: Node) -> None:
    """Against exact fractions: an answer counts when it is no further away than the tolerance, to the last digit."""
    cases = []
    for tenths in range(-30, 31):
        distance = abs(Fraction(tenths, 10) - Fraction(1, 10))
        cases.append({"text": f"{tenths / 10}", "right": distance <= Fraction(2, 10)})
    code = f"""{IMPORT}
    const options = [{{ option: "0.1", right: true }}, {{ option: "else", right: false }}];
    const answer = input.map(({{ text }}) => math.judge(text, options, 0.2).right);"""
    assert node(code, cases) == [case["right"] for case in cases]


def test_answers_are_kept_by_page_and_forgotten_by_page_or_all(node: Node) -> None:
    code = f"""{IMPORT}{STORAGE}
    const kept = {{ "somebody else": "1" }};
    const open = () => storage(kept);
    const [one, two] = ["book/one", "book/two"].map((page) => math.memory(open, page));
    one.set("k1", {{ option: "A" }});
    one.set("k2", {{ option: "B" }});
    two.set("k1", {{ guess: "7" }});
    const again = math.memory(open, "book/one");
    const answer = {{ before: [again.get("k1"), again.get("k2"), again.get("k3"), two.get("k1")] }};
    again.forget();
    answer.page = [again.get("k1"), math.memory(open, "book/two").get("k1"), Object.keys(kept).length];
    one.set("k1", {{ option: "C" }});
    again.forgetAll();
    answer.all = [math.memory(open, "book/one").get("k1"), math.memory(open, "book/two").get("k1"), kept];
    answer.lasting = again.lasting();"""
    assert node(code) == {
        "before": [{"option": "A"}, {"option": "B"}, {}, {"guess": "7"}],
        "page": [{}, {"guess": "7"}, 2],
        "all": [{}, {}, {"somebody else": "1"}],
        "lasting": True,
    }


def test_two_windows_of_one_page_keep_each_others_answers(node: Node) -> None:
    code = f"""{IMPORT}{STORAGE}
    const kept = {{}};
    const [one, two] = [1, 2].map(() => math.memory(() => storage(kept), "page"));
    one.set("a", {{ option: "A" }});
    two.set("b", {{ option: "B" }});
    const later = math.memory(() => storage(kept), "page");
    const answer = [later.get("a"), later.get("b")];"""
    assert node(code) == [{"option": "A"}, {"option": "B"}]


@pytest.mark.parametrize("denied", ["open", "null", "getItem", "setItem"])
def test_without_storage_answers_last_as_long_as_the_page(node: Node, denied: str) -> None:
    code = f"""{IMPORT}{STORAGE}
    const open = {{
      open: () => {{ throw new Error("SecurityError"); }},
      null: () => null,
      getItem: () => storage({{}}, ["getItem"]),
      setItem: () => storage({{}}, ["setItem"]),
    }}[input];
    const recall = math.memory(open, "page");
    recall.set("a", {{ option: "A" }});
    recall.set("b", {{ option: "B" }});
    const answer = [recall.get("a"), recall.get("b"), recall.lasting()];
    recall.forget();
    answer.push(recall.get("a"));
    recall.forgetAll();"""
    assert node(code, denied) == [{"option": "A"}, {"option": "B"}, False, {}]


@pytest.mark.parametrize("stored", ["no JSON", "null", "[1]", "7", '"text"', '{"a": null}', '{"a": 3}'])
def test_what_is_stored_and_not_ours_is_no_answer(node: Node, stored: str) -> None:
    code = f"""{IMPORT}{STORAGE}
    const recall = math.memory(() => storage({{ "convbook/answers/page": input }}), "page");
    const {{ option = "none" }} = recall.get("a");
    recall.set("b", {{ option: "B" }});
    const answer = [option, recall.get("b").option];"""
    assert node(code, stored) == ["none", "B"]


@pytest.mark.parametrize(
    ("done", "words"),
    [
        ({"quiz": [True, False, True]}, "2 of 3 questions answered correctly."),
        ({"quiz": [True]}, "1 of 1 question answered correctly."),
        ({"predict": [False, False]}, "0 of 2 predictions opened."),
        ({"quiz": [False] * 8, "predict": [True]}, "0 of 8 questions answered correctly. 1 of 1 prediction opened."),
        ({}, ""),
    ],
)
def test_the_sum_counts_what_is_there(node: Node, done: dict[str, list[bool]], words: str) -> None:
    states = [{"kind": kind, "done": each} for kind, all_of_them in done.items() for each in all_of_them]
    assert node(f"{IMPORT}const answer = math.tally(input);", states) == words


def test_the_script_of_pages_is_one_classic_script(node: Node) -> None:
    """Browsers load no module from the disk, so it must parse as a function's body."""
    assert node("const answer = typeof new Function(input);", bundle("questions.js")) == "function"
