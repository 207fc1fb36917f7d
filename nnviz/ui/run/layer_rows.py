"""Rows of equal height in a plot, one below the other, scrolled where there are more than fit."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QWheelEvent
from PySide6.QtWidgets import QScrollBar, QWidget

from nnviz.ui.theme.colors import BODY, current_theme
from nnviz.ui.theme.fonts import sans, scaled
from nnviz.ui.widgets.readout import line_height, text_width, write

_LOWEST, _HIGHEST = 15.0, 160.0
"""Height of a row in pixels."""
_BAR = 8
"""Width of the scroll bar in pixels."""
_GAP = 12


class LayerRows:
    """Where the rows of a plot are, above an axis with one line of text; its scroll bar."""

    def __init__(self, plot: QWidget) -> None:
        self._plot, self._names = plot, ()
        self.bar = QScrollBar(Qt.Orientation.Vertical, plot, accessibleName="Layers", visible=False)
        self.bar.valueChanged.connect(plot.update)

    def set_names(self, names: tuple[str, ...]) -> None:
        """Have a row for each of these names."""
        self._names = names
        self.fit()

    @property
    def least_height(self) -> int:
        """How high the plot must be for all rows to be seen."""
        return round(len(self._names) * scaled(_LOWEST)) + round(line_height()) + 4

    @property
    def pitch(self) -> float:
        """Height of a row in pixels."""
        return min(scaled(_HIGHEST), max(scaled(_LOWEST), (self._plot.height() - line_height() - 3) / max(1, len(self._names))))

    @property
    def count(self) -> int:
        """How many rows can be seen at once."""
        return min(len(self._names), max(1, int((self._plot.height() - line_height() - 3) / self.pitch + 1e-6)))

    @property
    def shown(self) -> range:
        """The numbers of the rows that are seen."""
        count = self.count
        first = min(self.bar.value(), len(self._names) - count)
        return range(first, first + count)

    def placed(self, area: QRectF) -> list[tuple[int, QRectF]]:
        """Return the numbers of the rows that are seen, each with the whole row."""
        width, pitch = self.width(area), self.pitch
        return [(number, QRectF(0, place * pitch, width, pitch)) for place, number in enumerate(self.shown)]

    def at(self, place: QPointF | None) -> int | None:
        """Return the number of the row at a place; None where there is none."""
        row = -1 if place is None else int(place.y() // self.pitch)
        return self.shown[row] if 0 <= row < self.count else None

    def width(self, area: QRectF) -> float:
        """Return the pixels that the scroll bar leaves."""
        return area.width() - (_BAR + 2 if self.count < len(self._names) else 0)

    def frame(self, area: QRectF, numbers: float) -> QRectF:
        """Return where marks stand: between the names and numbers of such a width, above the axis."""
        names = max((QFontMetricsF(sans(BODY)).horizontalAdvance(name) for name in self._names), default=0.0)
        width = self.width(area)
        left = round(min(names, 0.36 * width)) + _GAP
        return QRectF(left, 0, max(1, round(width - left - numbers) - _GAP), self.count * self.pitch)

    def row(self, number: int, area: QRectF) -> QRectF:
        """Return the whole row of this number."""
        return QRectF(0, (number - self.shown[0]) * self.pitch, self.width(area), self.pitch)

    def write_name(self, painter: QPainter, number: int, row: QRectF, frame: QRectF) -> None:
        """Write the name of a row, cut before the frame."""
        name = QFontMetricsF(sans(BODY)).elidedText(self._names[number], Qt.TextElideMode.ElideRight, frame.left() - 10)
        write(painter, row, name, current_theme().color("muted"), sans(BODY))

    def fit(self) -> None:
        """Let the scroll bar reach all rows, or go where all are seen."""
        rows = self.count
        self.bar.setPageStep(rows)
        self.bar.setRange(0, len(self._names) - rows)
        self.bar.setVisible(rows < len(self._names))
        self.bar.setGeometry(self._plot.width() - _BAR, 0, _BAR, round(rows * self.pitch))

    def turn(self, event: QWheelEvent) -> None:
        """Scroll by the wheel, where there is something to scroll."""
        if self.bar.maximum():
            self.bar.event(event)
            event.accept()
        else:
            event.ignore()


def number_width(*texts: str) -> float:
    """Return the width of the widest of these numbers."""
    return max(text_width(text, number=True) for text in texts)
