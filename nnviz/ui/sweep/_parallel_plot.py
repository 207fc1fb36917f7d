"""Parallel coordinates: an axis for each setting and result, of which parts are chosen, and a line for each run, coloured by its loss."""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from nnviz.text import plot_numbers
from nnviz.ui.sweep.swept_values import Dimension, passing
from nnviz.ui.theme.colors import Theme, current_theme, mixed
from nnviz.ui.theme.fonts import scaled
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.readout import line_height, paint_readout, small_mono, small_sans, text_width, write

_EXPLANATION = (
    "An axis for each setting that changes, and for each result; a line for each run, the more coloured the lower its loss.\n\n"
    "Drag along an axis to keep the runs that pass there, in the table and the curves too; a click on the axis takes that back, "
    "Esc takes all back. A click on a line chooses its run. Keys: left and right choose an axis, up and down move the foot of what is "
    "chosen on it, with Shift its top."
)
_EMPTY = "press sweep… to train every combination of some settings and seeds"
_REACH, _NEAR, _SIDE = 14.0, 6.0, 58.0
"""Pixels around an axis in which it is dragged, around a line in which it is meant, and at both sides for texts."""
_MOST_TEXTS = 6
_STEP = 0.05
"""Share of an axis by which a key moves an end of what is chosen."""
_WIDTH, _MANY = 1.4, 80
"""Pixels of a line; of more lines than that each is as thin as can be, which is several times as quick."""
_ALIGN = Qt.AlignmentFlag.AlignHCenter


def loss_color(theme: Theme, rank: float | None) -> QColor:
    """Return the colour of a run by its rank among all: 0 for the best, 1 for the worst, None for one without a loss."""
    return theme.color("loss") if rank is None else mixed(theme.color("training_set"), theme.tint("faint", 0.75), rank**0.7)


