"""Editing a network in the real window with the real engine: every view follows, and keys do what they say wherever they are pressed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from nnviz.document import edits
from nnviz.document.store.examples import open_document
from nnviz.ui.network import _inline, questions
from nnviz.ui.network.picking import PointerTarget
from tests.ui.network.views import LEFT, neuron
from tests.ui.window import opened, wait


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, engine=lent_engine)


def keys(qtbot, *sequences: str) -> None:
    for sequence in sequences:
        qtbot.keySequence(QApplication.focusWidget(), sequence)
        QApplication.processEvents()


def traced(qtbot, window) -> None:
    wait(qtbot, lambda: window.session.run.is_traced)


def test_a_chosen_element_is_forgotten_when_its_layer_gets_fewer_units(qtbot, window):
    session, card = window.session, window.features.step.chain_rule
    last = next(node for node in reversed(session.stepping.state.index.trace.nodes) if node.group and node.group[0] == "h2")
    session.stepping.select(last.id)
    card.choose_element(3)
    assert card.element() == (3,)
    session.edit("Narrow", edits.change_layer, "h2", units=2)
    traced(qtbot, window)
    assert card.node().shape[-1] == 2 and card.element()[0] < 2
    session.undo_order.undo()
    traced(qtbot, window)
    assert card.node().shape[-1] == 4


def test_typed_layers_stand_from_left_to_right_wherever_the_mouse_is(qtbot, window, monkeypatch):
    session, view = window.session, window.features.network.view
    window.activateWindow()
    keys(qtbot, "Ctrl+1", "Ctrl+A", "Del")
    monkeypatch.setattr("nnviz.ui.network._keys.QCursor.pos", lambda: view.viewport().mapToGlobal(QPoint(300, 60)))
    for name in ("input", "dense", "dropout", "dense"):
        view.setFocus()
        qtbot.keyClicks(view, name[0])
        field = view.viewport().findChildren(_inline.SearchField)[-1]
        qtbot.keyClicks(field.line, name[1:])
        keys(qtbot, "Return")
        QApplication.processEvents()
    places = view.scene().places()
    order = [layer.id for layer in session.experiment.network.in_order()]
    assert order == ["input1", "dense1", "dropout1", "dense2"]
    boxes = [view.scene().box_of(id) for id in order]
    assert all(one.right() < other.left() for one, other in pairwise(boxes)), places
    assert len({y for _, y in places.values()}) == 1


@pytest.mark.parametrize("sequence", ["Del", "Ctrl+X", "Ctrl+Z"])
def test_an_edit_in_the_middle_of_a_drag_ends_it(qtbot, window, sequence):
    session, view = window.session, window.features.network.view
    window.activateWindow()
    keys(qtbot, "Ctrl+1")
    session.edit("Widen", edits.change_layer, "h1", units=5)
    view.setFocus()
    start = neuron(view, "h2", 0)
    QTest.mousePress(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseMove(view.viewport(), start + QPoint(30, 30))
    QTest.mouseMove(view.viewport(), start + QPoint(60, 60))
    keys(qtbot, sequence)
    edited = session.experiment
    QTest.mouseMove(view.viewport(), start + QPoint(90, 30))
    QTest.mouseRelease(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, start + QPoint(90, 30))
    assert session.experiment is edited and edited.canvas == {}, "nothing was moved"
    assert edited.network.has("h2") == (sequence == "Ctrl+Z") and edited.network.layer("h1").settings["units"] == (
        4 if sequence == "Ctrl+Z" else 5
    )


def test_undo_reaches_the_window_from_a_field_whose_number_is_taken_over(qtbot, window):
    session = window.session
    window.activateWindow()
    keys(qtbot, "Ctrl+1")
    window.features.network.select_layers(("h1",))
    box = window.features.network.properties.editors["units"]
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, "7")
    keys(qtbot, "Return")
    assert session.experiment.network.layer("h1")["units"] == 7 and QApplication.focusWidget() is box
    keys(qtbot, "Ctrl+Z")
    assert session.experiment.network.layer("h1")["units"] == 4 and box.value() == 4
    qtbot.keyClicks(box, "5")
    keys(qtbot, "Ctrl+Z")
    assert session.experiment.network.layer("h1")["units"] == 4 and not session.document.history.can_undo, "the field's own undo"


def test_what_is_pasted_or_composed_in_a_field_is_undone_there(qtbot, window):
    session = window.session
    window.activateWindow()
    keys(qtbot, "Ctrl+1")
    session.edit("Width", edits.change_layer, "h1", units=7)
    window.features.network.select_layers(("h1",))
    box, name = (window.features.network.properties.editors[one] for one in ("units", "name"))
    QGuiApplication.clipboard().setText("9")
    for line, typed in ((box.lineEdit(), "9"), (name, "é")):
        line.setFocus()
        line.selectAll()
        before = line.text()
        line.paste() if line is not name else QApplication.sendEvent(name, _composed(typed))
        assert line.text() == typed
        keys(qtbot, "Ctrl+Z")
        assert line.text() == before and session.experiment.network.layer("h1")["units"] == 7
    keys(qtbot, "Ctrl+Z")
    assert session.experiment.network.layer("h1")["units"] == 4, "with nothing of its own the field leaves it to the window"


def _composed(text: str) -> QInputMethodEvent:
    """What an input method sends at the end."""
    event = QInputMethodEvent()
    event.setCommitString(text)
    return event


def test_a_search_keeps_undo_to_itself(qtbot, window):
    session = window.session
    window.activateWindow()
    session.edit("Width", edits.change_layer, "h1", units=7)
    wait(qtbot, lambda: session.run.is_traced)
    keys(qtbot, "Ctrl+2", "Ctrl+F")
    field = window.features.graph.view.finder.field
    wait(qtbot, field.hasFocus)
    keys(qtbot, "Ctrl+Z")
    qtbot.keyClicks(field, "relu")
    keys(qtbot, "Return", "Ctrl+Z", "Ctrl+Z")
    assert session.experiment.network.layer("h1")["units"] == 7 and field.text() == ""


def test_a_million_units_are_refused_with_what_they_would_need(qtbot, window):
    window.activateWindow()
    keys(qtbot, "Ctrl+1")
    window.features.network.select_layers(("h2",))
    box = window.features.network.properties.editors["units"]
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, "1000000")
    assert box.lineEdit().text() == "1000000", "no digit is swallowed"
    keys(qtbot, "Return")
    assert box.value() == 4 and window.session.experiment.network.layer("h2")["units"] == 4
    assert "1,000,000 units" in window.toast.text and "5,000,000 parameters" in window.toast.text and "from 1 to 4,096" in window.toast.text


def test_the_weights_table_copies_and_pastes_by_key_while_a_layer_is_selected(qtbot, window):
    session = window.session
    window.features.network.select_layers(("h1",))
    window.features.weights.open("h1.weight")
    editor = window.features.weights.editor
    wait(qtbot, lambda: QApplication.focusWidget() is editor.table)
    keys(qtbot, "Ctrl+C")
    assert "Copied 4 × 2" in editor.status.text() and len(QGuiApplication.clipboard().text().split()) == 8
    editor.table.setCurrentIndex(editor.model.index(1, 0))
    QGuiApplication.clipboard().setText("0.5\t-0.25")
    keys(qtbot, "Ctrl+V")
    wait(qtbot, lambda: "h1.weight" in session.experiment.weights)
    assert session.experiment.weights["h1.weight"][1] == [0.5, -0.25]
    assert len(session.experiment.network.layers) == 4, "nothing is pasted on the canvas"
    keys(qtbot, "Ctrl+A")
    assert len(editor.table.selectionModel().selectedIndexes()) == 8 and window.selected_layers == ("h1",)


def test_a_copy_stands_near_its_original_with_a_name_of_its_own(qtbot, window):
    session, scene = window.session, window.features.network.view.scene()
    window.features.network.select_layers(("h1", "h2"))
    before = [scene.box_of(layer.id) for layer in session.experiment.network]
    window.action_table["duplicate"].trigger()
    titles = [layer.title for layer in session.experiment.network]
    assert len(set(titles)) == len(titles) == 6
    copies = [scene.box_of(id) for id in window.selected_layers]
    assert not any(copy.intersects(box) for copy in copies for box in before)
    for copy, original in zip(copies, before[1:3], strict=True):
        assert copy.center().x() == original.center().x() and copy.top() - original.bottom() < 150


def test_fields_of_several_layers_of_one_kind_are_set_for_all_as_one_undo(qtbot, window):
    session, properties = window.session, window.features.network.properties
    keys(qtbot, "Ctrl+1")
    session.edit("Wider", edits.change_layer, "h2", units=6)
    window.features.network.select_layers(("h1", "h2"))
    assert "2 layers" in properties._empty.text() and "units  4, 6" in properties._sizes.text()
    properties.editors["activation"].setCurrentText("Tanh")
    properties.editors["frozen"].click()
    assert [session.experiment.network.layer(id)["activation"] for id in ("h1", "h2", "out")] == ["tanh", "tanh", "identity"]
    assert [session.experiment.network.layer(id).frozen for id in ("h1", "h2", "out")] == [True, True, False]
    keys(qtbot, "Ctrl+Z", "Ctrl+Z")
    assert [session.experiment.network.layer(id)["activation"] for id in ("h1", "h2")] == ["relu", "relu"]
    window.features.network.select_layers(("x", "h1"))
    assert "2 layers" in properties._empty.text() and "units" not in properties.editors


DEEP = "deep_sigmoid"


def all_activations(window):
    network = window.session.experiment.network
    return [layer["activation"] for layer in network.in_order() if layer.kind == "dense"]


@pytest.mark.parametrize("way", ["properties", "key", "menu"])
def test_all_hidden_layers_get_relu_as_one_act_and_one_undo(qtbot, window, way):
    session, feature = window.session, window.features.network
    session.document.new(open_document(f"template:{DEEP}"))
    window.activateWindow()
    keys(qtbot, "Ctrl+1")
    window.action_table["select_hidden"].trigger()
    count = len(feature.selected_layers)
    assert count == len(all_activations(window)) - 1 >= 8
    if way == "properties":
        feature.properties.editors["activation"].setCurrentText("ReLU")
    else:
        if way == "key":
            window.action_table["activation"].trigger()
        else:
            menu = QMenu(feature.view)
            questions.fill_menu(menu, feature.view, PointerTarget("layer", feature.selected_layers[0]), QPoint())
            next(action for action in menu.actions() if action.text().startswith("Activation")).trigger()
        field = feature.view.viewport().findChildren(_inline.SearchField)[-1]
        qtbot.keyClicks(field.line, "relu")
        qtbot.keyClick(field.line, Qt.Key.Key_Return)
    assert all_activations(window) == ["relu"] * count + ["identity"]
    window.action_table["undo"].trigger()
    assert set(all_activations(window)[:-1]) == {"sigmoid"} and not session.document.history.can_undo


def test_what_layers_have_in_common_is_set_for_all_and_what_differs_is_said(qtbot, window):
    session, feature = window.session, window.features.network
    window.activateWindow()
    keys(qtbot, "Ctrl+1")
    session.edit("Conv", edits.add_layer, "conv1d")
    session.edit("Tanh", edits.change_layer, "h2", activation="tanh", units=6)
    place, before = session.document.history.place, session.experiment
    feature.select_layers(("h1", "h2", "conv1d1"))
    editors = feature.properties.editors
    assert {"activation", "bias", "initializer", "gain"} <= set(editors) and "units" not in editors and "kernel_size" not in editors
    assert editors["activation"].currentIndex() == -1 and "tanh" in editors["activation"].toolTip()
    feature.select_layers(("h1", "h2"))
    editors = feature.properties.editors
    for name in ("units", "activation", "gain"):
        editors[name].setFocus()
        keys(qtbot, "Return")
        editors[name].clearFocus()
    assert session.experiment is before and editors["units"].lineEdit().text() == "", "left as it was"
    editors["units"].setFocus()
    qtbot.keyClicks(editors["units"], "4")
    keys(qtbot, "Esc", "Return")
    assert session.experiment is before and editors["units"].lineEdit().text() == ""
    qtbot.keyClicks(editors["units"], "4")
    keys(qtbot, "Return")
    layers = [session.experiment.network.layer(id) for id in ("h1", "h2")]
    assert [layer["units"] for layer in layers] == [4, 4] and session.document.history.place == place + 1
    editors["activation"].setCurrentIndex(editors["activation"].findData("relu"))
    assert [session.experiment.network.layer(id)["activation"] for id in ("h1", "h2")] == ["relu", "relu"], "the first had it already"
    session.edit("Gain", edits.set_gain, "h2", 2.0)
    editors["gain"].setFocus()
    assert editors["gain"].text() == ""
    qtbot.keyClicks(editors["gain"], "1")
    keys(qtbot, "Return")
    assert [session.experiment.network.layer(id).gain for id in ("h1", "h2")] == [1.0, 1.0]


def test_the_keyboard_goes_on_with_the_canvas_after_a_button_that_is_gone(qtbot, window):
    window.activateWindow()
    keys(qtbot, "Ctrl+1")
    window.features.network.select_layers(("h2",))
    button = window.features.network.properties.editors["delete"]
    button.setFocus()
    button.click()
    assert not window.session.experiment.network.has("h2")
    QApplication.processEvents()
    assert QApplication.focusWidget() is window.features.network.view


def test_what_is_typed_is_taken_over_when_another_kind_of_layer_is_selected(qtbot, window):
    session, network = window.session, window.features.network
    window.activateWindow()
    keys(qtbot, "Ctrl+1")
    network.select_layers(("h1",))
    box = network.properties.editors["units"]
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, "6")
    network.select_layers(("x",))
    assert session.experiment.network.layer("h1").settings["units"] == 6
    assert "shape" in network.properties.editors and "units" not in network.properties.editors


def test_a_dialog_with_a_number_closes_without_a_word(qtbot, window):
    QTimer.singleShot(0, lambda: qtbot.keyClick(QApplication.activeModalWidget(), Qt.Key.Key_Escape))
    window.action_table["go_to"].trigger()


def test_a_layer_in_the_middle_is_set_by_keyboard_alone(qtbot, window):
    session, view = window.session, window.features.network.view
    window.activateWindow()
    keys(qtbot, "Ctrl+1")
    view.setFocus()
    keys(qtbot, "Tab", "Tab", "Return")
    assert window.features.network.selected_layers == ("h1",)
    assert QApplication.focusWidget() is window.features.network.properties.editors["units"]
    QApplication.focusWidget().selectAll()
    qtbot.keyClicks(QApplication.focusWidget(), "7")
    keys(qtbot, "Return")
    assert session.experiment.network.layer("h1")["units"] == 7 and window.features.network.selected_layers == ("h1",)


def test_esc_takes_back_what_is_typed_in_any_field_and_says_nothing(qtbot, window):
    session, feature = window.session, window.features.network
    window.activateWindow()
    keys(qtbot, "Ctrl+1")
    before, said = session.experiment, []
    session.message_posted.connect(lambda *message: said.append(message))
    for id, name, typed in (("x", "shape", "1000000"), ("h1", "units", "9"), ("h1", "gain", "7"), ("h1", "name", "other")):
        feature.select_layers((id,))
        field = feature.properties.editors[name]
        field.setFocus()
        field.selectAll()
        old = field.text()
        qtbot.keyClicks(field, typed)
        keys(qtbot, "Esc")
        assert field.text() == old and feature.selected_layers == (id,), name
        field.clearFocus()
    assert session.experiment is before and said == []


def test_a_value_beyond_its_limits_is_said_and_the_old_one_stays(qtbot, window):
    session, feature = window.session, window.features.network
    window.activateWindow()
    keys(qtbot, "Ctrl+1")
    said = []
    session.message_posted.connect(lambda level, text: said.append(text))
    before = session.experiment
    for id, name, typed, limit in (("x", "shape", "1000000", "4,096"), ("h1", "units", "5000", "4,096"), ("h1", "gain", "1e9", "a number")):
        feature.select_layers((id,))
        field = feature.properties.editors[name]
        field.setFocus()
        field.selectAll()
        old = field.text()
        qtbot.keyClicks(field, typed)
        keys(qtbot, "Return")
        assert limit in said[-1] and field.text() == old, name
    assert session.experiment is before and len(said) == 3
