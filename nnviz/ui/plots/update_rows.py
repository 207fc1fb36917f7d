"""The rows of one parameter's update for one element, as values, and how they are painted. It knows no widget."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QFont, QFontMetricsF, QPainter, QPen

from nnviz.protocol import Tensor
from nnviz.session.moment import Moment
from nnviz.ui.fonts import mono
from nnviz.ui.plots import figures
from nnviz.ui.plots.readout import LINE, RIGHT, paint_readout, text_width, thinned, write
from nnviz.ui.plots.scales import Scale, decades
from nnviz.ui.theme import BODY, Theme

_LOWEST, _TALLEST = 14.0, 60.0
"""Height of a row in pixels. Rows without room for the lowest stand in two columns."""
READABLE = 12.5
"""Rows lower than this run into each other."""
_SHORTEST = 16.0
"""Where there is less room for bars, there are none."""


@dataclass(frozen=True)
class Row:
    """One row: its value is None until the optimizer has run, or where it does not apply."""

    symbol: str
    formula: str
    value: float | None
    is_norm: bool = False
    """Whether the value is the norm over all elements, because the tensor was too large to travel."""


def rows_of(moment: Moment, node: int, element: tuple[int, ...]) -> tuple[Row, ...]:
    """Return the rows of a parameter's update for one element; without values until the parameter is updated."""
    update, known = moment.reading.updates[node], moment.is_updated(node)
    return tuple(
        Row(row.symbol, row.formula, _value(moment, row.value, element) if known else None, row.value.values is None) for row in update.rows
    )


def _value(moment: Moment, tensor: Tensor, element: tuple[int, ...]) -> float | None:
    array = moment.reading.array(tensor)
    if array is None:
        return tensor.measure.norm if tensor.measure else None
    if array.size == 1:
        return float(array.reshape(-1)[0])
    return float(array[element]) if array.ndim == len(element) else None


def fitted(element: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the element, or as much of it as a parameter of this shape has."""
    padded = (*element, *(0,) * len(shape))
    return tuple(min(index, size - 1) for index, size in zip(padded, shape, strict=False))


def log_limits(rows: tuple[Row, ...]) -> tuple[float, float] | None:
    """Return the powers of ten around all absolute values above 0; None if there is none."""
    sizes = [abs(row.value) for row in rows if row.value and math.isfinite(row.value)]
    return decades(min(sizes) / 2, max(sizes)) if sizes else None


def paint_rows(painter: QPainter, area: QRectF, theme: Theme, rows: tuple[Row, ...], note: str, hovered: QPointF | None) -> None:
    """Paint symbol, number and bar of every row, the note and what the bars mean below, and the formula of the row under the pointer."""
    boxes = row_boxes(area, len(rows))
    symbols = max(map(QFontMetricsF(mono(BODY)).horizontalAdvance, [row.symbol for row in rows]), default=0.0)
    texts = ["−0.000000", *(figures.figure(row.value) for row in rows if row.value is not None)]
    numbers = max(map(QFontMetricsF(mono(BODY, QFont.Weight.Bold)).horizontalAdvance, texts))
    limits = log_limits(rows)
    for row, line in zip(rows, boxes, strict=True):
        write(painter, line, row.symbol, theme.color("muted"), mono(BODY))
        _paint_number(painter, theme, row, QRectF(line.left() + symbols + 12, line.top(), numbers, line.height()))
        _paint_bar(painter, theme, row, line.adjusted(symbols + numbers + 28, 0, 0, 0), limits)
    bottom = max((box.bottom() for box in boxes), default=area.top())
    caption = QRectF(area.left(), bottom + 1, area.width(), LINE)
    _paint_caption(painter, theme, caption, note, _meaning(rows, limits))
    for row in [row for row, box in zip(rows, boxes, strict=True) if hovered is not None and box.contains(hovered)]:
        paint_readout(painter, theme, hovered, _readout(row), area)


def row_boxes(area: QRectF, count: int) -> list[QRectF]:
    """Return where each row stands: below each other, or in two columns where they would be lower than their text."""
    height = area.height() - LINE
    columns = 1 if height >= count * _LOWEST else 2
    lines = max(1, math.ceil(count / columns))
    width, pitch = (area.width() - 12 * (columns - 1)) / columns, min(_TALLEST, height / lines)
    return [QRectF(area.left() + place // lines * (width + 12), area.top() + place % lines * pitch, width, pitch) for place in range(count)]


def _paint_number(painter: QPainter, theme: Theme, row: Row, room: QRectF) -> None:
    if row.value is None:
        write(painter, room, "not yet", theme.color("faint"), align=RIGHT)
        return
    color = theme.color("text" if math.isfinite(row.value) else "loss")
    write(painter, room, figures.figure(row.value), color, mono(BODY, QFont.Weight.Bold), RIGHT)


def _paint_bar(painter: QPainter, theme: Theme, row: Row, room: QRectF, limits: tuple[float, float] | None) -> None:
    """Dashed before the value is there, hatched where it is not finite, a pale stump for 0, else as long as the value is large."""
    if room.width() < _SHORTEST:
        return
    bar = thinned(room.adjusted(0.5, 0, -0.5, 0))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.tint("update", 0.62))
    if row.value is None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.color("faint"), 1, Qt.PenStyle.DashLine))
    elif not math.isfinite(row.value):
        painter.setBrush(QBrush(theme.color("loss"), Qt.BrushStyle.BDiagPattern))
    elif row.value == 0:
        bar.setWidth(6)
        painter.setBrush(theme.tint("update", 0.12))
    else:
        bar.setWidth(max(2.0, float(Scale(*limits, 0, bar.width(), log=True)(np.abs(row.value)))))
    painter.drawRoundedRect(bar, 3, 3)


def _meaning(rows: tuple[Row, ...], limits: tuple[float, float] | None) -> str:
    """What the bars stand for."""
    norms = "norms, " if any(row.is_norm for row in rows) else ""
    if any(row.value is None for row in rows):
        return "not computed yet"
    return f"{norms}log scale {figures.power_of_ten(limits[0])} … {figures.power_of_ten(limits[1])}" if limits else "all rows are 0"


def _paint_caption(painter: QPainter, theme: Theme, room: QRectF, left: str, right: str) -> None:
    write(painter, room, left, theme.color("muted"))
    if text_width(left) + text_width(right) + 8 <= room.width():
        write(painter, room, right, theme.color("muted"), align=RIGHT)


def _readout(row: Row) -> list[tuple[str, str]]:
    value = "not computed yet" if row.value is None else figures.figure(row.value)
    return [("update", f"{row.symbol} = {row.formula}"), ("text", f"{'norm ' if row.is_norm else ''}{value}")]
