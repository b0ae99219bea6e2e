"""What is kept by hand about the book agrees with where it came from."""

import json
import re
import subprocess
import tomllib

import pytest
import yaml

from convbook.plots import COLORS, DARK_COLORS
from tests.loading import load


@pytest.fixture(scope="module")
def config(root) -> dict:
    return yaml.safe_load((root / "_config.yml").read_text())


@pytest.fixture
def extension(root):
    """extension(name): a module of book/_ext."""

    return lambda name: load(f"book/_ext/{name}.py")


def test_config_names_the_repository_of_course_toml(root, config):
    course = tomllib.loads((root / "course.toml").read_text())["course"]
    assert config["repository"] == {"url": course["repository"], "branch": course["branch"]}


def test_text_names_no_other_repository_than_course_toml_does(root):
    repository = tomllib.loads((root / "course.toml").read_text())["course"]["repository"]
    owner = repository.rsplit("/", 2)[1]
    for chapter in (root / "book").glob("*.md"):
        for url in re.findall(rf"https://github\.com/{owner}/[\w.-]+", chapter.read_text()):
            assert url == repository, chapter


def test_contents_list_every_chapter_once(root):
    toc = yaml.safe_load((root / "_toc.yml").read_text())
    listed = [toc["root"], *(entry["file"] for part in toc["parts"] for entry in part["chapters"])]
    assert sorted(f"{name}.md" for name in listed) == sorted(f"book/{f.name}" for f in (root / "book").glob("*.md"))


def test_every_extension_of_the_book_is_switched_on(root, config):
    ours = {file.stem for file in (root / "book" / "_ext").glob("*.py")}
    assert ours == set(config["sphinx"]["local_extensions"])
    assert ours <= set(config["sphinx"]["config"]["extensions"])


def test_npm_parts_are_pinned_and_not_committed(root):
    package = json.loads((root / "package.json").read_text())
    locked = json.loads((root / "package-lock.json").read_text())["packages"]
    for name, version in {**package["dependencies"], **package["devDependencies"]}.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), f"{name} needs an exact version"
        assert locked[f"node_modules/{name}"]["version"] == version
    assert all("integrity" in part for place, part in locked.items() if place)
    ignored = subprocess.run(["git", "check-ignore", "book/static/vendor/x", "node_modules/x"], cwd=root, check=False)
    assert ignored.returncode == 0 or not (root / ".git").exists()


def test_pages_and_figures_share_one_palette(root):
    style = (root / "book" / "static" / "convbook.css").read_text()
    light, dark = style.split('html[data-theme="dark"] {')[:2]
    for role in ("input", "kernel", "output"):
        assert f"--cb-{role}: {COLORS[role].lower()};" in light
        assert f"--cb-{role}: {DARK_COLORS[role].lower()};" in dark


def test_formulas_are_set_and_wrong_ones_are_named(extension):
    typesetter = extension("katexmath").Typesetter()
    good = typesetter.render(r"o = \left\lfloor\frac{n + 2p - k}{s}\right\rfloor + 1", display=True)
    assert "<math" in good["html"] and 'class="katex-display"' in good["html"]
    assert "Undefined control sequence" in typesetter.render(r"\notamacro", display=False)["error"]
    assert "<math" in typesetter.render("x", display=False)["html"], "the process goes on after an error"
