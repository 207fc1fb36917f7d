"""Joins the weight editor with the session: what it shows, and what becomes of what a person asks there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPoint

from nnviz.document.experiment import Experiment
from nnviz.document.network import split_parameter
from nnviz.messages import InitialDrawn
from nnviz.records.tensors import to_numpy
from nnviz.text import numbers
from nnviz.text.names import parameter_title
from nnviz.ui.weights import matrix_axes
from nnviz.ui.weights.weight_editor import WeightEditor

if TYPE_CHECKING:
    from nnviz.ui.shell.main_window import MainWindow

_LATER = "What you set takes effect as soon as the present iteration is made."


class WeightEditing:
    """One editor for one window, made when it is first asked for."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self.editor: WeightEditor | None = None
        self._parameter = ""
        self._drawing = ""

    def open(self, parameter: str = "") -> None:
        """Show a parameter; without a name the one of the selected layer or of the node on the chain-rule card, else the first."""
        if self.editor is None:
            self.editor = self._made()
            corner = self._window.geometry().bottomRight() - self.editor.rect().bottomRight()
            self.editor.move(corner - QPoint(24, 48))  # where the network stays in sight
        self._parameter = parameter or self._wanted()
        self._show()
        self.editor.show()
        self.editor.raise_()
        self.editor.activateWindow()
        self.editor.table.setFocus()

    def turn(self, parameter: str, index: tuple[int, ...], steps: float) -> None:
        """Change a weight by so many fine steps, and say beside it what it is now, or when it will be changed."""
        session, network = self._window.session, self._window.panels.network
        before = session.experiment
        if not session.weights.nudge(parameter, index, steps):
            return
        if session.experiment is before:  # its values are not known while iterations are made, so a number would be an old one
            network.scrolling.say(session.weights.note or _LATER)
        elif (values := session.experiment.weights.get(parameter)) is not None:
            titles = session.experiment.network.titles
            name = parameter_title(parameter, titles)
            network.scrolling.say(f"{name}{list(index)} = {numbers.number(float(np.asarray(values)[index]))}")

    def _made(self) -> WeightEditor:
        editor, weights = WeightEditor(self._window), self._window.session.weights
        editor.controls.seed.setValue(self._window.session.experiment.seed)
        editor.parameter_chosen.connect(self._choose)
        editor.values_typed.connect(lambda parameter, values, label, touched: weights.put(parameter, values, label, chosen=touched))
        editor.lock_requested.connect(weights.lock)
        editor.draw_requested.connect(self._draw)
        weights.changed.connect(self._refresh)
        weights.drawn.connect(self._take)
        return editor

    def _choose(self, parameter: str) -> None:
        self._parameter = parameter
        self._show()

    def _draw(self, parameter: str, seed: int) -> None:
        self._drawing = parameter
        self._window.session.weights.draw(parameter, seed)

    def _take(self, reply: InitialDrawn) -> None:
        """What was drawn becomes the parameter's value, but for what is locked."""
        weights, present = self._window.session.weights, self._window.session.weights.values(reply.parameter)
        if reply.parameter == self._drawing and present is not None:
            locked = _locked(self._window.session.experiment, reply.parameter, present.shape)
            weights.put(reply.parameter, np.where(locked, present, to_numpy(reply.array)), f"Draw {reply.parameter}", chosen=~locked)
        self._drawing = ""

    def _refresh(self) -> None:
        if self.editor is not None and self.editor.isVisible():
            self._show()

    def _show(self) -> None:
        session = self._window.session
        names = self._names()
        if self._parameter not in names:
            self._parameter = next(iter(names), "")
        values = session.weights.values(self._parameter) if self._parameter else None
        shape = values.shape if values is not None else ()
        id = split_parameter(self._parameter).layer
        layer = session.experiment.network.layer(id) if session.experiment.network.has(id) else None
        self.editor.set_parameters(tuple(names.items()), self._parameter)
        locked = _locked(session.experiment, self._parameter, shape)
        self.editor.set_row_names(matrix_axes.row_names(layer, shape))
        self.editor.set_values(self._parameter, values, locked, matrix_axes.axis_names(layer, shape), session.weights.note)

    def _names(self) -> dict[str, str]:
        """Every parameter of the network, and what the screen calls it."""
        session = self._window.session
        titles = session.experiment.network.titles
        found = [name for name in session.report.parameters_by_name if split_parameter(name).layer in titles]
        return {name: parameter_title(name, titles) for name in found}

    def _wanted(self) -> str:
        names, selected = self._names(), self._window.selected_layers
        shown = self._window.panels.chain_rule.node()
        of_layer = [name for name in names if split_parameter(name).layer in selected]
        return (of_layer or ([shown.label] if shown is not None and shown.label in names else []) or list(names) or [""])[0]


def _locked(experiment: Experiment, parameter: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return which elements of a parameter are locked."""
    locks = experiment.locks.get(parameter, [])
    mask = np.full(shape, locks is True)
    for index in locks if isinstance(locks, list) else ():
        if len(index) == len(shape) and all(place < size for place, size in zip(index, shape, strict=True)):
            mask[tuple(index)] = True
    return mask
