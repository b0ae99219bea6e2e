"""Repairs of markup that other extensions write, each named with axe-core's rule or with the reader it is for."""

import re

REPAIRS = (
    # label-content-name-mismatch: myst-nb labels the summary of a hidden cell with other words than it shows.
    (re.compile(r'<summary aria-label="Toggle hidden content">'), "<summary>"),
    # aria-deprecated-role, list: docutils gives citations a withdrawn role inside a list without list items.
    (re.compile(r'<div role="list" class="citation-list">'), '<div class="citation-list">'),
    (re.compile(r'(<div class="citation" id="[^"]*") role="doc-biblioentry"'), r"\1"),
    # duplicate-id: sphinx-exercise gives all exercises of a page the same id, and all solutions another.
    (re.compile(r'(<section) id="(?:exercise|solution)-content"'), r"\1"),
    # Where scripts are off: a widget leaves an empty place, so a sentence stands there.
    (
        re.compile(r'<script type="application/vnd.jupyter.widget-view\+json">.*?</script>'),
        r'\g<0><noscript><p class="needs-script">This interactive figure needs JavaScript.</p></noscript>',
    ),
)


def repair(app, pagename, templatename, context, doctree) -> None:
    body = context.get("body", "")
    for fault, mended in REPAIRS:
        body = fault.sub(mended, body)
    if body:
        context["body"] = body


def setup(app):
    app.connect("html-page-context", repair, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
