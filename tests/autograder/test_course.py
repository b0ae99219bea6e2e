import stat
from datetime import timedelta
from pathlib import Path

import pytest

from autograder.course import Course, LatePolicy
from autograder.errors import CourseError


def write(folder: Path, text: str) -> Path:
    (folder / "course.toml").write_text(text)
    return folder


def test_the_course_of_this_repository_can_be_read() -> None:
    course = Course.find(Path(__file__).parent)
    assert course.id == "convbook"
    assert course.settings("01-convolution").limits.cell_seconds == 30


def test_an_assignment_without_a_table_has_defaults(tmp_path: Path) -> None:
    settings = Course.load(write(tmp_path, '[course]\nid = "c"')).settings("any")
    assert (settings.title, settings.due) == ("any", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"no \[course\] table"),
        ("[course]\nid = 3", r"line 2: course.id should be text in quotes"),
        ('[course]\nid = "a b"', r"line 2: course.id needs letters"),
        ('[course]\nid = "c"\n\n[assignments.a]\nlimit = {}', r"line 5: assignments.a.limit is no key"),
        ('[course]\nid = "c"\n[assignments.a]\nlimits = { cell_seconds = "9" }', r"line 4: .*whole number"),
        ('[course]\nid = "c"\n[assignments.a]\nlimits = { cell_seconds = 0 }', r"line 4: .*at least 1"),
        ('[course]\nid = "c"\n[assignments.a]\nattempts = true', r"line 4: .*whole number"),
        ('[course]\nid = "c"\n[assignments.a]\nattempts = 3', r"line 4: .*only where students hand in.*attempts = 0"),
        ('[course]\nid = "c"\n[assignments.a]\ndue = 2026-12-18T23:59:00', r"line 4: .*needs a time zone"),
        ('[course]\nid = "c"\n[assignments.a]\nlate = { penalty_per_day = 2 }', r"line 4: .*between 0 and 1"),
        ("[course]\nid = x\n", r"not TOML: .*line 2"),
    ],
)
def test_a_wrong_key_is_named_with_its_line_and_a_cure(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CourseError, match=message):
        Course.load(write(tmp_path, text))


def test_a_missing_course_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="--course"):
        Course.find(tmp_path)


def test_the_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    course = Course.load(write(tmp_path, '[course]\nid = "c"\nsecret_seed = ".secrets/seed"'))
    secret = course.secret()
    path = tmp_path / ".secrets" / "seed"
    assert secret is not None
    assert len(secret) == 32
    assert course.secret() == secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["seed"]


def test_no_secret_is_made_where_none_is_named(tmp_path: Path) -> None:
    assert Course.load(write(tmp_path, '[course]\nid = "c"')).secret() is None


@pytest.mark.parametrize(
    ("content", "mode", "message"), [("ab" * 32, 0o644, "chmod 600"), ("abc", 0o600, "hexadecimal")]
)
def test_a_secret_that_others_read_or_that_is_none_is_refused(
    tmp_path: Path, content: str, mode: int, message: str
) -> None:
    course = Course.load(write(tmp_path, '[course]\nid = "c"\nsecret_seed = "seed"'))
    (tmp_path / "seed").write_text(content)
    (tmp_path / "seed").chmod(mode)
    with pytest.raises(CourseError, match=message):
        course.secret()


@pytest.mark.parametrize(
    ("late", "factor"),
    [
        (timedelta(hours=-1), 1.0),
        (timedelta(minutes=15), 1.0),
        (timedelta(minutes=16), 0.9),
        (timedelta(hours=24), 0.9),
        (timedelta(hours=25), 0.8),
        (timedelta(days=300), 0.5),
    ],
)
def test_every_started_day_costs_until_the_floor(late: timedelta, factor: float) -> None:
    policy = LatePolicy(grace_minutes=15, penalty_per_day=0.1, lowest_factor=0.5)
    assert policy.factor(late) == pytest.approx(factor)
