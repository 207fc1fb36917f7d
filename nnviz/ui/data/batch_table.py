"""The batch inspector: every row of the batch with its input, target, answer, loss and gradient norm. A row that is picked is asked for."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QFrame, QHeaderView, QLabel, QStyledItemDelegate, QStyleOptionViewItem, QTableView, QVBoxLayout, QWidget

from nnviz.messages import BatchInspected
from nnviz.records.data_record import DataRecord
from nnviz.records.tensors import to_numpy
from nnviz.text import numbers
from nnviz.ui.data.row_cells import RowCells
from nnviz.ui.theme.colors import GRID, SMALL, current_theme
from nnviz.ui.theme.fonts import mono, sans
from nnviz.ui.widgets.array_picture import image_of

COLUMNS = {
    "row": "Place in the batch, and in brackets which row of the training set it is",
    "input": "What the network is given, after scaling",
    "target": "What it should answer",
    "answer": "What it answers in this iteration, dropout included",
    "loss": "The loss of this row alone; the mean over the batch is the batch's loss without penalties",
    "|∂L|": "Norm of the gradient of this row's loss with respect to all parameters",
}
_WIDTHS = (56, 0, 50, 66, 48, 48)
"""The input takes what is left."""
_ROW, _PICTURE_ROW = 22, 34
_ANY = QModelIndex()


class BatchModel(QAbstractTableModel):
    """`order` holds places in the batch as they are shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cells: RowCells | None = None
        self.order = np.zeros(0, dtype=int)
        self._sorted: tuple[int, Qt.SortOrder] = (0, Qt.SortOrder.AscendingOrder)

    def set_cells(self, cells: RowCells | None) -> None:
        """Show these rows, in the order that was chosen last."""
        self.beginResetModel()
        self.cells = cells
        self._arrange()
        self.endResetModel()

    def _arrange(self) -> None:
        column, order = self._sorted
        keys = self._keys(column)
        self.order = np.argsort(keys if order == Qt.SortOrder.AscendingOrder else -keys, kind="stable")

    def _keys(self, column: int) -> np.ndarray:
        """Numbers to sort by: NaN, where one is not known, goes last."""
        if self.cells is None:
            return np.zeros(0)
        cells, count = self.cells, len(self.cells.losses)
        targets = cells.targets if cells.targets.ndim == 1 else cells.targets[:, 0]
        columns = (np.arange(count), cells.inputs[:, 0], targets, cells.answers, cells.losses, cells.norms)
        return np.asarray(columns[column], dtype=np.float64)

    def _text(self, row: int, column: int) -> str:
        place, cells = int(self.order[row]), self.cells
        match column:
            case 0:
                return f"{place} ({cells.batch.rows[place]})"
            case 1:
                return cells.input_text(place) if cells.form in ("numbers", "tokens") else ""
            case 2:
                return cells.target_text(place)
            case 3:
                return cells.answer_text(place)
        value = float((cells.losses if column == 4 else cells.norms)[place])
        return "–" if np.isnan(value) and column == 5 else numbers.short(value)

    # --- Qt ---

    def rowCount(self, parent: QModelIndex = _ANY) -> int:
        return len(self.order)

    def columnCount(self, parent: QModelIndex = _ANY) -> int:
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return list(COLUMNS)[section]
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.ToolTipRole:
            return list(COLUMNS.values())[section]
        return Qt.AlignmentFlag.AlignLeft if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, column = index.row(), index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._text(row, column)
            case Qt.ItemDataRole.ToolTipRole:
                return self.cells.input_text(int(self.order[row])) if column == 1 else self._text(row, column)
            case Qt.ItemDataRole.FontRole:
                return sans(SMALL) if column in (2, 3) and self.cells.data.classes else mono(SMALL)
            case Qt.ItemDataRole.ForegroundRole:
                wrong = column == 3 and self.cells.is_wrong(int(self.order[row]))
                return QColor(current_theme().color("loss" if wrong else "muted" if column == 0 else "text"))
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self.beginResetModel()
        self._sorted = (column, order)
        self._arrange()
        self.endResetModel()


