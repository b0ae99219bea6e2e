"""Edits to a text, and where the parser's tokens stand in it."""

from collections import Counter

from markdown_it.token import Token

Edit = tuple[int, int, str]  # start, end, replacement


def applied(text: str, edits: list[Edit]) -> str:
    for start, end, replacement in sorted(edits, key=lambda edit: edit[:2], reverse=True):
        text = text[:start] + replacement + text[end:]
    return text


class Lines:
    """The text of a cell by line: turns places in an inline token or in a block into places in the text."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.starts = [0]
        for content in self.lines:
            self.starts.append(self.starts[-1] + len(content) + 1)
        self.length = len(text)
        self.used: Counter[int] = Counter()  # how much of a line the cells of a table have taken

    def block(self, first: int, end: int, replacement: str) -> Edit:
        """Replace the lines from `first` to before `end`; nothing leaves no blank lines behind."""
        if not replacement:
            while end < len(self.lines) and not self.lines[end].strip():
                end += 1
            return self.starts[first], min(self.starts[end], self.length), ""
        while not self.lines[end - 1].strip():
            end -= 1
        return self.starts[first], self.starts[end] - 1, replacement

    def place(self, token: Token, edits: list[Edit]) -> list[Edit]:
        """Edits to the text from edits to an inline token. Raises ValueError where its text is not in the source."""
        begins = self._begins(token)
        if not edits:
            return []
        if None in begins:
            raise ValueError("A table cell with a role, a link or a picture cannot hold an escaped `\\|`.")
        heads = [0]
        for content in token.content.split("\n"):
            heads.append(heads[-1] + len(content) + 1)

        def absolute(offset: int) -> int:
            row = max(i for i, head in enumerate(heads[:-1]) if head <= offset)
            return begins[row] + offset - heads[row]

        return [(absolute(start), absolute(end), replacement) for start, end, replacement in edits]

    def _begins(self, token: Token) -> list[int | None]:
        """Where each line of an inline token starts in the text."""
        begins: list[int | None] = []
        for row, content in enumerate(token.content.split("\n"), start=token.map[0]):
            column = self.lines[row].find(content, self.used[row])
            begins.append(None if column < 0 else self.starts[row] + column)
            if column >= 0:
                self.used[row] = column + len(content)
        return begins
