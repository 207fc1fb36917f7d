"""A dot in the colour of a branch of the run, for menus and tables."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap

from nnviz.ui.theme.colors import current_theme


def branch_dot(color: int) -> QIcon:
    """Return a dot in this one of the colours of branches, the same where it is selected."""
    pixmap = QPixmap(QSize(24, 24))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(current_theme().branch(color))
    painter.drawEllipse(4, 4, 16, 16)
    painter.end()
    icon = QIcon(pixmap)
    icon.addPixmap(pixmap, QIcon.Mode.Selected)
    return icon
