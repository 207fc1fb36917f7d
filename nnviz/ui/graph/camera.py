"""Zoom and place of a graphics view: fit, natural size, a readable first look, follow. It knows rectangles, not what is in them."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtWidgets import QGraphicsView

LEAST_ZOOM, MOST_ZOOM = 0.1, 4.0
READABLE = 0.72
"""A picture too wide to be read as a whole opens at least at this zoom, at its left end."""
_MARGIN = 16
_OUTLINE = 24
"""What halos and folded edges take around the cards."""


def zoom(view: QGraphicsView) -> float:
    """Return the present zoom; 1 is natural size."""
    return view.transform().m11()


def zoom_to(view: QGraphicsView, wanted: float) -> None:
    """Set the zoom, within limits, around the view's anchor."""
    factor = max(LEAST_ZOOM, min(MOST_ZOOM, wanted)) / zoom(view)
    view.scale(factor, factor)


def fitting_zoom(view: QGraphicsView, content: QRectF) -> float:
    """Return the zoom at which all of the content is seen."""
    if content.isEmpty():
        return 1.0
    room = _room(view)
    return max(LEAST_ZOOM, min(room.width() / content.width(), room.height() / content.height()))


def readable_room(view: QGraphicsView) -> QSizeF:
    """Return how large what is in the scene can be to be read while all of it is seen."""
    room = _room(view).size() / READABLE
    return QSizeF(room.width() - _OUTLINE, room.height() - _OUTLINE)


def _room(view: QGraphicsView) -> QRectF:
    return QRectF(view.viewport().rect()).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)


def fit(view: QGraphicsView, content: QRectF) -> None:
    """Show all of the content, at most at its natural size."""
    zoom_to(view, min(1.0, fitting_zoom(view, content)))
    view.centerOn(content.center())


def open_up(view: QGraphicsView, content: QRectF) -> None:
    """Take a first look: all of it where that can be read, else its left end."""
    if content.isEmpty() or fitting_zoom(view, content) >= READABLE:
        fit(view, content)
        return
    height = (view.viewport().height() - 2 * _MARGIN) / content.height()
    zoom_to(view, max(READABLE, min(1.0, height)))
    left = content.left() + (view.viewport().width() / 2 - _MARGIN) / zoom(view)
    view.centerOn(QPointF(left, content.center().y()))


def follow(view: QGraphicsView, box: QRectF) -> None:
    """Bring a rectangle into sight if it is not, with room around it for what comes next."""
    if not seen(view).contains(box):
        view.ensureVisible(box, view.viewport().width() // 4, 24)


def seen(view: QGraphicsView) -> QRectF:
    """Return the part of the scene that is in sight."""
    return QRectF(view.mapToScene(view.viewport().rect()).boundingRect())
