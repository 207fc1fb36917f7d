"""The palette of layers: one entry per kind of the catalog, to click or to drag onto the network. It adds nothing itself."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QDrag, QEnterEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QApplication, QVBoxLayout, QWidget

from nnviz.document.catalog import LAYERS, Kind
from nnviz.ui.canvas.drops import mime
from nnviz.ui.fonts import sans
from nnviz.ui.theme import BODY, GRID, LIGHT, Theme

_HEIGHT = 28
_SQUARE = 14
_COLORS = {"input": "batch", "dense": "positive", "activation": "forward", "flatten": "clip"}
_GROUP_COLORS = {"Regularisation": "backward", "Normalisation": "update", "Joining": "batch"}


def color_of(kind: Kind) -> str:
    """Return the name of the theme colour that stands for a kind of layer."""
    return _COLORS.get(kind.name) or _GROUP_COLORS.get(kind.group, "positive")


class Palette(QWidget):
    """All kinds of layers that exist, group by group. Arrow keys walk, Enter adds."""

    add_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Layers")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        self.entries = [Entry(kind) for kind in _grouped()]
        for entry in self.entries:
            column.addWidget(entry)
            entry.clicked.connect(lambda _=False, name=entry.kind.name: self.add_requested.emit(name))

    def set_theme(self, theme: Theme) -> None:
        """Paint in this theme."""
        for entry in self.entries:
            entry.theme = theme
            entry.update()

    # --- Qt ---

    def keyPressEvent(self, event: QKeyEvent) -> None:
        way = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(event.key(), 0)
        focused = [place for place, entry in enumerate(self.entries) if entry.hasFocus()]
        if not way or not focused:
            event.ignore()
            return
        self.entries[max(0, min(len(self.entries) - 1, focused[0] + way))].setFocus(Qt.FocusReason.TabFocusReason)


def _grouped() -> list[Kind]:
    groups = list(dict.fromkeys(kind.group for kind in LAYERS.values()))
    return sorted(LAYERS.values(), key=lambda kind: groups.index(kind.group))


class Entry(QAbstractButton):
    """One kind: a coloured square and its name."""

    def __init__(self, kind: Kind, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind = kind
        self.theme = LIGHT
        self._start = QPoint()
        self.setText(kind.label)
        self.setAccessibleName(f"Add {kind.label}")
        self.setToolTip("<br>".join(escape(text) for text in (kind.explanation, kind.source) if text))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.OpenHandCursor)

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(150, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, _HEIGHT)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        elif event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            event.ignore()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._start = event.position().toPoint()
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        away = (event.position().toPoint() - self._start).manhattanLength()
        if event.buttons() & Qt.MouseButton.LeftButton and away >= QApplication.startDragDistance():
            self.setDown(False)
            drag = QDrag(self)
            drag.setMimeData(mime(self.kind.name))
            drag.setPixmap(self.grab())
            drag.setHotSpot(self._start)
            drag.exec(Qt.DropAction.CopyAction)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self), self.theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = "line" if self.isDown() or self.underMouse() else "field"
        painter.setPen(QPen(theme.color("forward"), 1.2) if self.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(ground))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.6, 0.6, -0.6, -0.6), 6, 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(color_of(self.kind), 0.85))
        painter.drawRoundedRect(QRectF(7, (self.height() - _SQUARE) / 2, _SQUARE, _SQUARE), 4, 4)
        painter.setPen(theme.color("text" if self.isEnabled() else "faint"))
        painter.setFont(sans(BODY))
        room = self.rect().adjusted(7 + _SQUARE + 8, 0, -4, 0)
        painter.drawText(
            room, Qt.AlignmentFlag.AlignVCenter, painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        )
        painter.end()
