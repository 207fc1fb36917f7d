"""What every card and wire shows at a moment: pure functions from (trace, cursor, row) to the frozen states that items paint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from nnviz.protocol import NodeRecord, Tensor
from nnviz.session.moment import Moment
from nnviz.ui import numerals
from nnviz.ui.graph import marks, naming
from nnviz.ui.graph.items import CardState, WireState
from nnviz.ui.graph.look import Look
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
from nnviz.ui.graph.structure import Card, Wire

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


def scales(moment: Moment, tokens: tuple[str, ...] = ()) -> Scales:
    """Return the scales for a trace seen for one row. They do not depend on the cursor."""
    trace = moment.reading.trace
    nodes = _node_sizes(moment)
    edges = {kind: {(edge.source, edge.target): sizes.get(edge.source, 0.0) for edge in trace.edges} for kind, sizes in nodes.items()}
    edges["contribution"] = {(edge.source, edge.target): _size(moment, edge.source, edge.contribution) for edge in trace.edges}
    flows = {kind: _shares(sizes) for kind, sizes in edges.items()}
    return Scales(naming.names(trace), limits(moment), flows, {kind: _shares(sizes) for kind, sizes in nodes.items()}, tokens)


def _node_sizes(moment: Moment) -> dict[str, dict[int, float]]:
    """How large each of COLORINGS is in every node that has it; what a node's backward step sends on, largest part first."""
    reading = moment.reading
    nodes = reading.trace.nodes
    sent = {
        node.id: max((_size(moment, edge.source, edge.contribution) for edge in reading.in_edges[node.id]), key=abs)
        for node in nodes
        if any(edge.contribution is not None for edge in reading.in_edges.get(node.id, ()))
    }
    return {
        "value": {node.id: _size(moment, node.id, node.value) for node in nodes},
        "gradient": {node.id: _size(moment, node.id, node.gradient) for node in nodes if node.gradient is not None},
        "contribution": sent,
        "update": {node: _signed(change(moment, node)) for node in reading.updates},
    }


def _shares(sizes: dict[_Key, float]) -> dict[_Key, float]:
    """One outlier does not make all others pale and thin."""
    limit = robust_limit(list(sizes.values()))
    return {key: shaded(size, limit) for key, size in sizes.items()}


def _size(moment: Moment, node: int, tensor: Tensor | None) -> float:
    """Root of the mean square, comparable between tensors of different sizes, with the sign of the largest number."""
    array = moment.row(node, tensor)
    if array is None or not array.size:
        measure = moment.measure(tensor)
        size = measure.norm / measure.count**0.5 if measure and measure.count else 0.0
        return -size if size and -measure.min > measure.max else size
    return _signed(array)


def _signed(array: np.ndarray | None) -> float:
    finite = array[np.isfinite(array)].astype(float) if array is not None else np.empty(0)
    if not finite.size:
        return 0.0
    return float(np.copysign(np.sqrt(np.mean(finite**2)), finite.max() + finite.min()))


def card_state(
    moment: Moment,
    card: Card,
    scale: Scales,
    look: Look,
) -> CardState:
    """Return what a card shows now."""
    own = [look.breakpoints[node] for node in card.nodes if node in look.breakpoints]
    coloring = look.coloring
    node = moment.reading.node(card.shown)
    here = moment.step is not None and moment.step.node in card.nodes
    name, note = card_texts(card, node, scale, look.titles)
    return CardState(
        name=name,
        note=note,
        value=_value_strip(moment, node, scale, coloring),
        gradient=_gradient_strip(moment, node, scale, coloring),
        limits=scale.limits,
        parameter=node.kind == "parameter",
        made=moment.is_made(node.id),
        settled=_settled(moment, node),
        phase=moment.phase if here else "",
        read=any(read in card.nodes for read in moment.reads()),
        selected=look.selected in card.nodes,
        folded=card.folded,
        is_many=len(card.groups) > 1,
        breakpoint=any(own) if own else None,
        supposed=any(moment.reading.supposed(node) for node in card.nodes),
        differs=any(moment.differs(node) for node in card.nodes),
        size=scale.sizes[coloring].get(node.id) if _is_there(moment, node, coloring) else None,
        marks=_marks(moment, card, node),
    )


def card_texts(card: Card, node: NodeRecord, scale: Scales, titles: Mapping[str, str]) -> tuple[str, str]:
    """Return name and note of a card: of a folded group its title and how much is in it."""
    name = titles.get(card.title, card.title) or scale.names[node.id]
    if not card.folded:
        return name, naming.note(node)
    return name, f"× {len(card.groups)}" if len(card.groups) > 1 else f"{len(card.nodes)} nodes"


