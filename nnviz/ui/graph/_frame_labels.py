"""The titles of frames seen from afar: in letters of one size, each where its frame begins, as many as have room."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QTransform

from nnviz.ui.graph.graph_items import FrameItem
from nnviz.ui.theme.colors import SMALL, current_theme
from nnviz.ui.theme.fonts import sans

_GAP = 2.0


def paint_frame_labels(painter: QPainter, frames: Iterable[FrameItem], to_view: QTransform, seen: QRectF) -> None:
    """Write the title of every frame that is too small to write it itself, the outer ones first, none over another.

    `to_view`: from the scene to pixels of the view; `seen`: the pixels there are.
    """
    theme, font, zoom = current_theme(), sans(SMALL), to_view.m11()
    metrics = QFontMetricsF(font)
    taken: list[QRectF] = []
    painter.save()
    painter.resetTransform()
    painter.setFont(font)
    for frame in frames:
        box = to_view.mapRect(frame.sceneBoundingRect())
        if frame.shows_title(zoom) or not box.intersects(seen):
            continue
        width = metrics.horizontalAdvance(frame.title) + 2 * _GAP
        place = _free(QRectF(box.topLeft(), box.topLeft() + QPointF(width, metrics.height())), box.right(), taken)
        if place is not None:
            taken.append(place)
            painter.fillRect(place, theme.color("panel", 0.8))
            painter.setPen(theme.color("text"))
            painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), frame.title)
    painter.restore()


def _free(place: QRectF, right: float, taken: Iterable[QRectF]) -> QRectF | None:
    """The place, moved to the right of what is written there already; None where it does not fit its frame then."""
    for other in taken:
        if place.intersects(other):
            place = QRectF(QPointF(other.right() + _GAP, place.top()), place.size())
    return place if place.right() <= right and not any(place.intersects(other) for other in taken) else None
