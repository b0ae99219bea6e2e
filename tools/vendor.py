"""Copy what the book's pages load from npm packages into book/static/vendor, at the versions of package-lock.json.

Run by tools/book.py before each build; the folder is never committed.
"""

import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KATEX = ROOT / "node_modules" / "katex"
VENDOR = ROOT / "book" / "static" / "vendor"
# Every browser that the book is for reads WOFF2; without the older formats the style sheet loses a third.
OLDER_FONTS = re.compile(r',url\([^)]*\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)')


def main() -> None:
    if not KATEX.is_dir():
        sys.exit("node_modules/katex is missing. Run `make setup`, which installs what package-lock.json lists.")
    shutil.rmtree(VENDOR, ignore_errors=True)
    fonts = VENDOR / "katex" / "fonts"
    fonts.mkdir(parents=True)
    for font in (KATEX / "dist" / "fonts").glob("*.woff2"):
        shutil.copy2(font, fonts)
    shutil.copy2(KATEX / "LICENSE", VENDOR / "katex")
    style = OLDER_FONTS.sub("", (KATEX / "dist" / "katex.min.css").read_text(encoding="utf-8"))
    (VENDOR / "katex" / "katex.min.css").write_text(style, encoding="utf-8")


if __name__ == "__main__":
    main()
