"""One module from several files, and traits that refuse bad input in words."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import traitlets

import convbook.widgets
from convbook.widgets.base import BundleError, NumberGrid, Widget, bundle

WIDGETS = [getattr(convbook.widgets, name) for name in convbook.widgets.__all__]

# From a data URL, as from a blob, a relative import has no meaning and fails.
LOAD = "const { default: loaded } = await import('data:text/javascript,' + encodeURIComponent(input));\n"


@pytest.fixture
def modules(tmp_path: Path) -> Callable[..., str]:
    """modules(main=…, a=…): writes each as NAME.mjs and bundles main."""

    def write(**sources: str) -> str:
        for name, source in sources.items():
            (tmp_path / f"{name}.mjs").write_text(source, encoding="utf-8")
        return bundle("main.mjs", tmp_path)

    return write


def test_a_bundle_means_what_its_modules_mean(modules: Callable[..., str], node: Callable[..., Any]) -> None:
    text = modules(
        main='import { twice } from "./a.mjs";\nimport {\n  three,\n} from "./b.mjs";\nexport default twice(three);\n',
        a='import { three } from "./b.mjs";\nexport function twice(x) {\n  return x === three && 2 * x;\n}\n',
        b="export const three = 3;\n",
    )
    assert node(f"{LOAD}const answer = loaded;", text) == 6


def test_a_shared_module_is_joined_once_and_before_those_who_need_it(modules: Callable[..., str]) -> None:
    text = modules(
        main='import { a } from "./a.mjs";\nimport { b } from "./b.mjs";\nexport default { a, b };\n',
        a='import { b } from "./b.mjs";\nexport const a = b;\n',
        b="export const b = 1;\n",
    )
    assert text.count("const b = 1") == 1
    assert text.index("const b = 1") < text.index("const a = b")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('import * as kit from "./a.mjs";', "import"),
        ('import { one as uno } from "./a.mjs";', "one as uno"),
        ('import { missing } from "./a.mjs";', "missing"),
        ('import { x } from "https://elsewhere.org/x.mjs";', "elsewhere"),
        ("export { one };", "export"),
        ("export let changing = 1;", "export let"),
    ],
)
def test_what_a_bundle_cannot_join_is_refused_by_name(modules: Callable[..., str], line: str, complaint: str) -> None:
    with pytest.raises(BundleError, match=r"main\.mjs") as caught:
        modules(main=f"{line}\nexport default {{}};\n", a="export const one = 1;\n")
    assert complaint in str(caught.value)


def test_only_the_entry_has_a_default_export(modules: Callable[..., str]) -> None:
    with pytest.raises(BundleError, match=r"a\.mjs has a default export"):
        modules(main='import { a } from "./a.mjs";\n', a="export const a = 1;\nexport default a;\n")


@pytest.mark.parametrize("widget", WIDGETS)
def test_every_widget_is_one_module_that_imports_nothing(widget: type[Widget], node: Callable[..., Any]) -> None:
    code = f"{LOAD}const answer = [typeof loaded.initialize, typeof loaded.render];"
    initialize, render = node(code, widget().get_state()["_esm"])
    assert render == "function"
    assert initialize in ("function", "undefined"), (
        "anywidget lets a widget without a rule between its traits do without"
    )


@pytest.mark.parametrize("widget", WIDGETS)
def test_every_rule_of_a_style_sheet_stays_inside_the_widget(widget: type[Widget]) -> None:
    text = re.sub(r"/\*.*?\*/", "", widget().get_state()["_css"], flags=re.S)
    selectors = [part.strip() for part in re.findall(r"([^{}]+)\{", text)]
    leaking = [s for s in selectors if not s.startswith("@") and ".cb-" not in s.split(",")[0]]
    assert selectors
    assert not leaking


@pytest.mark.parametrize("widget", WIDGETS)
def test_a_text_output_says_what_the_widget_is(widget: type[Widget]) -> None:
    shown = widget()._repr_mimebundle_()
    assert shown is not None
    assert shown[0]["text/plain"] == widget.fallback
    assert "application/vnd.jupyter.widget-view+json" in shown[0]


@pytest.mark.parametrize("widget", WIDGETS)
def test_a_wrong_argument_is_named(widget: type[Widget]) -> None:
    with pytest.raises(TypeError, match=rf"{widget.__name__} has no strides\. It takes "):
        widget(strides=2)


class Holder(traitlets.HasTraits):
    grid = NumberGrid([[0]], largest=3)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ([[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        (((1, 2),), [[1, 2]]),
        (np.array([[0.5], [1.5]]), [[0.5], [1.5]]),
        (np.array([[True, False]]), [[1, 0]]),
        (np.array([[7]], dtype=np.uint8), [[7]]),
    ],
)
def test_a_grid_takes_lists_and_arrays_and_keeps_plain_rows(value: Any, kept: list[list[float]]) -> None:
    holder = Holder(grid=value)
    assert json.dumps(holder.grid) == json.dumps(kept)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([[1, 2], [3]], "rows that differ in length"),
        ([1, 2], r"shape \(2,\)"),
        ([[]], r"shape \(1, 0\)"),
        ([[0] * 4], r"shape \(1, 4\)"),
        ([["a"]], "not numbers"),
        ([[None]], "not numbers"),
        ([[1j]], "not numbers"),
        ([[float("nan")]], "infinite or not a number"),
        (None, r"shape \(\)"),
    ],
)
def test_a_grid_says_why_it_refuses_and_keeps_what_it_had(value: Any, reason: str) -> None:
    holder = Holder(grid=[[5]])
    with pytest.raises(traitlets.TraitError, match=rf"Holder\.grid needs a grid of finite numbers.*{reason}"):
        holder.grid = value
    assert holder.grid == [[5]]
