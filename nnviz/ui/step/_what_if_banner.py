"""The note over the graph that says what is supposed, and lets it be taken back or kept. It shows given texts and asks."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from nnviz.ui.theme.colors import GRID, SMALL, current_theme
from nnviz.ui.theme.fonts import mono, sans
from nnviz.ui.theme.painting import painted

_HEIGHT = 32
_INSET = 10
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


class WhatIfBanner(QWidget):
    """ "what if dense 1.W[0,1] = 0.7 · loss 0.2134 → 0.1988", and buttons. Hidden while nothing is supposed."""

    take_back_requested = Signal()
    clear_requested = Signal()
    keep_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._texts = ("", "")
        self.setFixedHeight(_HEIGHT)
        self.take_back = _button("take back", "Suppose the last what-if no longer (Ctrl+Z)", self.take_back_requested)
        self.clear = _button("all", "Take all what-ifs back: the iteration as it will be made", self.clear_requested)
        self.keep = _button("keep", "Make the supposed weights the network's own; Ctrl+Z undoes it", self.keep_requested)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(_INSET, 0, GRID, 0)
        self._row.setSpacing(GRID)
        self._row.addStretch(1)
        for button in (self.take_back, self.clear, self.keep):
            self._row.addWidget(button)
        self.hide()

    def set_what_ifs(self, described: str, losses: str, count: int, can_keep: bool, owner: str = "run", can_take_back: bool = True) -> None:
        """Show what is supposed and what it does to the loss; a count of 0 hides the note. `owner` is what it does not change."""
        self._texts = (described, losses)
        self.take_back.setVisible(can_take_back)
        self.clear.setVisible(can_take_back and count > 1)
        self.keep.setVisible(can_keep)
        self.setToolTip(
            f"What if {described}? {losses}.\nThe same rows, dropout masks and random numbers; the {owner} itself is not changed."
        )
        self.setAccessibleName(f"What if {described}: {losses}")
        self.setVisible(count > 0)
        self.update()

    # --- Qt ---

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self), current_theme()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.tint("what_if", 0.35), 1))
        painter.setBrush(theme.tint("what_if", 0.1))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 7, 7)
        bold, figures = sans(SMALL, QFont.Weight.Bold), mono(SMALL)
        x = _write(painter, bold, theme.color("what_if"), "what if", _INSET, self)
        described, losses = self._texts
        metrics = QFontMetricsF(figures)
        room = self.take_back.x() - x - _INSET - metrics.horizontalAdvance(losses) - 2 * _INSET
        described = metrics.elidedText(described, Qt.TextElideMode.ElideRight, max(room, 0))
        x = _write(painter, figures, theme.color("text"), described, x + 8, self)
        _write(painter, figures, theme.color("muted"), losses, x + 2 * _INSET, self)
        painter.end()


def _write(painter: QPainter, font: QFont, color, text: str, left: float, banner: QWidget) -> float:
    """Write on the banner and return where the text ends."""
    width = QFontMetricsF(font).horizontalAdvance(text)
    painter.setFont(font)
    painter.setPen(color)
    painter.drawText(QRectF(left, 0, width + 1, banner.height()), _LEFT, text)
    return left + width


def _button(text: str, tip: str, signal: Signal) -> QPushButton:
    button = QPushButton(text, toolTip=tip, accessibleName=tip)
    button.setFont(sans(SMALL))
    button.setProperty("role", "banner")
    button.clicked.connect(signal)
    return button
