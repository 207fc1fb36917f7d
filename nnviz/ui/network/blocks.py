"""Cells coloured by value, alone or as the heat picture of a large layer. It paints and knows no layer."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QBrush, QImage, QPainter, QPen

from nnviz.records.tensors import Measure
from nnviz.ui.network.layer_figures import LayerFigures
from nnviz.ui.network.layer_sizes import LayerSize
from nnviz.ui.theme.colors import LARGE, Theme
from nnviz.ui.theme.fonts import sans

_SHADES = 256
_PARTING = 1.4
"""Width of the lines between maps in pixels."""
_SMALLEST_CROSS = 9
"""Pixels a cell must have for a cross in it."""


def set_cell(painter: QPainter, theme: Theme, value: float | None, limit: float) -> None:
    """Give the painter the brush of a cell: hollow for not computed, hatched red for NaN and Inf."""
    if value is None:
        painter.setBrush(theme.color("panel"))
    elif math.isfinite(value):
        painter.setBrush(theme.diverging(value, limit))
    else:
        painter.setBrush(QBrush(theme.color("loss", 0.7), Qt.BrushStyle.BDiagPattern))


def paint_block(painter: QPainter, theme: Theme, face: LayerSize, figures: LayerFigures, limit: float) -> None:
    """Paint a large layer around (0, 0): its heat picture, or the histogram of its measure, or hollow."""
    width, height = face.block
    rect = QRectF(-width / 2, -height / 2, width, height)
    painter.setBrush(theme.color("panel"))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawRect(rect)
    if figures.values is not None and figures.values.size == face.units:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(rect, heat_image(theme, figures.values, face.grid, limit, face.tile))
        _part_maps(painter, theme, rect, face)
        _cross_out(painter, theme, rect, face, figures)
    elif figures.measure is not None:
        _paint_histogram(painter, theme, rect, figures.measure)
    elif not face.units:
        painter.setPen(theme.color("muted"))
        painter.setFont(sans(LARGE))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, "?")
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(_block_pen(theme, figures))
    painter.drawRoundedRect(rect.adjusted(-2, -2, 2, 2), 4, 4)


def _part_maps(painter: QPainter, theme: Theme, rect: QRectF, face: LayerSize) -> None:
    """A line between the maps of two channels, so that each can be read by itself."""
    if not all(face.tile):
        return
    down, across = (cells // size for cells, size in zip(face.grid, face.tile, strict=True))
    painter.setPen(QPen(theme.tint("muted", 0.45), _PARTING))
    columns = (rect.left() + rect.width() * k / across for k in range(1, across))
    rows = (rect.top() + rect.height() * k / down for k in range(1, down))
    painter.drawLines([QLineF(x, rect.top(), x, rect.bottom()) for x in columns] + [QLineF(rect.left(), y, rect.right(), y) for y in rows])


def _cross_out(painter: QPainter, theme: Theme, rect: QRectF, face: LayerSize, figures: LayerFigures) -> None:
    """A cross in every cell that dropout struck, where cells are large enough to show it."""
    rows, columns = face.grid
    wide, high = rect.width() / columns, rect.height() / rows
    if figures.dropped is None or min(wide, high) < _SMALLEST_CROSS:
        return
    painter.setPen(QPen(theme.color("muted"), 0.9))
    crosses = []
    for cell in np.flatnonzero(tiled(figures.dropped, face.grid, face.tile, False)):
        at = QRectF(rect.left() + cell % columns * wide, rect.top() + cell // columns * high, wide, high).adjusted(3, 3, -3, -3)
        crosses += [QLineF(at.topLeft(), at.bottomRight()), QLineF(at.topRight(), at.bottomLeft())]
    painter.drawLines(crosses)


def _block_pen(theme: Theme, figures: LayerFigures) -> QPen:
    if figures.phase:
        return QPen(theme.phase(figures.phase), 2.4)
    known = figures.values is not None or figures.measure is not None
    return QPen(theme.tint("muted", 0.6), 1.1, Qt.PenStyle.SolidLine if known else Qt.PenStyle.DashLine)


def heat_image(theme: Theme, values: np.ndarray, grid: tuple[int, int], limit: float, tile: tuple[int, int] = (0, 0)) -> QImage:
    """Return one pixel per value, row by row in a picture of grid[0] rows; channels of the size `tile` stand side by side."""
    rows, columns = grid
    table = _shades(theme)
    share = np.clip(np.nan_to_num(values, nan=0.0) / limit, -1, 1)
    pixels = table[np.round((share + 1) * (_SHADES // 2 - 0.5)).astype(int)]
    pixels = np.where(np.isfinite(values), pixels, np.uint32(theme.color("loss").rgb()))
    full = tiled(pixels, grid, tile, np.uint32(theme.color("panel").rgb()))
    return QImage(full.tobytes(), columns, rows, 4 * columns, QImage.Format.Format_RGB32).copy()


def tiled(cells: np.ndarray, grid: tuple[int, int], tile: tuple[int, int], empty: object) -> np.ndarray:
    """Return what stands in each cell of a grid, row by row, for values in C order; cells beyond the last value are `empty`."""
    full = np.full(grid[0] * grid[1], empty, dtype=cells.dtype)
    full[: cells.size] = cells
    if not all(tile):
        return full
    high, wide = tile
    return full.reshape(grid[0] // high, grid[1] // wide, high, wide).transpose(0, 2, 1, 3).ravel()


def _shades(theme: Theme) -> np.ndarray:
    if theme.name not in _SHADE_TABLES:
        shades = [theme.diverging(value, 1.0).rgb() for value in np.linspace(-1, 1, _SHADES)]
        _SHADE_TABLES[theme.name] = np.array(shades, dtype=np.uint32)
    return _SHADE_TABLES[theme.name]


_SHADE_TABLES: dict[str, np.ndarray] = {}


def _paint_histogram(painter: QPainter, theme: Theme, rect: QRectF, measure: Measure) -> None:
    """Bars from the lowest value (bottom) to the highest, in the colour of the value they count."""
    counts = measure.histogram
    most = max(counts, default=0)
    limit = max(abs(measure.low), abs(measure.high)) or 1.0
    for index, count in enumerate(counts):
        share = (index + 0.5) / len(counts)
        value = (1 - share) * measure.low + share * measure.high
        bar = rect.height() / len(counts)
        at = QRectF(rect.left(), rect.bottom() - (index + 1) * bar, rect.width() * count / most if most else 0, max(1.0, bar - 0.5))
        painter.fillRect(at, theme.diverging(value, limit))
