"""Which signal reaches which setter: session → views, and what a person does in a view → session. Nothing else is decided here."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from nnviz.document import catalog, edits
from nnviz.document.experiment import Experiment
from nnviz.document.network import Link
from nnviz.messages import GradientChecked
from nnviz.records.trace_state import TraceState
from nnviz.session.run import RunState
from nnviz.text import captions, names, what_if_text
from nnviz.text.numbers import steady
from nnviz.text.tokens import vocabulary
from nnviz.ui.data import batch_inspector
from nnviz.ui.graph.graph_view import NO_TRACE
from nnviz.ui.network import selected_layer
from nnviz.ui.shell.actions import show_running
from nnviz.ui.shell.panels import DETAILS
from nnviz.ui.widgets.escape import EscapeKey

if TYPE_CHECKING:
    from nnviz.ui.shell.main_window import MainWindow

_WATCHED = {
    "histograms": "measures",
    "norms": "measures",
    "network": "trace",
    "graph": "trace",
    "inspector": "trace",
    "microscope": "trace",
}
"""What the engine must measure for a panel; the curves are always measured."""

_KINDS = {"training.optimizer.kind": edits.choose_optimizer, "data.kind": edits.choose_data}


def connect(window: MainWindow) -> None:
    """Join the window's views with its session."""
    _session_to_views(window)
    _workspaces(window)
    _training(window)
    _network(window)
    _graph(window)
    _debugger(window)
    _what_ifs(window)
    _plots(window)
    batch_inspector.connect(window)
    selected_layer.connect(window)
    window.neuron_maps.connect_parts()


def show_everything(window: MainWindow) -> None:
    """Let every view show the session as it stands."""
    session = window.session
    _show_experiment(window, session.experiment)
    _show_run(window, session.run, None)
    _show_trace_state(window, session.trace_state)
    _show_document(window)


# --- session -> views ---


def _session_to_views(window: MainWindow) -> None:
    session = window.session
    window.layers_selected.connect(lambda ids: (window.panels.network.set_selection(ids), _show_layer(window)))
    session.document.replaced.connect(lambda old, new: (window.select_layers(()), window.focus_canvas()))
    session.experiment_changed.connect(lambda old, new: _show_experiment(window, new))
    session.run_changed.connect(lambda old, new: _show_run(window, new, old))
    session.trace_state_changed.connect(lambda old, new: _show_trace_state(window, new))
    session.selection_changed.connect(lambda old, new: _show_selection(window, new))
    session.document_changed.connect(lambda: _show_document(window))
    session.playing_changed.connect(lambda playing: show_running(window.action_table, "play", playing))
    session.message_posted.connect(window.toast.post)
    session.numbers.arrived.connect(lambda node: _show_selection(window, session.selected_node))
    session.gradient_checked.connect(lambda reply: _show_check(window, reply))


def _show_experiment(window: MainWindow, experiment: Experiment) -> None:
    panels, report = window.panels, window.session.report
    kept = tuple(id for id in window.selected_layers if experiment.network.has(id))
    panels.network.set_experiment(experiment, report)
    if kept != window.selected_layers:  # else a selected link stays selected, also when its weight has just been changed
        window.selected_layers = kept
        panels.network.set_selection(kept)
    panels.parameters.set_experiment(experiment, report)
    panels.training.set_experiment(experiment)
    titles = experiment.network.titles
    for view in (*panels.run_plots, panels.microscope):
        view.set_names(titles)
    panels.loss.set_penalties(experiment.penalties)
    panels.boundary.set_own(experiment.data.kind == "table")
    for view in (panels.graph, panels.chain_rule):
        view.set_titles(titles)
    window.debugger.show_marks()
    panels.microscope.set_optimizer(catalog.OPTIMIZERS[experiment.training.optimizer.kind].label)
    problems = f" · {len(report.problems)} problem{'s' * (len(report.problems) > 1)}" if report.problems else ""
    panels.cards["network"].set_subtitle(captions.summary(experiment, report) + problems)
    _show_layer(window)
    _show_document(window)


def _show_layer(window: MainWindow) -> None:
    experiment, report = window.session.experiment, window.session.report
    window.panels.parameters.set_selection(window.selected_layers)
    first, *others = window.selected_layers or (None,)
    window.panels.properties.set_layer(experiment, report, first, tuple(others))
    window.update_actions()


