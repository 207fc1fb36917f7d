"""What every card and the edges between cards show at a place of the cursor, and the colour scales they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from nnviz.records.tensors import Tensor
from nnviz.records.trace_record import NodeRecord
from nnviz.records.trace_state import TraceState
from nnviz.text import names, numbers
from nnviz.ui.graph import marks, states
from nnviz.ui.graph.appearance import Appearance
from nnviz.ui.graph.states import EdgeState, NodeState
from nnviz.ui.graph.strips import (
    Limits,
    Strip,
    contribution_strip,
    gradient_strip,
    limits,
    update_strip,
    value_strip,
    words,
)
from nnviz.ui.graph.structure import Edge, NodeCard
from nnviz.ui.widgets.color_scale import robust_limit, shaded

_Key = TypeVar("_Key")


@dataclass(frozen=True, kw_only=True)
class CardState(NodeState):
    """All that a card shows."""

    note: str
    value: Strip
    gradient: Strip
    limits: Limits
    made: bool = True
    """Whether its value is there; what is yet to come is dimmed."""
    finished: bool = True
    """Whether everything that will happen to it in the present phase has happened."""
    folded: bool = False
    is_many: bool = False
    """Whether several equal groups are folded in it."""


class CardScales:
    """What all cards and edges of one trace share, seen for one row at any cursor: names, colour scales, how large everything is."""

    def __init__(self, state: TraceState, tokens: tuple[str, ...] = ()) -> None:
        """`tokens`: what the numbers of the inputs stand for, where the data is a text."""
        self._state = state
        self.names = names.names(state.index.trace)
        self.limits = limits(state)
        self.tokens = tokens
        self._shares: dict[str, tuple[dict[int, float], dict[tuple[int, int], float]]] = {}
        """By coloring, once it is chosen: how large it is in nodes and on edges."""
        self._strips: dict[tuple, Strip] = {}
        """Strips already made: what a node shows only changes when its value or gradient does."""

    def sizes(self, coloring: str) -> dict[int, float]:
        """Return how large what is shown by one of COLORINGS is in every node that has it, −1 to 1 of the full scale."""
        return self._sizes_and_flows(coloring)[0]

    def _sizes_and_flows(self, coloring: str) -> tuple[dict[int, float], dict[tuple[int, int], float]]:
        """The sizes, and the same for every edge (source, target)."""
        if coloring not in self._shares:
            state, edges = self._state, self._state.index.trace.edges
            sizes = _node_sizes(state, coloring)
            is_sent = coloring == "contribution"
            of_edge = (_size(state, edge.source, edge.contribution) if is_sent else sizes.get(edge.source, 0.0) for edge in edges)
            flows = {(edge.source, edge.target): size for edge, size in zip(edges, of_edge, strict=True)}
            self._shares[coloring] = _shares(sizes), _shares(flows)
        return self._shares[coloring]

    def texts(self, card: NodeCard, node: NodeRecord, titles: Mapping[str, str]) -> tuple[str, str]:
        """Return name and note of a card: of a folded group its title and how much is in it."""
        name = titles.get(card.title, card.title) or self.names[node.id]
        if not card.folded:
            return name, names.note(node)
        count = len(card.nodes)
        return name, f"× {len(card.groups)}" if len(card.groups) > 1 else f"{count} node{'s' * (count != 1)}"

    def node_state(self, state: TraceState, card: NodeCard, look: Appearance) -> CardState:
        """Return what a card shows now."""
        node = state.index.node(card.shown)
        name, note = self.texts(card, node, look.titles)
        return CardState(
            **states.standing(state, card, look),
            name=name,
            note=note,
            value=self._value_strip(state, node, look.coloring),
            gradient=self._gradient_strip(state, node, look.coloring),
            limits=self.limits,
            size=self.sizes(look.coloring).get(node.id) if _is_there(state, node, look.coloring) else None,
            made=state.is_made(node.id),
            finished=_is_finished(state, node),
            folded=card.folded,
            is_many=len(card.groups) > 1,
        )

    def edge_state(self, state: TraceState, edge: Edge, look: Appearance) -> EdgeState:
        """Return how an edge is drawn now. Colour and width are shown only once their number is there."""
        sent, returned = states.is_sent(state, edge), states.is_returned(state, edge)
        updated = any(state.is_updated(source) for source, _ in edge.edges)
        known = {"value": sent, "update": updated}.get(look.coloring, returned)
        flows = self._sizes_and_flows(look.coloring)[1]
        return EdgeState(sent, returned, max((flows[ends] for ends in edge.edges), key=abs) if known else None)

    def tooltip(self, state: TraceState, card: NodeCard, look: Appearance) -> str:
        """Return a card's numbers as text."""
        node = state.index.node(card.shown)
        head = f"{names.qualified(node, self.names, look.titles)} · {node.operation} · {numbers.shape(node.shape)}"
        causes = states.causes_in(state, card, look) if card.folded else ()
        lines = [head, *causes, *marks.explained(state, node.id), f"value {_figures(state, node.id, state.value(node.id))}"]
        said = words(state, node, self.tokens) if state.is_made(node.id) else ()
        lines += [f"tokens {', '.join(said)}"] if said else []
        if node.gradient is not None:
            lines.append(f"gradient {_figures(state, node.id, state.gradient(node.id))}")
        return "\n".join([*lines, f"in {node.where}"] if node.where else lines)

    def _value_strip(self, state: TraceState, node: NodeRecord, coloring: str) -> Strip:
        """The value, or what the optimizer adds to it."""
        is_update = coloring == "update" and node.id in state.index.updates
        key = (node.id, is_update, state.is_made(node.id), state.is_updated(node.id))
        if key not in self._strips:
            self._strips[key] = update_strip(state, node) if is_update else value_strip(state, node, self.tokens)
        return self._strips[key]

    def _gradient_strip(self, state: TraceState, node: NodeRecord, coloring: str) -> Strip:
        """The gradient, or what is sent on of it."""
        make, sent = (contribution_strip, _is_there(state, node, coloring)) if coloring == "contribution" else (gradient_strip, False)
        key = (node.id, make, state.has_gradient(node.id), len(state.arrived(node.id)), sent)
        if key not in self._strips:
            self._strips[key] = make(state, node)
        return self._strips[key]


