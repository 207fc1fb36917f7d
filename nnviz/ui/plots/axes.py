"""Light axes, lines and the box with the values under the pointer. Painting only; limits and ticks come from scales.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from itertools import pairwise

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from nnviz.ui.fonts import mono, sans
from nnviz.ui.plots.scales import Scale
from nnviz.ui.theme import SMALL, Theme

LINE = 14.0
"""Height of a line of small text."""
_PADDING = 6.0
_MOST_TICKS = 6


@cache
def small_sans() -> QFont:
    """Return the font of small texts, made once."""
    return sans(SMALL)


@cache
def small_mono() -> QFont:
    """Return the font of small numbers, made once."""
    return mono(SMALL)


@lru_cache(maxsize=4096)
def text_width(text: str, number: bool = False) -> float:
    """Return the width of small text in pixels."""
    return QFontMetricsF(small_mono() if number else small_sans()).horizontalAdvance(text)


def paint_line(painter: QPainter, color: QColor, width: float, x: np.ndarray, y: np.ndarray) -> None:
    """Paint a line through the pixels (x, y).

    As single strokes: Qt joins the strokes of a polyline wider than a pixel at 15 times the cost. The colour must be opaque.
    """
    painter.setPen(QPen(color, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.SquareCap))
    ends = list(zip(x.tolist(), y.tolist(), strict=True))
    painter.drawLines([QLineF(*start, *end) for start, end in pairwise(ends)])


def paint_x_axis(
    painter: QPainter, theme: Theme, frame: QRectF, scale: Scale, texts: dict[float, str], beyond: float = 0, lines: bool = False
) -> None:
    """Write the ticks below the frame, at most `beyond` pixels past its right side, and draw their lines where asked for."""
    painter.setFont(small_mono())
    for value, text in texts.items():
        x, width = float(scale(value)), text_width(text, number=True)
        if lines:
            painter.setPen(QPen(theme.color("line"), 1))
            painter.drawLine(QPointF(x, frame.top()), QPointF(x, frame.bottom()))
        painter.setPen(theme.color("muted"))
        left = min(x - width / 2, frame.right() + beyond - width)
        painter.drawText(QRectF(left, frame.bottom() + 2, width + 1, LINE), Qt.AlignmentFlag.AlignCenter, text)


def paint_y_axis(painter: QPainter, theme: Theme, frame: QRectF, scale: Scale, texts: dict[float, str], lines: bool = True) -> None:
    """Write the ticks left of the frame, right-aligned, and draw their lines across it."""
    painter.setFont(small_mono())
    for value, text in texts.items():
        y = float(scale(value))
        if lines:
            painter.setPen(QPen(theme.color("line"), 1))
            painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y))
        painter.setPen(theme.color("muted"))
        top = min(max(y - LINE / 2, frame.top() - 2), frame.bottom() + 2 - LINE)
        painter.drawText(QRectF(0, top, frame.left() - 5, LINE), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)


def thinned(row: QRectF) -> QRectF:
    """Return the bar that stands in a row of a bar chart: a little over half as high, at most 30 pixels."""
    inset = max(1.5, row.height() * 0.21, (row.height() - 30) / 2)
    return row.adjusted(0, inset, 0, -inset)


def tick_texts(scale: Scale, room: float, text: Callable[[float], str]) -> dict[float, str]:
    """Return as many ticks of the scale as fit along it when each takes `room` pixels, with their texts."""
    most = min(_MOST_TICKS, max(1, int(abs(scale.end - scale.start) / room)))
    return {value: text(value) for value in scale.ticks(most)}


def paint_readout(painter: QPainter, theme: Theme, at: QPointF, rows: Sequence[tuple[str, str]], bounds: QRectF) -> None:
    """Paint a box beside `at`, inside `bounds`, with one line per (colour name, text)."""
    painter.setFont(small_mono())
    width = max(text_width(text, number=True) for _, text in rows) + 2 * _PADDING
    height = LINE * len(rows) + _PADDING
    left = at.x() + 10 if at.x() + 10 + width <= bounds.right() else at.x() - 10 - width
    left = min(max(left, bounds.left()), max(bounds.left(), bounds.right() - width))
    top = min(max(at.y() - height - 6, bounds.top()), max(bounds.top(), bounds.bottom() - height))
    painter.setPen(QPen(theme.color("faint"), 1))
    painter.setBrush(theme.color("panel"))
    painter.drawRoundedRect(QRectF(left, top, width, height), 4, 4)
    for place, (color, text) in enumerate(rows):
        painter.setPen(theme.color(color))
        line = QRectF(left + _PADDING, top + _PADDING / 2 + place * LINE, width, LINE)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
