"""Where cards stand and how wires run: from a diagram and card sizes to rectangles and curves, in pixels. Pure; it knows no widget.

Groups stand in columns from left to right, their cards in columns inside them, what stands beside the chain above and below its card.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nnviz.ui.graph.structure import Card, Diagram

if TYPE_CHECKING:
    import networkx

COLUMN_GAP = 34
ROW_GAP = 20
BLOCK_GAP = 34
STACK_GAP = 40
PADDING = 13
HEAD = 26
"""Room for a group's title inside its frame."""
SIDE = 8
"""Distance from a column of cards of a wire that runs along its side."""
LANE = 16
"""Distance of a wire that goes around cards from them, and from the next such wire."""
MANY = 500
"""Above so many cards the layered layout takes its quick settings."""

Size = tuple[float, float]
Box = tuple[float, float, float, float]
"""x, y, width, height"""
Point = tuple[float, float]


@dataclass(frozen=True)
class Placement:
    """Places of cards and group frames, and for each wire (source, target) a curve: its start, then three points for every cubic piece."""

    cards: dict[str, Box]
    frames: dict[str, Box]
    curves: dict[tuple[str, str], tuple[Point, ...]]


def place(diagram: Diagram, sizes: Mapping[str, Size]) -> Placement:
    """Return places for every card, frame and wire. The chain's axis is y = 0 and it begins at x = 0."""
    local = {key: _inside(diagram, members, sizes) for key, members in diagram.blocks.items()}
    extents = {key: _extent(boxes.values(), bool(diagram.titles[key])) for key, boxes in local.items()}
    links = {(diagram.cards[w.source].block, diagram.cards[w.target].block) for w in diagram.wires}
    origins = _stacked(list(local), {link for link in links if link[0] != link[1]}, extents, BLOCK_GAP, STACK_GAP)
    cards, frames = {}, {}
    for key, boxes in local.items():
        x, y = origins[key][0], origins[key][1]
        x -= extents[key][0]
        cards |= {card: (bx + x, by + y, w, h) for card, (bx, by, w, h) in boxes.items()}
        if diagram.titles[key]:
            left, top, right, bottom = extents[key]
            frames[key] = (left + x, top + y, right - left, bottom - top)
    return Placement(cards, frames, _curves(diagram, cards, frames))


# --- places -----------------------------------------------------------------------------------------------------------


def _inside(diagram: Diagram, members: Sequence[str], sizes: Mapping[str, Size]) -> dict[str, Box]:
    """The cards of one block around its own axis y = 0, beginning at x = 0."""
    cards = [diagram.cards[key] for key in members]
    main = [card.key for card in cards if not card.owner]
    beside = defaultdict(list)
    for card in cards:
        if card.owner:
            beside[card.owner].append(card)
    links = {(w.source, w.target) for w in diagram.wires if w.source in main and w.target in main}
    extents = {key: _stack_extent(sizes, key, beside[key]) for key in main}
    centres = _stacked(main, links, extents, COLUMN_GAP, STACK_GAP)
    boxes: dict[str, Box] = {}
    for key in main:
        boxes |= _stack(sizes, key, beside[key], centres[key], centres[key][2])
    return boxes


def _stack_extent(sizes: Mapping[str, Size], key: str, beside: Iterable[Card]) -> Box:
    """Left, top, right, bottom of a main card with what stands beside it, around the card's left middle."""
    beside = list(beside)
    width = max([sizes[key][0], *(sizes[card.key][0] for card in beside)])
    half = sizes[key][1] / 2
    up = sum(sizes[card.key][1] + ROW_GAP for card in beside if card.above)
    down = sum(sizes[card.key][1] + ROW_GAP for card in beside if not card.above)
    return 0, -half - up, width, half + down


def _stack(sizes: Mapping[str, Size], key: str, beside: Iterable[Card], centre: Point, width: float) -> dict[str, Box]:
    x, y = centre[0], centre[1]
    half = sizes[key][1] / 2
    boxes = {key: (x, y - half, width, sizes[key][1])}
    up, down = y - half, y + half
    for card in beside:
        height = sizes[card.key][1]
        if card.above:
            up -= height + ROW_GAP
            boxes[card.key] = (x, up, width, height)
        else:
            boxes[card.key] = (x, down + ROW_GAP, width, height)
            down += height + ROW_GAP
    return boxes


