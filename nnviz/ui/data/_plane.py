"""A plane to click points into, each of a class: put, drag, erase, by mouse or by keys. It asks for other points and keeps none."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from nnviz.ui.theme.colors import RADIUS, SMALL, current_theme
from nnviz.ui.theme.fonts import mono
from nnviz.ui.theme.painting import painted

REACH = 3.0
"""The plane goes from −REACH to REACH, further where points lie further out."""
_NEAR = 11.0
"""Pixels within which a point is meant."""
_APART = 16.0
"""Pixels between two points that are sprayed."""
_WAYS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1)}
_STEP = 0.1

Place = tuple[float, float]


class PointPlane(QWidget):
    """A click puts a point, a drag sprays points or moves one, a right click erases.

    By keys: arrows move the crosshair, Space puts, Delete erases.
    """

    put_requested = Signal(float, float, int)
    move_requested = Signal(int, float, float)
    """Which point, and where to; also while it is dragged."""
    finished = Signal()
    """A drag, or a single point, is over: what comes next is another change."""
    erase_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._places: list[Place] = []
        self._classes: list[int] = []
        self._dragged: int | None = None
        self._sprayed: QPointF | None = None
        """Where the last point of a spray was put; None while none is sprayed."""
        self.chosen = 0
        self.erases = False
        """Whether a click erases."""
        self.crosshair: Place = (0.0, 0.0)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Plane of points")
        self.setToolTip(
            "Click: put · drag: spray, or move a point · right click: erase · 0…8: class\nArrows: crosshair · Space: put · Delete: erase"
        )

    def set_points(self, places: Sequence[Place], classes: Sequence[int]) -> None:
        """Show these points."""
        self._places, self._classes = [tuple(place) for place in places], list(classes)
        self.setAccessibleDescription(f"{len(self._places)} points")
        self.update()

    def set_class(self, number: int) -> None:
        """Let the next points be of this class."""
        self.chosen = number
        self.update()

    def set_erasing(self, erases: bool) -> None:
        """Let a click erase, or put a point again."""
        self.erases = erases

    def position(self, place: Place) -> QPointF:
        """Return where a place of the plane is on the widget."""
        unit, middle = self._unit(), QRectF(self.rect()).center()
        return QPointF(middle.x() + place[0] * unit, middle.y() - place[1] * unit)

    def _unit(self) -> float:
        """Pixels per unit, alike in both directions."""
        reach = max([REACH, *(abs(number) * 1.05 for place in self._places for number in place)])
        return (min(self.width(), self.height()) / 2 - 8) / reach

    def _place(self, position: QPointF) -> Place:
        unit, middle = self._unit(), QRectF(self.rect()).center()
        return round((position.x() - middle.x()) / unit, 2), round((middle.y() - position.y()) / unit, 2)

    def _nearest(self, position: QPointF) -> int | None:
        """The point under a position."""
        distances = [math.dist(self.position(place).toTuple(), position.toTuple()) for place in self._places]
        best = min(range(len(distances)), key=distances.__getitem__, default=None)
        return best if best is not None and distances[best] <= _NEAR else None

    def _erase_at(self, position: QPointF) -> None:
        point = self._nearest(position)
        if point is not None:
            self.erase_requested.emit(point)

    def _spray(self, position: QPointF) -> None:
        self._sprayed = position
        self.put_requested.emit(*self._place(position), self.chosen)

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(420, 340)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        point = self._nearest(event.position())
        if event.button() == Qt.MouseButton.RightButton or self.erases:
            self._erase_at(event.position())
        elif event.button() == Qt.MouseButton.LeftButton and point is not None:
            self._dragged = point
        elif event.button() == Qt.MouseButton.LeftButton:
            self._spray(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged is not None:
            self.move_requested.emit(self._dragged, *self._place(event.position()))
        elif self._sprayed is not None and math.dist(self._sprayed.toTuple(), event.position().toTuple()) >= _APART:
            self._spray(event.position())
        elif self.erases and event.buttons() & Qt.MouseButton.LeftButton:
            self._erase_at(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._dragged is not None or self._sprayed is not None:
            self._dragged = self._sprayed = None
            self.finished.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in _WAYS:
            across, up = _WAYS[key]
            self.crosshair = (round(self.crosshair[0] + across * _STEP, 2), round(self.crosshair[1] + up * _STEP, 2))
            self.update()
        elif key == Qt.Key.Key_Space:
            self.put_requested.emit(*self.crosshair, self.chosen)
            self.finished.emit()
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self._erase_at(self.position(self.crosshair))
        else:
            super().keyPressEvent(event)

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self), current_theme()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("forward" if self.hasFocus() else "line"), 1))
        painter.setBrush(theme.color("field"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        self._paint_axes(painter)
        painter.setPen(QPen(theme.color("panel"), 1))
        for place, number in zip(self._places, self._classes, strict=True):
            painter.setBrush(QColor(theme.classes[number % len(theme.classes)]))
            painter.drawEllipse(self.position(place), 5, 5)
        if self.hasFocus():
            here = self.position(self.crosshair)
            painter.setPen(QPen(QColor(theme.classes[self.chosen % len(theme.classes)]), 1.5))
            for across, up in ((8, 0), (0, 8)):
                painter.drawLine(here - QPointF(across, up), here + QPointF(across, up))
        painter.end()

    def _paint_axes(self, painter: QPainter) -> None:
        theme, middle, unit = current_theme(), self.position((0, 0)), self._unit()
        painter.setPen(QPen(theme.color("line"), 1))
        painter.drawLine(QPointF(8, middle.y()), QPointF(self.width() - 8, middle.y()))
        painter.drawLine(QPointF(middle.x(), 8), QPointF(middle.x(), self.height() - 8))
        painter.setFont(mono(SMALL - 1))
        painter.setPen(theme.color("muted"))
        for tick in (-2, -1, 1, 2):
            text = str(tick).replace("-", "−")
            painter.drawText(QRectF(middle.x() + tick * unit - 12, middle.y() + 2, 24, 14), Qt.AlignmentFlag.AlignCenter, text)
            painter.drawText(QRectF(middle.x() - 22, middle.y() - tick * unit - 7, 18, 14), Qt.AlignmentFlag.AlignRight, text)
