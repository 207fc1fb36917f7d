"""Which element of a node is worked out: kept from one iteration to the next, at first the one with the largest gradient."""

from __future__ import annotations

import math

import numpy as np

from nnviz.records.trace_record import NodeRecord
from nnviz.records.trace_state import TraceState


class Elements:
    """Places counted row-major over a node's shape without its batch axis."""

    def __init__(self) -> None:
        self._places: dict[int, int] = {}

    def clear(self) -> None:
        """Forget all choices: a trace of other nodes has come."""
        self._places = {}

    def choose(self, node: NodeRecord, place: int) -> None:
        """Remember a choice."""
        self._places[node.id] = place

    def place(self, state: TraceState, node: NodeRecord) -> int:
        """Return the place chosen for a node."""
        if node.id not in self._places:
            array = state.row(node.id, node.gradient or node.value)
            if array is None or not array.size:
                return 0  # nothing is remembered: its numbers may come
            self._places[node.id] = int(np.argmax(np.nan_to_num(np.abs(array))))
        return self._places[node.id]

    def element(self, state: TraceState, node: NodeRecord) -> tuple[int, ...]:
        """Return the chosen element, without the batch axis."""
        sizes = row_shape(node)
        return tuple(map(int, np.unravel_index(self.place(state, node), sizes))) if math.prod(sizes) else (0,) * len(sizes)

    def full(self, state: TraceState, node: NodeRecord) -> tuple[int, ...]:
        """Return the chosen element with the chosen row in its place."""
        element = list(self.element(state, node))
        if node.batch_axis is not None:
            element.insert(node.batch_axis, state.sample or 0)
        return tuple(element)


def row_shape(node: NodeRecord) -> tuple[int, ...]:
    """Return the shape of a node for one row of the batch."""
    return tuple(size for axis, size in enumerate(node.shape) if axis != node.batch_axis)
