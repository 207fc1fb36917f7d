"""Building on the network picture: really clicked, dragged and typed."""

import msgspec
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu

from nnviz.document.network import Link
from nnviz.ui.network import _inline, questions
from nnviz.ui.network.layer_drops import mime
from nnviz.ui.network.neurons import bias_dot
from nnviz.ui.network.picking import PointerTarget
from tests.ui.network.networks import residual
from tests.ui.network.views import LEFT, curve, drag, neuron, open_view, port


def test_dragging_a_layer_snaps_and_asks_once_and_keeps_the_others(view, emitted):
    places = view.scene().places()
    start = neuron(view, "h2", 0)
    drag(view, start, start + QPoint(13, 51))
    moves = [values for name, *values in emitted if name == "move_requested"]
    assert len(moves) == 1 and not any(name == "node_requested" for name, *_ in emitted)
    asked = moves[0][0]
    assert asked["h2"] != places["h2"] and all(x % 4 == 0 and y % 4 == 0 for x, y in asked.values())
    assert {id: asked[id] for id in asked if id != "h2"} == {id: places[id] for id in places if id != "h2"}
    view.set_experiment(msgspec.structs.replace(view.experiment, canvas=asked), view.report)
    assert view.scene().places() == asked


def test_escape_takes_a_drag_back(qtbot, view, emitted):
    places = view.scene().places()
    start = neuron(view, "h2", 0)
    QTest.mousePress(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseMove(view.viewport(), start + QPoint(50, 50))
    assert view.scene().places() != places
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert view.scene().places() == places
    QTest.mouseRelease(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, start + QPoint(50, 50))
    assert not any(name == "move_requested" for name, *_ in emitted)


def test_wiring_lights_up_what_fits_and_asks_for_the_link(qtbot):
    view = open_view(qtbot, residual())
    seen = []
    view.connect_requested.connect(lambda *pair: seen.append(pair))
    view.set_selection(("x",))
    start = port(view, "x", 1)
    QTest.mousePress(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseMove(view.viewport(), start + QPoint(30, 0))
    assert view.scene().lit == {"h2", "out"}, "s adds inputs of three units"
    target = neuron(view, "s", 1)
    QTest.mouseMove(view.viewport(), target)
    view.grab()
    QTest.mouseRelease(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, target)
    assert seen == [("x", "s")] and view.scene().lit == frozenset()
    drag(view, port(view, "x", 1), neuron(view, "out", 0))
    assert seen[1:] == [("x", "out")], "it takes the place of the link that is there"
    view.set_selection(("out",))
    drag(view, port(view, "out", 1), neuron(view, "h1", 0))
    assert seen[2:] == [("out", "h1")], "it does not fit, and whoever refuses it says why"
    drag(view, port(view, "out", 1), QPoint(3, 3))
    assert len(seen) == 3


def test_wiring_backwards_from_an_input_port(qtbot):
    view = open_view(qtbot, residual())
    seen = []
    view.connect_requested.connect(lambda *pair: seen.append(pair))
    view.set_selection(("s",))
    drag(view, port(view, "s", -1), neuron(view, "x", 0))
    assert seen == [("x", "s")]


def test_delete_asks_for_layers_and_for_links(qtbot, view, emitted):
    view.set_selection(("h1", "d1"))
    qtbot.keyClick(view, Qt.Key.Key_Delete)
    assert emitted == [("delete_requested", ("h1", "d1"))]
    emitted.clear()
    qtbot.mouseClick(view.viewport(), LEFT, pos=curve(view, "h2", "d1", (0, 0), 0.5))
    qtbot.keyClick(view, Qt.Key.Key_Backspace)
    assert ("disconnect_requested", [Link("h2", "d1")]) in emitted


def test_a_box_selects_what_it_touches(view, emitted):
    left, right = view.scene().box_of("h1"), view.scene().box_of("h2")
    drag(view, view.mapFromScene(left.topLeft() - QPointF(30, 30)), view.mapFromScene(right.bottomRight() + QPointF(4, 4)))
    assert emitted[-1] == ("selected_changed", ("h1", "h2"))


def test_an_edge_is_clicked_and_a_new_weight_typed(qtbot, view, emitted):
    qtbot.mouseClick(view.viewport(), LEFT, pos=curve(view, "x", "h1", (3, 1)))
    field = view.viewport().findChild(_inline.WeightField)
    assert field.isVisible() and field.box.value() == pytest.approx(view.figures.weights["h1.weight"][3, 1])
    qtbot.keyClicks(field.box, "-1.5e-1")
    qtbot.keyClick(field.box, Qt.Key.Key_Return)
    assert emitted[-1] == ("weight_requested", "h1.weight", (3, 1), -0.15)
    assert field.isHidden()


def test_escape_leaves_a_weight_as_it_was(qtbot, view, emitted):
    column = view.scene().columns["h1"]
    qtbot.mouseClick(view.viewport(), LEFT, pos=view.mapFromScene(column.mapToScene(bias_dot(column.face, 2))))
    field = view.viewport().findChild(_inline.WeightField)
    assert field.accessibleName() == "Weight dense 1.bias[2]" and field.box.accessibleName() == "dense 1.bias[2]"
    qtbot.keyClicks(field.box, "3")
    qtbot.keyClick(field.box, Qt.Key.Key_Escape)
    assert field.isHidden() and not any(name == "weight_requested" for name, *_ in emitted)


def test_typing_on_the_picture_finds_a_layer_and_enter_adds_it(qtbot, view, emitted):
    view.setFocus()
    qtbot.keyClicks(view, "d")
    field = view.viewport().findChild(_inline.SearchField)
    qtbot.keyClicks(field.line, "ro")
    assert [field.list.item(row).text() for row in range(field.list.count())] == ["Dropout", "Spatial dropout"]
    qtbot.keyClick(field.line, Qt.Key.Key_Return)
    name, kind, place, after = emitted[-1]
    assert (name, kind, after) == ("add_requested", "dropout", "") and isinstance(place, QPointF)
    assert field.isHidden()


def test_with_one_layer_selected_the_new_one_goes_behind_it(qtbot, view, emitted):
    view.set_selection(("h1",))
    field = questions.open_kinds(view, QPoint(10, 10), "tch")
    assert field.list.item(0).text() == "Batch norm"
    field.list.itemClicked.emit(field.list.item(0))
    assert emitted[-1][1] == "batch_norm" and emitted[-1][3] == "h1"


def drop(view, kind, place):
    """Drag a kind of layer in, over a place, and let it go there. Returns whether it was taken."""
    data, rest = mime(kind), (LEFT, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(view.viewport(), QDragEnterEvent(place, Qt.DropAction.CopyAction, data, *rest))
    QApplication.sendEvent(view.viewport(), QDragMoveEvent(place, Qt.DropAction.CopyAction, data, *rest))
    event = QDropEvent(QPointF(place), Qt.DropAction.CopyAction, data, *rest)
    QApplication.sendEvent(view.viewport(), event)
    return event.isAccepted()


def test_a_drop_on_a_link_inserts_and_elsewhere_adds(view, emitted):
    assert drop(view, "dropout", curve(view, "h1", "h2", (1, 1), 0.5))
    assert emitted[-1] == ("insert_requested", "dropout", "h1", "h2")
    assert drop(view, "dense", QPoint(550, 690))
    assert emitted[-1][:2] == ("add_requested", "dense")
    assert drop(view, "add", curve(view, "h1", "h2", (1, 1), 0.5))
    assert emitted[-1][:2] == ("add_requested", "add"), "a kind with two inputs does not fit on a link"
    assert view.scene().lit_link is None


def test_keys_walk_and_move(qtbot, view, emitted):
    view.setFocus()
    for id in ("x", "h1", "h2"):
        qtbot.keyClick(view, Qt.Key.Key_Tab)
        assert emitted[-1] == ("selected_changed", (id,))
    qtbot.keyClick(view, Qt.Key.Key_Backtab)
    assert view.scene().selected == ("h1",)
    before = view.scene().places()["h1"]
    qtbot.keyClick(view, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert emitted[-1][0] == "move_requested" and emitted[-1][1]["h1"] == (before[0] + 20, before[1])
    with qtbot.waitSignal(view.settings_requested):
        qtbot.keyClick(view, Qt.Key.Key_Return)
    qtbot.keyClick(view, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert emitted[-1][0] == "node_requested"
    view.zoom_by(2.0, QPointF(50, 50))
    assert not view.is_fitted
    qtbot.keyClick(view, Qt.Key.Key_F)
    assert view.is_fitted and not view.viewport().findChildren(QLineEdit), "F fits, and opens no search"
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert emitted[-1] == ("selected_changed", ())


def menu_for(view, target):
    menu = QMenu(view)
    questions.fill_menu(menu, view, target, QPoint())
    return menu


def test_the_menu_offers_what_fits_the_place(view, emitted):
    texts = [action.text().split("\t")[0] for action in menu_for(view, PointerTarget("layer", "h1")).actions()]
    assert {"Show in the graph", "Add behind", "Disconnect", "Delete", "Fit"} <= set(texts)
    menu = menu_for(view, PointerTarget("curve", link=Link("h1", "h2"), curve=0))
    insert = next(below for below in menu.findChildren(QMenu) if below.title() == "Insert")
    normalisation = next(below for below in insert.findChildren(QMenu) if below.title() == "Normalisation")
    next(action for action in normalisation.actions() if action.text() == "Layer norm").trigger()
    assert emitted[-1] == ("insert_requested", "layer_norm", "h1", "h2")
    tidy = next(action for action in menu_for(view, PointerTarget()).actions() if action.text().startswith("Tidy up"))
    tidy.trigger()
    assert emitted[-1] == ("tidy_requested",)
