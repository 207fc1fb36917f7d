"""The rubber curve of a link that is being drawn from a port. It lights up the layers that fit and says which one was met."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsPathItem

from nnviz.ui.canvas.wiring import can_link

if TYPE_CHECKING:
    from nnviz.ui.canvas.view import NetworkView


class Wire:
    """A link that begins at a layer's output (side 1) or ends at its input (side -1), and at its other end follows the mouse."""

    def __init__(self, view: NetworkView, layer: str, side: int) -> None:
        self._scene = view.scene()
        self._layer, self._side = layer, side
        network = view.experiment.network
        fitting = frozenset(id for id in self._scene.columns if can_link(network, *self._pair(id)))
        self._item = QGraphicsPathItem()
        self._item.setPen(QPen(view.theme.color("forward"), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        self._item.setZValue(3)
        self._scene.addItem(self._item)
        self._scene.mark(lit=fitting)

    def _pair(self, other: str) -> tuple[str, str]:
        return (self._layer, other) if self._side > 0 else (other, self._layer)

    def follow(self, point: QPointF) -> None:
        """Lead the free end to a point of the scene; it snaps to the port of a layer that fits."""
        met = self._met(point)
        column = self._scene.columns[self._layer]
        start = column.mapToScene(column.port(self._side))
        stop = self._scene.columns[met].mapToScene(self._scene.columns[met].port(-self._side)) if met else point
        bend = QPointF(self._side * max(30.0, abs(stop.x() - start.x()) / 2), 0)
        path = QPainterPath(start)
        path.cubicTo(start + bend, stop - bend, stop)
        self._item.setPath(path)

    def end(self, point: QPointF | None = None) -> tuple[str, str] | None:
        """Take the curve away; returns (source, target) if it met another layer, even one that does not fit: an edit says why not."""
        met = self._met(point) or self._met(point, self._scene.columns.keys() - {self._layer}) if point is not None else ""
        self._scene.removeItem(self._item)
        self._scene.mark(lit=frozenset())
        return self._pair(met) if met else None

    def _met(self, point: QPointF, among: Collection[str] | None = None) -> str:
        """The layer at this point, of those that fit or of these."""
        for id in self._scene.lit if among is None else among:
            column = self._scene.columns[id]
            if column.frame().adjusted(-12, -8, 12, 8).contains(column.mapFromScene(point)):
                return id
        return ""
