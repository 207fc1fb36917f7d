"""The line over a picture that is computed on request: of when it is, how far the work is, what is in the way; and its button."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QWidget

from nnviz.ui.theme.colors import GRID, SMALL, current_theme
from nnviz.ui.theme.fonts import sans, scaled
from nnviz.ui.theme.painting import painted

_HEIGHT = 24
_FULL = {"again": "compute again"}
"""What a button that has no room for it means."""


class TaskStrip(QWidget):
    """A sentence, a thin line that says how far the work is, and a button that computes or cancels."""

    compute_requested = Signal()
    cancel_requested = Signal()

    def __init__(self, what: str, parent: QWidget | None = None) -> None:
        """`what` is computed, in words."""
        super().__init__(parent)
        self._what = what
        self.text, self._tone, self._share = "", "muted", None
        self.button = QPushButton("compute")
        self.button.setProperty("role", "note")
        self.button.clicked.connect(lambda: (self.compute_requested if self._share is None else self.cancel_requested).emit())
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 2)
        row.setSpacing(GRID)
        row.addStretch(1)
        row.addWidget(self.button)

    def show_state(self, text: str, tone: str = "muted", share: float | None = None, word: str = "compute", obstacle: str = "") -> None:
        """Show a sentence in a colour of the theme; `share`: how far the work under way is, None while none is.

        `word` stands on the button, which cannot be pressed while there is an obstacle, a sentence that is its tooltip then.
        """
        shown = "cancel" if share is not None else word
        self.button.setText(shown)
        self.button.setAccessibleName(f"{_FULL.get(shown, shown)}: {self._what}")
        self.button.setEnabled(share is not None or not obstacle)
        self.button.setToolTip(obstacle or f"{_FULL.get(shown, shown).capitalize()}: {self._what}")
        if (text, tone, share) != (self.text, self._tone, self._share):
            self.text, self._tone, self._share = text, tone, share
            self.setAccessibleName(text)
            self.setToolTip(text)
            self.update()

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(160, round(scaled(_HEIGHT)) + 2)

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self), current_theme()
        room = QRectF(0, 0, self.button.x() - 2 * GRID, self.height() - 2)
        painter.setFont(sans(SMALL))
        painter.setPen(theme.color(self._tone))
        shown = QFontMetrics(painter.font()).elidedText(self.text, Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
        if self._share is not None:
            line = QRectF(0, self.height() - 2, self.width(), 2)
            painter.fillRect(line, theme.color("line"))
            painter.fillRect(QRectF(0, line.top(), line.width() * min(1.0, self._share), 2), theme.color("forward"))
        painter.end()
