"""The first rows of a file as they stand in it, with a line of boxes above: which columns are used. It changes no cell."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from nnviz.records.data_record import TableColumn, TableRecord
from nnviz.ui.theme.colors import BODY, SMALL, current_theme
from nnviz.ui.theme.fonts import mono, sans

_ROW = 24


class CellTable(QTableWidget):
    """Space switches the column of the box the cursor is on."""

    without_changed = Signal(list)
    """Names of the columns that are not used."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, 0, parent)
        self._table: TableRecord | None = None
        self._without: set[str] = set()
        self.setAccessibleName("First rows of the file")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.verticalHeader().setDefaultSectionSize(_ROW)
        self.verticalHeader().setToolTip("Lines of the file")
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMinimumHeight(_ROW * 5)
        self.setMaximumHeight(_ROW * 11)
        self.setCornerButtonEnabled(False)
        self.setStyleSheet("QTableCornerButton::section { background: transparent; border: none; }")
        self.itemChanged.connect(self._switched)

    def set_table(self, table: TableRecord | None, without: set[str]) -> None:
        """Show these cells; None shows none."""
        self._table, self._without = table, set(without) & {column.name for column in (table.columns if table else ())}
        with QSignalBlocker(self):
            self.clear()
            shown = table.columns[: len(table.cells[0])] if table and table.cells else ()
            self.setColumnCount(len(shown))
            self.setRowCount(len(table.cells) + 1 if shown else 0)
            for place, column in enumerate(shown):
                self._fill(place, column, table)
            self.setVerticalHeaderLabels(["use", *map(str, table.lines)] if shown else [])
        self.resizeColumnsToContents()
        for place in range(self.columnCount()):
            self.setColumnWidth(place, max(64, min(180, self.columnWidth(place) + 8)))

    def _fill(self, place: int, column: TableColumn, table: TableRecord) -> None:
        is_target, is_used = column.name == table.target, column.name not in self._without
        head = QTableWidgetItem(column.name + (" → target" if is_target else ""))
        head.setToolTip(f"{column.name}: {column.kind}, {column.different:,} different, {column.missing:,} missing")
        self.setHorizontalHeaderItem(place, head)
        box = QTableWidgetItem(column.kind)
        box.setFont(sans(SMALL))
        box.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable)
        if is_target:
            box.setFlags(Qt.ItemFlag.ItemIsEnabled)
        else:
            box.setCheckState(Qt.CheckState.Checked if is_used else Qt.CheckState.Unchecked)
        self.setItem(0, place, box)
        for row, cells in enumerate(table.cells):
            item = QTableWidgetItem(cells[place] or "—")
            item.setFont(mono(BODY))
            faded = not cells[place] or not (is_used or is_target)
            item.setForeground(current_theme().color("faint" if faded else "text"))
            if is_target:
                item.setBackground(current_theme().tint("forward", 0.08))
            self.setItem(row + 1, place, item)

    def _switched(self, item: QTableWidgetItem) -> None:
        if item.row() == 0 and self._table:
            name = self._table.columns[item.column()].name
            changed = self._without - {name} if item.checkState() == Qt.CheckState.Checked else self._without | {name}
            if changed != self._without:
                self._without = changed
                order = [column.name for column in self._table.columns]
                self.without_changed.emit(sorted(changed, key=lambda name: order.index(name) if name in order else -1))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self.set_table(self._table, self._without)
        super().changeEvent(event)
