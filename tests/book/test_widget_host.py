"""book/static/anywidget-static.js keeps anywidget's contract in a page without a kernel."""

import base64
import json
import textwrap

import pytest

COUNTER = """
export default {
  initialize({ model }) {
    model.on("change:count", () => model.set("doubled", 2 * model.get("count")));
    window.initialized = (window.initialized ?? 0) + 1;
  },
  render({ model, el, signal }) {
    const button = document.createElement("button");
    const show = () => { button.textContent = `${model.get("count")}, doubled ${model.get("doubled")}`; };
    button.addEventListener("click", () => { model.set("count", model.get("count") + 1); model.save_changes(); });
    model.on("change:count change:doubled", show);
    el.append(button);
    el.dataset.signal = signal instanceof AbortSignal;
    show();
    window.models = [...(window.models ?? []), model];
  },
};
"""


@pytest.fixture
def host(root, tmp_path, open_page):
    """host(state, views): a page with these models and views, started."""

    def start(state: dict, views: list[str]):
        def script(kind: str, content: dict) -> str:
            body = json.dumps(content).replace("</", "<\\/")
            return f'<script type="application/vnd.jupyter.widget-{kind}+json">{body}</script>'

        js = (root / "book" / "static" / "anywidget-static.js").as_uri()
        page = tmp_path / "page.html"
        shown = "".join(f"<div>{script('view', {'model_id': view})}</div>" for view in views)
        page.write_text(
            f'<!DOCTYPE html><meta charset="utf-8">{script("state", {"state": state})}'
            f'<script defer src="{js}"></script><body>{shown}'
        )
        return open_page(page.as_uri())

    return start


def any_model(esm: str, css: str = "", buffers: list | None = None, **values) -> dict:
    state = {"_esm": textwrap.dedent(esm), "_css": css, **values}
    return {"model_name": "AnyModel", "state": state, "buffers": buffers or []}


def test_two_views_of_one_model_move_together(host):
    page = host({"a": any_model(COUNTER, count=1, doubled=2)}, ["a", "a"])
    page.locator("button").nth(1).click()
    assert page.locator("button").all_inner_texts() == ["2, doubled 4"] * 2
    assert page.evaluate("window.initialized") == 1, "initialize runs once a model, render once a view"
    assert page.locator(".anywidget-static").first.get_attribute("data-signal") == "true"
    assert page.evaluate("document.documentElement.dataset.widgetsReady") == "2"


def test_two_models_of_one_class_keep_apart(host):
    page = host({"a": any_model(COUNTER, count=1, doubled=2), "b": any_model(COUNTER, count=5, doubled=10)}, ["a", "b"])
    page.locator("button").first.click()
    assert page.locator("button").all_inner_texts() == ["2, doubled 4", "5, doubled 10"]


def test_a_model_may_name_another_for_its_script_and_its_style(host):
    first = any_model(COUNTER, css="button { color: rgb(1, 2, 3); }", count=1, doubled=2)
    later = {
        "model_name": "AnyModel",
        "state": {"_esm": {"as_in": "a"}, "_css": {"as_in": "a"}, "count": 5, "doubled": 10},
    }
    page = host({"a": first, "b": later}, ["b", "a"])
    assert page.locator("button").all_inner_texts() == ["5, doubled 10", "1, doubled 2"]
    assert page.evaluate("getComputedStyle(document.querySelector('button')).color") == "rgb(1, 2, 3)"
    assert page.locator("head style").count() == 1


def test_listeners_hear_of_changes_and_of_nothing_else(host):
    page = host({"a": any_model(COUNTER, count=0, doubled=0, grid=[[1, 2]])}, ["a"])
    heard = page.evaluate(
        """() => {
          const model = window.models[0], heard = [];
          const listen = (source, value) => heard.push([source === model, value]);
          model.on("change:grid", listen);
          model.on("change", () => heard.push("any"));
          model.set("grid", [[1, 2]]);
          model.set({ grid: [[3]], count: 0 });
          model.off("change:grid", listen);
          model.set("grid", [[4]]);
          model.off();
          model.set("grid", [[5]]);
          model.send({ hello: 1 });
          return { heard, grid: model.get("grid"), button: document.querySelector("button").textContent };
        }"""
    )
    assert heard == {"heard": [[True, [[3]]], "any", "any"], "grid": [[5]], "button": "0, doubled 0"}


def test_binary_values_arrive_as_data_views(host):
    esm = "export default { render({ model, el }) { el.textContent = model.get('photo').rows[0].getUint8(1); } };"
    packed = {"path": ["photo", "rows", 0], "encoding": "base64", "data": base64.b64encode(b"\x07\xc8").decode()}
    page = host({"a": any_model(esm, buffers=[packed], photo={"rows": [None]})}, ["a"])
    assert page.locator(".anywidget-static").inner_text() == "200"


def test_a_rule_that_two_widgets_bring_stands_on_the_page_once_and_before_their_own(host):
    shared = "button { color: rgb(1, 2, 3); margin-top: 1px; }"
    first = any_model(COUNTER, css=f"{shared} button {{ margin-top: 7px; }}", count=1, doubled=2)
    second = any_model(COUNTER, css=f"{shared} button {{ padding-top: 9px; }}", count=5, doubled=10)
    page = host({"a": first, "b": second}, ["a", "b"])
    rules = page.evaluate(
        "[...document.styleSheets].flatMap((sheet) => [...sheet.cssRules].map((rule) => rule.cssText))"
    )
    assert len(rules) == len(set(rules)) == 3
    style = page.evaluate(
        "(({color, marginTop, paddingTop}) => [color, marginTop, paddingTop])"
        "(getComputedStyle(document.querySelector('button')))"
    )
    assert style == ["rgb(1, 2, 3)", "7px", "9px"]


