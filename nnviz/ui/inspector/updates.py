"""What the optimizer does to one number of a parameter, row by row: symbol, value, bar. It computes nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from nnviz.protocol import Tensor, UpdateRecord
from nnviz.session.reading import to_numpy
from nnviz.ui import numerals
from nnviz.ui.fonts import mono, sans
from nnviz.ui.plots.figures import power_of_ten
from nnviz.ui.plots.scales import Scale
from nnviz.ui.plots.update_rows import log_limits
from nnviz.ui.theme import BODY, LIGHT, SMALL, Theme

_ROW, _CAPTION = 24.0, 16.0
_NUMBER = 78.0
_WAS = 92.0
_Flag = Qt.AlignmentFlag


@dataclass(frozen=True)
class Row:
    """One row: `value` is that of the chosen element, or the root mean square over all if none is chosen."""

    symbol: str
    formula: str
    value: float | None
    was: float | None = None
    """The value without what is supposed, if it is another."""


def compared(update: UpdateRecord, before: UpdateRecord | None, element: tuple[int, ...] | None) -> list[Row]:
    """Return the rows of an update, each with its value without what is supposed."""
    now = rows(update, element)
    then = rows(before, element) if before else now
    if [row.symbol for row in now] != [row.symbol for row in then]:
        return now
    return [replace(row, was=old.value) if old.value != row.value else row for row, old in zip(now, then, strict=True)]


def rows(update: UpdateRecord, element: tuple[int, ...] | None) -> list[Row]:
    """Return the rows of an update for one element, from θ before to θ after."""
    found = [Row(row.symbol, row.formula, _number(row.value, element)) for row in update.rows]
    if not any(row.symbol == "θ" for row in found):
        found.insert(0, Row("θ", "before this step", _number(update.before, element)))
    if not found[-1].symbol.startswith("θ") or len(found) == 1:
        found.append(Row("θ′", "after this step", _number(update.after, element)))
    return found


def _number(tensor: Tensor, element: tuple[int, ...] | None) -> float | None:
    if tensor.values is None:
        measure = tensor.measure
        return measure.norm / math.sqrt(measure.count) if measure and measure.count and element is None else None
    array = to_numpy(tensor.values)
    if array.size == 1:
        return float(array.reshape(-1)[0])
    return float(np.sqrt(np.mean(array**2))) if element is None else float(array[element])


def share(value: float | None, limits: tuple[float, float] | None) -> float:
    """Return the length of a bar, 0 to 1, on the logarithmic scale between these powers of ten, as in the optimizer microscope."""
    if not value or not math.isfinite(value) or limits is None:
        return 0.0
    return max(0.02, min(1.0, float(Scale(*limits, 0.0, 1.0, log=True)(np.abs(value)))))


def limits(rows: Sequence[Row]) -> tuple[float, float] | None:
    """Return the powers of ten that the bars of these rows stand between: those of the microscope, for θ before and after are its own."""
    return log_limits(tuple(row for row in rows if row.value is not None))


class UpdateTable(QWidget):
    """The optimizer's rows for one element of a parameter."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = LIGHT
        self._rows: list[Row] = []
        self._said = "No update yet: step to the update phase."
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setAccessibleName("Optimizer step")

    def set_update(
        self, update: UpdateRecord | None, element: tuple[int, ...] | None, theme: Theme, before: UpdateRecord | None = None
    ) -> None:
        """Show an update for one element; None for the element shows the root mean square, None for the update an empty table.

        `before`: the update without what is supposed.
        """
        self._theme = theme
        self._rows = compared(update, before, element) if update else []
        said = "; ".join(f"{row.symbol} = {_text(row.value)}{_was(row)}" for row in self._rows)
        self.setAccessibleDescription(said or self._said)
        self.updateGeometry()
        self.update()

    def shown(self) -> list[Row]:
        """Return the rows on the screen."""
        return self._rows

    def _paint_row(self, painter: QPainter, row: Row, box: QRectF, symbol: float, scale: tuple[float, float] | None) -> None:
        theme = self._theme
        painter.setFont(mono(BODY))
        painter.setPen(theme.color("muted"))
        painter.drawText(box, int(_Flag.AlignLeft | _Flag.AlignVCenter), row.symbol)
        painter.setFont(_bold())
        painter.setPen(theme.color("text" if row.value is not None else "faint"))
        painter.drawText(QRectF(symbol, box.top(), _NUMBER, box.height()), int(_Flag.AlignLeft | _Flag.AlignVCenter), _text(row.value))
        left = symbol + _NUMBER
        length = share(row.value, scale) * max(0.0, box.width() - left - (_WAS if any(row.was is not None for row in self._rows) else 0))
        parameter = row.symbol.startswith("θ")
        painter.setPen(QPen(theme.color("parameter_line"), 1) if parameter else Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("parameter_line") if parameter else theme.tint("update", 0.6))
        if length > 0:
            painter.drawRoundedRect(QRectF(left, box.center().y() - 5.5, length, 11), 2.5, 2.5)
        if row.was is not None:
            painter.setFont(mono(SMALL))
            painter.setPen(theme.color("what_if"))
            painter.drawText(box, int(_Flag.AlignRight | _Flag.AlignVCenter), _was(row).strip(" ,"))

    def _symbol_width(self) -> float:
        advance = QFontMetricsF(mono(BODY)).horizontalAdvance
        return max([24.0, *(advance(row.symbol) + 12 for row in self._rows)])

    def _boxes(self) -> list[QRectF]:
        height = max(16.0, min(_ROW, (self.height() - _CAPTION) / max(1, len(self._rows))))
        return [QRectF(0, place * height, self.width(), height) for place in range(len(self._rows))]

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(260, round(_ROW * max(1, len(self._rows)) + _CAPTION))

    def minimumSizeHint(self) -> QSize:
        return QSize(180, round(16 * max(2, len(self._rows)) + _CAPTION))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._rows:
            painter.setFont(sans(SMALL + 0.5))
            painter.setPen(self._theme.color("faint"))
            painter.drawText(QRectF(self.rect()), int(_Flag.AlignLeft | _Flag.AlignTop | Qt.TextFlag.TextWordWrap), self._said)
        scale, symbol = limits(self._rows), self._symbol_width()
        for row, box in zip(self._rows, self._boxes(), strict=True):
            self._paint_row(painter, row, box, symbol, scale)
        if scale:
            painter.setFont(sans(SMALL))
            painter.setPen(self._theme.color("muted"))
            room = QRectF(0, self.height() - _CAPTION, self.width(), _CAPTION)
            painter.drawText(room, int(_Flag.AlignRight | _Flag.AlignVCenter), _scale_text(scale))
        painter.end()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            found = [row for row, box in zip(self._rows, self._boxes(), strict=True) if box.contains(QPointF(event.pos()))]
            QToolTip.showText(event.globalPos(), _explained(found[0], limits(self._rows)) if found else "", self)
            return True
        return super().event(event)


def _explained(row: Row, scale: tuple[float, float] | None) -> str:
    said = f"{row.symbol} = {row.formula} = {_text(row.value)}{_was(row)}"
    return f"{said}\nBars: absolute values on a {_scale_text(scale)}." if scale else said


def _scale_text(scale: tuple[float, float]) -> str:
    return f"log scale {power_of_ten(scale[0])} … {power_of_ten(scale[1])}"


def _was(row: Row) -> str:
    return f", was {_text(row.was)}" if row.was is not None else ""


def _text(value: float | None) -> str:
    return "—" if value is None else numerals.number(value)


def _bold():
    return mono(BODY, mono(BODY).Weight.Bold)
