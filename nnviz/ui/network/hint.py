"""A short text beside the mouse while something is dragged over the network picture. It only shows what it is told."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QGraphicsView, QLabel

from nnviz.ui.theme.colors import BODY
from nnviz.ui.theme.fonts import sans

_AWAY = 16
_WIDEST = 320


class Hint(QLabel):
    """Stands at the lower right of a point of the scene, inside the viewport, and takes no events."""

    def __init__(self, view: QGraphicsView) -> None:
        super().__init__(view.viewport())
        self.setAccessibleName("Hint")
        self.setFont(sans(BODY))
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setMargin(6)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def say(self, text: str, point: QPointF) -> None:
        """Say this beside a point of the scene; an empty text hides the hint."""
        self.setVisible(bool(text))
        if text:
            self.setText(text)
            self.setFixedWidth(min(_WIDEST, self.fontMetrics().horizontalAdvance(text) + 20))
            self.setFixedHeight(self.heightForWidth(self.width()))
            viewport = self.parentWidget()
            at = viewport.parentWidget().mapFromScene(point) + QPoint(_AWAY, _AWAY)
            self.move(min(at.x(), viewport.width() - self.width()), min(at.y(), viewport.height() - self.height()))
