"""Which part of the scene a view shows: fit, zoom, look at a point. It changes a view's transform and nothing else."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QGraphicsView

_LARGEST_FIT = 1.3
_SMALLEST, _LARGEST = 0.05, 8.0


def fit(view: QGraphicsView, content: QRectF, room: QRectF) -> None:
    """Show the content as large as it fits in a part of the viewport, in its middle; nothing at 100 %."""
    if room.isEmpty():
        return
    scale = 1.0 if content.isEmpty() else min(room.width() / content.width(), room.height() / content.height(), _LARGEST_FIT)
    view.resetTransform()
    view.scale(scale, scale)
    look_at(view, content.center(), room.center())


def zoom(view: QGraphicsView, factor: float, at: QPointF) -> None:
    """Magnify by a factor; the point of the scene at this place of the viewport stays there."""
    present = view.transform().m11()
    factor = min(_LARGEST, max(_SMALLEST, present * factor)) / present
    anchor = view.mapToScene(at.toPoint())
    view.scale(factor, factor)
    look_at(view, anchor, at)


def look_at(view: QGraphicsView, point: QPointF, at: QPointF) -> None:
    """Bring a point of the scene to a place of the viewport."""
    move(view, view.viewportTransform().map(point) - at)


def move(view: QGraphicsView, by: QPointF) -> None:
    """Move the picture by so many pixels to the left and up."""
    for bar, distance in ((view.horizontalScrollBar(), by.x()), (view.verticalScrollBar(), by.y())):
        bar.setValue(bar.value() + round(distance))
