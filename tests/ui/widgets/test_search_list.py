"""A list that is searched by typing: one choice is told once, by mouse and by keys."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QListWidget

from nnviz.ui.widgets.search_list import ListEntry, SearchList


@pytest.fixture
def found(qtbot):
    search = SearchList(QLineEdit(), QListWidget(), [ListEntry(name, name) for name in ("dense", "dropout", "flatten")])
    qtbot.addWidget(search)
    search.show()
    search.told = []
    search.chosen.connect(search.told.append)
    return search


def test_a_double_click_chooses_once(qtbot, found):
    place = found.list.visualItemRect(found.list.item(1)).center()
    qtbot.mouseClick(found.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(found.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert found.told == ["dropout"]


def test_what_is_typed_is_found_and_enter_chooses_it(qtbot, found):
    qtbot.keyClicks(found.line, "d")
    assert found.keys() == ("dense", "dropout")
    qtbot.keyClick(found.line, Qt.Key.Key_Down)
    qtbot.keyClick(found.line, Qt.Key.Key_Return)
    qtbot.keyClick(found.list, Qt.Key.Key_Return)
    assert found.told == ["dropout", "dropout"]
