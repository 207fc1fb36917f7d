"""Histograms over time, gradient norms and the optimizer microscope."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from nnviz.session.run import RunState, Snapshot
from nnviz.text.names import parameter_title
from nnviz.ui.run._gradient_norm import GradientNormPlot
from nnviz.ui.run._histogram import HistogramPlot
from nnviz.ui.run._ridgeline import bin_at, common_range, moments, ridge
from nnviz.ui.step._microscope import OptimizerMicroscope
from nnviz.ui.step.update_rows import fitted
from nnviz.ui.theme.colors import LIGHT
from tests.ui import runs


def one_layer(values) -> RunState:
    """A run with one layer whose three measures are all of these values."""
    measure = runs.measure(values)
    layer = replace_all(runs.snapshots(1, layers=("h1",))[0].layers[0], measure)
    return RunState(snapshots=(Snapshot(5, (layer,)),))


def replace_all(layer, measure):
    """The layer with this measure for everything."""
    return type(layer)(layer.layer, measure, measure, measure, layer.update_ratio)


# --- histograms -----------------------------------------------------------------------------------------------------


def test_ridge_stands_where_the_values_are():
    values = np.random.default_rng(0).normal(0.5, 0.05, 4000)
    heights = ridge(runs.measure(values), -1.0, 1.0)
    assert heights.max() == 1
    assert np.linspace(-1, 1, heights.size)[heights.argmax()] == pytest.approx(0.5, abs=0.05)
    assert heights[0] == pytest.approx(0, abs=1e-6)


def test_ridge_of_nothing_is_flat():
    assert not ridge(runs.measure(np.zeros(8)), -1.0, 1.0).any()
    assert ridge(runs.measure(np.full(8, 0.5)), -1.0, 1.0).max() == 1


def test_moments_keep_the_newest_and_stay():
    snapshots = runs.snapshots(40)
    few = [iteration for iteration, _ in moments(snapshots, "h1", "weights", 10)]
    assert few[-1] == snapshots[-1].iteration and len(few) <= 11
    assert moments(snapshots, "gone", "weights", 10) == []
    more = [iteration for iteration, _ in moments(runs.snapshots(39), "h1", "weights", 10)]
    assert more[:-1] == few[:-1]


def test_common_range_surrounds_all_and_is_round():
    low, high = common_range(moments(runs.snapshots(9), "h1", "weights", 20))
    assert low <= min(s.layers[0].weights.low for s in runs.snapshots(9))
    assert high >= max(s.layers[0].weights.high for s in runs.snapshots(9))
    assert common_range([]) == (-1.0, 1.0)


def test_bin_at():
    measure = runs.measure([1.0, 1.1, 2.0], bins=2)
    assert bin_at(measure, 1.2) == (1.0, 1.5, 2)
    assert bin_at(measure, 2.0) == (1.5, 2.0, 1)
    assert bin_at(measure, 3.0) is None


def test_histogram_switches_quantity_and_layer(shown, qtbot, count_color):
    plot = HistogramPlot()
    shown(plot, 320)
    plot.set_run(runs.run())
    assert count_color(plot, LIGHT.color("update")) > 100
    qtbot.mouseClick(plot.switches["gradients"], Qt.MouseButton.LeftButton)
    assert plot.heading[0] == "Gradients over time"
    assert count_color(plot, LIGHT.color("backward")) > 50
    plot.set_names(runs.NAMES)
    plot.set_layer("h3")
    assert plot.layers.text() == "dense 3"
    plot.set_layer("unknown")
    assert plot.layers.key == "h3"


def test_zeros_and_non_finite_values_are_said_apart(shown, qtbot, count_color):
    plot = HistogramPlot()
    shown(plot)
    plot.set_run(one_layer([0.0, 0.0, 1.0, 2.0, np.nan]))
    assert count_color(plot, LIGHT.color("loss"), 40) > 10
    qtbot.mouseMove(plot, QPoint(120, 60))
    plot.grab()
    plot.set_run(one_layer(np.zeros(4)))
    plot.grab()


def test_a_layer_that_is_gone_gives_way_to_the_first(shown):
    plot = HistogramPlot()
    shown(plot)
    plot.set_run(runs.run())
    plot.set_layer("h3")
    plot.set_run(runs.run(snapshots=runs.snapshots(3, layers=("only",))))
    assert plot.layers.key == "only"


# --- gradient norms -------------------------------------------------------------------------------------------------


def test_longer_bars_for_larger_norms(shown):
    plot = GradientNormPlot()
    shown(plot)
    plot.set_run(runs.run())
    image = plot.grab().toImage()
    bar = LIGHT.tint("backward", 0.75).name()
    lengths = []
    for row in range(4):
        y = int((row + 0.5) * (plot.height() - 17) / 4)
        lengths.append(sum(image.pixelColor(x, y).name() == bar for x in range(image.width())))
    assert lengths == sorted(lengths, reverse=True) and lengths[0] > lengths[-1] > 5


def test_norm_values_tell_the_update_ratio(shown):
    plot = GradientNormPlot()
    shown(plot)
    plot.set_run(runs.run())
    texts = [text for _, text in plot.values_of(plot.layers[0])]
    assert "update/weight 0.0012" in texts
    assert plot.heading[2] == "iteration 128"


@pytest.mark.parametrize("values", [np.zeros(4), [np.nan, 1.0], [np.inf]])
def test_zero_and_non_finite_gradients_are_drawn(shown, count_color, values):
    plot = GradientNormPlot()
    shown(plot)
    plot.set_run(one_layer(values))
    assert (count_color(plot, LIGHT.color("loss"), 40) > 20) == (not np.isfinite(values).all())


def test_layers_without_room_are_counted(shown):
    plot = GradientNormPlot()
    shown(plot, 260, 170)
    plot.set_run(runs.run(snapshots=runs.snapshots(1, layers=tuple(f"l{place}" for place in range(60)))))
    plot.grab()
    plot.hovered = plot.rect().center().toPointF()
    plot.grab()


# --- microscope -----------------------------------------------------------------------------------------------------


def test_rows_are_not_computed_before_the_update(shown):
    plot = OptimizerMicroscope()
    shown(plot)
    plot.set_trace_state(runs.state(4), 1, (1, 0))
    assert [row.value for row in plot.rows] == [None] * 6
    before = plot.grab().toImage()
    plot.set_trace_state(runs.state(6), 1, (1, 0))
    assert plot.rows[0].symbol == "g" and plot.rows[0].value == pytest.approx(0.0312 * 1.2)
    assert plot.rows[-1].value == pytest.approx(-0.0094 * 1.2)
    assert plot.grab().toImage() != before
    plot.set_trace_state(runs.state(6), 2)
    assert plot.rows[0].value is None


def test_picker_changes_parameter_and_element(shown, qtbot):
    plot = OptimizerMicroscope()
    shown(plot)
    plot.set_names(runs.NAMES)
    plot.set_trace_state(runs.state())
    assert plot.opener.text() == "dense 1.W[0, 0]"
    with qtbot.waitSignal(plot.element_picked) as picked:
        plot.picker.boxes[0].setValue(3)
    assert picked.args == [1, (3, 0)]
    assert plot.opener.text() == "dense 1.W[3, 0]"
    with qtbot.waitSignal(plot.element_picked) as picked:
        plot.picker.parameters.setCurrentIndex(1)
        plot.picker.parameters.activated.emit(1)
    assert picked.args == [2, (0,)]
    assert plot.opener.text() == "dense 1.b[0]"


def test_choice_survives_the_next_trace(shown):
    plot = OptimizerMicroscope()
    shown(plot)
    plot.set_trace_state(runs.state(), 1, (2, 1))
    plot.set_trace_state(runs.state(iteration=129))
    assert (plot.node, plot.element) == (1, (2, 1))
    plot.set_trace_state(None)
    assert plot.sentence
    plot.grab()


def test_zero_and_non_finite_rows_are_drawn(shown, count_color):
    plot = OptimizerMicroscope()
    shown(plot)
    plot.set_trace_state(runs.state())
    plot.rows = (replace(plot.rows[0], value=0.0), replace(plot.rows[1], value=np.nan))
    assert count_color(plot, LIGHT.color("loss"), 40) > 20


def test_parameter_names_and_elements():
    assert parameter_title("h1.weight", runs.NAMES) == "dense 1.W"
    assert parameter_title("h9.gamma", {}) == "h9.gamma"
    assert fitted((7, 7), (4, 2)) == (3, 1)
    assert fitted((), (4, 2)) == (0, 0)


def test_the_gradient_norm_says_how_gradients_are_clipped_after_it(qtbot):
    plot, layer = GradientNormPlot(), runs.snapshots(3)[-1].layers[0]
    qtbot.addWidget(plot)
    assert not any("clipping" in text for _, text in plot.values_of(layer))
    plot.set_clipping(0.5, 0.1)
    assert ("muted", "before clipping: all together to norm 0.5, every element to 0.1") in plot.values_of(layer)
