"""The rows of one parameter's update for one element, as values, and how they are painted. It knows no widget."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QFont, QFontMetricsF, QPainter, QPen

from nnviz.records.tensors import Tensor
from nnviz.records.trace_state import TraceState
from nnviz.text import plot_numbers
from nnviz.text.numbers import steady
from nnviz.ui.theme.colors import BODY, Theme
from nnviz.ui.theme.fonts import mono, scaled
from nnviz.ui.widgets.readout import RIGHT, line_height, paint_readout, small_mono, text_width, thinned, write
from nnviz.ui.widgets.scales import AxisScale, decades

_LOWEST, _TALLEST = 13.5, 30.0
"""Height of a row in pixels."""
_TWO_LINES = 28.0
"""Height of a row whose formula stands below its symbol, for lack of room beside it."""
_SHORTEST = 28.0
"""Bars get no less room than this, in pixels."""
_GAP = 8.0


@dataclass(frozen=True)
class ShownRow:
    """One row: its value is None until the optimizer has run, or where it does not apply."""

    symbol: str
    formula: str
    value: complex | None
    is_norm: bool = False
    """Whether the value is the norm over all elements, because the tensor was too large to travel."""
    was: float | None = None
    """The value without what is supposed, if it is another."""


def rows_of(state: TraceState, node: int, element: tuple[int, ...]) -> tuple[ShownRow, ...]:
    """Return the rows of a parameter's update for one element; without values until the parameter is updated."""
    update, known = state.index.updates[node], state.is_updated(node)
    return tuple(
        ShownRow(row.symbol, row.formula, _value(state, row.value, element) if known else None, row.value.values is None)
        for row in update.rows
    )


def _value(state: TraceState, tensor: Tensor, element: tuple[int, ...]) -> float | None:
    array = state.index.array(tensor)
    if array is None:
        return tensor.measure.norm if tensor.measure else None
    if array.size == 1:
        return array.reshape(-1)[0].item()
    return array[element].item() if array.ndim == len(element) else None