GROWING = """
export default { render({ model, el }) {
  const box = document.createElement("div");
  const show = () => { box.style.height = `${model.get("height")}px`; };
  model.on("change:height", show);
  show();
  el.append(box);
  window.model = model;
} };
"""


def test_what_stands_below_a_demo_keeps_its_place_when_the_demo_shrinks_until_the_width_changes(host):
    after = "export default { render({ el }) { el.id = 'below'; el.textContent = 'below'; } };"
    page = host({"a": any_model(GROWING, height=100), "b": any_model(after)}, ["a", "b"])
    top = "document.querySelector('#below').getBoundingClientRect().top"
    start = page.evaluate(top)
    for height, moved in ((300, 200), (50, 200), (320, 220), (0, 220)):
        page.evaluate(f"model.set('height', {height})")
        page.wait_for_function(f"{top} === {start + moved}")
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert page.evaluate(top) == start + moved
    page.set_viewport_size({"width": 700, "height": 900})
    page.wait_for_function(f"{top} === {start - 100}")
    assert not page.faults


LATE = """
export default { render({ model, el }) {
  const show = () => { el.textContent = model.get("weights")?.getUint8(1) ?? "not there"; };
  model.on("change:weights", show);
  show();
} };
"""


def test_a_value_in_a_file_comes_when_a_view_is_near_and_once_for_all(host, tmp_path):
    (tmp_path / "value.js").write_text(
        f'document.currentScript.value = "{base64.b64encode(bytes([7, 200])).decode()}";'
    )
    far = "export default { render({ el }) { el.innerHTML = '<p style=\"height: 5000px\">far</p>'; } };"
    late = any_model(LATE, buffers=[{"path": ["weights"], "encoding": "base64", "file": "value.js"}], weights=None)
    page = host({"far": any_model(far), "late": late}, ["far", "late", "late"])
    views = page.locator(".anywidget-static")
    assert page.evaluate("document.documentElement.dataset.widgetsReady") == "3", (
        "what is far away keeps nobody waiting"
    )
    assert views.nth(1).inner_text() == views.nth(2).inner_text() == "not there"
    assert not any(url.endswith("value.js") for url in page.requested)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_function("!document.querySelector('[data-late]')")
    assert views.nth(1).inner_text() == views.nth(2).inner_text() == "200"
    assert sum(url.endswith("value.js") for url in page.requested) == 1


@pytest.mark.parametrize("sign", ["mouse", "key", "touch"])
def test_a_value_in_a_file_waits_for_a_sign_of_the_reader(host, tmp_path, sign):
    (tmp_path / "value.js").write_text('document.currentScript.value = "B8g=";')
    late = any_model(LATE, buffers=[{"path": ["weights"], "encoding": "base64", "file": "value.js"}], weights=None)
    page = host({"late": late}, ["late"])
    page.wait_for_load_state("networkidle")
    page.evaluate(  # what a theme does on its own
        """() => {
          const bar = document.createElement("div");
          bar.style = "height: 50px; overflow: auto";
          bar.innerHTML = "<p style='height: 500px'></p>";
          document.body.append(bar);
          bar.scrollTop = 100;
          return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        }"""
    )
    assert not any(url.endswith("value.js") for url in page.requested)
    assert page.locator(".anywidget-static").get_attribute("data-late") == "1"
    if sign == "mouse":
        page.mouse.move(9, 9)
    elif sign == "key":
        page.keyboard.press("Tab")
    else:
        touch = page.context.new_cdp_session(page).send
        touch("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": 9, "y": 9}]})
    page.wait_for_function("document.querySelector('.anywidget-static').textContent === '200'")


def test_a_file_that_is_missing_is_named(host):
    late = any_model(LATE, buffers=[{"path": ["weights"], "encoding": "base64", "file": "gone.js"}], weights=None)
    page = host({"late": late}, ["late"])
    page.mouse.move(5, 5)
    page.wait_for_selector(".anywidget-failed")
    assert "gone.js does not load" in page.locator(".anywidget-failed").inner_text()


def test_a_widget_may_be_a_function_and_bring_a_style(host):
    esm = "export default async () => ({ render: ({ el }) => { el.innerHTML = '<p class=x>styled</p>'; } });"
    page = host({"a": any_model(esm, css=".x { color: rgb(1, 2, 3); }")}, ["a", "a"])
    assert page.evaluate("getComputedStyle(document.querySelector('.x')).color") == "rgb(1, 2, 3)"
    assert page.locator("head style").count() == 1, "a style is added once"


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"a": any_model("export default { render() { throw new Error('No grid.'); } };")}, "No grid."),
        ({"a": any_model("this is no module")}, "Unexpected identifier"),
        ({"a": {"model_name": "IntSliderModel", "state": {}}}, "It needs Python behind it."),
        ({}, "It needs Python behind it."),
    ],
)
def test_a_view_that_cannot_start_says_so_and_the_next_one_starts(host, state, reason):
    page = host({**state, "good": any_model(COUNTER, count=1, doubled=2)}, ["a", "good"])
    failed = page.locator(".anywidget-failed").inner_text()
    assert failed.startswith("This interactive figure could not start. ") and reason in failed
    assert page.locator("button").inner_text() == "1, doubled 2"
    assert page.evaluate("document.documentElement.dataset.widgetsReady") == "2"


def test_a_call_to_python_is_refused_at_once(host):
    esm = """export default { async render({ el, experimental }) {
      el.textContent = await experimental.invoke("train").catch((error) => error.message);
    } };"""
    page = host({"a": any_model(esm)}, ["a"])
    assert page.locator(".anywidget-static").inner_text() == "This page has no kernel to call."
