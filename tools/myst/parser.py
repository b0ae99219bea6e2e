"""Parse MyST as the book does, and keep for every inline token its place in the source."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache

import yaml
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

# As `parse: myst_enable_extensions` in _config.yml: a test compares the two.
EXTENSIONS = frozenset({"deflist", "dollarmath"})


class MystError(Exception):
    """Something in a chapter that the notebooks cannot show; `str()` is `FILE:LINE: what to do`."""

    def __init__(self, path: str, line: int, message: str) -> None:
        super().__init__(f"{path}:{line}: {message}")


@cache
def parser() -> MarkdownIt:
    """MyST's parser, in which each inline token carries `meta["span"]`: its start and end in the inline text."""
    md = create_md_parser(MdParserConfig(enable_extensions=set(EXTENSIONS)), RendererHTML)
    ruler = md.inline.ruler
    for name, rule in zip(ruler.get_active_rules(), ruler.getRules(""), strict=True):
        ruler.at(name, _with_span(rule))
    return md


def _with_span(rule: Callable[[StateInline, bool], bool]) -> Callable[[StateInline, bool], bool]:
    def spanned(state: StateInline, silent: bool) -> bool:
        start, before = state.pos, len(state.tokens)
        matched = rule(state, silent)
        if matched and not silent:
            for token in state.tokens[before:]:
                token.meta.setdefault("span", (start, state.pos))
        return matched

    return spanned


def parse(text: str, footnotes: Iterable[str] = ()) -> tuple[list[Token], dict]:
    """Tokens and environment of `text`; `footnotes` are labels that are defined in other cells of the chapter."""
    env: dict = {"footnotes": {"refs": {f":{label}": -1 for label in footnotes}, "list": {}}}
    return parser().parse(text, env), env


@dataclass(frozen=True)
class Directive:
    """A fenced directive: ```` ```{name} argument ````, its options and its body, with their line numbers."""

    name: str
    argument: str
    line: int
    options: dict[str, str] = field(default_factory=dict)
    body: str = ""
    body_line: int = 0

    @property
    def classes(self) -> set[str]:
        return set(self.options.get("class", "").split())


FENCE_INFO = re.compile(r"\{(?P<name>[^}\s]+)\}\s*(?P<argument>.*)", re.DOTALL)
OPTION = re.compile(r":(?P<key>[\w-]+):\s*(?P<value>.*)")


def read_directive(token: Token, line: int) -> Directive | None:
    """The directive that a fence opens at `line`; None for a plain fence of code. Raises ValueError on bad options."""
    match = FENCE_INFO.fullmatch(token.info.strip())
    if not match:
        return None
    options, body, skipped = _split_options(token.content)
    return Directive(match["name"], match["argument"].strip(), line, options, body, line + 1 + skipped)


def _split_options(content: str) -> tuple[dict[str, str], str, int]:
    """Options, body, and the number of lines that come before the body."""
    lines = content.splitlines()
    if lines and lines[0].strip() == "---":
        try:
            end = next(i for i, text in enumerate(lines[1:], start=1) if text.strip() == "---")
            options = {str(key): str(value) for key, value in (yaml.safe_load("\n".join(lines[1:end])) or {}).items()}
        except (StopIteration, yaml.YAMLError, AttributeError) as error:
            raise ValueError("The options between the `---` lines are not YAML of the form `key: value`.") from error
        start = end + 1
    else:
        options, start = {}, 0
        while start < len(lines) and (match := OPTION.fullmatch(lines[start].strip())):
            options[match["key"]] = match["value"].strip()
            start += 1
    while start < len(lines) and not lines[start].strip():
        start += 1
    return options, "\n".join(lines[start:]).rstrip(), start