def fitted(element: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the element, or as much of it as a parameter of this shape has."""
    padded = (*element, *(0,) * len(shape))
    return tuple(min(index, size - 1) for index, size in zip(padded, shape, strict=False))


def log_limits(rows: tuple[ShownRow, ...]) -> tuple[float, float] | None:
    """Return the powers of ten around all absolute values above 0; None if there is none."""
    sizes = [abs(row.value) for row in rows if row.value and np.isfinite(row.value)]
    return decades(min(sizes) / 2, max(sizes)) if sizes else None


def compared(rows: tuple[ShownRow, ...], before: tuple[ShownRow, ...]) -> tuple[ShownRow, ...]:
    """Return the rows, each with its value among those from `before`, where that is another."""
    if [row.symbol for row in rows] != [row.symbol for row in before]:
        return rows
    return tuple(replace(row, was=old.value) if old.value != row.value else row for row, old in zip(rows, before, strict=True))


def needed_height(rows: tuple[ShownRow, ...], width: float) -> float:
    """Return the height in pixels that the rows and their caption need in a table of this width."""
    is_low = _columns(rows, width).is_beside and all(row.was is None for row in rows)
    return len(rows) * scaled(_LOWEST if is_low else _TWO_LINES) + line_height()


def tallest(rows: tuple[ShownRow, ...]) -> float:
    """Return the height in pixels beyond which rows and caption do not grow."""
    return len(rows) * scaled(_TALLEST) + line_height()


def paint_rows(painter: QPainter, area: QRectF, theme: Theme, rows: tuple[ShownRow, ...], note: str, hovered: QPointF | None) -> None:
    """Paint symbol, formula, number and bar of every row, the note and what the bars mean below; under the pointer the row in words."""
    columns, limits = _columns(rows, area.width()), log_limits(rows)
    boxes = row_boxes(area, rows)
    for row, line in zip(rows, boxes, strict=True):
        _paint_row(painter, theme, row, line, columns)
        _paint_bar(painter, theme, row, _upper(line, not columns.is_beside).adjusted(columns.bar, 0, 0, 0), limits)
    bottom = max((box.bottom() for box in boxes), default=area.top())
    _paint_caption(painter, theme, QRectF(area.left(), bottom + 1, area.width(), line_height()), note, _meaning(rows, limits))
    for row in [row for row, box in zip(rows, boxes, strict=True) if hovered is not None and box.contains(hovered)]:
        paint_readout(painter, theme, hovered, _readout(row), area)


def row_boxes(area: QRectF, rows: tuple[ShownRow, ...]) -> list[QRectF]:
    """Return where each row stands."""
    height = min(scaled(_TALLEST), (area.height() - line_height()) / max(1, len(rows)))
    return [QRectF(area.left(), area.top() + place * height, area.width(), height) for place in range(len(rows))]


class _Columns(NamedTuple):
    """Where formulas, numbers and bars begin, from the left of a row."""

    formula: float
    number: float
    number_width: float
    bar: float
    is_beside: bool
    """Whether formulas stand beside the symbols; else below them."""


def _columns(rows: tuple[ShownRow, ...], width: float) -> _Columns:
    symbols = max((symbol_width(row.symbol) for row in rows), default=0.0) + _GAP
    formulas = max((text_width(row.formula) for row in rows), default=0.0) + _GAP
    numbers = max(
        (_number_width(text) for row in rows for text in ("−0.000000", "" if row.value is None else steady(row.value))), default=0.0
    )
    numbers = max(numbers, *(text_width(_was(row)) for row in rows), 0.0)
    is_beside = symbols + formulas + numbers + 2 * _GAP + _SHORTEST <= width
    number = symbols + formulas if is_beside else symbols
    return _Columns(symbols, number, numbers, number + numbers + _GAP, is_beside)


def symbol_width(symbol: str) -> float:
    """Return the width of a row's symbol in pixels."""
    return QFontMetricsF(_symbol_font()).horizontalAdvance(symbol)


def _number_width(text: str) -> float:
    return QFontMetricsF(_number_font()).horizontalAdvance(text)


def _symbol_font() -> QFont:
    return mono(BODY)


def _number_font() -> QFont:
    return mono(BODY, QFont.Weight.Bold)


def _paint_row(painter: QPainter, theme: Theme, row: ShownRow, line: QRectF, columns: _Columns) -> None:
    """Paint symbol, formula and number; what the number was stands below it, or behind the formula where that is below."""
    upper, lower = _upper(line, True), line.adjusted(0, line.height() / 2, 0, 0)
    was = _was(row)
    write(painter, _upper(line, not columns.is_beside), row.symbol, theme.color("text"), _symbol_font())
    if columns.is_beside:
        write(painter, line.adjusted(columns.formula, 0, 0, 0), row.formula, theme.color("muted"))
        write(painter, _column(lower, columns), was, theme.color("what_if"), small_mono(), RIGHT)
    else:
        below = " · ".join(filter(None, (row.formula, was)))
        write(painter, lower.adjusted(columns.formula, 0, 0, 0), below, theme.color("what_if" if was else "muted"))
    _paint_number(painter, theme, row, _column(upper if was or not columns.is_beside else line, columns))


def _was(row: ShownRow) -> str:
    return "" if row.was is None else f"was {steady(row.was)}"


def _upper(line: QRectF, halved: bool) -> QRectF:
    return line.adjusted(0, 0, 0, -line.height() / 2) if halved else line


def _column(line: QRectF, columns: _Columns) -> QRectF:
    """Where the number of a row stands."""
    return QRectF(line.left() + columns.number, line.top(), columns.number_width, line.height())


def _paint_number(painter: QPainter, theme: Theme, row: ShownRow, room: QRectF) -> None:
    if row.value is None:
        write(painter, room, "not yet", theme.color("faint"), align=RIGHT)
        return
    color = theme.color("text" if np.isfinite(row.value) else "loss")
    write(painter, room, steady(row.value), color, _number_font(), RIGHT)


def _paint_bar(painter: QPainter, theme: Theme, row: ShownRow, room: QRectF, limits: tuple[float, float] | None) -> None:
    """Dashed before the value is there, hatched where it is not finite, a pale stump for 0, else as long as the value is large."""
    bar = thinned(room.adjusted(0.5, 0, -0.5, 0))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.tint("update", 0.62))
    if row.value is None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.color("faint"), 1, Qt.PenStyle.DashLine))
    elif not np.isfinite(row.value):
        painter.setBrush(QBrush(theme.color("loss"), Qt.BrushStyle.BDiagPattern))
    elif row.value == 0:
        bar.setWidth(6)
        painter.setBrush(theme.tint("update", 0.12))
    else:
        bar.setWidth(max(2.0, float(AxisScale(*limits, 0, bar.width(), log=True)(np.abs(row.value)))))
    painter.drawRoundedRect(bar, 3, 3)


def _meaning(rows: tuple[ShownRow, ...], limits: tuple[float, float] | None) -> str:
    """What the bars stand for."""
    norms = "norms, " if any(row.is_norm for row in rows) else ""
    if any(row.value is None for row in rows):
        return "not computed yet"
    return (
        f"{norms}log scale {plot_numbers.power_of_ten(limits[0])} … {plot_numbers.power_of_ten(limits[1])}" if limits else "all rows are 0"
    )


def _paint_caption(painter: QPainter, theme: Theme, room: QRectF, left: str, right: str) -> None:
    write(painter, room, left, theme.color("muted"))
    if text_width(left) + text_width(right) + 8 <= room.width():
        write(painter, room, right, theme.color("muted"), align=RIGHT)


def _readout(row: ShownRow) -> list[tuple[str, str]]:
    value = "not computed yet" if row.value is None else steady(row.value)
    return [("update", f"{row.symbol} = {row.formula}"), ("text", f"{'norm ' if row.is_norm else ''}{value}")]
