"""The proof in sight, in full: every parameter's gradient beside torch's own, the worst first. It shows given numbers."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QMenu,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
    QWidgetAction,
)

from nnviz.records.trace_record import AgreementRecord, TraceRecord
from nnviz.text import names, numbers
from nnviz.ui.theme.colors import BODY, SMALL, current_theme
from nnviz.ui.theme.fonts import mono, sans

COLUMNS = {
    "parameter": "A parameter of the network",
    "max |ours|": "The largest number of the gradient this trace computed, node by node",
    "max |torch|": "The largest number of the gradient torch's own backward computed",
    "difference": "The largest difference between the two, number by number",
    "relative": "That difference as a share of the largest gradient of the whole network",
    "": "Whether they are the same up to rounding",
}
AGREEING = {"float64": 1e-9, "float32": 1e-3}
"""Relative differences up to which two ways of rounding may differ; a trace beyond is refused by the engine."""
MOST_ROWS = 12


class Proof(QMenu):
    """A panel that opens below the badge. Esc or a click elsewhere closes it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName("Proof: every gradient beside torch's own")
        self._sentence = QLabel(wordWrap=True)
        self._sentence.setFont(sans(SMALL + 0.5))
        self._sentence.setProperty("role", "muted")
        self.table = _table()
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(12, 10, 12, 10)
        column.setSpacing(8)
        column.addWidget(self._sentence)
        column.addWidget(self.table)
        action = QWidgetAction(self)
        action.setDefaultWidget(body)
        self.addAction(action)

    def set_trace(self, trace: TraceRecord | None, titles: dict[str, str]) -> None:
        """Show what a trace was compared with; `titles`: what the screen calls the parameters."""
        agreements = trace.agreements if trace else ()
        self.table.setRowCount(len(agreements))
        for row, agreement in enumerate(agreements):
            self._fill(row, agreement, titles.get(agreement.parameter, agreement.parameter), AGREEING.get(trace.precision, 5e-2))
        supposed = " with the same what-ifs" if trace and trace.what_ifs else ""
        if trace:
            self._sentence.setText(
                f"{names.iteration(trace).capitalize()}, in {trace.precision}: torch's own backward ran{supposed} beside this trace. "
                f"Largest difference of any number: {numbers.short(trace.worst_error)} of the largest gradient."
            )
        self.table.setFixedSize(self._size(len(agreements)))

    def open_below(self, widget: QWidget) -> None:
        """Open below a widget, with the keyboard in the table."""
        self.popup(widget.mapToGlobal(QPoint(0, widget.height() + 4)))
        self.table.setFocus(Qt.FocusReason.PopupFocusReason)

    def rows(self) -> list[list[str]]:
        """Return the texts of the table."""
        places = range(self.table.columnCount())
        return [[self.table.item(row, place).text() for place in places] for row in range(self.table.rowCount())]

    def _fill(self, row: int, agreement: AgreementRecord, name: str, limit: float) -> None:
        agrees = agreement.relative <= limit
        values = (agreement.ours, agreement.torch, agreement.difference, agreement.relative)
        for column, text in enumerate((name, *map(_figure, values), "✓" if agrees else "✗")):
            item = QTableWidgetItem(text)
            item.setFont(mono(BODY) if column else sans(BODY))
            item.setTextAlignment((Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft) | Qt.AlignmentFlag.AlignVCenter)
            if column == len(values) + 1:
                item.setForeground(current_theme().color("forward" if agrees else "loss"))
            self.table.setItem(row, column, item)

    def _size(self, rows: int) -> QSize:
        table = self.table
        texts = [table.item(row, 0).text() for row in range(rows)]
        widest = max((QFontMetrics(sans(BODY)).horizontalAdvance(text) for text in texts), default=80) + 24
        table.setColumnWidth(0, max(120, min(260, widest)))
        width = sum(table.columnWidth(column) for column in range(table.columnCount())) + (12 if rows > MOST_ROWS else 2)
        shown = max(1, min(rows, MOST_ROWS))
        return QSize(width, table.horizontalHeader().sizeHint().height() + shown * table.verticalHeader().defaultSectionSize() + 2)


def _figure(value: float) -> str:
    return numbers.number(value) if value == 0 or abs(value) >= 1e-3 else numbers.signed(_scientific(value))


def _scientific(value: float) -> str:
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def _table() -> QTableWidget:
    table = QTableWidget(0, len(COLUMNS))
    table.setAccessibleName("Gradients of this trace beside torch's own")
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
    table.setStyleSheet("QTableView { outline: none; } QTableView::item { border: none; }")
    table.setShowGrid(False)
    table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(26)
    table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    for column, (title, tip) in enumerate(COLUMNS.items()):
        header = QTableWidgetItem(title)
        header.setToolTip(tip)
        header.setTextAlignment((Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft) | Qt.AlignmentFlag.AlignVCenter)
        table.setHorizontalHeaderItem(column, header)
        table.setColumnWidth(column, 28 if not title else 96)
    return table
