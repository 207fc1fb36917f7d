"""What if, in the real window with the real engine: clicks, keys, before and after, undo, keep."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from nnviz.document import edits
from tests.ui.window import opened, stands_at, wait


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", iterations=24, engine=lent_engine)


def node(window, name: str, layer: str = "h1") -> int:
    nodes = window.session.stepping.state.index.trace.nodes
    return next(found.id for found in nodes if name in (found.label, found.operation) and (found.group[:1] == (layer,) or not layer))


def supposes(window, count: int) -> bool:
    state = window.session.stepping.state
    return state is not None and len(state.index.trace.what_ifs) == count and len(window.session.what_ifs.items) == count


def suppose(qtbot, window, id: int, text: str, kind: str = "set", place: int = 0) -> None:
    """Choose the element and type, as a person does."""
    count = len(window.session.what_ifs.items)
    window.session.stepping.select(id)
    window.features.step.chain_rule.choose_element(place)
    row = window.features.step.chain_rule.what_if
    qtbot.mouseClick(row.buttons[kind], Qt.MouseButton.LeftButton)
    if kind != "ablate":
        qtbot.keyClicks(row.box, text)
        qtbot.keyClick(row.box, Qt.Key.Key_Return)
    wait(qtbot, lambda: supposes(window, count + 1))


def test_a_weight_is_typed_and_the_whole_iteration_is_another(qtbot, window):
    original = window.session.stepping.state.index
    window.session.stepping.to_end()
    weight = node(window, "h1.weight")
    suppose(qtbot, window, weight, "0.7", place=1)
    index, banner = window.session.stepping.state.index, window.features.step.banner
    assert index.array(index.node(weight).value)[0, 1] == np.float32(0.7)
    assert index.original is original and index.trace.loss != original.trace.loss
    assert banner.isVisible() and banner.accessibleName().startswith("What if dense 1.W[0,1] = 0.7: loss ")
    assert window.session.stepping.cursor == window.session.stepping.length, "the cursor stays where it was"
    assert node(window, "linear") in index.changed_values
    cards = window.features.graph.view.scene()
    assert cards.card_of(weight).state.supposed
    assert cards.card_of(node(window, "linear")).state.differs
    assert not cards.card_of(node(window, "x", "")).state.differs
    qtbot.mouseClick(banner.take_back, Qt.MouseButton.LeftButton)
    wait(qtbot, lambda: supposes(window, 0))
    assert window.session.stepping.state.index.trace == original.trace, "the very same trace"
    assert not banner.isVisible()


def test_activations_inputs_and_targets_with_the_keyboard_alone(qtbot, window):
    window.session.stepping.to_end()
    for name, layer, text in (("relu", "h1", "5"), ("target", "", "1"), ("x", "", "-2")):
        window.session.stepping.select(node(window, name, layer))
        qtbot.keySequence(window, "Ctrl+H")
        box = window.features.step.chain_rule.what_if.box
        assert box.isVisible() and box.hasFocus()
        qtbot.keyClicks(box, text)
        count = len(window.session.what_ifs.items)
        qtbot.keyClick(box, Qt.Key.Key_Return)
        wait(qtbot, lambda count=count: supposes(window, count + 1))
    assert window.session.stepping.state.index.trace.worst_error < 1e-5
    assert "equals torch" in window.top_bar.badge.text()
    qtbot.mouseClick(window.features.step.banner.clear, Qt.MouseButton.LeftButton)
    wait(qtbot, lambda: supposes(window, 0))


def test_ctrl_z_takes_back_whatever_was_last_and_ctrl_y_brings_it_back(qtbot, window):
    window.session.edit("Rate", edits.change_optimizer, learning_rate=0.5)
    wait(qtbot, lambda: window.session.run.is_traced and window.session.link.is_up_to_date)
    suppose(qtbot, window, node(window, "relu"), "", "ablate")
    assert window.action_table["undo"].text() == "Undo what-if"
    qtbot.keySequence(window, "Ctrl+Z")
    wait(qtbot, lambda: supposes(window, 0))
    assert window.action_table["undo"].text() == "Undo Rate"
    qtbot.keySequence(window, "Ctrl+Y")
    wait(qtbot, lambda: supposes(window, 1))
    qtbot.keySequence(window, "Ctrl+Z")
    wait(qtbot, lambda: supposes(window, 0))
    qtbot.keySequence(window, "Ctrl+Z")
    assert window.session.experiment.training.optimizer["learning_rate"] != 0.5


def test_training_on_starts_from_the_true_values(qtbot, window):
    window.session.stepping.to_end()
    state = window.session.stepping.state
    expected = {update.parameter: state.index.array(update.after) for update in state.index.trace.updates}
    suppose(qtbot, window, node(window, "h1.weight"), "3")
    assert window.features.step.banner.isVisible()
    qtbot.keySequence(window, "F10")
    wait(qtbot, lambda: stands_at(window, 25) and not window.session.stepping.state.index.trace.what_ifs)
    assert "dropped" in window.toast.text
    assert not window.features.step.banner.isVisible()
    index = window.session.stepping.state.index
    for found in index.trace.nodes:
        if found.kind == "parameter":
            np.testing.assert_array_equal(index.array(found.value), expected[found.label])


def test_a_kept_weight_is_the_documents_and_undone_it_is_the_trained_one_again(qtbot, window):
    weight = node(window, "h1.weight")
    before = window.session.stepping.state.index.array(window.session.stepping.state.index.node(weight).value)
    suppose(qtbot, window, weight, "0.7", place=1)
    suppose(qtbot, window, node(window, "relu"), "", "ablate")
    qtbot.mouseClick(window.features.step.banner.keep, Qt.MouseButton.LeftButton)
    assert window.session.experiment.weights["h1.weight"][0][1] == pytest.approx(0.7)
    wait(qtbot, lambda: supposes(window, 1) and window.session.run.is_traced)
    truth = window.session.stepping.state.index.truth
    assert truth.array(truth.node(weight).value)[0, 1] == np.float32(0.7)
    window.session.what_ifs.clear()
    wait(qtbot, lambda: supposes(window, 0))
    for _ in range(2):
        qtbot.keySequence(window, "Ctrl+Z")
        wait(qtbot, lambda: window.session.run.is_traced and window.session.link.is_up_to_date)
    wait(qtbot, lambda: "h1.weight" not in window.session.experiment.weights)
    wait(qtbot, lambda: window.session.run.is_traced)
    truth = window.session.stepping.state.index.truth
    np.testing.assert_array_equal(truth.array(truth.node(weight).value), before)


def test_a_double_click_on_a_cell_opens_the_field_for_that_element(qtbot, window):
    window.session.stepping.to_end()
    graph, relu = window.features.graph.view, node(window, "relu")
    graph.actual_size()
    card = graph.scene().card_of(relu)
    graph.go_to(card.sceneBoundingRect().center())
    place = graph.mapFromScene(card.mapToScene(11 + 2 * 12 + 5, 33))
    qtbot.mouseDClick(graph.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place))
    assert window.session.stepping.selected_node == relu
    assert window.features.step.chain_rule.element() == (2,)
    assert window.features.step.chain_rule.what_if.box.isVisible()
    qtbot.keyClick(window.features.step.chain_rule.what_if.box, Qt.Key.Key_Escape)
    assert window.session.what_ifs.items == ()


def test_setting_a_weight_on_the_canvas_does_not_take_over_what_is_supposed(qtbot, window):
    truth = window.session.stepping.state.index
    suppose(qtbot, window, node(window, "h1.weight"), "9")
    window.features.network.view.weight_requested.emit("h1.weight", (1, 1), 0.25)
    weights = window.session.experiment.weights["h1.weight"]
    assert weights[1][1] == 0.25
    assert weights[0][0] == truth.array(truth.node(node(window, "h1.weight")).value)[0, 0]
    wait(qtbot, lambda: supposes(window, 1) and window.session.run.is_traced)


def test_another_detail_supposes_the_same(qtbot, window):
    suppose(qtbot, window, node(window, "relu", "h2"), "2")
    window.session.stepping.set_detail("math")
    wait(qtbot, lambda: window.session.stepping.state.index.trace.detail == "math" and supposes(window, 1))
    assert window.session.stepping.state.index.trace.loss != window.session.stepping.state.index.truth.trace.loss


def test_a_class_that_is_not_there_is_refused_with_a_sentence(qtbot, window):
    window.session.stepping.to_end()
    window.session.stepping.select(node(window, "target", ""))
    row = window.features.step.chain_rule.what_if
    row.open("set")
    qtbot.keyClicks(row.box, "7")
    qtbot.keyClick(row.box, Qt.Key.Key_Return)
    wait(qtbot, lambda: "cannot be made" in window.toast.text)
    assert window.session.what_ifs.items == ()
    assert window.session.stepping.state.index.original is None


def test_the_badge_opens_the_proof(qtbot, window):
    qtbot.mouseClick(window.top_bar.badge, Qt.MouseButton.LeftButton)
    proof = window.features.step.proof
    assert proof.isVisible()
    assert {row[0] for row in proof.rows()} == {"dense 1.W", "dense 1.b", "dense 2.W", "dense 2.b", "output.W", "output.b"}
    assert all(row[-1] == "✓" for row in proof.rows())
    qtbot.keyClick(proof, Qt.Key.Key_Escape)
    assert not proof.isVisible()


def test_the_history_of_the_chosen_weight_is_there_at_once(qtbot, window):
    window.session.stepping.select(node(window, "h1.weight"))
    window.features.step.chain_rule.choose_element(5)
    wait(qtbot, lambda: window.session.run.history is not None and tuple(window.session.run.history.element) == (2, 1))
    assert window.features.step.microscope.element == (2, 1), "microscope and card are about one weight"
    assert window.session.run.history.iterations.shape == (24,), "what lies behind was made again"
    assert window.features.step.chain_rule.history.isVisible()
    window.features.step.microscope.picker.boxes[0].setValue(3)
    assert window.features.step.chain_rule.element() == (3, 1)
    qtbot.keySequence(window, "Ctrl+I")
    wait(qtbot, lambda: stands_at(window, 25) and window.session.run.history.iterations.shape == (25,))
