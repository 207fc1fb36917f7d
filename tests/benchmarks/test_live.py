"""What the window costs while it watches: training must keep its speed, and the window must stay awake.

Window and engine need a core each: the figures hold on an idle machine.
"""

from __future__ import annotations

import gc
import time
from itertools import pairwise

import pytest
from PySide6.QtCore import QTimer

from nnviz.document.store.examples import open_document
from nnviz.session.engine_process import EngineProcess
from nnviz.session.session import Session
from tests.ui.window import opened, wait

ITERATIONS = 10_000
KEPT_SPEED = 0.8
GAP_MS = 33
pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def window(qtbot):
    for window in opened(qtbot, "moons"):
        gc.collect()
        gc.freeze()  # as the program does
        yield window
        gc.unfreeze()


@pytest.fixture
def headless(qtbot):
    client = EngineProcess()
    session = Session(client, open_document("example:moons"), autosaves=False)
    session.connect_engine(client)
    session.start()
    wait(qtbot, lambda: session.run.engine == "ready" and session.run.data is not None)
    session.watch(())
    yield session
    session.close()


def seconds_of_training(qtbot, session: Session) -> float:
    """How long so many iterations take, as the person who waits for them sees it."""
    session.training.rewind()
    wait(qtbot, lambda: session.run.iteration == 0 and not session.link.is_waiting)
    start = time.perf_counter()
    session.training.iterations(ITERATIONS)
    wait(qtbot, lambda: session.run.iteration == ITERATIONS and not session.training.is_training)
    return time.perf_counter() - start


@pytest.mark.parametrize("workspace", ["step", "train"])
def test_training_with_the_window_live_keeps_its_speed(qtbot, window, headless, measure, workspace):
    window.features.area.show_workspace(workspace)
    measure(
        f"training with a window at {workspace} beside training without one",
        lambda: seconds_of_training(qtbot, window.session),
        lambda: seconds_of_training(qtbot, headless),
        goal=1 / KEPT_SPEED,
        rounds=3,
    )


def longest_gap(qtbot, milliseconds: int) -> float:
    """The longest time in ms that a timer of 5 ms had to wait."""
    ticks: list[float] = []
    timer = QTimer(interval=5)
    timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
    timer.start()
    qtbot.wait(milliseconds)
    timer.stop()
    return 1000 * max(later - earlier for earlier, later in pairwise(ticks))


@pytest.mark.parametrize("workspace", ["step", "train"])
def test_the_window_stays_awake_while_it_trains(qtbot, window, report, workspace):
    """A busy machine also lets an idle window wait: its longest gap in the same run is taken off."""
    window.features.area.show_workspace(workspace)
    attempts = []
    for _ in range(5):
        idle = longest_gap(qtbot, 1500)
        window.session.training.train()
        wait(qtbot, lambda: window.session.training.is_training)
        training = longest_gap(qtbot, 3000)
        window.session.training.pause()
        wait(qtbot, lambda: not window.session.training.is_training)
        attempts.append(training - max(0.0, idle - 10))
        if attempts[-1] <= GAP_MS:
            break
    report(f"the longest wait of a window at {workspace} that watches training", min(attempts), GAP_MS, "ms")