def _node_sizes(state: TraceState, coloring: str) -> dict[int, float]:
    """How large what is shown is in every node that has it; what a node's backward step sends on, largest part first."""
    index = state.index
    nodes = index.trace.nodes
    match coloring:
        case "value":
            return {node.id: _size(state, node.id, node.value) for node in nodes}
        case "gradient":
            return {node.id: _size(state, node.id, node.gradient) for node in nodes if node.gradient is not None}
        case "update":
            return {node: _signed(index.change(node)) for node in index.updates}
    return {
        node.id: max((_size(state, edge.source, edge.contribution) for edge in index.in_edges[node.id]), key=abs)
        for node in nodes
        if any(edge.contribution is not None for edge in index.in_edges.get(node.id, ()))
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
    finite = array[np.isfinite(array)] if array is not None else np.empty(0)
    if not finite.size:
        return 0.0
    if finite.dtype.kind == "c":
        finite = np.abs(finite)
    finite = finite.astype(float)
    low, high = finite.min(), finite.max()
    unit = max(-low, high) or 1.0  # squares of large numbers would overflow
    return float(np.copysign(np.sqrt(np.mean((finite / unit) ** 2)) * unit, high / 2 + low / 2))


def _is_there(state: TraceState, node: NodeRecord, coloring: str) -> bool:
    """Whether what the graph is coloured by is known of a node by now."""
    if coloring == "value":
        return state.is_made(node.id)
    if coloring == "gradient":
        return state.has_gradient(node.id)
    if coloring == "update":
        return state.is_updated(node.id)
    return any(edge in state.arrived(edge.source) for edge in state.index.in_edges.get(node.id, ()))


def _is_finished(state: TraceState, node: NodeRecord) -> bool:
    if state.phase in ("backward", "clip"):
        return node.gradient is None or state.has_gradient(node.id)
    if state.phase == "update":
        return node.id not in state.index.updates or state.is_updated(node.id)
    return state.is_made(node.id)


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
