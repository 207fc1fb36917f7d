"""Layers that are being dragged: they follow the mouse on the grid, and a single one that is linked to nothing can be let go on a link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint

from nnviz.ui.network import requests
from nnviz.ui.network.layer_places import snapped
from nnviz.ui.network.picking import nearest_link

if TYPE_CHECKING:
    from nnviz.ui.network.network_view import NetworkView

DROP = 22.0
"""How near to a link, in pixels, what is dropped goes into it."""


class Drag:
    """One drag of the selected layers, from its begin to its end."""

    def __init__(self, view: NetworkView, start: QPoint) -> None:
        """`start` is where in the viewport the mouse was pressed."""
        self._scene, self._start = view.scene(), view.mapToScene(start)
        self._starts = {id: self._scene.columns[id].pos() for id in self._scene.selected}
        self._loose = self._find_loose(view)

    def _find_loose(self, view: NetworkView) -> str:
        """The dragged layer, if it alone is dragged and fits in the middle of a link; else empty."""
        only, network = next(iter(self._starts)), view.experiment.network
        linked = network.inputs_of(only) or network.outputs_of(only)
        return only if len(self._starts) == 1 and self._scene.columns[only].takes_one and not linked else ""

    def follow(self, view: NetworkView, position: QPoint) -> None:
        """Bring the layers where the mouse is, and light up the link they would go into."""
        point = view.mapToScene(position)
        way = point - self._start
        for id, start in self._starts.items():
            self._scene.columns[id].setPos(*snapped((start.x() + way.x(), start.y() + way.y())))
        self._scene.follow_columns(self._starts)
        link = nearest_link(self._scene.links, point, DROP / view.transform().m11())[0] if self._loose else None
        if link != self._scene.lit_link:
            self._scene.mark(lit_link=link)

    def drop(self, view: NetworkView) -> None:
        """Ask that the layers stay where they are, or that the one goes into the link that is lit."""
        link = self._scene.lit_link
        self._scene.mark(lit_link=None)
        if link is None:
            requests.move(view, tuple(self._starts))
        else:
            view.splice_requested.emit(self._loose, link)

    def take_back(self) -> None:
        """Put the layers back where they were."""
        for id, place in self._starts.items():
            self._scene.columns[id].setPos(place)
        self._scene.mark(lit_link=None)
        self._scene.follow_columns(self._starts)
