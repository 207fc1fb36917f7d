"""Work that is spread over turns of the event loop."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QObject, QTimer

from nnviz.ui.widgets.turns import Turns


@pytest.fixture
def made():
    return []


@pytest.fixture
def turns(qtbot, made):
    parent = QObject()
    yield Turns(made.append, parent)
    parent.deleteLater()


def test_one_call_is_made_in_each_turn(qtbot, turns, made):
    between = []
    timer = QTimer(interval=0)
    timer.timeout.connect(lambda: between.append(len(made)))
    timer.start()
    turns.add("abc")
    assert made == [], "not now"
    qtbot.waitUntil(lambda: len(made) == 3)
    timer.stop()
    assert made == ["a", "b", "c"] and {0, 1, 2} <= {*between, 0}


def test_what_waits_already_keeps_its_place(qtbot, turns, made):
    turns.add("ab")
    turns.add("bac")
    qtbot.waitUntil(lambda: len(made) == 3)
    qtbot.wait(20)
    assert made == ["a", "b", "c"]
    turns.add("a")
    qtbot.waitUntil(lambda: made[3:] == ["a"])


def test_all_can_be_made_now(qtbot, turns, made):
    turns.add("ab")
    turns.finish()
    turns.finish()
    assert made == ["a", "b"]
    qtbot.wait(20)
    assert made == ["a", "b"]
