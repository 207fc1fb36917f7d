"""Where cards and frames stand: from a diagram and card sizes to rectangles and curves, in pixels, and how much fits in a room.

The parts of a block stand in columns from left to right, what stands beside the chain above and below its part, and a block is one
part of the block around it. A block wider than a limit goes on in the next line, like a text. The file is long because the size of a
graph is measured by the same arithmetic that places it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, QThreadPool, Signal, Slot

from nnviz.ui.graph import routing
from nnviz.ui.graph.grouping import NodeGroup, Tree
from nnviz.ui.graph.routing import LANE, SIDE, Box, Lanes, Passage, Point, Way
from nnviz.ui.graph.structure import ROOT, Block, Diagram, NodeCard
from nnviz.ui.widgets import layered_order

COLUMN_GAP = 34
ROW_GAP = 20
STACK_GAP = 40
PADDING = 13
HEAD = 26
"""Room for a group's title inside its frame."""

LINE_GAP = 34
"""Between two lines of a block, beside the edges that come back from the right there."""
RETURN = 6
"""Between two edges that lead to the next line, at the sides of a block."""
WIDER = 1.25
"""How much wider lines become at each try until a graph fits a room."""

AT_ONCE = 150
"""A diagram of so many cards is laid out within a frame: it is not worth a thread."""

Size = tuple[float, float]
Ends = tuple[str, str]
Passages = Sequence[tuple[Ends, str, str]]
"""Edges through a block: with the part where each begins in it and the part where it ends, "" for outside."""
Extent = tuple[float, float, float]
"""Width; height above the axis and below it."""


@dataclass(frozen=True)
class Placement:
    """Places of cards and group frames, and for each edge (source, target) a curve: its start, then three points for every cubic piece,
    or only the other end of a straight line."""

    cards: dict[str, Box]
    frames: dict[str, Box]
    curves: dict[Ends, tuple[Point, ...]]
    captions: Mapping[int, Point] = field(default_factory=dict)
    """For a column of neurons (by the tensor they are of) the middle of the line its name stands on."""
    is_roomy: bool = False
    """Whether neurons have room for a line with their bias."""
    density: int = 0
    """Which of the sizes that were offered the cards have."""

    def scaled(self, scale: float, density: int) -> Placement:
        """Return the same places, smaller."""
        curves = {ends: tuple((x * scale, y * scale) for x, y in curve) for ends, curve in self.curves.items()}
        return Placement(_scaled(self.cards, scale), _scaled(self.frames, scale), curves, density=density)


def _scaled(boxes: Mapping[str, Box], scale: float) -> dict[str, Box]:
    return {key: tuple(value * scale for value in box) for key, box in boxes.items()}


@dataclass(frozen=True)
class CardSizes:
    """How large the cards of a diagram may be drawn, and the scale of the gaps between them; 1 is natural."""

    sizes: Mapping[str, Size]
    gaps: float = 1.0
    spread: float = 1.0
    """How much wider and higher than the room the whole may be, as these cards can still be read when they are smaller."""


def place_in(diagram: Diagram, offered: Sequence[CardSizes], room: Size) -> Placement:
    """Return places with the first of these sizes with which all can be seen in a room; with the last where none does."""
    for density, cards in enumerate(offered):
        sizes = {key: (width / cards.gaps, height / cards.gaps) for key, (width, height) in cards.sizes.items()}
        space = room[0] * cards.spread / cards.gaps, room[1] * cards.spread / cards.gaps
        width = fitting_width(diagram, sizes, space)
        if cards is offered[-1] or all(map(float.__le__, extent(diagram, sizes, width), space)):
            return place(diagram, sizes, width).scaled(cards.gaps, density)
    raise ValueError("no sizes are offered")


def place(diagram: Diagram, sizes: Mapping[str, Size], width: float = math.inf) -> Placement:
    """Return places for every card, frame and edge. The chain's axis, in its first line, is y = 0 and it begins at x = 0.

    `width`: what no line is wider than, as long as more than one column stands in it.
    """
    plan = _Plan(diagram, sizes, width)
    whole = plan.block(ROOT)
    return Placement(whole.cards, whole.frames, plan.curves(whole))


def _links(passages: Passages) -> set[Ends]:
    return {(start, end) for _, start, end in passages if start and end}