def _stacked(
    keys: Sequence[str], links: set[tuple[str, str]], extents: Mapping[str, Box], column_gap: float, row_gap: float
) -> dict[str, tuple[float, float, float]]:
    """Left x, axis y and column width of every item; items of one column stand below each other around the axis."""
    columns: dict[int, list[str]] = defaultdict(list)
    for key, column in ordered(keys, links).items():
        columns[column].append(key)
    places, x = {}, 0.0
    for column in sorted(columns):
        members = columns[column]
        width = max(extents[key][2] - extents[key][0] for key in members)
        places |= {key: (x, y, width) for key, y in _axes(members, extents, row_gap).items()}
        x += width + column_gap
    return places


def _axes(members: Sequence[str], extents: Mapping[str, Box], gap: float) -> dict[str, float]:
    if len(members) == 1:
        return {members[0]: 0.0}
    heights = [extents[key][3] - extents[key][1] for key in members]
    top = -(sum(heights) + gap * (len(members) - 1)) / 2
    axes = {}
    for key, height in zip(members, heights, strict=True):
        axes[key] = top - extents[key][1]
        top += height + gap
    return axes


def _extent(boxes: Iterable[Box], framed: bool) -> Box:
    boxes = list(boxes)
    pad, head = (PADDING, HEAD) if framed else (0, 0)
    return (
        min(x for x, _, _, _ in boxes) - pad,
        min(y for _, y, _, _ in boxes) - pad - head + (pad // 2 if framed else 0),
        max(x + w for x, _, w, _ in boxes) + pad,
        max(y + h for _, y, _, h in boxes) + pad,
    )


def ordered(keys: Sequence[Hashable], links: set[tuple[Hashable, Hashable]]) -> dict:
    """Return the column of every item (the longest way to it), items of one column in the order in which wires cross least.

    Raises ValueError if the links form a cycle.
    """
    import networkx  # here and below, because it takes as long to load as the whole window to paint

    graph = networkx.DiGraph()
    graph.add_nodes_from(keys)
    graph.add_edges_from(links)
    if not networkx.is_directed_acyclic_graph(graph):
        raise ValueError("the links between these cards form a cycle, so they have no order from left to right")
    columns: dict = {}
    for key in networkx.topological_sort(graph):
        columns[key] = max((columns[before] + 1 for before in graph.predecessors(key)), default=0)
    columns = _pulled_right(graph, columns)
    if len(set(columns.values())) == len(columns):
        return columns
    cross = _cross_positions(graph, columns)
    return dict(sorted(columns.items(), key=lambda item: (item[1], cross[item[0]])))


def _pulled_right(graph: networkx.DiGraph, columns: dict) -> dict:
    """Items without a predecessor stand right before their first user, not at the far left."""
    for key in graph.nodes:
        users = [columns[user] for user in graph.successors(key)]
        if not graph.pred[key] and users and graph.number_of_nodes() > 1:
            columns[key] = max(columns[key], min(users) - 1)
    return columns


def _cross_positions(graph: networkx.DiGraph, columns: dict) -> dict:
    import networkx

    numbers = {key: number for number, key in enumerate(graph.nodes)}
    found = _layered([(numbers[a], numbers[b]) for a, b in graph.edges], len(numbers))
    if any(number not in found for number in numbers.values()):
        networkx.set_node_attributes(graph, columns, "column")
        found = {numbers[key]: place[1] for key, place in networkx.multipartite_layout(graph, subset_key="column").items()}
    return {key: found[number] for key, number in numbers.items()}


def _layered(edges: list[tuple[int, int]], count: int) -> dict[int, float]:
    """The place across the layers of every vertex that the layered layout knows; unlinked vertices are missing."""
    import fast_sugiyama

    quick = {"dummy_vertices": False, "transpose": False, "ranking_type": "up"} if count > MANY else {}
    found: dict[int, float] = {}
    offset = 0.0
    for positions, width, *_ in fast_sugiyama.from_edges(edges, **quick):
        found |= {vertex: offset + x for vertex, (x, _) in positions if vertex < count}
        offset += width + 1
    return found


# --- wires ------------------------------------------------------------------------------------------------------------


def _curves(diagram: Diagram, boxes: Mapping[str, Box], frames: Mapping[str, Box]) -> dict[tuple[str, str], tuple[Point, ...]]:
    curves: dict[tuple[str, str], tuple[Point, ...]] = {}
    lanes = [0, 0]
    for wire in diagram.wires:
        ends = wire.source, wire.target
        source, target = boxes[wire.source], boxes[wire.target]
        if diagram.cards[wire.source].owner == wire.target:
            curve = _upright(source, target)
            curves[ends] = _beside(source, target) if _hit(curve, boxes, ends) else curve
            continue
        curve = _across(source, target)
        hit = _hit(curve, boxes, ends)
        near = {diagram.cards[end].block for end in ends}
        passed = {diagram.cards[key].block for key in hit} - near
        in_the_way = [boxes[key] for key in hit] + [frames[block] for block in passed if block in frames]
        curves[ends] = _around(source, target, in_the_way, lanes) if hit else curve
    return curves


def _beside(source: Box, target: Box) -> tuple[Point, ...]:
    """From a card further up or down along the left side of those between, into the edge of the card it belongs to."""
    left, entry = source[0] - SIDE, source[0] + 2 * SIDE
    middle = source[1] + source[3] / 2
    edge = target[1] + target[3] if source[1] > target[1] else target[1]
    turn = edge + (ROW_GAP / 2 if source[1] > target[1] else -ROW_GAP / 2)
    return _rounded([(source[0], middle), (left, middle), (left, turn), (entry, turn), (entry, edge)])


def _rounded(corners: Sequence[Point], radius: float = 6.0) -> tuple[Point, ...]:
    """A path of straight pieces with round corners."""
    points: list[Point] = [corners[0]]
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        start, end = _towards(corner, before, radius), _towards(corner, after, radius)
        points += [*_line(points[-1], start)[1:], _towards(corner, before, radius / 2), _towards(corner, after, radius / 2), end]
    return (*points, *_line(points[-1], corners[-1])[1:])


def _towards(start: Point, end: Point, distance: float) -> Point:
    length = max(1e-9, ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5)
    share = min(0.5, distance / length)
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def _upright(source: Box, target: Box) -> tuple[Point, ...]:
    """From a card above or below straight to the card it belongs to."""
    x = source[0] + source[2] / 2
    down = source[1] < target[1]
    start = (x, source[1] + source[3]) if down else (x, source[1])
    return _line(start, (x, target[1]) if down else (x, target[1] + target[3]))


def _line(start: Point, end: Point) -> tuple[Point, ...]:
    third = ((end[0] - start[0]) / 3, (end[1] - start[1]) / 3)
    return start, (start[0] + third[0], start[1] + third[1]), (end[0] - third[0], end[1] - third[1]), end


def _across(source: Box, target: Box) -> tuple[Point, ...]:
    """From the right middle of one card to the left middle of the other."""
    start, end = _ports(source, target)
    if abs(start[1] - end[1]) < 1:
        return _line(start, end)
    return start, *_bend(start, end)


def _ports(source: Box, target: Box) -> tuple[Point, Point]:
    return (source[0] + source[2], source[1] + source[3] / 2), (target[0], target[1] + target[3] / 2)


def _bend(start: Point, end: Point) -> tuple[Point, Point, Point]:
    reach = max(abs(end[0] - start[0]) / 2, 12)
    return (start[0] + reach, start[1]), (end[0] - reach, end[1]), end


def _around(source: Box, target: Box, hit: Sequence[Box], lanes: list[int]) -> tuple[Point, ...]:
    """Over or under the cards that are in the way, whichever is nearer, each wire on a lane of its own."""
    start, end = _ports(source, target)
    top, bottom = min(box[1] for box in hit), max(box[1] + box[3] for box in hit)
    under = abs(bottom - start[1]) < abs(top - start[1])
    lanes[under] += 1
    lane = bottom + LANE * lanes[1] if under else top - LANE * lanes[0]
    first = (min(start[0] + COLUMN_GAP, end[0] - 8), lane)
    last = (max(end[0] - COLUMN_GAP, start[0] + 8), lane)
    return start, *_bend(start, first), *_line(first, last)[1:], *_bend(last, end)


def _hit(curve: Sequence[Point], boxes: Mapping[str, Box], ends: tuple[str, str]) -> list[str]:
    """The cards other than its own ends that a curve runs through, and all that stand in the same columns above and below them."""
    points = [point for start in range(0, len(curve) - 1, 3) for point in _sampled(curve[start : start + 4])]
    others = {key: box for key, box in boxes.items() if key not in ends}
    columns = {round(box[0]) for box in others.values() if any(_contains(box, point) for point in points)}
    return [key for key, box in others.items() if round(box[0]) in columns]


def _sampled(piece: Sequence[Point], count: int = 24) -> list[Point]:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = piece
    found = []
    for step in range(count + 1):
        t = step / count
        a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
        found.append((a * ax + b * bx + c * cx + d * dx, a * ay + b * by + c * cy + d * dy))
    return found


def _contains(box: Box, point: Point) -> bool:
    x, y, width, height = box
    return x - 2 < point[0] < x + width + 2 and y - 2 < point[1] < y + height + 2
