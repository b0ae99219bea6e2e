"""What travels between a client and the workers of a cluster: JSON, a submission out and a run back."""

import json
from dataclasses import asdict

import nbformat

from autograder.assignment import Assignment
from autograder.grade import Run, Verdict
from autograder.submission import Submission


def write_letter(submission: Submission, draws_key: bytes) -> str:
    """The submission as an executor needs it, without the student's name."""
    return json.dumps(
        {
            "notebook": submission.notebook,
            "cells": [cell.id if cell else None for cell in submission.cells],
            "digest": submission.digest,
            "blank": sorted(submission.blank),
            "draws_key": draws_key.hex(),
        }
    )


def open_letter(assignment: Assignment, letter: str) -> tuple[Submission, bytes]:
    """The submission, without a name, and the key of its draws."""
    given = json.loads(letter)
    cells = {cell.id: cell for cell in assignment.cells}
    submission = Submission(
        student="",
        notebook=nbformat.from_dict(given["notebook"]),
        cells=tuple(None if each is None else cells[each] for each in given["cells"]),
        digest=given["digest"],
        blank=frozenset(given["blank"]),
    )
    return submission, bytes.fromhex(given["draws_key"])


def write_run(run: Run) -> str:
    """All of a run."""
    return json.dumps(asdict(run))


def read_run(text: str) -> Run:
    """What `write_run` wrote."""
    given = json.loads(text)
    return Run(
        verdicts={name: Verdict(**verdict) for name, verdict in given["verdicts"].items()},
        outputs={int(place): [nbformat.from_dict(each) for each in some] for place, some in given["outputs"].items()},
        status=given["status"],
        message=given["message"],
        flags=tuple(given["flags"]),
    )
