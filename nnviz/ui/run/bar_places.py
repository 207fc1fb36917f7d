"""Where everything stands in the run bar: time along its width, one row for each branch, and what lies under the mouse. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from PySide6.QtCore import QPointF, QRectF

from nnviz.text import plot_numbers
from nnviz.ui.run.run_tree import Flag, RunTree
from nnviz.ui.theme.fonts import scaled
from nnviz.ui.widgets.readout import line_height, text_width
from nnviz.ui.widgets.scales import nice_step, snapped

_MOST_ROWS = 8
"""So many branches are in sight; the others can be scrolled to."""
_IN_SIGHT = ((940, _MOST_ROWS), (780, 4), (640, 2), (0, 1))
"""From these heights of a window on so many are in sight; with larger texts, of higher ones."""
_ROW, _FIRST, _BELOW = 12, 11, 9
"""Pixels from row to row, above the first, and between the last and the numbers."""
_HEAD, _SIDE = 48, 14
"""Pixels on the left for the word, and free on both sides."""
_NAME = (40, 120)
"""Least and most pixels for the names at the right."""
HANDLE, HANDLE_ROOM = 4.5, 4
"""Radius of the playhead, and pixels free beside it."""
_BOLDER = 1.1
"""By how much a bold name is wider at most."""
_NEAR = 5
"""So many pixels beside a flag or a line it can still be clicked."""
_TICK_ROOM, _EPOCH_ROOM = 84, 7
"""Least pixels between two numbers, and between the ends of two epochs."""


def rows_in(window_height: int) -> int:
    """Return how many branches are in sight at most in a window of this height."""
    return next(rows for least, rows in _IN_SIGHT if window_height >= scaled(least))


def bar_height(rows: int) -> int:
    """Return the height of the bar with so many branches in sight."""
    return round(_FIRST + _BELOW + line_height() + scaled(_ROW) * (max(1, rows) - 1))


@dataclass(frozen=True)
class BarPlaces:
    """The places of one moment. `reached`: how far the present run has come; `first`: the branch in the uppermost row."""

    tree: RunTree
    reached: int
    width: float
    height: float
    first: int = 0
    rows: int = _MOST_ROWS
    """How many branches are in sight at most."""

    # --- time ---

    side = _SIDE

    @cached_property
    def limit(self) -> float:
        """The iteration at the right end: a round one."""
        most = max([self.reached, *(line.branch.reached for line in self.tree.lines if not line.is_present)])
        return snapped(0.0, max(1.0, float(most)), 10)[1]

    @cached_property
    def left(self) -> float:
        """Where iteration 0 stands."""
        return _SIDE + scaled(_HEAD)

    @cached_property
    def right(self) -> float:
        """Where the last iteration stands; behind it is room for names, where there is more than one."""
        if len(self.tree.lines) < 2:
            return max(self.left + 1, self.width - 2 * _SIDE)
        names = _BOLDER * max(text_width(line.name) for line in self.tree.lines) + HANDLE_ROOM + scaled(HANDLE)
        return max(self.left + 1, self.width - 6 - max(_NAME[0], min(names, scaled(_NAME[1]))))

    def x(self, iteration: float) -> float:
        """Return where an iteration stands."""
        return self.left + iteration / self.limit * (self.right - self.left)

    def iteration(self, x: float) -> int:
        """Return the iteration that stands nearest; between 0 and the right end."""
        share = (x - self.left) / (self.right - self.left)
        return round(max(0.0, min(1.0, share)) * self.limit)

    def reachable(self, x: float) -> int:
        """Return the iteration there that the present run has made; the furthest, where it has not come so far."""
        return min(self.iteration(x), self.reached)

    def ticks(self) -> list[int]:
        """Return the round iterations that are written."""
        most = max(1, int((self.right - self.left) / scaled(_TICK_ROOM)))
        step = max(1, round(nice_step(self.limit, most)))
        return list(range(0, int(self.limit) + 1, step))

    def epochs(self, per_epoch: int) -> list[int]:
        """Return the ends of epochs; none where they would stand too close."""
        if per_epoch < 2 or self.x(per_epoch) - self.left < _EPOCH_ROOM:
            return []
        return list(range(per_epoch, int(self.limit) + 1, per_epoch))

    def tick_box(self, iteration: int, text: str = "") -> QRectF:
        """Return where the number of an iteration is written."""
        width = text_width(text or plot_numbers.tick(iteration), number=True) + 4
        left = max(_SIDE, min(self.x(iteration) - width / 2, self.width - _SIDE - width))
        return QRectF(left, self.height - line_height() - 1, width, line_height())

    # --- rows ---

    @property
    def shown(self) -> range:
        """The places of the branches that are in sight."""
        return range(self.first, min(len(self.tree.lines), self.first + self.rows))

    def y(self, place: int) -> float:
        """Return where the line of a branch runs; of one out of sight at the edge beyond which it is."""
        row = place - self.first
        if row < 0 or not self.tree.lines:
            return 3.5 if self.tree.lines else _FIRST + 0.5
        beyond = row - (len(self.shown) - 1)
        lowest = round(_FIRST + scaled(_ROW) * min(row, len(self.shown) - 1)) + 0.5
        return lowest + (round(scaled(_ROW / 2)) if beyond > 0 else 0)

    def extent(self, place: int) -> tuple[int, int]:
        """Return the iterations at which the line of a branch begins and ends."""
        line, end = self.tree.lines[place], self._end(place)
        return min(line.start, end, *(() if line.parent is None else (self._end(line.parent),))), end

    def _end(self, place: int) -> int:
        line = self.tree.lines[place]
        return self.reached if line.is_present else line.branch.reached

    def name_box(self, place: int) -> QRectF:
        """Return where the name of a branch is written: behind the end of its line."""
        left = self.x(self.extent(place)[1]) + HANDLE_ROOM + scaled(HANDLE)
        width = min(_BOLDER * text_width(self.tree.lines[place].name) + 2, self.width - 4 - left)
        return QRectF(left, self.y(place) - line_height() / 2, width, line_height())

    # --- under the mouse ---

    def branch_at(self, spot: QPointF) -> int | None:
        """Return the branch whose line or name is there; None for none."""
        near = [place for place in self.shown if abs(self.y(place) - spot.y()) <= scaled(_ROW) / 2]
        for place in near:
            start, end = self.extent(place)
            if self.x(start) - _NEAR <= spot.x() <= self.x(end) + _NEAR or self.is_name(place, spot):
                return place
        return None

    def is_name(self, place: int, spot: QPointF) -> bool:
        """Return whether the name of a branch is there."""
        return len(self.tree.lines) > 1 and spot.x() > self.x(self.extent(place)[1]) + _NEAR and self.name_box(place).contains(spot)

    def flags_at(self, spot: QPointF) -> list[tuple[int, Flag]]:
        """Return the flags that are there, the nearest first, each with the place of its branch."""
        found = []
        for place in self.shown:
            line, top = self.tree.lines[place], self.y(place)
            if top - scaled(_ROW) <= spot.y() <= top + 2:
                near = [(abs(self.x(flag.iteration) - spot.x()), flag) for flag in (*self.own_flags(place), *line.stops)]
                found += [(distance, place, flag) for distance, flag in near if distance <= _NEAR]
        if not found:
            return []
        row = min(found, key=lambda one: one[0])[1]
        return [(place, flag) for distance, place, flag in sorted(found, key=lambda one: one[0]) if place == row]

    def own_flags(self, place: int) -> list[Flag]:
        """Return the flags of a branch that no other one in sight shows: those at its start and behind."""
        line = self.tree.lines[place]
        return [flag for flag in line.flags if line.parent is None or flag.iteration >= line.start]
