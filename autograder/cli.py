"""The command line. Each command is thin: it reads arguments, calls one function and says what came of it.

Exit codes: 0 done; 1 a check found something; 2 unusable arguments or course; 3 some submission has no result.
"""

import gc
import os
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click
from tqdm import tqdm

from autograder.course import Course
from autograder.errors import AutograderError, EngineError, InstructorError, SandboxError
from autograder.policy import SANDBOXES, Level
from autograder.probe import choose
from autograder.warm import WarmProcesses, code_of, slow_libraries

if TYPE_CHECKING:
    from autograder.cluster import ClusterExecutor
    from autograder.grade import Executor
    from autograder.judged import JudgeExecutor

# Everything that takes a second to import (nbgrader, jupytext) is imported by the command that needs it. They bring
# jsonschema, which shall not take another second to read a grammar of international addresses: nothing here has any.
# jupytext does without what a Jupyter server alone needs of it.
for _unneeded in ("rfc3987_syntax", "jupytext.sync_contentsmanager", "jupytext.async_contentsmanager"):
    sys.modules.setdefault(_unneeded, None)  # type: ignore[arg-type]


class _Group(click.Group):
    """Turns our errors into one sentence and an exit code; anything else is a bug and keeps its traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except InstructorError as error:
            raise SystemExit(_fail(error, 2)) from None
        except EngineError as error:
            raise SystemExit(_fail(error, 3)) from None


def _fail(error: AutograderError, code: int) -> int:
    click.echo(f"autograder: {error}", err=True)
    return code


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--course", "root", type=click.Path(path_type=Path), help="The course's folder (default: around here).")
@click.pass_context
def main(ctx: click.Context, root: Path | None) -> None:
    """Release, grade and check the assignments of a course."""
    ctx.obj = root


def _course(ctx: click.Context) -> Course:
    return Course.load(ctx.obj) if ctx.obj else Course.find(Path.cwd())


def _progress(what: str, total: int, unit: str) -> "tqdm[None]":
    """A progress bar where somebody watches; in a log one line at the end has to do."""
    return tqdm(total=total, desc=what, unit=unit, disable=not sys.stderr.isatty())


_NAMES = click.argument("names", nargs=-1, metavar="[NAME]...")


@main.command()
@_NAMES
@click.option("--out", type=click.Path(path_type=Path), help="Folder (default: notebooks/assignments of the course).")
@click.pass_context
def release(ctx: click.Context, names: tuple[str, ...], out: Path | None) -> None:
    """Make the student notebooks from solutions/ (all, or those named)."""
    from autograder.assignment import Assignment
    from autograder.assignment import names as known
    from autograder.release import release as write

    course = _course(ctx)
    for name in names or known(course.root):
        path, changed = write(Assignment.load(course.root, name), out or course.root / "notebooks" / "assignments")
        click.echo(f"{path} {'written' if changed else 'is up to date'}")


@main.command()
@click.argument("name")
@click.option(
    "--submissions", required=True, type=click.Path(path_type=Path), help="Folder or zip with what was handed in."
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for everything that is made.")
@click.option(
    "--jobs", type=click.IntRange(1), help="At once (default: one a processor; on a cluster, twice its threads)."
)
@click.option("--scheduler", metavar="ADDRESS", help="Run on the workers of a Dask cluster, e.g. tcp://10.0.0.1:8786.")
@click.option(
    "--sandbox", type=click.Choice((*SANDBOXES, "none")), help="Level of the sandbox (default: the strongest here)."
)
@click.option("--force", is_flag=True, help="Grade again what was graded before.")
@click.option("--db", "db_url", metavar="URL", help="Another gradebook, as an SQLAlchemy URL.")
@click.option("--quiet", is_flag=True, help="Say nothing but what went wrong.")
@click.option("--json-lines", is_flag=True, help="Say everything as one JSON object a line, for scripts.")
@click.pass_context
def grade(
    ctx: click.Context,
    name: str,
    submissions: Path,
    out: Path,
    jobs: int | None,
    scheduler: str | None,
    sandbox: str | None,
    force: bool,
    db_url: str | None,
    quiet: bool,
    json_lines: bool,
) -> None:
    """Grade everything in a folder or zip; goes on where an earlier run stopped."""
    if quiet and json_lines:
        raise click.UsageError("--quiet says nothing, --json-lines says all: give one of them.")
    gc.disable()  # what is imported stays, and so it does at the end: there is nothing to find
    ctx.call_on_close(gc.freeze)
    course, warm = _course(ctx), WarmProcesses()
    ctx.call_on_close(warm.close)
    fresh = force or not out.exists()
    if not scheduler:
        # What takes long starts first, and the libraries below are imported in the meantime.
        if fresh and (text := course.source(name)):
            source = code_of(text.read_text(encoding="utf-8", errors="replace"))
            warm.start(course.settings(name).engine, slow_libraries(source))
        pool = ctx.with_resource(ThreadPoolExecutor(1))
        level = pool.submit(choose, sandbox)

    from autograder import progress
    from autograder.assignment import Assignment
    from autograder.collect import collect
    from autograder.judged import executor as make_executor

    def say(text: str) -> None:
        if not quiet and not json_lines:
            click.echo(text)

    def warn(text: str) -> None:
        click.echo(text, err=True)

    assignment = Assignment.load(course.root, name)
    collected, without = collect(submissions, name)
    if without:
        warn(f"{len(without)} folders hold nothing of {name}: {', '.join(without[:10])}")
    executor: ClusterExecutor | JudgeExecutor
    if scheduler:
        from autograder import cluster

        executor = cluster.ClusterExecutor(scheduler, assignment, sandbox, say=warn)
        jobs = jobs or executor.jobs
        say(f"Cluster: {executor.workers} workers with {executor.threads} threads.")
    else:
        executor = make_executor(assignment.settings.engine, level.result(), warm)
        jobs = jobs or os.cpu_count() or 1
        if fresh and collected:
            executor.prepare(assignment)
    say(f"Engine: {executor.engine}. Sandbox: {executor.sandbox}.")

    from autograder.pipeline import grade_class

    gc.freeze()
    gc.enable()
    shown = progress.Progress(len(collected))
    if json_lines:
        shown = progress.Lines(len(collected))
    elif not quiet and sys.stderr.isatty():  # in a log, a line at the end has to do
        shown = progress.Bar(len(collected), name)
    with executor, shown:
        summary = grade_class(
            assignment, collected, executor, out, jobs=jobs, force=force, db_url=db_url, progress=shown
        )
    statuses = Counter(result.status for result in summary.results.results)
    counts = ", ".join(f"{count} {status}" for status, count in statuses.most_common())
    say(f"{sum(statuses.values())} results ({summary.kept} kept from before): {counts}")
    say(f"Report: {out / 'report.html'}")
    for student, reason in summary.lost.items():
        warn(f"autograder: no result for {student}: {reason}")
    if summary.lost:
        raise SystemExit(3)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
def report(folder: Path) -> None:
    """Make report.html and grades.csv again from FOLDER/results.json."""
    from autograder.report import write_reports
    from autograder.results import Results

    write_reports(folder, Results.load(folder))
    click.echo(f"Report: {folder / 'report.html'}")


def _level() -> Level:
    """Walls for the course's own code, which needs none where there are none."""
    try:
        return choose(None)
    except SandboxError:
        return "none"


