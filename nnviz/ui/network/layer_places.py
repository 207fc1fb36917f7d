"""Where the layers stand: at the places the document gives them, else in columns by depth with siblings stacked; and how they line up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from math import inf

import numpy as np

from nnviz.document.network import Link, Network
from nnviz.ui.network.allowed_links import descendants
from nnviz.ui.network.layer_sizes import LayerSize
from nnviz.ui.widgets.layered_order import uncrossed

GRID = 4
WIDE_GAP, SLIM_GAP = 104.0, 40.0
"""Free room before a column whose links cross, and before one whose links run straight."""
LEAST_SPREAD, MOST_SPREAD = 0.7, 3.0
TIGHTEST = 0.25
"""The share of the usual gaps down to which columns close up where the picture would have to be made smaller."""
MOST_LOFT, HIGHEST_LOFT = 1.5, 2.4
_LARGEST = 18.0
"""Up to this radius neurons grow with their distance."""
_STACK = 20.0
_MARGIN = 6.0
_APART = 3.0
"""Least room between two neurons."""
_OVER = 12.0
_ALIGNED_APART = 12.0

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def arranged(
    network: Network, faces: Mapping[str, LayerSize], canvas: Mapping[str, Point], aspect: float = 1.0, width: float = inf
) -> dict[str, Point]:
    """Return the middle of every layer, so that no two overlap.

    Layers in `canvas` stay there unless another one is in the way. While none is placed by hand, the columns spread or close up to fill
    a picture of the given `aspect` (width / height), from LEAST_SPREAD to MOST_SPREAD times the usual gaps, and further where they are
    wider than `width`.
    """
    depths = _depths(network)
    columns: dict[int, list[str]] = defaultdict(list)
    for layer in network:
        columns[depths[layer.id]].append(layer.id)
    if any(id in canvas for id in depths):
        return _separated(network, faces, _filled(network, faces, canvas, columns), depths)
    columns = uncrossed(columns, [(link.source, link.target) for link in network.links if {link.source, link.target} <= depths.keys()])
    spread = 1.0
    places = _in_columns(faces, columns, spread)
    gaps = sum(_gap(faces, ids) for depth, ids in columns.items() if depth)
    if places and gaps:
        spread = max(LEAST_SPREAD, min(MOST_SPREAD, 1 + _missing_width(places, faces, aspect) / gaps))
        left, _, right, _ = bounds(places, faces)
        spread = max(TIGHTEST, min(spread, 1 + (width - (right - left)) / gaps))
    return _in_columns(faces, columns, spread)


def pitch_factor(network: Network, faces: Mapping[str, LayerSize], aspect: float, width: float = inf) -> float:
    """Return how much farther apart neurons may stand so that columns fill the height of a picture of this aspect: 1 to MOST_LOFT.

    Where the columns are wider than `width` it is up to HIGHEST_LOFT: the picture is made smaller then.

    It looks at the automatic arrangement only, so that moving a layer by hand changes no column.
    """
    places = arranged(network, faces, {}, aspect, width)
    left, top, right, bottom = bounds(places, faces)
    most = HIGHEST_LOFT if right - left > width else MOST_LOFT
    tallest = max((face.body[1] for face in faces.values() if face.style == "neurons"), default=0.0)
    missing = (right - left) / aspect - (bottom - top)
    return max(1.0, min(most, 1 + missing / tallest)) if tallest else 1.0


def lofted(face: LayerSize, factor: float) -> LayerSize:
    """Return the face with its neurons so much farther apart; small ones are larger then, so that their numbers can be read."""
    grown = max(1.0, min(factor, _LARGEST / max(face.reach, 1.0)))
    return replace(face, pitch=face.pitch * factor, radius=face.radius * grown, reach=face.reach * grown)


def scaled_down(face: LayerSize, share: float) -> LayerSize:
    """Return the face with its neurons closer together, at this share of their usual distance, but never touching."""
    return replace(face, pitch=max(min(face.pitch, 2 * face.reach + _APART), face.pitch * share))


def height_share(faces: Mapping[str, LayerSize], height: float) -> float:
    """Return the share of their usual distance at which the neurons of the highest column fit into `height`: 0 to 1."""
    columns = [face for face in faces.values() if face.style == "neurons" and face.units > 1]
    shares = (1 + (height - face.top - face.bottom) / ((face.units - 1) * face.pitch) for face in columns)
    return max(0.0, min([1.0, *shares]))


def _depths(network: Network) -> dict[str, int]:
    """Depth of every layer. What no input leads to stands behind what one does; those on a cycle stand behind all others."""
    depths = network.depths()
    ahead = [layer.id for layer in network if layer.kind == "input"]
    led = set(ahead).union(*(descendants(network, id) for id in ahead))
    last = max((depths[id] for id in led & depths.keys()), default=-1) + 1
    loose = {id for id in depths.keys() - led if not led & descendants(network, id)}
    depths = {id: depth + last * (id in loose) for id, depth in depths.items()}
    behind = max(depths.values(), default=-1) + 1
    return {layer.id: depths.get(layer.id, behind) for layer in network}


def _gap(faces: Mapping[str, LayerSize], ids: list[str]) -> float:
    return max(SLIM_GAP if faces[id].slim else WIDE_GAP for id in ids)


def _in_columns(faces: Mapping[str, LayerSize], columns: Mapping[int, list[str]], spread: float) -> dict[str, Point]:
    places: dict[str, Point] = {}
    right = 0.0
    for depth in sorted(columns):
        ids = columns[depth]
        half = max(faces[id].half_width for id in ids)
        x = right + (_gap(faces, ids) * spread + half if depth else half)
        places.update({id: (_snapped(x), y) for id, y in _stacked(ids, faces)})
        right = x + half + max(faces[id].label_width for id in ids)
    return places


def _stacked(ids: list[str], faces: Mapping[str, LayerSize]) -> Iterator[tuple[str, float]]:
    height = sum(faces[id].top + faces[id].bottom for id in ids) + _STACK * (len(ids) - 1)
    top = -height / 2 + 1 if len(ids) > 1 else -faces[ids[0]].top
    for id in ids:
        yield id, _snapped(top + faces[id].top)
        top += faces[id].top + faces[id].bottom + _STACK


def _missing_width(places: Mapping[str, Point], faces: Mapping[str, LayerSize], aspect: float) -> float:
    left, top, right, bottom = bounds(places, faces)
    return aspect * (bottom - top) - (right - left)


def _filled(
    network: Network, faces: Mapping[str, LayerSize], canvas: Mapping[str, Point], columns: Mapping[int, list[str]]
) -> dict[str, Point]:
    """Places from the document; a layer without one stands right of its inputs, or left of what it feeds."""
    places: dict[str, Point] = {id: canvas[id] for ids in columns.values() for id in ids if id in canvas}
    for depth in sorted(columns):
        for id in columns[depth]:
            if id not in places:
                places[id] = _beside(network, faces, places, id)
    return places


def _beside(network: Network, faces: Mapping[str, LayerSize], places: Mapping[str, Point], id: str) -> Point:
    gap = _gap(faces, [id])
    before = [other for other in network.inputs_of(id) if other in places]
    if before:
        right = max(places[other][0] + faces[other].half_width for other in before)
        level, *others = {places[other][1] for other in before}
        y = level if not others else _snapped(sum(places[other][1] for other in before) / len(before))
        return _snapped(right + gap + faces[id].half_width), y  # level with a single one, wherever a person has put that
    behind = [other for other in network.outputs_of(id) if other in places]
    if behind:
        left = min(places[other][0] - faces[other].half_width for other in behind)
        return _snapped(left - gap - faces[id].half_width), places[behind[0]][1]
    left, _, _, bottom = bounds(places, faces)
    return _snapped(left + faces[id].half_width), _snapped(bottom + _STACK + faces[id].top)


def _separated(network: Network, faces: Mapping[str, LayerSize], places: dict[str, Point], depths: Mapping[str, int]) -> dict[str, Point]:
    """Move what overlaps: right, with all that follows it, when it stands behind the other in the net, else, or when not linked, down."""
    done: dict[str, Point] = {}
    linked = {link.target for link in network.links}
    taken, order = np.empty((len(places), 4)), sorted(places, key=lambda id: (depths[id], places[id]))
    for count, id in enumerate(order):
        x, y = places[id]
        for _ in order:
            met = _first_overlap(taken[:count], box(faces[id], (x, y)))
            if met < 0:
                break
            other = order[met]
            if depths[other] < depths[id] and id in linked:
                x = _snapped(done[other][0] + faces[other].half_width + faces[id].half_width + SLIM_GAP)
            else:
                y = _snapped(done[other][1] + faces[other].bottom + _STACK + faces[id].top)
        done[id] = (x, y)
        taken[count] = box(faces[id], (x, y))
    return {layer.id: done[layer.id] for layer in network}


def _first_overlap(taken: np.ndarray, room: Box) -> int:
    """The first of these boxes (n, 4) that comes nearer to a room than the margin; -1 for none."""
    left, top, right, bottom = taken.T
    near = (room[0] < right + _MARGIN) & (left < room[2] + _MARGIN) & (room[1] < bottom + _MARGIN) & (top < room[3] + _MARGIN)
    return int(near.argmax()) if near.any() else -1


def detours(links: Iterable[Link], faces: Mapping[str, LayerSize], places: Mapping[str, Point]) -> dict[Link, float]:
    """Return, for each link that would run through other layers, the height it passes above them; wider detours pass higher."""
    spans: dict[Link, list[str]] = {}
    obstacles = _Obstacles(faces, places)
    for link in links:
        if link.source in places and link.target in places and (met := obstacles.on(link)):
            spans[link] = met
    heights: dict[Link, float] = {}
    for link in sorted(spans, key=lambda link: places[link.target][0] - places[link.source][0]):
        height = min(places[id][1] - faces[id].top for id in spans[link]) - _OVER
        left, right = places[link.source][0], places[link.target][0]
        crossed = [heights[other] for other in heights if places[other.source][0] < right and left < places[other.target][0]]
        heights[link] = min([height, *(other - _OVER for other in crossed)])
    return heights


class _Obstacles:
    """The layers as numbers, to ask quickly which of them a straight line runs through."""

    def __init__(self, faces: Mapping[str, LayerSize], places: Mapping[str, Point]) -> None:
        self._ids, self._places = list(places), places
        self._middles = np.array(list(places.values())).reshape(-1, 2)
        self._reach = np.array([faces[id].body[1] / 2 + 8 for id in self._ids])

    def on(self, link: Link) -> list[str]:
        """The layers between source and target that a straight line from one to the other would run through."""
        (x0, y0), (x1, y1) = self._places[link.source], self._places[link.target]
        x, y = self._middles.T
        between = (x0 < x) & (x < x1)
        line = y0 + (y1 - y0) * (x - x0) / ((x1 - x0) or 1.0)
        met = np.flatnonzero(between & (np.abs(line - y) < self._reach))
        return [id for id in (self._ids[place] for place in met) if id not in (link.source, link.target)]


def box(face: LayerSize, place: Point) -> Box:
    """Return the room a layer takes, texts included, labels at its right not."""
    x, y = place
    return x - face.half_width, y - face.top, x + face.half_width, y + face.bottom


def bounds(places: Mapping[str, Point], faces: Mapping[str, LayerSize]) -> Box:
    """Return the room all layers take together, labels included; a point at 0 for none."""
    boxes = [box(faces[id], place) for id, place in places.items()]
    if not boxes:
        return 0.0, 0.0, 0.0, 0.0
    right = max(x + faces[id].half_width + faces[id].label_width for id, (x, _) in places.items())
    return min(b[0] for b in boxes), min(b[1] for b in boxes), right, max(b[3] for b in boxes)


def snapped(place: Point) -> Point:
    """Return the nearest point of the grid."""
    return _snapped(place[0]), _snapped(place[1])


def _snapped(value: float) -> float:
    return float(GRID * round(value / GRID))


# --- layers in a line ---


def aligned(places: Mapping[str, Point], boxes: Mapping[str, Box], way: str) -> dict[str, Point]:
    """Return where these layers stand after they are lined up; `places` are middles, `boxes` the room they take.

    left, top: sides in one line, and what would overlap moves on. across, down: equal gaps between the first and the last.
    """
    axis = 1 if way in ("left", "down") else 0
    order = sorted(places, key=lambda id: (places[id][axis], places[id][1 - axis]))
    if len(order) < 2:
        return dict(places)
    if way in ("across", "down"):
        return _distributed(places, boxes, order, axis)
    side = min(boxes[id][1 - axis] for id in order)
    moved, end = {}, float("-inf")
    for id in order:
        start = max(boxes[id][axis], end)
        end = start + boxes[id][axis + 2] - boxes[id][axis] + _ALIGNED_APART
        moved[id] = _shifted(places[id], {1 - axis: side - boxes[id][1 - axis], axis: start - boxes[id][axis]})
    return moved


def _distributed(places: Mapping[str, Point], boxes: Mapping[str, Box], order: list[str], axis: int) -> dict[str, Point]:
    sizes = {id: boxes[id][axis + 2] - boxes[id][axis] for id in order}
    room = boxes[order[-1]][axis + 2] - boxes[order[0]][axis]
    gap = max(_ALIGNED_APART, (room - sum(sizes.values())) / (len(order) - 1))
    moved, start = {}, boxes[order[0]][axis]
    for id in order:
        moved[id] = _shifted(places[id], {axis: start - boxes[id][axis]})
        start += sizes[id] + gap
    return moved


def _shifted(place: Point, by: Mapping[int, float]) -> Point:
    return place[0] + by.get(0, 0.0), place[1] + by.get(1, 0.0)
