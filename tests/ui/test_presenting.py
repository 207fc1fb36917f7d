"""Presenter mode in the real window with real keys: a lesson walked through with one key, steps outside of one, and all as before."""

from __future__ import annotations

from itertools import combinations

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from nnviz.lessons.store import open_lesson
from nnviz.ui.shell.layouts import WORKSPACES, presented
from nnviz.ui.theme.colors import THEMES
from nnviz.ui.theme.fonts import text_size
from nnviz.ui.theme.style import apply_text_size, apply_theme
from tests.ui.window import opened, wait

KEY, CONTROL = Qt.Key, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(qtbot, qapp, lent_engine):
    yield from opened(qtbot, "moons", engine=lent_engine)
    apply_text_size(qapp, 100)
    apply_theme(qapp, THEMES["light"])


def press(window, key, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    focused = window.focusWidget()
    QTest.keyClick(focused if focused and focused.isVisible() else window, key, modifier)
    QApplication.processEvents()


def looks(window) -> tuple:
    """All that shall be as before."""
    area, page = window.features.area, window.features.learn.page
    cards = [(name, window.features.cards[name].geometry()) for name in area.visible_panels()]
    bars = [bar.isVisible() for bar in (window.top_bar, window.notes, window.features.run.bar, window.features.step.step_bar)]
    buttons = [button.isVisible() for button in (page.hint, page.show_me, page.next)]
    return area.name, cards, bars, buttons, window.geometry(), window.windowState(), text_size(), area.save_state()


def at(qtbot, window, name: str, place: int = 0) -> None:
    window.features.area.show_workspace("learn")
    window.session.lessons.open(name, open_lesson(name), place)
    wait(qtbot, lambda: not window.session.lessons.is_setting_up)


def test_a_lesson_is_walked_to_its_end_with_one_key_and_then_all_is_as_before(qtbot, window):
    window.features.area.set_panel_visible("loss", True)
    window.toggle_run_bar()
    at(qtbot, window, "first_backward_pass")
    window.features.area.set_panel_visible("inspector", False)
    qtbot.wait(1)
    before, lessons, page = looks(window), window.session.lessons, window.features.learn.page
    lesson, count = lessons.state.lesson, len(lessons.state.lesson.steps)
    press(window, KEY.Key_F5, CONTROL)
    assert window.presenter.is_on and window.isFullScreen() and text_size() >= 150
    assert not window.top_bar.isVisible() and not page.show_me.isVisible() and "Space" in window.presenter.line.text()
    seen = []
    for _ in range(20 * count):
        wait(qtbot, lambda: not lessons.is_setting_up)
        state = lessons.state
        if not seen or seen[-1] != (state.place, state.is_answered):
            seen.append((state.place, state.is_answered))
            assert bool(page.reveal.isVisible()) == state.is_answered and state.verdict in ("", "shown")
        if state.is_last and state.is_answered and not page.has_more_below:
            break
        press(window, KEY.Key_Space)
    assert seen == [(place, answered) for place in range(count) for answered in (False, True)]
    press(window, KEY.Key_Space)
    assert lessons.state.is_last and "end of the lesson" in window.presenter.line.text()
    press(window, KEY.Key_PageUp)
    wait(qtbot, lambda: lessons.state.place == count - 2 and not lessons.is_setting_up)
    press(window, KEY.Key_Escape)
    assert not window.presenter.is_on and not window.isFullScreen()
    lessons.open("first_backward_pass", lesson, 0)
    wait(qtbot, lambda: not lessons.is_setting_up)
    qtbot.wait(1)
    after = looks(window)
    assert after[2:7] == before[2:7] and after[0] == before[0]


def test_entered_and_left_every_workspace_looks_as_before(qtbot, window):
    area = window.features.area
    for workspace in WORKSPACES:
        area.show_workspace(workspace)
        area.set_panel_visible("graph" if workspace == "step" else "network", workspace != "build")
        qtbot.wait(1)
        before = looks(window)
        window.action_table["present"].trigger()
        qtbot.wait(1)
        seen = set(area.visible_panels())
        assert seen <= set(area.shown_panels()) and not seen & {"training", "properties", "layers"}, workspace
        press(window, KEY.Key_Escape)
        qtbot.wait(1)
        assert looks(window) == before, workspace


def test_outside_a_lesson_the_keys_step(qtbot, window):
    stepping = window.session.stepping
    window.features.area.show_workspace("step")
    window.action_table["present"].trigger()
    assert window.features.area.visible_panels() == ("graph", "inspector")
    for key in (KEY.Key_Space, KEY.Key_Right, KEY.Key_PageDown):
        cursor = stepping.cursor
        press(window, key)
        assert stepping.cursor == cursor + 1
    for key in (KEY.Key_Left, KEY.Key_PageUp):
        cursor = stepping.cursor
        press(window, key)
        assert stepping.cursor == cursor - 1
    window.features.area.show_workspace("train")
    wait(qtbot, lambda: window.session.run.is_traced)
    press(window, KEY.Key_Space)
    wait(qtbot, lambda: window.session.run.iteration == 1 and not window.session.run.training)
    press(window, KEY.Key_Left)
    wait(qtbot, lambda: window.session.run.iteration == 0 and not window.session.training.is_moving)


def test_a_blank_screen_hides_all_and_the_next_key_shows_it_again(qtbot, window):
    window.features.area.show_workspace("step")
    window.action_table["present"].trigger()
    cursor = window.session.stepping.cursor
    for key, back in ((KEY.Key_B, KEY.Key_B), (KEY.Key_Period, KEY.Key_Space)):
        press(window, key)
        assert window.presenter.blank.isVisible() and window.presenter.blank.rect() == window.rect()
        assert window.grab().toImage().pixelColor(40, 40).lightness() == 0
        press(window, back)
        assert not window.presenter.blank.isVisible() and window.session.stepping.cursor == cursor
    press(window, KEY.Key_B)
    QTest.mouseClick(window.presenter.blank, Qt.MouseButton.LeftButton)
    assert not window.presenter.blank.isVisible()


def test_a_number_is_typed_only_where_the_field_was_clicked(qtbot, window):
    at(qtbot, window, "first_backward_pass")
    page = window.features.learn.page
    assert window.focusWidget() is page.field
    window.action_table["present"].trigger()
    assert window.focusWidget() is page
    QTest.mouseClick(page.field, Qt.MouseButton.LeftButton)
    page.field.setFocus()
    QTest.keyClicks(page.field, "1.5 b")
    assert page.field.text() == "1.5 b" and not window.presenter.blank.isVisible() and not window.session.lessons.state.is_answered
    press(window, KEY.Key_PageDown)
    assert window.session.lessons.state.is_answered
    press(window, KEY.Key_Escape)
    assert not window.presenter.is_on


def test_the_settings_of_a_window_closed_while_it_is_presented_are_those_of_before(qtbot, window):
    before = window.size()
    window.action_table["present"].trigger()
    window.close()
    assert text_size() == 100 and not window.presenter.is_on and window.size() == before


def test_nothing_covers_another_or_is_cut_with_the_largest_texts(qtbot, window, monkeypatch):
    at(qtbot, window, "first_backward_pass")
    for size, theme in (((1280, 800), "light"), ((1280, 800), "dark"), ((1600, 1000), "dark"), ((1920, 1080), "light")):
        monkeypatch.setattr(window, "showFullScreen", lambda size=size: window.resize(*size))
        apply_theme(QApplication.instance(), THEMES[theme])
        window.presenter.enter()
        assert window.size().toTuple() == size
        window.set_text_size(200)
        qtbot.wait(5)
        for workspace in WORKSPACES:
            window.features.area.show_workspace(workspace)
            qtbot.wait(1)
            hold_places(window, f"{workspace} {size} {theme}")
        window.presenter.leave()


def hold_places(window, workspace: str) -> None:
    area, line = window.features.area, window.presenter.line
    cards = [window.features.cards[name] for name in area.visible_panels()]
    places = [QRect(card.mapTo(window, QPoint(0, 0)), card.size()) for card in cards]
    room = QRect(area.mapTo(window, QPoint(0, 0)), area.size())
    assert all(room.contains(place) for place in places), workspace
    assert not any(one.intersects(other) for one, other in combinations([*places, line.geometry()], 2)), workspace
    assert all(card.height() >= card.minimumSizeHint().height() for card in cards), workspace
    assert line.sizeHint().width() <= line.width() and line.fontMetrics().height() <= line.height()
    card = window.features.step.chain_rule
    if card.isVisible():
        assert card.width() >= card.minimumSizeHint().width(), workspace


def test_where_there_is_little_room_the_card_stands_below_the_graph():
    wide, narrow = (presented("learn", ("lesson", "network", "graph", "inspector"), "", room, 1.5) for room in (1900, 1256))
    assert wide.parts[0][1] == "lesson" and len(wide.parts) == 3 and len(narrow.parts) == 2
    assert set(wide.panels()) == set(narrow.panels()) == {"lesson", "graph", "inspector"}
    assert "network" in presented("learn", ("lesson", "network", "graph"), "click", 1256, 1.5).panels()
    assert "training" in presented("learn", ("lesson", "network", "training"), "change", 1256, 1.5).panels()
    assert presented("train", ("training", "loss", "boundary", "landscape"), "", 1256, 1.5).panels() == ("loss", "boundary", "landscape")
    assert presented("step", ("training",), "", 1256, 1.5).panels() == ("training",), "what there is, rather than nothing"
