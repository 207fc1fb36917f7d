"""The graph and the cursor in sentences: for screen readers, captions and labels. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from nnviz.records.trace_record import NodeRecord
from nnviz.records.trace_state import TraceState
from nnviz.text import names, numbers
from nnviz.ui.graph.strips import Limits

NOT_YET = "not computed yet"
NO_TRACE = "There is no trace yet."


def scale_caption(limits: Limits, coloring: str = "value") -> str:
    """Return the ranges of the colour scales: "value ±2.1 · gradient ±0.031 · √ scale"."""
    kinds = dict.fromkeys(("value", "gradient", coloring))
    return " · ".join([*(f"{kind} ±{numbers.short(limits.of(kind))}" for kind in kinds), "√ scale"])


def step_label(state: TraceState | None) -> str:
    """Return "step 31 / 58"."""
    return f"step {state.cursor} / {state.index.length}" if state else "no steps"


def sentences(state: TraceState, titles: Mapping[str, str] | None = None) -> list[str]:
    """Return where the cursor is, what the graph is, then one sentence for every node in forward order."""
    trace, titles = state.index.trace, titles or {}
    named = names.names(trace)
    return [
        here(state, named, titles),
        f"Graph of {names.iteration(trace)}: {len(trace.nodes)} nodes in {len(state.index.nodes_of_layer)} layers.",
        *(f"{names.qualified(node, named, titles)}: {_said(state, node)}." for node in trace.nodes),
    ]


def here(state: TraceState, named: Mapping[int, str], titles: Mapping[str, str]) -> str:
    """Return where the cursor is, in one sentence."""
    place = f" at {names.qualified(state.node, named, titles)}" if state.node else ""
    return f"Step {state.cursor} of {state.index.length}: {state.phase}{place}."


def _said(state: TraceState, node: NodeRecord) -> str:
    parts = [f"value {_figures(state, node.id, 'value')}"]
    if node.gradient is not None:
        parts.append(f"gradient {_figures(state, node.id, 'gradient')}")
    return ", ".join(parts)


def _figures(state: TraceState, node: int, what: str) -> str:
    tensor = getattr(state, what)(node)
    if tensor is None:
        return NOT_YET
    array = state.row(node, tensor)
    return numbers.row(array) if array is not None else f"of shape {numbers.shape(tensor.shape)}"
