"""A net is built, trained and stepped with the keyboard alone and with the mouse alone, in the real window with the real engine.

Everything a person does is a key or a mouse event; only for the engine is waited.
"""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from nnviz.document.store.examples import TEMPLATES
from nnviz.ui.network._inline import SearchField
from tests.ui.window import opened, stands_at, wait

LEFT, RIGHT, PLAIN = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", engine=lent_engine)


def focused() -> QWidget:
    """Whoever gets the next key."""
    return QApplication.focusWidget()


def keys(qtbot, *sequences: str) -> None:
    """Press keys, such as "Ctrl+T" or "Down", on whatever has the focus."""
    for sequence in sequences:
        qtbot.keySequence(focused(), sequence)
        QApplication.processEvents()


def typed(qtbot, text: str) -> None:
    """Type letters into whatever has the focus, which may be another one after each letter."""
    for letter in text:
        qtbot.keyClicks(focused(), letter)
        QApplication.processEvents()


def walk_to(qtbot, widget: QWidget) -> None:
    """Press Tab until the widget has the focus."""
    met = []
    while focused() is not widget:
        met.append(type(focused()).__name__)
        assert len(met) < 120, f"Tab does not get there: {met}"
        keys(qtbot, "Tab")


def sizes(window) -> list[tuple[int, ...] | None]:
    """The output shapes of the network in order."""
    session = window.session
    return [session.report.layers[layer.id].output_shape for layer in session.experiment.network.in_order()]


def test_with_the_keyboard_alone(qtbot, window):
    session = window.session
    window.activateWindow()
    keys(qtbot, "Ctrl+1")
    assert focused() is window.features.network.view, "as in every workspace, keys go to the picture and not to the first button"
    keys(qtbot, "Ctrl+A", "Del")
    assert session.experiment.network.layers == ()
    for name in ("inp", "den", "dro", "dense"):
        typed(qtbot, name)
        keys(qtbot, "Return")
        assert focused() is window.features.network.view, "the next name can be typed at once"
    network = session.experiment.network
    assert [layer.kind for layer in network.in_order()] == ["input", "dense", "dropout", "dense"] and len(network.links) == 3
    assert not session.report.ok, "the output has four units, and there are two classes"
    assert window.selected_layers == ("dense2",)
    walk_to(qtbot, window.features.network.properties.editors["units"])
    keys(qtbot, "Ctrl+A")
    typed(qtbot, "2")
    keys(qtbot, "Return")
    assert session.report.ok and sizes(window) == [(2,), (4,), (4,), (2,)]
    keys(qtbot, "F2")
    typed(qtbot, "output")
    keys(qtbot, "Return")
    assert session.experiment.network.layer("dense2").name == "output"
    wait(qtbot, lambda: stands_at(window, 0) and window.action_table["train_epoch"].isEnabled())
    keys(qtbot, "Ctrl+E")
    wait(qtbot, lambda: stands_at(window, session.run.iterations_per_epoch))
    assert session.run.curves.loss.size > 1
    keys(qtbot, "Ctrl+2")
    wait(qtbot, lambda: window.action_table["step"].isEnabled())
    keys(qtbot, "Ctrl+Home")
    phases = []
    for _ in range(session.stepping.length):
        keys(qtbot, "F10")
        phases.append(session.stepping.state.phase)
    assert list(dict.fromkeys(phases)) == ["batch", "forward", "loss", "backward", "update"]


def test_links_are_drawn_cut_and_drawn_again_by_key(qtbot, window):
    session, network = window.session, window.features.network.view
    window.activateWindow()
    keys(qtbot, "Ctrl+1", "Home", "Tab", "Tab")
    assert window.selected_layers == ("h1",)
    keys(qtbot, "Ctrl+K")
    typed(qtbot, "output")
    keys(qtbot, "Return")
    assert session.experiment.network.inputs_of("out") == ("h1",)
    keys(qtbot, "Ctrl+Z")
    assert session.experiment.network.inputs_of("out") == ("h2",)
    before = network.scene().columns["h1"].pos()
    keys(qtbot, "Shift+Right", "Ctrl+C", "Ctrl+V")
    assert network.scene().columns["h1"].pos().x() == before.x() + 20
    assert window.selected_layers == ("dense1",) and session.experiment.network.layer("dense1")["units"] == 4
    keys(qtbot, "Ctrl+Z", "Ctrl+Z", "Ctrl+L")
    assert session.experiment.canvas == {} and len(session.experiment.network.layers) == 4


