"""One matrix of numbers as a Qt model: coloured by value, locked cells marked, cells typed as text. It changes nothing itself."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QWidget

from nnviz.document.problems import Refused
from nnviz.text import numbers
from nnviz.text.number_blocks import read_block
from nnviz.ui.theme.colors import BODY, SMALL, current_theme
from nnviz.ui.theme.fonts import mono
from nnviz.ui.widgets.color_scale import readable

_ANY = QModelIndex()
_ALIGNED = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class MatrixModel(QAbstractTableModel):
    """Shows (rows, columns) numbers on a colour scale of ±limit."""

    cell_typed = Signal(int, int, float)
    """Row, column, and the number a person typed."""
    refused = Signal(str)
    """Why what was typed is no number."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values, self._locked = np.zeros((0, 0)), np.zeros((0, 0), bool)
        self._axes, self._limit = ("", ""), 1.0
        self.rows: tuple[str, ...] = ()
        """Names of the rows; empty: they are counted."""
        self.editable = True

    def set_row_names(self, names: tuple[str, ...]) -> None:
        """Call the rows by these names; without any they are counted. The values follow."""
        self.rows = names

    def set_editable(self, editable: bool) -> None:
        """Let numbers be typed, or not."""
        self.editable = editable

    def set_matrix(self, values: np.ndarray, locked: np.ndarray, axes: tuple[str, str], limit: float) -> None:
        """Show this matrix; `axes` says what rows and columns count."""
        same = values.shape == self._values.shape and axes == self._axes
        if not same:
            self.beginResetModel()
        self._values, self._locked, self._axes, self._limit = values, locked, axes, limit
        if same and not values.size:
            return
        if same:
            self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, self.columnCount() - 1))
        else:
            self.endResetModel()

    def _lock(self) -> QIcon:
        import qtawesome  # here, because its fonts take long to load

        return qtawesome.icon("fa6s.lock", color=current_theme().text)

    # --- Qt ---

    def rowCount(self, parent: QModelIndex = _ANY) -> int:
        return self._values.shape[0]

    def columnCount(self, parent: QModelIndex = _ANY) -> int:
        return self._values.shape[1]

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.FontRole:
            return mono(SMALL)
        if orientation == Qt.Orientation.Vertical and section < len(self.rows):
            return self.rows[section] if role == Qt.ItemDataRole.DisplayRole else None
        name = self._axes[0 if orientation == Qt.Orientation.Vertical else 1]
        return f"{name} {section}".strip() if role == Qt.ItemDataRole.DisplayRole else None

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled
        return flags | Qt.ItemFlag.ItemIsEditable if self.editable else flags

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        theme = current_theme()
        value, locked = float(self._values[index.row(), index.column()]), bool(self._locked[index.row(), index.column()])
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return numbers.number(value)
            case Qt.ItemDataRole.DecorationRole if locked:
                return self._lock()
            case Qt.ItemDataRole.EditRole:
                return repr(value)
            case Qt.ItemDataRole.BackgroundRole:
                return theme.diverging(value, self._limit) if np.isfinite(value) else theme.tint("loss", 0.3)
            case Qt.ItemDataRole.ForegroundRole:
                return readable(theme, value, self._limit) if np.isfinite(value) else theme.color("loss")
            case Qt.ItemDataRole.FontRole:
                return mono(BODY)
            case Qt.ItemDataRole.TextAlignmentRole:
                return _ALIGNED
            case Qt.ItemDataRole.ToolTipRole | Qt.ItemDataRole.AccessibleTextRole:
                names = zip(self._axes, (index.row(), index.column()), strict=True)
                place = ", ".join(f"{name} {at}" for name, at in names if name)
                return f"{place}: {value!r}{', locked' if locked else ''}"
        return None

    def setData(self, index: QModelIndex, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        try:
            ((number,),) = read_block(str(value), columns=1)
        except (Refused, ValueError):
            self.refused.emit(f"“{str(value)[:40]}” is no finite number. Type one, as -0.5.")
            return False
        if number != self._values[index.row(), index.column()]:
            self.cell_typed.emit(index.row(), index.column(), number)
        return True