@main.command()
@_NAMES
@click.option("--seeds", type=click.IntRange(1), default=20, show_default=True, help="Different draws for each check.")
@click.option("--judged/--no-judged", default=True, help="Whether to run every check through the engine as well.")
@click.option("--mutants/--no-mutants", default=True, help="Whether to test the tests on changed solutions.")
@click.pass_context
def verify(ctx: click.Context, names: tuple[str, ...], seeds: int, judged: bool, mutants: bool) -> None:
    """Check the rules for tests, and that every catalogued mistake and alternative gets its points and its hint.

    Each answer is run in plain Python and through the engine that course.toml names. Then the reference solutions are
    changed, a small change at a time: a test must notice, or the catalogue's SURVIVORS say why none can.
    """
    from autograder.assignment import Assignment
    from autograder.assignment import names as known
    from autograder.direct import DirectExecutor
    from autograder.judged import executor as make_executor
    from autograder.mutation import mutants as make_mutants
    from autograder.mutation import mutation_score
    from autograder.release import findings
    from autograder.verify import Catalogue, checks
    from autograder.verify import verify as run

    course = _course(ctx)
    assignments = [Assignment.load(course.root, name) for name in names or known(course.root)]
    everything = [(assignment, Catalogue.load(assignment)) for assignment in assignments]
    bad = 0
    with ExitStack() as stack:
        engines: dict[str, Executor] = {}
        for engine in {assignment.settings.engine for assignment in assignments} if judged else ():
            engines[engine] = stack.enter_context(make_executor(engine, _level()))
        for assignment, catalogue in everything:
            name, wanted = assignment.name, checks(assignment, catalogue)
            changed = make_mutants(assignment) if mutants else []
            with DirectExecutor(assignment) as direct:
                own = engines.get(assignment.settings.engine)
                executors = [direct, own] if own else [direct]
                with _progress(f"verify {name}", len(wanted), "check") as bar:
                    problems = run(assignment, wanted, executors, seeds, bar.update)
                with _progress(f"mutate {name}", len(changed), "mutant") as bar:
                    score = mutation_score(assignment, changed, direct, seeds, bar.update)
            for finding in findings(assignment):
                click.echo(finding)
                bad += finding.severity == "error"
            modes = " and ".join(executor.engine for executor in executors)
            click.echo(f"{name}: {len(wanted) - len(problems)} of {len(wanted)} checks hold ({modes}, {seeds} seeds)")
            for problem in problems:
                click.echo(f"  {problem.check.question or name}, {problem.check.name}: {problem.what}")
            weak = score.problems(catalogue.survivors) if mutants else []
            if mutants:
                click.echo(f"{name}: the tests notice {score.share:.0%} of {score.mutants} changes to the solutions")
            for survivor in catalogue.survivors if mutants else ():
                click.echo(f"  {survivor.question}: {survivor.line} → {survivor.becomes} (the same: {survivor.reason})")
            for what in weak:
                click.echo(f"  {what}")
            bad += len(problems) + len(weak)
    if bad:
        raise SystemExit(1)


