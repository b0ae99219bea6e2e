"""The theme brings 1,400 icons; the book's pages draw about twenty. After a build the others go.

Reads the theme's own files each time, so that a second build starts from the same place: the rules of
unused icons leave the style sheet (a third of its weight), the icon fonts keep the glyphs in use, and what
no page loads (see _templates/static/webpack-macros.html) leaves the folder. And a page names only those style
sheets and scripts of the extensions that something in it needs.
"""

import re
from pathlib import Path

import pydata_sphinx_theme
from fontTools import subset

THEME = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static"
STYLE = "styles/pydata-sphinx-theme.css"
FONTS = "vendor/fontawesome/webfonts"
ICON_RULE = re.compile(r'((?:\.fa-[a-z0-9-]+:before,?)+)\{content:"\\[0-9a-f]+"\}')
ICON_NAME = re.compile(r"\bfa-([a-z0-9-]+)")
FONT_URLS = re.compile(
    r'(\.\./vendor/fontawesome/webfonts/[a-z0-9-]+)\.woff2\) format\("woff2"\),url\(\1\.ttf\) [^)]*\)'
)
GLYPH = re.compile(r"\\([ef][0-9a-f]{3})\b")  # Font Awesome lives in the private use area
UNUSED = ("scripts/bootstrap.js*", "scripts/fontawesome.js*", "**/*.map", f"{FONTS}/*.ttf", f"{FONTS}/*.woff2")


def markup(name: str) -> re.Pattern[str]:
    """An element with a class of this name, or whose name begins so where it ends in a hyphen."""
    return re.compile(rf'class="(?:[^"]* )?{name}' + ("" if name.endswith("-") else '[ "]'))


# What extensions add to every page, by the markup that needs it.
NEEDED_BY = {
    markup("sd-"): ("sphinx-design.min.css",),
    markup("sd-tab-"): ("design-tabs.js",),
    markup("cell"): ("mystnb.",),
    re.compile(r"<pre\b"): ("clipboard.min.js", "copybutton.js", "copybutton.css"),
    markup("(?:toggle|dropdown)"): ("togglebutton.css", "togglebutton.js"),
    markup("exercise"): ("exercise.css",),
}


def drop_unneeded(app, pagename, templatename, context, doctree) -> None:
    body = context.get("body", "")
    unneeded = tuple(f"_static/{name}" for need, names in NEEDED_BY.items() if not need.search(body) for name in names)
    for kind in ("css_files", "script_files"):
        context[kind] = [file for file in context[kind] if not str(file.filename).startswith(unneeded)]


def slim(app, exception) -> None:
    if exception:
        return
    static = Path(app.outdir) / "_static"
    used = icons_in(Path(app.outdir))
    style = (THEME / STYLE).read_text(encoding="utf-8")
    style = ICON_RULE.sub(lambda rule: rule[0] if used & set(ICON_NAME.findall(rule[1])) else "", style)
    style = FONT_URLS.sub(r'\1.woff) format("woff")', style)
    (static / STYLE).write_text(style, encoding="utf-8")
    for pattern in UNUSED:
        for file in static.glob(pattern):
            file.unlink()
    sheets = "".join(file.read_text(encoding="utf-8") for file in sorted(static.glob("**/*.css")))
    glyphs = {int(code, 16) for code in GLYPH.findall(sheets)} | {ord(c) for c in sheets if 0xE000 <= ord(c) <= 0xF8FF}
    for font in (THEME / FONTS).glob("*.ttf"):
        keep_glyphs(font, glyphs, (static / FONTS / font.name).with_suffix(".woff"))


def icons_in(pages: Path) -> set[str]:
    """Icon names that stand in the pages or that the theme's script sets."""
    files = [*pages.glob("**/*.html"), THEME / "scripts" / "pydata-sphinx-theme.js"]
    return {name for file in files for name in ICON_NAME.findall(file.read_text(encoding="utf-8"))}


def keep_glyphs(font: Path, glyphs: set[int], out: Path) -> None:
    """Write `font` with `glyphs` alone, as WOFF: its zlib is in Python, the brotli of WOFF2 is not."""
    options = subset.Options(flavor="woff")
    loaded = subset.load_font(font, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=glyphs)
    subsetter.subset(loaded)
    subset.save_font(loaded, out, options)


def setup(app):
    app.connect("html-page-context", drop_unneeded, priority=900)
    app.connect("build-finished", slim)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
