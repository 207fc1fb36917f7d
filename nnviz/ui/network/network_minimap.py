"""A small picture of the whole network in a corner of the view, with a frame around what is seen. It paints and knows no layer.

It is painted above the scene and is no widget of its own: one that lies over a viewport keeps Qt from scrolling what is painted already.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QPainter, QPen, QTransform

from nnviz.ui.theme.colors import Theme

_WIDTH, _HEIGHT = 168, 100
_GAP = 6
_LEAST = 12
"""Layers below which no map is needed."""


class NetworkMinimap:
    """The boxes of all layers, drawn small in the lower left corner while there is more than is seen."""

    def __init__(self) -> None:
        self._boxes: tuple[QRectF, ...] = ()
        self._content = QRectF()

    def set_boxes(self, boxes: tuple[QRectF, ...], content: QRectF) -> None:
        """Show these boxes of the scene, which together take the room `content`."""
        self._boxes, self._content = boxes, content

    def rect(self, room: QRect, seen: QRectF) -> QRect:
        """Return where the map stands in a viewport that shows this part of the scene; empty where none is needed."""
        if len(self._boxes) < _LEAST or seen.contains(self._content) or room.width() < 2 * _WIDTH or room.height() < 2 * _HEIGHT:
            return QRect()
        return QRect(room.left() + _GAP, room.bottom() - _HEIGHT - _GAP, _WIDTH, _HEIGHT)

    def place(self, position: QPointF, rect: QRect) -> QPointF:
        """Return the point of the scene that a place on the map means."""
        return self._way(rect).inverted()[0].map(position)

    def paint(self, painter: QPainter, theme: Theme, rect: QRect, seen: QRectF) -> None:
        """Paint the map, and a frame around the part of the scene that is seen."""
        way, ink = self._way(rect), theme.tint("muted", 0.7)
        painter.setPen(QPen(theme.color("line"), 1))
        painter.setBrush(theme.color("background"))
        painter.drawRect(rect.adjusted(0, 0, -1, -1))
        painter.setPen(QPen(ink, 1))
        painter.setBrush(ink)
        painter.drawRects([way.mapRect(box) for box in self._boxes])
        painter.setPen(QPen(theme.color("positive"), 1.4))
        painter.setBrush(theme.color("positive", 0.12))
        painter.drawRect(way.mapRect(seen).intersected(QRectF(rect).adjusted(1, 1, -2, -2)))

    def _way(self, rect: QRect) -> QTransform:
        """From the scene to the map."""
        room = QRectF(rect).adjusted(6, 6, -6, -6)
        scale = min(room.width() / max(1.0, self._content.width()), room.height() / max(1.0, self._content.height()))
        middle, away = room.center(), self._content.center()
        return QTransform().translate(middle.x(), middle.y()).scale(scale, scale).translate(-away.x(), -away.y())