class ParallelPlot(Plot):
    """`brushes` are the parts of the axes that are chosen, by name, as shares from 0 (the foot) to 1."""

    brushed = Signal()
    run_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Parallel coordinates", _EXPLANATION, "Axes", parent)
        self.brushes: dict[str, tuple[float, float]] = {}
        self._all: tuple[Dimension, ...] = ()
        self._ranks: Mapping[int, float] = {}
        self._numbers: tuple[int, ...] = ()
        self._shares = np.zeros((0, 0))
        """(runs, axes) Where they stand; NaN where they have no value."""
        self._passing: frozenset[int] = frozenset()
        self._chosen = 0
        self._marked = -1
        """The place of the axis that the keys are about; −1 for none."""
        self._axis: tuple[str, float] | None = None
        """The axis that is being dragged along, and where that began."""

    def set_runs(self, all: tuple[Dimension, ...], ranks: Mapping[int, float], numbers: tuple[int, ...], is_begun: bool = True) -> None:
        """Show these runs, by their numbers; `is_begun`: whether more can come. Axes that are there no more are no longer brushed."""
        names = {one.name for one in all}
        self.brushes = {name: ends for name, ends in self.brushes.items() if name in names}
        self.offer(all, ranks, numbers, is_begun)

    def choose(self, number: int) -> None:
        """Let this run stand out; 0 for none."""
        self._chosen = number
        self.update()

    def clear(self) -> None:
        """Brush nothing."""
        if self.brushes:
            self.brushes = {}
            self._follow()

    def take(
        self,
        all: tuple[Dimension, ...] = (),
        ranks: Mapping[int, float] | None = None,
        numbers: Sequence[int] = (),
        is_begun: bool = False,
    ) -> None:
        self._all, self._ranks, self._numbers = all, ranks or {}, tuple(numbers)
        self._passing = frozenset(passing(all, self.brushes, self._numbers))
        shares = [[one.share(number) for one in all] for number in self._numbers]
        self._shares = np.array(shares, dtype=np.float64).reshape(len(self._numbers), len(all))
        self.sentence = "" if numbers else "no run is finished yet" if is_begun else _EMPTY
        count = len(self._passing)
        said = (
            f"{count:,} of {len(self._numbers):,} runs"
            if self.brushes
            else f"{count:,} run{'s' * (count != 1)}, bluer: lower loss"
            if count
            else ""
        )
        self.set_heading("Parallel coordinates", said if numbers else "", "Axes")

    def _follow(self) -> None:
        self.renew()
        self.brushed.emit()

    def _move_end(self, name: str, step: float, is_top: bool) -> None:
        """Move one end of what is chosen on an axis; all of it chosen is nothing chosen."""
        low, high = self.brushes.get(name, (0.0, 1.0))
        low, high = (low, min(1.0, max(low, high + step))) if is_top else (max(0.0, min(high, low + step)), high)
        self.brushes[name] = (round(low, 6), round(high, 6))
        if self.brushes[name] == (0.0, 1.0):
            del self.brushes[name]
        self._follow()

    # --- where things stand ---

    def _frame(self) -> QRectF:
        return QRectF(self.rect()).adjusted(scaled(_SIDE), line_height() + 10, -scaled(_SIDE), -10)

    def _across(self, place: int) -> float:
        frame = self._frame()
        return frame.center().x() if len(self._all) < 2 else frame.left() + place * frame.width() / (len(self._all) - 1)

    def _down(self, share: float) -> float:
        frame = self._frame()
        return frame.bottom() - share * frame.height()

    def _share(self, pixel: float) -> float:
        frame = self._frame()
        return min(1.0, max(0.0, (frame.bottom() - pixel) / max(1.0, frame.height())))

    def axis_at(self, at: QPointF) -> str:
        """Return the name of the axis at a place; empty for none."""
        return next((one.name for place, one in enumerate(self._all) if abs(self._across(place) - at.x()) <= _REACH), "")

    def line(self, number: int) -> QPolygonF:
        """Return the line of a run: a point on every axis on which it has a value."""
        return self._polygon(self._numbers.index(number), self._ways())

    def _ways(self) -> list[float]:
        return [self._across(place) for place in range(len(self._all))]

    def _polygon(self, row: int, across: Sequence[float]) -> QPolygonF:
        frame, shares = self._frame(), self._shares[row]
        heights = (frame.bottom() - shares * frame.height()).tolist()
        return QPolygonF([QPointF(x, y) for x, y in zip(across, heights, strict=True) if y == y])  # no NaN

    def run_at(self, at: QPointF) -> int:
        """Return the number of the run whose line is nearest to a place; 0 where none is near."""
        frame, across = self._frame(), self._ways()
        place = bisect(across, at.x())
        if not self._numbers or not 0 < place < len(across):
            return 0
        share = (at.x() - across[place - 1]) / (across[place] - across[place - 1])
        heights = self._shares[:, place - 1] + share * (self._shares[:, place] - self._shares[:, place - 1])
        away = np.abs(frame.bottom() - heights * frame.height() - at.y())
        away[[number not in self._passing for number in self._numbers]] = np.inf
        nearest = int(np.where(np.isnan(away), np.inf, away).argmin())
        return self._numbers[nearest] if away[nearest] < _NEAR else 0

    # --- painting ---

    def paint(self, painter: QPainter, area: QRectF) -> None:
        theme = current_theme()
        across, width = self._ways(), _WIDTH if len(self._numbers) <= _MANY else 0.0
        order = sorted(enumerate(self._numbers), key=lambda one: (one[1] in self._passing, -self._ranks.get(one[1], 2.0)))
        for row, number in order:
            painter.setPen(self._pen(theme, number, width))
            painter.drawPolyline(self._polygon(row, across))
        pointed = self.run_at(self.hovered) if self.hovered and not self.axis_at(self.hovered) else 0
        meant = pointed or self._chosen
        if meant in self._numbers:
            painter.setPen(QPen(theme.color("text"), 2.4))
            painter.drawPolyline(self.line(meant))
        for place, one in enumerate(self._all):
            self._paint_axis(painter, theme, one, self._across(place), "forward" if place == self._marked else "faint")
        if pointed and not self._axis:
            paint_readout(painter, theme, self.hovered, self.values_of(pointed), area)

    def _pen(self, theme: Theme, number: int, width: float) -> QPen:
        if number not in self._passing:
            return QPen(theme.tint("line", 0.6), min(1.0, width))
        if number in self._ranks:
            return QPen(loss_color(theme, self._ranks[number]), width)
        return QPen(theme.tint("loss", 0.5), min(1.0, width), Qt.PenStyle.DashLine)

    def _paint_axis(self, painter: QPainter, theme: Theme, one: Dimension, x: float, color: str) -> None:
        frame = self._frame()
        painter.setPen(QPen(theme.color(color), 1))
        painter.drawLine(QPointF(x, frame.top()), QPointF(x, frame.bottom()))
        if one.name in self.brushes:
            low, high = self.brushes[one.name]
            box = QRectF(x - 5, self._down(high), 10, max(2.0, self._down(low) - self._down(high)))
            painter.setPen(QPen(theme.color("forward"), 1))
            painter.setBrush(theme.color("forward", 0.28))
            painter.drawRoundedRect(box, 3, 3)
            painter.setBrush(Qt.BrushStyle.NoBrush)
        width = frame.width() / max(1, len(self._all) - 1)
        name = QFontMetricsF(small_sans()).elidedText(one.name, Qt.TextElideMode.ElideMiddle, max(60.0, min(width, scaled(132)) - 6))
        room = QRectF(x - width / 2 - 40, frame.top() - line_height() - 8, width + 80, line_height())
        room = _moved_into(room, text_width(name), QRectF(self.rect()))
        write(painter, room, name, theme.color("text" if one.is_result else "muted"), align=_ALIGN)
        for share, text in ticks(one, max(2, min(_MOST_TEXTS, int(frame.height() / (2 * line_height()))))):
            self._write_tick(painter, theme, x, share, text, width)

    def _write_tick(self, painter: QPainter, theme: Theme, x: float, share: float, text: str, width: float) -> None:
        """Beside the axis, on the panel's colour so that lines do not cross it; at the last axis to its left."""
        room = max(40.0, width - 16)
        if text_width(text, number=True) > room and _is_number(text):
            text = f"{float(text):.0e}".replace("e-0", "e−").replace("e+0", "e")  # with all its digits it would be cut off
        text = QFontMetricsF(small_mono()).elidedText(text, Qt.TextElideMode.ElideRight, room)
        wide = text_width(text, number=True) + 4
        left = x + 6 if x + 6 + wide <= self.width() else x - 6 - wide
        room = QRectF(left, self._down(share) - line_height() / 2, wide, line_height())
        painter.fillRect(room, theme.color("panel", 0.82))
        write(painter, room.adjusted(2, 0, 0, 0), text, theme.color("muted"), small_mono())

    def values_of(self, number: int) -> list[tuple[str, str]]:
        """Return what the readout says of a run."""
        values = [("text" if one.is_result else "muted", f"{one.name} {one.text(number)}") for one in self._all if number in one.values]
        return [("text", f"run {number}"), *values]

    # --- Qt ---

    def mousePressEvent(self, event: QMouseEvent) -> None:
        name = "" if self.sentence else self.axis_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and name:
            self._axis = (name, self._share(event.position().y()))
        elif event.button() == Qt.MouseButton.LeftButton and not self.sentence and (number := self.run_at(event.position())):
            self.run_clicked.emit(number)
        else:
            event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        is_axis = not self.sentence and bool(self._axis or self.axis_at(event.position()))
        self.setCursor(Qt.CursorShape.SizeVerCursor if is_axis else Qt.CursorShape.ArrowCursor)
        if self._axis is None:
            return
        name, start = self._axis
        here = self._share(event.position().y())
        if abs(here - start) * self._frame().height() >= 3:
            self.brushes[name] = (min(start, here), max(start, here))
            self._follow()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        (name, start), self._axis = self._axis or ("", 0.0), None
        if name in self.brushes and abs(self._share(event.position().y()) - start) * self._frame().height() < 3:
            del self.brushes[name]
            self._follow()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_top = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        match event.key():
            case Qt.Key.Key_Escape if self.brushes:
                self.clear()
            case Qt.Key.Key_Left | Qt.Key.Key_Right if self._all:
                step = 1 if event.key() == Qt.Key.Key_Right else -1
                self._marked = min(max(self._marked + step, 0), len(self._all) - 1)
                self.update()
            case Qt.Key.Key_Up | Qt.Key.Key_Down if 0 <= self._marked < len(self._all):
                self._move_end(self._all[self._marked].name, _STEP if event.key() == Qt.Key.Key_Up else -_STEP, is_top)
            case _:
                super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._marked = -1
        super().focusOutEvent(event)


