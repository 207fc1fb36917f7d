"""The scales of the picture, in a line at its lower edge. Paints and knows no layer."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from nnviz.ui.canvas.figures import Figures
from nnviz.ui.fonts import sans
from nnviz.ui.numerals import short
from nnviz.ui.theme import BODY, SMALL, Theme

HEIGHT = 12
_BAR, _CELLS = 44, 11
_GAP = 14


def paint(painter: QPainter, room: QRect, theme: Theme, figures: Figures) -> None:
    """Paint the scales of neurons, weights and biases at the lower right of a picture that has numbers."""
    gradient = figures.coloring == "gradient"
    scales = []
    if any(layer.values is not None for layer in figures.layers.values()):
        scales.append(("∂L/∂a" if gradient else "a", figures.value_limit))
    if figures.weights:
        scales.append(("∂L/∂w" if gradient else "w", figures.weight_limit))
    if any(name.endswith(".bias") for name in figures.weights):
        scales.append(("∂L/∂b" if gradient else "b", figures.bias_limit))
    painter.setFont(sans(SMALL))
    right = float(room.right() - 4)
    for name, limit in reversed(scales):
        right = _paint_scale(painter, theme, right, room.bottom() - HEIGHT - 1, name, limit) - _GAP


def paint_invitation(painter: QPainter, room: QRect, theme: Theme) -> None:
    """Say on an empty picture how to begin."""
    painter.setFont(sans(BODY))
    painter.setPen(theme.color("muted"))
    text = "Drag a layer here, or type its name: the first is the input."
    painter.drawText(room.adjusted(12, 12, -12, -12), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)


def _paint_scale(painter: QPainter, theme: Theme, right: float, top: float, name: str, limit: float) -> float:
    """Paint one scale that ends at `right`; returns where it begins."""
    low, high = f"{name}  {short(-limit)}", short(limit)
    metrics = QFontMetricsF(painter.font())
    high_width, low_width = metrics.horizontalAdvance(high), metrics.horizontalAdvance(low)
    painter.setPen(theme.color("muted"))
    painter.drawText(QRectF(right - high_width - 1, top, high_width + 2, HEIGHT), Qt.AlignmentFlag.AlignVCenter, high)
    bar = round(right - high_width - 5 - _BAR)
    for cell in range(_CELLS):
        painter.fillRect(QRect(bar + cell * _BAR // _CELLS, round(top) + 3, _BAR // _CELLS, HEIGHT - 6), theme.diverging(cell / 5 - 1, 1.0))
    painter.drawText(QRectF(bar - 5 - low_width, top, low_width + 2, HEIGHT), Qt.AlignmentFlag.AlignVCenter, low)
    return bar - 5 - low_width
