"""What is being done in the background: a thin moving line, a sentence, and after a second a button that cancels it.

While nothing is done the line has room for what is easily overlooked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from nnviz.ui.theme.colors import GRID, GUTTER, current_theme

_LINE = 2.0
_PER_SECOND = 0.45
"""How much of its way the line makes in a second."""
_LONG = 0.2
CANCEL_AFTER = 1.0
"""Seconds before cancelling is offered: what is done sooner needs no button."""


class BusyLine(QWidget):
    """Empty while nothing is done; it keeps its room, so that nothing below it jumps."""

    cancel_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text, self._seconds, self._notes = "", 0.0, ()
        self._label = QLabel(textFormat=Qt.TextFormat.PlainText)
        self._label.setProperty("role", "muted")
        self.button = QPushButton("Cancel", accessibleName="Cancel what is being done", toolTip="Everything stays as it was")
        self.button.setProperty("role", "note")
        self.button.clicked.connect(self.cancel_requested)
        row = QHBoxLayout(self)
        row.setContentsMargins(GUTTER, int(_LINE), GUTTER, 0)
        row.setSpacing(2 * GRID)
        row.addWidget(self._label)
        row.addWidget(self.button)
        row.addStretch(1)
        self._label.setMinimumWidth(1)
        self.setFixedHeight(28)
        self.show_progress("", 0.0)

    def show_progress(self, text: str, seconds: float, can_cancel: bool = True) -> None:
        """Say what has been done for so many seconds; an empty text: nothing is."""
        self._text, self._seconds = text, seconds
        self.button.setVisible(bool(text) and can_cancel and seconds >= CANCEL_AFTER)
        self.setAccessibleName(text or "Nothing is being done")
        self._write()

    def set_notes(self, notes: Sequence[str]) -> None:
        """Say these sentences while nothing is done; the folders of files only in the tooltip."""
        self._notes = tuple(notes)
        self._write()

    @property
    def text(self) -> str:
        """What is said now, however much of it there is room for."""
        if self._text:
            return f"{self._text} … {self._seconds:.0f} s" if self._seconds >= CANCEL_AFTER else f"{self._text} …"
        return " · ".join(re.sub(r"(?<!\S)\S*[/\\](?=[^/\\\s]+:\d+)", "", note) for note in self._notes)

    def _write(self) -> None:
        room = self.width() - 2 * GUTTER - (self.button.sizeHint().width() + 2 * GRID if self._text else 0)
        self._label.setText(self._label.fontMetrics().elidedText(self.text, Qt.TextElideMode.ElideRight, room))
        self._label.setToolTip("" if self._text else "<br>".join(map(escape, self._notes)))
        self._label.setAccessibleDescription(self.text)
        self.update()

    # --- Qt ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._write()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._text:
            return
        painter, theme = QPainter(self), current_theme()
        painter.fillRect(QRectF(0, 0, self.width(), _LINE), theme.color("line"))
        left = (self._seconds * _PER_SECOND % 1.0) * (1 + _LONG) - _LONG
        painter.fillRect(QRectF(left * self.width(), 0, _LONG * self.width(), _LINE), theme.color("forward"))
        painter.end()
