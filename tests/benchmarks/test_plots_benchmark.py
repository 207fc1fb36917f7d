"""Six plots, and twelve, at 30 frames a second beside a run of 100,000 iterations: 8 ms until six know what to paint, 16 until all is
painted."""

from contextlib import contextmanager
from dataclasses import replace
from itertools import cycle
from statistics import median
from time import process_time

import numpy as np
import pyqtgraph
import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from nnviz.session.run_curves import Curves
from nnviz.ui.run._activation_curve import ActivationCurvePlot
from nnviz.ui.run._boundary import BoundaryPlot
from nnviz.ui.run._gradient_norm import GradientNormPlot
from nnviz.ui.run._histogram import HistogramPlot
from nnviz.ui.run._layer_pairs import MODES, SPREAD, LayerPairsPlot
from nnviz.ui.run._learning_rates import LearningRatesPlot
from nnviz.ui.run._metric import MetricPlot
from nnviz.ui.run._unit_shares import UnitSharesPlot
from nnviz.ui.run._update_ratio import UpdateRatioPlot
from nnviz.ui.run.loss_plot import LossPlot
from nnviz.ui.step._microscope import OptimizerMicroscope
from nnviz.ui.widgets.plot_card import framed
from tests.benchmarks.sketches import Sketch
from tests.ui import runs

FRAMES = 30
FRAME_MS = 16.7
MANY = 1_000_000
KINDS = (LossPlot, BoundaryPlot, HistogramPlot, GradientNormPlot, MetricPlot, OptimizerMicroscope)
SKETCH = Sketch(1600, 200, cards=30, card=(150, 12), curves=40, words=62, points=3000)
"""What is to be seen of all six plots."""


@pytest.fixture
def row(qtbot):
    """All six plots in one row as in the Step workspace."""
    window = QWidget()
    layout = QHBoxLayout(window)
    window.plots = [kind() for kind in KINDS]
    for plot in window.plots:
        layout.addWidget(framed(plot))
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
        newest = replace(snapshots[frame], iteration=100_000 + frame)
        yield replace(base, iteration=100_000 + frame, curves=curves, snapshots=(*snapshots[1:], newest), surface=runs.plane())


def seconds_of(frame) -> float:
    """Return the processor time of FRAMES calls: what the plots cost, not what other programs take."""
    start = process_time()
    for _ in range(FRAMES):
        frame()
    return process_time() - start


