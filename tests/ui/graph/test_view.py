"""The graph on the screen: it shows the moment, answers clicks and keys, keeps its place, folds, and repaints only what changed."""

import time

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QMenu

from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_state import TraceState
from nnviz.ui.theme.colors import DARK, LIGHT
from nnviz.ui.theme.style import apply_theme
from tests.ui import traces


@pytest.fixture
def net():
    return TraceIndex(traces.dropout_net())


def _card(view, index, label):
    return view.scene().card_of(traces.node(index.trace, label))


def _middle(view, item) -> QPoint:
    return view.mapFromScene(item.mapToScene(item.boundingRect().center()))


def test_without_a_trace_it_says_so(view):
    view.set_trace_state(None)
    assert view.notice.isVisible() and "No trace yet" in view.notice.text()
    assert view.accessibleDescription() == "There is no trace yet."
    assert view.scene().items() == []


def test_the_cursors_node_has_the_colour_of_its_phase(view, net):
    relu = traces.place(net.trace, "backward", "relu")
    view.set_trace_state(TraceState(net, relu, 0))
    states = {key: item.state for key, item in view.scene().cards.items()}
    here = [state for state in states.values() if state.phase]
    assert [(state.name, state.phase) for state in here] == [("relu", "backward")]
    read = [state.name for state in states.values() if state.read]
    assert read == ["linear"]


def test_what_is_yet_to_come_is_dimmed(view, net):
    view.set_trace_state(TraceState(net, traces.place(net.trace, "forward", "relu"), 0))
    made = [
        item.state.made
        for key, item in sorted(view.scene().cards.items(), key=lambda pair: pair[1].x())
        if not view.scene().diagram.cards[key].owner
    ]
    assert made == sorted(made, reverse=True) and not all(made)


def test_a_cursor_move_keeps_the_items_and_touches_only_some(view, net, qtbot):
    view.set_trace_state(TraceState(net, 3, 0))
    before = dict(view.scene().cards)
    states = {key: item.state for key, item in before.items()}
    view.set_trace_state(TraceState(net, 4, 0))
    assert dict(view.scene().cards) == before
    changed = [key for key, item in before.items() if item.state != states[key]]
    assert 0 < len(changed) <= 3


def test_zoom_and_place_survive_new_numbers_but_not_a_new_structure(view, net):
    view.set_trace_state(TraceState(net, 3, 0))
    view.actual_size()
    view.centerOn(900, 0)
    place = view.mapToScene(QPoint(0, 0))
    items = dict(view.scene().cards)
    view.set_trace_state(TraceState(TraceIndex(traces.dropout_net(seed=9)), 3, 0))
    assert dict(view.scene().cards) == items
    view.set_trace_state(TraceState(TraceIndex(traces.worked()), 3, 0))
    assert set(view.scene().cards) != set(items)
    assert view.mapToScene(QPoint(0, 0)) != place


def test_it_follows_the_cursor_out_of_sight(view, net):
    view.set_trace_state(TraceState(net, 1, 0))
    view.actual_size()
    view.centerOn(0, 0)
    view.set_trace_state(TraceState(net, net.phase_spans["loss"][1], 0))
    card = view.scene().card_of(net.trace.steps[net.phase_spans["loss"][0]].node)
    assert view.viewport().rect().contains(_middle(view, card))


def test_before_the_first_step_the_entry_is_in_sight(view, net):
    view.set_trace_state(TraceState(net, net.length, 0))
    view.actual_size()
    view.centerOn(view.scene().content.bottomRight())
    entry = _card(view, net, "x")
    assert not view.viewport().rect().contains(_middle(view, entry))
    view.set_trace_state(TraceState(net, 0, 0))
    assert view.viewport().rect().contains(_middle(view, entry))


def test_a_click_asks_for_the_node_and_control_click_to_run_there(view, net, qtbot):
    view.set_trace_state(TraceState(net, 3, 0))
    view.fit()
    card = _card(view, net, "relu")
    with qtbot.waitSignal(view.node_clicked) as clicked:
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=_middle(view, card))
    with qtbot.waitSignal(view.run_to_requested) as run:
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, _middle(view, card))
    assert clicked.args == run.args == [traces.node(net.trace, "relu")]


def test_the_context_menu_runs_to_here(view, net, qtbot):
    from PySide6.QtGui import QContextMenuEvent

    view.set_trace_state(TraceState(net, 3, 0))
    view.fit()
    place = _middle(view, _card(view, net, "mul"))
    view.contextMenuEvent(QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, view.mapToGlobal(place)))
    menu = view.findChild(QMenu)
    action = next(a for a in menu.actions() if isinstance(a, QAction) and a.text() == "Run to here")
    with qtbot.waitSignal(view.run_to_requested) as run:
        action.trigger()
    menu.close()
    assert run.args == [traces.node(net.trace, "mul")]


