"""What a document is called: it follows the data until somebody names it, and is changed by a click on it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from nnviz.document import edits
from nnviz.document.experiment import Experiment
from nnviz.document.shapes.rows import RowSize
from nnviz.document.store.examples import built_in_titles, open_document
from nnviz.ui.shell import app
from tests.ui.window import opened

_LEFT = Qt.MouseButton.LeftButton


# --- what it follows ---


def test_a_title_that_nobody_gave_follows_the_data_and_the_description_goes():
    moons = open_document("example:moons")
    digits = edits.choose_data(moons, "digits")
    assert moons.title in built_in_titles() and moons.description
    assert (digits.title, digits.description) == ("Digits", "")
    assert edits.choose_data(digits, "iris").title == "Iris"
    assert edits.choose_data(Experiment(moons.network, moons.data, moons.training), "spiral").title != "Untitled"


def test_a_title_that_was_given_stays_and_so_does_what_is_said_of_it():
    named = edits.set_title(open_document("example:moons"), "My net")
    assert edits.choose_data(named, "digits").title == "My net"
    assert edits.choose_data(named, "digits").description == named.description


def test_other_settings_of_the_same_data_rename_nothing():
    moons = open_document("example:moons")
    assert edits.choose_data(moons, "moons", noise=0.4).title == moons.title


def test_a_file_gives_its_name():
    settings = {"path": "/home/me/houses.csv", "target": "price"}
    assert edits.choose_table(open_document("example:moons"), settings, RowSize(3, 0, 1)).title == "houses"


# --- by a click ---


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, engine=lent_engine)


def ask(window):
    label = window.top_bar._title
    QTest.mouseClick(label, _LEFT, Qt.KeyboardModifier.NoModifier, label.rect().center())
    return label.field


def test_a_click_on_the_title_renames_and_undo_takes_it_back(window):
    session, view = window.session, window.features.network.view
    zoom = view.zoom
    field = ask(window)
    assert field.text() == session.experiment.title and field.selectedText() == field.text()
    QTest.keyClicks(field, "Half circles")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert session.experiment.title == "Half circles" and window.windowTitle().startswith("Half circles")
    assert window.top_bar._title.toolTip().startswith("Half circles") and view.zoom == zoom
    window.action_table["undo"].trigger()
    assert session.experiment.title != "Half circles" and not session.document.history.can_undo


def test_a_title_that_is_left_unchanged_is_no_edit(window):
    session = window.session
    before = session.experiment
    for leave in ("enter", "escape", "elsewhere", "empty"):
        field = ask(window)
        if leave in ("escape", "elsewhere"):
            field.setText("another")
        if leave == "empty":
            field.setText("  ")
        if leave == "elsewhere":
            QApplication.sendEvent(field, QEvent(QEvent.Type.FocusOut))
        else:
            QTest.keyClick(field, Qt.Key.Key_Escape if leave == "escape" else Qt.Key.Key_Return)
        QApplication.processEvents()
        assert session.experiment is before and not session.document.history.can_undo and window.top_bar._title.field is None, leave


def test_two_windows_with_one_title_are_told_apart(window, qtbot):
    other = app.build_window(open_document("example:moons"), autosaves=False)
    other.asks_before_closing = False
    other.show()
    other._show_document()
    assert other.shown_title == f"{window.shown_title} 2" and other.windowTitle().startswith(other.shown_title)
    window._show_document()
    assert window.shown_title == window.session.document.title
    app.shut_down(other)
