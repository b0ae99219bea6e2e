"""What a chapter can refer to, filled by the first pass over all chapters and read by the second."""

from dataclasses import dataclass, field

# How Sphinx names each kind in a numbered reference.
NAMES = {"figure": "Fig.", "table": "Table", "equation": "Equation", "exercise": "Exercise", "section": "Section"}


@dataclass(frozen=True)
class Label:
    """A target: `kind` is a key of NAMES, `number` is empty for what is not numbered, `title` is plain Markdown."""

    kind: str
    chapter: str
    number: str = ""
    title: str = ""
    line: int = 0


@dataclass
class Labels:
    """All targets of the book by name; for each chapter its title, its footnotes and the keys of the works it cites."""

    targets: dict[str, Label] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    footnotes: dict[str, dict[str, str]] = field(default_factory=dict)
    cited: dict[str, set[str]] = field(default_factory=dict)
    complete: bool = False

    def define(self, name: str, label: Label) -> None:
        """Raises ValueError when the name is taken by another target."""
        known = self.targets.get(name)
        if known and (known.chapter, known.line) != (label.chapter, label.line):
            raise ValueError(
                f"The label `{name}` is already defined in {known.chapter}, line {known.line}. Rename one."
            )
        self.targets[name] = label

    def find(self, name: str, chapter: str) -> Label:
        """The target called `name`; in the first pass a blank one, since it may come later. Raises ValueError."""
        if name in self.targets:
            return self.targets[name]
        if not self.complete:
            return Label("section", chapter)
        raise ValueError(f"Nothing is labelled `{name}`. Labels: {', '.join(sorted(self.targets)) or 'none'}.")
