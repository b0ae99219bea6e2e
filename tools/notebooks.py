"""Generate notebooks/ from book/ and solutions/, one way: the same sources give the same bytes.

python tools/notebooks.py            write the folder
python tools/notebooks.py --check    compare it with its sources; exit 1 and name every difference
"""

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from myst import MystError, Site, convert_book

from autograder.assignment import Assignment
from autograder.errors import AutograderError
from autograder.release import release

ROOT = Path(__file__).resolve().parent.parent
README = """\
# Notebooks to run

Generated from `book/` and `solutions/` by `make notebooks`, without outputs. Edit those, never these.

- `chapters/NAME.ipynb`: a chapter of the book, to run and to change.
- `assignments/NAME/NAME.ipynb`: graded problems, to hand in.

`make lab` opens them in JupyterLab; the first links of each chapter open it in Colab.
"""


def generate(root: Path, out: Path) -> None:
    """Write everything that belongs in notebooks/ to the folder `out`."""
    chapters = convert_book(sorted((root / "book").glob("[0-9][0-9]-*.md")), Site.load(root))
    (out / "chapters").mkdir(parents=True, exist_ok=True)
    for name, notebook in chapters.items():
        nbformat.validate(notebook)
        text = nbformat.writes(notebook).rstrip("\n") + "\n"
        (out / "chapters" / f"{name}.ipynb").write_text(text, encoding="utf-8", newline="\n")
    for source in sorted((root / "solutions").glob("*/assignment.md")):
        release(Assignment.load(root, source.parent.name), out / "assignments")
    (out / "README.md").write_text(README, encoding="utf-8", newline="\n")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file by its path; not the checkpoints that JupyterLab leaves and git ignores."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and ".ipynb_checkpoints" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def differences(wanted: dict[str, bytes], found: dict[str, bytes]) -> list[str]:
    """One line for each file of notebooks/ that is not what its sources give."""
    lines = [f"notebooks/{name} is missing." for name in wanted.keys() - found.keys()]
    lines += [f"notebooks/{name} comes from no source." for name in found.keys() - wanted.keys()]
    for name in wanted.keys() & found.keys():
        if has_outputs(found[name]):
            lines.append(f"notebooks/{name} holds outputs.")
        elif wanted[name] != found[name]:
            lines.append(f"notebooks/{name} is not what its source gives.")
    return sorted(lines)


def has_outputs(content: bytes) -> bool:
    """Whether the bytes are a notebook with stored outputs or execution counts."""
    try:
        cells = json.loads(content)["cells"]
        return any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def install(wanted: dict[str, bytes], folder: Path, replaced: Path) -> list[str]:
    """Make `folder` hold exactly `wanted`; what it held instead goes to `replaced`, since it may be somebody's work.

    Returns a line for each change.
    """
    found, lines = contents(folder), []
    for name in sorted(found.keys() | wanted.keys()):
        if found.get(name) == wanted.get(name):
            continue
        path, kept = folder / name, ""
        if name in found:
            digest = hashlib.sha256(found[name]).hexdigest()[:8]
            old = replaced / Path(name).with_suffix(f".{digest}{path.suffix}")
            old.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, old)
            kept = f"; what was there is now {old}"
        if name in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(wanted[name])
        lines.append(f"notebooks: {'wrote' if name in wanted else 'removed'} {path}{kept}")
    return lines


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if notebooks/ is out of date")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        try:
            generate(root, Path(scratch))
        except (MystError, AutograderError) as error:
            print(error, file=sys.stderr)
            return 1
        wanted = contents(Path(scratch))
    if options.check:
        lines = differences(wanted, contents(root / "notebooks"))
        if lines:
            print(*lines, "Edit book/ or solutions/ and run `make notebooks`.", sep="\n", file=sys.stderr)
        return int(bool(lines))
    for line in install(wanted, root / "notebooks", root / "_build" / "replaced-notebooks"):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
