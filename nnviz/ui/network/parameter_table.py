"""The parameter table: every layer with its kind, output shape and number of parameters, and the total. It only shows a report."""

from __future__ import annotations

from math import prod

from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QFont, QResizeEvent
from PySide6.QtWidgets import QFrame, QHeaderView, QTableView, QVBoxLayout, QWidget

from nnviz.document.catalog import LAYERS
from nnviz.document.experiment import Experiment
from nnviz.document.shapes.report import Report
from nnviz.text.captions import size_text
from nnviz.ui.theme.colors import BODY, current_theme
from nnviz.ui.theme.fonts import mono, sans

HEADERS = ("layer", "kind", "output", "parameters")
_ANY = QModelIndex()
_ROW = 26
_WIDE = 340
"""Pixels below which the kinds are left out, so that names and numbers are read in full."""


class ParameterModel(QAbstractTableModel):
    """Rows of (id, title, kind, output shape, parameters); the total is always the last row."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ids: list[str] = []
        self.tensors: dict[str, tuple[str, ...]] = {}
        """Names of the parameters of each layer, without the layer."""
        self._rows: list[tuple[str, str, str, tuple[int, ...] | None, int, bool]] = []
        self._order: tuple[int, Qt.SortOrder] = (-1, Qt.SortOrder.AscendingOrder)

    def set_report(self, experiment: Experiment, report: Report) -> None:
        """Show this report, in the order that was chosen last."""
        self.beginResetModel()
        self._rows = []
        self.tensors = {id: tuple(layer.parameters) for id, layer in report.layers.items()}
        order = {layer.id: place for place, layer in enumerate(experiment.network.in_order())}
        for layer in sorted(experiment.network, key=lambda layer: order.get(layer.id, len(order))):
            entry = report.layers.get(layer.id)
            kind = LAYERS[layer.kind].label if layer.kind in LAYERS else layer.kind
            shape, count = (entry.output_shape, entry.count) if entry else (None, 0)
            self._rows.append((layer.id, layer.title, kind, shape, count, bool(report.problems_of(layer.id))))
        self._plain = list(self._rows)
        self._arrange()
        self.endResetModel()

    def _arrange(self) -> None:
        column, order = self._order
        keys = (lambda row: row[1].lower(), lambda row: row[2].lower(), lambda row: prod(row[3] or ()), lambda row: row[4])
        self._rows = list(self._plain)
        if 0 <= column < len(keys):
            self._rows.sort(key=keys[column], reverse=order == Qt.SortOrder.DescendingOrder)
        self.ids = [row[0] for row in self._rows]

    def _text(self, row: int, column: int) -> str:
        if row == len(self._rows):
            return ("total", "", "", f"{sum(row[4] for row in self._rows):,}")[column]
        _, title, kind, shape, count, _ = self._rows[row]
        return (title, kind, size_text(shape) if shape is not None else "?", f"{count:,}")[column]

    def _color(self, row: int, column: int) -> QColor:
        if row < len(self._rows) and self._rows[row][5]:
            return current_theme().color("loss")
        return current_theme().color("text" if column in (0, 3) else "muted")

    def _font(self, row: int, column: int) -> QFont:
        weight = QFont.Weight.DemiBold if row == len(self._rows) or column == 0 else QFont.Weight.Normal
        return mono(BODY, weight) if column >= 2 else sans(BODY, weight)

    # --- Qt ---

    def rowCount(self, parent: QModelIndex = _ANY) -> int:
        return len(self._rows) + bool(self._rows)

    def columnCount(self, parent: QModelIndex = _ANY) -> int:
        return len(HEADERS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight if section == 3 else Qt.AlignmentFlag.AlignLeft
        return HEADERS[section] if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, column = index.row(), index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._text(row, column)
            case Qt.ItemDataRole.ToolTipRole:
                return self._text(row, 1)
            case Qt.ItemDataRole.ForegroundRole:
                return self._color(row, column)
            case Qt.ItemDataRole.FontRole:
                return self._font(row, column)
            case Qt.ItemDataRole.TextAlignmentRole:
                return Qt.AlignmentFlag.AlignVCenter | (Qt.AlignmentFlag.AlignRight if column == 3 else Qt.AlignmentFlag.AlignLeft)
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self.beginResetModel()
        self._order = (column, order)
        if self._rows:
            self._arrange()
        self.endResetModel()


class ParameterTable(QWidget):
    """The table. A click on a row asks to select its layer; a click on a heading sorts."""

    selected_changed = Signal(tuple)
    table_requested = Signal(str)
    """The first parameter of a layer whose row was clicked twice."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = ParameterModel(self)
        self.table = QTableView(showGrid=False, sortingEnabled=False, accessibleName="Parameters by layer")
        self.table.setModel(self.model)
        self.table.setFrameShape(QFrame.Shape.NoFrame)
        self.table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(_ROW)
        self.table.setWordWrap(False)
        self.table.setTabKeyNavigation(False)  # Tab goes on to the next widget, the arrows walk in the table
        self._set_up_header(self.table.horizontalHeader())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.table)
        self.table.clicked.connect(self._clicked)
        self.table.doubleClicked.connect(self._clicked_twice)

    def _set_up_header(self, header: QHeaderView) -> None:
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for narrow in (1, 2, 3):
            header.setSectionResizeMode(narrow, QHeaderView.ResizeMode.ResizeToContents)
        header.setMinimumSectionSize(44)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setSortIndicatorClearable(True)
        self.table.setSortingEnabled(True)

    def set_experiment(self, experiment: Experiment, report: Report) -> None:
        """Show the layers of this experiment."""
        self.model.set_report(experiment, report)
        self.setAccessibleDescription(f"{report.parameters:,} parameters in {len(report.layers)} layers")

    def set_selection(self, ids: tuple[str, ...]) -> None:
        """Mark the row of the selected layer, without emitting."""
        rows = [self.model.ids.index(id) for id in ids if id in self.model.ids]
        self.table.selectRow(rows[0]) if len(rows) == 1 else self.table.clearSelection()

    def _clicked(self, index: QModelIndex) -> None:
        if index.row() < len(self.model.ids):
            self.selected_changed.emit((self.model.ids[index.row()],))

    def _clicked_twice(self, index: QModelIndex) -> None:
        if index.row() < len(self.model.ids) and (names := self.model.tensors.get(self.model.ids[index.row()])):
            self.table_requested.emit(f"{self.model.ids[index.row()]}.{names[0]}")

    # --- Qt ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.table.setColumnHidden(1, self.width() < _WIDE)
