"""The sign of a breakpoint, in the graph and on the button that lists them."""

from __future__ import annotations

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter, QPen

from nnviz.ui.theme.colors import Theme


def paint_breakpoint(painter: QPainter, theme: Theme, centre: QPointF, enabled: bool, radius: float = 5.5) -> None:
    """Paint the mark of a breakpoint: filled while it is on, hollow while it is off."""
    corners = (QPointF(0, -radius), QPointF(radius, 0), QPointF(0, radius), QPointF(-radius, 0))
    painter.setPen(QPen(theme.color("loss"), 1.3))
    painter.setBrush(theme.color("loss" if enabled else "panel"))
    painter.drawPolygon([centre + corner for corner in corners])
