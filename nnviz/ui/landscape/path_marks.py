"""Paths on a picture of the loss: a line in the colour of the run, where it begins, which way it goes, where it stands. Paints pixels."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from nnviz.ui.landscape.shown_plane import ShownPath
from nnviz.ui.theme.colors import Theme
from nnviz.ui.widgets.readout import line_height, small_mono, text_width, write

_ARROWS = 0.3, 0.6, 0.9
"""Where along a path its direction is shown, as shares of its length."""
_ARROW = 5.0
_SHORTEST = 40.0
"""Pixels below which a path has no room for arrows."""


def paint_path(painter: QPainter, theme: Theme, path: ShownPath, pixels: np.ndarray, is_own: bool, bounds: QRectF) -> None:
    """Paint a path through these (k, 2) pixels; the run's own is the stronger one, and says its first and last iteration."""
    color = theme.branch(path.color)
    line = QPolygonF([QPointF(*point) for point in pixels.tolist()])
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(theme.color("panel", 0.8), 4.5 if is_own else 3.5), QPen(color, 2.0 if is_own else 1.5)):
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.drawPolyline(line)
    _paint_arrows(painter, color, pixels)
    start, end = line.first(), line.last()
    painter.setPen(QPen(color, 1.6))
    painter.setBrush(theme.color("panel"))
    painter.drawEllipse(start, 3.5, 3.5)
    painter.setPen(QPen(theme.color("panel"), 1.2))
    painter.setBrush(color)
    painter.drawEllipse(end, *((5.0, 5.0) if is_own else (3.5, 3.5)))
    if is_own and len(path.iterations) > 1:
        for place, number in ((start, path.iterations[0]), (end, path.iterations[-1])):
            _write_beside(painter, theme, place, f"{int(number):,}", color, bounds)


def paint_standing(painter: QPainter, theme: Theme, place: QPointF, color: int) -> None:
    """Paint where a run stands whose path is not known."""
    painter.setPen(QPen(theme.color("panel"), 1.2))
    painter.setBrush(theme.branch(color))
    painter.drawEllipse(place, 5.0, 5.0)


def _paint_arrows(painter: QPainter, color: QColor, pixels: np.ndarray) -> None:
    steps = np.hypot(*np.diff(pixels, axis=0).T)
    if steps.sum() < _SHORTEST:
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    lengths = np.concatenate([[0.0], steps.cumsum()])
    for share in _ARROWS:
        at, before = (np.array([np.interp(lengths[-1] * share - back, lengths, along) for along in pixels.T]) for back in (0.0, 6.0))
        way = at - before
        size = float(np.hypot(*way))
        if size < 1:  # it goes to and fro here
            continue
        way = way / size * _ARROW
        side = np.array([-way[1], way[0]]) * 0.8
        painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in (at + way, at - way + side, at - way - side)]))


def _write_beside(painter: QPainter, theme: Theme, place: QPointF, text: str, color: QColor, bounds: QRectF) -> None:
    """Write a number right of a point, or left of it where there is no room."""
    width = text_width(text, number=True) + 6
    left = place.x() + 7 if place.x() + 7 + width <= bounds.right() else place.x() - 7 - width
    box = QRectF(left, place.y() - line_height() / 2, width, line_height())
    box.moveTop(min(max(box.top(), bounds.top()), bounds.bottom() - box.height()))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("panel", 0.8))
    painter.drawRoundedRect(box, 4, 4)
    write(painter, box.adjusted(3, 0, 0, 0), text, color, small_mono())
