"""Curves over the iterations of a run, as an immutable value, and how it is painted. It knows no run: plots fill it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from nnviz.text import plot_numbers
from nnviz.text.numbers import steady
from nnviz.ui.theme.colors import Theme, current_theme
from nnviz.ui.widgets.decimation import decimated
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.readout import RIGHT, line_height, paint_readout, small_mono, text_width, write
from nnviz.ui.widgets.scales import AxisScale
from nnviz.ui.widgets.time_axis import FLAG, TimeAxis

_LARGE = 420
"""From this width on the labels stand at the ends of the curves instead of in a corner."""
_NAMED = 220
"""From this width of the frame on the names of branches stand at the ends of their curves."""
_COVERED = 0.65
"""The most of a plot's frame that labels in a corner may cover."""
_DASH = 12
"""Length in pixels of the piece of a curve before its label in a legend."""


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
    strength: float = 1.0
    """Below 1 the line is drawn lighter than its label."""

    @classmethod
    def of(cls, label: str, color: str, x: np.ndarray, y: np.ndarray, pale: bool = False, strength: float = 1.0) -> Curve:
        """Return the curve through these points, thinned for drawing."""
        return cls(label, color, x, y, decimated(x, y), pale, strength)

    def between(self, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the points from one x to another, thinned for drawing, and the next one on either side."""
        first, last = max(0, int(np.searchsorted(self.x, low)) - 1), int(np.searchsorted(self.x, high, side="right")) + 1
        return decimated(self.x[first:last], self.y[first:last])


@dataclass(frozen=True)
class GhostCurve:
    """The same figure of another branch of the run, pale, with its name at the end."""

    name: str
    color: int
    """The branch's place among the colours of branches."""
    x: np.ndarray
    y: np.ndarray
    drawn: tuple[np.ndarray, np.ndarray]
    is_chosen: bool = False
    """Whether it stands out."""

    @classmethod
    def of(cls, name: str, color: int, x: np.ndarray, y: np.ndarray, is_chosen: bool = False) -> GhostCurve:
        """Return the curve through these points, thinned for drawing."""
        return cls(name, color, x, y, decimated(x, y), is_chosen)


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
    has_legend: bool = False
    """Whether the labels stand in a line above, where there is no room at the ends, and not in a corner."""
    band: tuple[float, float] | None = None
    """Values that are marked as those to be expected."""
    level: float | None = None
    """A value that is marked by a line across."""
    value_text: Callable[[float], str] = steady
    tick_text: Callable[[float], str] = field(default=plot_numbers.tick)
    ghosts: tuple[GhostCurve, ...] = ()

    @property
    def labelled(self) -> list[Curve]:
        """The curves that have a label and at least one point."""
        return [curve for curve in self.curves if not curve.pale and curve.x.size]


def paint_chart(plot: Plot, painter: QPainter, area: QRectF, chart: LineChart) -> None:
    """Paint the chart into the area of a plot, with the flags of the run and the values under the pointer."""
    axes, theme, hovered = plot.axes, current_theme(), plot.hovered
    if chart.has_legend and area.width() < _LARGE:
        _paint_legend(painter, theme, area, chart)
        area = area.adjusted(0, line_height(), 0, 0)
    frame, *whole = _scales(area, chart)
    x, y = plot.zoomed(frame, *whole)
    axes.place(painter, theme, frame, x, y)
    axes.axis("left", chart.tick_text, lines=True)
    axes.axis("bottom")
    _paint_marked(painter, theme, frame, chart, y)
    for ghost in chart.ghosts:
        axes.curve(*ghost.drawn, theme.branch(ghost.color, 1.0 if ghost.is_chosen else 0.55), 2.4 if ghost.is_chosen else 1.0)
    for curve in chart.curves:
        drawn = curve.between(x.low, x.high) if plot.zoom.is_on else curve.drawn
        width = 1.0 if curve.pale else 1.6 if curve.drawn[0].size == curve.x.size else 1.2
        axes.curve(*drawn, theme.tint(curve.color, 0.3 if curve.pale else curve.strength), width)
    if chart.stopped_at is not None:
        axes.vertical(chart.stopped_at, theme.color("loss"), Qt.PenStyle.DashLine, "non-finite at iteration {value:,.0f}")
    is_hovered = hovered is not None and frame.adjusted(-8, -8, 8, 8).contains(hovered)
    read = _nearest(_read(chart, x.value(hovered.x())), y, hovered.y(), frame.height()) if is_hovered else _pointed(plot, chart, x)
    if read and is_hovered:
        axes.vertical(read[0][0].x[read[0][1]], theme.color("faint"))
    axes.render(painter)
    for curve, place in (*((curve, -1) for curve in chart.labelled), *read):
        _paint_dot(painter, theme, frame, curve, place, QPointF(x(curve.x[place]), y(curve.y[place])))
    told = plot.paint_times(painter, TimeAxis(frame, x))
    room = frame.adjusted(0, 0, 0, -FLAG)
    if area.width() >= _LARGE:
        _paint_end_labels(painter, theme, area, chart, x, y)
        room.setTop(room.top() + 2 + line_height() * len(chart.notes))
    else:
        free = frame.adjusted(0, 0, 0, -FLAG - 1 if plot.surroundings.flags else 0)
        room = _beside(frame, _paint_corner_labels(painter, theme, free, chart, y))
    _paint_ghost_names(painter, theme, frame, chart, x, y, room)
    if read and is_hovered:
        paint_readout(painter, theme, hovered, [*_readout(chart, read), *told], frame)


def _pointed(plot: Plot, chart: LineChart, x: AxisScale) -> list[tuple[Curve, int]]:
    """The same as `_read`, of the iteration that is pointed at in another plot."""
    at = plot.pointed
    return _read(chart, at) if at is not None and x.low <= at <= x.high else []


def _paint_dot(painter: QPainter, theme: Theme, frame: QRectF, curve: Curve, place: int, spot: QPointF) -> None:
    """The last point of a curve (place −1), or one that is read off."""
    if frame.adjusted(-1, -1, 1, 1).contains(spot):
        painter.setPen(QPen(theme.color("panel"), 1) if place >= 0 else Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(curve.color))
        painter.drawEllipse(spot, 3, 3)


def nearest(x: np.ndarray, value: float) -> int:
    """Return the place of the element of the increasing, non-empty `x` that is nearest to the value."""
    right = int(np.searchsorted(x, value))
    if right == 0 or right == x.size:
        return min(right, x.size - 1)
    return right if x[right] - value < value - x[right - 1] else right - 1


def _scales(area: QRectF, chart: LineChart) -> tuple[QRectF, AxisScale, AxisScale]:
    """The frame the curves stand in, and both scales. The margins are as wide as the widest tick can get, so that they do not jump."""
    right = _label_width(chart) if area.width() >= _LARGE else 12
    left = 7 + max(text_width(chart.tick_text(limit), number=True) for limit in (*chart.y_limits, 0.25))
    frame = area.adjusted(round(left), 7, -round(right), -line_height() - 3)
    x = AxisScale(*chart.x_limits, frame.left(), frame.right())
    return frame, x, AxisScale(*chart.y_limits, frame.bottom(), frame.top(), chart.log)


# --- labels ---------------------------------------------------------------------------------------------------------


def _label_width(chart: LineChart) -> float:
    texts = [curve.label for curve in chart.curves if not curve.pale]
    numbers = [*(chart.value_text(limit) for limit in chart.y_limits), "0.0001234"]
    return 14 + max([*(text_width(text) for text in texts), *(text_width(text, number=True) for text in numbers)])


def _paint_end_labels(painter: QPainter, theme: Theme, area: QRectF, chart: LineChart, x: AxisScale, y: AxisScale) -> None:
    """Label and last value behind the end of every curve, moved apart where they would overlap; of many only labels, or some of these."""
    curves = sorted(chart.labelled, key=lambda curve: float(y(curve.y[-1])))
    height, lines = 2 * line_height() + 2, 2
    if len(curves) > 1 and len(curves) * height > area.height() - line_height():
        height, lines = line_height(), 1
        curves = curves[:: max(1, -int(-len(curves) * height // max(height, area.height() - line_height())))]
    tops = [float(y(curve.y[-1])) - lines * line_height() / 2 for curve in curves]
    tops = _apart(tops, height, area.top(), area.bottom() - line_height())
    for curve, top in zip(curves, tops, strict=True):
        line = QRectF(x.end + 10, top, area.right() - x.end, line_height())
        write(painter, line, curve.label, theme.color(curve.color))
        if lines == 2:
            number = chart.value_text(float(curve.y[-1]))
            write(painter, line.translated(0, line_height()), number, theme.color(curve.color), small_mono())
    for place, note in enumerate(chart.notes):
        line = QRectF(x.start, area.top() + 9 + place * line_height(), x.end - x.start - 8, line_height())
        write(painter, line, note, theme.color("muted"), align=RIGHT)


def _beside(frame: QRectF, box: QRectF) -> QRectF:
    """What a box at the top or the bottom of the frame leaves of it."""
    if box.isEmpty():
        return frame.adjusted(0, 0, 0, -FLAG)
    if box.top() - frame.top() < frame.bottom() - box.bottom():
        return QRectF(frame.left(), box.bottom(), frame.width(), frame.bottom() - FLAG - box.bottom())
    return QRectF(frame.left(), frame.top(), frame.width(), box.top() - frame.top())


def _paint_ghost_names(painter: QPainter, theme: Theme, frame: QRectF, chart: LineChart, x: AxisScale, y: AxisScale, room: QRectF) -> None:
    """The name of each branch at the end of its curve, where there is room for names; if not for all, only of one that stands out."""
    ends = [(float(x(ghost.x[-1])), float(y(ghost.y[-1])), ghost) for ghost in chart.ghosts if ghost.x.size]
    ends = sorted((end for end in ends if frame.left() <= end[0] <= frame.right() + 1), key=lambda end: end[1])
    if not ends or frame.width() < _NAMED:
        return
    if len(ends) * line_height() > room.height():
        ends = [end for end in ends if end[2].is_chosen]
    tops = _apart([end[1] - line_height() - 1 for end in ends], line_height(), room.top(), room.bottom())
    for (right, _, ghost), top in zip(ends, tops, strict=True):
        width = text_width(ghost.name)
        left = max(frame.left(), min(right - width - 2, frame.right() - width))
        write(painter, QRectF(left, top, width + 2, line_height()), ghost.name, theme.branch(ghost.color))


def _apart(tops: list[float], height: float, low: float, high: float) -> list[float]:
    """Move increasing places apart to at least `height`, staying between low and high as far as there is room."""
    tops[:1] = [max(low, top) for top in tops[:1]]
    for place in range(1, len(tops)):
        tops[place] = max(tops[place], tops[place - 1] + height)
    ceiling = high - height
    for place in reversed(range(len(tops))):
        tops[place] = max(low, min(tops[place], ceiling))
        ceiling = tops[place] - height
    return tops


def _paint_legend(painter: QPainter, theme: Theme, area: QRectF, chart: LineChart) -> None:
    """The labels side by side, each behind a piece of its curve; none where they do not fit: then the pointer tells which is which."""
    widths = [_DASH + 4 + text_width(curve.label) + 8 for curve in chart.labelled]
    left, middle = area.right() - sum(widths) + 8, area.top() + line_height() / 2
    if left < area.left():
        return
    for curve, width in zip(chart.labelled, widths, strict=True):
        painter.setPen(QPen(theme.tint(curve.color, curve.strength), 2))
        painter.drawLine(QPointF(left, middle), QPointF(left + _DASH, middle))
        write(painter, QRectF(left + _DASH + 4, area.top(), width, line_height()), curve.label, theme.color(curve.color))
        left += width


def _paint_corner_labels(painter: QPainter, theme: Theme, frame: QRectF, chart: LineChart, y: AxisScale) -> QRectF:
    """Labels and last values in the right corner that the curves leave free: the lower one where they end high. Return where."""
    rows, width, numbers = _corner_rows(chart, frame)
    if not rows:
        return QRectF()
    ends, height = [float(y(curve.y[-1])) for curve in chart.labelled], line_height() * len(rows) + 4
    is_covered = sum(end > frame.bottom() - height for end in ends), sum(end < frame.top() + height for end in ends)
    ends_high = np.mean(ends or [frame.bottom()]) < frame.center().y()
    top = frame.bottom() - height if is_covered[0] < is_covered[1] or (ends_high and is_covered[0] == is_covered[1]) else frame.top()
    box = QRectF(frame.right() - width, top, width, line_height() * len(rows) + 2)
    painter.fillRect(box, theme.color("panel", 0.8))
    for place, (color, text, number) in enumerate(rows):
        line = QRectF(box.left() + 4, box.top() + 1 + place * line_height(), width - 8, line_height())
        write(painter, line, number, theme.color(color), small_mono(), RIGHT)
        write(painter, line.adjusted(0, 0, -numbers - 8 if number else 0, 0), text, theme.color(color), align=RIGHT)
    return box


def _corner_rows(chart: LineChart, frame: QRectF) -> tuple[list[tuple[str, str, str]], float, float]:
    """The lines of the corner (colour, label, last value) that leave some of the curves in sight, their width and that of the values.

    Where there is no room for all of them the notes go first, then the labels, whose colours are still there, and the values at last.
    """
    labels = [(curve.color, curve.label, chart.value_text(float(curve.y[-1]))) for curve in chart.labelled]
    notes = [("muted", note, "") for note in chart.notes]
    if chart.has_legend:
        labels = []
    for rows in ([*labels, *notes], labels, [(color, "", number) for color, _, number in labels]):
        numbers = max([text_width(number, number=True) for _, _, number in rows], default=0.0)
        width = 8 + max([text_width(text) + (8 + numbers if number else 0) for _, text, number in rows], default=0.0)
        height = line_height() * len(rows) + 2
        if width <= frame.width() and height <= frame.height() and width * height <= _COVERED * frame.width() * frame.height():
            return rows, width, numbers
    return [], 0.0, 0.0


def _read(chart: LineChart, iteration: float) -> list[tuple[Curve, int]]:
    """Every curve and its place nearest to where the longest of them is nearest to the iteration; the longest curve first."""
    curves = sorted(chart.labelled, key=lambda curve: -curve.x.size)
    if not curves:
        return []
    found = curves[0].x[nearest(curves[0].x, iteration)]
    return [(curve, nearest(curve.x, found)) for curve in curves]


def _nearest(read: list[tuple[Curve, int]], y: AxisScale, pixel: float, height: float) -> list[tuple[Curve, int]]:
    """As many of them as a box of this height has lines for: those nearest to the pointer, in their order."""
    most = max(1, int(height / line_height()) - 2)
    if len(read) <= most:
        return read
    near = sorted(range(len(read)), key=lambda place: abs(float(y(read[place][0].y[read[place][1]])) - pixel))[:most]
    return [read[place] for place in sorted(near)]


def _paint_marked(painter: QPainter, theme: Theme, frame: QRectF, chart: LineChart, y: AxisScale) -> None:
    """The band of values to be expected, and the line across, as far as they are in sight."""
    if chart.band:
        top, bottom = float(y(chart.band[1])), float(y(chart.band[0]))
        painter.fillRect((QRectF(frame.left(), top, frame.width(), bottom - top) & frame).toRect(), theme.tint("forward", 0.13))
    if chart.level is not None and frame.top() <= (place := float(y(chart.level))) <= frame.bottom():
        painter.setPen(QPen(theme.color("clip"), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(frame.left(), place), QPointF(frame.right(), place))


def _readout(chart: LineChart, read: list[tuple[Curve, int]]) -> list[tuple[str, str]]:
    """The lines of the readout: (colour name, text)."""
    iteration = read[0][0].x[read[0][1]]
    rows = [("muted", f"iteration {iteration:,.0f}")]
    for curve, place in read:
        when = "" if curve.x[place] == iteration else f" at {curve.x[place]:,.0f}"
        rows.append((curve.color, f"{curve.label} {chart.value_text(float(curve.y[place]))}{when}"))
    for ghost in chart.ghosts:
        place = nearest(ghost.x, iteration) if ghost.x.size else 0
        if ghost.x.size and ghost.x[0] <= iteration <= ghost.x[-1]:
            rows.append(("muted", f"{ghost.name} {chart.value_text(float(ghost.y[place]))}"))
    return rows
