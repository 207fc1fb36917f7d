"""Curves of numbers that were asked of all past iterations; a click on an iteration asks to go there. It computes nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QApplication, QWidget

from nnviz.session.past_questions import PastCurve
from nnviz.session.run import RunState
from nnviz.ui.run.line_chart import Curve, LineChart, nearest, paint_chart
from nnviz.ui.run.loss_plot import log_limits, measured
from nnviz.ui.theme.colors import current_theme
from nnviz.ui.widgets.header_button import SwitchButton
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.scales import snapped

COLORS = ("update", "forward", "backward", "clip", "training_set", "loss", "validation_set", "batch")
NOTHING = "ask for any number of all past iterations: Ask…"
_EXPLANATION = (
    "Any number that can be measured, of every iteration there has been: the iterations are made again, exactly, beside the run. "
    "A click goes to that iteration. Pale curves end where the run has gone on since they were asked for, or are of another branch."
)
_AHEAD = 1.5
"""Where the run stands is in sight up to so many times as far as the curves reach: beyond, they would shrink to nothing."""
_STILL = 4
"""Pixels the mouse may move in a click."""


@dataclass(frozen=True)
class ShownPast:
    """A curve, what it is called, and whether it is of the run as it is now, up to where that stands."""

    curve: PastCurve
    label: str
    is_of_this_run: bool


class PastPlot(Plot):
    """Several numbers over the iterations on one axis, and where the run stands."""

    past_chosen = Signal(int)
    """The iteration that was clicked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Hindsight", _EXPLANATION, parent=parent)
        self.log_switch = SwitchButton("log", "Logarithmic axis of the numbers")
        self.log_switch.toggled.connect(self.renew)
        self.tools = (self.log_switch,)
        self.chart: LineChart | None = None
        self._shown: tuple[ShownPast, ...] = ()
        self._reached = self._iteration = 0
        self._pressed: QPointF | None = None
        self._chosen = 0
        self._clicking = QTimer(self, singleShot=True, interval=QApplication.doubleClickInterval())
        self._clicking.timeout.connect(lambda: self.past_chosen.emit(self._chosen))

    def show_past(self, shown: tuple[ShownPast, ...]) -> None:
        """Show these curves."""
        if shown != self._shown:
            self._shown = shown
            self.offer(self._shown, self._iteration, self._reached)

    def set_run(self, run: RunState) -> None:
        """Mark where this run stands."""
        self._iteration, self._reached = run.iteration, run.reached
        self.offer(self._shown, self._iteration, self._reached)

    def take(self, shown: tuple[ShownPast, ...] = (), iteration: int = 0, reached: int = 0) -> None:
        if not shown:
            self.chart, self.sentence = None, NOTHING
            self.set_heading("Hindsight", "")
            return
        self.sentence = ""
        lines = tuple(_line(one, COLORS[place % len(COLORS)], reached) for place, one in enumerate(shown))
        last = max(one.curve.last for one in shown)
        is_log = self.log_switch.isChecked()
        self.chart = LineChart(
            lines,
            x_limits=snapped(0.0, max(1.0, float(iteration if last < iteration <= _AHEAD * last else last)), 10),
            y_limits=log_limits(lines) if is_log else _limits(lines),
            log=is_log,
            notes=_notes(shown, lines),
        )
        self.set_heading("Hindsight", f"up to iteration {last:,}")

    def paint(self, painter: QPainter, area: QRectF) -> None:
        if self.chart is None:
            return
        paint_chart(self, painter, area, self.chart)
        x, y = self.zoom.shown
        if x.low <= self._iteration <= x.high:
            painter.setPen(QPen(current_theme().color("muted"), 1, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(x(self._iteration), y.start), QPointF(x(self._iteration), y.end))

    def iteration_at(self, place: QPointF) -> int | None:
        """Return the measured iteration of this run nearest to a place in the plot; None outside the frame, and of other branches."""
        known = max((one.curve.iterations for one in self._shown if one.is_of_this_run), key=len, default=None)
        if self.chart is None or known is None or not known.size or not self.zoom.contains(place):
            return None
        return int(known[nearest(known, self.zoom.shown[0].value(place.x()))])

    # --- Qt ---

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        is_click = event.button() == Qt.MouseButton.LeftButton and self.iteration_at(event.position()) is not None
        is_click = is_click and self.flag_at(event.position()) is None
        self._pressed = event.position() if is_click else None
        if is_click:
            event.accept()  # else the release would go to what lies below

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        pressed, self._pressed = self._pressed, None
        if pressed is None or (event.position() - pressed).manhattanLength() > _STILL:
            return
        found = self.iteration_at(event.position())
        if found is None:
            return
        self._chosen = found
        if self.zoom.is_on:
            self._clicking.start()  # it may become a double click, which shows the whole again
        else:
            self.past_chosen.emit(found)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._clicking.stop()
        self._pressed = None
        super().mouseDoubleClickEvent(event)


def _line(shown: ShownPast, color: str, reached: int) -> Curve:
    """A curve, lighter and with the iteration it ends at where the run has gone on or another way."""
    curve = shown.curve
    is_past = not shown.is_of_this_run or reached > curve.last
    remark = "" if shown.is_of_this_run else " (other branch)"
    label = f"{shown.label}{f' to {curve.last:,}' if is_past else ''}{remark}"
    line = measured(label, color, curve.iterations.astype(np.float64), curve.values)
    return Curve.of(label, color, line.x, line.y, strength=0.4 if is_past else 1.0)


def _limits(lines: tuple[Curve, ...]) -> tuple[float, float]:
    values = np.concatenate([line.drawn[1] for line in lines])
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    return snapped(min(0.0, low), max(0.0, high)) if low != high or low else (0.0, 1.0)


def _notes(shown: tuple[ShownPast, ...], lines: tuple[Curve, ...]) -> tuple[str, ...]:
    """Of how many iterations they are, where not of all; and which have nothing to be drawn."""
    strides = sorted({one.curve.stride for one in shown if one.curve.stride > 1})
    empty = [one.label for one, line in zip(shown, lines, strict=True) if not line.x.size]
    said = (f"every {stride:,}th iteration" for stride in strides)
    return (*said, *(f"{label}: no such number" for label in empty))
