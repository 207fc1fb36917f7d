"""What every circle and the links between circles show at a place of the cursor of a trace of neurons, and the colour scales they share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from nnviz.records.tensors import Array, Tensor, to_numpy
from nnviz.records.trace_record import EdgeRecord, NodeRecord
from nnviz.records.trace_state import TraceState
from nnviz.text import captions, names, numbers
from nnviz.ui.graph import marks, states
from nnviz.ui.graph.appearance import Appearance
from nnviz.ui.graph.states import EdgeState, NodeState
from nnviz.ui.graph.strips import Limits, words
from nnviz.ui.graph.structure import Diagram, Edge, NodeCard
from nnviz.ui.theme.colors import of_sign
from nnviz.ui.widgets.color_scale import robust_limit, shaded


@dataclass(frozen=True)
class Number:
    """A number on the picture: what it says, and whether it is one."""

    text: str
    is_finite: bool = True


@dataclass(frozen=True, kw_only=True)
class NeuronState(NodeState):
    """All that a circle shows. A number that is None, or an empty text, is not computed yet."""

    value: Number | None
    gradient: str
    bias: str = ""
    bias_gradient: str = ""


class NeuronScales:
    """What all circles and links of one trace share, seen for one row at any cursor: names and the ends of the colour scales."""

    def __init__(self, state: TraceState, diagram: Diagram) -> None:
        index = state.index
        self.names = names.names(index.trace)
        self._diagram = diagram
        self._uses: dict[tuple[int, int], list[EdgeRecord]] = defaultdict(list)
        """For every source and target the uses of one by the other."""
        for edge in index.trace.edges:
            self._uses[edge.source, edge.target].append(edge)
        circles = [node for card in diagram.cards.values() if (node := index.node(card.shown)).kind != "loss"]
        weights = [index.node(edge.weight) for edge in diagram.edges if edge.weight is not None]
        sent = [(use.source, use.contribution) for edge in diagram.edges for use in self._uses[edge.edges[0]]]
        common = {
            "contribution": _limit(state, sent),
            "update": robust_limit([_change(state, update.node, True) or 0.0 for update in index.trace.updates]),
        }
        self.limits, self._link_limits = (
            Limits(
                value=_limit(state, ((node.id, node.value) for node in nodes)),
                gradient=_limit(state, ((node.id, node.gradient) for node in nodes)),
                **common,
            )
            for nodes in (circles, weights)
        )

    # --- circles ---

    def node_state(self, state: TraceState, card: NodeCard, look: Appearance) -> NeuronState:
        """Return what a circle shows now."""
        circle, bias = card.shown, card.bias
        node = state.index.node(circle)
        return NeuronState(
            **states.standing(state, card, look),
            name=names.symbol(node),
            value=_with_token(_number(_value(state, circle)), state, node, look.tokens),
            gradient=_text(_gradient(state, circle)),
            bias="" if bias is None else _text(_value(state, bias)),
            bias_gradient="" if bias is None else _text(_gradient(state, bias)),
            size=_share(self._known(state, circle, look.coloring), self.limits.of(look.coloring)),
        )

    def tooltip(self, state: TraceState, card: NodeCard, look: Appearance) -> str:
        """Return a neuron's numbers as text."""
        record, bias = state.index.node(card.shown), card.bias
        lines = [f"{names.symbol(record)}: {names.qualified(record, self.names, look.titles)}{_rows(state, record)}"]
        lines += dict.fromkeys(sentence for part in card.nodes for sentence in marks.explained(state, part))
        lines += _figures(state, record.id, "")
        lines += [f"token {word}" for word in words(state, record, look.tokens)] if state.is_made(record.id) else []
        return "\n".join(lines + (_figures(state, bias, f"{self.names[bias]}: ") if bias is not None else []))

    def _known(self, state: TraceState, node: int, coloring: str) -> float | None:
        """What the picture is coloured by, of a neuron or a weight; by contribution: the largest that its own backward step sends on."""
        if coloring == "update":
            return _change(state, node)
        if coloring != "contribution":
            return _value(state, node) if coloring == "value" else _gradient(state, node)
        sources = dict.fromkeys(source for source in state.index.node(node).inputs if state.index.node(source).kind != "parameter")
        sent = (self._sent_back(state, (source, node)) for source in sources if (source, node) in self._uses)
        return max((value for value in sent if value is not None), key=abs, default=None)

    # --- links ---

    def edge_state(self, state: TraceState, edge: Edge, look: Appearance) -> EdgeState:
        """Return how a link is drawn now."""
        (ends,) = edge.edges
        returned = states.is_returned(state, edge)
        looked_at = look.selected if look.selected is not None else state.step.node if state.step else -1
        is_active = self._diagram.card_of.get(looked_at) == edge.target
        is_selected = look.selected is not None and look.selected == edge.weight
        value = None
        if look.coloring == "contribution":
            value = self._sent_back(state, ends)
        elif edge.weight is not None:
            value = self._known(state, edge.weight, look.coloring)
        return EdgeState(
            sent=states.is_sent(state, edge),
            returned=returned,
            size=_share(value, self._link_limits.of(look.coloring)),
            active=is_active,
            selected=is_selected,
            labels=self._labels(state, edge, returned)[: 2 if is_selected else edge.lines[is_active]],
            above=edge.weight is None,
        )

    def edge_tooltip(self, state: TraceState, edge: Edge, look: Appearance) -> str:
        """Return what a link multiplies by, and what came back along it."""
        (ends,) = edge.edges
        source, target = (names.symbol(state.index.node(end)) for end in ends)
        lines = [f"{source} → {target}"]
        if edge.weight is not None:
            lines += _figures(state, edge.weight, f"{names.qualified(state.index.node(edge.weight), self.names, look.titles)}: ")
        back = [_single(state, ends[0], use.contribution) for use in self._arrived(state, ends)]
        return "\n".join([*lines, *(f"sends back to {source}: {_said(value)}" for value in back)])

    def _arrived(self, state: TraceState, ends: tuple[int, int]) -> list[EdgeRecord]:
        arrived = state.arrived(ends[0])
        return [use for use in self._uses[ends] if use in arrived]

    def _sent_back(self, state: TraceState, ends: tuple[int, int]) -> float | None:
        """What has come back along a link."""
        parts = (_single(state, ends[0], use.contribution) for use in self._arrived(state, ends))
        known = [part for part in parts if part is not None]
        return sum(known) if known else None

    def _labels(self, state: TraceState, edge: Edge, returned: bool) -> tuple[tuple[str, str], ...]:
        """The weight and its gradient; on a link without one, the local derivative once something has come back along it."""
        if edge.weight is None:
            local = _local(state, self._uses[edge.edges[0]][0].local) if returned else None
            return (("backward", f"× {numbers.number(local)}"),) if local is not None else ()
        value, gradient = _value(state, edge.weight), _gradient(state, edge.weight)
        lines = [] if value is None else [(of_sign(value), numbers.number(value))]
        return (*lines, ("backward", f"∂ {numbers.number(gradient)}")) if gradient is not None else tuple(lines)


