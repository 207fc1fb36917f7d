"""The optimizer microscope on the chain-rule card: the rows of the chosen number of a parameter, as the dock paints them.

It computes nothing.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from nnviz.records.trace_state import TraceState
from nnviz.text import numbers
from nnviz.ui.step.update_rows import ShownRow, compared, needed_height, paint_rows, rows_of
from nnviz.ui.theme.colors import current_theme
from nnviz.ui.theme.painting import painted
from nnviz.ui.widgets.readout import LINE

_ROW = 24
"""Height of a row in pixels."""


class UpdateTable(QWidget):
    """Symbol, formula, number and bar of every row of the optimizer's step."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[ShownRow, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Optimizer step")

    def set_trace_state(self, state: TraceState, node: int, element: tuple[int, ...]) -> None:
        """Show what the optimizer does to one element of a parameter, beside what it would do without what is supposed."""
        self._rows = rows_of(state, node, element)
        if state.before:
            self._rows = compared(self._rows, rows_of(state.before, node, element))
        self.setAccessibleDescription("; ".join(f"{row.symbol} = {row.formula} = {_text(row.value)}{_was(row)}" for row in self._rows))
        self._claim_room()
        self.update()

    def shown(self) -> tuple[ShownRow, ...]:
        """Return the rows on the screen."""
        return self._rows

    def _claim_room(self) -> None:
        height = max(needed_height(self._rows, self.width()), LINE + _ROW * len(self._rows))
        self.setFixedHeight(round(height))

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(260, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._claim_room()

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_rows(painter, QRectF(self.rect()), current_theme(), self._rows, "", None)
        painter.end()


def _was(row: ShownRow) -> str:
    return f", was {_text(row.was)}" if row.was is not None else ""


def _text(value: float | None) -> str:
    return "not computed yet" if value is None else numbers.number(value)
