"""What every circle and link shows at a moment of a trace of neurons: pure functions to the frozen states that items paint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from nnviz.records.tensors import Array, Tensor, to_numpy
from nnviz.records.trace_record import EdgeRecord, NodeRecord
from nnviz.records.trace_state import TraceState
from nnviz.text import captions, names, numbers
from nnviz.ui.graph import marks
from nnviz.ui.graph.appearance import Appearance
from nnviz.ui.graph.strips import Limits, robust_limit, shaded, words
from nnviz.ui.graph.units import NeuronLink, Units

MOST_DIGITS = 5
"""Characters a number in a circle has at most."""
NARROW, WIDE = 1.0, 4.6
"""Pixels a link is wide."""


@dataclass(frozen=True)
class Number:
    """A number on the picture: what it says, and its share (−1 to 1) of the full colour."""

    text: str
    share: float
    is_finite: bool = True


@dataclass(frozen=True)
class NeuronState:
    """All that a circle shows. A number that is None, or an empty text, is not computed yet."""

    name: str
    value: Number | None
    gradient: str
    fill: float | None
    """Share of full colour of what the picture is coloured by; None while that is not there."""
    bias: str = ""
    bias_gradient: str = ""
    has_gradient: bool = True
    """Whether it ever gets one."""
    parameter: bool = False
    phase: str = ""
    read: bool = False
    selected: bool = False
    marks: tuple[str, ...] = ()
    breakpoint: bool | None = None
    supposed: bool = False
    differs: bool = False


@dataclass(frozen=True)
class LinkState:
    """How a link is drawn. `share`: −1 to 1 of full colour and width of what the picture is coloured by; None: nothing to colour."""

    share: float | None = None
    sent: bool = False
    returned: bool = False
    active: bool = False
    """Whether it ends at the neuron looked at."""
    labels: tuple[tuple[str, str], ...] = ()
    """(tone, text) of the lines that stand on it."""
    selected: bool = False
    above: bool = False
    """Whether the numbers stand above the line: on a link without a weight, whose middle a travelling gradient takes."""


@dataclass(frozen=True)
class ColorScale:
    """What all states of one trace and row share: names and the ends of the colour scales."""

    names: Mapping[int, str]
    limits: Limits
    edges: Mapping[tuple[int, int], tuple[EdgeRecord, ...]]
    """For every source and target the uses of one by the other."""
    links: Mapping[str, float]
    """For each colouring the end of the scale of the links."""


def scale(state: TraceState, shown: Units) -> ColorScale:
    """Return the scales for a trace seen for one row; they do not depend on the cursor."""
    index = state.index
    edges: dict[tuple[int, int], tuple[EdgeRecord, ...]] = {}
    for edge in index.trace.edges:
        edges[edge.source, edge.target] = (*edges.get((edge.source, edge.target), ()), edge)
    circles = [index.node(id) for id in shown.drawn if index.node(id).kind != "loss"]
    found = {
        "value": _limit(state, ((node.id, node.value) for node in circles)),
        "gradient": _limit(state, ((node.id, node.gradient) for node in circles)),
        "contribution": _limit(state, ((source, edge.contribution) for source, target in shown.links for edge in edges[source, target])),
        "update": robust_limit([_change(state, update.node, True) or 0.0 for update in index.trace.updates]),
    }
    weights = list(shown.weight_of.values())
    links = {
        "value": _limit(state, ((id, index.node(id).value) for id in weights)),
        "gradient": _limit(state, ((id, index.node(id).gradient) for id in weights)),
        "contribution": found["contribution"],
        "update": found["update"],
    }
    return ColorScale(names.names(index.trace), Limits(**found), edges, links)


def _limit(state: TraceState, tensors: Iterable[tuple[int, Tensor | None]]) -> float:
    return robust_limit([value for id, tensor in tensors if (value := _single(state, id, tensor)) is not None])


def _single(state: TraceState, node: int, tensor: Tensor | None) -> float | None:
    """A neuron's tensor for the chosen row, or its mean, as one number."""
    row = state.row(node, tensor)
    return None if row is None or row.size != 1 else float(row.reshape(-1)[0])


def _change(state: TraceState, node: int, ahead: bool = False) -> float | None:
    """What the optimizer adds to a weight; None until it has, unless `ahead`."""
    update = state.index.updates.get(node) if ahead else state.update(node)
    if update is None:
        return None
    before, after = (state.index.array(tensor) for tensor in (update.before, update.after))
    return float(after) - float(before)


def _number(value: float | None, limit: float) -> Number | None:
    if value is None:
        return None
    finite = bool(np.isfinite(value))
    return Number(
        captions.fitting(value, MOST_DIGITS) if finite else numbers.number(value), shaded(value, limit) if finite else 0.0, finite
    )


def _with_token(number: Number | None, state: TraceState, node: NodeRecord, tokens: tuple[str, ...]) -> Number | None:
    """A character stands beside its number; a word has no room in a circle."""
    said = words(state, node, tokens) if number else ()
    return replace(number, text=said[0]) if said and len(said[0]) <= MOST_DIGITS else number


# --- circles ----------------------------------------------------------------------------------------------------------


