"""Six plots at 30 frames a second beside a run of 100,000 iterations. Budgets are told as multiples of a small piece of work."""

from dataclasses import replace
from itertools import cycle
from time import process_time

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QHBoxLayout, QWidget

from nnviz.session.run import Curves, Snapshot
from nnviz.ui import run
from tests.ui import runs

FRAMES = 30
KINDS = (run.LossPlot, run.BoundaryPlot, run.HistogramPlot, run.GradientNormPlot, run.MetricPlot, run.OptimizerMicroscope)
PIECE = 0.6
"""Milliseconds of the piece of work, sorting 20,000 numbers, on the idle machine the budgets were set on."""
TAKING_OVER, WHOLE_FRAME = 8 / PIECE, 16 / PIECE
"""A frame may take 8 ms until the plots know what to paint, and half of the 33 ms between frames until all is painted."""
NUMBERS = np.random.default_rng(0).normal(size=20_000)


@pytest.fixture
def row(qtbot):
    """All six plots in one row as in the Step workspace."""
    window = QWidget()
    layout = QHBoxLayout(window)
    window.plots = [kind() for kind in KINDS]
    for plot in window.plots:
        layout.addWidget(run.framed(plot))
    window.resize(1600, 200)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    return window


def states():
    """Runs as frames bring them: every part is another object."""
    whole, snapshots, base = runs.curves(100_000 + FRAMES * 20), runs.snapshots(64), runs.run()
    for frame in range(FRAMES):
        curves = Curves(*(column[: 100_000 + 10 * frame] for column in whole.columns()))
        newest = Snapshot(100_000 + frame, snapshots[frame].layers)
        yield replace(base, iteration=100_000 + frame, curves=curves, snapshots=(*snapshots[1:], newest), surface=runs.plane())


def seconds_of(frame) -> float:
    """Return the processor time of FRAMES calls: what the plots cost, not what other programs take."""
    start = process_time()
    for _ in range(FRAMES):
        frame()
    return process_time() - start


def sort() -> float:
    """The piece of work the budgets are counted in."""
    return seconds_of(lambda: np.sort(NUMBERS))


def show(row, run, state) -> None:
    """Give all plots what a frame brings."""
    for plot in row.plots[:-1]:
        plot.set_run(run)
    row.plots[-1].set_trace_state(state)


def test_taking_a_frame_over(ratio, row):
    frames, moments = cycle(list(states())), cycle([runs.state(), runs.state(4)])

    def frame():
        show(row, next(frames), next(moments))

    frame()
    assert ratio(lambda: seconds_of(frame), sort, TAKING_OVER) <= TAKING_OVER


def test_a_whole_frame_with_painting(benchmark, ratio, row):
    frames, moments = cycle(list(states())), cycle([runs.state(), runs.state(4)])

    def frame():
        show(row, next(frames), next(moments))
        QCoreApplication.processEvents()  # paints what asked for it

    benchmark.pedantic(frame, rounds=2 * FRAMES, warmup_rounds=5)
    assert ratio(lambda: seconds_of(frame), sort, WHOLE_FRAME, attempts=6) <= WHOLE_FRAME


def test_an_unchanged_run_costs_nothing(ratio, row):
    run, state = runs.run(), runs.state()

    def frame():
        show(row, run, state)

    frame()
    assert ratio(lambda: seconds_of(frame), sort, 0.2) <= 0.2
