"""What is said of the calls of one trace, worked out once for all that are alike: an unrolled net makes the same at every time step."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from nnviz.operations.operation import Formula
from nnviz.trace import Node
from nnviz.trace.record import Slot


class Formulas:
    """Return with `of` what is said of a node of one trace."""

    def __init__(self) -> None:
        self._known: dict[tuple, Formula] = {}

    def of(self, node: Node) -> Formula:
        """Return what `node.said` is."""
        if node.call is None or any([tensor.is_nested for tensor in node.operands]):
            return node.said
        operands = tuple([(tensor.shape, tensor.dtype) for tensor in node.operands])
        likeness = node.operation, operands, _told_apart(node.call.args), _told_apart(tuple(node.call.kwargs.items()))
        said = self._known.get(likeness)
        if said is None:
            said = self._known[likeness] = node.said
        return said


def _told_apart(part: Any) -> Any:
    """An argument as a key in which 1, 1.0 and True are three."""
    kind = type(part)
    if kind is Slot:
        return part.argument
    if kind is tuple or kind is list:
        return kind, *[_told_apart(one) for one in part]
    return kind, id(part) if isinstance(part, Tensor) else repr(part)
