"""Citations from a BibTeX file: "Author (year)" with a link, and the list of references, through pybtex."""

import re
from pathlib import Path

from pybtex.database import BibliographyData, Entry, Person, parse_file
from pybtex.plugin import find_plugin


class Bibliography:
    """The works in a .bib file; an absent file holds none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.works = parse_file(str(path), "bibtex") if path.exists() else BibliographyData()

    def find(self, key: str) -> Entry:
        """Raises ValueError for a key that the file lacks."""
        if key not in self.works.entries:
            raise ValueError(f"No work has the key `{key}` in {self.path.name}. Add it there or correct the key.")
        return self.works.entries[key]

    def textual(self, key: str) -> str:
        """`[He et al. (2016)](https://doi.org/…)`"""
        work = self.find(key)
        return _link(f"{_authors(work)} ({work.fields['year']})", work)

    def parenthetical(self, keys: list[str]) -> str:
        """`([He et al., 2016](https://doi.org/…); …)`"""
        works = [self.find(key) for key in keys]
        return "(" + "; ".join(_link(f"{_authors(work)}, {work.fields['year']}", work) for work in works) + ")"

    def references(self, keys: set[str]) -> str:
        """The list of the works cited, ordered by author and year."""
        style = find_plugin("pybtex.style.formatting", "unsrt")(abbreviate_names=True)
        backend = find_plugin("pybtex.backends", "markdown")()
        works = sorted((self.find(key) for key in keys), key=lambda work: (_authors(work), work.fields["year"]))
        return "\n".join("- " + _tidy(entry.text.render(backend)) for entry in style.format_entries(works))


def _tidy(item: str) -> str:
    """On one line, without the backend's escapes of marks that mean nothing there, a bare address as one word."""
    item = re.sub(r"\\([-.()+!#{}])", r"\1", item).replace("\n", " ")
    return re.sub(r"URL: \[[^]]*\]", "[online]", item)


def _authors(work: Entry) -> str:
    names = [_last_name(person) for person in work.persons.get("author") or work.persons.get("editor") or []]
    if not names:
        raise ValueError(f"The work `{work.key}` has neither author nor editor.")
    return names[0] if len(names) == 1 else f"{names[0]} and {names[1]}" if len(names) == 2 else f"{names[0]} et al."


def _last_name(person: Person) -> str:
    return " ".join(str(part) for part in (*person.rich_prelast_names, *person.rich_last_names))


def _link(text: str, work: Entry) -> str:
    fields = work.fields
    if "doi" in fields:
        return f"[{text}](https://doi.org/{fields['doi']})"
    if "eprint" in fields:
        return f"[{text}](https://arxiv.org/abs/{fields['eprint']})"
    return f"[{text}]({fields['url']})" if "url" in fields else text
