"""The titles of frames seen from afar: in letters of one size, each where its frame begins, as many as have room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QTransform

from nnviz.ui.graph.graph_items import FrameItem
from nnviz.ui.theme.colors import SMALL, current_theme
from nnviz.ui.theme.fonts import sans

_GAP = 2.0


class FrameLabels:
    """Which titles are written where; found anew only when the frames, or the way the view looks at them, have changed."""

    def __init__(self) -> None:
        self._seen: tuple = ()
        self._labels: list[tuple[QRectF, str]] = []

    def forget(self) -> None:
        """Find them anew: frames have other titles."""
        self._seen = ()

    def paint(self, painter: QPainter, frames: Mapping[str, FrameItem], to_view: QTransform, room: QRectF) -> None:
        """Write the title of every frame that is too small to write it itself, the outer ones first, none over another.

        `to_view`: from the scene to pixels of the view; `room`: the pixels there are.
        """
        seen = frames, to_view, room
        if not (self._seen and self._seen[0] is frames and self._seen[1:] == seen[1:]):
            self._seen, self._labels = seen, list(_labels(frames.values(), to_view, room))
        theme = current_theme()
        painter.save()
        painter.resetTransform()
        painter.setFont(sans(SMALL))
        painter.setPen(theme.color("text"))
        for place, title in self._labels:
            painter.fillRect(place, theme.color("panel", 0.8))
            painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), title)
        painter.restore()


def _labels(frames: Iterable[FrameItem], to_view: QTransform, room: QRectF) -> Iterable[tuple[QRectF, str]]:
    metrics, zoom = QFontMetricsF(sans(SMALL)), to_view.m11()
    taken: list[QRectF] = []
    for frame in frames:
        width = metrics.horizontalAdvance(frame.title) + 2 * _GAP
        if frame.shows_title(zoom) or frame.boundingRect().width() * zoom < width:
            continue
        box = to_view.mapRect(frame.sceneBoundingRect())
        place = _free(QRectF(box.topLeft(), box.topLeft() + QPointF(width, metrics.height())), box.right(), taken)
        if place is not None and box.intersects(room):
            taken.append(place)
            yield place, frame.title


def _free(place: QRectF, right: float, taken: Iterable[QRectF]) -> QRectF | None:
    """The place, moved to the right of what is written there already; None where it does not fit its frame then."""
    for other in taken:
        if place.intersects(other):
            place = QRectF(QPointF(other.right() + _GAP, place.top()), place.size())
    return place if place.right() <= right and not any(place.intersects(other) for other in taken) else None
