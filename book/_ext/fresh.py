"""Nothing stale ships: cells run again after a change in what they call, pages go with their source.

jupyter-cache compares a chapter's code cells alone. A chapter imports convbook and plots the logs in it, so a change
there would leave its stored outputs, the widgets' scripts among them, as they were. The cache folder's name therefore
holds a hash of everything that a cell's result depends on: those files, Python, and the installed versions of what they
import. Sphinx reads the chapters again when it changes, and nothing else makes cells run again.

Nor does Sphinx look at style sheets, scripts, extensions and its own version while no chapter changes, so that their
hash is a setting of the book.
"""

import hashlib
import platform
import shutil
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

CODE = ("convbook",)  # what cells call and read
# What those import, beside Python itself; tests/book/test_fresh.py looks for others.
PACKAGES = [
    "anywidget",
    "cycler",
    "ipykernel",
    "ipython",
    "ipywidgets",
    "matplotlib",
    "matplotlib-inline",
    "numpy",
    "pillow",
    "safetensors",
    "scikit-image",
    "scikit-learn",
    "torch",
    "torchvision",
    "traitlets",
]
SHELL = ("book/static", "book/_ext", "book/_templates", "package-lock.json")  # what pages are made with
PREFIX = ".jupyter_cache-"


def hash_files(root: Path, tops: tuple[str, ...], more: str = "") -> str:
    """A short hash of the names and contents of these files and of all files in these folders, and of `more`."""
    digest = hashlib.sha256(more.encode())
    for top in tops:
        files = [root / top] if (root / top).is_file() else sorted((root / top).rglob("*"))
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                content = file.read_bytes()
                digest.update(f"{file.relative_to(root)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def versions() -> str:
    """Python's version and those of PACKAGES, one a line."""
    return "\n".join([f"python {platform.python_version()}", *(f"{name} {installed(name)}" for name in PACKAGES)])


def installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def choose_cache(app, config) -> None:
    root, build = Path(app.srcdir), Path(app.outdir).parent
    everything = sorted(f"{package.name} {package.version}" for package in distributions())
    config.book_shell = hash_files(root, SHELL, "\n".join(everything))
    cache = build / f"{PREFIX}{hash_files(root, CODE, versions())}"
    config.nb_execution_cache_path = str(cache)
    for stale in build.glob(f"{PREFIX}*"):
        if stale != cache:
            shutil.rmtree(stale)


def remove_orphans(app, exception) -> None:
    """Pages whose source was removed or renamed since an earlier build, and templates that themes copy along."""
    if exception:
        return
    pages = {*app.env.found_docs, *app.config.html_additional_pages, "search"}
    for file in Path(app.outdir).glob("**/*.html"):
        if file.relative_to(app.outdir).with_suffix("").as_posix() not in pages:
            file.unlink()


def setup(app):
    app.add_config_value("book_shell", "", "env")
    app.connect("config-inited", choose_cache)
    app.connect("build-finished", remove_orphans, priority=100)  # before slimtheme looks which icons the pages use
    return {"parallel_read_safe": True, "parallel_write_safe": True}
