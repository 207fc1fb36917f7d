"""Paints a column of neurons: circles coloured by activation with the number inside, dropped ones crossed out, biases as dots."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QPainter, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem

from nnviz.text import captions
from nnviz.ui.network import blocks
from nnviz.ui.network.layer_figures import LayerFigures
from nnviz.ui.network.layer_sizes import LayerSize
from nnviz.ui.theme.colors import Theme
from nnviz.ui.theme.fonts import drawn_mono as mono
from nnviz.ui.widgets.color_scale import color_of, readable

_SMALLEST_NUMBERED = 15.0
"""Neurons of a smaller diameter on the screen show no numbers."""
_SMALLEST_ROUND = 5.0
"""Neurons of a smaller diameter on the screen are squares."""
_LOWEST, _SHARE, _TINIEST = 6.8, 0.27, 5.6
"""Pixels a number is high at least, its share of the neuron's diameter where that is more, and the least for one that is too long."""
_ACROSS = 0.86
"""The share of the diameter that a number may take, so that it keeps off the rim."""
_DIGIT = 0.6
"""How wide a character is, for its height."""

_SMALLEST_WITH_BIAS = 9.0
"""Neurons of a smaller radius on the screen show no bias."""


def paint_neurons(
    painter: QPainter, theme: Theme, face: LayerSize, figures: LayerFigures, limit: float, hovered: int = -1, exposed: QRectF | None = None
) -> None:
    """Paint the neurons of a layer around (0, 0), coloured on ±limit; `exposed` is the part that can be seen (None: all).

    Units of classes have the number and the colour of their probability, as what is written beside them.
    """
    scale = QStyleOptionGraphicsItem.levelOfDetailFromTransform(painter.worldTransform())
    shown, limit = (figures.values, limit) if figures.shares is None else (figures.shares, 1.0)
    if 2 * face.radius * scale < _SMALLEST_ROUND:
        _paint_dots(painter, theme, face, replace(figures, values=shown), limit)
        return
    for unit in _exposed_units(face, exposed):
        center = QPointF(0, face.unit_y(unit))
        dropped = figures.dropped is not None and bool(figures.dropped[unit])
        value = None if shown is None or dropped else float(shown[unit])
        painter.setPen(_outline(theme, figures.phase, unit == hovered, value is None and not dropped))
        blocks.set_cell(painter, theme, value, limit)
        painter.drawEllipse(center, face.radius, face.radius)
        if dropped:
            _cross_out(painter, theme, center, face.radius * 0.5)
        elif value is not None:
            _write(painter, theme, value, limit, center, face.radius, scale)


def _write(painter: QPainter, theme: Theme, value: float, limit: float, center: QPointF, radius: float, scale: float) -> None:
    text, size = written(value, 2 * radius * scale)
    if text:
        painter.setFont(mono(size / scale, QFont.Weight.Bold))
        painter.setPen(readable(theme, value, limit))
        painter.drawText(QRectF(center.x() - radius, center.y() - radius, 2 * radius, 2 * radius), Qt.AlignmentFlag.AlignCenter, text)


def written(value: float, diameter: float) -> tuple[str, float]:
    """Return a number as it stands in a neuron this wide, and how high it is, both in pixels; no text where none could be read.

    One that is too long is written smaller, never cut: without its exponent it would be another number.
    """
    size, longest = number_size(diameter)
    if not longest:
        return "", size
    text = captions.fitting(value, longest)
    fitted = _ACROSS * diameter / (_DIGIT * len(text))
    if fitted < _TINIEST:
        text, fitted = "≈0" if abs(value) < 1 else "", size
    return text, min(size, fitted)


def _exposed_units(face: LayerSize, exposed: QRectF | None) -> list[int]:
    """The neurons that touch this part of the picture."""
    reach = face.radius + 4
    if exposed is None:
        return list(range(face.units))
    if exposed.left() > reach or exposed.right() < -reach:
        return []
    return [unit for unit in range(face.units) if exposed.top() - reach <= face.unit_y(unit) <= exposed.bottom() + reach]


def _paint_dots(painter: QPainter, theme: Theme, face: LayerSize, figures: LayerFigures, limit: float) -> None:
    """Neurons of a few pixels: filled squares, in the colour of their phase, value or outline."""
    plain = theme.phase(figures.phase) if figures.phase else theme.tint("muted", 0.55)
    for unit in range(face.units):
        value = None if figures.values is None else float(figures.values[unit])
        color = plain if value is None or figures.phase else color_of(theme, value, limit)
        painter.fillRect(QRectF(-face.radius, face.unit_y(unit) - face.radius, 2 * face.radius, 2 * face.radius), color)


def number_size(diameter: float) -> tuple[float, int]:
    """Return how high the numbers in a neuron this wide are, and how many characters they may have (0: none). All in pixels."""
    size = max(_LOWEST, _SHARE * diameter)
    return size, min(captions.LONGEST, int(_ACROSS * diameter / (_DIGIT * size))) if diameter >= _SMALLEST_NUMBERED else 0


def _outline(theme: Theme, phase: str, hovered: bool, hollow: bool) -> QPen:
    pen = QPen(theme.color("text"), 1.8) if hovered else QPen(theme.tint("muted", 0.75), 1.2)
    if phase:
        pen = QPen(theme.phase(phase), 2.6)
    if hollow:
        pen.setDashPattern((2.6, 2.2))
    return pen


def _cross_out(painter: QPainter, theme: Theme, center: QPointF, reach: float) -> None:
    painter.setPen(QPen(theme.color("faint"), 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawLine(center + QPointF(-reach, -reach), center + QPointF(reach, reach))
    painter.drawLine(center + QPointF(-reach, reach), center + QPointF(reach, -reach))


def paint_biases(painter: QPainter, theme: Theme, face: LayerSize, biases: np.ndarray | None, limit: float) -> None:
    """Paint the biases as dots at the lower left of their neurons, coloured on ±limit; None paints nothing."""
    scale = QStyleOptionGraphicsItem.levelOfDetailFromTransform(painter.worldTransform())
    if biases is None or biases.size != face.units or face.radius * scale < _SMALLEST_WITH_BIAS:
        return
    painter.setPen(QPen(theme.tint("muted", 0.85), 1.0))
    for unit, bias in enumerate(biases):
        painter.setBrush(color_of(theme, float(bias), limit))
        painter.drawEllipse(bias_dot(face, unit), 3.8, 3.8)


def bias_dot(face: LayerSize, unit: int) -> QPointF:
    """Return where the dot of a unit's bias is."""
    reach = face.radius * 0.72
    return QPointF(-reach, face.unit_y(unit) + reach)
