"""The palette of actions: what is typed exactly wins, words that mean the same find it, and nothing found is said."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from nnviz.ui.shell.command_palette import CommandPalette

NAMES = (
    "New: autoencoder",
    "New: encoder",
    "Play faster",
    "Fit the graph",
    "Whole graph at detail: textbook",
    "Larger text",
    "Run to here",
    "Go to iteration…",
    "Show loss",
)


@pytest.fixture
def palette(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    actions = [QAction(name, window, enabled=name != "Play faster") for name in NAMES]
    for action, name in zip(actions, NAMES, strict=True):
        action.triggered.connect(lambda _, name=name: window.setProperty("done", name))
    palette = CommandPalette(actions, window)
    palette.show()
    yield palette


def found(palette, text):
    palette.field.setText(text)
    return [palette.list.item(row).text().split("    ")[0] for row in range(palette.list.count())]


def test_the_exact_name_comes_first_and_is_done(qtbot, palette):
    assert found(palette, "New: encoder") == ["New: encoder", "New: autoencoder"]
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert palette.parentWidget().property("done") == "New: encoder"


def test_the_name_matters_more_than_where_it_holds_the_text(palette):
    assert found(palette, "encoder")[0] == "New: encoder"
    assert found(palette, "GO TO  iteration") == ["Go to iteration…"]


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("zoom", "Fit the graph"),
        ("font", "Larger text"),
        ("panel", "Show loss"),
        ("until", "Run to here"),
        ("until", "Go to iteration…"),
        ("bigger", "Larger text"),
        ("zoom", "Larger text"),
    ],
)
def test_words_that_mean_the_same_find_it(palette, word, name):
    assert name in found(palette, word)


def test_a_text_size_is_no_textbook(palette):
    assert "Whole graph at detail: textbook" not in found(palette, "font")


def test_what_cannot_be_done_now_is_found_and_not_done(qtbot, palette):
    assert found(palette, "speed") == ["Play faster – not possible now"]
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert palette.isVisible() and palette.parentWidget().property("done") is None


def test_nothing_found_is_said(qtbot, palette):
    (said,) = found(palette, "xyzzy")
    assert said.startswith("Nothing is called so")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert palette.isVisible()
