"""A small picture of everything in a scene, with a frame around what is seen of it; a place on it leads there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QTransform
from PySide6.QtWidgets import QWidget

from nnviz.ui.theme.colors import Theme, current_theme
from nnviz.ui.theme.painting import painted

_WIDEST, _NARROWEST = 420, 24
_STRETCHED = 200
"""A map that would be narrower is drawn wider than the content is, as far as there is room: its boxes would be specks."""


_NONE = QRectF()


@dataclass(frozen=True)
class MinimapStyle:
    """How a minimap is painted, colours by their names in the theme."""

    inset: int
    keeps_shape: bool
    """Whether the content is as wide and high as it is; else it fills the map."""
    ground: str
    boxes: tuple[str, float]
    """Colour, and how much of it is mixed into that of the panel."""
    frame: str
    glass: tuple[str, float]
    """Colour and opacity of what is seen."""


BESIDE_STYLE = MinimapStyle(2, False, "panel", ("faint", 1.0), "muted", ("text", 0.08))
"""Of a map beside its view."""
ABOVE_STYLE = MinimapStyle(6, True, "background", ("muted", 0.7), "positive", ("positive", 0.12))
"""Of a map that lies on the picture it is of."""


class Minimap:
    """The boxes of a scene, painted small wherever there is room for them."""

    def __init__(self, style: MinimapStyle) -> None:
        self.content = QRectF()
        self._boxes: list[QRectF] = []
        self._style = style
        self._ground: tuple[tuple, QPixmap] | None = None
        """The boxes as they were painted last, and for what size, theme and screen: of a large scene they take as long as all the rest."""

    def set_boxes(self, content: QRectF, boxes: Iterable[QRectF]) -> None:
        """Show these boxes of the scene, which together take the room `content`."""
        self.content, self._boxes, self._ground = content, list(boxes), None

    def __len__(self) -> int:
        return len(self._boxes)

    def place(self, position: QPointF, rect: QRect) -> QPointF:
        """Return the point of the scene that a position on the map means, which is painted in this rectangle."""
        return self._way(rect).inverted()[0].map(position)

    def paint(self, painter: QPainter, theme: Theme, rect: QRect, seen: QRectF, mark: QRectF = _NONE, mark_color: str = "") -> None:
        """Paint the map with a frame around the part of the scene that is seen, and one box marked unless it is empty."""
        way, style = self._way(rect), self._style
        painter.save()
        painter.drawPixmap(rect.topLeft(), self._painted(theme, rect.size(), painter.device().devicePixelRatioF()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(rect.adjusted(2, 2, -2, -2))
        painter.setBrush(theme.color(*style.glass))
        painter.setPen(QPen(theme.color(style.frame), 1.2))
        painter.drawRoundedRect(_shown(way, seen), 3, 3)
        if not mark.isEmpty():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.phase(mark_color))
            painter.drawRoundedRect(_shown(way, mark).adjusted(-2, -2, 2, 2), 2, 2)
        painter.restore()

    def _painted(self, theme: Theme, size: QSize, ratio: float) -> QPixmap:
        """The map without what changes from one painting to the next."""
        wanted = (theme.name, size, ratio)
        if self._ground and self._ground[0] == wanted:
            return self._ground[1]
        pixmap = QPixmap(size * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter, rect = QPainter(pixmap), QRect(QPoint(), size)
        way = self._way(rect)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("line"), 1))
        painter.setBrush(theme.color(self._style.ground))
        painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.tint(*self._style.boxes))
        painter.drawRects([_shown(way, box) for box in self._boxes])
        painter.end()
        self._ground = (wanted, pixmap)
        return pixmap

    def _way(self, rect: QRect) -> QTransform:
        """From the scene to the map."""
        content, inset = self.content, self._style.inset
        room = QRectF(rect).adjusted(inset, inset, -inset, -inset)
        across, down = room.width() / max(1.0, content.width()), room.height() / max(1.0, content.height())
        if self._style.keeps_shape:
            across = down = min(across, down)
        middle, away = room.center(), content.center()
        return QTransform.fromTranslate(middle.x(), middle.y()).scale(across, down).translate(-away.x(), -away.y())


def _shown(way: QTransform, box: QRectF) -> QRectF:
    """A rectangle of the scene on the map, large enough to be seen."""
    rect = way.mapRect(box)
    return QRectF(rect.x(), rect.y(), max(1.0, rect.width()), max(1.0, rect.height()))


class MinimapBar(QWidget):
    """A minimap beside a view, as high as the room it is given; a click or drag goes there. Hidden while the view shows everything."""

    centre_requested = Signal(QPointF)
    """The place of the scene that is to be in the middle."""

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._map = Minimap(BESIDE_STYLE)
        self._seen, self._room = QRectF(), QRect()
        self._cursor, self._phase = QRectF(), ""
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(f"Minimap of the {name}")
        self.setToolTip(f"The whole {name}, and the part of it that is seen. Click or drag to go there.")
        self.hide()

    # --- setters ---

    def set_boxes(self, content: QRectF, boxes: Iterable[QRectF]) -> None:
        """Show these boxes of the scene, and no cursor."""
        self._map.set_boxes(content, boxes)
        self._cursor = QRectF()
        self.set_room(self._room)
        self.update()

    def set_seen(self, seen: QRectF) -> None:
        """Show which part is seen; where that is all of it, the map hides."""
        inside = seen.adjusted(-1, -1, 1, 1).contains(self._map.content)
        self.setVisible(not inside and not self._map.content.isEmpty())
        if seen != self._seen:
            self._seen = seen
            self.update()

    def set_cursor(self, box: QRectF, phase: str) -> None:
        """Show the box the cursor is at in the colour of its phase; an empty one: none."""
        if (box, phase) != (self._cursor, self._phase):
            self._cursor, self._phase = box, phase
            self.update()

    def set_room(self, room: QRect) -> None:
        """Stand at the left end of this room, as wide as the shape of the content asks for."""
        self._room, content = room, self._map.content
        if not content.isEmpty():
            edges = 2 * BESIDE_STYLE.inset
            wanted = content.width() * (room.height() - edges) / content.height() + edges
            width = round(max(_NARROWEST, min(max(wanted, _STRETCHED), _WIDEST, room.width())))
            self.setGeometry(room.x(), room.y(), width, room.height())

    # --- Qt ---

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._map.paint(painter, current_theme(), self.rect(), self._seen, self._cursor, self._phase)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.centre_requested.emit(self._map.place(event.position(), self.rect()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()
