"""One weight over the last iterations, as three small lines: its value, its gradient, its step. They are painted, not computed."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtGui import QPainter, QPen, QPolygonF

from nnviz.records.run_records import WeightHistory
from nnviz.records.tensors import to_numpy
from nnviz.text import numbers, plot_numbers
from nnviz.ui.theme.colors import Theme, current_theme
from nnviz.ui.widgets.decimation import decimated
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.readout import RIGHT, line_height, paint_readout, small_mono, text_width, write
from nnviz.ui.widgets.scales import AxisScale, share_of
from nnviz.ui.widgets.time_axis import TimeAxis

HIGHEST = 44.0
"""Room for the lines in pixels."""
FEWEST = 2
"""Fewer iterations make no line."""
_GAP = 14.0
LANES = (("θ", "values", "text"), ("g", "gradients", "backward"), ("Δ", "steps", "update"))
"""Symbol, column of the history, colour."""


def is_drawable(history: WeightHistory | None, parameter: str, element: tuple[int, ...]) -> bool:
    """Return whether the history is of this weight and long enough to be a line."""
    fits = history is not None and (history.parameter, tuple(history.element)) == (parameter, tuple(element))
    return fits and history.iterations.shape[0] >= FEWEST


def spans(low: float, high: float) -> tuple[str, ...]:
    """Return texts that tell a range, from the widest to the narrowest, with as many digits as it takes to tell the ends apart."""
    ends = next((pair for say in (numbers.short, numbers.number) if (pair := (say(low), say(high)))[0] != pair[1]), None)
    if ends is None:
        return numbers.number(high), numbers.short(high)
    return " … ".join(ends), "…".join(ends), f"±{numbers.short(max(abs(low), abs(high)))}"


def paint_history(plot: Plot, painter: QPainter, area: QRectF, history: WeightHistory) -> None:
    """Paint the three lines side by side in a plot, each on its own scale, with flags; under the pointer the numbers of that iteration."""
    theme, iterations = current_theme(), to_numpy(history.iterations).astype(np.float64)
    width = (area.width() - _GAP * (len(LANES) - 1)) / len(LANES)
    lanes = [QRectF(area.left() + place * (width + _GAP), area.top(), width, area.height()) for place in range(len(LANES))]
    scales = [AxisScale(iterations[0], iterations[-1], lane.left(), lane.right()) for lane in lanes]
    times = [TimeAxis(lane.adjusted(0, line_height() + 2, 0, -2), scale) for lane, scale in zip(lanes, scales, strict=True)]
    for lane, time, (symbol, column, tone) in zip(lanes, times, LANES, strict=True):
        _paint_head(painter, lane, theme, symbol, to_numpy(getattr(history, column)))
        _paint_line(painter, time, theme, iterations, to_numpy(getattr(history, column)), tone)
    told = plot.paint_times(painter, *times)
    pointed = next((found for time in times if (found := time.iteration_at(plot.hovered)) is not None), None)
    if pointed is not None:
        place = int(np.abs(iterations - pointed).argmin())
        rows = [(tone, f"{symbol} {numbers.steady(float(to_numpy(getattr(history, column))[place]))}") for symbol, column, tone in LANES]
        paint_readout(painter, theme, plot.hovered, [("muted", plot_numbers.iteration(int(iterations[place]))), *rows, *told], area)


def _ends(values: np.ndarray) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def _paint_head(painter: QPainter, lane: QRectF, theme: Theme, symbol: str, values: np.ndarray) -> None:
    """What a line is of, and its range."""
    head = QRectF(lane.left(), lane.top(), lane.width(), line_height())
    write(painter, head, symbol, theme.color("muted"), small_mono())
    left = lane.width() - text_width(symbol) - 6
    said = next((text for text in spans(*_ends(values)) if text_width(text, number=True) <= left), "")
    write(painter, head, said, theme.color("muted"), small_mono(), RIGHT)


def _paint_line(painter: QPainter, time: TimeAxis, theme: Theme, iterations: np.ndarray, values: np.ndarray, tone: str) -> None:
    room, (low, high) = time.frame, _ends(values)
    if low < 0 < high:
        zero = room.bottom() - float(share_of(0.0, low, high)) * room.height()
        painter.setPen(QPen(theme.color("line"), 1))
        painter.drawLine(QLineF(room.left(), zero, room.right(), zero))
    y = room.bottom() - share_of(np.nan_to_num(values, nan=low, posinf=high, neginf=low), low, high) * room.height()
    x = time.scale(iterations)
    y = y if high > low else np.full_like(y, room.center().y())
    x, y = decimated(x, y, max(4, round(room.width())))
    painter.setPen(QPen(theme.color(tone), 1))
    painter.drawPolyline(QPolygonF(list(map(QPointF, x, y))))
