"""A run that stops at the first value that is not finite leads to the node that made it, and one step and one iteration back are there."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from nnviz.document import edits
from tests.ui.window import opened, stands_at, wait


@pytest.fixture(params=["sine"])
def window(qtbot, lent_engine, request):
    yield from opened(qtbot, request.param, engine=lent_engine)


def plant(window, rate: float) -> None:
    window.session.edit("SGD", edits.choose_optimizer, "sgd")
    window.session.edit("Rate", edits.set_value, "training.optimizer.learning_rate", rate)


def note_button(window) -> QPushButton | None:
    note = window.notes.notes.get("stopped")
    return next((one for one in note.findChildren(QPushButton) if one.text() == "Show where"), None) if note else None


def stop(qtbot, window) -> int:
    """Train at full speed, in Train, until it stops by itself; return where the run stands then."""
    window.features.area.show_workspace("train")
    wait(qtbot, lambda: window.session.link.is_up_to_date and window.session.run.is_traced)
    qtbot.keyClick(window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    wait(qtbot, lambda: window.session.run.stopped == "non_finite")
    wait(qtbot, lambda: stands_at(window, window.session.run.iteration) and window.session.run.is_traced)
    return window.session.run.iteration


def first_bad(window) -> tuple[int, int]:
    """The node and the cursor behind the first step that made a value that is not finite, by looking at all of them."""
    index = window.session.stepping.index
    for place, step in enumerate(index.trace.steps):
        node = index.trace.nodes[step.node]
        tensor = {"forward": node.value, "loss": node.value, "backward": node.gradient}.get(step.phase)
        values = None if tensor is None else index.array(tensor)
        if values is not None and not np.isfinite(values).all():
            return step.node, place + 1
    raise AssertionError("all is finite")


@pytest.mark.parametrize(("window", "rate"), [("sine", 1.0), ("moons", 1e4)], indirect=["window"])
def test_it_leads_to_the_node_and_back(qtbot, window, rate):
    plant(window, rate)
    if rate == 1e4:  # the cross-entropy stays finite: all units die in the first update
        window.session.edit("Loss", edits.set_value, "training.loss", "mse")
    at = stop(qtbot, window)
    stepping = window.session.stepping
    assert note_button(window).isVisible() and window.toast.text == "", "it is not said twice"
    stepping.to_start()  # one has looked elsewhere
    qtbot.mouseClick(note_button(window), Qt.MouseButton.LeftButton)
    assert window.features.area.name == "step" and "stopped" not in window.notes.notes
    assert (stepping.selected_node, stepping.cursor) == first_bad(window)
    cursor = stepping.cursor
    qtbot.keyClick(window, Qt.Key.Key_F10, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: stepping.cursor == cursor - 1)
    assert at > 0 and window.session.run.iteration == at
    window.session.training.go_to(at - 1)
    wait(qtbot, lambda: stands_at(window, at - 1))
    assert np.isfinite(stepping.index.trace.loss) and window.session.run.stopped == ""
    window.features.area.show_workspace("train")
    window.session.training.iterations(1)
    wait(qtbot, lambda: stands_at(window, at))
    assert "stopped" not in window.notes.notes, "this iteration could be made"


@pytest.mark.parametrize("window", ["moons"], indirect=True)
def test_what_the_optimizer_remembers_leads_to_the_update(qtbot, window):
    """All values and gradients are finite, but not the squares of these, which Adam keeps."""
    window.session.edit("Loss", edits.set_value, "training.loss", "mse")
    weights = np.full((2, window.session.document.experiment.network.layers[-2]["units"]), 1e15).tolist()
    window.session.edit("Weights", edits.set_parameter, "out.weight", weights)
    assert stop(qtbot, window) == 0 and "exp_avg_sq of" in window.session.run.message
    qtbot.mouseClick(note_button(window), Qt.MouseButton.LeftButton)
    stepping = window.session.stepping
    index = stepping.index
    step = index.trace.steps[stepping.cursor - 1]
    assert (step.phase, step.node) == ("update", stepping.selected_node)
    row = next(row for row in index.updates[step.node].rows if row.symbol == "v")
    assert not np.isfinite(index.array(row.value)).all(), "that is where v overflows"
    before = [one for one in index.trace.steps[: stepping.cursor - 1] if one.phase == "update"]
    assert all(np.isfinite(index.array(row.value)).all() for one in before for row in index.updates[one.node].rows)


def test_the_note_goes_with_what_it_is_about(qtbot, window):
    plant(window, 1.0)
    stop(qtbot, window)
    assert note_button(window)
    window.session.edit("Rate", edits.set_value, "training.optimizer.learning_rate", 1e-3)
    qtbot.waitUntil(lambda: "stopped" not in window.notes.notes)


def test_losses_that_are_finite_no_more_are_dated(qtbot, window):
    plant(window, 1.0)
    at = stop(qtbot, window)
    curves = [curve for curve in window.features.run.loss.chart.curves if curve.label.startswith(("training", "validation"))]
    assert all(curve.x[-1] == at or curve.label.endswith(f" at {curve.x[-1]:,.0f}") for curve in curves)


def test_a_breakpoint_leads_there_too(qtbot, window):
    window.features.area.show_workspace("train")
    window.session.training.iterations(3)
    wait(qtbot, lambda: stands_at(window, 3) and window.session.run.is_traced)
    window.session.edit("Stop", edits.add_breakpoint, "gradient", threshold=0.0, comparison="above")
    window.session.training.go_to(1)
    wait(qtbot, lambda: stands_at(window, 1))
    window.session.training.iterations(3, past=True)
    wait(qtbot, lambda: window.session.run.stopped == "breakpoint")
    wait(qtbot, lambda: note_button(window) is not None and window.session.run.is_traced)
    qtbot.mouseClick(note_button(window), Qt.MouseButton.LeftButton)
    stepping = window.session.stepping
    assert window.features.area.name == "step" and stepping.cursor == window.session.breakpoints.places(stepping.index)[0].cursor
