"""Rows of a sheet: a head, and below it names with what is chosen under each."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from nnviz.ui.theme.colors import GRID, GUTTER


def begin_sheet(sheet: QWidget, head: str, rows: Sequence[tuple[str, Sequence[QWidget]]]) -> QVBoxLayout:
    """Lay out a sheet: its head, then a row for each name with its widgets; return the column, for what stands below them."""
    column, grid, title = QVBoxLayout(sheet), QGridLayout(), QLabel(head)
    column.setContentsMargins(GUTTER, GUTTER, GUTTER, GUTTER)
    column.setSpacing(2 * GRID)
    title.setProperty("role", "head")
    grid.setHorizontalSpacing(2 * GRID)
    for number, (name, widgets) in enumerate(rows):
        label, row = QLabel(name), QHBoxLayout()
        label.setProperty("role", "muted")
        for widget in widgets:
            row.addWidget(widget)
        row.addStretch()
        grid.addWidget(label, number, 0)
        grid.addLayout(row, number, 1)
    column.addWidget(title)
    column.addLayout(grid)
    return column
