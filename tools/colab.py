"""Colab's `pip freeze` as constraints for pip anywhere else: python tools/colab.py FREEZE > constraints.txt

Colab names some packages by the wheel they came from, torch among them, and builds for its own GPUs have local
versions (2.8.0+cu126) that no other index has. Both become the plain version; what has none is left out.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

PINNED = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)")
WHEEL = re.compile(r"(?P<name>[A-Za-z0-9._-]+) @ (?P<url>https?://\S+\.whl\S*)")


def constraints(freeze: str) -> Iterator[str]:
    """A line `name==version` for each package whose version the list tells."""
    for line in freeze.splitlines():
        if pinned := PINNED.fullmatch(line.strip()):
            name, version = pinned["name"], pinned["version"]
        elif wheel := WHEEL.fullmatch(line.strip()):
            name, version = wheel["name"], unquote(urlsplit(wheel["url"]).path).rsplit("/", 1)[1].split("-")[1]
        else:
            continue
        yield f"{name}=={version.split('+')[0]}"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(*constraints(Path(sys.argv[1]).read_text(encoding="utf-8")), sep="\n")
