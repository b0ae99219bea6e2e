"""Pictures load when a reader comes near them, and their place is kept: each says its size and waits for its turn."""

import re
from pathlib import Path

import imagesize

PICTURE = re.compile(r'<img (?P<attributes>[^>]*?)src="(?P<address>[^"]*_images/(?P<name>[^"/]+))"')


def prepare(app, pagename, templatename, context, doctree) -> None:
    sources = {name: Path(app.srcdir) / source for source, name in app.builder.images.items()}

    def with_size(picture: re.Match[str]) -> str:
        width, height = imagesize.get(sources[picture["name"]])
        size = f'width="{width:.0f}" height="{height:.0f}" ' if width > 0 else ""
        return f'<img {picture["attributes"]}{size}loading="lazy" src="{picture["address"]}"'

    if "body" in context:
        context["body"] = PICTURE.sub(with_size, context["body"])


def setup(app):
    app.connect("html-page-context", prepare)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
