"""The proof in sight: whether the present trace equals ordinary torch, and by how much it differs."""

from __future__ import annotations

from PySide6.QtGui import QFont
from PySide6.QtWidgets import QPushButton, QWidget

from nnviz.ui.theme.colors import SMALL
from nnviz.ui.theme.fonts import sans
from nnviz.ui.theme.style import set_role

_WIDEST = "worst error 0e-00"


class Badge(QPushButton):
    """The proof in sight: whether the present trace equals ordinary torch, and by how much it differs."""

    def __init__(self, parent: QWidget | None = None, lines: int = 2) -> None:
        super().__init__(parent)
        self.setFont(sans(SMALL, QFont.Weight.DemiBold))
        self._between = "\n" if lines == 2 else ", "
        self._text, self._is_worded = "", True
        self.set_error(None, "")

    def set_worded(self, worded: bool) -> None:
        """Show the whole text, or its sign alone where there is little room."""
        self._is_worded = worded
        self._show_text()

    def _show_text(self) -> None:
        self.setText(self._text if self._is_worded else self._text[0] if self._text.startswith("✓") else "–")
        widest = _WIDEST if self._is_worded else "✓"
        self.setMinimumWidth(self.fontMetrics().horizontalAdvance(widest) + 12)  # so that nothing jumps while it changes

    def set_error(self, worst_error: float | None, precision: str, is_past: bool = False) -> None:
        """Show the largest difference of any gradient from torch's own (relative); None: there is no trace.

        `is_past`: the network as it is now cannot be traced, and what is on the screen is the last one that could.
        """
        set_role(self, "proof" if worst_error is not None and not is_past else "no proof")
        distance = f"worst error {worst_error:.0e}" if worst_error else "to the last bit"
        proof = f"✓ equals torch{self._between}{distance}"
        self._text = "no trace yet" if worst_error is None else "last good trace" if is_past else proof
        self._show_text()
        said = (
            f"Every parameter gradient of this trace was compared with torch's own backward in {precision}.\n"
            f"Largest difference, relative to the largest gradient: {worst_error:.1e}. Click for every parameter."
            if worst_error is not None
            else "The badge appears when an iteration has been traced and compared with torch."
        )
        past = "The network as it is now cannot be traced: this is the last trace that could be made, of another one.\n"
        self.setToolTip(past + said if worst_error is not None and is_past else said)
        self.setAccessibleName(self._text.replace("\n", ", "))
