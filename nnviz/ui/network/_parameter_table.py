"""The parameter table: every layer with its kind, output shape and number of parameters, and the total. It only shows a report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from PySide6.QtCore import QEvent, QModelIndex, Qt, Signal
from PySide6.QtGui import QFont, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from nnviz.document.catalog import LAYERS
from nnviz.document.experiment import Experiment
from nnviz.document.shapes.report import Report
from nnviz.text.captions import size_text
from nnviz.ui.theme.colors import BODY
from nnviz.ui.theme.fonts import mono, sans, scaled
from nnviz.ui.widgets.sorted_table import ROW, Column, Table

_HIGH = 26
_WIDE, _NARROW = 340, 250
"""Pixels below which the kinds, and then the sizes, are left out, so that names and numbers are read in full."""


@dataclass(frozen=True)
class LayerRow:
    """One layer; the total has no id and stands last, however the layers are sorted."""

    id: str
    title: str
    kind: str
    size: str
    """The shape of its output, as it is written."""
    units: int
    count: int
    tensors: tuple[str, ...] = ()
    """Names of its parameters, without the layer."""
    is_wrong: bool = False


def _column(title: str, text: Callable[[LayerRow], str], value: Callable[[LayerRow], float | str], tone: str, font: _Font) -> Column:
    return Column(
        title,
        text,
        lambda row: value(row) if row.id else None,
        tooltip=lambda row: row.kind,
        color=lambda row: "loss" if row.is_wrong else tone,
        font=lambda row: font(BODY, _BOLD if not row.id or title == "layer" else QFont.Weight.Normal),
        right=title == "parameters",
        width=0 if title == "layer" else None,
    )


_Font = Callable[[float, QFont.Weight], QFont]
_BOLD = QFont.Weight.DemiBold
_COLUMNS = (
    _column("layer", lambda row: row.title, lambda row: row.title.lower(), "text", sans),
    _column("kind", lambda row: row.kind, lambda row: row.kind.lower(), "muted", sans),
    _column("output", lambda row: row.size, lambda row: row.units, "muted", mono),
    _column("parameters", lambda row: f"{row.count:,}", lambda row: row.count, "text", mono),
)


class ParameterTable(QWidget):
    """The table. A click on a row asks to select its layer; a click on a heading sorts."""

    selected_changed = Signal(tuple)
    table_requested = Signal(str)
    """The first parameter of a layer whose row was clicked twice."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = Table("Parameters by layer", _COLUMNS)
        self.table.verticalHeader().setDefaultSectionSize(round(scaled(_HIGH)))
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(24)
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setSortIndicatorClearable(True)
        self.table.setSortingEnabled(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.table)
        self.table.clicked.connect(self._clicked)
        self.table.doubleClicked.connect(self._clicked_twice)

    def set_experiment(self, experiment: Experiment, report: Report) -> None:
        """Show the layers of this experiment."""
        self.table.set_rows(layer_rows(experiment, report))
        self.setAccessibleDescription(f"{report.parameters:,} parameters in {len(report.layers)} layers")

    def set_selection(self, ids: tuple[str, ...]) -> None:
        """Mark the row of the selected layer, without emitting."""
        marked = [row for row in self.table.rows() if row.id in ids]
        self.table.choose(lambda row: marked == [row])

    def _clicked(self, index: QModelIndex) -> None:
        if index.data(ROW).id:
            self.selected_changed.emit((index.data(ROW).id,))

    def _clicked_twice(self, index: QModelIndex) -> None:
        row = index.data(ROW)
        if row.tensors:
            self.table_requested.emit(f"{row.id}.{row.tensors[0]}")

    # --- Qt ---

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange and self.layout():
            self.table.verticalHeader().setDefaultSectionSize(round(scaled(_HIGH)))
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.table.setColumnHidden(1, self.width() < scaled(_WIDE))
        self.table.setColumnHidden(2, self.width() < scaled(_NARROW))


def layer_rows(experiment: Experiment, report: Report) -> list[LayerRow]:
    """Return a row for every layer, in the order numbers flow, and the total; nothing for an empty network."""
    rows, order = [], {layer.id: place for place, layer in enumerate(experiment.network.in_order())}
    for layer in sorted(experiment.network, key=lambda layer: order.get(layer.id, len(order))):
        entry = report.layers.get(layer.id)
        kind = LAYERS[layer.kind].label if layer.kind in LAYERS else layer.kind
        shape, count, tensors = (entry.output_shape, entry.count, tuple(entry.parameters)) if entry else (None, 0, ())
        size = size_text(shape) if shape is not None else "?"
        wrong = bool(report.problems_of(layer.id))
        rows.append(LayerRow(layer.id, layer.title, kind, size, prod(shape or ()), count, tensors, wrong))
    return [*rows, LayerRow("", "total", "", "", 0, sum(row.count for row in rows))] if rows else []
