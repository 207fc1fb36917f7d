"""The calls of one iteration in the real window, with a real engine."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from nnviz.document import edits
from nnviz.ui.theme.colors import DARK, LIGHT, current_theme
from nnviz.ui.theme.style import apply_theme
from tests.ui.window import opened, stands_at, wait


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, engine=lent_engine)


def open_text(qtbot, window):
    """Open it by its key, as a person does."""
    window.activateWindow()
    wait(qtbot, window.isActiveWindow)
    QTest.keyClick(window, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
    wait(qtbot, lambda: window.session.calls.is_present)
    return window.features.run.calls


def lines(dialog) -> list[str]:
    return dialog.text.toPlainText().splitlines()


def color_of(dialog, line: str):
    """The colour a line is written in."""
    block = dialog.text.document().begin()
    while block.text() != line:
        block = block.next()
    ranges = block.layout().formats()  # which own their formats
    return QColor(ranges[0].format.foreground().color())


def test_it_lists_the_calls_at_iteration_0_and_leaves_the_run_there(window, qtbot):
    assert window.action_table["calls"] in window.menus["Run"].actions()
    before = window.session.weights.values("h1.weight").tobytes()
    dialog = open_text(qtbot, window)
    assert lines(dialog)[0] == "The 30 calls that one iteration of Two moons really is, 32 rows at a time"
    assert "   3  dense 1         addmm(h1_bias, x, h1_weight_t, out=h1_1)" in lines(dialog)
    assert stands_at(window, 0) and window.session.weights.values("h1.weight").tobytes() == before
    assert dialog.width() <= window.width() and dialog.height() <= window.height()


def test_an_edit_makes_it_pale_and_brings_the_present_one_also_when_it_is_opened_again(window, qtbot):
    dialog, session = open_text(qtbot, window), window.session
    session.edit("Clip", edits.set_value, "training.clip_value", 1.0)
    assert not session.calls.is_present and color_of(dialog, "forward") == current_theme().color("faint")
    wait(qtbot, lambda: session.calls.is_present)
    assert "clip" in lines(dialog) and color_of(dialog, "clip") == current_theme().phase("clip")
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    session.edit("No clip", edits.set_value, "training.clip_value", None)
    wait(qtbot, lambda: session.link.is_up_to_date)
    assert open_text(qtbot, window) is dialog and dialog.isVisible()
    assert "clip" not in lines(dialog)


def test_it_is_there_while_training_runs(window, qtbot):
    session = window.session
    session.training.toggle()
    wait(qtbot, lambda: session.run.iteration > 20)
    dialog = open_text(qtbot, window)
    assert session.run.training and lines(dialog)[0].startswith("The 30 calls")
    session.training.toggle()
    wait(qtbot, lambda: not session.training.is_training)


def test_it_is_searched_and_copied(window, qtbot):
    dialog = open_text(qtbot, window)
    assert dialog.search.hasFocus() or not dialog.isActiveWindow()
    QTest.keyClicks(dialog.search, "_weight_grad")
    assert dialog.count.text() == "1 of 3" and len(dialog.text.extraSelections()) == 3
    for place in ("2 of 3", "3 of 3", "1 of 3"):
        QTest.keyClick(dialog.search, Qt.Key.Key_Return)
        assert dialog.count.text() == place and dialog.isVisible()
    assert "out_weight_grad" in dialog.text.textCursor().block().text()
    QTest.keyClicks(dialog.search, "#")
    assert dialog.count.text() == "not found"
    QTest.mouseClick(dialog.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text().splitlines() == lines(dialog)


def test_it_wears_the_theme(window, qtbot):
    dialog = open_text(qtbot, window)
    for theme in (DARK, LIGHT):
        apply_theme(QApplication.instance(), theme)
        assert color_of(dialog, "backward") == theme.phase("backward")
        assert color_of(dialog, lines(dialog)[0]) == theme.color("text")
