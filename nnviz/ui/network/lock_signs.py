"""Small locks on the picture, on weights and biases that training leaves as they are. It only paints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from nnviz.document.locks import is_locked
from nnviz.ui.network.neurons import bias_dot
from nnviz.ui.theme.colors import Theme, current_theme

if TYPE_CHECKING:
    from nnviz.ui.network.network_view import NetworkView

_BODY = QRectF(-4.0, -1.5, 8.0, 6.0)
_SHACKLE = QRectF(-2.6, -5.0, 5.2, 7.0)
_BESIDE = QPointF(-9.0, 1.0)
"""Where a bias's lock is, from its dot, which stays to be seen."""
_MOST = 400
"""More locks than this are not painted: they would hide the picture."""


def paint(painter: QPainter, view: NetworkView) -> None:
    """Paint a lock on every locked weight and bias; the painter is in pixels of the viewport."""
    if view.experiment is None or not view.experiment.locks:
        return
    places = list(_places(view))
    for place in places[:_MOST]:
        _paint_lock(painter, current_theme(), QPointF(view.mapFromScene(place)))


def _places(view: NetworkView) -> Iterator[QPointF]:
    scene, experiment = view.scene(), view.experiment
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
                yield column.mapToScene(bias_dot(column.face, unit) + _BESIDE)


def _paint_lock(painter: QPainter, theme: Theme, at: QPointF) -> None:
    painter.setPen(QPen(theme.color("panel"), 2.5))
    painter.setBrush(theme.color("panel"))
    painter.drawRoundedRect(_BODY.translated(at), 1.5, 1.5)
    painter.setPen(QPen(theme.color("text"), 1.3))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawArc(_SHACKLE.translated(at), 0, 180 * 16)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("text"))
    painter.drawRoundedRect(_BODY.translated(at), 1.5, 1.5)