@dataclass
class _Piece:
    """Something placed around its own axis y = 0, beginning at x = 0: a main part with what stands beside it, or a whole block."""

    cards: dict[str, Box]
    frames: dict[str, Box] = field(default_factory=dict)
    ways: dict[tuple[Ends, str], Way] = field(default_factory=dict)
    """(edge, block) -> how the edge goes around cards of that block, and to another line."""
    extent: Box = (0, 0, 0, 0)
    """Left, top, right, bottom."""

    def take(self, other: _Piece, x: float, y: float) -> None:
        """Put another piece in, at this place."""
        self.cards |= routing.moved(other.cards, x, y)
        self.frames |= routing.moved(other.frames, x, y)
        self.ways |= {key: routing.moved_way(way, x, y) for key, way in other.ways.items()}

    def heights(self) -> tuple[float, float]:
        """Return the top and the bottom of all that is in it."""
        boxes = [*self.cards.values(), *self.frames.values()]
        ways = [y for way in self.ways.values() for _, y in way]
        top = min([*(y for _, y, _, _ in boxes), *(y - ROW_GAP / 4 for y in ways)], default=0.0)
        return top, max([*(y + height for _, y, _, height in boxes), *(y + ROW_GAP / 4 for y in ways)], default=0.0)


@dataclass
class _Line:
    """Columns of a block beside each other, around their axis: what is in them, and for Lanes where each column is."""

    piece: _Piece
    columns: list[tuple[float, float, list[tuple[float, float]]]]
    runs: dict[tuple[Ends, str], Way] = field(default_factory=dict)
    """(edge, "" or which of its two ends in this block) -> how it passes columns of this line."""

    @property
    def right(self) -> float:
        """Where its last column ends."""
        return self.columns[-1][1]


class _Plan:
    def __init__(self, diagram: Diagram, sizes: Mapping[str, Size], width: float) -> None:
        self._diagram, self._sizes, self._width = diagram, sizes, width
        self._beside: dict[str, list[NodeCard]] = defaultdict(list)
        for card in diagram.cards.values():
            if card.owner:
                self._beside[card.owner].append(card)
        self._routes = _routes(diagram)
        self._passages = _passages(diagram, self._routes)

    # --- places ---

    def block(self, key: str) -> _Piece:
        """Return an open group with its frame, placed."""
        block, passages = self._diagram.blocks[key], self._passages.get(key, [])
        parts = {part: self._part(part) for part in block.parts}
        columns = _in_columns(layered_order.ordered(block.parts, _links(passages)))
        lines = _lines([max(parts[part].extent[2] for part in members) for members in columns], self._width)
        places = {part: (line, n) for line, numbers in enumerate(lines) for n, column in enumerate(numbers) for part in columns[column]}
        made = [self._line([columns[column] for column in numbers], parts) for numbers in lines]
        for number, line in enumerate(made):
            self._lead(line, number, passages, places)
        return _framed(block, _joined(key, made, passages, places))

    def _line(self, columns: Sequence[Sequence[str]], parts: Mapping[str, _Piece]) -> _Line:
        """Columns of one line beside each other."""
        line, x = _Line(_Piece({}), []), 0.0
        for members in columns:
            width = max(parts[part].extent[2] for part in members)
            axes = _axes([parts[part].extent for part in members])
            for part, y in zip(members, axes, strict=True):
                line.piece.take(self._widened(part, parts[part], members, parts), x, y)
            spans = [(parts[m].extent[1] + y, parts[m].extent[3] + y) for m, y in zip(members, axes, strict=True)]
            line.columns.append((x, x + width, spans))
            x += width + COLUMN_GAP
        return line

    def _part(self, key: str) -> _Piece:
        """A main part with what stands above and below it."""
        beside = self._beside.get(key, [])
        if key in self._diagram.blocks:
            return _surrounded(self.block(key), beside, self._sizes)
        width = max(self._sizes[key][0], *(self._sizes[card.key][0] for card in beside), 0)
        return _stack(key, beside, self._sizes, width)

    def _widened(self, key: str, piece: _Piece, members: Sequence[str], parts: Mapping[str, _Piece]) -> _Piece:
        """Cards of one column are equally wide."""
        cards = [member for member in members if member not in self._diagram.blocks]
        if key not in cards or len(cards) == 1:
            return piece
        return _stack(key, self._beside.get(key, []), self._sizes, max(parts[card].extent[2] for card in cards))

    # --- edges ---

    def _lead(self, line: _Line, number: int, edges: Passages, places: Mapping[str, tuple[int, int]]) -> None:
        """Lead edges that pass through a line of a block around its parts; what comes from another line or goes there as from outside."""
        passages, width = [], len(line.columns)
        for ends, start, end in edges:
            first, last = places.get(start, (-1, -1)), places.get(end, (-1, width))
            if number in (first[0], last[0]) and (first[0] == last[0] or not (start and end)):
                passages.append(self._passage(line, ends, "", first[1], last[1]))
            elif number == first[0]:
                passages.append(self._passage(line, ends, "out", first[1], width))
            elif number == last[0]:
                passages.append(self._passage(line, ends, "in", -1, last[1]))
        lanes = Lanes(line.columns)
        lanes.add([passage for passage in passages if passage.end - passage.start > 1])
        line.runs = {edge: ((left, y), (right, y)) for edge, (left, right, y) in lanes.runs.items()}

    def _passage(self, line: _Line, ends: Ends, side: str, first: int, last: int) -> Passage:
        source, target = line.piece.cards.get(ends[0]), line.piece.cards.get(ends[1])
        heights = [box[1] + box[3] / 2 for box in (source or target, target or source)]
        return Passage((ends, side), first, last, *heights)

    def curves(self, whole: _Piece) -> dict[Ends, tuple[Point, ...]]:
        """Return the way of every edge."""
        return {(edge.source, edge.target): self._curve((edge.source, edge.target), whole) for edge in self._diagram.edges}

    def _curve(self, ends: Ends, whole: _Piece) -> tuple[Point, ...]:
        source, target = whole.cards[ends[0]], whole.cards[ends[1]]
        card = self._diagram.cards[ends[0]]
        if ends in self._routes:
            start, end = routing.ports(source, target)
            ways = [whole.ways[ends, key] for key in self._routes[ends] if (ends, key) in whole.ways]
            return routing.through(start, ways, end)
        fellows = [other.key for other in self._beside[card.owner] if other.above == card.above]
        if card.owner == ends[1]:
            return routing.along(source, target, ROW_GAP) if fellows[0] != card.key else routing.upright(source, target)
        return routing.into(source, whole.frames[card.owner], target, fellows.index(card.key))


