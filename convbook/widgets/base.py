"""What every widget shares: how its files become one module, and how its traits refuse bad input.

A widget NAME is four files beside this one, each with one job:

    NAME.py        the class: traits that Python and the page share, and what they accept
    NAME.math.mjs  arithmetic: pure functions of the state, no DOM, tested in node
    NAME.js        drawing: `export default { initialize, render }`, as anywidget defines them
    NAME.css       looks, every rule under the widget's own class

`kit.mjs`, `grid.mjs`, `numbers.mjs` and `kit.css` hold what widgets have in common. The book, JupyterLab and Colab
import a widget from a blob, where a relative import has no meaning, so `bundle` joins the files first.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import NDArray

HERE = Path(__file__).parent
Rows = Sequence[Sequence[float]]

_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w.]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function |const |class )", re.MULTILINE)
_LEFT_OVER = re.compile(r"^(?:import|export(?! default))\b.*", re.MULTILINE)


class BundleError(ValueError):
    """A module is written in a way that `bundle` does not join."""


def bundle(entry: str, folder: Path = HERE) -> str:
    """The module `entry` and all it imports, as the text of one module that imports nothing.

    Modules follow one another, each once and after those it imports; the import lines and the word
    `export` before a declaration are dropped. That keeps the meaning as long as modules

    * import by name from beside them, `import { a, b } from "./x.mjs";`, without renaming;
    * export a `function`, `const` or `class` where it is declared (the entry also has its `export default`);
    * do not give two top-level declarations the same name (the browser and node then refuse the bundle).

    Anything else raises BundleError with the file and the line.
    """
    joined: dict[str, str] = {}  # file name -> text without its imports, in the order of need

    def add(name: str) -> None:
        if name in joined:
            return
        source = (folder / name).read_text(encoding="utf-8")
        for names, imported in _IMPORT.findall(source):
            add(imported)
            for wanted in filter(None, (part.strip() for part in names.split(","))):
                if not re.search(
                    rf"^(?:async )?(?:function|const|class) {re.escape(wanted)}\b", joined[imported], re.M
                ):
                    raise BundleError(f"{name} imports {wanted!r}, which {imported} does not declare.")
        text = _EXPORT.sub("", _IMPORT.sub("", source))
        if left := _LEFT_OVER.search(text):
            raise BundleError(f"{name} has {left[0]!r}; write imports and exports as `bundle` describes.")
        if name != entry and "\nexport default" in text:
            raise BundleError(f"{name} has a default export; only the entry of a bundle has one.")
        joined[name] = text.strip()

    add(entry)
    return "\n\n".join(f"// {name}\n{text}" for name, text in joined.items()) + "\n"


def stylesheet(name: str) -> str:
    """The kit's style and the widget's own, in that order."""
    return "\n".join((HERE / part).read_text(encoding="utf-8") for part in ("kit.css", name))


class NumberArray(traitlets.TraitType[Any, Any]):
    """Finite numbers along some axes: nested lists or an array, kept as lists. `largest` has a limit for each axis."""

    def __init__(self, default: Any, *, largest: Sequence[int]) -> None:
        super().__init__(default_value=default)
        self.limits = tuple(largest)
        axes = "one axis" if len(self.limits) == 1 else f"{len(self.limits)} axes"
        self.info_text = f"finite numbers along {axes}, up to {' × '.join(map(str, self.limits))} of them"

    def validate(self, obj: Any, value: Any) -> Any:
        """`value` as nested lists; TraitError with a sentence when it is no such array."""
        where = f"{type(obj).__name__}.{self.name} needs {self.info_text}"
        try:
            array = np.array(value)
        except ValueError as error:  # rows of different length
            raise traitlets.TraitError(f"{where}. Got rows that differ in length.") from error
        limits = self.limits if array.ndim == len(self.limits) else [0] * array.ndim
        if not array.ndim or not all(1 <= n <= most for n, most in zip(array.shape, limits, strict=True)):
            raise traitlets.TraitError(f"{where}. Got shape {array.shape}.")
        if array.dtype.kind not in "biuf":
            raise traitlets.TraitError(f"{where}. Got entries that are not numbers.")
        if not np.isfinite(array).all():
            raise traitlets.TraitError(f"{where}. Got an entry that is infinite or not a number.")
        return (array.astype(int) if array.dtype.kind == "b" else array).tolist()


class NumberGrid(NumberArray):
    """A matrix of finite numbers: nested lists or an array, kept as lists of rows. At most `largest` a side."""

    def __init__(self, default: Rows, *, largest: int) -> None:
        super().__init__(default, largest=(largest, largest))
        self.largest = largest
        self.info_text = f"a grid of finite numbers, 1 to {largest} rows and columns, rows of equal length"


class Picture(traitlets.TraitType[NDArray[np.uint8], Any]):
    """A gray picture: values from 0 (black) to 1 (white), or bytes, kept as bytes of shape (rows, columns).

    The page gets {shape: [rows, columns], data: DataView}, one byte a pixel, row by row.
    """

    def __init__(self, *, largest: int) -> None:
        super().__init__()
        self.largest = largest
        self.info_text = f"a gray picture, 1 to {largest} pixels a side, as numbers from 0 to 1 or as bytes"
        self.tag(to_json=self._to_page, from_json=self._from_page)

    def validate(self, obj: Any, value: Any) -> NDArray[np.uint8]:
        """`value` as read-only bytes; TraitError with a sentence when it is no such picture."""
        where = f"{type(obj).__name__}.{self.name} needs {self.info_text}"
        pixels = np.asarray(value)
        if pixels.ndim != 2 or not all(1 <= side <= self.largest for side in pixels.shape):
            raise traitlets.TraitError(f"{where}. Got shape {pixels.shape}.")
        if pixels.dtype != np.uint8:
            if pixels.dtype.kind not in "biuf" or not ((pixels >= 0) & (pixels <= 1)).all():
                raise traitlets.TraitError(f"{where}. Got values outside 0 to 1.")
            pixels = np.rint(pixels * 255.0)
        kept = pixels.astype(np.uint8)
        kept.setflags(write=False)
        return kept

    @staticmethod
    def _to_page(pixels: NDArray[np.uint8], _: Any) -> Any:
        return {"shape": list(pixels.shape), "data": pixels.tobytes()}

    @staticmethod
    def _from_page(value: Any, _: Any) -> NDArray[np.uint8]:
        return np.frombuffer(value["data"], np.uint8).reshape(value["shape"])


class Widget(anywidget.AnyWidget):
    """An anywidget that names wrong arguments and says in words what a plain-text output cannot show."""

    fallback: str
    """The sentence that stands for the widget where only text is shown."""

    def __init__(self, **traits: Any) -> None:
        known = self.trait_names(sync=True)
        if unknown := sorted(set(traits) - set(known)):
            public = ", ".join(sorted(name for name in type(self).class_own_traits(sync=True)))
            raise TypeError(f"{type(self).__name__} has no {', '.join(unknown)}. It takes {public}.")
        super().__init__(**traits)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        shown = super()._repr_mimebundle_(**kwargs)
        if shown is not None:
            shown[0]["text/plain"] = self.fallback
        return shown