def _marks(moment: Moment, card: Card, node: NodeRecord) -> tuple[str, ...]:
    """Those of the node that is shown; of a folded group any."""
    nodes = card.nodes if card.folded else (node.id,)
    return tuple(dict.fromkeys(mark for one in nodes for mark in marks.marks(moment, one) if mark != "dropped"))


def _is_there(moment: Moment, node: NodeRecord, coloring: str) -> bool:
    """Whether what the graph is coloured by is known of a node by now."""
    if coloring == "value":
        return moment.is_made(node.id)
    if coloring == "gradient":
        return moment.has_gradient(node.id)
    if coloring == "update":
        return moment.is_updated(node.id)
    return any(edge in moment.arrived(edge.source) for edge in moment.reading.in_edges.get(node.id, ()))


def _value_strip(moment: Moment, node: NodeRecord, scale: Scales, coloring: str) -> Strip:
    """The value, or what the optimizer adds to it."""
    is_update = coloring == "update" and node.id in moment.reading.updates
    key = (node.id, is_update, moment.is_made(node.id), moment.is_updated(node.id))
    if key not in scale.strips:
        scale.strips[key] = update_strip(moment, node) if is_update else value_strip(moment, node, scale.tokens)
    return scale.strips[key]


def _gradient_strip(moment: Moment, node: NodeRecord, scale: Scales, coloring: str) -> Strip:
    """The gradient, or what is sent on of it."""
    make, sent = (contribution_strip, _is_there(moment, node, coloring)) if coloring == "contribution" else (gradient_strip, False)
    key = (node.id, make, moment.has_gradient(node.id), len(moment.arrived(node.id)), sent)
    if key not in scale.strips:
        scale.strips[key] = make(moment, node)
    return scale.strips[key]


def _settled(moment: Moment, node: NodeRecord) -> bool:
    if moment.phase in ("backward", "clip"):
        return node.gradient is None or moment.has_gradient(node.id)
    if moment.phase == "update":
        return node.id not in moment.reading.updates or moment.is_updated(node.id)
    return moment.is_made(node.id)


def wire_state(moment: Moment, wire: Wire, scale: Scales, coloring: str) -> WireState:
    """Return how a wire is drawn now. Colour and width are shown only once their number is there."""
    sent = any(moment.is_made(source) and moment.is_made(target) for source, target in wire.edges)
    returned = any((source, target) in _returned(moment, source) for source, target in wire.edges)
    updated = any(moment.is_updated(source) for source, _ in wire.edges)
    known = {"value": sent, "update": updated}.get(coloring, returned)
    size = max((scale.flows[coloring][edge] for edge in wire.edges), key=abs) if known else None
    return WireState(sent, returned, round(NARROW + (WIDE - NARROW) * abs(size or 0.0), 2), size)


def _returned(moment: Moment, source: int) -> set[tuple[int, int]]:
    return {(edge.source, edge.target) for edge in moment.arrived(source)}


def travelling(moment: Moment, wire: Wire) -> bool:
    """Whether the present backward step sends a gradient back along this wire."""
    if moment.phase != "backward" or moment.step is None:
        return False
    here = moment.step.node
    return any(target == here and (source, target) in _returned(moment, source) for source, target in wire.edges)


def tooltip(moment: Moment, card: Card, scale: Scales, titles: Mapping[str, str]) -> str:
    """Return the card's numbers as text."""
    node = moment.reading.node(card.shown)
    head = f"{naming.qualified(node, scale.names, titles)} · {node.operation} · {numerals.shape(node.shape)}"
    lines = [head, *marks.explained(moment, node.id), f"value {_figures(moment, node.id, moment.value(node.id))}"]
    said = words(moment, node, scale.tokens) if moment.is_made(node.id) else ()
    lines += [f"tokens {', '.join(said)}"] if said else []
    if node.gradient is not None:
        lines.append(f"gradient {_figures(moment, node.id, moment.gradient(node.id))}")
    return "\n".join([*lines, f"in {node.where}"] if node.where else lines)


def _figures(moment: Moment, node: int, tensor: Tensor | None) -> str:
    if tensor is None:
        return "not computed yet"
    array = moment.row(node, tensor)
    if array is not None:
        return numerals.table(array) if array.ndim < 2 else f"\n{numerals.table(array)}"
    measure = moment.measure(tensor)
    if measure is None:
        return "not sent"
    return f"{numerals.number(measure.min)} to {numerals.number(measure.max)}, mean {numerals.number(measure.mean)}"
