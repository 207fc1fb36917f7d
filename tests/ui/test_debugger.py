"""The stepping as a debugger, used with its keys in the real window with the real engine."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from nnviz.document import edits
from nnviz.document.breakpoints import Breakpoint
from nnviz.document.store import files
from nnviz.records.breakpoint_places import largest
from nnviz.ui.theme.colors import current_theme
from tests.ui.test_window import parameters, press
from tests.ui.window import opened, stands_at, wait


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", iterations=24, engine=lent_engine)


def node(window, group: str, label: str) -> int:
    return next(one.id for one in window.session.stepping.state.index.trace.nodes if one.label == label and one.group[:1] == (group,))


def here(window) -> tuple[str, str]:
    """The phase and the name of the node the cursor is at."""
    state = window.session.stepping.state
    return state.phase, "/".join((*state.node.group, state.node.label))


def diamond(window, card) -> str:
    """The colour at the corner of a card, where a breakpoint is marked."""
    view = window.features.graph.view
    view.actual_size()
    view.centerOn(card.scenePos())
    point = view.mapFromScene(card.scenePos())
    return view.viewport().grab().toImage().pixelColor(point.x() + 1, point.y() + 1).name()


def test_over_into_and_out_of_a_folded_layer(qtbot, window):
    graph, stepping = window.features.graph.view, window.session.stepping
    graph.folds.set(frozenset({"h1", "h2"}))
    press(qtbot, window, "F10")
    press(qtbot, window, "F10")
    assert here(window) == ("forward", "h1/relu"), "the folded layer is one step"
    press(qtbot, window, "F10")
    assert here(window) == ("forward", "h2/relu")
    press(qtbot, window, "Shift+F10")
    assert here(window) == ("forward", "h1/relu")
    press(qtbot, window, "F11")
    assert here(window) == ("forward", "h2/linear"), "into the next layer, not back into the one that was gone over"
    assert graph.scene().folded == {"h1"}
    press(qtbot, window, "F11")
    assert here(window) == ("forward", "h2/relu"), "nothing folded here: the next node"
    press(qtbot, window, "Shift+F10")
    press(qtbot, window, "Shift+F11")
    assert here(window) == ("forward", "out/linear"), "out: the first step behind the layer"
    stepping.to_end()
    press(qtbot, window, "Shift+F10")
    assert here(window) == ("update", "out/out.weight")


def test_keys_fold_and_open_the_group_at_the_cursor(qtbot, window):
    scene = window.features.graph.view.scene()
    press(qtbot, window, "F10")
    press(qtbot, window, "F10")
    press(qtbot, window, "Alt+Up")
    assert scene.folded == {"h1"}
    press(qtbot, window, "Alt+Shift+Up")
    assert scene.folded == {"h1", "h2", "out", "loss"}
    press(qtbot, window, "Alt+Down")
    assert scene.folded == {"h2", "out", "loss"}
    press(qtbot, window, "Alt+Shift+Down")
    assert not scene.folded


def test_one_layer_at_another_detail(qtbot, window):
    graph = window.features.graph.view
    graph.detail_requested.emit("loss", "math")
    wait(qtbot, lambda: any(node.operation == "log_softmax" for node in window.session.stepping.state.index.trace.nodes))
    assert graph.scene().frames["loss"].title == "loss · math"
    window.session.stepping.set_detail("layer")
    wait(qtbot, lambda: window.session.stepping.state.index.trace.detail == "layer")
    assert not any(node.operation == "log_softmax" for node in window.session.stepping.state.index.trace.nodes)
    window.session.stepping.select(
        next(node.id for node in window.session.stepping.state.index.trace.nodes if node.operation == "cross_entropy")
    )
    press(qtbot, window, "Ctrl+Alt+3")
    wait(qtbot, lambda: any(node.operation == "log_softmax" for node in window.session.stepping.state.index.trace.nodes))


def test_every_size_goes_forward_and_back(qtbot, window):
    press(qtbot, window, "Alt+2")
    press(qtbot, window, "F10")
    press(qtbot, window, "F10")
    press(qtbot, window, "F10")
    assert here(window) == ("forward", "h2/linear")
    press(qtbot, window, "Alt+3")
    press(qtbot, window, "F10")
    assert here(window)[0] == "loss"
    press(qtbot, window, "Alt+4")
    press(qtbot, window, "F10")
    assert (window.session.stepping.cursor, window.session.run.iteration) == (window.session.stepping.length, 24)
    before = parameters(window)
    press(qtbot, window, "F10")
    wait(qtbot, lambda: stands_at(window, 25))
    press(qtbot, window, "Shift+F10")
    wait(qtbot, lambda: stands_at(window, 24))
    assert window.session.stepping.cursor == window.session.stepping.length
    assert all((parameters(window)[name] == values).all() for name, values in before.items()), "back to the same bits"
    press(qtbot, window, "Alt+5")
    assert window.top_bar.sizes.key == "epoch"
    per_epoch = window.session.run.iterations_per_epoch
    press(qtbot, window, "F10")
    wait(qtbot, lambda: stands_at(window, 24 + per_epoch))
    press(qtbot, window, "Shift+F10")
    wait(qtbot, lambda: stands_at(window, 24))
    assert all((parameters(window)[name] == values).all() for name, values in before.items())


def test_a_node_at_a_time_back_into_the_iteration_before(qtbot, window):
    press(qtbot, window, "F10")
    press(qtbot, window, "Shift+F10")
    press(qtbot, window, "Shift+F10")
    wait(qtbot, lambda: stands_at(window, 23))
    assert here(window) == ("update", "out/out.bias")


def test_a_breakpoint_on_a_node_stops_play_training_and_long_steps(qtbot, window):
    relu = node(window, "h1", "relu")
    window.session.stepping.select(relu)
    press(qtbot, window, "F9")
    assert window.session.experiment.breakpoints == (Breakpoint("node", "h1/relu"),)
    assert window.features.step.breakpoints.button.text() == "breakpoint: relu of dense 1"
    card = window.features.graph.view.scene().card_of(relu)
    assert card.state.breakpoint is True
    assert diamond(window, card) == current_theme().loss.lower()
    press(qtbot, window, "Alt+3")
    press(qtbot, window, "F10")
    press(qtbot, window, "F10")
    press(qtbot, window, "F10")
    assert here(window) == ("forward", "h1/relu") and "Stopped at a breakpoint: relu of dense 1" in window.toast.text
    press(qtbot, window, "Alt+1")
    window.features.step.step_bar.speeds.set_choices(window.features.step.step_bar.speeds._choices, "4")
    press(qtbot, window, "F5")
    wait(qtbot, lambda: not window.session.stepping.is_playing)
    assert here(window) == ("backward", "h1/relu")
    assert window.session.stepping.selected_node == relu
    press(qtbot, window, "Ctrl+T")
    wait(qtbot, lambda: stands_at(window, 25) and window.session.run.is_traced)
    assert here(window) == ("forward", "h1/relu"), "training stops at the next iteration"
    press(qtbot, window, "Shift+F5")
    wait(qtbot, lambda: not window.session.stepping.is_playing or window.session.stepping.cursor <= 2)
    window.session.stepping.select(relu)
    press(qtbot, window, "F9")
    assert window.session.experiment.breakpoints == ()
    press(qtbot, window, "Ctrl+Z")
    assert len(window.session.experiment.breakpoints) == 1


def test_training_stops_where_a_gradient_passes_a_number(qtbot, window):
    """Which iteration meets the threshold is known beforehand, from its trace."""
    session = window.session
    sizes = {}
    for iteration in range(24, 60):
        session.training.go_to(iteration)
        wait(qtbot, lambda iteration=iteration: stands_at(window, iteration))
        index = session.stepping.state.index
        sizes[iteration] = max(largest(index, one.gradient) for one in index.trace.nodes if one.kind == "parameter")
    expected = next(k for k in range(27, 60) if sizes[k] > 1.001 * max(sizes[j] for j in range(24, k)))
    threshold = (max(sizes[j] for j in range(24, expected)) + sizes[expected]) / 2
    session.training.go_to(24)
    wait(qtbot, lambda: stands_at(window, 24))
    press(qtbot, window, "Ctrl+F9")
    popup = window.features.step.breakpoints.list
    assert popup.isVisible()
    popup.form.threshold.set_value(threshold)
    qtbot.mouseClick(popup.form.add, Qt.MouseButton.LeftButton)
    assert session.experiment.breakpoints == (Breakpoint("gradient", "", "above", threshold),)
    button = window.features.step.breakpoints.button
    assert popup.geometry().bottom() < button.mapToGlobal(button.rect().topLeft()).y(), "it grows upwards"
    popup.close()
    window.activateWindow()  # a screen would do so by itself
    wait(qtbot, window.isActiveWindow)
    press(qtbot, window, "Ctrl+T")
    wait(qtbot, lambda: stands_at(window, expected) and session.run.is_traced)
    state = session.stepping.state
    assert state.phase == "backward" and state.index.node(session.stepping.selected_node).kind == "parameter"
    assert largest(state.index, state.gradient(session.stepping.selected_node)) > threshold
    assert f"before iteration {expected + 1}" in window.toast.text and f"{sizes[expected]:.4g}" in window.toast.text
    press(qtbot, window, "Ctrl+T")
    wait(qtbot, lambda: session.run.iteration > expected)
    if session.training.is_training:
        press(qtbot, window, "Ctrl+T")
    wait(qtbot, lambda: not session.training.is_training)


def test_a_planted_explosion_is_found_and_named(qtbot, window):
    weights = parameters(window)["h2.weight"]
    window.session.edit("Explode", edits.set_parameter, "h2.weight", (weights * 0 + 1e30).tolist())
    window.session.edit("Explode", edits.set_parameter, "out.weight", [[1e30] * 4, [-1e30] * 4])
    wait(qtbot, lambda: window.session.run.is_traced and (parameters(window)["out.weight"] > 1e29).any())
    press(qtbot, window, "Ctrl+T")
    wait(qtbot, lambda: window.session.run.stopped == "non_finite" and window.session.run.is_traced)
    assert here(window) == ("forward", "out/linear")
    assert window.session.stepping.selected_node == node(window, "out", "linear")
    assert "The output of output is the first value that is not finite" in window.toast.text


def test_the_list_is_saved_and_opened_with_the_document(qtbot, window, tmp_path):
    window.session.edit("Add", edits.add_breakpoint, "loss_rising", threshold=0.25, enabled=False)
    assert window.features.step.breakpoints.button.text() == "breakpoints: 1 off"
    press(qtbot, window, "Ctrl+Shift+F9")
    assert window.features.step.breakpoints.button.text() == "breakpoint: loss rising by more than 0.25"
    path = tmp_path / "stops.nnviz"
    assert window.session.document.save_as(path)
    assert files.load(path).breakpoints == (Breakpoint("loss_rising", threshold=0.25),)


def test_what_no_step_comes_to_has_no_breakpoint(qtbot, window):
    window.session.stepping.select(next(one.id for one in window.session.stepping.state.index.trace.nodes if one.label == "target"))
    press(qtbot, window, "F9")
    assert window.session.experiment.breakpoints == () and "No step" in window.toast.text
    window.session.stepping.select(None)
    window.session.stepping.to_start()
    press(qtbot, window, "F9")
    assert "Select a node" in window.toast.text


def test_playing_stops_where_nothing_could_stop_it(qtbot, window):
    press(qtbot, window, "F5")
    assert window.session.stepping.is_playing
    window.features.area.show_workspace("build")
    assert not window.session.stepping.is_playing
    window.features.area.show_workspace("step")
    assert not window.session.stepping.is_playing


def test_the_speed_is_changed_while_it_plays(qtbot, window):
    bar = window.features.step.step_bar
    assert bar.speed == 1
    press(qtbot, window, "F5")
    for _ in range(3):
        press(qtbot, window, "Ctrl+]")
    assert bar.speed == 4
    assert window.session.stepping.is_playing
    wait(qtbot, lambda: window.session.stepping.cursor >= 4)
    press(qtbot, window, "F5")
    assert not window.session.stepping.is_playing
    press(qtbot, window, "Ctrl+[")
    assert bar.speed == 2


def test_backwards_it_plays_to_the_start_of_the_run(qtbot, window):
    window.session.training.go_to(1)
    wait(qtbot, lambda: stands_at(window, 1))
    window.session.stepping.to(2)
    window.top_bar.sizes.choose("phase")
    for _ in range(2):
        window.action_table["faster"].trigger()
    press(qtbot, window, "Shift+F5")
    wait(qtbot, lambda: not window.session.stepping.is_playing)
    assert (window.session.stepping.cursor, window.session.run.iteration) == (0, 0)


def test_a_move_over_the_trace_asks_for_no_new_numbers(qtbot, window, monkeypatch):
    sent = []
    monkeypatch.setattr(window.session.link, "ask", sent.append)
    for keys in (
        "F10",
        "F10",
        "F11",
        "Shift+F11",
        "Alt+2",
        "F10",
        "Alt+3",
        "F10",
        "Alt+4",
        "F10",
        "Alt+1",
        "Shift+F10",
        "Ctrl+Home",
        "Ctrl+End",
    ):
        press(qtbot, window, keys)
    assert window.session.stepping.cursor == window.session.stepping.length
    kept_in_the_background = ("Acknowledge", "Watch")  # a Watch names the weight whose history is kept while training goes on
    assert [type(request).__name__ for request in sent if type(request).__name__ not in kept_in_the_background] == []


def test_a_step_takes_the_card_along_unless_its_node_is_pinned(qtbot, window):
    session, card = window.session, window.features.step.chain_rule
    weight = next(one.id for one in session.stepping.state.index.trace.nodes if one.label == "h1.weight")
    session.stepping.to(3)
    session.stepping.select(weight)
    press(qtbot, window, "F10")
    assert session.stepping.selected_node is None and card.node().id == session.stepping.state.node.id
    press(qtbot, window, "Ctrl+Alt+P")
    here = session.stepping.selected_node
    press(qtbot, window, "F10")
    press(qtbot, window, "F10")
    assert session.stepping.selected_node == here == card.node().id != session.stepping.state.node.id
    assert card.pin_row.isVisible() and session.stepping.state.node.label in card.pin_row.accessibleDescription()
    for focused in (window.features.network.view, window.features.run.loss, card._element._box):
        session.stepping.pin(True)
        focused.setFocus()
        qtbot.keyClick(focused, Qt.Key.Key_Escape)
        assert session.stepping.selected_node is None and not session.stepping.is_pinned and not card.pin_row.isVisible()


def test_a_detail_is_for_nodes_of_layers_only(qtbot, window):
    said: list[str] = []
    window.session.message_posted.connect(lambda level, text: said.append(f"{level}: {text}"))
    window.session.stepping.to_start()
    press(qtbot, window, "F10")
    assert here(window)[0] == "batch"
    press(qtbot, window, "Ctrl+Alt+1")
    assert said == ["info: Choose a node of a layer first: data has no detail."] and not window.session.stepping.details
