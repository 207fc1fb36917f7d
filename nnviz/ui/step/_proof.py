"""The proof in sight, in full: every parameter's gradient beside torch's own, the worst first. It shows given numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLabel, QMenu, QVBoxLayout, QWidget, QWidgetAction

from nnviz.records.trace_record import AgreementRecord, TraceRecord
from nnviz.text import names, numbers
from nnviz.ui.theme.colors import BODY, SMALL
from nnviz.ui.theme.fonts import mono, sans
from nnviz.ui.widgets.sorted_table import Column, Table

AGREEING = {"float64": 1e-9, "float32": 1e-3}
"""Relative differences up to which two ways of rounding may differ; a trace beyond is refused by the engine."""
MOST_ROWS = 12


@dataclass(frozen=True)
class ProofRow:
    """One parameter: what the screen calls it, how its gradients compare, and whether that is rounding."""

    name: str
    found: AgreementRecord
    agrees: bool


def _figures(title: str, number: Callable[[AgreementRecord], float], tip: str) -> Column:
    return Column(title, lambda row: _figure(number(row.found)), tip=tip, font=lambda row: mono(BODY), right=True, width=96)


_COLUMNS = (
    Column("parameter", lambda row: row.name, tip="A parameter of the network", width=96),
    _figures("max |ours|", lambda found: found.ours, "The largest number of the gradient this trace computed, node by node"),
    _figures("max |torch|", lambda found: found.torch, "The largest number of the gradient torch's own backward computed"),
    _figures("difference", lambda found: found.difference, "The largest difference between the two, number by number"),
    _figures("relative", lambda found: found.relative, "That difference as a share of the largest gradient of the whole network"),
    Column("", lambda row: "✓" if row.agrees else "✗", tip="Whether they are the same up to rounding",
           color=lambda row: "forward" if row.agrees else "loss", font=lambda row: mono(BODY), right=True, width=28),
)  # fmt: skip


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
        limit = AGREEING.get(trace.precision, 5e-2) if trace else 0.0
        found = trace.agreements if trace else ()
        rows = [ProofRow(titles.get(one.parameter, one.parameter), one, one.relative <= limit) for one in found]
        self.table.set_rows(rows)
        supposed = " with the same what-ifs" if trace and trace.what_ifs else ""
        if trace:
            self._sentence.setText(
                f"{names.iteration(trace).capitalize()}, in {trace.precision}: torch's own backward ran{supposed} beside this trace. "
                f"Largest difference of any number: {numbers.short(trace.worst_error)} of the largest gradient."
            )
        self.table.setFixedSize(self._size(rows))

    def open_below(self, widget: QWidget) -> None:
        """Open below a widget, with the keyboard in the table."""
        self.popup(widget.mapToGlobal(QPoint(0, widget.height() + 4)))
        self.table.setFocus(Qt.FocusReason.PopupFocusReason)

    def rows(self) -> list[list[str]]:
        """Return the texts of the table."""
        return self.table.texts()

    def _size(self, rows: Sequence[ProofRow]) -> QSize:
        table = self.table
        widest = max((QFontMetrics(sans(BODY)).horizontalAdvance(row.name) for row in rows), default=80) + 24
        table.setColumnWidth(0, max(120, min(260, widest)))
        width = sum(table.columnWidth(column) for column in range(len(_COLUMNS))) + (12 if len(rows) > MOST_ROWS else 2)
        shown = max(1, min(len(rows), MOST_ROWS))
        return QSize(width, table.horizontalHeader().sizeHint().height() + shown * table.verticalHeader().defaultSectionSize() + 2)


def _figure(value: float) -> str:
    return numbers.number(value) if value == 0 or abs(value) >= 1e-3 else numbers.signed(_scientific(value))


def _scientific(value: float) -> str:
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def _table() -> Table:
    table = Table("Gradients of this trace beside torch's own", _COLUMNS)
    table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
    table.setStyleSheet("QTableView { outline: none; } QTableView::item { border: none; }")
    table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    table.verticalHeader().setDefaultSectionSize(26)
    table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    return table
