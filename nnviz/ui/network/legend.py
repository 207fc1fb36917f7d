"""The scales of the picture, in a line at its lower edge. Paints and knows no layer."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from nnviz.text.numbers import short
from nnviz.ui.network.layer_figures import Figures
from nnviz.ui.theme.colors import BODY, SMALL, Theme
from nnviz.ui.theme.fonts import sans

HEIGHT = 12
_BAR, _CELLS = 44, 11
_GAP, _AWAY = 14, 5
_NAMES = {"value": ("a", "w", "b"), "gradient": ("∂L/∂a", "∂L/∂w", "∂L/∂b"), "update": ("a", "Δw", "Δb")}
"""What neurons, weights and biases show, by colouring."""


def scales_of(figures: Figures) -> tuple[tuple[str, float], ...]:
    """Return name and end of every scale that a picture with these numbers is coloured on."""
    names, scales = _NAMES[figures.coloring], []
    if any(layer.values is not None for layer in figures.layers.values()):
        scales.append((names[0], figures.value_limit))
    if figures.weights:
        scales.append((names[1], figures.weight_limit))
    if any(name.endswith(".bias") for name in figures.weights):
        scales.append((names[2], figures.bias_limit))
    return tuple(scales)


def rect(room: QRect) -> QRect:
    """Return where in the viewport the scales are."""
    return QRect(room.left(), room.bottom() - HEIGHT - 4, room.width(), HEIGHT + 5)


def paint(painter: QPainter, room: QRect, theme: Theme, figures: Figures) -> None:
    """Paint the scales of neurons, weights and biases at the lower right of a picture that has numbers."""
    painter.setFont(sans(SMALL))
    metrics = QFontMetricsF(painter.font())
    scales = _fitting(metrics, scales_of(figures), room.width() - 8)
    right = float(room.right() - 4)
    whole = sum(_width(metrics, scale) + _GAP for scale in scales)
    painter.fillRect(QRectF(right - whole, room.bottom() - HEIGHT - 3, whole + 4, HEIGHT + 4), theme.color("panel", 0.85))
    for scale in reversed(scales):
        left = right - _width(metrics, scale)
        _paint_scale(painter, theme, left, room.bottom() - HEIGHT - 1, scale)
        right = left - _GAP


def paint_invitation(painter: QPainter, room: QRect, theme: Theme) -> None:
    """Say on an empty picture how to begin."""
    painter.setFont(sans(BODY))
    painter.setPen(theme.color("muted"))
    text = "Drag a layer here, or type its name: the first is the input. Ctrl+Alt+N opens a template."
    painter.drawText(room.adjusted(12, 12, -12, -12), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)


def _fitting(metrics: QFontMetricsF, scales: tuple[tuple[str, float], ...], room: float) -> list[tuple[str, str]]:
    """What stands before and behind each bar: both ends; where room is short the limit before it; else one bar behind all limits."""
    both = [(f"{name}  {short(-limit)}", short(limit)) for name, limit in scales]
    limits = [(f"{name} ±{short(limit)}", "") for name, limit in scales]
    for texts in (both, limits):
        if sum(_width(metrics, scale) + _GAP for scale in texts) <= room:
            return texts
    return [("  ".join(text for text, _ in limits), "")]


def _width(metrics: QFontMetricsF, texts: tuple[str, str]) -> float:
    low, high = texts
    return metrics.horizontalAdvance(low) + _AWAY + _BAR + (_AWAY + metrics.horizontalAdvance(high) if high else 0.0)


def _paint_scale(painter: QPainter, theme: Theme, left: float, top: float, texts: tuple[str, str]) -> None:
    """Paint one scale that begins at `left`."""
    low_width, high_width = (QFontMetricsF(painter.font()).horizontalAdvance(text) for text in texts)
    painter.setPen(theme.color("muted"))
    painter.drawText(QRectF(left, top, low_width + 2, HEIGHT), Qt.AlignmentFlag.AlignVCenter, texts[0])
    bar = round(left + low_width + _AWAY)
    for cell in range(_CELLS):
        painter.fillRect(QRect(bar + cell * _BAR // _CELLS, round(top) + 3, _BAR // _CELLS, HEIGHT - 6), theme.diverging(cell / 5 - 1, 1.0))
    painter.drawText(QRectF(bar + _BAR + _AWAY, top, high_width + 2, HEIGHT), Qt.AlignmentFlag.AlignVCenter, texts[1])
