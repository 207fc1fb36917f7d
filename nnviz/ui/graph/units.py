"""What of a trace of neurons is drawn as a circle, which weight belongs to which link, and where the circles stand. Pure; no widget.

Every tensor is a column of circles from top to bottom. Weights are no circles: they are numbers on the links they multiply.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import NodeRecord

NeuronLink = tuple[int, int]
"""Source and target neuron."""

TITLE, NAMES = 38.0, (40.0, 22.0)
"""Room above a circle: for the frame's title and the operation's name; for its own name, with and without its bias."""
FOOT, SIDE = 28.0, 48.0
FRAME_GAP = 22.0
ROOMY = 104.0
"""Circles that stand so far apart have room for their bias and for the gradients on their links."""
_PITCHES = ((2, 130.0, 46.0), (4, 94.0, 44.0), (8, 68.0, 38.0), (16, 52.0, 32.0))
"""Up to so many circles below each other: their distance, and their diameter. Pixels."""
_LEAST = (40.0, 26.0)
_WEIGHTED, _PLAIN = (256.0, 178.0), (92.0, 74.0)
"""Room for the links into a column, with and without weights on them; each for circles far apart and near each other."""


@dataclass(frozen=True)
class Units:
    """The circles of a trace and what hangs on them."""

    drawn: tuple[int, ...]
    links: tuple[NeuronLink, ...]
    weight_of: dict[NeuronLink, int]
    """The weight a link multiplies by."""
    bias_of: dict[int, int]
    circle_of: dict[int, int]
    """For every neuron, weight and bias the circle that shows it: for a weight the first neuron that uses it."""

    def parts(self, circle: int) -> tuple[int, ...]:
        """Return all that a circle shows, itself first."""
        return (circle, *(part for part, shown in self.circle_of.items() if shown == circle and part != circle))


def units(index: TraceIndex) -> Units:
    """Return what is drawn of a trace that is opened into neurons."""
    weight_of: dict[NeuronLink, int] = {}
    bias_of: dict[int, int] = {}
    owner: dict[int, int] = {}
    for node in index.trace.nodes:
        weights, bias = weighted(index, node)
        weight_of |= {(source, node.id): weight for source, weight in weights.items()}
        if bias:
            bias_of[node.id] = bias[0]
        for part in (*weights.values(), *bias):
            owner.setdefault(part, node.id)
    drawn = tuple(node.id for node in index.trace.nodes if node.id not in owner)
    links = tuple(dict.fromkeys((edge.source, edge.target) for edge in index.trace.edges if edge.source not in owner))
    return Units(drawn, links, weight_of, bias_of, owner | {id: id for id in drawn})


def weighted(index: TraceIndex, node: NodeRecord) -> tuple[dict[int, int], list[int]]:
    """Return for a unit of a linear layer the weight beside each input, and its bias; the same for a mask or a scale, and a shift."""
    whole = index.tensor_of(node.id)
    if whole.operation in ("mul", "add") and len(node.inputs) == 2:
        return _scaled(index, node, whole.operation)
    if whole.operation != "linear" or len(whole.inputs) < 2 or index.whole.node(whole.inputs[1]).kind != "parameter":
        return {}, []
    x, weight, *bias = whole.inputs
    parts = [index.node(source) for source in dict.fromkeys(node.inputs)]
    columns = {part.element[-1]: part.id for part in parts if part.whole == x and part.element}
    weights = {columns[part.element[-1]]: part.id for part in parts if part.whole == weight and part.element}
    biases = [part.id for part in parts if bias and part.whole == bias[0] and index.whole.node(bias[0]).kind == "parameter"]
    return weights, biases


def _scaled(index: TraceIndex, node: NodeRecord, operation: str) -> tuple[dict[int, int], list[int]]:
    """What is multiplied or added that was computed from nothing: the mask of a dropout, the scale and shift of a normalisation."""
    from_nothing = [id for id in node.inputs if not index.node(id).inputs and index.node(id).kind != "input"]
    if len(from_nothing) != 1:
        return {}, []
    (other,) = (id for id in node.inputs if id not in from_nothing)
    return ({other: from_nothing[0]}, []) if operation == "mul" else ({}, from_nothing)


# --- places -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Places:
    """Centres of circles, their diameter, frames by layer, and a name above every column. Pixels; the middle of the picture is y = 0."""

    centres: dict[int, tuple[float, float]]
    diameter: float
    pitch: float
    """How far apart circles stand in a column."""
    frames: dict[str, tuple[float, float, float, float]]
    captions: dict[int, tuple[float, float]]
    """For the first tensor of each column the middle of the line its name stands on."""


def places(index: TraceIndex, shown: Units) -> Places:
    """Return where everything stands."""
    columns = _columns(index, shown)
    highest = max((len(members) for column in columns for members in column.values()), default=1)
    pitch, diameter = next(((pitch, diameter) for count, pitch, diameter in _PITCHES if highest <= count), _LEAST)
    centres: dict[int, tuple[float, float]] = {}
    captions: dict[int, tuple[float, float]] = {}
    tight = pitch < ROOMY
    names = NAMES[tight]
    x, layer = 0.0, None
    for column in columns:
        here = _layer(index, next(iter(column)))
        x += max(_room(index, shown, members, tight) for members in column.values()) + (FRAME_GAP if layer not in (None, here) else 0.0)
        layer = here
        top = -(len(next(iter(column.values()))) - 1) * pitch / 2
        for tensor, members in column.items():  # the first on the axis, the others below it
            centres |= {id: (x, top + place * pitch) for place, id in enumerate(members)}
            if tensor == next(iter(column)):
                captions[tensor] = (x, top - diameter / 2 - names - 8)
            top += (len(members) - 1) * pitch + diameter + FOOT + NAMES[1]
        x += diameter
    return Places(centres, diameter, pitch, _frames(index, centres, diameter, names), captions)


def _room(index: TraceIndex, shown: Units, members: list[int], tight: bool) -> float:
    inputs = index.node(members[0]).inputs
    weighted = any((source, members[0]) in shown.weight_of for source in inputs)
    return _WEIGHTED[tight] if weighted else _PLAIN[tight] if inputs else SIDE


def _layer(index: TraceIndex, tensor: int) -> str:
    node = index.whole.node(tensor)
    return node.group[0] if node.group else ""


def _columns(index: TraceIndex, shown: Units) -> list[dict[int, list[int]]]:
    """Tensors with their circles by column: the longest way from the data; a target below the loss that uses it."""
    members: dict[int, list[int]] = defaultdict(list)
    for id in shown.drawn:
        members[index.node(id).whole].append(id)
    before: dict[int, set[int]] = defaultdict(set)
    for source, target in shown.links:
        before[index.node(target).whole].add(index.node(source).whole)
    depth: dict[int, int] = {}
    for tensor in members:  # node ids are in the order of the forward pass
        depth[tensor] = max((depth[source] + 1 for source in before[tensor]), default=0)
    users = {source: min(depth[tensor] for tensor in members if source in before[tensor]) for source in set().union(*before.values())}
    late = {tensor for tensor in members if not before[tensor] and users.get(tensor, 0) > 1}
    columns: dict[int, dict[int, list[int]]] = defaultdict(dict)
    for tensor in sorted(members, key=lambda tensor: (tensor in late, tensor)):
        columns[users[tensor] if tensor in late else depth[tensor]][tensor] = members[tensor]
    return [columns[place] for place in sorted(columns)]


def _frames(
    index: TraceIndex, centres: dict[int, tuple[float, float]], diameter: float, names: float
) -> dict[str, tuple[float, float, float, float]]:
    """Around the circles of each layer; a layer whose columns do not follow each other has none."""
    by_layer: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for id, centre in centres.items():
        by_layer[_layer(index, index.node(id).whole)].append(centre)
    everywhere = sorted({x for x, _ in centres.values()})
    frames = {}
    for layer, own in by_layer.items():
        xs, ys = sorted({x for x, _ in own}), [y for _, y in own]
        at = [everywhere.index(x) for x in xs]
        if layer and index.whole.nodes_of_layer[layer][0].kind != "input" and all(b - a == 1 for a, b in pairwise(at)):
            left, top = xs[0] - diameter / 2 - SIDE, min(ys) - diameter / 2 - names - TITLE
            frames[layer] = (left, top, xs[-1] + diameter / 2 + SIDE - left, max(ys) + diameter / 2 + FOOT - top)
    return frames


def labelled(index: TraceIndex, shown: Units) -> frozenset[NeuronLink]:
    """Return the links whose numbers fit beside each other: those of units with at most two inputs in small columns."""
    fans: dict[int, list[NeuronLink]] = defaultdict(list)
    for link in shown.weight_of:
        fans[link[1]].append(link)
    columns: dict[int, int] = defaultdict(int)
    for target, links in fans.items():
        columns[index.node(target).whole] += len(links)
    few = (link for target, links in fans.items() for link in links if len(links) <= 2 and columns[index.node(target).whole] <= 8)
    return frozenset(few)
