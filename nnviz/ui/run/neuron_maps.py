"""The map of the neuron under the mouse, in place of the network's answer in the big plot. The engine makes it; this asks and shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnviz.messages import UnitMapped
from nnviz.records.tensors import to_numpy
from nnviz.session.run import RunState
from nnviz.text import numbers

if TYPE_CHECKING:
    from nnviz.ui.shell.main_window import MainWindow

NONE = ("", -1)
"""Layer and unit while the mouse is over no neuron."""


class NeuronMaps:
    """For one window."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._hovered = NONE

    def connect_parts(self) -> None:
        """Listen to the network picture and the session."""
        self._window.panels.network.neuron_hovered.connect(self._hover)
        self._window.session.responded.connect(self._show)
        self._window.session.run_changed.connect(self._renew)

    def _hover(self, layer: str, unit: int) -> None:
        self._hovered = (layer, unit) if layer and unit >= 0 else NONE
        if self._hovered == NONE:
            self._window.panels.boundary.set_hover_map(None)
        else:
            self._window.session.respond(layer, unit)

    def _renew(self, old: RunState, new: RunState) -> None:
        """The net has changed under the mouse: its map, too. Without a plane there is none."""
        if self._hovered != NONE and new.surface is not old.surface:
            if new.surface is None:
                self._window.panels.boundary.set_hover_map(None)
            else:
                self._window.session.respond(*self._hovered)

    def _show(self, reply: UnitMapped) -> None:
        if (reply.layer, reply.unit) == self._hovered:
            titles = self._window.session.experiment.network.titles
            name = f"{titles.get(reply.layer, reply.layer)} {numbers.place((reply.unit,))}"
            self._window.panels.boundary.set_hover_map(to_numpy(reply.values), name)
