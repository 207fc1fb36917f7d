"""The network a person builds: its picture, the palette, the selected layer and the parameters, and what becomes of what is asked there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial, reduce
from typing import Any

import numpy as np

from nnviz.document import edits
from nnviz.document.experiment import Experiment
from nnviz.document.network import Link
from nnviz.document.problems import Problem, told
from nnviz.records.data_record import DataRecord
from nnviz.records.trace_matching import shown_node
from nnviz.records.trace_state import TraceState
from nnviz.session.run import RunState
from nnviz.session.session import OUTDATED, Session
from nnviz.text import captions, numbers
from nnviz.text.names import parameter_title
from nnviz.text.tokens import vocabulary
from nnviz.ui.network._building import Building
from nnviz.ui.network._parameter_table import ParameterTable
from nnviz.ui.network._properties import PropertiesPanel
from nnviz.ui.network.network_view import NetworkView
from nnviz.ui.network.palette import Palette
from nnviz.ui.shell_api import Shell
from nnviz.ui.widgets.boxes import scrolling
from nnviz.ui.widgets.card import Card
from nnviz.ui.widgets.header_button import choice

COLORINGS = {"value": "edges: value", "gradient": "edges: gradient", "update": "edges: update", "contribution": "edges: contribution"}
_SETTINGS = "settings"
"""Key of the note about what is wrong with the training or the data."""
_LATER = "What you set takes effect as soon as the present iteration is made."


class NetworkFeature:
    """Knows which layers are selected; every change it makes is one edit of the session."""

    needs = {"network": "trace"}  # noqa: RUF012
    """What the engine has to measure for its panels."""

    def __init__(self, session: Session, shell: Shell) -> None:
        self.session, self._shell = session, shell
        self.selected_layers: tuple[str, ...] = ()
        self.view, self.palette = NetworkView(), Palette()
        self.properties, self.parameters = PropertiesPanel(), ParameterTable()
        self.coloring = choice(
            "What neurons and edges show: values, gradients, what the update adds, or what each weight adds to z (w·a)", COLORINGS, "value"
        )
        self.building = Building(session, self.view, lambda: self.selected_layers, self.select_layers)
        self.cards = {
            "network": Card("Network", self.view, [self.coloring]),
            "properties": Card("Selected layer", scrolling(self.properties)),
            "parameters": Card("Parameters", self.parameters),
        }
        self._seen: tuple = ()
        """What of the document is shown."""
        self._data: DataRecord | None = None
        self._state: TraceState | None = None
        self._wrong_setting: tuple[Problem | None, str] = (None, "")
        self._connect_view()
        self._connect_properties()

    def _connect_view(self) -> None:
        view, session, building = self.view, self.session, self.building
        session.document_replaced.connect(view.fit)
        view.selected_changed.connect(self.select_layers)
        view.node_requested.connect(lambda node: session.stepping.select(shown_node(session.stepping.state, node)))
        view.add_requested.connect(building.add_layer)
        view.insert_requested.connect(lambda kind, source, target: building.add_layer(kind, between=(source, target)))
        view.connect_requested.connect(building.connect_layers)
        view.reconnect_requested.connect(lambda link, *ends: session.edit("Reconnect link", edits.reconnect_link, link, *ends))
        view.splice_requested.connect(lambda layer, link: session.edit("Insert layer", edits.insert_layer, layer, link))
        view.rename_requested.connect(lambda ids, name: session.edit("Rename layers", edits.rename_layers, ids, name))
        view.activation_requested.connect(building.set_activation)
        view.tidy_requested.connect(building.tidy)
        view.settings_requested.connect(self._enter_settings)
        view.fix_requested.connect(lambda fix: session.edit(fix.label, edits.apply_fix, fix))
        view.disconnect_requested.connect(lambda links: session.edit("Disconnect layers", _without, links))
        view.delete_requested.connect(lambda ids: session.edit("Delete layers", edits.remove_layers, ids))
        view.move_requested.connect(lambda places: session.edit("Move layers", edits.move_layers, places))
        view.weight_requested.connect(session.weights.put_element)
        view.weight_scrolled.connect(self._turn)
        view.lock_requested.connect(session.weights.toggle_lock)
        self.coloring.chosen.connect(view.set_coloring)
        self.palette.add_requested.connect(building.append_layer)
        self.parameters.selected_changed.connect(self.select_layers)

    def _connect_properties(self) -> None:
        properties, session = self.properties, self.session

        def change(id: str, settings: dict[str, object], merge: str) -> None:
            self._edit_all("Change layer", edits.change_layer, id, merge=merge, **settings)

        def set_own(id: str, name: str, value: object) -> None:
            self._edit_all(f"Change {name.replace('_', ' ')}", _set_own, id, name, value, merge=f"{id}.{name}")

        properties.change_requested.connect(change)
        properties.rename_requested.connect(lambda id, name: session.edit("Rename layer", edits.rename_layer, id, name))
        properties.freeze_requested.connect(lambda id, frozen: self._edit_all("Freeze layer", edits.freeze_layer, id, frozen))
        properties.initializer_requested.connect(lambda id, name: self._edit_all("Change initializer", edits.set_initializer, id, name))
        properties.value_requested.connect(set_own)
        properties.fix_requested.connect(lambda fix: self._edit_by_button(fix.label, edits.apply_fix, fix))
        properties.delete_requested.connect(lambda ids: self._edit_by_button("Delete layers", edits.remove_layers, ids))

    # --- what is shown ---

    def show_experiment(self, experiment: Experiment) -> None:
        """Show this network; layers that it still has stay selected."""
        report = self.session.report
        seen = _seen(experiment), report
        if seen == self._seen:  # the report is part of it, and with it what is wrong with the settings
            return
        self._seen = seen
        self.view.set_experiment(experiment, report)
        kept = tuple(id for id in self.selected_layers if experiment.network.has(id))
        if kept != self.selected_layers:  # else a selected link stays selected, also when its weight has just been changed
            self.selected_layers = kept
            self.view.set_selection(kept)
        self.parameters.set_experiment(experiment, report)
        self._show_subtitle()
        self._show_wrong_settings(experiment)
        self._show_selected()

    def show_age(self) -> None:
        """Say of which iteration the numbers are, where that is not the present one, or the trace is of before a change."""
        self._show_subtitle()

    def _show_subtitle(self) -> None:
        """The network in one line, how many problems it has, and of which iteration its numbers are where they are old."""
        experiment, report = self.session.experiment, self.session.report
        count = sum(map(_is_of_network, report.problems))
        problems = f" · {count} problem{'s' * (count > 1)}" if count else ""
        warnings = f" · {len(report.warnings)} warning{'s' * (len(report.warnings) > 1)}" if report.warnings else ""
        age = self._age()
        self.view.set_age(age)
        first = f"{age} · " if age else ""  # where there is little room the end is cut off
        self.cards["network"].set_subtitle(first + captions.summary(experiment, report) + problems + warnings)

    def _age(self) -> str:
        """Of which iteration the numbers are; empty where that is the present one."""
        run, is_outdated = self.session.run, self.session.trace_age == OUTDATED
        if self._state is None:
            return ""
        iteration = self._state.index.trace.iteration
        is_old = run.training or iteration != run.iteration or is_outdated
        return f"iteration {iteration:,}" + (f", {OUTDATED}" if is_outdated else "") if is_old else ""

    def _show_wrong_settings(self, experiment: Experiment) -> None:
        """Say in a note what is wrong with training or data, which no layer of the picture can say, with the cure as a button."""
        wrong = next((problem for problem in self.session.report.problems if not problem.layer and not _is_of_network(problem)), None)
        text = told(wrong, experiment.network.titles) if wrong else ""
        if (wrong, text) == self._wrong_setting:
            return
        self._wrong_setting = wrong, text
        self._shell.notes.drop(_SETTINGS)
        if wrong:
            cures = [(wrong.fix.label, partial(self._edit_by_button, wrong.fix.label, edits.apply_fix, wrong.fix))] if wrong.fix else []
            self._shell.notes.post(_SETTINGS, "error", text, cures)

    def show_run(self, run: RunState) -> None:
        """Call classes and tokens by the names the data has."""
        if run.data is not None and run.data is not self._data:
            self._data = run.data
            self.view.set_class_names(run.data.class_names)
            self.view.set_tokens(vocabulary(run.data))
        self._show_subtitle()

    def show_trace_state(self, state: TraceState | None) -> None:
        """Show the numbers of whole tensors at this place of the cursor."""
        steps = self._is_near(state)
        self._state = state
        self.view.set_trace_state(state.whole if state else None, steps)
        self._show_subtitle()

    def _is_near(self, state: TraceState | None) -> bool:
        """Whether this is one step or one iteration away from what is shown; while training runs pictures are no steps."""
        if state is None or self._state is None or self.session.run.training:
            return False
        return abs(state.index.trace.iteration - self._state.index.trace.iteration) <= 1

    def show_marks(self, causes: Mapping[str, tuple[str, ...]]) -> None:
        """Mark the layers in which the doctor found something: by layer a sentence for each."""
        self.view.scene().show_causes(causes)

    def _show_selected(self) -> None:
        self.parameters.set_selection(self.selected_layers)
        first, *others = self.selected_layers or (None,)
        self.properties.set_layer(self.session.experiment, self.session.report, first, tuple(others))

    # --- what a person does ---

    def select_layers(self, ids: tuple[str, ...]) -> None:
        """Let these layers be the ones that properties and actions are about."""
        self.selected_layers = tuple(ids)
        self.view.set_selection(self.selected_layers)
        self._show_selected()
        self._shell.update_actions()

    def _enter_settings(self) -> None:
        """Give the keyboard to the settings of the selected layers; where they are not in sight, show the layer's node instead."""
        if not self.properties.isVisible() or not self.properties.take_keyboard():
            self.view.show_node(self.selected_layers[-1])

    def select_all(self) -> None:
        """Select every layer of the network."""
        self.select_layers(tuple(layer.id for layer in self.session.experiment.network))

    def select_hidden(self) -> None:
        """Select every layer with parameters but the one that the loss reads."""
        report, network = self.session.report, self.session.experiment.network
        learning = [layer.id for layer in network.in_order() if layer.id in report.layers and report.layers[layer.id].count]
        self.select_layers(tuple(id for id in learning if id != report.output))

    def _turn(self, parameter: str, index: tuple[int, ...], steps: float) -> None:
        """Change a weight by so many fine steps, and say beside it what it is now, or when it will be changed."""
        session, before = self.session, self.session.experiment
        if not session.weights.nudge(parameter, index, steps):
            return
        if session.experiment is before:  # its values are not known while iterations are made, so a number would be an old one
            self.view.say(session.weights.note or _LATER)
        elif (values := session.experiment.weights.get(parameter)) is not None:
            name = parameter_title(parameter, session.experiment.network.titles)
            self.view.say(f"{name}{list(index)} = {numbers.number(float(np.asarray(values)[index]))}")

    def _edit_all(self, label: str, function: Callable[..., Experiment], id: str, *args: Any, merge: str = "", **settings: Any) -> None:
        """Edit all selected layers as this one of them, as one step of undo."""
        ids = self.selected_layers if id in self.selected_layers else (id,)

        def edited(experiment: Experiment) -> Experiment:
            return reduce(lambda changed, one: function(changed, one, *args, **settings), ids, experiment)

        self.session.edit(f"{label}s" if len(ids) > 1 and label.endswith("layer") else label, edited, merge=merge)

    def _edit_by_button(self, label: str, function: Callable[..., Experiment], *args: Any) -> None:
        """Edit, and give the keyboard to the canvas: the button that had it is gone."""
        self.session.edit(label, function, *args)
        self.view.setFocus()


def _is_of_network(problem: Problem) -> bool:
    return problem.place.startswith("network")


def _set_own(experiment: Experiment, id: str, name: str, value: object) -> Experiment:
    return edits.set_value(experiment, f"network.layers.{id}.{name}", value, name.replace("_", " ").capitalize())


def _without(experiment: Experiment, links: list[Link]) -> Experiment:
    return reduce(lambda cut, link: edits.disconnect_layers(cut, link.source, link.target), links, experiment)


def _seen(experiment: Experiment) -> tuple:
    """What of a document its network is drawn of: the rest may change without a look at it."""
    network, training = experiment.network, experiment.training
    passing = tuple(captions.is_passing(layer, experiment) for layer in network)
    drawn = experiment.data, experiment.precision, training.loss, training.target, passing
    return network, experiment.canvas, experiment.weights, experiment.locks, *drawn
