"""Weights set by hand in the real window, with a real engine."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from nnviz.document import edits
from tests.ui.window import opened, stands_at, wait

WEIGHT = "h1.weight"


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, iterations=20, engine=lent_engine)


def settled(qtbot, window):
    wait(qtbot, lambda: window.session.run.is_traced)


def bits(window, parameter=WEIGHT):
    return window.session.weights.values(parameter).tobytes()


def turn(view, at: QPoint, notches: int, modifiers=Qt.KeyboardModifier.NoModifier):
    place = QPointF(at)
    event = QWheelEvent(
        place,
        QPointF(view.viewport().mapToGlobal(at)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view.viewport(), event)


def test_the_table_shows_sets_and_undoes_to_the_bit(window, qtbot):
    window.features.network.select_layers(("h1",))
    window.action_table["weights"].trigger()
    editor, before = window.features.weights.editor, bits(window)
    assert editor.parameter == WEIGHT and editor.model.rowCount() == 4
    editor.model.setData(editor.model.index(2, 1), "-3.25")
    settled(qtbot, window)
    assert window.session.weights.values(WEIGHT)[2, 1] == -3.25 and bits(window) != before
    assert editor.model.index(2, 1).data(Qt.ItemDataRole.EditRole) == "-3.25"
    window.action_table["undo"].trigger()
    settled(qtbot, window)
    assert bits(window) == before


def test_drawing_with_the_documents_seed_gives_the_start_and_another_seed_does_not(window, qtbot):
    session = window.session
    session.branches.start_over()
    wait(qtbot, lambda: stands_at(window, 0) and session.run.is_traced)
    start = bits(window)
    session.training.iterations(10)
    wait(qtbot, lambda: stands_at(window, 10) and session.run.is_traced)
    trained = bits(window)
    window.features.weights.open(WEIGHT)
    controls = window.features.weights.editor.controls
    controls.buttons["Draw"].click()
    wait(qtbot, lambda: session.document.history.undo_label.startswith("Draw"))
    settled(qtbot, window)
    assert bits(window) == start
    session.undo_order.undo()
    settled(qtbot, window)
    assert bits(window) == trained
    controls.seed.setValue(123456)
    controls.buttons["Draw"].click()
    wait(qtbot, lambda: session.document.history.undo_label.startswith("Draw"))
    settled(qtbot, window)
    assert bits(window) not in (start, trained)


def test_locked_weights_stay_while_the_others_train(window, qtbot):
    session = window.session
    window.features.weights.open(WEIGHT)
    editor = window.features.weights.editor
    editor.table.setCurrentIndex(editor.model.index(1, 0))
    editor.toggle_lock()
    window.features.network.view.lock_requested.emit("h2.bias", (2,))
    settled(qtbot, window)
    weight, bias = session.weights.values(WEIGHT).copy(), session.weights.values("h2.bias").copy()
    assert "1 locked" in editor.status.text()
    session.training.iterations(15)
    wait(qtbot, lambda: stands_at(window, 35) and session.run.is_traced)
    assert np.argwhere(session.weights.values(WEIGHT) == weight).tolist() == [[1, 0]]
    assert np.argwhere(session.weights.values("h2.bias") == bias).tolist() == [[2]]
    window.features.network.view.lock_requested.emit("h2.bias", (2,))
    assert session.experiment.locks == {WEIGHT: [[1, 0]]}


def edge(view):
    """A link of WEIGHT, a point of the view on one of its lines, and which element that line is."""
    link, item = next((link, item) for link, item in view.scene().links.items() if item.parameter == WEIGHT)
    points = item.course.points[0]
    at = view.mapFromScene(item.mapToScene(QPointF(*points[len(points) // 2])))
    return link, at, tuple(item.course.pairs[view.hit_at(at).curve])


def test_the_wheel_over_a_selected_edge_turns_it_finely_as_one_undo(window, qtbot):
    view, session = window.features.network.view, window.session
    link, at, index = edge(view)
    before, zoom = bits(window), view.transform().m11()
    value = session.weights.values(WEIGHT)[index]
    view.scene().mark(selected=(), selected_links=(link,))
    for _ in range(3):
        turn(view, at, 1)
    turn(view, at, 1, Qt.KeyboardModifier.ShiftModifier)
    assert view.hint.isVisible() and view.hint.text().startswith(f"dense 1.W{list(index)} = ")
    settled(qtbot, window)
    now = session.weights.values(WEIGHT)[index]
    assert float(view.hint.text().rpartition(" ")[2].replace("−", "-")) == pytest.approx(now, rel=1e-3)
    assert view.transform().m11() == zoom and now == pytest.approx(value + 0.13, abs=1e-6)
    session.undo_order.undo()
    settled(qtbot, window)
    assert bits(window) == before and not session.document.history.can_undo
    view.scene().mark(selected=(), selected_links=())
    turn(view, at, 1)
    assert view.transform().m11() > zoom


def test_the_wheel_while_training_says_when_it_counts_and_no_old_number(window, qtbot):
    session, view = window.session, window.features.network.view
    link, at, index = edge(view)
    session.weights.put_element(WEIGHT, index, 0.5)
    settled(qtbot, window)
    view.scene().mark(selected=(), selected_links=(link,))
    session.training.train()
    wait(qtbot, lambda: session.training.is_training and session.run.training)
    turn(view, at, 1)
    assert view.hint.isVisible() and view.hint.text() == session.weights.note and "between two iterations" in view.hint.text()
    session.training.pause()
    wait(qtbot, lambda: not session.training.is_training and session.run.is_traced)


def test_a_parameter_too_large_for_the_trace_is_fetched_and_set(window, qtbot):
    session = window.session
    session.edit("Wide", lambda experiment: edits.change_layer(edits.change_layer(experiment, "h1", units=80), "h2", units=80))
    settled(qtbot, window)
    window.features.weights.open("h2.weight")
    editor = window.features.weights.editor
    wait(qtbot, lambda: editor.model.rowCount() == 80)
    before = bits(window, "h2.weight")
    editor.model.setData(editor.model.index(79, 79), "2")
    wait(qtbot, lambda: session.run.is_traced)
    wait(qtbot, lambda: session.weights.values("h2.weight") is not None and session.weights.values("h2.weight")[79, 79] == 2)
    session.undo_order.undo()
    settled(qtbot, window)
    wait(qtbot, lambda: session.weights.values("h2.weight") is not None)
    assert bits(window, "h2.weight") == before


def test_a_weight_set_while_training_runs_takes_effect_between_two_iterations_and_is_replayed_to_the_bit(window, qtbot):
    session = window.session
    session.training.train()
    wait(qtbot, lambda: session.run.iteration > 25)
    window.features.weights.open(WEIGHT)
    editor = window.features.weights.editor
    assert "between two iterations" in editor.status.text()
    editor.model.setData(editor.model.index(1, 0), "2.5")
    wait(qtbot, lambda: WEIGHT in session.experiment.weights and session.training.is_training)
    change = session.link.log.changes[-1]
    assert change.experiment.weights[WEIGHT][1][0] == 2.5 and change.iteration > 25
    seen = session.run.iteration
    wait(qtbot, lambda: session.run.iteration > seen)
    session.training.pause()
    wait(qtbot, lambda: not session.training.is_training and session.run.is_traced)
    end, here = bits(window), session.run.iteration
    for place in (change.iteration - 10, here):
        session.training.go_to(place)
        wait(qtbot, lambda place=place: stands_at(window, place) and session.run.is_traced)
    assert bits(window) == end


def test_what_the_table_was_touched_at_is_set_whatever_the_number(window, monkeypatch):
    put = []
    monkeypatch.setattr(window.session.weights, "put", lambda *what, **more: put.append(more))
    window.features.network.select_layers(("h1",))
    window.action_table["weights"].trigger()
    model = window.features.weights.editor.model
    model.setData(model.index(2, 1), "-3.25")
    assert np.argwhere(put[0]["chosen"]).tolist() == [[2, 1]]
