"""A new assignment that verifies: one small question to replace, with tests, mistakes and alternatives."""

from importlib.resources import files
from pathlib import Path

from autograder.course import NAME, Course
from autograder.errors import InstructorError
from autograder.files import write_atomic


def new_assignment(course: Course, name: str) -> list[Path]:
    """Write solutions/NAME/assignment.md and mistakes.py; returns their paths.

    Raises:
        InstructorError: the name cannot be one, or the assignment is there already.
    """
    if not NAME.fullmatch(name):
        raise InstructorError(f"{name!r} cannot be a name: use letters, digits, - and _, such as 11-attention.")
    folder = course.root / "solutions" / name
    if folder.exists():
        raise InstructorError(f"{folder} is there already. Choose another name, or remove the folder first.")
    title = course.settings(name).title
    if title == name:
        title = name.lstrip("0123456789-_").replace("-", " ").replace("_", " ").capitalize() or name
    paths = []
    for file in ("assignment.md", "mistakes.py"):
        text = (files("autograder") / "templates" / f"new-{file}").read_text(encoding="utf-8")
        path = folder / file
        write_atomic(path, text.replace("TITLE", title).replace("NAME", name))
        paths.append(path)
    return paths