def _routes(diagram: Diagram) -> dict[Ends, list[str]]:
    """For each edge that runs from left to right the blocks it passes through, from its source to its target."""
    found = {}
    for edge in diagram.edges:
        source, target = diagram.cards[edge.source], diagram.cards[edge.target]
        up, down = _homes(diagram, source), _homes(diagram, target)
        if source.owner != target.key and (not source.owner or source.owner not in down):
            shared = next(key for key in up if key in down)
            found[edge.source, edge.target] = [*up[: up.index(shared) + 1], *reversed(down[: down.index(shared)])]
    return found


def _homes(diagram: Diagram, card: NodeCard) -> list[str]:
    """The blocks around a card, the innermost first."""
    found = [card.home]
    while found[-1] != ROOT:
        found.append(diagram.blocks[found[-1]].parent)
    return found


def _passages(diagram: Diagram, routes: Mapping[Ends, Sequence[str]]) -> dict[str, Passages]:
    """For each block the edges that pass through it: with the part where they begin in it and the part where they end, "" for outside."""
    found: dict[str, list[tuple[Ends, str, str]]] = defaultdict(list)
    for ends, route in routes.items():
        source, target = (_part_in(diagram, diagram.cards[end]) for end in ends)
        for key in route:
            found[key].append((ends, source.get(key, ""), target.get(key, "")))
    return found


def _part_in(diagram: Diagram, card: NodeCard) -> dict[str, str]:
    """For every block around a card the main part of it that the card is in or beside."""
    homes = _homes(diagram, card)
    return dict(zip(homes, [card.owner or card.key, *homes[:-1]], strict=True))


# --- pieces -----------------------------------------------------------------------------------------------------------


def _stack(key: str, beside: Iterable[NodeCard], sizes: Mapping[str, Size], width: float) -> _Piece:
    """A main card with what stands above and below it."""
    half = sizes[key][1] / 2
    boxes = {key: (0.0, -half, width, 2 * half)}
    up, down = -half, half
    for card in beside:
        height = sizes[card.key][1]
        if card.above:
            up -= height + ROW_GAP
            boxes[card.key] = (0.0, up, width, height)
        else:
            boxes[card.key] = (0.0, down + ROW_GAP, width, height)
            down += height + ROW_GAP
    return _Piece(boxes, extent=(0, up, width, down))