def _show_run(window: MainWindow, run: RunState, old: RunState | None) -> None:
    panels = window.panels
    for plot in panels.run_plots:
        plot.set_run(run)
    panels.microscope.set_history(run.history)
    panels.chain_rule.history.set_history(run.history)
    loss, metric = run.curves.last("loss"), run.curves.last("metric")
    training = window.session.experiment.training
    classes = catalog.LOSSES[training.loss].group == "Classification" and training.target == "labels"
    score = "" if metric is None else f"{metric:.1%}".replace("%", " %") if classes else f"{metric:.4f}"
    name, measured_at = "accuracy" if classes else "RMSE", run.curves.last_iteration("metric")
    window.top_bar.set_figures(run.iteration, run.epoch, "" if loss is None else steady(loss), score, name, measured_at)
    if run.data is not None and (old is None or old.data is not run.data):
        panels.network.set_class_names(run.data.class_names)
        panels.network.tokens = vocabulary(run.data)
        panels.graph.trace_scene.set_look(tokens=panels.network.tokens)
    if old is None or (old.training, old.target, old.engine, old.failure) != (run.training, run.target, run.engine, run.failure):
        _show_obstacle(window)
        show_running(window.action_table, "train", run.training or run.target is not None)
        window.update_actions()


def _show_trace_state(window: MainWindow, state: TraceState | None) -> None:
    panels, before = window.panels, window.action_table["step_back"].isEnabled()
    panels.network.set_trace_state(state.whole if state else None)
    for view in (panels.graph, panels.timeline, panels.rail):
        view.set_trace_state(state)
    window.debugger.show_marks()
    _show_obstacle(window)
    _show_what_ifs(window)
    _show_selection(window, window.session.selected_node)
    if before != (state is not None):
        window.update_actions()


def _show_obstacle(window: MainWindow) -> None:
    """Say in the graph's card why nothing can be traced now, if so."""
    panels, state, obstacle = window.panels, window.session.trace_state, window.session.trainer.obstacle
    panels.graph.notice.setText(obstacle or NO_TRACE)
    trace, is_broken = state.index.trace if state else None, not window.session.report.ok or window.session.run.failure is not None
    window.top_bar.badge.set_error(trace.worst_error if trace else None, trace.precision if trace else "", is_broken)
    target = window.session.run.target
    way = f"going to {target}" if target is not None else obstacle
    parts = (names.iteration(state.index.trace) if state else "", way if state else "")
    panels.cards["graph"].set_subtitle(" · ".join(filter(None, parts)))
    panels.cards["inspector"].set_subtitle(parts[0])


def _show_selection(window: MainWindow, node: int | None) -> None:
    panels, state = window.panels, window.session.trace_state
    panels.graph.set_selected(node)
    panels.chain_rule.set_trace_state(state, node, window.session.is_pinned)
    shown = panels.chain_rule.node()
    _want_numbers(window)
    whole, tensor = (state.whole, state.index.tensor_of(shown.id)) if state and shown else (None, None)
    if whole is not None and tensor.id in whole.index.updates:
        if state.is_updated(shown.id):  # a weight may be updated before its whole parameter is
            whole = TraceState(whole.index, max(whole.cursor, whole.index.updated_at[tensor.id]), whole.sample)
        panels.microscope.set_trace_state(whole, tensor.id, panels.chain_rule.element() if shown.whole is None else shown.element)
    else:
        panels.microscope.set_trace_state(whole)
    _watch_weight(window)


def _want_numbers(window: MainWindow) -> None:
    """Ask for what was too large to travel, if the card that shows it can be seen."""
    card, state = window.panels.chain_rule, window.session.trace_state
    shown = card.node()
    if state and shown and card.isVisible():
        window.session.numbers.want(state, shown.id)


def _watch_weight(window: MainWindow) -> None:
    """Have the history kept of the weight that the microscope shows."""
    microscope = window.panels.microscope
    if microscope.parameter:
        window.session.watching.watch_weight(microscope.parameter, microscope.element)


def _show_what_ifs(window: MainWindow) -> None:
    index = window.session.trace_state.index if window.session.trace_state else None
    banner, what_ifs = window.panels.what_if_banner, index.trace.what_ifs if index else ()
    if what_ifs:
        titles = window.session.experiment.network.titles
        can_keep = any(index.node(what_if.node).kind == "parameter" for what_if in what_ifs)
        banner.set_what_ifs(what_if_text.all_described(index, titles), what_if_text.losses(index), len(what_ifs), can_keep)
    else:
        banner.set_what_ifs("", "", 0, False)


