# ruff: noqa: B023
"""A run that stops at the first value that is not finite leads to the node that made it, and one step and one iteration back are there."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from nnviz.document import edits
from nnviz.document.breakpoints import Breakpoint
from tests.ui.window import opened, stands_at, wait


def planted(window, name: str) -> None:
    edit = window.session.edit
    if name == "rate":
        edit("SGD", edits.choose_optimizer, "training.optimizer.kind", "sgd")
        edit("Rate", edits.set_value, "training.optimizer.learning_rate", 1e30)
    elif name == "overflow":
        edit("SGD", edits.choose_optimizer, "training.optimizer.kind", "sgd")
        edit("Loss", edits.set_value, "training.loss", "mse")
        edit("Rate", edits.set_value, "training.optimizer.learning_rate", 1.0)


def note_button(window) -> QPushButton | None:
    note = window.notes.notes.get("stopped")
    return next((one for one in note.findChildren(QPushButton) if one.text() == "Show where"), None) if note else None


def stop(qtbot, window) -> int:
    """Train at full speed, in Train, until it stops by itself; return where the run stands then."""
    run = window.session.run
    window.features.area.show_workspace("train")
    wait(qtbot, lambda: window.session.link.is_up_to_date and window.session.run.is_traced)
    qtbot.mouseClick(button_of(window, "train"), Qt.MouseButton.LeftButton)
    wait(qtbot, lambda: window.session.run.stopped == "non_finite")
    wait(qtbot, lambda: stands_at(window, window.session.run.iteration) and window.session.run.is_traced)
    assert window.session.run is not run
    return window.session.run.iteration


def button_of(window, id: str):
    action = window.action_table[id]
    return next(
        one for one in window.top_bar.findChildren(QPushButton) + _tool_buttons(window) if one.isVisible() and action in one.actions()
    )


def _tool_buttons(window) -> list:
    from PySide6.QtWidgets import QToolButton

    return window.top_bar.findChildren(QToolButton)


def guilty(window) -> tuple[int, bool]:
    """The step that made the first value that is not finite, by looking at all there are; and whether the cursor stands there."""
    stepping = window.session.stepping
    index = stepping.index
    for step in index.trace.steps:
        node = index.nodes[step.node]
        tensor = node.gradient if step.phase == "backward" else node.value
        values = None if tensor is None or step.phase == "update" else index.array(tensor)
        if values is not None and not np.isfinite(values).all():
            return step.node, stepping.cursor == step.id + 1 and stepping.selected_node == step.node
    raise AssertionError("all is finite")


@pytest.mark.parametrize(("example", "name"), [("moons", "rate"), ("sine", "overflow")])
def test_it_leads_to_the_node_and_back(qtbot, lent_engine, example, name):
    for window in opened(qtbot, example, engine=lent_engine):
        planted(window, name)
        at = stop(qtbot, window)
        button = note_button(window)
        assert button is not None and window.notes.notes["stopped"].isVisible()
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert window.features.area.name == "step" and "stopped" not in window.notes.notes
        assert guilty(window)[1], "the cursor stands where it became so"
        cursor = window.session.stepping.cursor
        qtbot.keyClick(window, Qt.Key.Key_F10, Qt.KeyboardModifier.ShiftModifier)
        qtbot.waitUntil(lambda: window.session.stepping.cursor == cursor - 1)
        assert at > 0
        window.session.training.go_to(at - 1)
        wait(qtbot, lambda: stands_at(window, at - 1))
        trace = window.session.stepping.index.trace
        assert np.isfinite(trace.loss) and window.session.run.stopped == ""
        window.features.area.show_workspace("train")
        window.session.training.iterations(1)
        wait(qtbot, lambda: stands_at(window, at))
        assert "stopped" not in window.notes.notes, "the run has come here again by itself"


def test_the_note_goes_with_what_it_is_about(qtbot, lent_engine):
    for window in opened(qtbot, "sine", engine=lent_engine):
        planted(window, "overflow")
        stop(qtbot, window)
        assert note_button(window)
        window.session.edit("Rate", edits.set_value, "training.optimizer.learning_rate", 1e-3)
        qtbot.waitUntil(lambda: "stopped" not in window.notes.notes)


def test_a_breakpoint_leads_there_too(qtbot, lent_engine):
    for window in opened(qtbot, engine=lent_engine):
        window.session.edit("Stop", edits.add_breakpoint, "gradient", threshold=0.0, comparison="above")
        assert window.session.experiment.breakpoints[0] == Breakpoint("gradient", "", "above", 0.0)
        window.features.area.show_workspace("train")
        window.session.training.iterations(3)
        wait(qtbot, lambda: window.session.run.stopped == "breakpoint" or window.session.stepping.cursor > 0)
        window.features.area.show_workspace("step")
        assert "stopped" not in window.notes.notes
