"""A graphics view that is zoomed and panned by the mouse, fits its content, and keeps things in sight."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QMargins, QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QPainter, QTransform, QWheelEvent
from PySide6.QtWidgets import QFrame, QGraphicsView, QWidget

READABLE = 0.72
"""Content too wide to be read as a whole opens at least at this zoom, at its left end."""
_OUTLINE = 24
"""What halos and folded edges take around the content."""
_NOTCH = 120
"""What Qt counts for one notch of the wheel."""


@dataclass(frozen=True)
class Zooms:
    """How far a view can be zoomed; 1 is natural size."""

    least: float
    most: float
    least_fit: float
    """A view does not fit its content smaller than this."""
    most_fit: float
    notch: float
    """By what one notch of the wheel magnifies."""


class ZoomView(QGraphicsView):
    """Fitted until somebody zooms or pans; a subclass says what its content is."""

    fitting = Signal()
    """All of the content is about to be shown; it may still become another size."""
    zoomed = Signal(QPointF)
    """Somebody has zoomed at this place of the viewport."""

    def __init__(self, zooms: Zooms, margins: QMargins, parent: QWidget | None = None) -> None:
        """`margins` of the viewport stay free when the content is fitted."""
        super().__init__(parent)
        self._zooms, self._margins = zooms, margins
        self._framing = "opening"
        """opening: not touched yet · fitted: all of the content, and stays so · own: as the person set it"""
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    # --- what is seen ---

    def content_rect(self) -> QRectF:
        """Return the room that the content takes in the scene."""
        raise NotImplementedError

    def room(self) -> QRectF:
        """Return the part of the viewport that fitted content may fill."""
        return QRectF(self.viewport().rect().marginsRemoved(self._margins))

    def readable_room(self) -> QSizeF:
        """Return how large content can be to be read while all of it is seen."""
        room = self.room().size() / READABLE
        return QSizeF(room.width() - _OUTLINE, room.height() - _OUTLINE)

    def seen(self) -> QRectF:
        """Return the part of the scene that is in sight."""
        return self.mapToScene(self.viewport().rect()).boundingRect()

    @property
    def zoom(self) -> float:
        """The present zoom; 1 is natural size."""
        return self.transform().m11()

    @property
    def is_fitted(self) -> bool:
        """Whether all of the content is shown, and stays so when the content or the view change."""
        return self._framing == "fitted"

    @property
    def is_opening(self) -> bool:
        """Whether nobody has chosen yet how to look at the content."""
        return self._framing == "opening"

    # --- looking elsewhere ---

    def fit(self) -> None:
        """Show all of the content, and keep it fitted until somebody zooms or pans."""
        self.keep_framing()  # what changes the content meanwhile finds it not yet fitted
        self.fitting.emit()
        self._framing = "fitted"
        self._show_all()

    def open_afresh(self) -> None:
        """Take a first look: all of the content where that can be read, else its left end."""
        self._framing = "opening"
        content, view = self.content_rect(), self.viewport().size()
        if content.isEmpty() or self._fitting_zoom() >= READABLE:
            self._show_all()
            return
        self._set_zoom(max(READABLE, min(1.0, self.room().height() / content.height())))
        left, top = (self._margins.left() - view.width() / 2) / self.zoom, (self._margins.top() - view.height() / 2) / self.zoom
        is_high = content.height() * self.zoom > self.room().height()
        self.centerOn(QPointF(content.left() - left, content.top() - top if is_high else content.center().y()))

    def show_natural_size(self, centre: QPointF) -> None:
        """Zoom to natural size, with a point of the scene in the middle."""
        self._set_zoom(1.0)
        self.go_to(centre)

    def keep_framing(self) -> None:
        """Stay with what is seen now, also when the content or the view change."""
        self._framing = "own"

    def go_to(self, centre: QPointF) -> None:
        """Bring a point of the scene into the middle."""
        self.keep_framing()
        self.centerOn(centre)

    def zoom_by(self, factor: float, at: QPointF) -> None:
        """Magnify by a factor; the point of the scene at this place of the viewport stays there."""
        self.keep_framing()
        anchor = self.mapToScene(at.toPoint())
        self._set_zoom(max(self._zooms.least, min(self._zooms.most, self.zoom * factor)))
        self._bring(anchor, at)
        self.zoomed.emit(at)

    def pan(self, by: QPointF) -> None:
        """Move the picture by so many pixels to the left and up."""
        self.keep_framing()
        self._scroll(by)

    def follow(self, box: QRectF) -> None:
        """Bring a rectangle of the scene into sight if it is not, with room around it for what comes next."""
        if not self.seen().contains(box):
            self.ensureVisible(box, self.viewport().width() // 4, 24)

    # --- inside ---

    def _show_all(self) -> None:
        if not self.room().isEmpty():
            self._set_zoom(min(self._zooms.most_fit, self._fitting_zoom()))
            self._centre_content()

    def _centre_content(self) -> None:
        """Bring the content into the middle of its room, by Qt's own rounding where that is the middle of the viewport."""
        centre, middle = self.content_rect().center(), self.room().center()
        if middle == QRectF(self.viewport().rect()).center():
            self.centerOn(centre)
        else:
            self._bring(centre, middle)

    def _fitting_zoom(self) -> float:
        content, room = self.content_rect(), self.room()
        if content.isEmpty():
            return 1.0
        return max(self._zooms.least_fit, min(room.width() / content.width(), room.height() / content.height()))

    def _set_zoom(self, zoom: float) -> None:
        self.setTransform(QTransform.fromScale(zoom, zoom))

    def _bring(self, point: QPointF, at: QPointF) -> None:
        """Bring a point of the scene to a place of the viewport."""
        self._scroll(self.viewportTransform().map(point) - at)

    def _scroll(self, by: QPointF) -> None:
        for bar, distance in ((self.horizontalScrollBar(), by.x()), (self.verticalScrollBar(), by.y())):
            bar.setValue(bar.value() + round(distance))

    # --- Qt ---

    def wheelEvent(self, event: QWheelEvent) -> None:
        if turned := event.angleDelta().y():  # a wheel may be turned sideways
            self.zoom_by(self._zooms.notch ** (turned / _NOTCH), event.position())
        event.accept()
