"""Widgets above each other, beside each other, or scrolled, without margins of their own."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from nnviz.ui.theme.colors import GRID


def stacked(*widgets: QWidget, stretch: int | None = None, spacing: int = 2 * GRID) -> QWidget:
    """Return the widgets above each other; the one at `stretch` takes the room, else what is below them."""
    holder = QWidget()
    layout = QVBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    for index, widget in enumerate(widgets):
        layout.addWidget(widget, 1 if index == stretch else 0)
    if stretch is None:
        layout.addStretch()
    return holder


def beside(first: QWidget, second: QWidget) -> QWidget:
    """Return both in a row; the first takes the room."""
    holder = QWidget()
    layout = QHBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(GRID)
    layout.addWidget(first, 1)
    layout.addWidget(second)
    return holder


def scrolling(widget: QWidget) -> QScrollArea:
    """Return the widget in an area that scrolls up and down."""
    area = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
    area.setAccessibleName(widget.accessibleName() or "Settings")
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(widget)
    return area
