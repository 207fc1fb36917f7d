"""Where cards and frames stand: from a diagram and card sizes to rectangles and curves, in pixels, and how much fits in a room.

The parts of a block stand in columns from left to right, what stands beside the chain above and below its part, and a block is one
part of the block around it. The file is long because the size of a graph is measured by the same arithmetic that places it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, QThreadPool, Signal, Slot

from nnviz.ui.graph import routing
from nnviz.ui.graph.grouping import NodeGroup, Tree
from nnviz.ui.graph.routing import Box, Lanes, Passage, Point, Run
from nnviz.ui.graph.structure import ROOT, Block, Diagram, NodeCard
from nnviz.ui.widgets import layered_order

COLUMN_GAP = 34
ROW_GAP = 20
STACK_GAP = 40
PADDING = 13
HEAD = 26
"""Room for a group's title inside its frame."""

AT_ONCE = 150
"""A diagram of so many cards is laid out within a frame: it is not worth a thread."""

Size = tuple[float, float]
Ends = tuple[str, str]
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


def place(diagram: Diagram, sizes: Mapping[str, Size]) -> Placement:
    """Return places for every card, frame and edge. The chain's axis is y = 0 and it begins at x = 0."""
    plan = _Plan(diagram, sizes)
    whole = plan.block(ROOT)
    return Placement(whole.cards, whole.frames, plan.curves(whole))


def links_by_block(diagram: Diagram) -> dict[str, set[Ends]]:
    """Return for each block which of its parts are joined to which others, directly or from inside."""
    return {key: _links(passages) for key, passages in _passages(diagram, _routes(diagram)).items()}


def _links(passages: Iterable[tuple[Ends, str, str]]) -> set[Ends]:
    return {(start, end) for _, start, end in passages if start and end}


@dataclass
class _Piece:
    """Something placed around its own axis y = 0, beginning at x = 0: a main part with what stands beside it, or a whole block."""

    cards: dict[str, Box]
    frames: dict[str, Box] = field(default_factory=dict)
    runs: dict[tuple[Ends, str], Run] = field(default_factory=dict)
    """(edge, block) -> how the edge goes around cards of that block."""
    extent: Box = (0, 0, 0, 0)
    """Left, top, right, bottom."""

    def take(self, other: _Piece, x: float, y: float) -> None:
        """Put another piece in, at this place."""
        self.cards |= routing.moved(other.cards, x, y)
        self.frames |= routing.moved(other.frames, x, y)
        self.runs |= {key: (left + x, right + x, height + y) for key, (left, right, height) in other.runs.items()}


class _Plan:
    def __init__(self, diagram: Diagram, sizes: Mapping[str, Size]) -> None:
        self._diagram, self._sizes = diagram, sizes
        self._beside: dict[str, list[NodeCard]] = defaultdict(list)
        for card in diagram.cards.values():
            if card.owner:
                self._beside[card.owner].append(card)
        self._routes = _routes(diagram)
        self._passages = _passages(diagram, self._routes)

    # --- places ---

    def block(self, key: str) -> _Piece:
        """Return an open group with its frame, placed."""
        block = self._diagram.blocks[key]
        parts = {part: self._part(part) for part in block.parts}
        columns = _in_columns(layered_order.ordered(block.parts, _links(self._passages.get(key, ()))))
        piece, bounds, places = _Piece({}), [], {}
        x = 0.0
        for number, members in enumerate(columns):
            width = max(parts[part].extent[2] for part in members)
            axes = _axes([parts[part].extent for part in members])
            for part, y in zip(members, axes, strict=True):
                piece.take(self._widened(part, parts[part], members, parts), x, y)
                places[part] = number
            bounds.append((x, x + width, [(parts[m].extent[1] + y, parts[m].extent[3] + y) for m, y in zip(members, axes, strict=True)]))
            x += width + COLUMN_GAP
        self._lead(key, piece, bounds, places)
        return _framed(block, piece)

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

    def _lead(self, key: str, piece: _Piece, bounds: list, places: Mapping[str, int]) -> None:
        """Lead edges that pass through this block around its parts."""
        passages = []
        for ends, start, end in self._passages.get(key, ()):
            first, last = places[start] if start else -1, places[end] if end else len(bounds)
            if last - first > 1:
                source, target = piece.cards.get(ends[0]), piece.cards.get(ends[1])
                heights = [box[1] + box[3] / 2 for box in (source or target, target or source)]
                passages.append(Passage(ends, first, last, *heights))
        lanes = Lanes(bounds)
        lanes.add(passages)
        piece.runs |= {(ends, key): run for ends, run in lanes.runs.items()}

    def curves(self, whole: _Piece) -> dict[Ends, tuple[Point, ...]]:
        """Return the way of every edge."""
        return {(edge.source, edge.target): self._curve((edge.source, edge.target), whole) for edge in self._diagram.edges}

    def _curve(self, ends: Ends, whole: _Piece) -> tuple[Point, ...]:
        source, target = whole.cards[ends[0]], whole.cards[ends[1]]
        card = self._diagram.cards[ends[0]]
        if ends in self._routes:
            start, end = routing.ports(source, target)
            runs = [whole.runs[ends, key] for key in self._routes[ends] if (ends, key) in whole.runs]
            return routing.through(start, runs, end)
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


