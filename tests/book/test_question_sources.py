"""What authors write: each mistake in a {quiz} or {predict} is a warning with its line that says what to do."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

CONF = """
import sys
sys.path.insert(0, {extensions!r})
extensions = ["myst_parser", "sphinx_design", "questions"]
myst_enable_extensions = ["deflist", "dollarmath"]
"""
RIGHT = "Which?\n\n[x] one\n: Yes it is.\n\n[ ] two\n: No."
NUMBER = ":tolerance: 0.1\n\nHow many?\n\n[x] 1\n: Yes it is.\n\n[ ] −0.5\n: No.\n\n[ ] else\n: No."


def fenced(name: str, body: str) -> str:
    return f"````{{{name}}}\n{body}\n````"


FAULTS = {
    "no-options": (fenced("quiz", "Which?"), "then its options: a line `[x] 3`"),
    "no-question": (fenced("quiz", "[x] one\n: Yes.\n\n[ ] two\n: No."), "A quiz is a question, then its options"),
    "empty": ("````{quiz}\n````", "A quiz is a question, then its options"),
    "no-right": (fenced("quiz", RIGHT.replace("[x]", "[ ]")), "`[x]` before one of them"),
    "two-right": (fenced("quiz", RIGHT.replace("[ ]", "[x]")), "`[x]` before one of them"),
    "one-option": (fenced("quiz", RIGHT.split("\n\n[ ]")[0]), "at least two options"),
    "no-mark": (fenced("quiz", RIGHT.replace("[ ] two", "two")), "‘two’ needs a mark before it"),
    "formula-first": (fenced("quiz", RIGHT.replace(": No.", ": $$ x $$")), "‘[ ] two’ needs a line `: why`"),
    "not-a-number": (fenced("quiz", NUMBER.replace("−0.5", "few")), "the options are numbers such as −0.5"),
    "no-else": (fenced("quiz", NUMBER.split("\n\n[ ] else")[0]), "the last is `[ ] else`"),
    "else-is-right": (
        fenced("quiz", NUMBER.replace("[x]", "[ ]").replace("[ ] else", "[x] else")),
        "the last is `[ ] else`",
    ),
    "too-near": (fenced("quiz", NUMBER.replace("−0.5", "6/5")), "within the tolerance of one answer"),
    "bad-tolerance": (fenced("quiz", NUMBER.replace("0.1", "−1", 1)), "how far from the right number"),
    "twice": (f"{fenced('quiz', RIGHT)}\n\n{fenced('quiz', RIGHT)}", "stands on the page twice"),
    "nothing-to-show": (fenced("predict", "What comes?"), "a question and a {dropdown} with its answer"),
    "answer-alone": (fenced("predict", "```{dropdown} Answer\n1\n```"), "a question and a {dropdown}"),
    "no-cell": (
        f"{fenced('predict', ':run:' + chr(10) * 2 + 'What comes?')}\n\nText.",
        "needs a code cell with output",
    ),
}
FINE = {
    "choice": fenced("quiz", RIGHT),
    "number": fenced("quiz", NUMBER),
    "near-the-tolerance": fenced("quiz", NUMBER.replace("−0.5", "1.21")),
    "answer": fenced("predict", ":number:\n\nHow many?\n\n```{dropdown} Answer\n1\n```"),
}


@pytest.fixture(scope="module")
def warnings(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What Sphinx says about each source, by its name."""
    folder = tmp_path_factory.mktemp("sources")
    (folder / "conf.py").write_text(CONF.format(extensions=str(root / "book" / "_ext")))
    sources = {name: source for name, (source, _) in FAULTS.items()} | FINE
    for name, source in sources.items():
        (folder / f"{name}.md").write_text(f"---\norphan: true\n---\n\n# Title\n\n{source}\n")
    (folder / "index.md").write_text("# Index\n")
    command = [sys.executable, "-m", "sphinx", "-q", "-E", "--no-color", str(folder), str(folder / "out")]
    said = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stderr
    parts = re.split(rf"^{re.escape(str(folder))}/([\w-]+)\.md:", said, flags=re.M)
    return {name: "".join(parts[i + 1] for i in range(1, len(parts), 2) if parts[i] == name) for name in sources}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_a_warning_with_its_line_that_says_what_to_do(warnings, name):
    source, words = FAULTS[name]
    assert words in warnings[name]
    line = 7 + source[: source.rindex("````{")].count("\n")
    assert re.match(rf"{line}\b", warnings[name]), warnings[name]


@pytest.mark.parametrize("name", FINE)
def test_what_is_right_is_no_warning(warnings, name):
    assert warnings[name] == ""
