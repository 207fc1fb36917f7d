"""Nodes and places of a trace by the names they have in lessons. Pure."""

from __future__ import annotations

from nnviz.document.breakpoints import Breakpoint
from nnviz.records.breakpoint_places import node_of
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_places import places_of


def node_named(index: TraceIndex, name: str) -> int | None:
    """Return the node with whole tensors that a lesson calls `h1/relu`, `h1.weight` or `mse_loss`; None if there is none."""
    kind = "parameter" if "." in name and "/" not in name else "node"
    found = node_of(index.whole, Breakpoint(kind, name))
    if found is None:
        nodes = (node for node in index.whole.trace.nodes if node.kind != "operation")
        found = next((node.id for node in nodes if name in (node.label, node.module)), None)
    return found


def place_named(index: TraceIndex, name: str, phase: str) -> int | None:
    """Return the cursor behind the steps of a node in a phase, behind its first step where that phase has none of it.

    Without a name it is behind the first step of the phase; None where the trace has no such step.
    """
    if not name:
        span = index.phase_spans.get(phase)
        return span[0] + 1 if span else None
    places = _places(index, name)
    in_phase = _within(index, places, phase)
    return in_phase[-1] if in_phase and index.is_scalar else next(iter(in_phase or places), None)


def place_before(index: TraceIndex, name: str, phase: str) -> int | None:
    """Return the cursor from which the next step is the one that `place_named` stands behind; at the end of a phase without one of it."""
    in_phase = _within(index, _places(index, name), phase) if name else []
    if in_phase:
        return in_phase[0] - 1
    span = index.phase_spans.get(phase)
    return span[1 if name else 0] if span else None


def _places(index: TraceIndex, name: str) -> list[int]:
    """Behind all steps of a node, or of its neurons, in order."""
    node = node_named(index, name)
    if node is None:
        return []
    nodes = index.scalars_of[node].values() if index.is_scalar and node in index.scalars_of else (node,)
    return sorted(place for one in nodes for place in places_of(index, one))


def _within(index: TraceIndex, places: list[int], phase: str) -> list[int]:
    return [place for place in places if index.trace.steps[place - 1].phase == phase]
