"""Annotates everything, with names that only a type checker needs."""

ANSWERS = {
    "output-size": """
from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

if TYPE_CHECKING:
    from nowhere import Nothing

Size: TypeAlias = "int | Literal['valid', 'same']"


@overload
def output_size(n: int, k: int) -> int: ...
@overload
def output_size(n: int, k: int, stride: Nothing) -> int: ...


@RIGHT@
""",
}
