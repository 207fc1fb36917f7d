"""The graph and the cursor in sentences: for screen readers, captions and labels. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from nnviz.protocol import NodeRecord
from nnviz.session.moment import Moment
from nnviz.ui import numerals
from nnviz.ui.graph import naming
from nnviz.ui.graph.strips import Limits

NOT_YET = "not computed yet"
NO_TRACE = "There is no trace yet."


def scale_caption(limits: Limits, coloring: str = "value") -> str:
    """Return the ranges of the colour scales: "value ±2.1 · gradient ±0.031 · √ scale"."""
    kinds = dict.fromkeys(("value", "gradient", coloring))
    return " · ".join([*(f"{kind} ±{numerals.short(limits.of(kind))}" for kind in kinds), "√ scale"])


def step_label(moment: Moment | None) -> str:
    """Return "step 31 / 58"."""
    return f"step {moment.cursor} / {moment.reading.length}" if moment else "no steps"


def sentences(moment: Moment, titles: Mapping[str, str] | None = None) -> list[str]:
    """Return where the cursor is, what the graph is, then one sentence for every node in forward order."""
    trace, titles = moment.reading.trace, titles or {}
    names = naming.names(trace)
    return [
        here(moment, names, titles),
        f"Graph of {naming.iteration(trace)}: {len(trace.nodes)} nodes in {len(moment.reading.nodes_of_layer)} layers.",
        *(f"{naming.qualified(node, names, titles)}: {_said(moment, node)}." for node in trace.nodes),
    ]


def here(moment: Moment, names: Mapping[int, str], titles: Mapping[str, str]) -> str:
    """Return where the cursor is, in one sentence."""
    place = f" at {naming.qualified(moment.node, names, titles)}" if moment.node else ""
    return f"Step {moment.cursor} of {moment.reading.length}: {moment.phase}{place}."


def _said(moment: Moment, node: NodeRecord) -> str:
    parts = [f"value {_figures(moment, node.id, 'value')}"]
    if node.gradient is not None:
        parts.append(f"gradient {_figures(moment, node.id, 'gradient')}")
    return ", ".join(parts)


def _figures(moment: Moment, node: int, what: str) -> str:
    tensor = getattr(moment, what)(node)
    if tensor is None:
        return NOT_YET
    array = moment.row(node, tensor)
    return numerals.row(array) if array is not None else f"of shape {numerals.shape(tensor.shape)}"
