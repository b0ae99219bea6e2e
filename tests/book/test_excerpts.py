"""The words of a page, from which results of a search take their excerpts."""

import json
import re
from types import SimpleNamespace

from bs4 import BeautifulSoup

from tests.loading import load

excerpts = load("book/_ext/excerpts.py")

BODY = """
<section id="steps" class="a"><span id="more"></span>
<h2>Take bigger <em>st</em>eps<a class="headerlink" href="#steps">#<br></a></h2>
<p class="t">Stride &amp; <code>a &lt; b</code></p><p>Padding</p>
<details><summary><span class="collapsed">Show</span><span class="expanded">Hide</span></summary>
<div class="highlight"><pre>x = 1
y</pre></div></details>
<script>var a = "</p>";</script><noscript><p>No script</p></noscript><button type="button">Copy</button>
<span><math><mi>k</mi></math></span><span aria-hidden="true"><span>k</span><img src="x"></span>
<div id="ex-bug"><section><p>Bug</p></section></div>
</section>
"""


def test_words_are_what_a_reader_sees_once_in_places_with_their_ids():
    page = BeautifulSoup(excerpts.words_of(BODY), "html.parser")
    text = " ".join(page.get_text().split())
    assert text == "Take bigger steps Stride & a < b Padding x = 1 y k Bug"
    assert page.find(id="steps").find(id="ex-bug").get_text().strip() == "Bug"
    assert {tag.name for tag in page.find_all(True)} == {"section", "div"}


def test_every_place_that_a_result_leads_to_has_words(book):
    index = json.loads(re.search(r"setIndex\((.*)\)", (book / "searchindex.js").read_text(), re.S)[1])
    places = {(index["docnames"][page], place) for found in index["alltitles"].values() for page, place in found}
    assert {name for name, _ in places} == set(index["docnames"])
    pages = {
        name: BeautifulSoup(
            json.loads((book / excerpts.FOLDER / f"{name}.js").read_text().split("=", 1)[1][:-2]), "html.parser"
        )
        for name in index["docnames"]
    }
    for name, place in places:
        assert (pages[name].find(id=place) if place else pages[name]).get_text().strip(), (name, place)


def test_words_of_a_removed_page_go_when_a_build_succeeds(tmp_path):
    for name in ("book/kept", "book/removed"):
        path = tmp_path / excerpts.FOLDER / f"{name}.js"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    app = SimpleNamespace(outdir=tmp_path, env=SimpleNamespace(found_docs={"book/kept"}))
    excerpts.remove_unnamed(app, RuntimeError())
    assert {path.name for path in tmp_path.rglob("*.js")} == {"kept.js", "removed.js"}
    excerpts.remove_unnamed(app, None)
    assert {path.name for path in tmp_path.rglob("*.js")} == {"kept.js"}