def ticks(one: Dimension, most: int) -> list[tuple[float, str]]:
    """Return where texts stand along an axis, as shares, and what they say: each word, each of few numbers, else both ends and between;
    "≥" where runs that diverged stand at the end."""
    if one.words:
        step = max(1, -(-len(one.words) // most))
        return [(one.share_of(word), word) for word in one.words[::step]]
    values = sorted(value for value in set(one.values.values()) if math.isfinite(value))
    if values and (one.is_result or len(values) > most):
        low, high = one.ends
        between = (low * high) ** 0.5 if one.is_log else (low + high) / 2
        if not one.is_result:
            between = min(values, key=lambda value: abs(one.share_of(value) - 0.5))  # one that is there: there is no seed 15.5
        values = sorted({low, between, high})
    beyond = max(one.values.values(), default=0.0) > one.ends[1]
    text = plot_numbers.percent if one.name == "accuracy" else lambda value: plot_numbers.tick(float(f"{value:.3g}"))
    return [(one.share_of(value), f"≥{text(value)}" if beyond and value == one.ends[1] else text(value)) for value in values]


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _moved_into(room: QRectF, width: float, bounds: QRectF) -> QRectF:
    """The room moved sideways until a text of this width in its middle lies within the bounds."""
    middle = min(max(room.center().x(), bounds.left() + width / 2 + 2), bounds.right() - width / 2 - 2)
    return room.translated(middle - room.center().x(), 0)
