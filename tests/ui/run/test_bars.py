"""Histograms over time, gradient norms and the optimizer microscope."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt

from nnviz.session.run import RunState, Snapshot
from nnviz.text.names import parameter_title
from nnviz.ui.run._gradient_norm import GradientNormPlot
from nnviz.ui.run._histogram import HistogramPlot, read_off
from nnviz.ui.run.ridgeline import bin_at, common_range, in_time, moments, outline
from nnviz.ui.step._microscope import OptimizerMicroscope
from nnviz.ui.step.update_rows import fitted
from nnviz.ui.theme.colors import LIGHT
from nnviz.ui.widgets.plot_picture import picture
from nnviz.ui.widgets.time_axis import Flag, Surroundings
from tests.ui import runs


def one_layer(values) -> RunState:
    """A run with one layer whose three measures are all of these values."""
    measure = runs.measure(values)
    layer = replace_all(runs.snapshots(1, layers=("h1",))[0].layers[0], measure)
    return RunState(iteration=5, snapshots=(Snapshot(5, (layer,)),))


def replace_all(layer, measure):
    """The layer with this measure for everything."""
    return type(layer)(layer.layer, measure, measure, measure, layer.update_ratio)


# --- histograms -----------------------------------------------------------------------------------------------------


def test_flags_stand_beside_the_ridges_where_time_has_come_to_them(shown, qtbot):
    plot = HistogramPlot()
    shown(plot)
    plot.set_run(runs.run(128))
    before = plot.grab().toImage()
    plot.set_surroundings(Surroundings((Flag(32, "iteration 32: L2 0 → 0.1"), Flag(96, "later"), Flag(700, "out of sight"))))
    assert plot.grab().toImage() != before
    (first, at), (second, _) = plot._times[0].boxes(plot.surroundings.flags)
    assert at == 32
    assert first.center().y() < second.center().y()
    with qtbot.waitSignal(plot.iteration_requested) as asked:
        qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=first.center().toPoint())
    assert asked.args == [32]


def test_many_values_are_a_histogram_with_its_own_bins():
    values = np.random.default_rng(0).normal(0.5, 0.05, 4000)
    measure = runs.measure(values)
    places, heights = outline(measure)
    assert (places[0], places[-1]) == (measure.low, measure.high) == (values.min(), values.max()), "no tail is cut, none is added"
    assert heights.max() == 1 and heights[0] == heights[-1] == 0
    assert heights[1:-1:2] == pytest.approx(np.array(measure.histogram) / max(measure.histogram))


def test_the_outline_of_nothing_is_empty():
    assert outline(runs.measure(np.zeros(8)))[0].size == 0
    assert outline(runs.measure(np.full(8, 0.5)))[1].max() == 1


def test_few_values_are_marks_where_they_are_and_nowhere_else(shown, count_color):
    plot = HistogramPlot()
    shown(plot, 320)
    values = [-0.9, -0.2, 0.0, 0.4, 1.3]
    plot.set_run(one_layer(values))
    image = plot.grab().toImage()
    frame, x, _ = plot.zoom._frame, *plot.zoom._shown
    row = round(frame.bottom()) - 5
    dark = [column for column in range(round(frame.left()), round(frame.right())) if image.pixelColor(column, row).lightness() < 200]
    expected = [float(x(value)) for value in values if value]
    assert all(min(abs(column + 0.5 - place) for place in expected) <= 2 for column in dark)
    assert all(min(abs(column + 0.5 - place) for column in dark) <= 2 for place in expected)
    measure = plot._snapshots[-1].layers[0].weights
    assert read_off(measure, x, expected[2]) == "0.4000, one of 4 values"
    assert read_off(measure, x, (expected[2] + expected[3]) / 2) == "no value here"


def test_rows_are_to_scale_in_time_and_the_newest_is_always_there():
    rows = [(iteration, None) for iteration in (0, 1071, 1352, 1353)]
    placed = in_time(rows, 100.0, 7.0)
    assert [iteration for iteration, _, _ in placed] == [0, 1071, 1353]
    assert [place for _, _, place in placed] == pytest.approx([0, 100 * 1071 / 1353, 100])
    assert in_time([], 100.0, 7.0) == [] and in_time(rows[:1], 100.0, 7.0) == [(0, None, 100.0)]


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
    plot.quantities.choose("gradients")
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


def many_layers(count=50):
    names = tuple(f"layer {place}" for place in range(count))
    return runs.run(snapshots=runs.snapshots(3, layers=names))


def test_all_layers_are_reached_by_the_wheel(shown, turn):
    plot = GradientNormPlot()
    shown(plot, 300, 200)
    plot.set_run(many_layers())
    plot.grab()
    assert plot.bar.isVisible() and plot.bar.maximum() + plot.bar.pageStep() == 50
    for _ in range(20):
        turn(plot, QPointF(50, 50), -120)
    assert plot.bar.value() == plot.bar.maximum()
    plot.hovered = QPointF(50, (plot.bar.pageStep() - 0.5) * 15)
    before = plot.grab().toImage()
    plot.bar.setValue(0)
    assert plot.grab().toImage() != before
    plot.set_run(runs.run())
    assert not plot.bar.isVisible()


def test_a_picture_holds_all_layers(shown):
    plot = GradientNormPlot()
    shown(plot, 300, 200)
    plot.set_run(many_layers())
    height = plot.height()
    assert picture(plot).height() / 2 > 50 * 15 and plot.height() == height


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
