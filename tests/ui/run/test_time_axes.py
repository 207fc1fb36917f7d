"""Flags of changes and the one pointer on every axis of time: of the plots, of the history of a weight, of the run bar."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtTest import QTest

from nnviz.document import edits
from nnviz.document.run_log import RunLog
from nnviz.document.store.examples import open_document
from nnviz.records.hindsight_record import Question
from nnviz.session.past_questions import PastCurve
from nnviz.ui.run._gradient_norm import GradientNormPlot
from nnviz.ui.run._histogram import HistogramPlot
from nnviz.ui.run._learning_rates import LearningRatesPlot
from nnviz.ui.run._metric import MetricPlot
from nnviz.ui.run._past_plot import PastPlot, ShownPast
from nnviz.ui.run._unit_shares import UnitSharesPlot
from nnviz.ui.run._update_ratio import UpdateRatioPlot
from nnviz.ui.run.loss_plot import LossPlot
from nnviz.ui.run.run_tree import Ghost
from nnviz.ui.step._history_lines import HistoryLines
from nnviz.ui.step._microscope import OptimizerMicroscope
from nnviz.ui.theme.colors import LIGHT
from nnviz.ui.widgets.scales import AxisScale
from nnviz.ui.widgets.time_axis import Flag, Surroundings, TimeAxis
from tests.ui import runs
from tests.ui.run.test_weight_history import history
from tests.ui.window import opened, stands_at, wait

AROUND = Surroundings((Flag(24, "iteration 24: dropout on → off"), Flag(700, "out of sight")))


def of_a_run(kind):
    plot = kind()
    plot.set_run(runs.run(128))
    return plot


def over_time(kind):
    plot = of_a_run(kind)
    plot.over_time.setChecked(True)
    return plot


def of_the_past():
    plot, at = PastPlot(), np.arange(1, 129)
    plot.show_past(
        (ShownPast(PastCurve(Question("loss"), at, np.sin(at / 9), 1, 128, RunLog(open_document("example:moons"))), "loss", True),)
    )
    return plot


def microscope():
    plot = OptimizerMicroscope()
    plot.set_trace_state(runs.state(), 1, (1, 0))
    plot.set_history(history(40))
    return plot


def lines_of_a_weight():
    plot = HistoryLines()
    plot.set_weight("h1.weight", (1, 0))
    plot.set_history(history(40))
    return plot


PLOTS = {
    "loss": lambda: of_a_run(LossPlot),
    "metric": lambda: of_a_run(MetricPlot),
    "histograms": lambda: of_a_run(HistogramPlot),
    "norms": lambda: over_time(GradientNormPlot),
    "units": lambda: over_time(UnitSharesPlot),
    "ratios": lambda: of_a_run(UpdateRatioPlot),
    "rates": lambda: of_a_run(LearningRatesPlot),
    "hindsight": of_the_past,
    "microscope": microscope,
    "weight": lines_of_a_weight,
}


@pytest.mark.parametrize("name", PLOTS)
def test_a_flag_stands_there_is_told_and_is_gone_to_by_a_click(shown, qtbot, name):
    plot = PLOTS[name]()
    shown(plot, 420, 300)
    before = plot.grab().toImage()
    plot.set_surroundings(AROUND)
    assert plot.grab().toImage() != before
    boxes = [box for time in plot._times for box in time.boxes(AROUND.flags)]
    assert boxes and all(iteration == 24 for _, iteration in boxes)
    place = boxes[0][0].center()
    assert [text for time in plot._times for _, text in time.told(AROUND.flags, place)][:1] != []
    asked = []
    plot.iteration_requested.connect(asked.append)
    getattr(plot, "past_chosen", plot.iteration_requested).connect(asked.append)
    qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=place.toPoint())
    assert set(asked) == {24}


@pytest.mark.parametrize("name", PLOTS)
def test_it_points_at_an_iteration_and_marks_the_one_that_is_pointed_at_elsewhere(shown, qtbot, name):
    plot = PLOTS[name]()
    shown(plot, 420, 300)
    plain = plot.grab().toImage()
    plot.point_at(24.0)
    assert plot.grab().toImage() != plain
    plot.point_at(None)
    assert plot.grab().toImage() == plain
    pointed = []
    plot.iteration_pointed.connect(pointed.append)
    place = plot._times[0].boxes((Flag(24, ""),))[0][0].center()
    QTest.mouseMove(plot, QPoint(2, 2))
    qtbot.wait(1)
    QTest.mouseMove(plot, place.toPoint())
    qtbot.waitUntil(lambda: bool(pointed) and pointed[-1] is not None)
    assert abs(pointed[-1] - 24) <= 3


def test_labels_in_a_corner_leave_the_flags_in_sight(shown):
    """The accuracy rises to the upper end: its labels stand in the lower corner."""
    plot = of_a_run(MetricPlot)
    shown(plot, 300, 200)
    plot.set_surroundings(Surroundings((Flag(100, "iteration 100: dropout on → off"),)))
    image = plot.grab().toImage()
    ((box, _),) = plot._times[0].boxes(plot.surroundings.flags)
    colors = [image.pixelColor(round(box.center().x()) + 1, round(box.bottom()) - up).getRgb()[:3] for up in range(4, 9)]
    assert colors.count(LIGHT.color("muted").getRgb()[:3]) >= 2


@pytest.mark.parametrize("kind", [GradientNormPlot, UnitSharesPlot])
def test_bars_have_no_axis_of_time(shown, qtbot, kind):
    plot = over_time(kind)
    shown(plot, 420, 300)
    plot.set_surroundings(AROUND)
    plot.grab()
    assert plot._times
    plot.over_time.setChecked(False)
    plot.grab()
    assert not plot._times and plot.flag_at(QPointF(200, 290)) is None


def test_other_branches_have_their_learning_rate(shown, qtbot):
    plot = of_a_run(LearningRatesPlot)
    shown(plot, 420, 300)
    plot.set_surroundings(Surroundings((), (Ghost("branch 2", 1, runs.curves(160, seed=3)),)))
    assert [ghost.name for ghost in plot.chart.ghosts] == ["branch 2"] and plot.chart.x_limits == (0, 160)


@pytest.mark.parametrize("is_down", [False, True])
def test_a_place_on_the_axis_and_the_iteration_there(is_down):
    frame = QRectF(10, 20, 200, 100)
    ends = (frame.top(), frame.bottom()) if is_down else (frame.left(), frame.right())
    axis = TimeAxis(frame, AxisScale(0, 100, *ends), is_down)
    ((box, iteration),) = axis.boxes((Flag(50, "x"), Flag(101, "y")))
    assert iteration == 50 and axis.iteration_at(box.center()) == pytest.approx(50, abs=1)
    assert box.left() == frame.left() if is_down else box.bottom() == frame.bottom()
    assert axis.iteration_at(QPointF(0, 0)) is None and axis.iteration_at(None) is None
    assert axis.told((Flag(50, "one two"),), QPointF(frame.center())) == [("text", "one two")]


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", iterations=40, engine=lent_engine)


def test_one_pointer_and_the_flags_of_a_change_go_through_the_whole_window(qtbot, window):
    run, microscope, card = window.features.run, window.features.step.microscope, window.features.step.chain_rule.history
    window.session.edit("Learning rate", edits.set_value, "training.optimizer.learning_rate", 0.05)
    window.session.training.iterations(10)
    wait(qtbot, lambda: stands_at(window, 50))
    everywhere = (*run.plots.values(), microscope, card)
    wait(qtbot, lambda: all([flag.iteration for flag in plot.surroundings.flags] == [40] for plot in everywhere))
    window.grab()
    QTest.mouseMove(run.bar, run.bar.rect().center())
    wait(qtbot, lambda: run.loss.pointed is not None)
    pointed = run.loss.pointed
    assert 0 < pointed < 50 and all(plot.pointed == pointed for plot in everywhere)
    before = run.bar.grab().toImage()
    QTest.mouseMove(window.features.cards["training"], QPoint(5, 5))
    wait(qtbot, lambda: run.loss.pointed is None)
    QTest.mouseMove(microscope, microscope._times[0].frame.center().toPoint())
    wait(qtbot, lambda: run.loss.pointed is not None)
    assert microscope.pointed is None and run.histograms.pointed == run.loss.pointed == run.bar._pointed
    assert run.bar.grab().toImage() != before
    QTest.mouseMove(window.features.cards["training"], QPoint(5, 5))
    wait(qtbot, lambda: run.bar._pointed is None)
