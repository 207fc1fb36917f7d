"""What every thing in both scenes is: it paints one frozen state in a theme and takes no mouse button. It knows nothing else."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGraphicsItem


class Painted(QGraphicsItem):
    """Something that is painted anew when its state or the theme changes, and only then."""

    def __init__(self, rank: float) -> None:
        """`rank`: what has a higher one stands before the others."""
        super().__init__()
        self.state: Any = None
        self.setZValue(rank)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def set_state(self, state: Any) -> bool:
        """Show this state; returns whether that changed anything."""
        if state == self.state:
            return False
        self.state = state
        self.update()
        return True
