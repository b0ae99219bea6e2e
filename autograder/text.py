"""Text that came from a submission, made fit for a page, a log or a spreadsheet."""

import re
from typing import Any

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)", re.DOTALL)
# Controls, lone surrogates, bidirectional overrides and other characters that are not seen.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
# What means something to Markdown anywhere, or only where a line begins: a comment is read unrendered, too.
_MARKDOWN = re.compile(r"([\\`*_\[\]<>$&|~^]|:(?=//)|^\s*[#+=:-]|^\s*\d+[.)])", re.MULTILINE)


def clean(text: str, limit: int = 2000) -> str:
    """`text` without escapes, controls and invisible characters, at most `limit` characters long."""
    seen = _UNSEEN.sub("\ufffd", _ANSI.sub("", text[: 4 * limit].replace("\r\n", "\n").replace("\r", "\n")))
    return seen if len(seen) <= limit else seen[: limit - 2] + " …"


def encodable(value: Any) -> Any:
    """Text, or lists and dicts of it, with lone surrogates replaced: no file and no page can hold them."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [encodable(each) for each in value]
    if isinstance(value, dict):
        return type(value)({encodable(key): encodable(each) for key, each in value.items()})
    return value


def escape_markdown(text: str) -> str:
    """`text` so that a Markdown renderer shows it letter by letter, line by line."""
    return _MARKDOWN.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", text).replace("\n", "  \n")


def plain_number(value: float) -> float:
    """A whole number as int: points read 3, not 3.0, wherever they are shown."""
    rounded = round(value, 6)
    return int(rounded) if rounded == int(rounded) else rounded