def thinned(curves: Curves) -> None:
    """Bare numpy on the same curves: which points are known, and the lowest and highest of every hundred."""
    for column in curves.columns()[1:]:
        known = column[np.flatnonzero(np.isfinite(column))]
        hundreds = known[: len(known) // 100 * 100].reshape(-1, 100)
        hundreds.argmin(1), hundreds.argmax(1)


def show(row, run, state) -> None:
    """Give all plots what a frame brings."""
    for plot in row.plots[:-1]:
        plot.set_run(run)
    row.plots[-1].set_trace_state(state)


def frames_of(row):
    """Return a call that gives all plots the next frame."""
    frames, moments = cycle(list(states())), cycle([runs.state(), runs.state(4)])
    return lambda: show(row, next(frames), next(moments))


def test_taking_a_frame_over(measure, row):
    curves, frame = next(states()).curves, frames_of(row)
    frame()
    measure(
        "giving six plots 100,000 iterations beside bare numpy",
        lambda: seconds_of(frame),
        lambda: seconds_of(lambda: thinned(curves)),
        goal=4,
    )


def test_a_whole_frame_with_painting(measure, row):
    take = frames_of(row)

    def frame():
        take()
        QCoreApplication.processEvents()  # paints what asked for it

    frame()
    measure("a whole frame of six plots beside bare painting", lambda: seconds_of(frame) / FRAMES, SKETCH.seconds, goal=1.8)


@contextmanager
def as_it_comes():
    """Inside, pyqtgraph has its own defaults, which the plots of the window set otherwise."""
    bare = {"antialias": False, "segmentedLineMode": "auto"}
    ours = {name: pyqtgraph.getConfigOption(name) for name in bare}
    pyqtgraph.setConfigOptions(**bare)
    yield
    pyqtgraph.setConfigOptions(**ours)


def test_a_million_points(measure, qtbot):
    """The loss of the batches and of the validation rows, ten iterations more in every frame, with all that stands around them."""
    whole, base = runs.curves(MANY + 10 * FRAMES, every=50), runs.run()
    grown = [Curves(*(column[: MANY + 10 * frame] for column in whole.columns())) for frame in range(1, FRAMES)]
    states = cycle([replace(base, iteration=int(curves.iteration[-1]), curves=curves) for curves in grown])
    plot = LossPlot()
    with as_it_comes():
        card, plain = framed(plot), pyqtgraph.PlotWidget()
        items = plain.plot(), plain.plot()
    for widget in (card, plain):
        widget.resize(800, 400)
        qtbot.addWidget(widget)
        widget.show()
        qtbot.waitExposed(widget)

    def bare(curves: Curves) -> None:
        known = np.isfinite(curves.validation_loss)
        items[0].setData(curves.iteration, curves.loss)
        items[1].setData(curves.iteration[known], curves.validation_loss[known])

    def painted(take) -> float:
        seconds = []
        for _ in range(5):
            start = process_time()
            take(next(states))
            QCoreApplication.processEvents()
            seconds.append(process_time() - start)
        return min(seconds)

    def painted_bare() -> float:
        with as_it_comes():
            return painted(lambda run: bare(run.curves))

    work = "a frame of the loss of 1,000,000 iterations beside plain pyqtgraph"
    measure(work, lambda: painted(plot.set_run), painted_bare, goal=0.15)


def test_an_unchanged_run_costs_nothing(measure, row):
    run, state, changed = runs.run(), runs.state(), frames_of(row)

    def unchanged() -> float:
        show(row, run, state)
        return seconds_of(lambda: show(row, run, state))

    measure("giving six plots an unchanged run beside a changed one", unchanged, lambda: seconds_of(changed), goal=0.02)


@pytest.fixture
def twelve(qtbot):
    """Twelve plots in three rows, as in the Train workspace."""
    window = QWidget()
    layout = QGridLayout(window)
    layers = (UpdateRatioPlot, UnitSharesPlot, LearningRatesPlot, ActivationCurvePlot)
    window.plots = [*(LayerPairsPlot(pair) for pair in (SPREAD, MODES)), *(kind() for kind in (*layers, *KINDS))]
    for place, plot in enumerate(window.plots):
        layout.addWidget(framed(plot), *divmod(place, 4))
    window.resize(1600, 1000)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    return window


@pytest.mark.parametrize(("every", "what"), [(10, "measures now and then"), (1, "all measures new")])
def test_a_frame_of_twelve_panels(report, twelve, every, what):
    """Beside training measures may cost a hundredth of the time: most frames bring the curves alone."""
    measured, seconds = None, []
    for number, run in enumerate((*states(), *states())):
        measured = run if number % every == 0 else measured
        start = process_time()
        show(twelve, replace(run, snapshots=measured.snapshots, surface=measured.surface), runs.state(4 * (number // every % 2)))
        QCoreApplication.processEvents()
        seconds.append(process_time() - start)
    report(f"a frame of twelve live panels, {what}, the median", 1000 * median(seconds), FRAME_MS, "ms")


def test_the_longest_turn_of_twelve_panels(report, twelve):
    """The window gives one panel a turn of the event loop: a person's click waits no longer than that."""
    longest = []
    for run in states():
        turns = []
        for plot in twelve.plots[:-1]:
            start = process_time()
            plot.set_run(run)
            QCoreApplication.processEvents()
            turns.append(process_time() - start)
        longest.append(max(turns))
    report("the longest turn of twelve live panels, all measures new, the median", 1000 * median(longest), FRAME_MS / 2, "ms")
