"""Large values of widgets leave the page for files of their own, and come back whole."""

import base64
import json

import pytest

from convbook.pretrained import garments
from convbook.widgets.lenet_explorer import packed
from tests.loading import load


@pytest.fixture
def tool():
    return load("book/_ext/latevalues.py")


def state(**models) -> str:
    buffers = {
        name: [{"path": path, "encoding": "base64", "data": data} for path, data in values]
        for name, values in models.items()
    }
    return json.dumps({"state": {name: {"state": {}, "buffers": values} for name, values in buffers.items()}})


def test_only_large_values_move_and_each_content_once(tool):
    large, small = "A" * tool.LARGE, "A" * (tool.LARGE - 4)
    text, values = tool.without_large(
        state(a=[(["x"], large), (["y"], small)], b=[(["x"], large), (["deep", 0], large)]), lambda name: f"../{name}"
    )
    (name,) = values
    assert values[name] == large
    a, b = (json.loads(text)["state"][model]["buffers"] for model in "ab")
    moved = {"path": ["x"], "encoding": "base64", "file": f"../{name}"}
    assert a == [moved, {"path": ["y"], "encoding": "base64", "data": small}]
    assert b == [moved, {"path": ["deep", 0], "encoding": "base64", "data": large}]


def test_the_state_still_cannot_end_its_script(tool):
    text, values = tool.without_large(json.dumps({"state": {"a": {"state": {"_esm": "</script>"}}}}), str)
    assert "</" not in text and not values
    assert json.loads(text)["state"]["a"]["state"]["_esm"] == "</script>"


def test_files_that_no_page_names_go_and_others_stay(tool, tmp_path):
    class App:
        outdir = tmp_path

    folder = tmp_path / tool.FOLDER
    folder.mkdir(parents=True)
    for name in ("named", "unnamed"):
        (folder / f"{name}.js").write_text(tool.script("AAAA"))
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "page.html").write_text('{"file": "../_static/late/named.js"}')
    tool.remove_unnamed(App, None)
    assert [file.name for file in folder.iterdir()] == ["named.js"]


def test_the_gallery_names_the_weights_of_lenet_and_the_file_holds_them(book, tool):
    page = (book / "book" / "gallery.html").read_text()
    files = [file for file in (book / tool.FOLDER).glob("*.js") if f'"../{tool.FOLDER}/{file.name}"' in page]
    (text,) = (file.read_text() for file in files)
    assert base64.b64decode(text.split('"')[1]) == packed(garments.content())
