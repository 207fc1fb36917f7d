"""What every card and wire shows at a moment: pure functions from (trace, cursor, row) to the frozen states that items paint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from nnviz.protocol import NodeRecord, Tensor
from nnviz.session.moment import Moment
from nnviz.ui import numerals
from nnviz.ui.graph import naming
from nnviz.ui.graph.items import CardState, WireState
from nnviz.ui.graph.strips import Limits, Strip, gradient_strip, limits, value_strip
from nnviz.ui.graph.structure import Card, Wire

NARROW, WIDE = 1.4, 3.6


@dataclass(frozen=True)
class Scales:
    """What all states of one trace and row share: names, colour scales, and the widest wire of each kind."""

    names: Mapping[int, str]
    limits: Limits
    widths: Mapping[str, Mapping[tuple[int, int], float]] = field(default_factory=dict)
    """For "value" and "gradient": the width of every edge (source, target)."""
    strips: dict[tuple, Strip] = field(default_factory=dict)
    """Strips already made: what a node shows only changes when its value or gradient does."""


def scales(moment: Moment) -> Scales:
    """Return the scales for a trace seen for one row. They do not depend on the cursor."""
    trace = moment.reading.trace
    values = {(edge.source, edge.target): _size(moment, edge.source, moment.reading.node(edge.source).value) for edge in trace.edges}
    gradients = {(edge.source, edge.target): _size(moment, edge.source, edge.contribution) for edge in trace.edges}
    return Scales(naming.names(trace), limits(moment), {"value": _widths(values), "gradient": _widths(gradients)})


def _size(moment: Moment, node: int, tensor: Tensor | None) -> float:
    """Root of the mean square: comparable between tensors of different sizes."""
    array = moment.row(node, tensor)
    if array is None or not array.size:
        measure = moment.measure(tensor)
        return measure.norm / measure.count**0.5 if measure and measure.count else 0.0
    finite = array[np.isfinite(array)].astype(float)
    return float(np.sqrt(np.mean(finite**2))) if finite.size else 0.0


def _widths(sizes: dict[tuple[int, int], float]) -> dict[tuple[int, int], float]:
    largest = max(sizes.values(), default=0.0)
    return {edge: NARROW + (WIDE - NARROW) * (size / largest) ** 0.5 if largest else NARROW for edge, size in sizes.items()}


def card_state(
    moment: Moment, card: Card, scale: Scales, titles: Mapping[str, str], selected: int | None, breakpoints: Mapping[int, bool]
) -> CardState:
    """Return what a card shows now. `breakpoints`: the nodes that have one, and whether it is on."""
    own = [breakpoints[node] for node in card.nodes if node in breakpoints]
    node = moment.reading.node(card.shown)
    here = moment.step is not None and moment.step.node in card.nodes
    name, note = card_texts(card, node, scale, titles)
    return CardState(
        name=name,
        note=note,
        value=_value_strip(moment, node, scale),
        gradient=_gradient_strip(moment, node, scale),
        limits=scale.limits,
        parameter=node.kind == "parameter",
        made=moment.is_made(node.id),
        settled=_settled(moment, node),
        phase=moment.phase if here else "",
        read=any(read in card.nodes for read in moment.reads()),
        selected=selected in card.nodes,
        folded=card.folded,
        breakpoint=any(own) if own else None,
        supposed=any(moment.reading.supposed(node) for node in card.nodes),
        differs=any(moment.differs(node) for node in card.nodes),
    )


def card_texts(card: Card, node: NodeRecord, scale: Scales, titles: Mapping[str, str]) -> tuple[str, str]:
    """Return name and note of a card: of a folded group its title and how much is in it."""
    name = titles.get(card.title, card.title) or scale.names[node.id]
    if not card.folded:
        return name, naming.note(node)
    return name, f"× {len(card.groups)}" if len(card.groups) > 1 else f"{len(card.nodes)} nodes"


def _value_strip(moment: Moment, node: NodeRecord, scale: Scales) -> Strip:
    key = (node.id, "value", moment.is_made(node.id), moment.is_updated(node.id))
    if key not in scale.strips:
        scale.strips[key] = value_strip(moment, node)
    return scale.strips[key]


def _gradient_strip(moment: Moment, node: NodeRecord, scale: Scales) -> Strip:
    key = (node.id, "gradient", moment.has_gradient(node.id), len(moment.arrived(node.id)))
    if key not in scale.strips:
        scale.strips[key] = gradient_strip(moment, node)
    return scale.strips[key]


def _settled(moment: Moment, node: NodeRecord) -> bool:
    if moment.phase in ("backward", "clip"):
        return node.gradient is None or moment.has_gradient(node.id)
    if moment.phase == "update":
        return node.id not in moment.reading.updates or moment.is_updated(node.id)
    return moment.is_made(node.id)


def wire_state(moment: Moment, wire: Wire, scale: Scales, coloring: str) -> WireState:
    """Return how a wire is drawn now. A width is shown only once its number is there."""
    sent = any(moment.is_made(source) and moment.is_made(target) for source, target in wire.edges)
    returned = any((source, target) in _returned(moment, source) for source, target in wire.edges)
    known = returned if coloring == "gradient" else sent
    width = max(scale.widths[coloring][edge] for edge in wire.edges) if known else NARROW
    return WireState(sent, returned, round(max(width, 2.4 if returned else 0.0), 2))


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
    lines = [head, f"value {_figures(moment, node.id, moment.value(node.id))}"]
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
