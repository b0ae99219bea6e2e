"""A trait for widgets about networks: Python holds layers of `convbook.shapes`, the page gets plain objects."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import Field, fields, replace
from typing import Any

import traitlets

from convbook.shapes import Layer, Pool

Range = tuple[int, int] | type[bool]
Ranges = Mapping[type[Layer], Mapping[str, Range]]


class LayerList(traitlets.TraitType[Sequence[Layer], Any]):
    """A list of layers, as in `[Conv(6, 5, padding=2), Pool(2)]`. The page gets `{"kind": "Conv", "channels": 6, …}`.

    Args:
        ranges: the kinds that the page offers, and of each the settings with their lowest and highest value, or
            `bool`. A setting that is not named must have its default, since the page could not show it.
        most: how many layers there may be; at least one.
    """

    def __init__(self, default: Sequence[Layer], *, ranges: Ranges, most: int) -> None:
        super().__init__(default_value=[_plain(layer) for layer in default])
        self.ranges = ranges
        self.most = most
        kinds = ", ".join(kind.__name__ for kind in ranges)
        self.info_text = f"1 to {most} layers of convbook.shapes, each one of {kinds}"
        self.tag(to_json=lambda layers, _: [self._pack(layer) for layer in layers], from_json=self._unpack_all)

    def validate(self, obj: Any, value: Any) -> Sequence[Layer]:
        """`value` as a list; TraitError with a sentence that names the layer which the page cannot show."""
        where = f"{type(obj).__name__}.{self.name} needs {self.info_text}"
        layers = list(value) if isinstance(value, Iterable) else []
        if not 1 <= len(layers) <= self.most:
            raise traitlets.TraitError(f"{where}. Got {len(layers) or value!r}.")
        for number, layer in enumerate(layers, 1):
            if type(layer) not in self.ranges:
                raise traitlets.TraitError(f"{where}. Layer {number} is {layer!r}.")
            layers[number - 1] = layer = _plain(layer)
            for part in fields(layer):
                if reason := self._objection(part, getattr(layer, part.name), self.ranges[type(layer)]):
                    raise traitlets.TraitError(f"{where}. Layer {number}, {layer!r}: {part.name} {reason}.")
        return layers

    @staticmethod
    def _objection(part: Field[Any], value: object, ranges: Mapping[str, Range]) -> str:
        wanted = ranges.get(part.name)
        if wanted is None:
            return "" if value == part.default else f"can only be {part.default!r} here"
        if wanted is bool:
            return "" if isinstance(value, bool) else "must be True or False"
        low, high = wanted
        fits = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        return "" if fits else f"must be a whole number from {low} to {high}"

    def _pack(self, layer: Layer) -> dict[str, Any]:
        return {"kind": type(layer).__name__} | {name: getattr(layer, name) for name in self.ranges[type(layer)]}

    def _unpack_all(self, packed: Sequence[Mapping[str, Any]], _: Any) -> list[Layer]:
        kinds = {kind.__name__: kind for kind in self.ranges}
        return [kinds[each["kind"]](**{name: each[name] for name in each if name != "kind"}) for each in packed]


def _plain(layer: Layer) -> Layer:
    """The layer with each setting as one number: a pooling without a stride has its window's."""
    return replace(layer, stride=layer.kernel) if isinstance(layer, Pool) and layer.stride is None else layer
