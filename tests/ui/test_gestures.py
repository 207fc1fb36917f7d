"""Whatever happens in the middle of a gesture, the gesture survives it or ends: no error, nothing done to what is gone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import shiboken6
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QToolTip

from nnviz.document import edits
from nnviz.document.network import Link
from nnviz.document.store.examples import open_document
from nnviz.ui.network import _inline, layer_drops, questions
from nnviz.ui.network.neurons import bias_dot
from nnviz.ui.network.picking import NOTHING
from tests.ui.network.views import LEFT, curve, neuron, port
from tests.ui.test_weight_editing import turn
from tests.ui.window import opened, wait

_NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, iterations=2, engine=lent_engine)


# --- what happens in the middle ---


def _edit(window):
    window.session.edit("Remove", edits.remove_layers, ("h2",))


def _narrow(window):
    window.session.edit("Narrow", edits.change_layer, "h2", units=1)


def _other_document(window):
    window.session.document.new(open_document("example:xor"))


def _empty_document(window):
    window.session.edit("Empty", edits.remove_layers, tuple(layer.id for layer in window.session.experiment.network))


def _key(sequence: str) -> Callable:
    def press(window):
        QTest.keySequence(QApplication.focusWidget() or window.features.network.view, sequence)

    return press


def _action(name: str) -> Callable:
    return lambda window: window.action_table[name].trigger()


def _no_numbers(window):
    """The engine is gone, and with it all that it had said."""
    window.features.network.show_trace_state(None)


def _numbers(window):
    session = window.session
    session.training.iterations(1)


EVENTS = {
    "delete": _edit,
    "narrow": _narrow,
    "delete key": _key("Del"),
    "cut": _key("Ctrl+X"),
    "undo": _action("undo"),
    "redo": _action("redo"),
    "escape": _key("Esc"),
    "another document": _other_document,
    "an empty network": _empty_document,
    "an iteration": _numbers,
    "no numbers": _no_numbers,
}


# --- gestures: each begins, and returns how it goes on and how it ends ---


def _drag(start: Callable[[object], QPoint], before: Callable[[object], None] = lambda view: None) -> Callable:
    def begin(window):
        view = window.features.network.view
        before(view)
        at = start(view)
        QTest.mousePress(view.viewport(), LEFT, _NONE, at)
        for way in (QPoint(20, 12), QPoint(45, 25)):
            QTest.mouseMove(view.viewport(), at + way)

        def end():
            QTest.mouseMove(view.viewport(), at + QPoint(70, 40))
            QTest.mouseRelease(view.viewport(), LEFT, _NONE, at + QPoint(70, 40))

        return end

    return begin


def _press(start: Callable[[object], QPoint]) -> Callable:
    def begin(window):
        view = window.features.network.view
        at = start(view)
        QTest.mousePress(view.viewport(), LEFT, _NONE, at)
        return lambda: QTest.mouseRelease(view.viewport(), LEFT, _NONE, at)

    return begin


def _bias(view) -> QPoint:
    column = view.scene().columns["h2"]
    return view.mapFromScene(column.mapToScene(bias_dot(column.face, 3)))


def _end(view) -> QPoint:
    item = view.scene().links[Link("h2", "out")]
    return view.mapFromScene(item.end(1))


def _select_link(view):
    view.select((), (Link("h2", "out"),))


def _wheel(window):
    view = window.features.network.view
    at = curve(view, "h1", "h2", (3, 1))
    view.select((), (Link("h1", "h2"),))
    turn(view, at, 1)
    return lambda: turn(view, at, 1)


def _palette(window):
    view, data = window.features.network.view, layer_drops.mime("dense")
    at = curve(view, "h1", "h2", (3, 1), 0.5)
    more = (Qt.DropAction.CopyAction, data, LEFT, _NONE)
    QApplication.sendEvent(view.viewport(), QDragEnterEvent(at, *more))
    QApplication.sendEvent(view.viewport(), QDragMoveEvent(at, *more))
    return lambda: QApplication.sendEvent(view.viewport(), QDropEvent(QPointF(at), *more))


def _weight_field(window):
    view = window.features.network.view
    at = curve(view, "h1", "h2", (3, 1))
    field = questions.open_weight(view, view.hit_at(at), at)
    field.box.selectAll()
    QTest.keyClicks(field.box, "0.75")
    return lambda: _enter(field, "box")


def _name_field(window):
    view = window.features.network.view
    view.select(("h2",))
    field = questions.open_name(view)
    field.line.setText("other")
    return lambda: _enter(field, "line")


def _kinds_field(window):
    view = window.features.network.view
    view.select(("h2",))
    field = questions.open_kinds(view, QPoint(40, 40), "drop")
    return lambda: _enter(field, "line")


def _partners_field(window):
    view = window.features.network.view
    view.select(("h2",))
    field = questions.open_partners(view)
    return lambda: _enter(field, "line")


def _enter(field, name):
    if shiboken6.isValid(field) and field.isVisible():
        QTest.keyClick(getattr(field, name), Qt.Key.Key_Return)


def _menu(at: Callable[[object], QPoint]) -> Callable:
    def begin(window):
        view = window.features.network.view
        place, menu = at(view), QMenu(view)
        questions.fill_menu(menu, view, view.hit_at(place), place)
        entries = [action for action in menu.actions() if not action.menu() and not action.isSeparator()]
        entries += [action for sub in menu.findChildren(QMenu) for action in sub.actions()][:3]

        def end():
            for action in entries:
                action.trigger()

        return end

    return begin


def _properties(window):
    feature = window.features.network
    feature.select_layers(("h2",))
    box = feature.properties.editors["units"]
    box.setFocus()
    box.selectAll()
    QTest.keyClicks(box, "3")
    return lambda: _enter_box(feature)


def _enter_box(feature):
    box = feature.properties.editors.get("units")
    if box is not None:
        QTest.keyClick(box, Qt.Key.Key_Return)


GESTURES = {
    "layers": _drag(lambda view: neuron(view, "h2", 0)),
    "wire": _drag(lambda view: port(view, "h2", 1), lambda view: view.select(("h2",))),
    "wire backwards": _drag(lambda view: port(view, "h2", -1), lambda view: view.select(("h2",))),
    "link end": _drag(_end, _select_link),
    "box": _drag(lambda view: QPoint(3, 3)),
    "bias": _press(_bias),
    "weight": _press(lambda view: curve(view, "h1", "h2", (3, 1))),
    "wheel": _wheel,
    "palette": _palette,
    "weight field": _weight_field,
    "name field": _name_field,
    "kinds field": _kinds_field,
    "partners field": _partners_field,
    "menu of a layer": _menu(lambda view: neuron(view, "h2", 3)),
    "menu of a link": _menu(lambda view: curve(view, "h1", "h2", (3, 1))),
    "properties": _properties,
}


WIDE = edits.change_layer(open_document("example:moons"), "h1", units=5)


@pytest.mark.parametrize("gesture", GESTURES)
def test_a_gesture_survives_what_happens_in_its_middle(qtbot, window, gesture):
    session, view = window.session, window.features.network.view
    window.activateWindow()
    window.action_table["build_workspace"].trigger()
    for name, event in EVENTS.items():
        session.edit("Begin", lambda present: WIDE)  # undone, it is what the event before has left
        wait(qtbot, lambda: session.run.is_traced and not session.run.training)
        view.setFocus()
        end = GESTURES[gesture](window)
        QApplication.processEvents()
        event(window)
        QApplication.processEvents()
        end()
        QApplication.processEvents()
        for field in view.viewport().findChildren(questions.WeightField):
            assert not field.isVisible() or field.box.hasFocus(), name
        view.cancel_tool()
        scene = view.scene()
        assert set(scene.items()) == {*scene.columns.values(), *scene.links.values()}, name
        assert (scene.lit, scene.lit_link, scene.linked_from) == (frozenset(), None, ""), name
        known = {layer.id for layer in session.experiment.network}
        assert set(scene.selected) <= known and set(window.features.network.selected_layers) <= known, name
        wait(qtbot, lambda: not session.run.training)
        QTest.keyClick(view, Qt.Key.Key_Escape)
        _close_fields(view)


def _close_fields(view):
    for kind in (_inline.WeightField, _inline.NameField, _inline.SearchField):
        for field in view.viewport().findChildren(kind):
            _inline.close(field)
    QApplication.processEvents()


def test_a_field_closes_when_what_it_asks_about_is_gone(qtbot, window):
    view = window.features.network.view
    for begin in (_weight_field, _name_field, _kinds_field, _partners_field):
        begin(window)
        assert _fields(view)
        _edit(window)
        QApplication.processEvents()
        assert not _fields(view), begin.__name__
        window.action_table["undo"].trigger()
        wait(qtbot, lambda: window.session.run.is_traced)


def _fields(view):
    kinds = (_inline.WeightField, _inline.NameField, _inline.SearchField)
    return [field for kind in kinds for field in view.viewport().findChildren(kind) if field.isVisible()]


def test_a_tip_shows_the_present_number_or_nothing(qtbot, window):
    view, session = window.features.network.view, window.session
    at = curve(view, "h1", "h2", (1, 1))
    QApplication.sendEvent(view.viewport(), QHelpEvent(QEvent.Type.ToolTip, at, view.viewport().mapToGlobal(at)))
    assert QToolTip.isVisible() and QToolTip.text()
    before = QToolTip.text()
    session.weights.put_element("h2.weight", (1, 1), 4.25)
    wait(qtbot, lambda: session.run.is_traced)
    assert "4.25" in QToolTip.text() and QToolTip.text() != before
    _edit(window)
    assert not QToolTip.isVisible() or view.hit_at(at) != NOTHING
    QToolTip.hideText()
