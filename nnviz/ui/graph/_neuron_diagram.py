"""What of a trace of neurons is drawn as a circle, which weight belongs to which link, and where the circles stand. Pure; no widget.

Every tensor is a column of circles from top to bottom. Weights are no circles: they are numbers on the links they multiply.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise

from nnviz.records.trace_index import TraceIndex
from nnviz.records.weighted_sums import weighted
from nnviz.ui.graph.layout import Placement
from nnviz.ui.graph.routing import Box, Point
from nnviz.ui.graph.structure import ROOT, Diagram, Edge, NodeCard

_Link = tuple[int, int]
"""Source and target neuron."""

TITLE, NAMES = 38.0, (40.0, 22.0)
"""Room above a circle: for the frame's title and the operation's name; for its own name, with and without its bias."""
FOOT, SIDE = 28.0, 48.0
FRAME_GAP = 22.0
_ROOMY = 104.0
"""Circles that stand so far apart have room for their bias and for the gradients on their links."""
_TWO_LINES = 66.0
"""Circles that stand so far apart have room for a weight and its gradient on every link of the one looked at."""
_PITCHES = ((2, 130.0, 46.0), (4, 94.0, 44.0), (8, 68.0, 38.0), (16, 52.0, 32.0))
"""Up to so many circles below each other: their distance, and their diameter. Pixels."""
_LEAST = (40.0, 26.0)
_WEIGHTED, _PLAIN = (256.0, 178.0), (92.0, 74.0)
"""Room for the links into a column, with and without weights on them; each for circles far apart and near each other."""
_BOW = 46.0
"""How far a link that passes over other columns swings up for each of them."""


def diagram(index: TraceIndex) -> Diagram:
    """Return what is drawn of a trace that is opened into neurons: a card for every neuron, which all stand side by side."""
    weight_of: dict[_Link, int] = {}
    bias_of: dict[int, int] = {}
    owner: dict[int, int] = {}
    for node in index.trace.nodes:
        weights, bias = weighted(index, node)
        weight_of |= {(source, node.id): weight for source, weight in weights.items()}
        if bias:
            bias_of[node.id] = bias[0]
        for part in (*weights.values(), *bias):
            owner.setdefault(part, node.id)
    parts: dict[int, list[int]] = defaultdict(list)
    for part, circle in owner.items():
        parts[circle].append(part)
    drawn = [node.id for node in index.trace.nodes if node.id not in owner]
    cards = [NodeCard(_key(id), (id, *parts[id]), id, ROOT, bias=bias_of.get(id)) for id in drawn]
    links = dict.fromkeys((edge.source, edge.target) for edge in index.trace.edges if edge.source not in owner)
    lines = _lines(index, weight_of, _pitch(index, drawn)[0])
    edges = [Edge(_key(link[0]), _key(link[1]), (link,), weight_of.get(link), lines(link)) for link in links]
    shown = owner | {id: id for id in drawn}
    return Diagram({card.key: card for card in cards}, tuple(edges), {}, {node: _key(circle) for node, circle in shown.items()})


def _key(circle: int) -> str:
    return f"node {circle}"


def _pitch(index: TraceIndex, drawn: Iterable[int]) -> tuple[float, float]:
    """How far apart circles stand in a column, and their diameter."""
    highest = max(Counter(index.node(id).whole for id in drawn).values(), default=1)
    return next(((pitch, diameter) for count, pitch, diameter in _PITCHES if highest <= count), _LEAST)


def _lines(index: TraceIndex, weight_of: Mapping[_Link, int], pitch: float) -> Callable[[_Link], tuple[int, int]]:
    """How many lines of numbers fit on a link, and where its target is looked at: they fit beside those of the other links for units
    with at most two inputs in small columns."""
    fans = Counter(target for _, target in weight_of)
    columns = Counter(index.node(target).whole for _, target in weight_of)
    usual, looked_at = 2 if pitch >= _ROOMY else 1, 2 if pitch >= _TWO_LINES else 1

    def lines(link: _Link) -> tuple[int, int]:
        is_labelled = link in weight_of and fans[link[1]] <= 2 and columns[index.node(link[1]).whole] <= 8
        return usual * is_labelled, looked_at

    return lines


# --- places -----------------------------------------------------------------------------------------------------------


def place(index: TraceIndex, diagram: Diagram) -> Placement:
    """Return where everything stands. The middle of the picture is y = 0."""
    columns = _columns(index, diagram)
    pitch, diameter = _pitch(index, [card.shown for card in diagram.cards.values()])
    centres: dict[int, Point] = {}
    captions: dict[int, Point] = {}
    is_tight = pitch < _ROOMY
    names = NAMES[is_tight]
    weighted_at = {edge.edges[0][1] for edge in diagram.edges if edge.weight is not None}
    x, layer = 0.0, None
    for column in columns:
        here = _layer(index, next(iter(column)))
        room = max(_room(index, members[0], members[0] in weighted_at, is_tight) for members in column.values())
        x += room + (FRAME_GAP if layer not in (None, here) else 0.0)
        layer = here
        top = -(len(next(iter(column.values()))) - 1) * pitch / 2
        for tensor, members in column.items():  # the first on the axis, the others below it
            centres |= {id: (x, top + place * pitch) for place, id in enumerate(members)}
            if tensor == next(iter(column)):
                captions[tensor] = (x, top - diameter / 2 - names - 8)
            top += (len(members) - 1) * pitch + diameter + FOOT + NAMES[1]
        x += diameter
    radius = diameter / 2
    return Placement(
        cards={_key(id): (x - radius, y - radius, diameter, diameter) for id, (x, y) in centres.items()},
        frames=_frames(index, centres, diameter, names),
        curves=_curves(diagram, centres, radius),
        captions=captions,
        is_roomy=not is_tight,
    )


def _room(index: TraceIndex, neuron: int, is_weighted: bool, is_tight: bool) -> float:
    return _WEIGHTED[is_tight] if is_weighted else _PLAIN[is_tight] if index.node(neuron).inputs else SIDE


def _layer(index: TraceIndex, tensor: int) -> str:
    node = index.whole.node(tensor)
    return node.group[0] if node.group else ""


def _columns(index: TraceIndex, diagram: Diagram) -> list[dict[int, list[int]]]:
    """Tensors with their circles by column: the longest way from the data; a target below the loss that uses it."""
    members: dict[int, list[int]] = defaultdict(list)
    for card in diagram.cards.values():
        members[index.node(card.shown).whole].append(card.shown)
    before: dict[int, set[int]] = defaultdict(set)
    for source, target in (edge.edges[0] for edge in diagram.edges):
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


def _curves(diagram: Diagram, centres: Mapping[int, Point], radius: float) -> dict[tuple[str, str], tuple[Point, ...]]:
    """For every link its two ends, or a curve above the columns it passes over."""
    columns = sorted({x for x, _ in centres.values()})
    found = {}
    for edge in diagram.edges:
        (ax, ay), (bx, by) = (centres[end] for end in edge.edges[0])
        length = math.hypot(bx - ax, by - ay)
        reach = (bx - ax) / length * (radius + 1), (by - ay) / length * (radius + 1)
        start, end = (ax + reach[0], ay + reach[1]), (bx - reach[0], by - reach[1])
        bow = _BOW * max(0, columns.index(bx) - columns.index(ax) - 1)
        third = (end[0] - start[0]) / 3, (end[1] - start[1]) / 3
        bent = ((start[0] + third[0], start[1] + third[1] - bow), (end[0] - third[0], end[1] - third[1] - bow)) if bow else ()
        found[edge.source, edge.target] = (start, *bent, end)
    return found


def _frames(index: TraceIndex, centres: Mapping[int, Point], diameter: float, names: float) -> dict[str, Box]:
    """Around the circles of each layer; a layer whose columns do not follow each other has none."""
    by_layer: dict[str, list[Point]] = defaultdict(list)
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
