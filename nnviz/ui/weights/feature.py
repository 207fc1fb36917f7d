"""The weights as a person sets them: the editor of one parameter, what it shows, and what becomes of what is asked there."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint

from nnviz.document.experiment import Experiment
from nnviz.document.network import split_parameter
from nnviz.messages import InitialDrawn
from nnviz.records.tensors import to_numpy
from nnviz.records.trace_matching import at_hand
from nnviz.session.session import Session
from nnviz.text.names import parameter_title
from nnviz.ui.shell_api import Shell
from nnviz.ui.weights import matrix_axes
from nnviz.ui.weights._weight_editor import WeightEditor


class WeightsFeature:
    """One editor for one window, made when it is first asked for."""

    def __init__(self, session: Session, shell: Shell) -> None:
        self.session, self._shell = session, shell
        self.editor: WeightEditor | None = None
        self._parameter = ""
        self._drawing = ""

    def open(self, parameter: str = "") -> None:
        """Show a parameter; without a name the one of the selected layer or of the node on the chain-rule card, else the first."""
        if self.editor is None:
            self.editor = self._made()
            corner = self._shell.window().geometry().bottomRight() - self.editor.rect().bottomRight()
            self.editor.move(corner - QPoint(24, 48))  # where the network stays in sight
        self._parameter = parameter or self._wanted()
        self._show()
        self.editor.show()
        self.editor.raise_()
        self.editor.activateWindow()
        self.editor.table.setFocus()

    def _made(self) -> WeightEditor:
        editor, weights = WeightEditor(self._shell.window()), self.session.weights
        editor.controls.seed.setValue(self.session.experiment.seed)
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
        self.session.weights.draw(parameter, seed)

    def _take(self, reply: InitialDrawn) -> None:
        """What was drawn becomes the parameter's value, but for what is locked."""
        weights, present = self.session.weights, self.session.weights.values(reply.parameter)
        if reply.parameter == self._drawing and present is not None:
            locked = _locked(self.session.experiment, reply.parameter, present.shape)
            weights.put(reply.parameter, np.where(locked, present, to_numpy(reply.array)), f"Draw {reply.parameter}", chosen=~locked)
        self._drawing = ""

    def _refresh(self) -> None:
        if self.editor is not None and self.editor.isVisible():
            self._show()

    def _show(self) -> None:
        session = self.session
        names = self._names()
        if self._parameter not in names:
            self._parameter = next(iter(names), "")
        session.weights.want(self._parameter)
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
        titles = self.session.experiment.network.titles
        found = [name for name in self.session.report.parameters_by_name if split_parameter(name).layer in titles]
        return {name: parameter_title(name, titles) for name in found}

    def _wanted(self) -> str:
        """The parameter of the selected layer, else the one at the cursor, else the first."""
        names, state = self._names(), self.session.stepping.state
        of_layer = [name for name in names if split_parameter(name).layer in self._shell.selected_layers]
        node = at_hand(state, self.session.stepping.selected_node)
        label = state.index.node(node).label if state and node is not None else ""
        return (of_layer or ([label] if label in names else []) or list(names) or [""])[0]


def _locked(experiment: Experiment, parameter: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return which elements of a parameter are locked."""
    locks = experiment.locks.get(parameter, [])
    mask = np.full(shape, locks is True)
    for index in locks if isinstance(locks, list) else ():
        if len(index) == len(shape) and all(place < size for place, size in zip(index, shape, strict=True)):
            mask[tuple(index)] = True
    return mask