class InputPictures(QStyledItemDelegate):
    """Paints images and series in their cells; numbers and text are left to the model."""

    def __init__(self, model: BatchModel) -> None:
        super().__init__(model)
        self._model = model

    # --- Qt ---

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        super().paint(painter, option, index)
        cells, theme = self._model.cells, current_theme()
        place, area = int(self._model.order[index.row()]), QRectF(option.rect).adjusted(3, 2, -3, -2)
        if cells.form == "image":
            side = min(area.width(), area.height())
            painter.drawImage(QRectF(area.left(), area.top(), side, side), image_of(cells.pictures[place], theme))
        elif cells.form == "series":
            values = cells.inputs[place].reshape(cells.data.shape)[:, 0]
            low, high = float(values.min()), float(values.max())
            across = np.linspace(area.left(), area.right(), len(values))
            up = area.bottom() - (values - low) / ((high - low) or 1.0) * area.height()
            painter.setPen(QPen(theme.color("training_set"), 1.2))
            painter.drawPolyline(QPolygonF([QPointF(*spot) for spot in zip(across.tolist(), up.tolist(), strict=True)]))


class BatchTable(QWidget):
    """The table, and a line that says what it is of. A click on a heading sorts; a click on a row, or Enter, picks it."""

    row_picked = Signal(int)
    """A place in the batch."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = BatchModel(self)
        self.table = QTableView(showGrid=False, accessibleName="Rows of the batch")
        self.note = QLabel("The rows appear once the next iteration is traced.", wordWrap=True)
        self.note.setProperty("role", "muted")
        self._sample: int | None = None
        self._prepare()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.table, 1)
        column.addWidget(self.note)

    def set_batch(self, batch: BatchInspected | None, data: DataRecord | None) -> None:
        """Show these rows of the data; None shows none."""
        count = 0 if data is None else int(to_numpy(data.training).sum())
        fits = batch is not None and data is not None and max(batch.rows, default=0) < count
        cells = RowCells(data, batch) if fits else None
        self.model.set_cells(cells)
        self.table.setVisible(cells is not None)
        if cells:
            pictured = cells.form in ("image", "series")
            self.table.verticalHeader().setDefaultSectionSize(_PICTURE_ROW if pictured else _ROW)
            self.note.setText(_summary(cells))
        self.set_sample(self._sample)

    def set_sample(self, sample: int | None) -> None:
        """Mark this row of the batch; None marks none."""
        self._sample = sample
        rows = np.flatnonzero(self.model.order == sample) if sample is not None else []
        selection = self.table.selectionModel()
        if len(rows):
            selection.setCurrentIndex(
                self.model.index(int(rows[0]), 0), selection.SelectionFlag.ClearAndSelect | selection.SelectionFlag.Rows
            )
        else:
            selection.clearSelection()

    def _pick(self, index: QModelIndex) -> None:
        self.row_picked.emit(int(self.model.order[index.row()]))

    def _prepare(self) -> None:
        table = self.table
        table.setModel(self.model)
        table.setItemDelegateForColumn(1, InputPictures(self.model))
        table.setFrameShape(QFrame.Shape.NoFrame)
        table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        table.setSortingEnabled(True)
        table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        table.setWordWrap(False)
        table.verticalHeader().hide()
        table.setTabKeyNavigation(False)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = table.horizontalHeader()
        header.setMinimumSectionSize(36)
        for column, width in enumerate(_WIDTHS):
            table.setColumnWidth(column, width)
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive if width else QHeaderView.ResizeMode.Stretch)
        table.clicked.connect(self._pick)
        table.activated.connect(self._pick)

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(360, 260)


def _summary(cells: RowCells) -> str:
    count, shown = len(cells.batch.rows), len(cells.losses)
    wrong = sum(cells.is_wrong(row) for row in range(shown))
    parts = [
        f"{count:,} rows" + (f", the first {shown:,} shown" if shown < count else ""),
        f"mean loss {numbers.number(float(cells.losses.mean()))}",
    ]
    if cells.data.classes:
        parts.append(f"{wrong} wrong")
    norms = int(np.isfinite(cells.norms).sum())
    if norms < shown:
        parts.append(f"gradient norms of the first {norms}")
    return " · ".join(parts)
