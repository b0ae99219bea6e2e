"""A network as a table, a row a layer: what `print`, a notebook and a chapter show of the same numbers."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from convbook.shapes.field import Field
from convbook.shapes.layers import Layer, Map, Shape

HEADER = ("Layer", "Kind", "Kernel", "Output", "Parameters", "Multiply-adds", "Receptive field", "Jump")
_WORDS = 4  # so many columns of words; the others hold numbers, which stand to the right


@dataclass(frozen=True)
class Row:
    """One layer.

    Attributes:
        name: as in the list, or its path in the torch module.
        kind: the kind of layer, or the operation where a module's own code calls one.
        kernel: "3×3, stride 2"; "" without a kernel.
        output_shape: of one picture, channels first; () where the output is no single tensor.
        parameters: numbers that training changes. What two layers share counts in the first.
        multiply_adds: products of convolutions and matrices for one picture.
        fields: what a unit sees along each axis of the picture; None where it cannot be said.
    """

    name: str
    kind: str
    kernel: str
    output_shape: Shape
    parameters: int
    multiply_adds: int
    fields: tuple[Field, ...] | None

    @property
    def receptive_field(self) -> tuple[int, ...] | None:
        """Pixels that a unit sees along each axis, padding included."""
        return None if self.fields is None else tuple(each.size for each in self.fields)

    @property
    def jump(self) -> tuple[int | Fraction, ...] | None:
        """Pixels from what a unit sees to what the next one sees, along each axis."""
        return None if self.fields is None else tuple(each.jump for each in self.fields)

    @property
    def start(self) -> tuple[int | None, ...] | None:
        """The first pixel that the first unit sees along each axis; negative where it is padding."""
        return None if self.fields is None else tuple(each.start for each in self.fields)


@dataclass(frozen=True)
class Table:
    """The rows of a network in the order of its work, and their sums. A notebook shows it as a table.

    Attributes:
        rows: one a layer.
        notes: what could not be counted or followed, a sentence each; empty where all could.
    """

    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def row(self, name: str) -> Row:
        """The first row of this name. Raises KeyError with the names that there are."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(f"No layer is called {name!r}. There are: {', '.join(row.name for row in self.rows)}.")

    @property
    def parameters(self) -> int:
        """Numbers that training changes, in all layers."""
        return sum(row.parameters for row in self.rows)

    @property
    def multiply_adds(self) -> int:
        """Products of convolutions and matrices for one picture, in all layers."""
        return sum(row.multiply_adds for row in self.rows)

    def text(self) -> str:
        """Aligned columns, for a terminal."""
        lines = [HEADER, *map(_cells, self.rows), self._sums()]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        aligned = [
            "  ".join(
                cell.ljust(width) if place < _WORDS else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        ]
        rule = "─" * max(map(len, aligned))
        return "\n".join([aligned[0], rule, *aligned[1:-1], rule, aligned[-1], *self.notes])

    def markdown(self) -> str:
        """A table in Markdown, for a page or a README."""
        lines = [
            [cell.replace("|", "\\|") for cell in line] for line in (HEADER, *map(_cells, self.rows), self._sums())
        ]
        lines.insert(1, [":--" if place < _WORDS else "--:" for place in range(len(HEADER))])
        return "\n".join(["| " + " | ".join(line) + " |" for line in lines] + [f"\n{note}" for note in self.notes])

    def html(self) -> str:
        """A table in HTML: headers name their columns and layers their rows, so that a screen reader can say both."""

        def line(cells: Sequence[str], tag: str = "td") -> str:
            inner = []
            for place, cell in enumerate(cells):
                kind = "th" if place == 0 else tag
                scope = "" if kind == "td" else ' scope="col"' if tag == "th" else ' scope="row"'
                side = "left" if place < _WORDS else "right"
                inner.append(f'<{kind}{scope} style="text-align: {side}">{html.escape(cell)}</{kind}>')
            return f"<tr>{''.join(inner)}</tr>"

        body = "\n".join(line(_cells(row)) for row in self.rows)
        notes = "".join(f"\n<p>{html.escape(note)}</p>" for note in self.notes)
        return (
            f"<table>\n<thead>{line(HEADER, 'th')}</thead>\n<tbody>\n{body}\n</tbody>\n"
            f"<tfoot>{line(self._sums())}</tfoot>\n</table>{notes}"
        )

    def _sums(self) -> tuple[str, ...]:
        return ("total", "", "", "", f"{self.parameters:,}", f"{self.multiply_adds:,}", "", "")

    __str__ = text
    _repr_html_ = html


def table_of_layers(layers: Sequence[Layer], input_shape: Shape) -> Table:
    """The table of a list of layers. A layer without a name gets its kind and a number: conv1, pool1, conv2."""
    x = Map.of_input(input_shape)
    rows: list[Row] = []
    seen: dict[str, int] = {}
    for layer in layers:
        kind = type(layer).__name__
        seen[kind] = seen.get(kind, 0) + 1
        name = layer.name or f"{kind.lower()}{seen[kind]}"
        try:
            y = layer.output(x)
            rows.append(
                Row(name, kind, layer.setting(x), y.shape, layer.parameters(x), layer.multiply_adds(x), y.fields)
            )
        except (TypeError, ValueError) as error:
            raise type(error)(f"{name}, after a map of shape {x.shape}: {error}") from None
        x = y
    return Table(tuple(rows))


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        row.kind,
        row.kernel,
        "×".join(map(str, row.output_shape)),
        f"{row.parameters:,}" if row.parameters else "",
        f"{row.multiply_adds:,}" if row.multiply_adds else "",
        _axes(row.receptive_field),
        _axes(row.jump),
    )


def _axes(values: Sequence[object] | None) -> str:
    """One number where all axes agree."""
    if not values:
        return "?" if values is None else ""
    return str(values[0]) if len(set(values)) == 1 else "×".join(map(str, values))