def neuron_state(state: TraceState, shown: Units, scale: ColorScale, circle: int, look: Appearance) -> NeuronState:
    """Return what a circle shows now."""
    node, parts = state.index.node(circle), shown.parts(circle)
    value, gradient = _single(state, circle, state.value(circle)), _single(state, circle, state.gradient(circle))
    bias = shown.bias_of.get(circle)
    own = [look.breakpoints[part] for part in parts if part in look.breakpoints]
    here = state.step is not None and not {state.step.node, *state.step.others}.isdisjoint(parts)
    return NeuronState(
        name=_label(state, circle),
        value=_with_token(_number(value, scale.limits.value), state, node, look.tokens),
        gradient="" if gradient is None else numbers.number(gradient),
        fill=_fill(state, scale, circle, look.coloring),
        bias="" if bias is None else _text(state, bias, state.value(bias)),
        bias_gradient="" if bias is None else _text(state, bias, state.gradient(bias)),
        has_gradient=node.gradient is not None,
        parameter=node.kind == "parameter",
        phase=state.phase if here else "",
        read=circle in state.reads(),
        selected=look.selected is not None and look.selected in (circle, bias),
        marks=_marks(state, shown, circle, parts),
        breakpoint=any(own) if own else None,
        supposed=any(state.index.supposed(part) for part in parts),
        differs=any(state.differs(part) for part in parts),
    )


def _marks(state: TraceState, shown: Units, circle: int, parts: tuple[int, ...]) -> tuple[str, ...]:
    """Those of the neuron; dropped if its mask says so, frozen if its weights are."""
    own = marks.marks(state, circle)
    hanging = {mark for part in parts if part != circle for mark in marks.marks(state, part)}
    return tuple(dict.fromkeys((*own, *(mark for mark in ("dropped", "frozen", "non_finite") if mark in hanging))))


def _label(state: TraceState, circle: int) -> str:
    return names.symbol(state.index.node(circle))


def _text(state: TraceState, node: int, tensor: Tensor | None) -> str:
    value = _single(state, node, tensor)
    return "" if value is None else numbers.number(value)


def _fill(state: TraceState, scale: ColorScale, circle: int, coloring: str) -> float | None:
    """Share of full colour; by contribution: what the neuron's own backward step sends on, summed over where it goes."""
    found = {
        "value": lambda: _single(state, circle, state.value(circle)),
        "gradient": lambda: _single(state, circle, state.gradient(circle)),
        "contribution": lambda: _sent_on(state, scale, circle),
        "update": lambda: _change(state, circle),
    }[coloring]()
    return None if found is None or not np.isfinite(found) else shaded(found, scale.limits.of(coloring))


def _sent_on(state: TraceState, scale: ColorScale, circle: int) -> float | None:
    sources = [source for source in state.index.node(circle).inputs if (source, circle) in scale.edges]
    sent = [_back(state, scale, (source, circle)) for source in sources if state.index.node(source).kind != "parameter"]
    known = [value for value in sent if value is not None]
    return max(known, key=abs) if known else None


# --- links ------------------------------------------------------------------------------------------------------------


def link_state(
    state: TraceState, shown: Units, scale: ColorScale, link: NeuronLink, look: Appearance, focus: int | None, lines: int
) -> LinkState:
    """Return how a link is drawn now. `focus`: the circle looked at; `lines`: how many lines of numbers there is room for."""
    source, target = link
    weight = shown.weight_of.get(link)
    returned = any(edge in state.arrived(source) for edge in scale.edges[link])
    active = focus is not None and focus == target
    value = _link_value(state, shown, scale, link, look.coloring)
    share = None if value is None or not np.isfinite(value) else shaded(value, scale.links[look.coloring])
    is_selected = look.selected is not None and look.selected == weight
    labels = _labels(state, scale, link, weight, returned)[: 2 if is_selected else lines]
    sent = state.is_made(source) and state.is_made(target)
    return LinkState(share, sent, returned, active, labels, is_selected, weight is None)


def _link_value(state: TraceState, shown: Units, scale: ColorScale, link: NeuronLink, coloring: str) -> float | None:
    weight = shown.weight_of.get(link)
    if coloring == "contribution":
        return _back(state, scale, link)
    if weight is None:
        return None
    known: dict[str, Callable[[], float | None]] = {
        "value": lambda: _single(state, weight, state.value(weight)),
        "gradient": lambda: _single(state, weight, state.gradient(weight)),
        "update": lambda: _change(state, weight),
    }
    return known[coloring]()


def _back(state: TraceState, scale: ColorScale, link: NeuronLink) -> float | None:
    """What has come back along a link."""
    arrived = state.arrived(link[0])
    parts = [_single(state, link[0], edge.contribution) for edge in scale.edges[link] if edge in arrived]
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def _labels(state: TraceState, scale: ColorScale, link: NeuronLink, weight: int | None, returned: bool) -> tuple[tuple[str, str], ...]:
    """The weight and its gradient; on a link without one, the local derivative once something has come back along it."""
    if weight is None:
        local = _local(state, link, scale.edges[link][0].local) if returned else None
        return (("backward", f"× {numbers.number(local)}"),) if local is not None else ()
    value = _single(state, weight, state.value(weight))
    gradient = _single(state, weight, state.gradient(weight))
    lines = [] if value is None else [("negative" if value < 0 else "positive", numbers.number(value))]
    return (*lines, ("backward", f"∂ {numbers.number(gradient)}")) if gradient is not None else tuple(lines)


def _local(state: TraceState, link: NeuronLink, local: Array | None) -> float | None:
    """∂target/∂source for the chosen row; no mean stands for it, for a mean of products is no product of means."""
    if local is None:
        return None
    array = to_numpy(local)
    if array.ndim == 0 or array.size == 1:
        return float(array.reshape(-1)[0])
    return None if state.sample is None else float(array[state.sample])
