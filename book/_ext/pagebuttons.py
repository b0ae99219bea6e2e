"""The buttons over each page: Colab, download, repository, report an error.

The theme's own set opens the Markdown source in Colab, which reads notebooks only, and hides single
buttons in menus. This one points at the generated notebooks/chapters/NAME.ipynb, in Colab and as a
download that is copied into the book. `repository:` in _config.yml says where the project lives. A report opens the
form .github/ISSUE_TEMPLATE/page-error.yml with the page and the book's version filled in.
"""

import re
import shutil
import tomllib
from pathlib import Path
from urllib.parse import urlencode

from sphinx.util import logging

logger = logging.getLogger(__name__)
CHAPTER = re.compile(r"[0-9][0-9]-.*")  # the pages that tools/notebooks.py makes notebooks of


def notebook_of(app, pagename: str) -> Path | None:
    """The generated notebook of a chapter, relative to the repository's root; None for other pages."""
    if not CHAPTER.fullmatch(Path(pagename).name):
        return None
    return Path("notebooks", "chapters", Path(pagename).name + ".ipynb")


def link(text: str, url: str, icon: str, tooltip: str) -> dict[str, str]:
    return {"type": "link", "text": text, "url": url, "icon": icon, "tooltip": tooltip}


def set_buttons(app, pagename, templatename, context, doctree) -> None:
    options = app.config.html_theme_options
    repository, branch = options["repository_url"], options["repository_branch"]
    issue = {
        "template": "page-error.yml",
        "title": f"Error on page {pagename}",
        "page": pagename,
        "version": app.config.convbook_version,
    }
    buttons = []
    if notebook := notebook_of(app, pagename):
        project = repository.removeprefix("https://github.com/")
        colab = f"https://colab.research.google.com/github/{project}/blob/{branch}/{notebook.as_posix()}"
        download = context["pathto"](notebook.as_posix(), 1)
        buttons += [
            link("Colab", colab, "fas fa-play", "Run this chapter in Google Colab"),
            link("Notebook", download, "fas fa-download", "Download this chapter as a notebook for JupyterLab"),
        ]
    buttons += [
        link("Source", repository, "fab fa-github", "The project's repository"),
        link("Report", f"{repository}/issues/new?{urlencode(issue)}", "fas fa-bug", "Report an error on this page"),
    ]
    context["header_buttons"] = buttons


def copy_notebooks(app, exception) -> None:
    """Put the notebooks where the download buttons point, on every build: they change without their page."""
    if exception:
        return
    for pagename in sorted(app.env.found_docs):
        notebook = notebook_of(app, pagename)
        if notebook is None:
            continue
        source, copy = Path(app.srcdir) / notebook, Path(app.outdir) / notebook
        if not source.exists():
            logger.warning("%s links to %s, which does not exist. Run `make notebooks`.", pagename, notebook)
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)


def setup(app):
    project = tomllib.loads((Path(app.srcdir) / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    app.add_config_value("convbook_version", project["version"], "env")
    app.connect("html-page-context", set_buttons, priority=900)
    app.connect("build-finished", copy_notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
