"""Which nodes may look different after a move of the cursor. Pure: only places in the schedule, no numbers."""

from __future__ import annotations

from nnviz.records.trace_state import TraceState

FAR = 60
"""A move over more steps than this looks at every node."""


def touched(before: TraceState | None, now: TraceState) -> frozenset[int] | None:
    """Return the nodes that the steps between two moments make, read, send gradients to or update; None for all.

    In another phase, for another row or in another trace all may look different.
    """
    if before is None or before.index is not now.index or before.sample != now.sample or before.phase != now.phase:
        return None
    low, high = sorted((before.cursor, now.cursor))
    if low == 0 or high - low > FAR:  # the first step lays out all that no operation makes
        return None
    nodes: set[int] = set()
    for step in now.index.trace.steps[max(0, low - 1) : high]:
        if step.node >= 0:
            node = now.index.node(step.node)
            nodes |= {node.id, *node.inputs, *node.reads}
    return frozenset(nodes)
