"""How a node is drawn as a circle with its value in it, its name above and its gradient below, and the links between circles."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QFont, QFontMetricsF, QPainter, QPainterPath, QPen

from nnviz.ui.graph import marks
from nnviz.ui.graph.graph_items import ON_EDGE
from nnviz.ui.graph.neuron_states import NeuronState
from nnviz.ui.graph.routing import Box
from nnviz.ui.graph.states import EdgeState
from nnviz.ui.theme.colors import BODY, SMALL, Theme, mixed, of_sign
from nnviz.ui.theme.fonts import drawn_mono as mono
from nnviz.ui.theme.fonts import drawn_sans as sans
from nnviz.ui.widgets.color_scale import readable

_Flag = Qt.AlignmentFlag
_HALO = 5.0
_FUTURE = 0.45
_NARROW, _WIDE = 1.0, 4.6
"""Pixels a link is wide."""
_LINE = 13.0
_LEGIBLE = 0.55
"""Below this zoom numbers could not be read and are not drawn."""


@cache
def _fonts() -> tuple[QFont, QFont]:
    return mono(SMALL), sans(SMALL)


class CircleFace:
    """A circle in a box of the scene; its origin is its middle."""

    def __init__(self, box: Box, is_roomy: bool, is_below: bool) -> None:
        """`is_roomy`: there is room for a line with the bias, too; `is_below`: a link leaves it upwards, so its name stands under it."""
        self._radius, self._is_roomy, self._is_below = box[2] / 2, is_roomy, is_below
        radius = self._radius
        self.origin = QPointF(box[0] + radius, box[1] + radius)
        self.bounds = QRectF(-72, -radius - 38, 144, 2 * radius + 62)
        self.outline = QPainterPath()
        self.outline.addEllipse(QPointF(0, 0), radius, radius)
        self.breakpoint_at = QPointF(-radius * 0.72, -radius * 0.72)
        self.what_if_at = QPointF(radius * 0.75, -radius * 0.75)

    def cell_at(self, state: NeuronState, place: QPointF) -> int | None:
        """Return 0, the only element there is, inside the circle; None outside."""
        return 0 if QLineF(QPointF(0, 0), place).length() <= self._radius else None

    def paint(self, painter: QPainter, theme: Theme, state: NeuronState, zoom: float) -> None:
        """Paint the circle with its numbers and marks."""
        self._paint_ground(painter, theme, state)
        if zoom >= _LEGIBLE:
            self._paint_value(painter, theme, state)
            self._paint_texts(painter, theme, state)
        marks.paint_on_circle(painter, theme, state.marks, self._radius)

    def _paint_ground(self, painter: QPainter, theme: Theme, state: NeuronState) -> None:
        radius = self._radius
        if state.read or state.selected:
            painter.setPen(QPen(theme.color("backward" if state.read else "positive", 0.28), _HALO))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QPointF(0, 0), radius + 3, radius + 3)
        painter.setPen(_ring(theme, state))
        painter.setBrush(_brush(theme, state))
        painter.drawEllipse(QPointF(0, 0), radius, radius)

    def _paint_value(self, painter: QPainter, theme: Theme, state: NeuronState) -> None:
        if state.value is None or "dropped" in state.marks:
            return
        painter.setFont(_fitting(state.value.text, 2 * self._radius - 7))
        fill = state.size if state.value.is_finite and state.size is not None else 0.0
        painter.setPen(readable(theme, fill, 1.0) if state.value.is_finite else theme.color("loss"))
        painter.drawText(_line(-self._radius, 2 * self._radius), int(_Flag.AlignCenter), state.value.text)

    def _paint_texts(self, painter: QPainter, theme: Theme, state: NeuronState) -> None:
        radius = self._radius
        number, text = _fonts()
        painter.setFont(text)
        painter.setPen(theme.color("muted"))
        shows_bias = bool(state.bias) and self._is_roomy
        top = radius + 4 if self._is_below else -radius - 17 - 16 * shows_bias
        painter.drawText(_line(top, 14), int(_Flag.AlignCenter), state.name)
        painter.setFont(number)
        if shows_bias:
            said = f"b {state.bias}" + (f"  ∂ {state.bias_gradient}" if state.bias_gradient else "")
            _paint_pill(painter, theme, said, -radius - 19, "parameter", "text")
        if state.gradient:
            _paint_pill(painter, theme, f"∂ {state.gradient}", radius + 5, "backward", "backward")


def _ring(theme: Theme, state: NeuronState) -> QPen:
    if state.phase:
        return QPen(theme.phase(state.phase), 3.0)
    if state.value is None:
        pen = QPen(theme.color("faint"), 1.2, Qt.PenStyle.CustomDashLine)
        pen.setDashPattern([2.6, 2.2])
        return pen
    return QPen(theme.color("parameter_line") if state.parameter else mixed(theme.color("muted"), theme.color("panel"), 0.2), 1.3)


def _brush(theme: Theme, state: NeuronState) -> QBrush:
    if state.value is not None and not state.value.is_finite:
        return QBrush(theme.color("loss", 0.7), Qt.BrushStyle.BDiagPattern)
    if state.value is None:
        return QBrush(theme.color("panel"))
    return QBrush(theme.color("field") if state.size is None else theme.diverging(state.size, 1.0))


def _paint_pill(painter: QPainter, theme: Theme, said: str, top: float, ground: str, ink: str) -> None:
    width = QFontMetricsF(painter.font()).horizontalAdvance(said) + 10
    box = QRectF(-width / 2, top, width, 15)
    painter.setPen(QPen(theme.color("parameter_line"), 1) if ground == "parameter" else Qt.PenStyle.NoPen)
    painter.setBrush(theme.color(ground) if ground == "parameter" else theme.tint(ground, 0.1))
    painter.drawRoundedRect(box, 5, 5)
    painter.setPen(theme.color(ink))
    painter.drawText(box, int(_Flag.AlignCenter), said)


def _line(top: float, height: float) -> QRectF:
    return QRectF(-70, top, 140, height)


def _fitting(text: str, room: float) -> QFont:
    """The largest of the fonts for numbers in which this text fits."""
    sizes = (BODY, SMALL, SMALL - 2, SMALL - 4)
    fits = (mono(size, QFont.Weight.Bold) for size in sizes)
    return next((font for font in fits if QFontMetricsF(font).horizontalAdvance(text) <= room), mono(sizes[-1], QFont.Weight.Bold))


def paint_link(painter: QPainter, theme: Theme, state: EdgeState, path: QPainterPath, zoom: float) -> None:
    """Paint a link with the numbers on it."""
    if state.active or state.selected:
        painter.setPen(QPen(theme.color("muted", 0.16), _WIDE + 5))
        painter.drawPath(path)
    painter.setPen(_pen(theme, state))
    painter.drawPath(path)
    if state.labels and zoom >= _LEGIBLE:
        painter.setFont(_fonts()[0])
        _paint_labels(painter, theme, state, path)


def _pen(theme: Theme, state: EdgeState) -> QPen:
    if state.size is None:
        name, alpha, width = "backward" if state.returned else "faint", 1.0, 1.6 if state.returned else 1.2
    else:
        name, alpha = of_sign(state.size), 0.35 + 0.6 * abs(state.size)
        width = _NARROW + (_WIDE - _NARROW) * abs(state.size) ** 1.5
    color = theme.color(name, alpha if state.sent or state.returned else alpha * _FUTURE)
    return QPen(color, width + (0.8 if state.selected else 0), Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap)


def _paint_labels(painter: QPainter, theme: Theme, state: EdgeState, path: QPainterPath) -> None:
    metrics = QFontMetricsF(painter.font())
    width = max(metrics.horizontalAdvance(text) for _, text in state.labels) + 6
    height = _LINE * len(state.labels)
    middle = path.pointAtPercent(0.5) - QPointF(0, 17) if state.above else path.pointAtPercent(ON_EDGE)
    box = QRectF(middle.x() - width / 2, middle.y() - height / 2, width, height)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("panel", 0.9))
    painter.drawRoundedRect(box, 4, 4)
    for place, (tone, text) in enumerate(state.labels):
        painter.setPen(theme.color(tone))
        line = QRectF(box.left(), box.top() + place * _LINE, width, _LINE)
        painter.drawText(line, int(_Flag.AlignCenter), text)
