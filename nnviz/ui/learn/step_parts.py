"""What steps of a lesson and questions of an interview are both made of: how far one is, a coloured ground, the way to what shows it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from nnviz.ui.theme.colors import current_theme
from nnviz.ui.theme.painting import painted


class StepProgress(QWidget):
    """A thin bar in as many parts as the lesson has steps."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._place, self._count = 0, 1
        self.setFixedHeight(4)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def set_place(self, place: int, count: int) -> None:
        """Fill the parts up to this one, counted from 0."""
        self._place, self._count = place, count
        self.setAccessibleName(f"Step {place + 1} of {count}")
        self.update()

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self), current_theme()
        gap = 3 if self._count * 8 < self.width() else 0
        width = (self.width() - gap * (self._count - 1)) / self._count
        for place in range(self._count):
            left = round(place * (width + gap))
            painter.fillRect(left, 0, max(1, round(width)), self.height(), theme.color("forward" if place <= self._place else "line"))
        painter.end()


class ColoredGround(QWidget):
    """A quiet ground in a colour of the theme."""

    def __init__(self) -> None:
        super().__init__()
        self.color = "clip"

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(current_theme().tint(self.color, 0.12))
        painter.drawRoundedRect(self.rect(), 6, 6)
        painter.end()


class SourceButton(QPushButton):
    """Goes to the lesson or the experiment that shows an answer; hidden where there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.setToolTip("Open what shows it; the way back is kept (S)")
        self.hide()

    def set_source(self, name: str) -> None:
        """Name what it goes to; empty hides the button."""
        self.setText(f"See it  S: {name}")
        self.setAccessibleName(f"See it: {name}")
        self.setVisible(bool(name))
