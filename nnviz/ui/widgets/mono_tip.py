"""Tooltips whose columns stand below each other."""

from __future__ import annotations

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QToolTip, QWidget


def show_tip(place: QPoint, text: str, widget: QWidget) -> None:
    """Show a text as the tooltip of a widget; where rows of numbers stand in it, the stylesheet has it in the font of numbers."""
    widget.setProperty("hasColumns", "\n" in text and "[" in text)
    QToolTip.showText(place, text, widget)
