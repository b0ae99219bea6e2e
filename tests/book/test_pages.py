"""What stands on the built pages."""

import inspect
import json
import re
import tomllib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup

from convbook import widgets

STATE = re.compile(r'<script type="application/vnd.jupyter.widget-state\+json">(.*?)</script>', re.DOTALL)


@pytest.fixture(scope="module")
def soup(book):
    return {page: BeautifulSoup((book / page).read_text(), "html.parser") for page in read_pages(book)}


def read_pages(book) -> list[str]:
    return sorted(page.relative_to(book).as_posix() for page in (book / "book").glob("*.html"))


@pytest.fixture(scope="module")
def course(root) -> dict:
    return tomllib.loads((root / "course.toml").read_text())["course"]


def test_the_top_page_leads_to_the_front_page(book):
    top = BeautifulSoup((book / "index.html").read_text(), "html.parser")
    target = re.search(r"url=(\S+)", top.find("meta", attrs={"http-equiv": "refresh"})["content"])[1]
    assert (book / target).samefile(book / "book" / "index.html")
    assert top.find("a")["href"] == target


def buttons(content) -> dict[str, str]:
    return {a.get_text(strip=True): a["href"] for a in content.select(".article-header-buttons a")}


def test_every_chapter_opens_in_colab_and_downloads_as_the_same_notebook(soup, book, root, course):
    project = course["repository"].removeprefix("https://github.com/")
    chapters = {f"book/{source.stem}.html" for source in (root / "book").glob("[0-9][0-9]-*.md")}
    assert chapters
    for page in chapters:
        notebook = f"notebooks/chapters/{page.removeprefix('book/').removesuffix('.html')}.ipynb"
        found = buttons(soup[page])
        assert (
            found["Colab"] == f"https://colab.research.google.com/github/{project}/blob/{course['branch']}/{notebook}"
        )
        assert (book / page).parent.joinpath(found["Notebook"]).read_bytes() == (root / notebook).read_bytes()
    for page in soup.keys() - chapters:
        assert not {"Colab", "Notebook"} & buttons(soup[page]).keys(), f"{page} has no notebook to open"


def test_every_page_leads_to_the_repository_and_to_a_report_that_names_it(book, pages, root, course):
    form = yaml.safe_load((root / ".github" / "ISSUE_TEMPLATE" / "page-error.yml").read_text())
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    for page in pages:
        found = buttons(BeautifulSoup((book / page).read_text(), "html.parser"))
        assert found["Source"] == course["repository"]
        report = urlsplit(found["Report"])
        assert report._replace(query="").geturl() == f"{course['repository']}/issues/new"
        name = page.removesuffix(".html")
        filled = {key: values[0] for key, values in parse_qs(report.query).items()}
        assert filled.pop("template") == "page-error.yml" and name in filled.pop("title")
        assert filled == {"page": name, "version": version}
        assert filled.keys() <= {field["id"] for field in form["body"] if "id" in field}


def test_the_front_page_has_a_live_demo_and_three_doors(soup):
    front = soup["book/index.html"]
    doors = {link.get_text(): link["href"] for link in front.select(".doors strong a")}
    assert doors == {"Read": "01-convolution.html", "Do": "do.html", "Teach": "teach.html"}
    assert front.select('script[type="application/vnd.jupyter.widget-view+json"]')


def test_formulas_arrive_as_html_and_mathml(soup):
    for page, content in soup.items():
        formulas = content.select(".math")
        assert all(formula.find("math") for formula in formulas), page
        styled = any("katex" in link["href"] for link in content.select('link[rel="stylesheet"]'))
        assert styled == bool(formulas), f"{page}: the style sheet of formulas belongs where formulas are"


def test_every_picture_says_what_it_shows(soup):
    for page, content in soup.items():
        for image in content.select("article img"):
            alt = image.get("alt", "")
            assert len(alt.split()) >= 3 and not alt.startswith(".."), f"{page}: {image['src']} has no alt text"


def test_pages_carry_the_widgets_of_this_code(book):
    classes = {f"{cls.__module__}.{cls.__qualname__}": cls for cls in vars(widgets).values() if isinstance(cls, type)}
    found = 0
    for page in read_pages(book):
        for text in STATE.findall((book / page).read_text()):
            models = {name: model["state"] for name, model in json.loads(text)["state"].items()}
            for state in models.values():
                if cls := classes.get(state.get("_anywidget_id")):
                    assert [source(models, state, name) for name in ("_esm", "_css")] == [cls._esm, cls._css], page
                    found += 1
    assert found, "no page has a widget of convbook.widgets"


def test_the_gallery_shows_every_widget_its_summary_and_its_files(book, soup):
    gallery = soup["book/gallery.html"]
    (state,) = STATE.findall((book / "book" / "gallery.html").read_text())
    models = json.loads(state)["state"]
    shown = {}
    for view in gallery.select('.tag_show-summary script[type="application/vnd.jupyter.widget-view+json"]'):
        name = models[json.loads(view.string)["model_id"]]["state"]["_anywidget_id"].rsplit(".", 1)[1]
        shown[name] = view.find_parent("section")
    assert shown.keys() >= set(widgets.__all__)
    for name in widgets.__all__:
        stem = Path(inspect.getfile(getattr(widgets, name))).stem
        linked = {Path(link["href"]).name for link in shown[name].select("a[href*='/convbook/widgets/']")}
        assert linked >= {f"{stem}{ending}" for ending in (".py", ".js", ".math.mjs", ".css")}, name


def source(models: dict, state: dict, name: str) -> str:
    """A model's script or style, or those of the model that it names."""
    return models[state[name]["as_in"]][name] if isinstance(state[name], dict) else state[name]


def test_a_page_carries_the_script_and_the_style_of_a_widget_once(book):
    for page in read_pages(book):
        for text in STATE.findall((book / page).read_text()):
            states = [model["state"] for model in json.loads(text)["state"].values()]
            for name in ("_esm", "_css"):
                sources = [state[name] for state in states if isinstance(state.get(name), str)]
                assert len(sources) == len(set(sources)), page


def test_a_demo_says_what_it_needs_where_scripts_are_off(soup):
    for page, content in soup.items():
        for view in content.select('script[type="application/vnd.jupyter.widget-view+json"]'):
            assert "JavaScript" in view.find_next_sibling("noscript").get_text(), page


def test_pictures_keep_their_place_until_they_load(soup):
    for page, content in soup.items():
        for image in content.select("article img"):
            assert image["loading"] == "lazy", f"{page}: {image['src']}"
            assert int(image["width"]) > 0 and int(image["height"]) > 0, f"{page}: {image['src']}"
