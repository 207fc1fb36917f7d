"""Nodes and places of a trace by the names they have in lessons. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable

from nnviz.document.breakpoints import Breakpoint
from nnviz.records.breakpoint_places import node_of
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_places import places_of
from nnviz.records.trace_state import TraceState

_ASKED = re.compile(r"\b(value|gradient|local|updated|update)\(\s*['\"]([^'\"]+)")
_CONTRIBUTION = re.compile(r"\bcontribution\(\s*['\"][^'\"]+['\"]\s*,\s*['\"]([^'\"]+)")
"""A contribution is known as soon as the node that sends it has made its step."""
_PHASE_ENDS = {"loss": re.compile(r"(?<!['\"\w])loss(?!['\"\w])"), "backward": re.compile(r"\bgradient_norm\(")}
"""What is known at the end of a phase."""


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


def place_known(index: TraceIndex, expressions: Iterable[str]) -> int | None:
    """Return the first cursor at which all values, gradients, updates and the loss are known that expressions name.

    None where they name none, or only what is there from the start, or what the trace has not.
    """
    texts = tuple(expressions)
    places = [_first_known(index, kind, name) for text in texts for kind, name in _ASKED.findall(text)]
    places += [place_named(index, name, "backward") or 0 for text in texts for name in _CONTRIBUTION.findall(text)]
    ends = (phase for phase, named in _PHASE_ENDS.items() if any(map(named.search, texts)))
    places += [index.phase_spans[phase][1] for phase in ends if phase in index.phase_spans]
    last = max(places, default=0)
    return last if index.phase_spans.get("batch", (0, 1))[1] < last <= index.length else None


def _first_known(index: TraceIndex, kind: str, name: str) -> int:
    """The first cursor at which that is known of a node; behind the end where it never is."""
    nodes = _nodes(index, name)

    def is_known(cursor: int) -> bool:
        state = TraceState(index, cursor, None)
        test = state.is_updated if kind.startswith("update") else state.has_gradient if kind == "gradient" else state.is_made
        return all(map(test, nodes))

    return bisect_left(range(index.length + 1), True, key=is_known) if nodes else 0


def _nodes(index: TraceIndex, name: str) -> list[int]:
    """The node of this name, or its neurons."""
    node = node_named(index, name)
    if node is None:
        return []
    return [*index.scalars_of[node].values()] if index.is_scalar and node in index.scalars_of else [node]


def _places(index: TraceIndex, name: str) -> list[int]:
    """Behind all steps of a node, or of its neurons, in order."""
    return sorted(place for one in _nodes(index, name) for place in places_of(index, one))


def _within(index: TraceIndex, places: list[int], phase: str) -> list[int]:
    return [place for place in places if index.trace.steps[place - 1].phase == phase]
