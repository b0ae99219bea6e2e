"""Convert the Markdown cells of one chapter: walk the parser's tokens, collect edits, apply them to the source."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from markdown_it.token import Token

from myst import directives, roles
from myst.citations import Bibliography
from myst.labels import Label, Labels
from myst.parser import Directive, MystError, parse, read_directive
from myst.site import Site
from myst.source import Edit, Lines, applied

T = TypeVar("T")

# Blocks that JupyterLab and Colab show as they stand; what is inside them is looked at token by token.
KEPT = {"paragraph_open", "bullet_list_open", "ordered_list_open", "list_item_open", "blockquote_open", "hr"}
KEPT |= {"table_open", "thead_open", "tbody_open", "tr_open", "th_open", "td_open", "code_block", "dl_open", "dt_open"}
KEPT_INLINE = {"text", "text_special", "softbreak", "hardbreak", "code_inline", "link_close"}
KEPT_INLINE |= {f"{name}_{end}" for name in ("em", "strong") for end in ("open", "close")}
TAGS = {"br", "kbd", "sub", "sup", "details", "summary"}
TAG = re.compile(r"</?([a-zA-Z][\w-]*)")
COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)
LEFTOVER = re.compile(r"\{[\w:+-]+\}`|\[\^[^\]]+\]|:::|```")


@dataclass
class Chapter:
    """One chapter on its way to a notebook: what its cells have defined, counted and cited so far."""

    name: str
    path: str
    site: Site
    labels: Labels
    bibliography: Bibliography
    glued: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    level: int = 1
    listed: bool = False

    def number(self, kind: str) -> str:
        """The next number of this kind, as the book prints it: chapter and place, such as 1.3."""
        self.counts[kind] += 1
        return f"{int(self.name[:2])}.{self.counts[kind]}"

    def define(self, name: str, kind: str, line: int, number: str = "", title: str = "") -> None:
        self.labels.define(name, Label(kind, self.name, number, title, line))


@dataclass
class Converter:
    """Converts the text of one cell, or of a directive's body inside it (`quoted`: it will stand in a block quote)."""

    chapter: Chapter
    quoted: bool = False
    notes: list[str] = field(default_factory=list)
    targets: list[tuple[str, int]] = field(default_factory=list)

    def cell(self, text: str, line: int) -> str:
        """The plain Markdown of a cell whose first line is line `line` of the chapter. Raises MystError."""
        converted = self.convert(text, line)
        texts = self.chapter.labels.footnotes.get(self.chapter.name, {})
        notes = [f"<sup>{i}</sup> {texts[label]}" for i, label in enumerate(self.notes, start=1)]
        return "\n\n".join([converted, *notes]) if converted else ""

    def body(self, directive: Directive, *, quoted: bool = False) -> str:
        """The converted body of a directive."""
        return replace(self, quoted=self.quoted or quoted).convert(directive.body, directive.body_line)

    def convert(self, text: str, line: int) -> str:
        """The plain Markdown of `text`, whose first line is line `line` of the chapter. Raises MystError."""
        known = self.chapter.labels.footnotes.get(self.chapter.name, {})
        tokens, env = parse(text, known)
        if env.get("references"):
            first = min(reference["map"][0] for reference in env["references"].values())
            raise self._error(
                line + first, "Write links in place, as [text](address): a definition is lost between cells."
            )
        source = Lines(text)
        edits: list[Edit] = []
        done = 0  # lines before this one belong to a block that is already rewritten
        for position, token in enumerate(tokens):
            if token.map is None or token.map[0] < done:
                continue
            here = line + token.map[0]
            if token.type not in ("inline", "heading_open", "myst_target", "myst_line_comment"):
                self._name_targets("")
            if token.type == "inline":
                changes = self._inline(token, here)
                if tokens[position - 1].type == "dt_open":  # a term becomes the bold head of a list item
                    changes += [(0, 0, "- **"), (len(token.content), len(token.content), "**:")]
                edits += self._guard(here, lambda t=token, c=changes: source.place(t, c))
            elif token.type == "heading_open":
                self.chapter.level = int(token.tag[1])
                self._name_targets(applied(tokens[position + 1].content, self._inline(tokens[position + 1], here)))
            elif token.type in KEPT:
                if token.type == "ordered_list_open" and _items(tokens, position) == 1:
                    raise self._error(
                        here, r"A number with a full stop begins a list here. Write it as `7\.` or add words."
                    )
            elif token.type == "dd_open":
                marker = re.compile(r"[:~]").search(text, source.starts[token.map[0]])
                edits.append((marker.start(), marker.end(), " "))
            elif (replacement := self._block(tokens, position, here)) is not None:
                done = token.map[1]
                edits.append(source.block(token.map[0], done, replacement))
        self._name_targets("")
        return applied(text, edits).strip("\n")

    def _block(self, tokens: list[Token], position: int, line: int) -> str | None:
        """What replaces a block; None to keep it."""
        token = tokens[position]
        if token.type == "fence":
            return self._fence(token, line)
        if token.type in ("math_block", "math_block_label"):
            if token.level:
                if token.type == "math_block_label" or (self.quoted and "\n" in token.content.strip()):
                    raise self._error(
                        line, "Move this formula out of the list: there it can have one line and no label."
                    )
                return None
            return self._guard(line, lambda: directives.display(self, token.content, token.info, line))
        if token.type == "html_block":
            return self._html(token.content, line)
        if token.type == "myst_target":
            self.targets.append((token.content, line))
            return ""
        if token.type == "myst_line_comment":
            return ""
        if token.type == "footnote_reference_open":
            inner = tokens[position + 2]
            if tokens[position + 4].type != "footnote_reference_close":
                raise self._error(line, "A footnote holds one paragraph.")
            notes = self.chapter.labels.footnotes.setdefault(self.chapter.name, {})
            notes[token.meta["label"]] = applied(inner.content, self._inline(inner, line)).replace("\n", " ")
            return ""
        raise self._error(
            line, f"The notebooks cannot show `{token.type}`. Use paragraphs, lists, tables and directives."
        )

    def _fence(self, token: Token, line: int) -> str | None:
        directive = self._guard(line, lambda: read_directive(token, line))
        if directive is None:
            return None
        if token.level:
            raise self._error(line, f"Move {{{directive.name}}} out of the list or quotation around it.")
        return self._guard(line, lambda: directives.render(directive, self))

    def _html(self, content: str, line: int) -> str | None:
        rest = COMMENT.sub("", content)
        unknown = sorted({tag.lower() for tag in TAG.findall(rest)} - TAGS)
        if unknown or "<!" in rest or "<?" in rest:
            what = f"<{unknown[0]}>" if unknown else rest.strip()
            raise self._error(
                line, f"The notebooks cannot show HTML such as {what}. Allowed: {', '.join(sorted(TAGS))}."
            )
        return None if rest == content else rest.rstrip("\n")

    def _inline(self, token: Token, line: int) -> list[Edit]:
        """Edits to the text of one inline token."""
        edits: list[Edit] = []
        for child in token.children or []:
            start, end = child.meta.get("span", (0, 0))
            here = line + token.content.count("\n", 0, start)
            if child.type == "myst_role":
                name, content = child.meta["name"], child.content
                edits.append((start, end, self._guard(here, lambda n=name, c=content: roles.render(n, c, self))))
            elif child.type == "image":
                source, alt = str(child.attrs["src"]), child.content
                edits.append((start, end, self._guard(here, lambda s=source, a=alt: roles.picture(s, a, self.chapter))))
            elif child.type == "link_open":
                if child.markup != "autolink":
                    edits += self._guard(here, lambda c=child: roles.link(c, token.content, self.chapter))
            elif child.type == "math_inline":
                if "\n" in child.content:  # inside a quotation the marker of the next line would end up in the formula
                    edits.append((start, end, token.content[start:end].replace("\n", " ")))
            elif child.type == "html_inline":
                replacement = self._html(child.content, here)
                if replacement is not None:
                    edits.append((start, end, replacement))
            elif child.type == "footnote_ref":
                edits.append((start, end, f"<sup>{self._note(child.meta['label'])}</sup>"))
            elif child.type == "code_inline" and len(child.markup) > 2:
                raise self._error(
                    here, "This fence is read as text: its first line holds a backtick, or it does not end."
                )
            elif child.type not in KEPT_INLINE:
                raise self._error(here, f"The notebooks cannot show `{child.type}`.")
            elif child.type == "text" and self.chapter.labels.complete and (left := LEFTOVER.search(child.content)):
                here = line + token.content.count("\n", 0, token.content.find(left[0]))
                why = "Complete the role, define the footnote, keep backticks out of a directive's first line."
                raise self._error(here, f"The book shows ‘{left[0]}’ as text. {why}")
        return edits

    def _note(self, label: str) -> int:
        if label not in self.notes:
            self.notes.append(label)
        return self.notes.index(label) + 1

    def _name_targets(self, title: str) -> None:
        """Give the targets seen since the last block the title of the heading that follows them."""
        for name, line in self.targets:
            self._guard(line, lambda n=name, at=line: self.chapter.define(n, "section", at, title=title))
        self.targets.clear()

    def _guard(self, line: int, action: Callable[[], T]) -> T:
        try:
            return action()
        except ValueError as error:
            raise self._error(line, str(error)) from error

    def _error(self, line: int, message: str) -> MystError:
        return MystError(self.chapter.path, line, message)


def _items(tokens: list[Token], position: int) -> int:
    """The number of items of the list that opens at `position`."""
    level, items = tokens[position].level, 0
    for token in tokens[position + 1 :]:
        if token.level == level:
            break
        items += token.type == "list_item_open" and token.level == level + 1
    return items