def _passages(diagram: Diagram, routes: Mapping[Ends, Sequence[str]]) -> dict[str, list[tuple[Ends, str, str]]]:
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


def _framed(block: Block, inside: _Piece) -> _Piece:
    """The same with its frame around it, beginning at x = 0 again."""
    boxes = [*inside.cards.values(), *inside.frames.values()]
    heights = [y for _, _, y in inside.runs.values()]
    top = min([*(y for _, y, _, _ in boxes), *(y - ROW_GAP / 4 for y in heights)], default=0.0)
    bottom = max([*(y + height for _, y, _, height in boxes), *(y + ROW_GAP / 4 for y in heights)], default=0.0)
    right = max((x + width for x, _, width, _ in boxes), default=0.0)
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


def extent(diagram: Diagram, sizes: Mapping[str, Size]) -> Size:
    """Return how wide and high a diagram will be, but for edges that lead around its cards."""
    width, up, down = _Measuring(diagram, sizes).block(ROOT)
    return width, up + down


class _Measuring:
    def __init__(self, diagram: Diagram, sizes: Mapping[str, Size]) -> None:
        self._diagram, self._sizes = diagram, sizes
        self._links = links_by_block(diagram)
        self._beside: dict[str, list[NodeCard]] = defaultdict(list)
        for card in diagram.cards.values():
            if card.owner:
                self._beside[card.owner].append(card)

    def block(self, key: str) -> Extent:
        """Return the extent of an open group with its frame."""
        columns: dict[int, list[Extent]] = defaultdict(list)
        for part, column in layered_order.columns(self._diagram.blocks[key].parts, self._links.get(key, set())).items():
            columns[column].append(self._part(part))
        width = sum(max(part[0] for part in parts) for parts in columns.values()) + COLUMN_GAP * (len(columns) - 1)
        heights = [_stacked_heights(parts) for parts in columns.values()]
        up, down = max((up for up, _ in heights), default=0.0), max((down for _, down in heights), default=0.0)
        return (width, up, down) if key == ROOT else (width + 2 * PADDING, up + HEAD + PADDING // 2, down + PADDING)

    def _part(self, key: str) -> Extent:
        """A main part with what stands above and below it: in a row each at a block, one on the other at a card."""
        beside = [[self._sizes[card.key] for card in self._beside.get(key, ()) if card.above is above] for above in (True, False)]
        if key not in self._diagram.blocks:
            width, height = self._sizes[key]
            widest = max((size[0] for size in (*beside[0], *beside[1])), default=0.0)
            return max(width, widest), *(height / 2 + sum(size[1] + ROW_GAP for size in row) for row in beside)
        width, up, down = self.block(key)
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

    def ask(self, diagram: Diagram, sizes: Mapping[str, Size]) -> None:
        """Let `placed` tell the places: at once for a small diagram."""
        if len(diagram.cards) <= AT_ONCE:
            self._wanted = None
            self.placed.emit(diagram, place(diagram, sizes))
        else:
            self._wanted = diagram
            QThreadPool.globalInstance().start(lambda: self._work(diagram, sizes))

    def forget(self) -> None:
        """Let no answer come any more."""
        self._wanted = None

    def _work(self, diagram: Diagram, sizes: Mapping[str, Size]) -> None:
        if diagram is not self._wanted:  # another one was asked for meanwhile
            return
        placement = place(diagram, sizes)
        try:
            self._came.emit(diagram, placement)
        except RuntimeError:  # the window is gone
            return

    @Slot(object, object)
    def _take(self, diagram: Diagram, placement: Placement) -> None:
        if diagram is self._wanted:
            self._wanted = None
            self.placed.emit(diagram, placement)
