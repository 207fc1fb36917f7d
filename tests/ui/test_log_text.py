"""The log in the real window: what was printed and warned stands there, can be copied, and is cleared."""

from __future__ import annotations

import logging

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from nnviz.ui.run._log_text import LINES
from nnviz.ui.shell._window_log import WindowLog
from nnviz.ui.shell.command_palette import CommandPalette
from nnviz.ui.theme import painting
from tests.ui.window import opened, wait


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, engine=lent_engine)


def open_log(qtbot, window):
    """Open it by its key, as a person does."""
    window.activateWindow()
    wait(qtbot, window.isActiveWindow)
    QTest.keyClick(window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
    return window.features.run.log


def said_by_engine(window, text):
    """As a library writes it: in pieces that need not be lines."""
    window.session.link._wire.logged.emit(text)


def test_it_is_in_the_menu_and_found_by_the_palette(window, qtbot):
    assert window.action_table["log"] in window.menus["Run"].actions()
    window.find_action()
    palette = window.findChild(CommandPalette)
    qtbot.keyClicks(palette.field, "log")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert window.features.run.log.isVisible()


def test_what_was_written_before_and_after_it_is_opened_stands_there(window, qtbot):
    said_by_engine(window, "UserWarning: half a li")
    said_by_engine(window, "ne\nshape (3, 4)\n")
    log = open_log(qtbot, window)
    assert log.text.toPlainText() == "UserWarning: half a line\nshape (3, 4)" and log.count.text() == "2 lines"
    said_by_engine(window, "a third\n")
    assert log.text.toPlainText().splitlines()[-1] == "a third"
    qtbot.mouseClick(log.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == log.text.toPlainText()
    qtbot.mouseClick(log.clear, Qt.MouseButton.LeftButton)
    assert log.text.toPlainText() == "" and not log.copy.isEnabled() and window.session.run.log == ()
    said_by_engine(window, "later\n")
    assert log.text.toPlainText() == "later"
    QTest.keyClick(log, Qt.Key.Key_Escape)
    assert not log.isVisible()


def test_it_shows_the_newest_lines_and_follows_them_until_a_person_scrolls_up(window, qtbot):
    said_by_engine(window, "".join(f"line {number}\n" for number in range(LINES + 50)))
    log = open_log(qtbot, window)
    bar, lines = log.text.verticalScrollBar(), log.text.toPlainText().splitlines()
    assert (len(lines), lines[0], lines[-1]) == (LINES, "line 50", f"line {LINES + 49}") and log.count.text().startswith(
        "the last 1,000 of"
    )
    assert bar.value() == bar.maximum() > 0
    said_by_engine(window, "one more\n")
    assert bar.value() == bar.maximum()
    bar.setValue(bar.maximum() // 2)
    place = bar.value()
    said_by_engine(window, "and one more\n")
    assert bar.value() == place


def test_why_something_could_not_be_drawn_stands_there_too(window, qtbot, monkeypatch, capsys, caplog):
    """The sentence in the place of a picture says so."""
    log = WindowLog([window])

    def fail(*_):
        raise RuntimeError("no room for the axis")

    monkeypatch.setattr(window.features.run.loss, "paint", fail)
    monkeypatch.setattr(painting, "_told", set())
    window.features.area.show_workspace("train")
    wait(qtbot, lambda: "no room for the axis" in "".join(window.session.run.log))
    assert "no room for the axis" in capsys.readouterr().err, "whoever started it from a terminal reads it there as before"
    log.close()
    logging.getLogger("nnviz.ui").error("said to nobody")
    qtbot.wait(20)
    assert "said to nobody" not in "".join(window.session.run.log)
