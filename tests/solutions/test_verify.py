"""Every assignment of the course, as `autograder verify` sees it: its catalogue in both modes, and its mutation score.

The command's 20 seeds are for a release: judged, they take minutes an assignment. Here four of them run directly, and
the first through the judge as well; a hidden test that fails for one draw in ten still shows a third of the time.
"""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder.assignment import names
from autograder.cli import main

ROOT = Path(__file__).resolve().parents[2]


def verify(*arguments: str) -> str:
    done = CliRunner().invoke(main, ["--course", str(ROOT), "verify", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("name", names(ROOT))
def test_the_catalogue_holds_for_many_draws_and_the_tests_are_strong(name: str) -> None:
    output = verify(name, "--seeds", "4", "--no-judged")
    score = re.search(r"the tests notice (\d+)% of (\d+) changes", output)
    assert score, output
    assert int(score[2]) > 50


@pytest.mark.parametrize("name", names(ROOT))
def test_the_judge_gives_the_same_verdicts(name: str) -> None:
    assert "(direct and judge, 1 seeds)" in verify(name, "--seeds", "1", "--no-mutants")
