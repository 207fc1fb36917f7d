"""What the axes of a parameter are called, and how an array of more than two axes is cut into matrices. Pure."""

from __future__ import annotations

import numpy as np

from nnviz.document.catalog import layer_kind
from nnviz.document.network import Layer

_BY_COUNT = {
    1: ("unit",),
    2: ("out", "in"),
    3: ("out channel", "in channel", "tap"),
    4: ("out channel", "in channel", "row", "column"),
}
_EMBEDDING = ("token", "feature")


def axis_names(layer: Layer | None, shape: tuple[int, ...]) -> tuple[str, ...]:
    """Return a name for every axis: of a weight of torch's layers out before in."""
    if layer is not None and layer.kind == "embedding" and len(shape) == 2:
        return _EMBEDDING
    return _BY_COUNT.get(len(shape), tuple(f"axis {axis}" for axis in range(len(shape))))


def row_names(layer: Layer | None, shape: tuple[int, ...]) -> tuple[str, ...]:
    """Return a name for every row where they are gates one below the other, as "f 2" of an LSTM; empty where they are just counted."""
    gates = layer_kind(layer.kind).gates if layer is not None else ()
    if not gates or not shape or shape[0] % len(gates):
        return ()
    units = shape[0] // len(gates)
    return tuple(f"{gate} {unit}" for gate in gates for unit in range(units))


def leading(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the sizes of the axes that are not in the matrix: all but the last two."""
    return shape[:-2] if len(shape) > 2 else ()


def matrix(array: np.ndarray, place: tuple[int, ...]) -> np.ndarray:
    """Return one matrix (rows, columns) of an array, at a place on its leading axes; a vector is one column. A view."""
    return array[place] if array.ndim >= 2 else array.reshape(-1, 1)


def element(shape: tuple[int, ...], place: tuple[int, ...], row: int, column: int) -> tuple[int, ...]:
    """Return the index in the array of a cell of that matrix."""
    if len(shape) >= 2:
        return (*place, row, column)
    return (row,) if shape else ()