def _show_document(window: MainWindow) -> None:
    document = window.session.document
    window.top_bar.set_title(document.title, not window.session.is_saved)
    window.setWindowTitle(f"{document.title}[*] – nnviz")
    window.setWindowModified(not window.session.is_saved)
    _show_obstacle(window)
    window.update_actions()


def _show_check(window: MainWindow, reply: GradientChecked) -> None:
    window.panels.chain_rule.set_check(reply)


# --- views -> session ---


def _workspaces(window: MainWindow) -> None:
    window.top_bar.workspace_requested.connect(window.area.show_workspace)
    window.area.workspace_changed.connect(lambda name: _enter(window, name))


def _enter(window: MainWindow, name: str) -> None:
    window.top_bar.set_workspace(name)
    if name != "step":
        window.session.playback.stop()  # only there is a button that stops it
    window.focus_canvas()
    window.session.stepper.set_rest("start" if name == "step" else "end")
    _want_numbers(window)  # while the card was out of sight nothing was asked for
    _watch(window)


def _watch(window: MainWindow) -> None:
    """Have measured what the panels that can be seen need."""
    watched = _WATCHED | {"boundary": window.panels.boundary.needs}
    window.session.watch(("curves", *sorted({watched[panel] for panel in window.area.visible_panels() if panel in watched})))


def _training(window: MainWindow) -> None:
    def change(path: str, value: object) -> None:
        label = "Change " + path.removesuffix(".kind").rpartition(".")[2].replace("_", " ")
        if path in _KINDS:
            window.session.edit(label, _KINDS[path], value)
        else:
            window.session.edit(label, edits.set_value, path, value)
        window.panels.training.set_experiment(window.session.experiment)

    window.panels.training.value_requested.connect(change)
    window.panels.training.data_requested.connect(window.data.open)


def _network(window: MainWindow) -> None:
    network, session = window.panels.network, window.session

    network.selected_changed.connect(window.select_layers)
    network.node_requested.connect(lambda node: session.select(_scalar(window, node)))
    network.add_requested.connect(lambda kind, position, after: window.builder.add_layer(kind, position, after))
    network.insert_requested.connect(lambda kind, source, target: window.builder.add_layer(kind, between=(source, target)))
    network.connect_requested.connect(
        lambda source, target: session.edit("Connect layers", edits.connect_layers, source, target, replace_link=True)
    )
    network.reconnect_requested.connect(lambda link, *ends: session.edit("Reconnect link", edits.reconnect_link, link, *ends))
    network.splice_requested.connect(window.builder.splice)
    network.rename_requested.connect(lambda ids, name: session.edit("Rename layers", edits.rename_layers, ids, name))
    network.tidy_requested.connect(window.builder.tidy)
    network.fix_requested.connect(lambda fix: session.edit(fix.label, edits.apply_fix, fix))
    network.disconnect_requested.connect(lambda links: session.edit("Disconnect layers", _without, links))
    network.delete_requested.connect(lambda ids: session.edit("Delete layers", edits.remove_layers, ids))
    network.move_requested.connect(lambda places: session.edit("Move layers", edits.move_layers, places))
    network.weight_requested.connect(session.weights.put_element)
    network.weight_scrolled.connect(window.weight_editing.turn)
    network.lock_requested.connect(session.weights.toggle_lock)
    network.matrix_requested.connect(window.weight_editing.open)
    window.panels.parameters.table_requested.connect(window.weight_editing.open)
    window.panels.palette.add_requested.connect(window.builder.append_layer)
    window.panels.parameters.selected_changed.connect(window.select_layers)


def _without(experiment: Experiment, links: list[Link]) -> Experiment:
    return reduce(lambda cut, link: edits.disconnect_layers(cut, link.source, link.target), links, experiment)


