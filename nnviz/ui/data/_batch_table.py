"""The batch inspector: every row of the batch with its input, target, answer, loss and gradient norm. A row that is picked is asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QModelIndex, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QLabel, QStyledItemDelegate, QStyleOptionViewItem, QVBoxLayout, QWidget

from nnviz.messages import BatchInspected
from nnviz.records.data_record import DataRecord
from nnviz.records.tensors import to_numpy
from nnviz.text import numbers
from nnviz.ui.data._row_cells import RowCells
from nnviz.ui.theme.colors import GRID, SMALL, current_theme
from nnviz.ui.theme.fonts import mono, sans
from nnviz.ui.theme.painting import painted
from nnviz.ui.widgets.array_picture import image_of
from nnviz.ui.widgets.scales import share_of
from nnviz.ui.widgets.sorted_table import ROW, Column, Table

_HIGH, _PICTURE_HIGH = 22, 34
_LEAST = 100
"""Height in pixels of the table with its heading and a few rows: it gets no less."""


@dataclass(frozen=True)
class BatchRow:
    """One row of the batch: its place in it, and where everything about it is found."""

    cells: RowCells
    place: int

    @property
    def tone(self) -> str:
        """The colour of its answer."""
        return "loss" if self.cells.is_wrong(self.place) else "text"

    @property
    def font(self) -> QFont:
        """The font of its classes, which have names, or of numbers."""
        return sans(SMALL) if self.cells.data.classes else mono(SMALL)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _font(row: BatchRow) -> QFont:
    return mono(SMALL)


def _norm_text(value: float) -> str:
    return "–" if np.isnan(value) else numbers.short(value)


_COLUMNS = (
    Column("row", lambda row: f"{row.place} ({row.cells.batch.rows[row.place]})", lambda row: row.place,
           "Place in the batch, and in brackets which row of the training set it is", color=lambda row: "muted", font=_font, width=56),
    Column("input", lambda row: row.cells.input_text(row.place) if row.cells.form in ("numbers", "tokens") else "",
           lambda row: _known(row.cells.inputs[row.place, 0]), "What the network is given, after scaling",
           tooltip=lambda row: row.cells.input_text(row.place), font=_font),
    Column("target", lambda row: row.cells.target_text(row.place), lambda row: _known(row.cells.targets[row.place].flat[0]),
           "What it should answer", font=lambda row: row.font, width=50),
    Column("answer", lambda row: row.cells.answer_text(row.place), lambda row: _known(row.cells.answers[row.place]),
           "What it answers in this iteration, dropout included", color=lambda row: row.tone, font=lambda row: row.font, width=66),
    Column("loss", lambda row: numbers.short(float(row.cells.losses[row.place])), lambda row: _known(row.cells.losses[row.place]),
           "The loss of this row alone, without penalties. The batch's loss is their mean; for RMSE the root of the mean of their squares",
           font=_font, width=48),
    Column("|∂L|", lambda row: _norm_text(float(row.cells.norms[row.place])), lambda row: _known(row.cells.norms[row.place]),
           "Norm of the gradient of this row's loss with respect to all parameters", font=_font, width=48),
)  # fmt: skip


class InputPictures(QStyledItemDelegate):
    """Paints images and series in their cells; numbers and text are left to the model."""

    @painted
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        super().paint(painter, option, index)
        cells, place, theme = index.data(ROW).cells, index.data(ROW).place, current_theme()
        area = QRectF(option.rect).adjusted(3, 2, -3, -2)
        if cells.form == "image":
            side = min(area.width(), area.height())
            painter.drawImage(QRectF(area.left(), area.top(), side, side), image_of(cells.pictures[place], theme))
        elif cells.form == "series":
            values = cells.inputs[place].reshape(cells.data.shape)[:, 0]
            low, high = float(values.min()), float(values.max())
            across = np.linspace(area.left(), area.right(), len(values))
            up = area.bottom() - share_of(values, low, high) * area.height()
            painter.setPen(QPen(theme.color("training_set"), 1.2))
            painter.drawPolyline(QPolygonF([QPointF(*spot) for spot in zip(across.tolist(), up.tolist(), strict=True)]))


class BatchTable(QWidget):
    """The table, and a line that says what it is of. A click on a heading sorts; a click on a row, or Enter, picks it."""

    row_picked = Signal(int)
    """A place in the batch."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = Table("Rows of the batch", _COLUMNS)
        self.table.setMinimumHeight(_LEAST)
        self.note = QLabel("The rows appear once the next iteration is traced.", wordWrap=True)
        self.note.setProperty("role", "muted")
        self._sample: int | None = None
        self._prepare(self.table)
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
        self.table.set_rows([BatchRow(cells, place) for place in range(len(cells.losses))] if cells else [])
        self.table.setVisible(cells is not None)
        if cells:
            pictured = cells.form in ("image", "series")
            self.table.verticalHeader().setDefaultSectionSize(_PICTURE_HIGH if pictured else _HIGH)
            self.note.setText(_summary(cells))
        self.set_sample(self._sample)

    def set_sample(self, sample: int | None) -> None:
        """Mark this row of the batch; None marks none."""
        self._sample = sample
        self.table.choose(lambda row: row.place == sample)

    def _prepare(self, table: Table) -> None:
        table.setItemDelegateForColumn(1, InputPictures(table))
        table.setSortingEnabled(True)
        table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.horizontalHeader().setMinimumSectionSize(36)
        table.row_picked.connect(lambda row: self.row_picked.emit(row.place))

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(360, 260)


def _summary(cells: RowCells) -> str:
    count, shown = len(cells.batch.rows), len(cells.losses)
    wrong = sum(cells.is_wrong(row) for row in range(shown))
    parts = [
        f"{count:,} row{'s' * (count != 1)}" + (f", the first {shown:,} shown" if shown < count else ""),
        f"loss of the batch {numbers.number(cells.batch.loss)}",
    ]
    if not count:
        return f"no row of the data is in the generator's batch · {parts[1]}"
    if cells.data.classes:
        parts.append(f"{wrong} wrong")
    norms = int(np.isfinite(cells.norms).sum())
    if norms < shown:
        parts.append(f"gradient norms of the first {norms}")
    return " · ".join(parts)
