"""Editing a network in the real window with the real engine: every view follows, and keys do what they say wherever they are pressed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from nnviz.document import edits
from nnviz.ui.canvas import inline
from tests.ui.window import opened, wait


@pytest.fixture
def window(qtbot):
    yield from opened(qtbot)


def keys(qtbot, *sequences: str) -> None:
    for sequence in sequences:
        qtbot.keySequence(QApplication.focusWidget(), sequence)
        QApplication.processEvents()


def traced(qtbot, window) -> None:
    wait(qtbot, lambda: window.session.run.is_traced)


def test_a_chosen_element_is_forgotten_when_its_layer_gets_fewer_units(qtbot, window):
    session, card = window.session, window.panels.chain_rule
    last = next(node for node in reversed(session.moment.reading.trace.nodes) if node.group and node.group[0] == "h2")
    session.select(last.id)
    card.choose_element(3)
    assert card.element() == (3,)
    session.edit("Narrow", edits.change_layer, "h2", units=2)
    traced(qtbot, window)
    assert card.node().shape[-1] == 2 and card.element()[0] < 2
    session.undoing.undo()
    traced(qtbot, window)
    assert card.node().shape[-1] == 4


def test_typed_layers_stand_from_left_to_right_wherever_the_mouse_is(qtbot, window, monkeypatch):
    session, view = window.session, window.panels.network
    window.activateWindow()
    keys(qtbot, "Ctrl+1", "Ctrl+A", "Del")
    monkeypatch.setattr("nnviz.ui.canvas.keys.QCursor.pos", lambda: view.viewport().mapToGlobal(QPoint(300, 60)))
    for name in ("input", "dense", "dropout", "dense"):
        view.setFocus()
        qtbot.keyClicks(view, name[0])
        field = view.viewport().findChildren(inline.SearchField)[-1]
        qtbot.keyClicks(field.line, name[1:])
        keys(qtbot, "Return")
        QApplication.processEvents()
    places = view.scene().places()
    order = [layer.id for layer in session.experiment.network.in_order()]
    assert order == ["input1", "dense1", "dropout1", "dense2"]
    boxes = [view.scene().box_of(id) for id in order]
    assert all(one.right() < other.left() for one, other in pairwise(boxes)), places
    assert len({y for _, y in places.values()}) == 1


def test_undo_reaches_the_window_from_a_field_whose_number_is_taken_over(qtbot, window):
    session = window.session
    window.activateWindow()
    keys(qtbot, "Ctrl+1")
    window.select_layers(("h1",))
    box = window.panels.properties.editors["units"]
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


def test_a_million_units_are_refused_with_what_they_would_need(qtbot, window):
    window.activateWindow()
    keys(qtbot, "Ctrl+1")
    window.select_layers(("h2",))
    box = window.panels.properties.editors["units"]
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, "1000000")
    assert box.lineEdit().text() == "1000000", "no digit is swallowed"
    keys(qtbot, "Return")
    assert box.value() == 4 and window.session.experiment.network.layer("h2")["units"] == 4
    assert "1,000,000 units" in window.toast.text and "5,000,000 parameters" in window.toast.text and "from 1 to 4,096" in window.toast.text


def test_the_weights_table_copies_and_pastes_by_key_while_a_layer_is_selected(qtbot, window):
    session = window.session
    window.select_layers(("h1",))
    window.weight_editing.open("h1.weight")
    editor = window.weight_editing.editor
    wait(qtbot, lambda: QApplication.focusWidget() is editor.table)
    keys(qtbot, "Ctrl+C")
    assert "Copied 4 × 2" in editor.status.text() and len(QGuiApplication.clipboard().text().split()) == 8
    editor.table.setCurrentIndex(editor.model.index(1, 0))
    QGuiApplication.clipboard().setText("0.5\t-0.25")
    keys(qtbot, "Ctrl+V")
    wait(qtbot, lambda: "h1.weight" in session.experiment.weights)
    assert session.experiment.weights["h1.weight"][1] == [0.5, -0.25]
    assert len(session.experiment.network.layers) == 4, "nothing is pasted on the canvas"
