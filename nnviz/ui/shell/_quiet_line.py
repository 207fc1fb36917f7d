"""Sentences that should not be overlooked, in one muted line: as much of them as there is room for, all in the tooltip."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from nnviz.ui.theme.colors import GUTTER, SMALL, current_theme
from nnviz.ui.theme.fonts import sans, tip_of
from nnviz.ui.theme.painting import painted

_FOLDERS = re.compile(r"(?<!\S)\S*[/\\](?=[^/\\\s]+:\d+)")
"""What stands before the name of a file and its line."""
_HIGH = 28


class QuietLine(QWidget):
    """A narrow margin while there is nothing to say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = ""
        self.setFont(sans(SMALL))
        self.set_sentences(())

    def set_sentences(self, sentences: Sequence[str]) -> None:
        """Say these; the folders of files only in the tooltip."""
        self.text = " · ".join(_FOLDERS.sub("", sentence) for sentence in sentences)
        self.setToolTip(tip_of(*sentences))
        self.setAccessibleName(self.text)
        self.setFixedHeight(_HIGH if sentences else GUTTER)
        self.update()

    # --- Qt ---

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter, room = QPainter(self), self.rect().adjusted(2 * GUTTER, 2, -2 * GUTTER, 0)
        painter.setPen(current_theme().color("muted"))
        said = self.fontMetrics().elidedText(self.text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), said)