# --- single numbers ---------------------------------------------------------------------------------------------------


def _limit(state: TraceState, tensors: Iterable[tuple[int, Tensor | None]]) -> float:
    return robust_limit([value for id, tensor in tensors if (value := _single(state, id, tensor)) is not None])


def _single(state: TraceState, node: int, tensor: Tensor | None) -> float | None:
    """A neuron's tensor for the chosen row, or its mean, as one number."""
    row = state.row(node, tensor)
    return None if row is None or row.size != 1 else float(row.reshape(-1)[0])


def _value(state: TraceState, node: int) -> float | None:
    return _single(state, node, state.value(node))


def _gradient(state: TraceState, node: int) -> float | None:
    return _single(state, node, state.gradient(node))


def _change(state: TraceState, node: int, ahead: bool = False) -> float | None:
    """What the optimizer adds to a weight; None until it has, unless `ahead`."""
    added = state.index.change(node) if ahead or state.is_updated(node) else None
    return None if added is None else float(added)


def _share(value: float | None, limit: float) -> float | None:
    """How much of full colour a number has; None without one."""
    return None if value is None or not np.isfinite(value) else shaded(value, limit)


def _number(value: float | None) -> Number | None:
    return None if value is None else Number(captions.fitting(value), bool(np.isfinite(value)))


def _with_token(number: Number | None, state: TraceState, node: NodeRecord, tokens: tuple[str, ...]) -> Number | None:
    """A character stands beside its number; a word has no room in a circle."""
    said = words(state, node, tokens) if number else ()
    return replace(number, text=said[0]) if said and len(said[0]) <= captions.LONGEST else number


def _text(value: float | None) -> str:
    return "" if value is None else numbers.number(value)


def _said(value: float | None) -> str:
    return "not computed yet" if value is None else numbers.number(value)


def _figures(state: TraceState, node: int, head: str) -> list[str]:
    has_gradient = state.index.node(node).gradient is not None
    gradient = [f"{head}gradient {_said(_gradient(state, node))}"] if has_gradient else []
    return [f"{head}value {_said(_value(state, node))}", *gradient]


def _rows(state: TraceState, node: NodeRecord) -> str:
    rows = len(state.index.trace.rows)
    if node.batch_axis is None or rows == 1:
        return ""
    return f" · mean over the batch's {rows} rows" if state.sample is None else f" · row [{state.sample}]"


def _local(state: TraceState, local: Array | None) -> float | None:
    """∂target/∂source for the chosen row; no mean stands for it, for a mean of products is no product of means."""
    if local is None:
        return None
    array = to_numpy(local)
    if array.ndim == 0 or array.size == 1:
        return float(array.reshape(-1)[0])
    return None if state.sample is None else float(array[state.sample])