@main.command()
@click.argument("name")
@click.pass_context
def new(ctx: click.Context, name: str) -> None:
    """Start a new assignment: a small one that verifies, to be replaced by your own."""
    from autograder.new import new_assignment

    for path in new_assignment(_course(ctx), name):
        click.echo(f"{path} written")
    click.echo(f"Now edit both, then run: autograder verify {name} && autograder release {name}")


@main.command()
@click.argument("name")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the submissions.")
@click.pass_context
def sample(ctx: click.Context, name: str, out: Path) -> None:
    """Make a sample class of submissions from the solutions and the mistakes."""
    from autograder.assignment import Assignment
    from autograder.sample import write_sample

    students = write_sample(Assignment.load(_course(ctx).root, name), out)
    click.echo(f"{len(students)} submissions in {out}: {', '.join(students)}")


@main.command()
@_NAMES
@click.option("--students", type=click.IntRange(1), default=40, show_default=True, help="Submissions of each.")
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, show_default=True, help="At once.")
@click.option("--stock/--no-stock", default=True, help="Whether stock nbgrader grades them, too.")
@click.option("--report", "reports", type=click.IntRange(1), help="Measure the reports of a class of so many, too.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Where to save the figures.")
@click.pass_context
def bench(
    ctx: click.Context,
    names: tuple[str, ...],
    students: int,
    jobs: int,
    stock: bool,
    reports: int | None,
    file: Path | None,
) -> None:
    """Measure the engine, with its sandbox, beside stock nbgrader on the same submissions, in turn."""
    import json

    from autograder import bench as measure
    from autograder.assignment import Assignment
    from autograder.assignment import names as known

    course = _course(ctx)
    assignments = [Assignment.load(course.root, name) for name in names or known(course.root)]
    found = []
    for assignment in assignments:
        found.append(measure.bench(assignment, students, jobs, stock, lambda text: click.echo(f"{text} …", err=True)))
        click.echo("\n".join(measure.lines(found[-1])))
    large = measure.bench_reports(assignments[0], reports) if reports else None
    if large:
        click.echo(f"Reports of {large.students} students: {large.seconds:.1f} s, {large.megabytes:.0f} MB")
    if file:
        file.write_text(json.dumps(measure.report(found, large), indent=1) + "\n")


@main.command()
def doctor() -> None:
    """Look at this machine: the sandbox, room, and what is missing. Ends with 1 where grading would not be safe."""
    from autograder.doctor import report as look

    found = look()
    for check in found.checks:
        click.echo(f"{' ' if check.ok else '✗'} {check.name}: {check.found}")
        if check.advice:
            click.echo(f"    {check.advice}")
    if not found.safe:
        raise SystemExit(1)
