"""The rows of the data as points over a surface, painted once and kept as a picture. It knows only Points and scales."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap

from nnviz.ui.plots.scales import Scale
from nnviz.ui.plots.surface_picture import Points, robust_limit
from nnviz.ui.theme import Theme


class Scatter:
    """Points as a transparent picture that is painted again only when points, size or theme are others."""

    def __init__(self) -> None:
        self._key: tuple = ()
        self._pixmap = QPixmap()

    def paint(self, painter: QPainter, theme: Theme, points: Points, frame: QRectF, x: Scale, y: Scale) -> None:
        """Paint the points into the frame."""
        ratio = painter.device().devicePixelRatioF()
        key = (points, frame.size().toSize(), x, y, theme, ratio)
        if self._key != key:
            self._key, self._pixmap = key, _picture(theme, points, frame, x, y, ratio)
        painter.drawPixmap(frame.topLeft(), self._pixmap)


def class_color(theme: Theme, number: int) -> QColor:
    """Return the colour of a class."""
    return QColor(theme.classes[number % len(theme.classes)])


def _picture(theme: Theme, points: Points, frame: QRectF, x: Scale, y: Scale, ratio: float) -> QPixmap:
    pixmap = QPixmap(frame.size().toSize() * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(-frame.topLeft())
    _paint_points(painter, theme, points, frame, x, y)
    painter.end()
    return pixmap


def _paint_points(painter: QPainter, theme: Theme, points: Points, frame: QRectF, x: Scale, y: Scale) -> None:
    radius = _radius(frame, len(points.x))
    colors = _colors(theme, points)
    places = zip(x(points.x[:, 0]).tolist(), _heights(points, y).tolist(), strict=True)
    for (px, py), color, training in zip(places, colors, points.training.tolist(), strict=True):
        painter.setPen(QPen(theme.color("panel") if training else color, 0.8 if training else 1.2))
        painter.setBrush(color if training else theme.color("panel", 0.55))
        painter.drawEllipse(QPointF(px, py), radius, radius)


def _radius(frame: QRectF, count: int) -> float:
    """Points shrink where many share a small frame."""
    room = (frame.width() * frame.height() / max(count, 1)) ** 0.5
    return min(4.0, max(1.8, room / 4))


def _heights(points: Points, y: Scale) -> np.ndarray:
    if points.x.shape[1] == 2:
        return y(points.x[:, 1])
    return y(np.minimum(points.y, 1) if points.classes else points.y)


def _colors(theme: Theme, points: Points) -> list[QColor]:
    if points.classes:
        palette = [class_color(theme, number) for number in range(points.classes)]
        return [palette[int(value) % len(palette)] for value in points.y]
    if points.x.shape[1] == 1:
        return [theme.color("training_set" if training else "validation_set") for training in points.training]
    limit = robust_limit(points.y)
    return [theme.diverging(float(value), limit) for value in points.y]
