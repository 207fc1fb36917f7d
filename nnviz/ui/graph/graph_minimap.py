"""The whole graph in a corner of its view: where one is, where the cursor is; a click or drag goes there. It knows only rectangles."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QWidget

from nnviz.ui.theme.colors import current_theme

_INSET = 2
_WIDEST, _NARROWEST = 420, 24
_STRETCHED = 200
"""A map that would be narrower is drawn wider than the graph is, as far as there is room: its cards would be specks."""


class GraphMinimap(QWidget):
    """As high as the room it is given; hidden while the view shows everything."""

    centre_requested = Signal(QPointF)
    """The place of the scene that is to be in the middle."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._content = QRectF()
        self._cards: list[QRectF] = []
        self._ground: QPixmap | None = None
        """All cards, painted once: they are the same at every step."""
        self._seen = QRectF()
        self._room = QRect()
        self._cursor, self._phase = QRectF(), ""
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Minimap of the graph")
        self.setToolTip("The whole graph, and the part of it that is seen. Click or drag to go there.")
        self.hide()

    # --- setters ---

    def set_layout(self, content: QRectF, cards: Iterable[QRectF]) -> None:
        """Show these cards."""
        self._content, self._cards = content, list(cards)
        self._cursor, self._ground = QRectF(), None
        self.settle()

    def set_seen(self, seen: QRectF) -> None:
        """Show which part is seen; where that is all of it, the map hides."""
        inside = seen.adjusted(-1, -1, 1, 1).contains(self._content)
        self.setVisible(not inside and not self._content.isEmpty())
        if seen != self._seen:
            self._seen = seen
            self.update()

    def set_cursor(self, card: QRectF, phase: str) -> None:
        """Show the card the cursor is at in the colour of its phase; an empty one: none."""
        if (card, phase) != (self._cursor, self._phase):
            self._cursor, self._phase = card, phase
            self.update()

    def settle(self, room: QRect | None = None) -> None:
        """Stand at the left end of this room, else of the one before, as wide as the graph's shape asks for."""
        self._room = room or self._room
        if not self._content.isEmpty():
            wanted = self._content.width() * (self._room.height() - 2 * _INSET) / self._content.height() + 2 * _INSET
            width = round(max(_NARROWEST, min(max(wanted, _STRETCHED), _WIDEST, self._room.width())))
            self.setGeometry(self._room.x(), self._room.y(), width, self._room.height())

    # --- inside ---

    def _scales(self) -> tuple[float, float]:
        """Pixels of the map for one of the scene, across and down."""
        return (self.width() - 2 * _INSET) / self._content.width(), (self.height() - 2 * _INSET) / self._content.height()

    def _shown(self, box: QRectF) -> QRectF:
        """Where a rectangle of the scene is on the map."""
        across, down = self._scales()
        left, top = _INSET + (box.x() - self._content.x()) * across, _INSET + (box.y() - self._content.y()) * down
        return QRectF(left, top, max(1.0, box.width() * across), max(1.0, box.height() * down))

    def _painted_cards(self) -> QPixmap:
        theme = current_theme()
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(self.size() * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("line"), 1))
        painter.setBrush(theme.color("panel"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("faint"))
        painter.drawRects([self._shown(card) for card in self._cards])
        painter.end()
        return pixmap

    def _go(self, place: QPointF) -> None:
        across, down = self._scales()
        away = QPointF((place.x() - _INSET) / across, (place.y() - _INSET) / down)
        self.centre_requested.emit(self._content.topLeft() + away)

    # --- Qt ---

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._ground = None
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._ground = None

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter = current_theme(), QPainter(self)
        self._ground = self._ground or self._painted_cards()
        painter.drawPixmap(0, 0, self._ground)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(self.rect().adjusted(2, 2, -2, -2))
        painter.setBrush(theme.color("text", 0.08))
        painter.setPen(QPen(theme.color("muted"), 1.2))
        painter.drawRoundedRect(self._shown(self._seen), 3, 3)
        if not self._cursor.isEmpty():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.phase(self._phase))
            painter.drawRoundedRect(self._shown(self._cursor).adjusted(-2, -2, 2, 2), 2, 2)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._go(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._go(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()
