"""Where an element of a rearranged tensor came from: reshaping, transposing, picking, joining. Pure; it reads places, not numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nnviz.operations.recorded_call import pieces
from nnviz.records.trace_record import NodeRecord

IN_ORDER = {
    "reshape", "view", "flatten", "unflatten", "squeeze", "unsqueeze", "contiguous", "clone", "to", "double", "float", "detach", "long",
    "view_as", "type", "dropout_off",
}  # fmt: skip
"""Operations that keep the elements in their order."""


def _index(part: Any) -> Any:
    if isinstance(part, dict):
        return slice(*part["slice"]) if "slice" in part else None
    if isinstance(part, list):
        return tuple(map(_index, part))
    return Ellipsis if part == "…" else part


def _axes(node: NodeRecord) -> list[int]:
    given = [*node.arguments[1:], *(node.keywords[name] for name in ("dims", "dim0", "dim1") if name in node.keywords)]
    return list(given[0]) if len(given) == 1 and isinstance(given[0], list) else given


def _narrowed(x: np.ndarray, node: NodeRecord) -> np.ndarray:
    axis, start, length = node.arguments[1:4]
    return x.take(range(start, start + length), axis)


MOVES: dict[str, Callable[[np.ndarray, NodeRecord], np.ndarray]] = {
    "transpose": lambda x, node: x.swapaxes(*_axes(node)),
    "permute": lambda x, node: x.transpose(_axes(node)),
    "t": lambda x, node: x.T,
    "T": lambda x, node: x.T,
    "H": lambda x, node: x.T,
    "mT": lambda x, node: x.swapaxes(-1, -2),
    "expand": lambda x, node: np.broadcast_to(x, node.shape),
    "getitem": lambda x, node: x[_index(node.arguments[1])],
    "select": lambda x, node: x.take(node.arguments[2], node.arguments[1]),
    "narrow": _narrowed,
    "block": lambda x, node: np.split(x, node.arguments[2], -1)[node.arguments[1]],
    "chunk": lambda x, node: pieces(node, x)[0],
    "split": lambda x, node: pieces(node, x)[0],
    "unbind": lambda x, node: pieces(node, x)[0],
}


def origin(node: NodeRecord, shape: tuple[int, ...], place: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return which element of the only input, of this shape, an element of the node is; None where the operation is no such move."""
    if node.operation in IN_ORDER:
        flat = int(np.ravel_multi_index(place, node.shape)) if place else 0
    elif node.operation in MOVES:
        flat = int(MOVES[node.operation](np.arange(math.prod(shape)).reshape(shape), node)[place])
    else:
        return None
    return tuple(map(int, np.unravel_index(flat, shape))) if shape else ()


def joined(operation: str, shapes: list[tuple[int, ...]], axis: int, place: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """Return which of the tensors that cat or stack put together an element is of, and where in it."""
    axis %= len(place)
    if operation == "stack":
        return place[axis], (*place[:axis], *place[axis + 1 :])
    ends = np.cumsum([shape[axis] for shape in shapes])
    which = int(np.searchsorted(ends, place[axis], side="right"))
    start = int(ends[which - 1]) if which else 0
    return which, (*place[:axis], place[axis] - start, *place[axis + 1 :])
