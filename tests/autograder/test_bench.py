"""That the bench measures what it says; no figure of it decides a test."""

import json
from dataclasses import asdict
from pathlib import Path

import nbformat
import pytest

from autograder import bench, stock
from autograder.assignment import Assignment
from autograder.bench import Bench
from autograder.errors import EngineError


@pytest.fixture(scope="module")
def measured(tiny: Assignment) -> Bench:
    return bench.bench(tiny, students=3, jobs=2)


def test_engine_and_stock_grade_the_same_class(measured: Bench) -> None:
    assert measured.stock is not None
    assert (measured.students, measured.stock.same_scores) == (3, 3)
    for figures in (asdict(measured), asdict(measured.stock)):
        seen = {name: value for name, value in figures.items() if name != "worker_mb"}  # may fall between two looks
        assert [name for name, value in seen.items() if isinstance(value, float) and value <= 0] == []


def test_figures_agree_with_one_another(measured: Bench) -> None:
    assert measured.stock is not None
    assert measured.per_minute == pytest.approx(60 / measured.wall_seconds, rel=0.02)
    assert measured.stock.ratio_to_stock == pytest.approx(measured.per_minute / measured.stock.per_minute, rel=0.02)
    assert measured.cpu_seconds == pytest.approx(measured.bare_seconds + measured.overhead_seconds, rel=0.02)
    assert 0 <= measured.worker_mb < measured.total_mb


def test_the_figures_are_saved_with_what_made_them(measured: Bench, tiny: Assignment) -> None:
    reports = bench.bench_reports(tiny, 50)
    assert reports.students == 50 and reports.seconds > 0 and reports.megabytes > 10
    saved = json.loads(json.dumps(bench.report([measured], reports)))
    assert saved["ratio_to_stock"] == measured.stock.ratio_to_stock  # type: ignore[union-attr]
    assert saved["assignments"][0]["sandbox"] == measured.sandbox
    assert {"date", "machine", "python", "versions", "reports"} <= set(saved)
    assert f"{measured.per_minute:.1f} a minute" in "\n".join(bench.lines(measured))


def test_a_class_is_made_of_the_catalogue_over_and_over(tiny: Assignment) -> None:
    notebooks = bench.class_of(tiny, 30)
    texts = [tuple(cell.source for cell in notebook.cells[:-1]) for notebook in notebooks.values()]
    assert len(notebooks) == 30
    assert 3 < len(set(texts)) < 30
    assert len({nbformat.writes(notebook) for notebook in notebooks.values()}) == 30


def test_what_nbgrader_refuses_is_said(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="nbgrader autograde nothing failed"):
        stock.run(tmp_path, "autograde", "nothing")
