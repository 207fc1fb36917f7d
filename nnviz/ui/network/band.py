"""The box that is drawn around layers to select them. It only shows where it is told to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from nnviz.ui.theme.colors import current_theme

if TYPE_CHECKING:
    from nnviz.ui.network.network_view import NetworkView


class Band(QWidget):
    """A tint with a thin frame: what lies in it can still be seen. (The style's own rubber band is a sheet that hides it.)"""

    def __init__(self, view: NetworkView) -> None:
        super().__init__(view.viewport())
        self.setAccessibleName("Selection")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    # --- Qt ---

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.setPen(QPen(theme.color("forward", 0.7), 1))
        painter.setBrush(theme.color("forward", 0.12))
        painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        painter.end()
