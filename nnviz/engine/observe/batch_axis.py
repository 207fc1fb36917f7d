"""Which axis of a traced tensor counts the rows of the batch, from shapes and from what was made from what."""

from __future__ import annotations

from nnviz.operations.table import row_of
from nnviz.trace import Node, Trace


def batch_axes(trace: Trace, batch: int, first: int = 0) -> dict[int, int]:
    """For each node made from the batch its axis of rows: as long as the batch, and where an input's axis can have come to.

    `first`: where the model's inputs have it. Where an operation rearranges axes and two are that long, none is guessed.
    """
    axes: dict[int, int] = {}
    for node in trace.nodes:
        if node.kind in ("parameter", "buffer"):
            continue
        shape = node.shape
        if row_of(node.operation).rearranges and shape.count(batch) > 1:
            continue
        sources = zip(node.inputs, node.ports, strict=True)
        known = [(axes[source], trace.nodes[source].values[port].dim()) for source, port in sources if source in axes]
        wanted = [place for axis, rank in known for place in _places(axis, rank, len(shape))] if node.inputs else _given(node, batch, first)
        found = next((place for place in wanted if shape[place : place + 1] == (batch,)), None)
        if found is not None:
            axes[node.id] = found
    return axes


def _given(node: Node, batch: int, first: int) -> list[int]:
    """Where the axis may be of what comes from outside, and of states and masks that the model makes itself: (layers, batch, units).

    Of a constant with one axis only, or with two that are as long as the batch, none is taken for rows: it may count time steps or units.
    """
    places = [place for place, size in enumerate(node.shape[:2]) if size == batch]
    if node.kind == "constant" and (len(node.shape) == 1 or len(places) > 1):
        return []
    return [first, *places]


def _places(axis: int, rank: int, made: int) -> list[int]:
    """Where an axis may be after a call that made `made` axes of `rank`: where it was, one on or back, or among the first two."""
    return [place for place in (axis, axis + made - rank, 0, 1) if 0 <= place < made]