def _surrounded(piece: _Piece, beside: Iterable[NodeCard], sizes: Mapping[str, Size]) -> _Piece:
    """A block with the cards that belong to all of it in a row above it and another below."""
    _, top, right, bottom = piece.extent
    ends = {True: 0.0, False: 0.0}
    low, high = top, bottom
    for card in beside:
        width, height = sizes[card.key]
        y = top - ROW_GAP - height if card.above else bottom + ROW_GAP
        piece.cards[card.key] = (ends[card.above], y, width, height)
        ends[card.above] += width + ROW_GAP
        low, high = min(low, y), max(high, y + height)
    piece.extent = (0, low, max(right, *(end - ROW_GAP for end in ends.values())), high)
    return piece


def _lines(widths: Sequence[float], limit: float) -> list[list[int]]:
    """Return the columns of each line: as many as are together not wider than the limit, but at least one."""
    lines: list[list[int]] = []
    x = math.inf
    for column, width in enumerate(widths):
        if x + width > limit or not lines:
            lines.append([])
            x = 0.0
        lines[-1].append(column)
        x += width + COLUMN_GAP
    return lines


def _returns(passages: Passages, places: Mapping[str, tuple[int, int]]) -> dict[tuple[str, int], int]:
    """Return the ways back to the left that a block needs, counted: one for each source and each later line its edges go to."""
    found: dict[tuple[str, int], int] = {}
    for ends, start, end in passages:
        if start and end and places[start][0] < places[end][0]:
            found.setdefault((ends[0], places[end][0]), len(found))
    return found


def _margin(lines: int, returns: int) -> float:
    """Return the room at each side of a block of so many lines for its ways back."""
    return 0.0 if lines < 2 else SIDE + RETURN * (returns + 1)


def _gap(line: int, returns: Iterable[tuple[str, int]]) -> float:
    """Return the room above a line, with the ways that come back there."""
    return LINE_GAP + LANE * sum(to == line for _, to in returns)


def _joined(key: str, lines: Sequence[_Line], passages: Passages, places: Mapping[str, tuple[int, int]]) -> _Piece:
    """The lines of a block below each other, and the ways from each to the later ones."""
    if len(lines) == 1:
        (line,) = lines
        line.piece.ways |= {(ends, key): way for (ends, _), way in line.runs.items()}
        line.piece.extent = (0, 0, line.right, 0)
        return line.piece
    returns = _returns(passages, places)
    margin = _margin(len(lines), len(returns))
    piece, tops, low = _Piece({}), [], 0.0
    for number, line in enumerate(lines):
        line.piece.ways |= {(ends, key): way for (ends, side), way in line.runs.items() if not side}
        top, bottom = _Piece(line.piece.cards, line.piece.frames, line.piece.ways | line.runs).heights()
        y = low + _gap(number, returns) - top if number else 0.0
        tops.append((y, low))
        piece.take(line.piece, margin, y)
        low = y + bottom
    right = max((line.right for line in lines), default=0.0)
    for ends, start, end in passages:
        if (number := returns.get((ends[0], places.get(end, (-1, 0))[0]))) is not None and places[start][0] < places[end][0]:
            (first, out), (last, into) = ((place, lines[place]) for place in (places[start][0], places[end][0]))
            rank = sum(to == last and other < number for (_, to), other in returns.items())
            leaving = routing.moved_way(out.runs.get((ends, "out"), ()), margin, tops[first][0])
            arriving = routing.moved_way(into.runs.get((ends, "in"), ()), margin, tops[last][0])
            source, target = piece.cards[ends[0]], piece.cards[ends[1]]
            heights = [leaving[-1][1] if leaving else source[1] + source[3] / 2, arriving[0][1] if arriving else target[1] + target[3] / 2]
            sides = SIDE + RETURN * number
            back = routing.back((margin + right + sides, margin - sides), heights, tops[last][1] + LINE_GAP / 2 + LANE * rank)
            piece.ways[ends, key] = (*leaving, *back, *arriving)
    for ends, _, end in passages if len(lines) > 1 else ():
        if not end:  # it leaves the block at its right end
            y = piece.ways[ends, key][-1][1] if (ends, key) in piece.ways else piece.cards[ends[0]][1] + piece.cards[ends[0]][3] / 2
            piece.ways[ends, key] = (*piece.ways.get((ends, key), ()), (right + 2 * margin, y))
    piece.extent = (0, 0, right + 2 * margin, 0)
    return piece