def _graph(window: MainWindow) -> None:
    panels, session = window.panels, window.session
    panels.graph.node_clicked.connect(session.select)
    panels.graph.node_released.connect(lambda: session.select(None))
    panels.graph.run_to_requested.connect(session.walker.to_node)
    panels.timeline.cursor_requested.connect(session.stepper.to)
    panels.rail.cursor_requested.connect(session.stepper.to)
    panels.chain_rule.node_clicked.connect(session.select)
    panels.chain_rule.pin_row.pin_requested.connect(session.pin)
    panels.chain_rule.pin_row.release_requested.connect(lambda: session.select(None))
    EscapeKey(window, lambda: session.select(None))
    panels.chain_rule.sample_chosen.connect(session.stepper.set_sample)
    panels.chain_rule.check_requested.connect(session.check_gradient)
    panels.detail.chosen.connect(session.stepper.set_detail)
    session.stepper.detail_changed.connect(lambda detail: panels.detail.set_choices(tuple(DETAILS.items()), detail))
    panels.graph.detail_requested.connect(session.stepper.set_detail_of)
    panels.coloring.chosen.connect(panels.graph.set_coloring)
    panels.edge_coloring.chosen.connect(panels.network.set_coloring)


def _debugger(window: MainWindow) -> None:
    panels, debugger = window.panels, window.debugger
    panels.step_bar.set_actions(window.action_table)
    panels.step_bar.speeds.chosen.connect(debugger.change_pace)
    window.top_bar.granularity_changed.connect(debugger.change_pace)
    window.session.walker.folded = debugger.folded_with
    window.session.walker.around = lambda node: _around(window, node)
    panels.graph.breakpoint_requested.connect(debugger.toggle_breakpoint_at)
    panels.breakpoints.clicked.connect(debugger.show_breakpoints)


def _around(window: MainWindow, node: int) -> tuple[int, ...]:
    """The innermost open group around a node; the layer of a neuron."""
    index = window.session.trace_state.index
    if not index.is_scalar:
        return window.panels.graph.folds.around(node)
    group = index.node(node).group
    return tuple(other.id for other in index.trace.nodes if group and other.group == group)


def _what_ifs(window: MainWindow) -> None:
    panels, session = window.panels, window.session
    panels.graph.what_if_requested.connect(window.commands.ask_what_if)
    panels.chain_rule.what_if.requested.connect(session.what_ifs.add)
    panels.chain_rule.what_if.take_back_requested.connect(session.what_ifs.take_back)
    panels.what_if_banner.take_back_requested.connect(lambda: session.what_ifs.take_back())
    panels.what_if_banner.clear_requested.connect(session.what_ifs.clear)
    panels.what_if_banner.keep_requested.connect(session.keep_what_ifs)
    session.what_ifs.changed.connect(window.update_actions)
    session.undoing.changed.connect(window.update_actions)
    window.top_bar.badge.clicked.connect(lambda: _show_proof(window))


def _show_proof(window: MainWindow) -> None:
    """Open the table of all gradients beside torch's own."""
    state = window.session.trace_state
    if state:
        titles = window.session.experiment.network.titles
        trace = state.index.whole.trace
        labels = [node.label for node in trace.nodes if node.kind == "parameter"]
        window.proof.set_trace(trace, {label: names.parameter_title(label, titles) for label in labels})
        window.proof.open_below(window.top_bar.badge)


def _plots(window: MainWindow) -> None:
    window.panels.microscope.element_picked.connect(lambda node, element: _show_weight(window, node, element))
    window.panels.chain_rule.element_chosen.connect(lambda node, element: _show_selection(window, window.session.selected_node))
    boundary = window.panels.boundary
    boundary.needs_changed.connect(lambda: _watch(window))
    boundary.put_requested.connect(window.data.points.put)
    boundary.erase_requested.connect(window.data.points.erase)
    boundary.adopt_requested.connect(window.data.points.adopt)
    for plot in window.panels.run_plots:
        plot.export_requested.connect(window.exports.ask_widget)


def _show_weight(window: MainWindow, node: int, element: tuple[int, ...]) -> None:
    """Let the chain-rule card be about the weight that is picked in the microscope."""
    window.session.select(_scalar(window, node, element))
    if not window.session.trace_state.index.is_scalar:
        window.panels.chain_rule.choose_element(int(np.ravel_multi_index(element, window.session.trace_state.index.node(node).shape)))


def _scalar(window: MainWindow, node: int, element: tuple[int, ...] = ()) -> int:
    """Return what a node with whole tensors is in the trace on the screen: where that is opened into neurons, this one or the first."""
    own = window.session.trace_state.index.scalars_of.get(node, {}) if window.session.trace_state else {}
    return own.get(element, next(iter(own.values()), node))
