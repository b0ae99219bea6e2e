"""Where the course lives: addresses of pictures, files, notebooks and pages, all derived from course.toml."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit


@dataclass(frozen=True)
class Site:
    """`repository` is a GitHub URL such as https://github.com/owner/name."""

    root: Path
    repository: str
    branch: str

    @classmethod
    def load(cls, root: Path) -> "Site":
        course = tomllib.loads((root / "course.toml").read_text(encoding="utf-8"))["course"]
        return cls(root, course["repository"].removesuffix("/").removesuffix(".git"), course["branch"])

    @property
    def slug(self) -> str:
        """`owner/name`"""
        return urlsplit(self.repository).path.strip("/")

    def raw(self, path: str) -> str:
        return f"https://raw.githubusercontent.com/{self.slug}/{self.branch}/{quote(path)}"

    def blob(self, path: str) -> str:
        return f"{self.repository}/blob/{self.branch}/{quote(path)}"

    def colab(self, path: str) -> str:
        return f"https://colab.research.google.com/github/{self.slug}/blob/{self.branch}/{quote(path)}"

    def page(self, path: str) -> str:
        """The rendered page of a file in book/, on GitHub Pages."""
        owner, name = self.slug.split("/")
        return f"https://{owner}.github.io/{name}/{quote(path.removesuffix('.md'))}.html"
