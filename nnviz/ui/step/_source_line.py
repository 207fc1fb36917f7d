"""The line of the person's code that made a node, as its file has it now, and the way into an editor. It reads files and runs none."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QWidget

from nnviz.ui.theme.colors import SMALL, current_theme
from nnviz.ui.theme.fonts import mono, sans
from nnviz.ui.theme.painting import painted

_LONGEST = 10_000
"""Characters of a line that are read."""


def line_of(where: str) -> str:
    """Return the line that "file:line" names, without its indentation; empty where there is no such file, or it is shorter."""
    path, _, number = where.rpartition(":")
    if not number.isdigit() or not Path(path).is_file():
        return ""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return next(islice(file, int(number) - 1, None), "")[:_LONGEST].strip()
    except (OSError, ValueError):
        return ""


class SourceLine(QWidget):
    """One line of code, cut where there is no room for it, and a button."""

    open_requested = Signal(str)
    """file:line"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._where = self._code = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Line of code")
        self.open = QPushButton("open", font=sans(SMALL))
        self.open.setProperty("role", "note")
        self.open.setToolTip("Open this line in your editor (Ctrl+Alt+Y)")
        self.open.clicked.connect(lambda: self.open_requested.emit(self._where))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addStretch(1)
        row.addWidget(self.open)
        self.open.hide()

    def set_where(self, where: str) -> None:
        """Show the line that "file:line" names."""
        if where != self._where:
            self._where, self._code = where, line_of(where)
            self.open.setVisible(bool(self._code))
            self.setAccessibleDescription(self._code)
            self.setToolTip(f"{self._code}\n{where}, as the file is now" if self._code else "")
            self.update()

    def text(self) -> str:
        """Return the line."""
        return self._code

    def set_height(self, height: int) -> None:
        """Let it be so many pixels high."""
        self.open.setMaximumHeight(height)
        self.setFixedHeight(height)

    # --- Qt ---

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter, font = QPainter(self), mono(SMALL)
        room = self.rect().adjusted(0, 0, -self.open.width() - 8 if self._code else 0, 0)
        text = QFontMetricsF(font).elidedText(self._code, Qt.TextElideMode.ElideRight, room.width())
        painter.setFont(font)
        painter.setPen(current_theme().color("muted"))
        painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter), text)
        painter.end()
