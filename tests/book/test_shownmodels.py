"""book/_ext/shownmodels.py: a page carries the widget models that it shows."""

import json
import re

import pytest

from tests.loading import load


@pytest.fixture
def tool():
    return load("book/_ext/shownmodels.py")


def view(model: str) -> str:
    content = json.dumps({"version_major": 2, "version_minor": 0, "model_id": model})
    return f'<div><script type="application/vnd.jupyter.widget-view+json">{content}</script></div>'


def state(**models: dict) -> str:
    return json.dumps({"version_major": 2, "state": {name: {"state": values} for name, values in models.items()}})


def test_what_a_page_shows_stays_with_all_that_it_refers_to_and_the_rest_goes(tool):
    box = {"children": ["IPY_MODEL_b"], "layout": "IPY_MODEL_d"}
    text = state(a=box, b={"of": "IPY_MODEL_c"}, c={"back": "IPY_MODEL_a"}, d={}, e={"children": ["IPY_MODEL_d"]})
    kept = json.loads(tool.shown(text, f"<p>Text.</p>{view('a')}"))
    assert kept["version_major"] == 2
    assert list(kept["state"]) == ["a", "b", "c", "d"]
    assert kept["state"]["a"] == {"state": box}


def test_a_page_without_a_view_carries_no_model_and_a_view_without_a_model_does_no_harm(tool):
    assert json.loads(tool.shown(state(a={}), ""))["state"] == {}
    assert json.loads(tool.shown(state(a={}), view("gone")))["state"] == {}


def test_the_state_still_cannot_end_its_script(tool):
    text = tool.shown(state(a={"_esm": "</script>"}), view("a"))
    assert "</" not in text
    assert json.loads(text)["state"]["a"]["state"]["_esm"] == "</script>"


def test_pages_of_the_book_have_a_model_for_each_view_and_none_besides(tool, book):
    pages = [page.read_text(encoding="utf-8") for page in book.glob("**/*.html")]
    found = 0
    for page in pages:
        for text in re.findall(rf'<script[^>]*type="{re.escape(tool.STATE)}"[^>]*>(.*?)</script>', page, re.DOTALL):
            models = set(json.loads(text)["state"])
            views = {json.loads(each)["model_id"] for each in tool._VIEW.findall(page)}
            assert views <= models
            assert set(json.loads(tool.shown(text, page))["state"]) == models
            found += 1
    assert found >= 5, "the chapters and the front page show widgets"
