"""Every assignment of the course, as `autograder verify` sees it: direct and judged, with its mutation score."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder.assignment import names
from autograder.cli import main

ROOT = Path(__file__).resolve().parents[2]
MUTATION_SCORE = 95  # percent; what survives beyond that must be argued for


@pytest.mark.parametrize("name", names(ROOT))
def test_the_catalogue_holds_and_the_tests_are_strong(name: str) -> None:
    done = CliRunner().invoke(main, ["--course", str(ROOT), "verify", name, "--seeds", "1"])
    assert done.exit_code == 0, done.output
    score = re.search(r"the tests notice (\d+)% of (\d+) changes", done.output)
    assert score, done.output
    assert int(score[1]) >= MUTATION_SCORE, done.output
    assert int(score[2]) > 50
