"""Nothing stale ships: cells run again after a change in what they call, and pages go with their source.

jupyter-cache compares a chapter's code cells alone. A chapter imports convbook, so a change there would leave
its stored outputs, the widgets' scripts among them, as they were. The cache folder's name therefore holds
a hash of everything that a cell's result depends on; Sphinx reads the chapters again when it changes.
"""

import hashlib
import shutil
from pathlib import Path

CODE = ("convbook", "requirements.txt")
PREFIX = ".jupyter_cache-"


def hash_code(root: Path) -> str:
    """A short hash of names and contents of the files that chapters import, and of the pinned versions."""
    digest = hashlib.sha256()
    for top in CODE:
        files = [root / top] if (root / top).is_file() else sorted((root / top).rglob("*"))
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                content = file.read_bytes()
                digest.update(f"{file.relative_to(root)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def choose_cache(app, config) -> None:
    build = Path(app.outdir).parent
    cache = build / f"{PREFIX}{hash_code(Path(app.srcdir))}"
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
    app.connect("config-inited", choose_cache)
    app.connect("build-finished", remove_orphans, priority=100)  # before slimtheme looks which icons the pages use
    return {"parallel_read_safe": True, "parallel_write_safe": True}
