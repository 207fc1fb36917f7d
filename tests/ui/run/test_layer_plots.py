"""Plots of all layers: update ratios, shares of units, outputs at the start and in both modes, learning rates, activation curves."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from msgspec import structs
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication

from nnviz.session.run import Snapshot
from nnviz.ui.run._activation_curve import ActivationCurvePlot
from nnviz.ui.run._gradient_norm import GradientNormPlot
from nnviz.ui.run._histogram import HistogramPlot
from nnviz.ui.run._layer_pairs import MODES, SPREAD, LayerPairsPlot
from nnviz.ui.run._learning_rates import LearningRatesPlot
from nnviz.ui.run._unit_shares import UnitSharesPlot
from nnviz.ui.run._update_ratio import UpdateRatioPlot
from nnviz.ui.run.layer_lines import is_past, layer_curves
from nnviz.ui.run.line_chart import Curve, LineChart, _apart, _nearest
from nnviz.ui.run.ridgeline import common_range, moments
from nnviz.ui.theme.colors import DARK, LIGHT
from nnviz.ui.theme.style import apply_theme
from nnviz.ui.widgets.plot_picture import picture
from nnviz.ui.widgets.readout import line_height
from nnviz.ui.widgets.scales import AxisScale
from tests.ui import runs

MANY = tuple(f"layer {place}" for place in range(30))


def labels(chart: LineChart) -> list[str]:
    return [curve.label for curve in chart.labelled]


# --- curves of layers -----------------------------------------------------------------------------------------------


def test_what_is_not_finite_or_has_no_place_on_a_logarithmic_axis_is_no_point_of_a_curve():
    moments = [(0, {"a": None, "b": 1.0}), (1, {"a": np.inf, "b": 0.0}), (2, {"a": 0.5, "b": np.nan}), (3, {"a": 0.25, "b": 2.0})]
    curves = {curve.label: curve for curve in layer_curves(moments, {"a": "first"}, "update", log=True)}
    assert (curves["first"].x.tolist(), curves["first"].y.tolist()) == ([2, 3], [0.5, 0.25])
    assert (curves["b"].x.tolist(), curves["b"].y.tolist()) == ([0, 3], [1, 2])
    assert layer_curves(moments, {}, "update")[1].y.tolist() == [1, 0, 2]


def test_a_chosen_layer_stands_out_of_the_others(shown):
    plot = UpdateRatioPlot()
    shown(plot)
    plot.set_names(runs.NAMES)
    plot.set_run(runs.run())
    assert labels(plot.chart) == ["dense 1", "dense 2", "dense 3", "output"] and plot.chart.log
    plot.layers.choose("h2")
    assert labels(plot.chart) == ["dense 2"] and sum(curve.pale for curve in plot.chart.curves) == 3 and plot.choice == "dense 2"


def test_the_band_around_a_thousandth_is_drawn_and_said(shown, count_color):
    plot = UpdateRatioPlot()
    card = shown(plot, 700, 400)
    plot.set_run(runs.run())
    low, high = plot.chart.band
    assert low < 1e-3 < high and "10⁻³" in plot.toolTip()
    assert count_color(card, LIGHT.tint("forward", 0.13), 4) > 5000


def test_a_layer_that_does_not_move_is_named(shown):
    plot = UpdateRatioPlot()
    shown(plot)
    snapshots = runs.snapshots(3)
    still = structs.replace(snapshots[-1].layers[0], update_ratio=0.0)
    plot.set_run(runs.run(snapshots=(*snapshots[:-1], replace(snapshots[-1], layers=(still, *snapshots[-1].layers[1:])))))
    assert plot.chart.notes == ("does not move: h1",)


def test_before_the_first_update_there_are_no_ratios(shown):
    plot = UpdateRatioPlot()
    shown(plot)
    layers = tuple(structs.replace(layer, update_ratio=None) for layer in runs.snapshots(1)[0].layers)
    plot.set_run(runs.run(snapshots=(Snapshot(0, layers),)))
    assert plot.chart is None and "first update" in plot.sentence


def test_labels_that_all_lie_above_the_room_are_moved_apart_too():
    assert _apart([10.0, 20.0, 25.0], 14.0, 60.0, 200.0) == [60.0, 74.0, 88.0]
    assert _apart([190.0, 195.0], 14.0, 60.0, 200.0) == [172.0, 186.0]
    assert _apart([], 14.0, 60.0, 200.0) == []


def test_labels_never_collide_however_many_there_are(qapp):
    for count in (2, 10, 30):
        tops = _apart([100.0] * count, line_height(), 0.0, 600.0)
        assert all(later - earlier >= line_height() - 1e-6 for earlier, later in itertools.pairwise(tops))


def test_no_more_values_stand_under_the_pointer_than_there_is_room_for(qapp):
    read = [(Curve.of(str(place), "update", np.arange(2.0), np.array([0.0, float(place)])), 1) for place in range(30)]
    found = _nearest(read, AxisScale(0.0, 29.0, 290.0, 0.0), 290.0 - 10 * 12, 10 * line_height())
    assert [curve.label for curve, _ in found] == [str(place) for place in range(8, 16)]


# --- gradient norms -------------------------------------------------------------------------------------------------


def test_the_norm_that_is_clipped_has_a_row_and_a_line(shown, count_color):
    plot = GradientNormPlot()
    shown(plot, 400, 240)
    plot.set_run(runs.run())
    assert count_color(plot, LIGHT.color("clip"), 60) == 0
    plot.set_clipping(0.05, None)
    norms = [layer.gradients.norm for layer in runs.run().measures]
    assert plot.layers[-1].gradients.norm == pytest.approx(np.linalg.norm(norms), rel=1e-12)
    assert plot.values_of(plot.layers[-1])[0][1] == "all together" and plot.heading[2].endswith("clipped to 0.05")
    assert count_color(plot, LIGHT.color("clip"), 60) > 20


def test_norms_over_time_are_those_of_every_layer(shown):
    plot = GradientNormPlot()
    shown(plot, 500, 300)
    run = runs.run()
    plot.set_run(run)
    plot.over_time.setChecked(True)
    assert labels(plot.chart) == list(runs.LAYERS) and plot.choices.isVisible() and not plot.bar.isVisible()
    assert plot.chart.curves[0].y.tolist() == [one.layers[0].gradients.norm for one in run.snapshots]
    plot.set_clipping(0.05, None)
    assert labels(plot.chart)[-1] == "all together" and plot.chart.level == 0.05
    plot.over_time.setChecked(False)
    assert plot.chart is None and not plot.choices.isVisible()


# --- units ----------------------------------------------------------------------------------------------------------


def test_every_function_has_a_bar_and_the_number_of_its_units(shown, count_color):
    plot = UnitSharesPlot()
    shown(plot, 400, 200)
    plot.set_run(runs.run())
    assert [use.function for _, use in plot.uses] == ["relu", "sigmoid"] * 2
    assert ("loss", "dead: 16 of 64 units are 0 for the whole batch") in plot.values_of(plot.uses[0])
    saturated = [text for _, text in plot.values_of(plot.uses[1])]
    assert "saturated: 21 of 64 values" in saturated and "8 of 64 units are so for the whole batch" in saturated
    assert count_color(plot, LIGHT.tint("loss", 0.8), 4) > 200 and count_color(plot, LIGHT.tint("clip", 0.8), 4) > 200
    plot.over_time.setChecked(True)
    assert plot.chart.curves[0].y == pytest.approx(np.full(9, 0.25)) and plot.chart.curves[1].y == pytest.approx(np.full(9, 21 / 64))


def test_functions_without_a_flat_side_are_no_rows_but_a_sentence(shown):
    plot = UnitSharesPlot()
    shown(plot)
    (snapshot,) = runs.snapshots(1)
    outputs = tuple(structs.replace(made, functions=()) for made in snapshot.outputs)
    plot.set_run(runs.run(snapshots=(replace(snapshot, outputs=outputs),)))
    assert "no layer here" in plot.sentence
    plot.set_run(runs.run(snapshots=()))
    assert "first measured" in plot.sentence


# --- outputs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pair", [SPREAD, MODES], ids=lambda pair: pair.short)
@pytest.mark.parametrize("size", [(160, 100), (260, 170), (900, 560)])
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_pairs_paint_in_every_size_and_theme(shown, pair, size, theme):
    plot = LayerPairsPlot(pair)
    card = shown(plot, *size)
    apply_theme(QApplication.instance(), theme)
    empty = card.grab().toImage()
    plot.set_run(runs.run())
    plot.hovered = QPointF(size[0] / 2, 20)
    assert card.grab().toImage() != empty and plot.heading[2].startswith("iteration 128")
    assert next(text for _, text in plot.values_of(plot.outputs[1])) == "h2"


def test_all_layers_of_a_deep_net_are_in_the_picture_and_reached_by_the_wheel(shown, turn):
    plot = LayerPairsPlot(SPREAD)
    shown(plot, 300, 200)
    plot.set_run(runs.run(snapshots=runs.snapshots(2, layers=MANY)))
    plot.grab()
    assert plot.rows.bar.isVisible() and picture(plot).height() / 2 > 30 * 15
    for _ in range(20):
        turn(plot, QPointF(50, 50), -120)
    assert plot.rows.shown[-1] == 29


# --- learning rates -------------------------------------------------------------------------------------------------


def test_the_rate_is_drawn_of_every_iteration_and_steps_of_the_chosen_layer(shown):
    plot = LearningRatesPlot()
    shown(plot)
    curves = runs.curves(128)
    rates = 0.1 * 0.97 ** np.arange(128)
    run = runs.run(curves=replace(curves, learning_rate=rates))
    plot.set_run(run)
    by_label = {curve.label: curve for curve in plot.chart.curves}
    assert by_label["η"].y.tolist() == rates.tolist() and by_label["η"].x.tolist() == curves.iteration.tolist()
    assert by_label["mean |Δθ|"].y == pytest.approx([1e-3 / (1 + step) for step in range(9)])
    assert by_label["η/(√v̂+ε)"].y.tolist() == [0.1] * 9 and by_label["95 %"].pale
    assert plot.layers.key == "h1"
    plain = tuple(replace(one, steps=tuple(structs.replace(step, rates=()) for step in one.steps)) for one in run.snapshots)
    plot.set_run(replace(run, snapshots=plain))
    assert labels(plot.chart) == ["mean |Δθ|", "η"]


# --- activation curves ----------------------------------------------------------------------------------------------


def test_many_values_are_a_histogram_and_few_are_points_on_the_curve(shown, count_color):
    plot = ActivationCurvePlot()
    card = shown(plot, 400, 300)
    plot.set_run(runs.run())
    assert plot.layers.text() == "h1 · relu" and plot.heading[2] == "iteration 128 · 16 of 64 units dead"
    assert count_color(plot, LIGHT.color("forward"), 8) > 50 and count_color(plot, LIGHT.color("backward"), 8) > 50
    assert count_color(plot, LIGHT.color("positive"), 8) > 20
    plot.layers.choose("h2/0")
    assert plot.heading[2] == "iteration 128 · 33 % saturated"
    assert count_color(card, LIGHT.tint("clip", 0.13), 4) > 500, "the flat sides are tinted"
    (snapshot,) = runs.snapshots(1, units=6)
    plot.set_run(runs.run(snapshots=(replace(snapshot, iteration=128),)))
    assert len(plot.use.z.values) == 6 and count_color(plot, LIGHT.color("positive"), 8) > 6 * 15
    assert ("backward", "f′(z) 0.25") in plot.values_at(0.0)


# --- freshness ------------------------------------------------------------------------------------------------------


def test_what_is_older_than_where_the_run_rests_is_pale(shown, count_color):
    plot = LayerPairsPlot(SPREAD)
    shown(plot)
    run = runs.run()
    plot.set_run(run)
    fresh = plot.grab().toImage()
    plot.set_run(replace(run, training=True, iteration=130))
    assert plot.grab().toImage() == fresh, "while it trains, measures come now and then; the heading says of when"
    plot.set_run(replace(run, iteration=130))
    assert is_past(replace(run, iteration=130), lambda one: one.outputs) and plot.grab().toImage() != fresh
    assert count_color(plot, LIGHT.color("forward"), 4) == 0
    plot.set_run(run)
    assert plot.grab().toImage() == fresh


def test_a_histogram_of_updates_asks_for_them_and_shows_them(shown, qtbot):
    plot = HistogramPlot()
    shown(plot, 320)
    plot.set_run(runs.run())
    assert plot.needs == "measures"
    with qtbot.waitSignal(plot.needs_changed):
        plot.quantities.choose("updates")
    assert plot.needs == "updates" and plot.heading[0] == "Updates over time" and not plot.sentence
    without = tuple(structs.replace(layer, updates=None) for layer in runs.snapshots(1)[0].layers)
    plot.set_run(runs.run(snapshots=(Snapshot(0, without),)))
    assert plot.sentence == "histograms of updates appear with the first measured iteration"


def test_two_layers_stand_beside_each_other_on_one_axis(shown):
    plot = HistogramPlot()
    shown(plot, 320)
    plot.set_run(runs.run())
    ranges = []
    paint_layer = plot._paint_layer
    plot._paint_layer = lambda painter, room, rows, reach: ranges.append((room, reach)) or paint_layer(painter, room, rows, reach)
    first, second = (layer for layer, _ in plot._choices()[:2])
    plot.beside.choose(second)
    plot.renew()
    plot.grab()
    (left, one), (right, other) = ranges[-2:]
    assert one == other and left.right() < right.left() and right.right() <= plot.width()
    assert plot.choice == f"{first} | {second}"
    alone = [common_range(moments(plot._snapshots, layer, "weights", 9)) for layer in (first, second)]
    assert one[0] <= min(low for low, _ in alone) and one[1] >= max(high for _, high in alone)
    plot.set_run(runs.run(snapshots=runs.snapshots(layers=(first,))))
    ranges.clear()
    plot.grab()
    assert len(ranges) == 1 and plot.beside.key == "" and not plot.beside.isVisible()
