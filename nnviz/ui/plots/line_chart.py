"""Curves over the iterations of a run, as an immutable value, and how it is painted. It knows no run: loss.py and metric.py fill it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from nnviz.ui.plots import figures
from nnviz.ui.plots.axes import LINE, paint_line, paint_readout, paint_x_axis, paint_y_axis, small_mono, small_sans, text_width, tick_texts
from nnviz.ui.plots.decimation import decimated
from nnviz.ui.plots.scales import Scale
from nnviz.ui.theme import Theme

_LARGE = 420
"""From this width on the labels stand at the ends of the curves instead of in a corner."""


@dataclass(frozen=True)
class Curve:
    """One curve: all its points for reading off, and the few of them that are drawn. All `y` are finite."""

    label: str
    color: str
    """Name of a colour of the theme."""
    x: np.ndarray
    y: np.ndarray
    drawn: tuple[np.ndarray, np.ndarray]
    pale: bool = False
    """A pale curve stands behind the others without a label or a value."""

    @classmethod
    def of(cls, label: str, color: str, x: np.ndarray, y: np.ndarray, pale: bool = False) -> Curve:
        """Return the curve through these points, thinned for drawing."""
        return cls(label, color, x, y, decimated(x, y), pale)


@dataclass(frozen=True)
class LineChart:
    """Everything that is painted: curves, limits, a mark where a curve had to stop, and side notes."""

    curves: tuple[Curve, ...]
    x_limits: tuple[float, float]
    y_limits: tuple[float, float]
    log: bool = False
    stopped_at: float | None = None
    """The iteration of the first non-finite loss."""
    notes: tuple[str, ...] = ()
    value_text: Callable[[float], str] = figures.figure
    tick_text: Callable[[float], str] = field(default=figures.tick)

    @property
    def labelled(self) -> list[Curve]:
        """The curves that have a label and at least one point."""
        return [curve for curve in self.curves if not curve.pale and curve.x.size]


def paint_chart(painter: QPainter, area: QRectF, theme: Theme, chart: LineChart, hovered: QPointF | None) -> None:
    """Paint the chart into the area, with the values at `hovered` (in the same coordinates) if there is one."""
    frame, x, y = _scales(area, chart)
    paint_y_axis(painter, theme, frame, y, tick_texts(y, 30, chart.tick_text))
    paint_x_axis(painter, theme, frame, x, tick_texts(x, 64, figures.tick))
    for curve in chart.curves:
        _paint_curve(painter, theme, curve, x, y)
    if chart.stopped_at is not None:
        _paint_stop(painter, theme, frame, x, chart.stopped_at)
    if area.width() >= _LARGE:
        _paint_end_labels(painter, theme, area, chart, x, y)
    else:
        _paint_corner_labels(painter, theme, frame, chart, y)
    if hovered is not None and frame.adjusted(-8, -8, 8, 8).contains(hovered):
        _paint_values(painter, theme, frame, chart, x, y, hovered)


def nearest(x: np.ndarray, value: float) -> int:
    """Return the place of the element of the increasing, non-empty `x` that is nearest to the value."""
    right = int(np.searchsorted(x, value))
    if right == 0 or right == x.size:
        return min(right, x.size - 1)
    return right if x[right] - value < value - x[right - 1] else right - 1


def _scales(area: QRectF, chart: LineChart) -> tuple[QRectF, Scale, Scale]:
    """The frame the curves stand in, and both scales. The left margin is as wide as the widest tick can get, so that it does not jump."""
    right = _label_width(chart) if area.width() >= _LARGE else 6.0
    left = 5 + max(text_width(chart.tick_text(limit), number=True) for limit in (*chart.y_limits, 0.25))
    frame = area.adjusted(left, 4, -right, -LINE - 3)
    x = Scale(*chart.x_limits, frame.left(), frame.right())
    return frame, x, Scale(*chart.y_limits, frame.bottom(), frame.top(), chart.log)


def _paint_curve(painter: QPainter, theme: Theme, curve: Curve, x: Scale, y: Scale) -> None:
    if not curve.x.size:
        return
    width = 1.0 if curve.pale else 1.6 if curve.drawn[0].size == curve.x.size else 1.2
    xs, ys = x(curve.drawn[0]), y(curve.drawn[1])
    paint_line(painter, theme.tint(curve.color, 0.3) if curve.pale else theme.color(curve.color), width, xs, ys)
    if not curve.pale:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(curve.color))
        painter.drawEllipse(QPointF(xs[-1], ys[-1]), 2.4, 2.4)


def _paint_stop(painter: QPainter, theme: Theme, frame: QRectF, x: Scale, iteration: float) -> None:
    place = min(max(float(x(iteration)), frame.left()), frame.right())
    painter.setPen(QPen(theme.color("loss"), 1, Qt.PenStyle.DashLine))
    painter.drawLine(QPointF(place, frame.top()), QPointF(place, frame.bottom()))
    text = f"non-finite at iteration {iteration:,.0f}"
    width = text_width(text) + 8
    left = place + 4 if place + 4 + width <= frame.right() else max(frame.left(), place - 4 - width)
    box = QRectF(left, frame.bottom() - LINE - 4, width, LINE + 2)
    painter.fillRect(box, theme.color("panel", 0.9))
    painter.setFont(small_sans())
    painter.setPen(theme.color("loss"))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


# --- labels ---------------------------------------------------------------------------------------------------------


def _label_width(chart: LineChart) -> float:
    texts = [curve.label for curve in chart.curves if not curve.pale]
    numbers = [*(chart.value_text(limit) for limit in chart.y_limits), "0.00000"]
    return 14 + max([*(text_width(text) for text in texts), *(text_width(text, number=True) for text in numbers)])


def _paint_end_labels(painter: QPainter, theme: Theme, area: QRectF, chart: LineChart, x: Scale, y: Scale) -> None:
    """Label and last value behind the end of every curve, moved apart where they would overlap."""
    curves = sorted(chart.labelled, key=lambda curve: float(y(curve.y[-1])))
    tops = _apart([float(y(curve.y[-1])) - LINE for curve in curves], 2 * LINE + 2, area.top(), area.bottom() - LINE)
    for curve, top in zip(curves, tops, strict=True):
        left = x.end + 10
        painter.setPen(theme.color(curve.color))
        painter.setFont(small_sans())
        painter.drawText(QPointF(left, top + 11), curve.label)
        painter.setFont(small_mono())
        painter.drawText(QPointF(left, top + 11 + LINE), chart.value_text(float(curve.y[-1])))
    painter.setPen(theme.color("muted"))
    painter.setFont(small_sans())
    for place, note in enumerate(chart.notes):
        line = QRectF(x.start, area.top() + 6 + place * LINE, x.end - x.start - 8, LINE)
        painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, note)


def _apart(tops: list[float], height: float, low: float, high: float) -> list[float]:
    """Move increasing places apart to at least `height`, staying between low and high as far as there is room."""
    for place in range(1, len(tops)):
        tops[place] = max(tops[place], tops[place - 1] + height)
    ceiling = high - height
    for place in reversed(range(len(tops))):
        tops[place] = max(low, min(tops[place], ceiling))
        ceiling = tops[place] - height
    return tops


def _paint_corner_labels(painter: QPainter, theme: Theme, frame: QRectF, chart: LineChart, y: Scale) -> None:
    """Labels and last values in the right corner that the curves leave free: the lower one where they end high."""
    rows = [(curve.color, curve.label, chart.value_text(float(curve.y[-1]))) for curve in chart.labelled]
    rows += [("muted", note, "") for note in chart.notes]
    if not rows:
        return
    numbers = max(text_width(number, number=True) for _, _, number in rows)
    width = 8 + max(text_width(text) + (8 + numbers if number else 0) for _, text, number in rows)
    ends_high = np.mean([float(y(curve.y[-1])) for curve in chart.labelled] or [frame.bottom()]) < frame.center().y()
    top = frame.bottom() - LINE * len(rows) - 4 if ends_high else frame.top()
    box = QRectF(frame.right() - width, top, width, LINE * len(rows) + 2)
    painter.fillRect(box, theme.color("panel", 0.8))
    for place, (color, text, number) in enumerate(rows):
        line = QRectF(box.left() + 4, box.top() + 1 + place * LINE, width - 8, LINE)
        painter.setPen(theme.color(color))
        painter.setFont(small_mono())
        painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, number)
        painter.setFont(small_sans())
        room = line.adjusted(0, 0, -numbers - 8, 0) if number else line
        painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)


def _paint_values(painter: QPainter, theme: Theme, frame: QRectF, chart: LineChart, x: Scale, y: Scale, hovered: QPointF) -> None:
    """The values of all curves at the iteration under the pointer."""
    curves = chart.labelled
    if not curves:
        return
    longest = max(curves, key=lambda curve: curve.x.size)
    iteration = float(longest.x[nearest(longest.x, x.value(hovered.x()))])
    painter.setPen(QPen(theme.color("faint"), 1))
    place = float(x(iteration))
    painter.drawLine(QPointF(place, frame.top()), QPointF(place, frame.bottom()))
    rows = [("muted", f"iteration {iteration:,.0f}")]
    for curve in curves:
        index = nearest(curve.x, iteration)
        when = "" if curve.x[index] == iteration else f" at {curve.x[index]:,.0f}"
        rows.append((curve.color, f"{curve.label} {chart.value_text(float(curve.y[index]))}{when}"))
        painter.setPen(QPen(theme.color("panel"), 1))
        painter.setBrush(theme.color(curve.color))
        painter.drawEllipse(QPointF(float(x(curve.x[index])), float(y(curve.y[index]))), 3, 3)
    paint_readout(painter, theme, QPointF(place, hovered.y()), rows, frame)
