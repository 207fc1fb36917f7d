"""What every node and edge shows at a cursor, whether it is drawn as a card or as a circle: pure, from (trace, cursor, row)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nnviz.records.trace_state import TraceState
from nnviz.ui.graph import marks
from nnviz.ui.graph.appearance import Appearance
from nnviz.ui.graph.structure import Edge, NodeCard


@dataclass(frozen=True, kw_only=True)
class NodeState:
    """All that a card or circle shows, but for its numbers."""

    name: str
    parameter: bool = False
    phase: str = ""
    """The phase of the present step, if the step is at this node."""
    read: bool = False
    """Whether the present backward step reads its value."""
    selected: bool = False
    breakpoint: bool | None = None
    """Whether the breakpoint on it is on; None where there is none."""
    supposed: bool = False
    """Whether another value is supposed of it."""
    differs: bool = False
    """Whether it shows other numbers because of what is supposed."""
    marks: tuple[str, ...] = ()
    """dead · saturated · dropped · frozen · non_finite; of a folded layer also found: the doctor found something in it"""
    size: float | None = None
    """How large what the graph is coloured by is in this node, −1 to 1 of the full scale; None while it is not there."""


@dataclass(frozen=True)
class EdgeState:
    """How an edge is drawn."""

    sent: bool = False
    """Whether its value has been sent forward."""
    returned: bool = False
    """Whether a gradient has come back."""
    size: float | None = None
    """How large what the graph is coloured by is on it, −1 to 1 of the full scale; None while it is not there."""
    active: bool = False
    """Whether it ends at the neuron looked at."""
    selected: bool = False
    labels: tuple[tuple[str, str], ...] = ()
    """(colour, text) of the lines that stand on it."""
    above: bool = False
    """Whether they stand above the line: on an edge without a weight, whose middle a travelling gradient takes."""


def standing(state: TraceState, card: NodeCard, look: Appearance) -> dict[str, Any]:
    """Return the fields of a NodeState that do not depend on how a node is drawn."""
    own = card.nodes if card.folded else (card.shown,)
    steps_on = {state.step.node, *state.step.others} if state.step else set()
    breakpoints = [look.breakpoints[node] for node in card.nodes if node in look.breakpoints] if look.breakpoints else ()
    is_what_if = state.index.original is not None or bool(state.index.trace.what_ifs)
    return {
        "parameter": state.index.node(card.shown).kind == "parameter",
        "phase": "" if steps_on.isdisjoint(card.nodes) else state.phase,
        "read": any(node in own for node in state.reads()),
        "selected": look.selected is not None and look.selected in (*own, card.bias),
        "breakpoint": any(breakpoints) if breakpoints else None,
        "supposed": is_what_if and any(state.index.supposed(node) for node in card.nodes),
        "differs": is_what_if and any(state.differs(node) for node in card.nodes),
        "marks": marks.on_card(state, card) + ((marks.FOUND,) if card.folded and causes_in(state, card, look) else ()),
    }


def causes_in(state: TraceState, card: NodeCard, look: Appearance) -> tuple[str, ...]:
    """Return what the doctor found in the layers whose nodes are folded into a card."""
    layers = dict.fromkeys(state.index.node(node).group[0] for node in card.nodes if look.causes and state.index.node(node).group)
    return tuple(cause for layer in layers for cause in look.causes.get(layer, ()))


def is_sent(state: TraceState, edge: Edge) -> bool:
    """Return whether a value has been sent forward along an edge."""
    return any(state.is_made(source) and state.is_made(target) for source, target in edge.edges)


def is_returned(state: TraceState, edge: Edge) -> bool:
    """Return whether a gradient has come back along an edge."""
    return any(_came_back(state, *ends) for ends in edge.edges)


def is_travelling(state: TraceState, edge: Edge) -> bool:
    """Return whether the present backward step sends a gradient back along an edge."""
    here = state.step.node if state.step and state.phase == "backward" else None
    return any(target == here and _came_back(state, source, target) for source, target in edge.edges)


def _came_back(state: TraceState, source: int, target: int) -> bool:
    return any(edge.target == target for edge in state.arrived(source))
