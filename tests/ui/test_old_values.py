"""Nothing old is shown as if it were new: pictures that training has left behind are pale, and a trace of before a change says so."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtGui import QColor, QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip

from nnviz.document import edits
from nnviz.session.run import RECENT
from nnviz.session.session import OUTDATED
from nnviz.ui.network.neurons import bias_dot
from tests.ui.window import opened, stands_at, wait


@pytest.fixture
def window(qtbot):
    yield from opened(qtbot, iterations=20)


@contextmanager
def held_up(window):
    """The engine is at something that takes long."""
    process = window.session.link._wire.process_id
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def change(window, rate):
    assert window.session.edit("Change", edits.set_value, "training.optimizer.learning_rate", rate, "Learning rate")


def strength(widget) -> int:
    """How dark its darkest place is."""
    image = widget.grab().toImage()
    return 255 - min(QColor(image.pixel(x, y)).lightness() for x in range(0, image.width(), 2) for y in range(0, image.height(), 2))


def tip(window) -> str:
    """What the canvas says of a bias under the mouse."""
    view = window.features.network.view
    column = view.scene().columns["h1"]
    at = view.mapFromScene(column.mapToScene(bias_dot(column.face, 0)))
    QApplication.sendEvent(view.viewport(), QHelpEvent(QEvent.Type.ToolTip, at, view.viewport().mapToGlobal(at)))
    return QToolTip.text()


def test_a_trace_of_before_a_change_says_so_and_is_pale_while_the_change_takes_long(qtbot, window):
    features, cards = window.features, window.features.cards
    features.area.show_workspace("step")
    titles = lambda: {cards[name].accessibleDescription() for name in ("graph", "inspector")}  # noqa: E731
    assert titles() == {"iteration 21, next"}
    before = strength(features.graph.view.viewport())
    with held_up(window):
        change(window, 0.03)
        assert titles() == {"iteration 21, next"} and not features.step.microscope.is_past, "what is there in a moment needs no word"
        qtbot.waitUntil(lambda: titles() == {f"iteration 21, {OUTDATED}"})
        assert features.step.microscope.is_past and window.busy_line.line.isVisible()
        assert strength(features.graph.view.viewport()) < 0.6 * before
        assert tip(window).endswith(f"\niteration 20, {OUTDATED}") and tip(window).startswith("dense 1.bias[0] = ")
        assert cards["network"].accessibleDescription().startswith(f"iteration 20, {OUTDATED} · 2 → ")
    wait(qtbot, lambda: stands_at(window, 20) and titles() == {"iteration 21, next"})
    assert not features.step.microscope.is_past and "iteration" not in tip(window)
    assert strength(features.graph.view.viewport()) == pytest.approx(before, abs=12)


def test_a_trace_on_the_screen_while_training_runs_is_not_the_next_one(qtbot, window):
    window.features.area.show_workspace("step")
    window.action_table["train"].trigger()
    wait(qtbot, lambda: window.session.run.iteration > 60 and window.session.run.traced == -1)
    assert not window.features.cards["graph"].accessibleDescription().endswith("next")
    window.action_table["train"].trigger()
    wait(qtbot, lambda: stands_at(window, window.session.run.iteration))
    assert window.features.cards["graph"].accessibleDescription().endswith("next")


def test_the_boundary_is_pale_on_the_way_to_another_iteration(qtbot, window):
    window.features.area.show_workspace("train")
    boundary, session = window.features.run.boundary, window.session
    wait(qtbot, lambda: session.run.surface is not None and session.run.surface_iteration == 20)
    assert not boundary.is_past
    seen = []
    session.run_changed.connect(lambda old, new: seen.append((new.iteration, boundary.is_past)) if new.surface_iteration == 20 else None)
    session.training.go_to(5)
    wait(qtbot, lambda: stands_at(window, 5) and session.run.surface_iteration == 5)
    assert (5, True) in seen
    assert not boundary.is_past


def test_everything_measured_is_pale_as_soon_as_the_run_is_on_its_way(qtbot, window):
    features, session = window.features, window.session
    features.area.show_workspace("train")
    plots = [features.run.boundary, features.run.norms, features.run.histograms]
    wait(qtbot, lambda: session.run.surface_iteration == 20 and bool(session.run.measures))
    with held_up(window):
        session.training.go_to(5)
        qtbot.waitUntil(lambda: all(plot.is_past for plot in plots))
        assert session.run.iteration == 20
    wait(qtbot, lambda: stands_at(window, 5) and not any(plot.is_past for plot in plots))


def test_pictures_that_training_has_left_behind_are_pale(qtbot, window, monkeypatch):
    """As those that cost so much to measure that they come seldom."""
    window.features.area.show_workspace("train")
    session, plots = window.session, [window.features.run.boundary, window.features.run.norms]
    wait(qtbot, lambda: session.run.surface_iteration == 20)
    session.watch(("curves",))  # nothing else is measured any more
    window.action_table["train"].trigger()
    wait(qtbot, lambda: len(session.run.frames) == RECENT and session.run.frames[0] > session.run.surface_iteration)
    wait(qtbot, lambda: all(plot.is_past for plot in plots))
    window.update_needs()
    wait(qtbot, lambda: not any(plot.is_past for plot in plots))
    window.action_table["train"].trigger()
    wait(qtbot, lambda: stands_at(window, session.run.iteration))
