"""What every card and wire shows at a moment: pure functions from (trace, cursor, row) to the frozen states that items paint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from nnviz.records.tensors import Tensor
from nnviz.records.trace_record import NodeRecord
from nnviz.records.trace_state import TraceState
from nnviz.text import names, numbers
from nnviz.ui.graph import marks
from nnviz.ui.graph.appearance import Appearance
from nnviz.ui.graph.card_items import CardState, EdgeState
from nnviz.ui.graph.strips import (
    Limits,
    Strip,
    change,
    contribution_strip,
    gradient_strip,
    limits,
    robust_limit,
    shaded,
    update_strip,
    value_strip,
    words,
)
from nnviz.ui.graph.structure import Edge, NodeCard

NARROW, WIDE = 1.4, 4.2


_Key = TypeVar("_Key")


@dataclass(frozen=True)
class Scales:
    """What all states of one trace and row share: names, colour scales, how large and of which sign everything is."""

    names: Mapping[int, str]
    limits: Limits
    flows: Mapping[str, Mapping[tuple[int, int], float]] = field(default_factory=dict)
    """For each of COLORINGS: how large it is on every edge (source, target), −1 to 1 of the full scale."""
    sizes: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    """For each of COLORINGS: how large it is in every node that has it, −1 to 1 of the full scale."""
    tokens: tuple[str, ...] = ()
    """What the numbers of the inputs stand for, where the data is a text."""
    strips: dict[tuple, Strip] = field(default_factory=dict)
    """Strips already made: what a node shows only changes when its value or gradient does."""


def scales(state: TraceState, tokens: tuple[str, ...] = ()) -> Scales:
    """Return the scales for a trace seen for one row. They do not depend on the cursor."""
    trace = state.index.trace
    nodes = _node_sizes(state)
    edges = {kind: {(edge.source, edge.target): sizes.get(edge.source, 0.0) for edge in trace.edges} for kind, sizes in nodes.items()}
    edges["contribution"] = {(edge.source, edge.target): _size(state, edge.source, edge.contribution) for edge in trace.edges}
    flows = {kind: _shares(sizes) for kind, sizes in edges.items()}
    return Scales(names.names(trace), limits(state), flows, {kind: _shares(sizes) for kind, sizes in nodes.items()}, tokens)


def _node_sizes(state: TraceState) -> dict[str, dict[int, float]]:
    """How large each of COLORINGS is in every node that has it; what a node's backward step sends on, largest part first."""
    index = state.index
    nodes = index.trace.nodes
    sent = {
        node.id: max((_size(state, edge.source, edge.contribution) for edge in index.in_edges[node.id]), key=abs)
        for node in nodes
        if any(edge.contribution is not None for edge in index.in_edges.get(node.id, ()))
    }
    return {
        "value": {node.id: _size(state, node.id, node.value) for node in nodes},
        "gradient": {node.id: _size(state, node.id, node.gradient) for node in nodes if node.gradient is not None},
        "contribution": sent,
        "update": {node: _signed(change(state, node)) for node in index.updates},
    }


def _shares(sizes: dict[_Key, float]) -> dict[_Key, float]:
    """One outlier does not make all others pale and thin."""
    limit = robust_limit(list(sizes.values()))
    return {key: shaded(size, limit) for key, size in sizes.items()}


def _size(state: TraceState, node: int, tensor: Tensor | None) -> float:
    """Root of the mean square, comparable between tensors of different sizes, with the sign of the largest number."""
    array = state.row(node, tensor)
    if array is None or not array.size:
        measure = state.measure(tensor)
        size = measure.norm / measure.count**0.5 if measure and measure.count else 0.0
        return -size if size and -measure.min > measure.max else size
    return _signed(array)


def _signed(array: np.ndarray | None) -> float:
    finite = array[np.isfinite(array)].astype(float) if array is not None else np.empty(0)
    if not finite.size:
        return 0.0
    return float(np.copysign(np.sqrt(np.mean(finite**2)), finite.max() + finite.min()))


def card_state(
    state: TraceState,
    card: NodeCard,
    scale: Scales,
    look: Appearance,
) -> CardState:
    """Return what a card shows now."""
    own = [look.breakpoints[node] for node in card.nodes if node in look.breakpoints]
    coloring = look.coloring
    node = state.index.node(card.shown)
    here = state.step is not None and state.step.node in card.nodes
    name, note = card_texts(card, node, scale, look.titles)
    return CardState(
        name=name,
        note=note,
        value=_value_strip(state, node, scale, coloring),
        gradient=_gradient_strip(state, node, scale, coloring),
        limits=scale.limits,
        parameter=node.kind == "parameter",
        made=state.is_made(node.id),
        settled=_settled(state, node),
        phase=state.phase if here else "",
        read=any(read in card.nodes for read in state.reads()),
        selected=look.selected in card.nodes,
        folded=card.folded,
        is_many=len(card.groups) > 1,
        breakpoint=any(own) if own else None,
        supposed=any(state.index.supposed(node) for node in card.nodes),
        differs=any(state.differs(node) for node in card.nodes),
        size=scale.sizes[coloring].get(node.id) if _is_there(state, node, coloring) else None,
        marks=_marks(state, card, node),
    )


