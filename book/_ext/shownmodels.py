"""A page carries those widget models that it shows, and no others.

myst-nb stores the models of every widget that a notebook made. A training panel whose output a page leaves out would
weigh 20 kB all the same, with its curves. Kept are the models of the page's views, and what those refer to.
"""

import json
import re

STATE = "application/vnd.jupyter.widget-state+json"
_VIEW = re.compile(r'<script type="application/vnd\.jupyter\.widget-view\+json">(.*?)</script>', re.DOTALL)
_REFERENCE = re.compile(r"IPY_MODEL_([0-9a-zA-Z-]+)")


def drop_others(app, pagename, templatename, context, doctree) -> None:
    for file in context.get("script_files", []):
        if getattr(file, "attributes", {}).get("type") == STATE:
            file.attributes["body"] = shown(file.attributes["body"], context["body"])


def shown(text: str, body: str) -> str:
    """A widget state, as JSON, with the models that a page's HTML shows."""
    content = json.loads(text)
    waiting = [json.loads(view)["model_id"] for view in _VIEW.findall(body)]
    kept = set()
    while waiting:
        if (model := waiting.pop()) in content["state"] and model not in kept:
            kept.add(model)
            waiting += _REFERENCE.findall(json.dumps(content["state"][model]))
    content["state"] = {model: state for model, state in content["state"].items() if model in kept}
    return json.dumps(content).replace("</", "<\\/")


def setup(app):
    app.connect("html-page-context", drop_others, priority=899)  # after myst-nb's, before onescript's
    return {"parallel_read_safe": True, "parallel_write_safe": True}
