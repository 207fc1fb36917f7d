"""Every column of the input before and after the scaling: its histogram on an axis that all share, and its numbers."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from nnviz.records.data_record import ColumnRecord, Spread
from nnviz.text.numbers import number
from nnviz.ui.theme.colors import SMALL, current_theme
from nnviz.ui.theme.fonts import mono, sans
from nnviz.ui.theme.painting import painted
from nnviz.ui.widgets.scales import share_of

_ROW, _HEAD = 46, 24
_NAME = 104
_GAP = 14


class Spreads(QWidget):
    """One line per column: its name, before, after. Both pictures have one axis for all columns, so that their scales can be compared."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._columns: tuple[ColumnRecord, ...] = ()
        self._scaling = ""
        self.setAccessibleName("Columns before and after scaling")

    def set_columns(self, columns: Sequence[ColumnRecord], scaling: str) -> None:
        """Show these columns; `scaling` is what lies between before and after."""
        self._columns, self._scaling = tuple(columns), scaling
        self.setAccessibleDescription("; ".join(_spoken(column) for column in self._columns))
        self.setToolTip("Fitted on the training rows only, and made on all rows")
        self.setFixedHeight(self.height_of(len(self._columns)))
        self.update()

    def height_of(self, columns: int) -> int:
        """Return how high so many lines are, in pixels."""
        return _HEAD + _ROW * max(1, columns)

    def _paint_head(self, painter: QPainter, width: float) -> None:
        painter.setFont(sans(SMALL, QFont.Weight.Bold))
        painter.setPen(current_theme().color("muted"))
        after = {"none": "NOT SCALED", "": "AFTER"}.get(self._scaling, f"AFTER {self._scaling.upper()}")
        for place, text in enumerate(("BEFORE", after)):
            painter.drawText(QRectF(_NAME + place * (width + _GAP), 0, width, _HEAD), Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_spread(self, painter: QPainter, area: QRectF, spread: Spread, axis: tuple[float, float], color: str) -> None:
        left, right = (area.left() + float(share_of(end, *axis)) * area.width() for end in (spread.min, spread.max))
        painter.setPen(QPen(current_theme().color("line"), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(current_theme().color(color))
        width, most = max(1.0, (right - left) / len(spread.counts)), max(spread.counts) or 1
        for place, count in enumerate(spread.counts):
            height = area.height() * count / most
            if count:
                painter.drawRect(QRectF(min(left + place * width, area.right() - 1), area.bottom() - height, max(1.0, width - 0.5), height))

    def _paint_numbers(self, painter: QPainter, area: QRectF, spread: Spread) -> None:
        painter.setFont(mono(SMALL - 1))
        painter.setPen(current_theme().color("muted"))
        text = f"{_short(spread.min)} … {_short(spread.max)}  mean {_short(spread.mean, spread.std)}  std {_short(spread.std)}"
        shown = QFontMetrics(painter.font()).elidedText(text, Qt.TextElideMode.ElideRight, int(area.width()))
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, shown)

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(560, self.height())

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if not self._columns:
            painter.end()
            return
        width = (self.width() - _NAME - _GAP) / 2
        self._paint_head(painter, width)
        axes = [_axis([getattr(column, name) for column in self._columns]) for name in ("before", "after")]
        for row, column in enumerate(self._columns):
            top = _HEAD + row * _ROW
            painter.setFont(sans(SMALL))
            painter.setPen(current_theme().color("text"))
            name = QFontMetrics(painter.font()).elidedText(column.name, Qt.TextElideMode.ElideRight, _NAME - 10)
            painter.drawText(QRectF(0, top, _NAME, _ROW - 16), Qt.AlignmentFlag.AlignVCenter, name)
            for place, (spread, color) in enumerate(((column.before, "faint"), (column.after, "positive"))):
                area = QRectF(_NAME + place * (width + _GAP), top, width, _ROW)
                self._paint_spread(painter, area.adjusted(0, 4, 0, -18), spread, axes[place], color)
                self._paint_numbers(painter, area.adjusted(0, _ROW - 17, 0, 0), spread)
        painter.end()


def _short(value: float, size: float = 0.0) -> str:
    """Return the number in 3 digits; what only rounding keeps from 0, beside numbers of this size, is 0."""
    return number(0.0 if abs(value) < 1e-9 * size else float(f"{value:.2e}"))


def _axis(spreads: Sequence[Spread]) -> tuple[float, float]:
    return min(spread.min for spread in spreads), max(spread.max for spread in spreads)


def _spoken(column: ColumnRecord) -> str:
    before, after = column.before, column.after
    return f"{column.name}: {number(before.min)} to {number(before.max)}, then {number(after.min)} to {number(after.max)}"
