"""The graph and the cursor in sentences: for screen readers, captions and labels. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from nnviz.records.trace_state import TraceState
from nnviz.text import names, numbers
from nnviz.ui.graph.strips import Limits

NO_TRACE = "There is no trace yet."


def scale_caption(limits: Limits, coloring: str = "value") -> str:
    """Return the ranges of the colour scales: "value ±2.1 · gradient ±0.031 · √ scale"."""
    kinds = dict.fromkeys(("value", "gradient", coloring))
    return " · ".join([*(f"{kind} ±{numbers.short(limits.of(kind))}" for kind in kinds), "√ scale"])


def here(state: TraceState, named: Mapping[int, str], titles: Mapping[str, str]) -> str:
    """Return where the cursor is, in one sentence."""
    place = f" at {names.qualified(state.node, named, titles)}" if state.node else ""
    return f"Step {state.cursor} of {state.index.length}: {state.phase}{place}."
