"""What plots paint themselves: small text, and the box with the values under the pointer. It knows no plot."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from nnviz.ui.theme.colors import SMALL, Theme
from nnviz.ui.theme.fonts import mono, sans, scaled

LEFT, RIGHT = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
_PADDING = 6.0


def line_height() -> float:
    """Return the height of a line of small text in pixels."""
    return scaled(14.0)


def small_sans() -> QFont:
    """Return the font of small texts."""
    return sans(SMALL)


def small_mono() -> QFont:
    """Return the font of small numbers."""
    return mono(SMALL)


def text_width(text: str, number: bool = False) -> float:
    """Return the width of small text in pixels."""
    return _width(text, number, scaled(1.0))


@lru_cache(maxsize=4096)
def _width(text: str, number: bool, factor: float) -> float:
    """Kept for each text size."""
    return QFontMetricsF(small_mono() if number else small_sans()).horizontalAdvance(text)


def thinned(row: QRectF) -> QRectF:
    """Return the bar that stands in a row of a bar chart: a little over half as high, at most 30 pixels."""
    inset = max(1.5, row.height() * 0.21, (row.height() - scaled(30)) / 2)
    return row.adjusted(0, inset, 0, -inset)


def write(painter: QPainter, room: QRectF, text: str, color: QColor, font: QFont | None = None, align: Qt.AlignmentFlag = LEFT) -> None:
    """Write a line of text, small if no font is given, in the middle of the room's height."""
    painter.setPen(color)
    painter.setFont(font or small_sans())
    painter.drawText(room, align | Qt.AlignmentFlag.AlignVCenter, text)


def paint_readout(painter: QPainter, theme: Theme, at: QPointF, rows: Sequence[tuple[str, str]], bounds: QRectF) -> None:
    """Paint a box beside `at`, inside `bounds`, with one line per (colour name, text)."""
    width = max(text_width(text, number=True) for _, text in rows) + 2 * _PADDING
    height = line_height() * len(rows) + _PADDING
    left = at.x() + 10 if at.x() + 10 + width <= bounds.right() else at.x() - 10 - width
    left = min(max(left, bounds.left()), max(bounds.left(), bounds.right() - width))
    top = min(max(at.y() - height - 6, bounds.top()), max(bounds.top(), bounds.bottom() - height))
    painter.setPen(QPen(theme.color("faint"), 1))
    painter.setBrush(theme.color("panel"))
    painter.drawRoundedRect(QRectF(left, top, width, height), 4, 4)
    for place, (color, text) in enumerate(rows):
        line = QRectF(left + _PADDING, top + _PADDING / 2 + place * line_height(), width, line_height())
        write(painter, line, text, theme.color(color), small_mono())
