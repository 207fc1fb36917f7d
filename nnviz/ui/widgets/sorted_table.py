"""One table for rows of any kind: its columns say what of a row they show and sort by, and Qt sorts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QSortFilterProxyModel, Qt, Signal
from PySide6.QtGui import QFont, QIcon
from PySide6.QtWidgets import QFrame, QHeaderView, QTableView, QWidget

from nnviz.ui.theme.colors import BODY, current_theme
from nnviz.ui.theme.fonts import sans

ROW, _VALUE = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
"""The row itself, whatever it is, and what a column sorts by."""
_ANY = QModelIndex()
_Mode = QHeaderView.ResizeMode


@dataclass(frozen=True)
class Column:
    """What one column shows of a row."""

    title: str
    text: Callable[[Any], str]
    value: Callable[[Any], float | str | None] = lambda row: None
    """What rows are sorted by; those without it (None) stand last, whichever way is sorted."""
    tip: str = ""
    """Of the heading."""
    tooltip: Callable[[Any], str] | None = None
    """Of a cell; without it the cell's text."""
    color: Callable[[Any], str] = lambda row: "text"
    """A colour of the theme."""
    icon: Callable[[Any], QIcon | None] = lambda row: None
    """What stands before its text."""
    font: Callable[[Any], QFont] = lambda row: sans(BODY)
    right: bool = False
    """Whether it is aligned to the right."""
    width: int | None = 0
    """Pixels; 0 takes what the others leave, None what the texts need."""

    @property
    def alignment(self) -> Qt.AlignmentFlag:
        """Where its texts stand in their cells."""
        return Qt.AlignmentFlag.AlignVCenter | (Qt.AlignmentFlag.AlignRight if self.right else Qt.AlignmentFlag.AlignLeft)


class Table(QTableView):
    """Rows are whole and one at a time selected; Tab goes on to the next widget."""

    row_picked = Signal(object)
    """A row that was clicked, or Enter pressed on it."""

    def __init__(self, name: str, columns: Sequence[Column], parent: QWidget | None = None) -> None:
        super().__init__(parent, showGrid=False, wordWrap=False, tabKeyNavigation=False, accessibleName=name)
        self._rows = _Rows(columns, self)
        self._sorted = _Sorted(self)
        self._sorted.setSourceModel(self._rows)
        self.setModel(self._sorted)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.verticalHeader().hide()
        for place, column in enumerate(columns):
            self.horizontalHeader().setSectionResizeMode(place, _Mode.ResizeToContents if column.width is None else _Mode.Interactive)
            if column.width:
                self.setColumnWidth(place, column.width)
            elif column.width == 0:
                self.horizontalHeader().setSectionResizeMode(place, _Mode.Stretch)
        self.clicked.connect(lambda index: self.row_picked.emit(index.data(ROW)))
        self.activated.connect(lambda index: self.row_picked.emit(index.data(ROW)))

    def set_rows(self, rows: Sequence[Any]) -> None:
        """Show these rows, in the order that was chosen last."""
        self._rows.set_rows(rows)

    def rows(self) -> list[Any]:
        """Return the rows as they stand on the screen."""
        return [self._sorted.index(place, 0).data(ROW) for place in range(self._sorted.rowCount())]

    def texts(self) -> list[list[str]]:
        """Return the texts of all cells, row by row as they stand on the screen."""
        places = range(self._sorted.columnCount())
        return [[self._sorted.index(row, column).data() for column in places] for row in range(self._sorted.rowCount())]

    def choose(self, is_chosen: Callable[[Any], bool]) -> None:
        """Select the first row of which this holds, or none, without a signal of its own."""
        place = next((place for place, row in enumerate(self.rows()) if is_chosen(row)), None)
        self.clearSelection() if place is None else self.selectRow(place)


class _Rows(QAbstractTableModel):
    def __init__(self, columns: Sequence[Column], parent: QWidget) -> None:
        super().__init__(parent)
        self._columns, self._shown = columns, ()

    def set_rows(self, rows: Sequence[Any]) -> None:
        """Take these instead; where there are as many as before, the one that is pressed or stood on stays so."""
        if rows and len(rows) == len(self._shown):
            self._shown = tuple(rows)
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(self._columns) - 1))
            return
        self.beginResetModel()
        self._shown = tuple(rows)
        self.endResetModel()

    # --- Qt ---

    def rowCount(self, parent: QModelIndex = _ANY) -> int:
        return len(self._shown)

    def columnCount(self, parent: QModelIndex = _ANY) -> int:
        return len(self._columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = self._columns[section]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.title
            case Qt.ItemDataRole.ToolTipRole:
                return column.tip or None
            case Qt.ItemDataRole.TextAlignmentRole:
                return column.alignment & Qt.AlignmentFlag.AlignHorizontal_Mask
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, column = self._shown[index.row()], self._columns[index.column()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.text(row)
            case Qt.ItemDataRole.ToolTipRole:
                return (column.tooltip or column.text)(row)
            case Qt.ItemDataRole.ForegroundRole:
                return current_theme().color(column.color(row))
            case Qt.ItemDataRole.DecorationRole:
                return column.icon(row)
            case Qt.ItemDataRole.FontRole:
                return column.font(row)
            case Qt.ItemDataRole.TextAlignmentRole:
                return column.alignment
        return row if role == ROW else column.value(row) if role == _VALUE else None


class _Sorted(QSortFilterProxyModel):
    def lessThan(self, left: QModelIndex, right: QModelIndex) -> bool:
        one, other = left.data(_VALUE), right.data(_VALUE)
        if one is None or other is None:
            return one is not other and (other is None) == (self.sortOrder() == Qt.SortOrder.AscendingOrder)
        return one < other