def test_a_drag_pans_and_clicks_nothing(view, net, qtbot):
    view.set_trace_state(TraceState(net, 3, 0))
    view.actual_size()
    clicks = []
    view.node_clicked.connect(clicks.append)
    before = view.mapToScene(QPoint(0, 0))
    start = _middle(view, _card(view, net, "relu"))
    qtbot.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(view.viewport(), start - QPoint(60, 0))
    qtbot.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=start - QPoint(60, 0))
    assert clicks == [] and view.mapToScene(QPoint(0, 0)).x() == pytest.approx(before.x() + 60, abs=2)


def test_the_wheel_zooms_towards_the_mouse(view, net):
    from PySide6.QtGui import QWheelEvent

    view.set_trace_state(TraceState(net, 3, 0))
    view.actual_size()
    place = QPointF(300, 150)
    event = QWheelEvent(
        place,
        view.mapToGlobal(place),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    view.wheelEvent(event)
    assert view.transform().m11() > 1.1


def test_keys_fit_zoom_and_walk(view, net, qtbot):
    view.set_trace_state(TraceState(net, 3, 0))
    view.actual_size()
    qtbot.keyClick(view, Qt.Key.Key_F)
    assert view.is_fitted and view.seen().contains(view.trace_scene.content)
    with qtbot.waitSignal(view.node_clicked) as walked:
        qtbot.keyClick(view, Qt.Key.Key_Right)
    view.set_selected(walked.args[0])
    with qtbot.waitSignal(view.run_to_requested) as run:
        qtbot.keyClick(view, Qt.Key.Key_Return)
    assert run.args == walked.args


def test_a_double_click_folds_and_unfolds(view, net, qtbot):
    view.set_trace_state(TraceState(net, 3, 0))
    view.fit()
    frame = view.scene().frames["h1"]
    with qtbot.waitSignal(view.folds.changed) as folded:
        place = view.mapFromScene(frame.mapToScene(QPointF(60, 12)))
        qtbot.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert folded.args == [frozenset({"h1"})] and "h1" not in view.scene().frames
    card = _card(view, net, "relu")
    assert card.state.folded and card.state.note == "4 nodes"
    with qtbot.waitSignal(view.folds.changed):
        qtbot.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=_middle(view, card))
    assert "h1" in view.scene().frames


def test_the_minus_button_folds(view, net, qtbot):
    view.set_trace_state(TraceState(net, 3, 0))
    view.actual_size()
    frame = view.scene().frames["h1"]
    place = view.mapFromScene(frame.mapToScene(frame.button().center()))
    with qtbot.waitSignal(view.folds.changed):
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_large_graphs_open_folded_by_layer(view):
    index = TraceIndex(traces.mlp((2, 6, 2), repeated=40))
    view.set_trace_state(TraceState(index, 5, 0))
    assert len(view.scene().folded) == 41
    assert len(view.scene().cards) == 44  # 41 layers, data, loss and target
    view.folds.open_one("h3")
    assert "h3" in view.scene().frames


def test_a_gradient_travels_only_on_a_step_forward_and_only_when_animated(view, net, qtbot):
    relu = traces.place(net.trace, "backward", "relu")
    scene = view.scene()
    view.set_animated(True)
    view.set_trace_state(TraceState(net, relu - 1, 0))
    view.set_trace_state(TraceState(net, relu, 0))
    ((dot, edge),) = scene.travel.dots
    start = dot.pos()
    qtbot.waitUntil(lambda: not scene.travel.is_moving, timeout=2000)
    assert dot.x() < start.x() and dot.pos() == edge.point(0.5)
    view.set_trace_state(TraceState(net, relu + 1, 0))
    view.set_trace_state(TraceState(net, relu, 0))
    assert not scene.travel.is_moving
    view.set_animated(False)
    view.set_trace_state(TraceState(net, relu + 1, 0))
    assert not scene.travel.is_moving and len(scene.travel.dots) == 3


def test_edges_turn_when_their_gradient_has_come_back(view, net):
    relu = traces.place(net.trace, "backward", "relu")
    edge = next(ends for ends in _edges_of(view, net, relu))
    assert view.scene().edges[edge].state.returned
    view.set_trace_state(TraceState(net, relu - 1, 0))
    assert not view.scene().edges[edge].state.returned