def _framed(block: Block, inside: _Piece) -> _Piece:
    """The same with its frame around it, beginning at x = 0 again."""
    (top, bottom), right = inside.heights(), inside.extent[2]
    if block.key == ROOT:
        inside.extent = (0, top, right, bottom)
        return inside
    left, top, right, bottom = -PADDING, top - HEAD - PADDING // 2, right + PADDING, bottom + PADDING
    outside = _Piece({}, extent=(0, top, right - left, bottom))
    outside.take(inside, -left, 0)
    outside.frames = {block.key: (0, top, right - left, bottom - top), **outside.frames}
    return outside


def _in_columns(columns: Mapping[str, int]) -> list[list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for key, column in columns.items():
        found[column].append(key)
    return [found[column] for column in sorted(found)]


def _axes(extents: Sequence[Box]) -> list[float]:
    """The axes of parts that stand below each other around the axis of their block."""
    if len(extents) == 1:
        return [0.0]
    heights = [extent[3] - extent[1] for extent in extents]
    top, axes = -(sum(heights) + STACK_GAP * (len(extents) - 1)) / 2, []
    for extent, height in zip(extents, heights, strict=True):
        axes.append(top - extent[1])
        top += height + STACK_GAP
    return axes


# --- how far a graph opens by itself ------------------------------------------------------------------------------------


class Unfolding:
    """What one graph opens with in rooms of different sizes. Each way of folding it is measured once."""

    def __init__(self, groups: Tree, folded: frozenset[str]) -> None:
        """`folded`: what is folded where there is no room."""
        self._groups, self._folded = groups, folded
        self._sizes: dict[frozenset[str], Size] = {}

    def folds(self, room: Size, measure: Callable[[frozenset[str]], Size]) -> frozenset[str]:
        """Return what stays folded when groups open as long as all still fits: outer before inner ones, large before small.

        Equal parts stay one card, "× 12". Where not even the folded graph fits, nothing opens. `measure`: its size when this is folded.
        """

        def fits(folded: frozenset[str]) -> bool:
            if folded not in self._sizes:
                self._sizes[folded] = measure(folded)
            width, height = self._sizes[folded]
            return width <= room[0] and height <= room[1]

        folded = self._folded
        level = list(_outermost(self._groups.root, folded)) if folded and fits(folded) else []
        while level:
            deeper: list[NodeGroup] = []
            for group in sorted(level, key=lambda group: -len(group.chain)):
                if not group.repeats and fits(folded - {group.key}):
                    folded -= {group.key}
                    deeper += group.groups
            level = deeper
        return folded


def _outermost(group: NodeGroup, folded: frozenset[str]) -> Iterator[NodeGroup]:
    for part in group.groups:
        if part.key in folded:
            yield part
        else:
            yield from _outermost(part, folded)


def extent(diagram: Diagram, sizes: Mapping[str, Size], width: float = math.inf) -> Size:
    """Return how wide and high a diagram will be with lines of this width, but for edges that lead around its cards."""
    width, up, down = _Measuring(diagram, sizes).block(ROOT, width)
    return width, up + down


def fitting_width(diagram: Diagram, sizes: Mapping[str, Size], room: Size) -> float:
    """Return how wide lines may be so that all of a diagram is seen as large as possible in a room; infinite without lines."""
    measuring = _Measuring(diagram, sizes)
    width, up, down = measuring.block(ROOT, math.inf)
    if min(room) <= 0 or (width <= room[0] and up + down <= room[1]):
        return math.inf
    scale = 1.0
    while room[0] * scale < width:
        _, up, down = measuring.block(ROOT, room[0] * scale)
        if up + down <= room[1] * scale:
            return room[0] * scale
        scale *= WIDER
    return math.inf


class _Measuring:
    def __init__(self, diagram: Diagram, sizes: Mapping[str, Size]) -> None:
        self._diagram, self._sizes = diagram, sizes
        self._passages = _passages(diagram, _routes(diagram))
        self._beside: dict[str, list[NodeCard]] = defaultdict(list)
        for card in diagram.cards.values():
            if card.owner:
                self._beside[card.owner].append(card)

    def block(self, key: str, limit: float) -> Extent:
        """Return the extent of an open group with its frame, with lines of at most this width."""
        columns: dict[int, list[Extent]] = defaultdict(list)
        passages = self._passages.get(key, [])
        order = layered_order.columns(self._diagram.blocks[key].parts, _links(passages))
        for part, column in order.items():
            columns[column].append(self._part(part, limit))
        numbers = sorted(columns)
        widths = [max(part[0] for part in columns[number]) for number in numbers]
        lines = _lines(widths, limit)
        places = {numbers[column]: (line, column) for line, within in enumerate(lines) for column in within}
        returns = _returns(passages, {part: places[column] for part, column in order.items()})
        width = max((sum(widths[column] + COLUMN_GAP for column in line) for line in lines), default=COLUMN_GAP) - COLUMN_GAP
        up, down = self._heights([[columns[numbers[column]] for column in line] for line in lines], returns)
        width += 2 * _margin(len(lines), len(returns))
        return (width, up, down) if key == ROOT else (width + 2 * PADDING, up + HEAD + PADDING // 2, down + PADDING)

    def _heights(self, lines: Sequence[Sequence[Sequence[Extent]]], returns: Iterable[tuple[str, int]]) -> tuple[float, float]:
        """Heights above and below the axis of the first line."""
        first, below = 0.0, 0.0
        for number, line in enumerate(lines):
            heights = [_stacked_heights(parts) for parts in line]
            up, down = max((up for up, _ in heights), default=0.0), max((down for _, down in heights), default=0.0)
            first, below = (up, down) if not number else (first, below + _gap(number, returns) + up + down)
        return first, below

    def _part(self, key: str, limit: float) -> Extent:
        """A main part with what stands above and below it: in a row each at a block, one on the other at a card."""
        beside = [[self._sizes[card.key] for card in self._beside.get(key, ()) if card.above is above] for above in (True, False)]
        if key not in self._diagram.blocks:
            width, height = self._sizes[key]
            widest = max((size[0] for size in (*beside[0], *beside[1])), default=0.0)
            return max(width, widest), *(height / 2 + sum(size[1] + ROW_GAP for size in row) for row in beside)
        width, up, down = self.block(key, limit)
        rows = [(sum(size[0] + ROW_GAP for size in row) - ROW_GAP, max((size[1] + ROW_GAP for size in row), default=0.0)) for row in beside]
        return max(width, *(row[0] for row in rows)), up + rows[0][1], down + rows[1][1]


def _stacked_heights(parts: Sequence[Extent]) -> tuple[float, float]:
    """Heights above and below the axis of parts that stand below each other in one column."""
    if len(parts) == 1:
        return parts[0][1:]
    half = (sum(up + down for _, up, down in parts) + STACK_GAP * (len(parts) - 1)) / 2
    return half, half


# --- beside the window's own thread ------------------------------------------------------------------------------------


class Placer(QObject):
    """Lays diagrams out, large ones in a thread."""

    placed = Signal(object, object)
    """The diagram that was asked for last, and its placement."""
    _came = Signal(object, object)
    """A diagram and its placement, from the thread."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._wanted: Diagram | None = None
        self._came.connect(self._take)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is yet to come."""
        return self._wanted is not None

    def ask(self, diagram: Diagram, offered: Sequence[CardSizes], room: Size) -> None:
        """Let `placed` tell the places, with the largest of the offered sizes with which all can be seen: at once for a small diagram."""
        if len(diagram.cards) <= AT_ONCE:
            self._wanted = None
            self.placed.emit(diagram, place_in(diagram, offered, room))
        else:
            self._wanted = diagram
            QThreadPool.globalInstance().start(lambda: self._work(diagram, offered, room))

    def forget(self) -> None:
        """Let no answer come any more."""
        self._wanted = None

    def _work(self, diagram: Diagram, offered: Sequence[CardSizes], room: Size) -> None:
        if diagram is not self._wanted:  # another one was asked for meanwhile
            return
        placement = place_in(diagram, offered, room)
        try:
            self._came.emit(diagram, placement)
        except RuntimeError:  # the window is gone
            return

    @Slot(object, object)
    def _take(self, diagram: Diagram, placement: Placement) -> None:
        if diagram is self._wanted:
            self._wanted = None
            self.placed.emit(diagram, placement)
