"""Which axis of a traced tensor counts the rows of the batch, from shapes and from what was made from what."""

from __future__ import annotations

from nnviz.operations.table import row_of
from nnviz.trace import Trace


def batch_axes(trace: Trace, batch: int) -> dict[int, int]:
    """For each node made from the batch its axis of rows: as long as the batch, and where an input's axis can have come to.

    Where an operation rearranges axes and two are that long, none is guessed.
    """
    axes: dict[int, int] = {}
    for node in trace.nodes:
        is_ambiguous = row_of(node.operation).rearranges and node.shape.count(batch) > 1
        if node.kind in ("parameter", "buffer") or is_ambiguous:
            continue
        sources = zip(node.inputs, node.ports, strict=True)
        known = [(axes[source], trace.nodes[source].values[port].dim()) for source, port in sources if source in axes]
        wanted = [place for axis, rank in known for place in _places(axis, rank, len(node.shape))] if node.inputs else [0]
        found = next((place for place in wanted if node.shape[place : place + 1] == (batch,)), None)
        if found is not None:
            axes[node.id] = found
    return axes


def _places(axis: int, rank: int, made: int) -> list[int]:
    """Where an axis may be after a call that made `made` axes of `rank`: where it was, one on or back, or among the first two."""
    return [place for place in (axis, axis + made - rank, 0, 1) if 0 <= place < made]
