"""A panel in a window of its own: it lives there, the keys of the main window work there, and it comes back to where it was."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRect, QSettings, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from nnviz.document import edits
from nnviz.document.store.examples import open_document
from nnviz.ui.shell import app
from nnviz.ui.shell.command_palette import CommandPalette
from nnviz.ui.theme.colors import DARK
from nnviz.ui.widgets import plot_picture
from tests.ui.window import opened, stands_at, wait

TITLE = QPoint(30, 10)
"""A place in the header of a card."""


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", iterations=6, engine=lent_engine)


def popped(qtbot, window, panel: str):
    """Pop the panel out and return its window."""
    window.features.area.pop_out(panel)
    own = window.features.area.windows[panel]
    wait(qtbot, own.isActiveWindow)
    return own


def geometry(window, panel: str) -> QRect:
    card = window.features.cards[panel]
    return QRect(card.mapTo(window, QPoint(0, 0)), card.size())


def test_it_is_popped_out_by_a_key_and_comes_back_to_its_place_when_closed(qtbot, window):
    area, card = window.features.area, window.features.cards["graph"]
    before = {panel: geometry(window, panel) for panel in area.shown_panels()}
    window.features.graph.view.setFocus()
    qtbot.keySequence(window, "Shift+F4")
    own = area.windows["graph"]
    wait(qtbot, own.isActiveWindow)
    assert card.window() is own and card.isVisible() and own.windowTitle() == "Computational graph – Two moons"
    assert "graph" not in area.shown_panels() and "graph" in area.visible_panels() and geometry(window, "network") != before["network"]
    assert window.features.panel_menu.pop_outs["graph"].isChecked() and window.features.panel_menu.actions["graph"].isChecked()
    own.close()
    assert not area.windows and {panel: geometry(window, panel) for panel in area.shown_panels()} == before
    assert not window.features.panel_menu.pop_outs["graph"].isChecked()


def test_keys_of_the_main_window_work_there(qtbot, window):
    session, view = window.session, window.features.graph.view
    own = popped(qtbot, window, "graph")
    qtbot.keyClick(view, Qt.Key.Key_F10)
    qtbot.keyClick(own, Qt.Key.Key_F10)
    assert session.stepping.cursor == 2
    qtbot.keyClick(view, Qt.Key.Key_F10, Qt.KeyboardModifier.ShiftModifier)
    assert session.stepping.cursor == 1
    before = session.experiment
    session.edit("Learning rate", edits.set_value, "training.optimizer.learning_rate", 0.5)
    qtbot.keyClick(own, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert session.experiment == before
    qtbot.keyClick(own, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    wait(qtbot, lambda: stands_at(window, 7))
    qtbot.keyClick(own, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    assert window.isVisible() and not window.features.area.windows, "it closes that window alone"


def test_it_stays_in_every_workspace_and_only_what_is_seen_is_measured(qtbot, window):
    area, watch = window.features.area, window.session.watched
    popped(qtbot, window, "microscope")
    area.show_workspace("build")
    area.set_panel_visible("histograms", False)
    assert "microscope" in area.visible_panels() and window.features.cards["microscope"].isVisible()
    assert "measures" not in watch._watch.panels
    area.set_panel_visible("histograms", True)
    own = popped(qtbot, window, "histograms")
    assert "measures" in watch._watch.panels
    area.show_workspace("train")
    window.session.training.iterations(2)
    wait(qtbot, lambda: stands_at(window, 8) and window.features.run.histograms.heading[2] == "iteration 8")
    own.close()
    area.show_workspace("build")
    area.set_panel_visible("histograms", False)
    assert "measures" not in watch._watch.panels and area.windows.keys() == {"microscope"}


def test_a_double_click_and_f4_fill_the_screen_and_esc_gives_the_size_back(qtbot, window):
    own, card = popped(qtbot, window, "loss"), window.features.cards["loss"]
    size = own.size()
    qtbot.mouseDClick(card, Qt.MouseButton.LeftButton, pos=TITLE)
    assert own.isMaximized() and not window.features.area.enlarged
    qtbot.keyClick(window.features.run.loss, Qt.Key.Key_Escape)
    assert not own.isMaximized() and own.size() == size
    qtbot.keyClick(own, Qt.Key.Key_F4)
    assert own.isMaximized()
    qtbot.keyClick(own, Qt.Key.Key_F4)
    assert not own.isMaximized() and window.features.area.windows


def test_copying_and_the_theme_work_there(qtbot, window):
    own = popped(qtbot, window, "loss")
    light = own.grab().toImage().pixelColor(3, 3)
    plot_picture.copy_picture(window.features.run.loss)
    assert QGuiApplication.clipboard().image().width() > 2 * window.features.run.loss.width()
    qtbot.keySequence(own, "Ctrl+Shift+L")
    assert own.grab().toImage().pixelColor(3, 3) == DARK.color("background") != light
    height = window.features.cards["loss"]._tools.height()
    qtbot.keySequence(own, "Ctrl++")
    assert window.features.cards["loss"]._tools.height() > height
    window.change_text_size(0)


def test_its_menu_and_the_palette_offer_it(qtbot, window):
    menu, area = window.features.panel_menu, window.features.area
    next(action for action in menu.card_menu("norms").actions() if action.text() == "Pop out gradient norm").trigger()
    assert "norms" in area.windows
    texts = [action.text() for action in menu.card_menu("norms").actions()]
    assert "Back into the main window" in texts and not any(text.startswith("Swap") for text in texts)
    qtbot.keySequence(window, "Ctrl+Shift+P")
    palette = window.findChild(CommandPalette)
    qtbot.keyClicks(palette.field, "pop out loss")
    qtbot.keyPress(palette.field, Qt.Key.Key_Return)
    assert set(area.windows) == {"norms", "loss"}
    next(action for action in menu.card_menu("norms").actions() if action.text() == "Hide gradient norm").trigger()
    assert set(area.windows) == {"loss"} and not window.features.cards["norms"].isVisible()
    window.action_table["reset_workspace"].trigger()
    assert not area.windows and window.features.cards["loss"].window() is window and window.features.cards["norms"].isVisible()


def test_the_windows_go_with_the_main_one(qtbot, window):
    own = popped(qtbot, window, "loss")
    window.session.training.iterations(50)
    window.close()
    assert not own.isVisible() and own not in [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]


def test_places_are_kept_across_restarts(qtbot):
    app.application()
    for number, place in enumerate((QRect(60, 70, 530, 390), QRect(120, 90, 540, 400))):
        window = app.MainWindow()
        window.restore_settings()
        window.make_features(open_document("example:moons"), autosaves=False)
        window.stop_asking()
        window.show()
        area = window.features.area
        if number:
            assert area.windows["loss"].geometry() == QRect(60, 70, 530, 390) and "loss" not in area.shown_panels()
            assert window.features.cards["loss"].isVisible() and area.windows["loss"].windowTitle() == "Loss – Two moons"
        area.pop_out("loss")
        area.windows["loss"].setGeometry(place)
        app.shut_down(window)
    QSettings().clear()


@pytest.mark.parametrize("state", ['"windows": 3, "out": ["loss"]', '"windows": {"loss": "x"}, "out": ["loss", "nothing", 4]', '"out": 5'])
def test_a_damaged_state_of_windows_does_no_harm(qtbot, state):
    app.application()
    window = app.build_window(open_document("example:moons"), autosaves=False)
    window.stop_asking()
    window.features.area.restore_state('{"sizes": {}, "hidden": {}, "places": {}, ' + state + "}")
    assert set(window.features.area.windows) <= {"loss"}
    app.shut_down(window)


def drag(qtbot, card, to: QPoint) -> None:
    """Drag the title of a card to a place of the screen."""
    qtbot.mousePress(card, Qt.MouseButton.LeftButton, pos=TITLE)
    qtbot.mouseMove(card, TITLE + QPoint(2, 2))
    for share in (0.5, 1.0):
        qtbot.mouseMove(card, TITLE + (card.mapFromGlobal(to) - TITLE) * share)
    qtbot.mouseRelease(card, Qt.MouseButton.LeftButton, pos=card.mapFromGlobal(to))


def test_a_title_that_is_dragged_onto_another_panel_changes_places_with_it(qtbot, window):
    area, cards = window.features.area, window.features.cards
    before = geometry(window, "loss").center(), geometry(window, "norms").center()
    drag(qtbot, cards["loss"], cards["norms"].mapToGlobal(cards["norms"].rect().center()))
    assert geometry(window, "loss").center().x() > geometry(window, "norms").center().x() and before[0].x() < before[1].x()
    assert not area._target.isVisible() and not area.windows
    order = area.panels()
    drag(qtbot, cards["loss"], cards["loss"].mapToGlobal(QPoint(60, 60)))
    assert area.panels() == order, "dropped on itself"
    qtbot.mouseClick(cards["loss"], Qt.MouseButton.LeftButton, pos=TITLE)
    assert area.panels() == order, "a click is no drag"


def test_a_title_dragged_out_of_the_window_pops_the_panel_out_and_back_in(qtbot, window):
    area, card = window.features.area, window.features.cards["loss"]
    outside = window.frameGeometry().bottomRight() + QPoint(40, 30)
    drag(qtbot, card, outside)
    assert area.windows["loss"].pos() == outside and card.isVisible()
    drag(qtbot, card, window.mapToGlobal(window.rect().center()))
    assert not area.windows and card.window() is window
