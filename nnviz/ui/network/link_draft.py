"""The rubber curve of a link that is being drawn from a port, or led to another layer. What fits lights up; the others say why not."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from msgspec.structs import replace
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsPathItem

from nnviz.document.network import Link
from nnviz.ui.network.allowed_links import obstacle, partners, size_problem
from nnviz.ui.theme.colors import current_theme

if TYPE_CHECKING:
    from nnviz.ui.network.network_view import NetworkView


class LinkDraft:
    """A link that begins at a layer's output (side 1) or ends at its input (side -1), and at its other end follows the mouse."""

    def __init__(self, view: NetworkView, layer: str, side: int, link: Link | None = None) -> None:
        """`link` is the one that is led elsewhere; None draws a new one."""
        self._experiment, self._hint = view.experiment, view.hint
        self._scene = view.scene()
        self._layer, self._side, self._link = layer, side, link
        network = view.experiment.network
        if link is not None:
            network = replace(network, links=tuple(other for other in network.links if other != link))
        self._problems = {id: why for id in partners(network, layer, side) if (why := size_problem(network, view.report, *self._pair(id)))}
        fitting = (partners(network, layer, side) & self._scene.columns.keys()) - self._problems.keys()
        self._item = QGraphicsPathItem()
        self._item.setPen(QPen(current_theme().color("forward"), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        self._item.setZValue(3)
        self._scene.addItem(self._item)
        self._scene.mark(lit=fitting, wired_from=layer)

    def _pair(self, other: str) -> tuple[str, str]:
        return (self._layer, other) if self._side > 0 else (other, self._layer)

    def follow(self, point: QPointF) -> None:
        """Lead the free end to a point of the scene; it snaps to the port of a layer that fits, and over any other says why not."""
        met = self._met(point)
        column = self._scene.columns[self._layer]
        start = column.mapToScene(column.port(self._side))
        stop = self._scene.columns[met].mapToScene(self._scene.columns[met].port(-self._side)) if met else point
        bend = QPointF(self._side * max(30.0, abs(stop.x() - start.x()) / 2), 0)
        path = QPainterPath(start)
        path.cubicTo(start + bend, stop - bend, stop)
        self._item.setPath(path)
        self._hint.say(self._said(met, point), point)

    def _said(self, met: str, point: QPointF) -> str:
        """Why the layer at this point does not fit, or which link the new one takes the place of."""
        if not met:
            other = self._met(point, self._others())
            return (self._problems.get(other) or obstacle(self._experiment, *self._pair(other), self._link)) if other else ""
        source, target = self._pair(met)
        network = self._experiment.network
        taken = [id for id in network.inputs_of(target) if Link(id, target) != self._link]
        if len(taken) == 1 and not obstacle(self._experiment, source, target, self._link) and self._takes_one(target):
            return f"takes the place of the link from {network.layer(taken[0]).title}"
        return ""

    def _takes_one(self, target: str) -> bool:
        return self._scene.columns[target].takes_one

    def end(self, point: QPointF | None = None) -> tuple[str, str] | None:
        """Take the curve away; returns (source, target) if it met another layer, even one that does not fit: an edit says why not."""
        met = self._met(point) or self._met(point, self._others()) if point is not None else ""
        self._scene.removeItem(self._item)
        self._scene.mark(lit=frozenset(), wired_from="")
        self._hint.hide()
        return self._pair(met) if met else None

    def _others(self) -> Collection[str]:
        return self._scene.columns.keys() - {self._layer}

    def _met(self, point: QPointF, among: Collection[str] | None = None) -> str:
        """The layer at this point, of those that fit or of these."""
        for id in self._scene.lit if among is None else among:
            column = self._scene.columns[id]
            if column.frame().adjusted(-12, -8, 12, 8).contains(column.mapFromScene(point)):
                return id
        return ""
