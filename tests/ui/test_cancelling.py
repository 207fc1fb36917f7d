"""An engine that does not answer: the window says what it is at, and a click ends it; with a real one."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from nnviz.document.store.examples import open_document
from nnviz.document.store.files import load
from tests.ui.window import opened, stands_at, wait

CASES = Path(__file__).parents[1] / "cases"


@pytest.fixture
def window(qtbot):
    yield from opened(qtbot)


def freeze(window):
    """Let the engine stand still, as if its iteration never ended."""
    process = window.session.link._wire.process_id
    os.kill(process, signal.SIGSTOP)
    return process


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="a process cannot be stopped here")
def test_an_endless_iteration_is_cancelled_by_a_click_and_the_run_stands_where_it_stood(window, qtbot):
    session = window.session
    session.training.iterations(30)
    wait(qtbot, lambda: stands_at(window, 30))
    weights = session.stepping.index.trace.nodes[0:6]
    process = freeze(window)
    session.training.train()
    wait(qtbot, lambda: window.busy_line.note.isVisible())
    assert window.busy_line.line.isVisible() and window.busy_line.word.text() == "Making iteration 31 …"
    qtbot.mouseClick(window.busy_line.button, Qt.MouseButton.LeftButton)
    wait(qtbot, lambda: session.link._wire.process_id not in (0, process))
    wait(qtbot, lambda: session.run.engine == "ready" and not session.link.is_waiting)
    assert session.run.iteration == 30 and not session.training.is_training
    window.action_table["step"].trigger()
    wait(qtbot, lambda: stands_at(window, 30))
    assert session.stepping.index.trace.nodes[0:6] == weights
    wait(qtbot, lambda: not window.busy_line.line.isVisible())


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="a process cannot be stopped here")
def test_another_document_is_opened_while_the_engine_hangs(window, qtbot):
    freeze(window)
    window.session.training.iterations(1)
    window.session.document.new(open_document("example:xor"))
    wait(qtbot, lambda: stands_at(window, 0) and window.session.is_saved)
    assert window.session.run.engine == "ready"


@pytest.mark.parametrize("name", ["long-iteration-dense.json", "long-iteration-lstm.json"])
def test_a_document_that_takes_minutes_can_be_left(window, qtbot, name):
    session = window.session
    session.document.new(load(CASES / name))
    wait(qtbot, lambda: window.action_table["cancel"].isEnabled())
    window.action_table["cancel"].trigger()
    wait(qtbot, lambda: session.run.engine in ("ready", "stopped"))
    session.document.new(open_document("example:xor"))
    wait(qtbot, lambda: stands_at(window, 0))
    assert "engine" not in window.notes.notes


def test_the_engine_is_started_again_by_hand(window, qtbot):
    session = window.session
    session.training.iterations(5)
    wait(qtbot, lambda: stands_at(window, 5))
    process = session.link._wire.process_id
    window.action_table["restart_engine"].trigger()
    wait(qtbot, lambda: session.run.engine == "ready" and stands_at(window, 5) and session.run.is_traced)
    assert session.link._wire.process_id != process


def test_that_the_engine_rests_is_said_as_long_as_it_does(window, qtbot):
    window.session.link._wire.kill()
    window.session.link.failed("It wrote last: nothing.")
    assert "engine" in window.notes.notes
    window.notes.notes["engine"].findChildren(type(window.busy_line.button))[0].click()
    wait(qtbot, lambda: window.session.run.engine == "ready")
    assert "engine" not in window.notes.notes
