"""What lies above the network picture and is no part of its scene: a hint beside the mouse, the colour scales, locks, an invitation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QLabel, QWidget

from nnviz.document.experiment import Experiment
from nnviz.document.locks import is_locked
from nnviz.text.numbers import short
from nnviz.ui.network.layer_figures import Figures
from nnviz.ui.network.network_scene import NetworkScene
from nnviz.ui.network.neurons import bias_dot
from nnviz.ui.theme.colors import BODY, SMALL, Theme
from nnviz.ui.theme.fonts import drawn_sans, sans

_HINT_AWAY = 16
_WIDEST_HINT = 320
SCALES_HEIGHT = 12
_BAR, _CELLS = 44, 11
_GAP, _AWAY = 14, 5
_NAMES = {"value": ("a", "w", "b"), "gradient": ("∂L/∂a", "∂L/∂w", "∂L/∂b"), "update": ("a", "Δw", "Δb"), "contribution": ("a", "w·a", "b")}
"""What neurons, weights and biases show, by colouring."""
_LOCK_BODY = QRectF(-4.0, -1.5, 8.0, 6.0)
_LOCK_SHACKLE = QRectF(-2.6, -5.0, 5.2, 7.0)
_BESIDE_BIAS = QPointF(-9.0, 1.0)
"""Where a bias's lock is, from its dot, which stays to be seen."""
_MOST_LOCKS = 400
"""More locks than this are not painted: they would hide the picture."""


class Hint(QLabel):
    """A short text at the lower right of the mouse, inside the viewport. It takes no events."""

    def __init__(self, viewport: QWidget) -> None:
        super().__init__(viewport)
        self.setAccessibleName("Hint")
        self.setFont(sans(BODY))
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setMargin(6)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def say(self, text: str, beside: QPoint) -> None:
        """Say this beside a place of the viewport; an empty text hides the hint."""
        self.setVisible(bool(text))
        if text:
            self.setText(text)
            self.setFixedWidth(min(_WIDEST_HINT, self.fontMetrics().horizontalAdvance(text) + 20))
            self.setFixedHeight(self.heightForWidth(self.width()))
            viewport, at = self.parentWidget(), beside + QPoint(_HINT_AWAY, _HINT_AWAY)
            self.move(min(at.x(), viewport.width() - self.width()), min(at.y(), viewport.height() - self.height()))


# --- scales ---


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


def scales_rect(room: QRect, figures: Figures) -> QRect:
    """Return where in the viewport the scales are; empty where there are none."""
    width = math.ceil(_whole_width(*_scales_in(room, figures)))
    return QRect(room.right() - 4 - width, room.bottom() - SCALES_HEIGHT - 4, width + 5, SCALES_HEIGHT + 5) if width else QRect()


def paint_scales(painter: QPainter, room: QRect, theme: Theme, figures: Figures) -> None:
    """Paint the scales of neurons, weights and biases at the lower right of a picture that has numbers."""
    metrics, scales = _scales_in(room, figures)
    painter.setFont(drawn_sans(SMALL))
    right = float(room.right() - 4)
    whole = _whole_width(metrics, scales)
    painter.fillRect(QRectF(right - whole, room.bottom() - SCALES_HEIGHT - 3, whole + 4, SCALES_HEIGHT + 4), theme.color("panel", 0.85))
    for scale in reversed(scales):
        left = right - _width(metrics, scale)
        _paint_scale(painter, theme, left, room.bottom() - SCALES_HEIGHT - 1, scale)
        right = left - _GAP


def _scales_in(room: QRect, figures: Figures) -> tuple[QFontMetricsF, list[tuple[str, str]]]:
    metrics = QFontMetricsF(drawn_sans(SMALL))
    return metrics, _fitting_texts(metrics, scales_of(figures), room.width() - 8)


def _whole_width(metrics: QFontMetricsF, scales: list[tuple[str, str]]) -> float:
    return sum(_width(metrics, scale) + _GAP for scale in scales)


def paint_invitation(painter: QPainter, room: QRect, theme: Theme) -> None:
    """Say on an empty picture how to begin."""
    painter.setFont(sans(BODY))
    painter.setPen(theme.color("muted"))
    text = "Drag a layer here, or type its name: the first is the input. Ctrl+Alt+N opens a template."
    painter.drawText(room.adjusted(12, 12, -12, -12), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)


def _fitting_texts(metrics: QFontMetricsF, scales: tuple[tuple[str, float], ...], room: float) -> list[tuple[str, str]]:
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
    painter.drawText(QRectF(left, top, low_width + 2, SCALES_HEIGHT), Qt.AlignmentFlag.AlignVCenter, texts[0])
    bar = round(left + low_width + _AWAY)
    for cell in range(_CELLS):
        painter.fillRect(
            QRect(bar + cell * _BAR // _CELLS, round(top) + 3, _BAR // _CELLS, SCALES_HEIGHT - 6), theme.diverging(cell / 5 - 1, 1.0)
        )
    painter.drawText(QRectF(bar + _BAR + _AWAY, top, high_width + 2, SCALES_HEIGHT), Qt.AlignmentFlag.AlignVCenter, texts[1])


# --- locks ---


def paint_locks(painter: QPainter, theme: Theme, scene: NetworkScene, placed: Callable[[QPointF], QPoint]) -> None:
    """Paint a lock on every locked weight and bias; the painter is in pixels of the viewport, where `placed` brings points of the scene."""
    experiment = scene.experiment
    if experiment is not None and experiment.locks:
        for point in list(_locked_places(scene, experiment))[:_MOST_LOCKS]:
            _paint_lock(painter, theme, QPointF(placed(point)))


def _locked_places(scene: NetworkScene, experiment: Experiment) -> Iterator[QPointF]:
    for item in scene.links.values():
        if not item.parameter or item.parameter not in experiment.locks:
            continue
        pairs = item.course.pairs if item.course.style == "weights" else ()
        locked = [curve for curve, pair in enumerate(pairs) if is_locked(experiment, item.parameter, tuple(pair))]
        for curve in locked if pairs else [len(item.course.points) // 2]:
            points = item.course.points[curve]
            yield item.mapToScene(QPointF(*points[len(points) * (2 + curve % 3) // 6]))
    for id, column in scene.columns.items():
        for unit in range(column.face.units) if f"{id}.bias" in experiment.locks else ():
            if is_locked(experiment, f"{id}.bias", (unit,)):
                yield column.mapToScene(bias_dot(column.face, unit) + _BESIDE_BIAS)


def _paint_lock(painter: QPainter, theme: Theme, at: QPointF) -> None:
    painter.setPen(QPen(theme.color("panel"), 2.5))
    painter.setBrush(theme.color("panel"))
    painter.drawRoundedRect(_LOCK_BODY.translated(at), 1.5, 1.5)
    painter.setPen(QPen(theme.color("text"), 1.3))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawArc(_LOCK_SHACKLE.translated(at), 0, 180 * 16)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("text"))
    painter.drawRoundedRect(_LOCK_BODY.translated(at), 1.5, 1.5)