def test_with_the_mouse_alone(qtbot, window):
    session, view = window.session, window.features.network.view
    _click(window.top_bar.findChild(QWidget, "build"))
    wait(qtbot, lambda: window.features.area.name == "build" and view.viewport().width() > 400)
    QApplication.processEvents()
    _drag(view, QPoint(4, 4), QPoint(view.viewport().width() - 4, view.viewport().height() - 24))
    assert len(window.selected_layers) == 4, "a box around all of them"
    _choose(view, _middle(view, "h1"), "Delete")
    assert session.experiment.network.layers == ()
    for kind in ("input", "dense", "dense"):
        entry = next(entry for entry in window.features.network.palette.entries if entry.kind.name == kind)
        _click(entry)
    assert [layer.id for layer in session.experiment.network.in_order()] == ["input1", "dense1", "dense2"]
    QTest.mouseDClick(view.viewport(), LEFT, PLAIN, QPoint(30, view.viewport().height() - 60))
    field = view.viewport().findChild(SearchField)
    item = next(field.list.item(row) for row in range(field.list.count()) if field.list.item(row).text() == "Dropout")
    field.list.scrollToItem(item)
    QTest.mouseClick(field.list.viewport(), LEFT, PLAIN, field.list.visualItemRect(item).center())
    assert session.experiment.network.inputs_of("dropout1") == ("dense2",), "behind the selected layer"
    _choose(view, _middle(view, "dropout1"), "Delete")
    _click_at(view, _middle(view, "dense2"))
    fix = window.features.network.properties.findChild(QWidget, "fixes").buttons[0]
    assert "2" in fix.text()
    _click(fix)
    assert session.report.ok and sizes(window)[-1] == (2,)
    wait(qtbot, lambda: stands_at(window, 0) and window.action_table["train_epoch"].isEnabled())
    _click(_button(window, "+1 epoch"))
    wait(qtbot, lambda: stands_at(window, session.run.iterations_per_epoch))
    _click(window.top_bar.findChild(QWidget, "step"))
    wait(qtbot, lambda: window.action_table["step"].isEnabled() and window.features.area.name == "step")
    _click(_button(window, "To the start of the iteration"))
    for made in range(1, session.stepping.length + 1):
        _click(_button(window, "Step over"))
        assert session.stepping.cursor == made
    assert session.stepping.state.phase == "update"


def test_a_port_is_dragged_to_a_layer_and_a_link_to_another(qtbot, window):
    session, view = window.session, window.features.network.view
    _click(window.top_bar.findChild(QWidget, "build"))
    wait(qtbot, lambda: window.features.area.name == "build" and view.viewport().width() > 400)
    QApplication.processEvents()
    _click_at(view, _middle(view, "h1"))
    _drag(view, _port(view, "h1"), _middle(view, "out"))
    assert session.experiment.network.inputs_of("out") == ("h1",)
    link = next(link for link in session.experiment.network.links if link.target == "out")
    course = view.scene().links[link].course
    _click_at(view, view.mapFromScene(*course.points[0][len(course.points[0]) // 2]))
    QTest.mouseClick(view.viewport(), LEFT, PLAIN, QPoint(6, 6))
    view.scene().mark(selected_links=(link,))
    _drag(view, view.mapFromScene(view.scene().links[link].end(-1)), _middle(view, "h2"))
    assert session.experiment.network.inputs_of("out") == ("h2",)


def test_a_template_is_chosen_in_the_start_menu(qtbot, window):
    window.activateWindow()
    keys(qtbot, "Ctrl+Alt+N")
    gallery = window.features.files.start_page.gallery
    assert gallery.isVisible() and focused() is gallery.cards[0] and len(gallery.cards) == len(TEMPLATES)
    keys(qtbot, "Right", "Return")
    wait(qtbot, lambda: stands_at(window, 0) and window.session.experiment.title == "Multilayer perceptron")
    assert window.session.document.is_saved


def test_every_widget_says_what_it_is(qtbot, window):
    nameless = []
    for name in ("build", "step", "train"):
        window.features.area.show_workspace(name)
        QApplication.processEvents()
        window.features.network.select_layers(("h1",))
        nameless += [_path(widget) for widget in window.findChildren(QWidget) if _is_met(widget) and not _is_named(widget)]
    assert sorted(set(nameless)) == []


def _is_met(widget: QWidget) -> bool:
    """Whether a person can meet it: by Tab, by a click that it answers, or because it paints something of its own."""
    return widget.isVisible() and widget.focusPolicy() != Qt.FocusPolicy.NoFocus and not widget.objectName().startswith("qt_")


def _is_named(widget: QWidget) -> bool:
    return bool(widget.accessibleName() or getattr(widget, "text", str)())


def _path(widget: QWidget) -> str:
    names = []
    while widget is not None and len(names) < 4:
        names.append(type(widget).__name__)
        widget = widget.parentWidget()
    return " < ".join(names)


# --- the mouse ---


def _click(widget: QWidget) -> None:
    assert widget.isVisible() and widget.isEnabled(), widget
    QTest.mouseClick(widget, LEFT, PLAIN, widget.rect().center())
    QApplication.processEvents()


def _click_at(view, place: QPoint) -> None:
    QTest.mouseClick(view.viewport(), LEFT, PLAIN, place)
    QApplication.processEvents()


def _drag(view, start: QPoint, stop: QPoint) -> None:
    QTest.mouseMove(view.viewport(), start)
    QTest.mousePress(view.viewport(), LEFT, PLAIN, start)
    for step in range(1, 6):
        QTest.mouseMove(view.viewport(), start + (stop - start) * step / 5)
    QTest.mouseRelease(view.viewport(), LEFT, PLAIN, stop)
    QApplication.processEvents()


def _middle(view, id: str) -> QPoint:
    return view.mapFromScene(view.scene().columns[id].pos())


def _port(view, id: str) -> QPoint:
    column = view.scene().columns[id]
    return view.mapFromScene(column.mapToScene(column.port(1)))


def _choose(view, place: QPoint, text: str) -> None:
    """Open the context menu at a place, and click an entry of it."""
    from PySide6.QtGui import QContextMenuEvent

    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, view.viewport().mapToGlobal(place))
    QApplication.sendEvent(view.viewport(), event)
    menu = next(menu for menu in view.findChildren(QMenu) if menu.isVisible())
    action = next(action for action in menu.actions() if action.text().split("\t")[0] == text)
    QTest.mouseClick(menu, LEFT, PLAIN, menu.actionGeometry(action).center())
    QApplication.processEvents()


def _button(window, name: str) -> QWidget:
    return next(one for one in window.top_bar.findChildren(QWidget) if one.accessibleName() == name and one.isVisible())
