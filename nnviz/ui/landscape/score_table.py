"""A small table that a plot paints: a name and numbers in each row, the last columns left out where there is no room for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from nnviz.ui.theme.colors import Theme
from nnviz.ui.widgets.readout import RIGHT, line_height, small_mono, small_sans, text_width, write

_GAP = 12.0


@dataclass(frozen=True)
class ScoreTable:
    """What stands in it."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    """The name first, then a text for each column."""
    present: int
    """The row on a ground of its own."""
    best: tuple[int, int] | None = None
    """The row and the column that stand out."""
    notes: tuple[str, ...] = ()
    """Sentences below."""
    muted: frozenset[int] = frozenset()
    """Columns that stand back."""


def paint_table(painter: QPainter, theme: Theme, area: QRectF, table: ScoreTable) -> None:
    """Paint the table into the area, as many of its columns as there is room for."""
    heads = range(len(table.columns))
    widths = [2 + max(text_width(table.columns[n]), *(text_width(row[n + 1], number=True) for row in table.rows)) for n in heads]
    names = max(text_width(row[0]) for row in table.rows) + 16
    shown = list(heads)
    while len(shown) > 2 and names + sum(widths[n] + _GAP for n in shown) > area.width():
        shown.pop()
    height = min(line_height() + 8, max(line_height(), area.height() / (len(table.rows) + 1 + len(table.notes))))
    for number, row in enumerate((None, *table.rows)):
        line = QRectF(area.left() + 2, area.top() + number * height, area.width() - 6, height)
        if number == table.present + 1:
            painter.fillRect(line, theme.color("field"))
        right = line.right()
        for column in reversed(shown):
            room = QRectF(right - widths[column], line.top(), widths[column], height)
            if row is None:
                write(painter, room, table.columns[column], theme.color("muted"), small_sans(), RIGHT)
            else:
                color = "validation_set" if table.best == (number - 1, column) else "muted" if column in table.muted else "text"
                write(painter, room, row[column + 1], theme.color(color), small_mono(), RIGHT)
            right -= widths[column] + _GAP
        if row is not None:
            name = QFontMetricsF(small_sans()).elidedText(row[0], Qt.TextElideMode.ElideRight, max(0.0, right - line.left() - 6))
            write(painter, line.adjusted(6, 0, 0, 0), name, theme.color("text"))
    painter.setFont(small_sans())
    painter.setPen(theme.color("muted"))
    below = area.adjusted(8, (len(table.rows) + 1) * height + 4, -8, 0)
    painter.drawText(below, int(Qt.AlignmentFlag.AlignLeft) | int(Qt.TextFlag.TextWordWrap), "\n".join(table.notes))
