"""A sentence that appears over the window and goes by itself: for messages that need no answer."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from nnviz.ui.theme.colors import GUTTER, current_theme
from nnviz.ui.theme.painting import painted

_STAYS_MS = {"info": 4_000, "warning": 8_000, "error": 12_000}
_GAP = 3
"""Pixels between the bar and the message."""
_COLORS = {"info": "forward", "warning": "clip", "error": "loss"}


class Toast(QWidget):
    """One message below the bar of its parent, over the heads of panels and not over their pictures. A click takes it away; a new one
    replaces it.
    """

    def __init__(self, parent: QWidget, bar: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bar = bar
        self._level = "info"
        self._label = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)  # measured before the stylesheet says so
        layout = QHBoxLayout(self)
        layout.setContentsMargins(20, 8, 16, 8)
        layout.addWidget(self._label)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.hide)
        parent.installEventFilter(self)
        self.hide()

    def post(self, level: str, text: str) -> None:
        """Show a sentence; level is info, warning or error."""
        self._level = level
        self._label.setText(text)
        self.setAccessibleName(f"{level}: {text}")
        self._place()
        self.show()
        self.raise_()
        self._timer.start(_STAYS_MS[level])

    @property
    def text(self) -> str:
        """The sentence that is shown, or was shown last."""
        return self._label.text()

    def _place(self) -> None:
        room = self.parentWidget().size()
        width = min(720, room.width() - 4 * GUTTER, self._label.fontMetrics().horizontalAdvance(self._label.text()) + 44)
        height = self._label.heightForWidth(width - 36) + 16
        top = self._bar.mapTo(self.parentWidget(), self._bar.rect().bottomLeft()).y() + 1 if self._bar and self._bar.isVisible() else 0
        self.setGeometry((room.width() - width) // 2, top + _GAP, width, height)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False

    def mousePressEvent(self, event: QEvent) -> None:
        self.hide()

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self), current_theme()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme.color("line"))
        painter.setBrush(QColor(theme.panel))
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), 8, 8)
        painter.setPen(theme.color(_COLORS[self._level]))
        painter.setBrush(theme.color(_COLORS[self._level]))
        painter.drawRoundedRect(8, 10, 3, self.height() - 20, 1.5, 1.5)
