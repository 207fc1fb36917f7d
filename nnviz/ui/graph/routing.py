"""How edges run: from places of cards and blocks to curves, in pixels. Pure; it decides no place of a card."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

Box = tuple[float, float, float, float]
"""x, y, width, height"""
Point = tuple[float, float]
Run = tuple[float, float, float]
"""A straight piece of an edge past cards that stand in its way: from x, to x, at y."""

Way = tuple[Point, ...]
"""Straight pieces of an edge through a block, one behind the other."""

LANE = 14
"""Distance of an edge that goes around cards from them, and from the next such edge."""
SIDE = 8
"""Distance from a column of cards of an edge that runs along its side."""
TURN = 10
"""How far before a column an edge has come to the height at which it passes it."""


@dataclass(frozen=True)
class Passage:
    """An edge on its way through one block. `start` and `end` are columns; its heights at both sides."""

    edge: Hashable
    start: int
    end: int
    left: float
    right: float


class Lanes:
    """The free room above and below the columns of one block. `columns`: for each its left, right and the tops and bottoms of its items."""

    def __init__(self, columns: Sequence[tuple[float, float, Sequence[tuple[float, float]]]]) -> None:
        self.runs: dict[Hashable, Run] = {}
        self._columns = columns
        self._heights: list[Run] = []

    def add(self, passages: Sequence[Passage]) -> None:
        """Lead every edge that would run through items around them, short ways nearest to the items."""
        for passage in sorted(passages, key=lambda one: one.end - one.start):
            between = self._columns[passage.start + 1 : passage.end]
            spans = [span for _, _, column in between for span in column]
            low, high = sorted((passage.left, passage.right))
            left, right = between[0][0] - TURN, between[-1][1] + TURN
            if any(top - 2 < high and low < bottom + 2 for top, bottom in spans):
                self.runs[passage.edge] = self._around(left, right, spans, passage.left)
            elif passage.start < 0 or passage.end == len(self._columns):  # it comes from another height, or goes to one
                self.runs[passage.edge] = left, right, passage.left

    def _around(self, left: float, right: float, spans: Sequence[tuple[float, float]], height: float) -> Run:
        top, bottom = min(top for top, _ in spans), max(bottom for _, bottom in spans)
        is_under = abs(bottom - height) <= abs(top - height)
        at, step = (bottom + LANE, LANE) if is_under else (top - LANE, -LANE)
        while any(abs(at - y) < LANE - 1 and left < end and start < right for start, end, y in self._heights):
            at += step
        self._heights.append((left, right, at))
        return left, right, at


def through(start: Point, ways: Sequence[Way], end: Point) -> tuple[Point, ...]:
    """Return a curve from one point to another along these ways: its start, then three points for every cubic piece."""
    points: list[Point] = [start]
    for way in ways:
        points += [*_bend(points[-1], way[0]), *_rounded(way)[1:]]
    if len(points) == 1 and abs(start[1] - end[1]) < 1:
        return line(start, end)
    return (*points, *_bend(points[-1], end))


def upright(source: Box, target: Box) -> tuple[Point, ...]:
    """Return the way from a card above or below straight to the card it belongs to."""
    x = source[0] + source[2] / 2
    down = source[1] < target[1]
    start = (x, source[1] + source[3]) if down else (x, source[1])
    return line(start, (x, target[1]) if down else (x, target[1] + target[3]))


def along(source: Box, target: Box, gap: float) -> tuple[Point, ...]:
    """Return the way from a card further up or down along the left side of those between, into the edge of the card it belongs to."""
    left, entry = source[0] - SIDE, source[0] + 2 * SIDE
    middle = source[1] + source[3] / 2
    edge = target[1] + target[3] if source[1] > target[1] else target[1]
    turn = edge + (gap / 2 if source[1] > target[1] else -gap / 2)
    return _rounded([(source[0], middle), (left, middle), (left, turn), (entry, turn), (entry, edge)])


def into(source: Box, frame: Box, target: Box, rank: int) -> tuple[Point, ...]:
    """Return the way from a card above or below a frame along its edge to a card inside, into that card's left side.

    Ways of other ranks run beside it.
    """
    is_above = source[1] < frame[1]
    middle = source[0] + source[2] / 2
    start = (middle, source[1] + source[3] if is_above else source[1])
    offset = 4 + 4 * (rank % 4)
    edge = frame[1] - offset if is_above else frame[1] + frame[3] + offset
    height, x = target[1] + target[3] * (0.36 if is_above else 0.64) + (rank % 4) * (-4 if is_above else 4), target[0] - 4 - offset
    return _rounded([start, (middle, edge), (x, edge), (x, height), (target[0], height)])


def line(start: Point, end: Point) -> tuple[Point, ...]:
    """Return a straight way as a curve."""
    third = ((end[0] - start[0]) / 3, (end[1] - start[1]) / 3)
    return start, (start[0] + third[0], start[1] + third[1]), (end[0] - third[0], end[1] - third[1]), end


def _rounded(corners: Sequence[Point], radius: float = 6.0) -> tuple[Point, ...]:
    """A path of straight pieces with round corners."""
    points: list[Point] = [corners[0]]
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        start, end = _towards(corner, before, radius), _towards(corner, after, radius)
        points += [*line(points[-1], start)[1:], _towards(corner, before, radius / 2), _towards(corner, after, radius / 2), end]
    return (*points, *line(points[-1], corners[-1])[1:])


def _towards(start: Point, end: Point, distance: float) -> Point:
    length = max(1e-9, ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5)
    share = min(0.5, distance / length)
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def _bend(start: Point, end: Point) -> tuple[Point, Point, Point]:
    reach = max(abs(end[0] - start[0]) / 2, 4)
    return (start[0] + reach, start[1]), (end[0] - reach, end[1]), end


def back(sides: tuple[float, float], heights: Sequence[float], between: float) -> Way:
    """Return the way from a line of cards to the left end of a later one.

    `sides`: how far it goes to the right and to the left; `heights`: of its two ends; `between`: the height at which it comes back.
    """
    right, left = sides
    return (right, heights[0]), (right, between), (left, between), (left, heights[1])


def moved_way(way: Way, x: float, y: float) -> Way:
    """Return the way further right and down."""
    return tuple((left + x, top + y) for left, top in way)


def ports(source: Box, target: Box) -> tuple[Point, Point]:
    """Return where an edge leaves one card, at its right middle, and enters the other, at its left middle."""
    return (source[0] + source[2], source[1] + source[3] / 2), (target[0], target[1] + target[3] / 2)


def moved(boxes: Mapping[str, Box], x: float, y: float) -> dict[str, Box]:
    """Return the boxes further right and down."""
    return {key: (left + x, top + y, width, height) for key, (left, top, width, height) in boxes.items()}
