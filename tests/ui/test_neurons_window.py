"""Neurons in the real window: the detail, stepping one by one, too large nets, maps under the mouse, and a badge that does not lie."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from nnviz.document import edits
from nnviz.document.store.examples import open_document
from nnviz.records.trace_record import WhatIf
from tests.ui.window import opened, wait


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "worked_2-2-1", engine=lent_engine)


@pytest.fixture
def moons(qtbot, lent_engine):
    yield from opened(qtbot, "moons", iterations=3, engine=lent_engine)


def in_neurons(qtbot, window) -> None:
    qtbot.keyClick(window, Qt.Key.Key_9, Qt.KeyboardModifier.AltModifier)
    assert window.features.graph.detail.key == "neurons"
    wait(qtbot, lambda: window.session.stepping.state is not None and window.session.stepping.state.index.is_scalar)


def test_stepping_goes_neuron_by_neuron(qtbot, window):
    in_neurons(qtbot, window)
    session, labels = window.session, []
    session.stepping.to_start()
    for _ in range(8):
        qtbot.keyClick(window, Qt.Key.Key_F10)
        labels.append((session.stepping.state.phase, session.stepping.state.node.label))
    assert labels[1:7] == [
        ("forward", "linear[0]"), ("forward", "linear[1]"), ("forward", "relu[0]"), ("forward", "relu[1]"), ("forward", "linear[0]"),
        ("loss", "mse_loss"),
    ]  # fmt: skip
    assert window.features.graph.view.scene().cards
    assert window.features.step.chain_rule.node().label == "mse_loss"


def test_breakpoints_run_to_here_and_what_ifs_work_on_single_neurons(qtbot, window):
    in_neurons(qtbot, window)
    session = window.session
    nodes = {node.label: node.id for node in session.stepping.state.index.trace.nodes if node.group == ("h1",)}
    session.stepping.to_start()
    session.stepping.to_node(nodes["relu[1]"])
    assert session.stepping.state.node.label == "relu[1]"
    session.toggle_breakpoint(nodes["linear[1]"])
    session.toggle_breakpoint(nodes["h1.weight[1, 0]"])
    assert [one.target for one in session.experiment.breakpoints] == ["h1/linear[1]", "h1.weight"]
    marked = {session.stepping.state.index.node(id).label for id in window.features.graph.view.trace_scene.look.breakpoints}
    assert marked == {"linear[1]", "h1.weight[0, 0]", "h1.weight[0, 1]", "h1.weight[1, 0]", "h1.weight[1, 1]"}
    session.stepping.to_start()
    for _ in range(3):  # batch, forward, and not on to the loss
        session.stepping.move("phase", +1)
    assert session.stepping.state.node.label == "linear[1]"

    session.stepping.select(nodes["h1.weight[1, 0]"])
    window.features.step.chain_rule.what_if.open("set")
    window.features.step.chain_rule.what_if.box.set_value(2.0)
    qtbot.keyClick(window.features.step.chain_rule.what_if.box, Qt.Key.Key_Return)
    wait(qtbot, lambda: bool(session.stepping.state.index.trace.what_ifs))
    index = session.stepping.state.index
    assert index.array(index.node(nodes["linear[1]"]).value) == pytest.approx([2.0 * 1.3 - 0.3 * 0.7 + 0.9])
    assert session.keep_what_ifs()
    assert session.experiment.weights["h1.weight"] == [[0.1, 0.5], [2.0, -0.3]]


def test_too_large_a_net_stays_at_its_detail_and_says_why(qtbot, moons):
    session, said = moons.session, []
    session.message_posted.connect(lambda level, text: said.append(text))
    session.document.new(open_document("example:digits"))
    wait(qtbot, lambda: session.stepping.state is not None and session.run.is_traced)
    moons.features.graph.detail.chosen.emit("neurons")
    wait(qtbot, lambda: bool(said))
    assert "up to 600" in said[-1] and "Choose another detail" in said[-1]
    assert session.stepping.detail == "textbook" == moons.features.graph.detail.key
    assert session.stepping.state.index.trace.detail == "textbook"


def test_other_panels_go_on_with_whole_tensors(qtbot, moons):
    in_neurons(qtbot, moons)
    session = moons.session
    session.stepping.to_end()
    assert moons.features.network.view.state.index is session.stepping.state.index.whole
    weight = next(node for node in session.stepping.state.index.trace.nodes if node.label == "h2.weight[1, 2]")
    session.stepping.select(weight.id)
    microscope = moons.features.step.microscope
    assert (microscope.parameter, microscope.element) == ("h2.weight", (1, 2)) and microscope.rows[0].value is not None
    assert {row.parameter for row in session.stepping.state.index.whole.trace.agreements} >= {"h1.weight"}


def test_hovering_a_neuron_shows_its_map_until_the_mouse_leaves(qtbot, moons):
    boundary, network = moons.features.run.boundary, moons.features.network.view
    moons.session.watch(("curves", "surface", "trace"))
    wait(qtbot, lambda: moons.session.run.surface is not None)
    network.neuron_hovered.emit("h1", 2)
    wait(qtbot, lambda: boundary._hover_map is not None)
    assert boundary._hover_map.shape == (48, 48) and np.isfinite(boundary._hover_map).all() and boundary._neuron.endswith("[2]")
    network.neuron_hovered.emit("", -1)
    assert boundary._hover_map is None
    network.neuron_hovered.emit("h1", 1)
    network.neuron_hovered.emit("", -1)
    qtbot.wait(50)
    assert boundary._hover_map is None  # an answer that comes too late is not shown


def test_the_badge_does_not_speak_for_a_broken_network(qtbot, moons):
    badge = moons.top_bar.badge
    assert "equals torch" in badge.text()
    moons.session.edit("Cut", edits.disconnect_layers, "h2", "out")
    assert not moons.session.report.ok
    assert "equals torch" not in badge.text() and "last" in badge.text() and "cannot be traced" in badge.toolTip()
    moons.session.document.undo()
    wait(qtbot, lambda: "equals torch" in badge.text())


def test_a_layer_has_a_detail_of_its_own_among_neurons_and_it_goes_with_the_layer(qtbot, moons):
    session, said = moons.session, []
    session.message_posted.connect(lambda level, text: said.append((level, text)))
    in_neurons(qtbot, moons)
    session.edit("Add dropout", edits.add_layer, "dropout", between=("h1", "h2"))
    operations = lambda: {node.operation for node in session.stepping.state.index.trace.nodes}  # noqa: E731
    wait(qtbot, lambda: session.stepping.state and "dropout_mask" in operations())
    (mask,) = {node.group[0] for node in session.stepping.state.index.trace.nodes if node.operation == "dropout_mask"}
    session.stepping.select(next(node.id for node in session.stepping.state.index.trace.nodes if node.operation == "dropout_mask"))
    qtbot.keyClick(moons, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
    wait(qtbot, lambda: session.stepping.state and "dropout" in operations())
    assert session.stepping.state.index.is_scalar and session.stepping.state.index.trace.details == ((mask, "layer"),)
    assert moons.features.graph.view.scene().frames[mask].title.endswith("layer")
    session.edit("Delete", edits.remove_layers, [mask])
    wait(qtbot, lambda: session.stepping.state and not {"dropout", "dropout_mask"} & operations())
    assert session.stepping.details == () and not [text for level, text in said if level == "error"]


def test_what_is_looked_at_and_supposed_goes_along_to_the_neurons_and_back(qtbot, window):
    session, graph = window.session, window.features.graph.view
    tensor = {node.label: node.id for node in session.stepping.state.index.trace.nodes if node.group == ("h1",)}
    session.stepping.to_start()
    session.stepping.to_node(tensor["relu"])
    session.stepping.select(tensor["linear"])
    session.what_ifs.add(WhatIf(tensor["h1.weight"], "set", 2.0, (1, 0)))
    wait(qtbot, lambda: bool(session.stepping.state.index.trace.what_ifs))
    loss = session.stepping.state.index.trace.loss

    in_neurons(qtbot, window)
    wait(qtbot, lambda: bool(session.stepping.state.index.trace.what_ifs))
    state = session.stepping.state
    assert state.index.is_scalar and state.index.trace.loss == pytest.approx(loss, rel=1e-12)
    assert state.phase == "forward" and state.node.label == "relu[1]", "both of its neurons are made"
    assert state.index.node(session.stepping.selected_node).label == "linear[0]"
    assert graph.scene().card_of(session.stepping.selected_node).state.selected
    (item,) = session.what_ifs.items
    assert state.index.node(item.node).label == "h1.weight[1, 0]"
    assert graph.scene().card_of(item.node).state.supposed

    session.stepping.select(next(node.id for node in state.index.trace.nodes if node.label == "relu[1]" and node.group == ("h1",)))
    qtbot.keyClick(window, Qt.Key.Key_7, Qt.KeyboardModifier.AltModifier)
    wait(qtbot, lambda: not session.stepping.state.index.is_scalar and bool(session.stepping.state.index.trace.what_ifs))
    assert session.stepping.state.node.id == tensor["relu"] == session.stepping.selected_node
    assert session.what_ifs.items == (WhatIf(tensor["h1.weight"], "set", 2.0, (1, 0)),)
    assert session.stepping.state.index.trace.loss == pytest.approx(loss, rel=1e-12)


def test_what_was_folded_by_hand_is_still_folded_behind_the_neurons(qtbot, window):
    graph = window.features.graph.view
    graph.folds.fold("h1")
    in_neurons(qtbot, window)
    qtbot.keyClick(window, Qt.Key.Key_7, Qt.KeyboardModifier.AltModifier)
    wait(qtbot, lambda: not window.session.stepping.state.index.is_scalar)
    assert graph.scene().folded == {"h1"}
