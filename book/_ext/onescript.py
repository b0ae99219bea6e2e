"""A page with four explorers carries the explorer's script once.

myst-nb stores a widget's script and style with every model, and copies of 30 kB are further apart than gzip can see.
Here the first model keeps them; later ones say {"as_in": the first one's id}, which anywidget-static.js follows.
"""

import json

STATE = "application/vnd.jupyter.widget-state+json"
SOURCES = ("_esm", "_css")


def share_sources(app, pagename, templatename, context, doctree) -> None:
    for file in context.get("script_files", []):
        if getattr(file, "attributes", {}).get("type") == STATE:
            file.attributes["body"] = shared(file.attributes["body"])


def shared(text: str) -> str:
    """A widget state, as JSON, in which every source stands once."""
    content = json.loads(text)
    owners: dict[tuple[str, str], str] = {}
    for model_id, model in content["state"].items():
        for name in SOURCES:
            source = model["state"].get(name)
            if isinstance(source, str) and (owner := owners.setdefault((name, source), model_id)) != model_id:
                model["state"][name] = {"as_in": owner}
    return json.dumps(content).replace("</", "<\\/")


def setup(app):
    app.connect("html-page-context", share_sources, priority=900)  # after myst-nb's
    return {"parallel_read_safe": True, "parallel_write_safe": True}
