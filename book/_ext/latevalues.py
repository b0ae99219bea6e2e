"""A page with a network in it is as light as others: large values of its widgets come when the reader comes near.

myst-nb stores a widget's binary values in the page, as base64. Those of LARGE or more letters move to files of their
own here: scripts, since a page from the disk may load a script and nothing else. Each is named after its content, so
that pages share them, and leaves its text with the element that loads it. The page says {"path": …, "file": address};
anywidget-static.js shows the widget with null in the value's place, and sets it when a reader has moved and is near.
"""

import hashlib
import json
from pathlib import Path

STATE = "application/vnd.jupyter.widget-state+json"
LARGE = 50_000
FOLDER = "_static/late"


def move_out(app, pagename, templatename, context, doctree) -> None:
    for file in context.get("script_files", []):
        if getattr(file, "attributes", {}).get("type") == STATE:
            content, values = without_large(
                file.attributes["body"], lambda name: context["pathto"](name, resource=True)
            )
            file.attributes["body"] = content
            for name, value in values.items():
                path = Path(app.outdir) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(script(value))


def without_large(text: str, address_of) -> tuple[str, dict[str, str]]:
    """A widget state, as JSON, that names files for its large values, and those values by the files' names."""
    content, values = json.loads(text), {}
    for model in content["state"].values():
        for buffer in model.get("buffers", []):
            if len(buffer["data"]) >= LARGE and len(buffer["path"]) == 1:
                value = buffer.pop("data")
                name = f"{FOLDER}/{hashlib.sha256(value.encode()).hexdigest()[:16]}.js"
                buffer["file"] = address_of(name)
                values[name] = value
    return json.dumps(content).replace("</", "<\\/"), values


def script(value: str) -> str:
    return f'document.currentScript.value = "{value}";\n'


def remove_unnamed(app, exception) -> None:
    """Values that no page names any more."""
    if exception:
        return
    pages = [page.read_text(encoding="utf-8") for page in Path(app.outdir).glob("**/*.html")]
    for file in (Path(app.outdir) / FOLDER).glob("*.js"):
        if not any(file.name in page for page in pages):
            file.unlink()


def setup(app):
    app.connect("html-page-context", move_out, priority=901)  # after onescript, which compares whole sources
    app.connect("build-finished", remove_unnamed, priority=200)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