def _edges_of(view, net, cursor):
    view.set_trace_state(TraceState(net, cursor, 0))
    here = view.scene().diagram.card_of[net.trace.steps[cursor - 1].node]
    return [ends for ends in view.scene().edges if ends[1] == here]


def test_colouring_changes_edges_and_refuses_nonsense(view, net):
    view.set_trace_state(TraceState(net, net.phase_spans["backward"][1], 0))
    view.set_coloring("gradient")
    by_gradient = [edge.state.size for edge in view.scene().edges.values()]
    view.set_coloring("value")
    assert [edge.state.size for edge in view.scene().edges.values()] != by_gradient
    with pytest.raises(ValueError, match="value, gradient, contribution, update"):
        view.set_coloring("mood")


def test_the_range_of_the_colours_is_printed(view, net):
    view.set_trace_state(TraceState(net, 3, 0))
    assert view._limits.isVisible()
    assert view._limits.text().startswith("value ±") and "gradient ±" in view._limits.text()


def test_it_describes_itself_in_a_sentence(view, net):
    view.set_trace_state(TraceState(net, traces.place(net.trace, "forward", "relu"), 0))
    assert view.accessibleDescription() == "Step 3 of 22: forward at relu of h1."


def test_titles_replace_layer_ids(view, net):
    view.set_trace_state(TraceState(net, 3, 0))
    view.set_titles({"h1": "dense 1"})
    assert view.scene().frames["h1"].title == "dense 1"


def test_selection_marks_one_card(view, net):
    view.set_trace_state(TraceState(net, 3, 0))
    view.set_selected(traces.node(net.trace, "mul"))
    assert [item.state.name for item in view.scene().cards.values() if item.state.selected] == ["mul"]


def test_both_themes_paint_their_own_ground(view, net):
    view.set_trace_state(TraceState(net, 3, 0))
    for theme in (LIGHT, DARK):
        apply_theme(QApplication.instance(), theme)
        assert view.grab().toImage().pixelColor(2, 2) == theme.color("panel")


def test_a_cursor_move_paints_within_a_frame(view, qapp):
    index = TraceIndex(traces.mlp((2, 6, 2), repeated=11))
    assert 45 <= len(index.trace.nodes) <= 60
    view.set_trace_state(TraceState(index, 0, 0))
    qapp.processEvents()
    times = []
    for cursor in range(index.length + 1):
        start = time.process_time()
        view.set_trace_state(TraceState(index, cursor, 0))
        qapp.processEvents()
        times.append(time.process_time() - start)
    assert sorted(times)[len(times) // 2] <= 0.016


def test_nothing_of_a_graph_before_is_picked_while_another_is_laid_out(qtbot, view, monkeypatch):
    """Its cards stay on the screen until then, but their nodes are those of another trace."""
    view.set_trace_state(TraceState(TraceIndex(traces.mlp((2, 6, 2), repeated=12)), 1, 0))
    qtbot.waitUntil(lambda: view.trace_scene.is_shown)
    clicked, card = [], next(iter(view.scene().cards.values()))
    view.node_clicked.connect(clicked.append)
    place = view.mapFromScene(card.sceneBoundingRect().center())
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert clicked == [card.card.shown]
    monkeypatch.setattr("nnviz.ui.graph.layout.AT_ONCE", 0)
    view.set_trace_state(TraceState(TraceIndex(traces.mlp((2, 3, 2))), 1, 0))
    assert not view.trace_scene.is_shown and view.scene().cards, "the old cards are still there"
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert len(clicked) == 1
    qtbot.waitUntil(lambda: view.trace_scene.is_shown)


def test_without_a_trace_there_is_no_map_of_the_one_before(qtbot, view):
    view.set_trace_state(TraceState(TraceIndex(traces.mlp((2, 6, 2), repeated=12)), 1, 0))
    qtbot.waitUntil(lambda: view.trace_scene.is_shown)
    view.actual_size()
    qtbot.waitUntil(view.minimap.isVisible)
    view.set_trace_state(None)
    view.viewport().repaint()
    assert not view.minimap.isVisible()


def test_a_caption_that_grows_does_not_run_under_the_map(qtbot, view):
    view.resize(440, 300)
    view.set_trace_state(TraceState(TraceIndex(traces.mlp((2, 6, 2), repeated=30)), 1, 0))
    qtbot.waitUntil(lambda: view.trace_scene.is_shown)
    view.actual_size()
    qtbot.waitUntil(view.minimap.isVisible)
    assert not view.minimap.geometry().intersects(view._limits.geometry())
    view.set_coloring("contribution")
    assert not view.minimap.geometry().intersects(view._limits.geometry())
