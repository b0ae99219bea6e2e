from pathlib import Path

from autograder.assignment import Assignment
from autograder.collect import collect
from autograder.direct import DirectExecutor
from autograder.grade import grade
from autograder.sample import write_sample


def test_the_sample_class_is_the_same_every_time(tiny: Assignment, tmp_path: Path) -> None:
    assert write_sample(tiny, tmp_path / "one") == write_sample(tiny, tmp_path / "two")
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.ipynb"))
    assert len(files) >= 15
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_every_student_of_the_sample_gets_what_is_owed(
    tiny: Assignment, direct: DirectExecutor, tmp_path: Path
) -> None:
    write_sample(tiny, tmp_path)
    collected, _ = collect(tmp_path, "tiny")
    got = {}
    for each in collected:
        if each.student != "edsger":  # an endless loop: see test_cli.py
            result, _ = grade(tiny, each.hand("tiny", 1), direct, None)
            got[each.student] = (result.score, result.status, len(result.flags))
    assert got == {
        "ada": (9, "needs-manual", 0),
        "alan": (9, "needs-manual", 0),
        "blaise": (0, "not-attempted", 0),
        "carl": (5, "needs-manual", 0),
        "dorothy": (4, "needs-manual", 0),
        "emmy": (9, "needs-manual", 0),
        "frances": (9, "needs-manual", 0),
        "grace": (9, "needs-manual", 0),
        "hedy": (9, "needs-manual", 0),
        "ida": (9, "needs-manual", 0),
        "joan": (9, "needs-manual", 0),
        "kurt": (0, "unreadable", 0),
        "lise": (0, "unreadable", 0),
        "maria": (0, "needs-manual", 0),
        "niels": (6, "needs-manual", 0),
        "olga": (5, "needs-manual", 0),
    }


def test_nothing_of_the_marks_reaches_a_submission(tiny: Assignment, tmp_path: Path) -> None:
    write_sample(tiny, tmp_path)
    for path in tmp_path.rglob("*.ipynb"):
        text = path.read_text()
        assert "SOLUTION" not in text
        assert "HIDDEN" not in text