def card_texts(card: NodeCard, node: NodeRecord, scale: Scales, titles: Mapping[str, str]) -> tuple[str, str]:
    """Return name and note of a card: of a folded group its title and how much is in it."""
    name = titles.get(card.title, card.title) or scale.names[node.id]
    if not card.folded:
        return name, names.note(node)
    return name, f"× {len(card.groups)}" if len(card.groups) > 1 else f"{len(card.nodes)} nodes"


def _marks(state: TraceState, card: NodeCard, node: NodeRecord) -> tuple[str, ...]:
    """Those of the node that is shown; of a folded group any."""
    nodes = card.nodes if card.folded else (node.id,)
    return tuple(dict.fromkeys(mark for one in nodes for mark in marks.marks(state, one) if mark != "dropped"))


def _is_there(state: TraceState, node: NodeRecord, coloring: str) -> bool:
    """Whether what the graph is coloured by is known of a node by now."""
    if coloring == "value":
        return state.is_made(node.id)
    if coloring == "gradient":
        return state.has_gradient(node.id)
    if coloring == "update":
        return state.is_updated(node.id)
    return any(edge in state.arrived(edge.source) for edge in state.index.in_edges.get(node.id, ()))


def _value_strip(state: TraceState, node: NodeRecord, scale: Scales, coloring: str) -> Strip:
    """The value, or what the optimizer adds to it."""
    is_update = coloring == "update" and node.id in state.index.updates
    key = (node.id, is_update, state.is_made(node.id), state.is_updated(node.id))
    if key not in scale.strips:
        scale.strips[key] = update_strip(state, node) if is_update else value_strip(state, node, scale.tokens)
    return scale.strips[key]


def _gradient_strip(state: TraceState, node: NodeRecord, scale: Scales, coloring: str) -> Strip:
    """The gradient, or what is sent on of it."""
    make, sent = (contribution_strip, _is_there(state, node, coloring)) if coloring == "contribution" else (gradient_strip, False)
    key = (node.id, make, state.has_gradient(node.id), len(state.arrived(node.id)), sent)
    if key not in scale.strips:
        scale.strips[key] = make(state, node)
    return scale.strips[key]


def _settled(state: TraceState, node: NodeRecord) -> bool:
    if state.phase in ("backward", "clip"):
        return node.gradient is None or state.has_gradient(node.id)
    if state.phase == "update":
        return node.id not in state.index.updates or state.is_updated(node.id)
    return state.is_made(node.id)


def wire_state(state: TraceState, wire: Edge, scale: Scales, coloring: str) -> EdgeState:
    """Return how a wire is drawn now. Colour and width are shown only once their number is there."""
    sent = any(state.is_made(source) and state.is_made(target) for source, target in wire.edges)
    returned = any((source, target) in _returned(state, source) for source, target in wire.edges)
    updated = any(state.is_updated(source) for source, _ in wire.edges)
    known = {"value": sent, "update": updated}.get(coloring, returned)
    size = max((scale.flows[coloring][edge] for edge in wire.edges), key=abs) if known else None
    return EdgeState(sent, returned, round(NARROW + (WIDE - NARROW) * abs(size or 0.0), 2), size)


def _returned(state: TraceState, source: int) -> set[tuple[int, int]]:
    return {(edge.source, edge.target) for edge in state.arrived(source)}


def travelling(state: TraceState, wire: Edge) -> bool:
    """Whether the present backward step sends a gradient back along this wire."""
    if state.phase != "backward" or state.step is None:
        return False
    here = state.step.node
    return any(target == here and (source, target) in _returned(state, source) for source, target in wire.edges)


def tooltip(state: TraceState, card: NodeCard, scale: Scales, titles: Mapping[str, str]) -> str:
    """Return the card's numbers as text."""
    node = state.index.node(card.shown)
    head = f"{names.qualified(node, scale.names, titles)} · {node.operation} · {numbers.shape(node.shape)}"
    lines = [head, *marks.explained(state, node.id), f"value {_figures(state, node.id, state.value(node.id))}"]
    said = words(state, node, scale.tokens) if state.is_made(node.id) else ()
    lines += [f"tokens {', '.join(said)}"] if said else []
    if node.gradient is not None:
        lines.append(f"gradient {_figures(state, node.id, state.gradient(node.id))}")
    return "\n".join([*lines, f"in {node.where}"] if node.where else lines)


def _figures(state: TraceState, node: int, tensor: Tensor | None) -> str:
    if tensor is None:
        return "not computed yet"
    array = state.row(node, tensor)
    if array is not None:
        return numbers.table(array) if array.ndim < 2 else f"\n{numbers.table(array)}"
    measure = state.measure(tensor)
    if measure is None:
        return "not sent"
    return f"{numbers.number(measure.min)} to {numbers.number(measure.max)}, mean {numbers.number(measure.mean)}"
