"""Loss and metric: what is drawn, said and read off, and what happens when the loss is no number."""

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtWidgets import QApplication

from nnviz.session.run import RunState
from nnviz.session.run_curves import Curves
from nnviz.ui.run._metric import MetricPlot
from nnviz.ui.run.line_chart import _corner_rows, nearest
from nnviz.ui.run.loss_plot import LossPlot
from nnviz.ui.run.run_tree import Ghost
from nnviz.ui.theme.colors import DARK, LIGHT
from nnviz.ui.theme.style import apply_theme
from nnviz.ui.widgets.time_axis import Flag, Surroundings, wrapped
from tests.ui import runs


def test_loss_shows_both_curves_and_says_its_iteration(shown, count_color):
    plot = LossPlot()
    card = shown(plot)
    plot.set_run(runs.run(128))
    assert plot.heading == ("Loss", "", "iteration 128")
    assert card.accessibleDescription() == "iteration 128"
    assert count_color(plot, LIGHT.color("training_set")) > 100
    assert count_color(plot, LIGHT.color("validation_set")) > 100


def test_loss_says_which_penalties_are_in_both_curves(shown):
    plot = LossPlot()
    shown(plot)
    plot.set_run(runs.run(128))
    assert not any("with" in note for note in plot.chart.notes)
    plot.set_penalties(("KL", "L2"))
    assert plot.chart.notes[-1] == "with KL + L2"


def test_theme_recolours(shown, count_color):
    plot = LossPlot()
    card = shown(plot)
    plot.set_run(runs.run())
    apply_theme(QApplication.instance(), DARK)
    assert count_color(card, DARK.color("panel"), 2) > 10_000
    assert count_color(plot, DARK.color("training_set")) > 100


def test_no_curve_is_drawn_with_more_than_500_points(shown):
    plot = LossPlot()
    shown(plot)
    plot.set_run(runs.run(100_000))
    assert all(curve.drawn[0].size <= 500 for curve in plot.chart.curves)
    assert plot.chart.curves[0].y.size == 100_000


def test_training_curve_stops_where_the_loss_is_not_finite(shown, count_color):
    curves = runs.curves(100)
    broken = curves.loss.copy()
    broken[60:] = np.nan
    plot = LossPlot()
    shown(plot)
    plot.set_run(runs.run(100, curves=replace(curves, loss=broken)))
    assert plot.chart.stopped_at == 61
    assert plot.chart.curves[0].x[-1] == 60
    assert count_color(plot, LIGHT.color("loss")) > 20
    plot.log_switch.click()
    assert plot.chart.stopped_at == 61


def test_a_run_that_is_broken_from_the_start_still_draws(shown):
    nothing = Curves(np.arange(1.0, 4.0), np.array([np.nan, np.inf, np.nan]), *np.full((5, 3), np.nan))
    for plot in (LossPlot(), MetricPlot()):
        shown(plot).grab()
        plot.set_run(RunState(curves=nothing))
        plot.grab()
    assert plot.sentence.startswith("the metric appears")


def test_log_switch_changes_the_axis(shown, qtbot):
    plot = LossPlot()
    shown(plot)
    plot.set_run(runs.run())
    qtbot.mouseClick(plot.log_switch, Qt.MouseButton.LeftButton)
    assert plot.chart.log
    assert plot.chart.y_limits[0] > 0
    plot.grab()


def test_smoothing_draws_the_mean_over_the_pale_raw_curve(shown, qtbot):
    plot = LossPlot()
    shown(plot)
    plot.set_run(runs.run())
    menu = plot.smoothing.menu()
    next(action for action in menu.actions() if action.text() == "mean of 10").trigger()
    menu.deleteLater()
    raw, mean = plot.chart.curves[:2]
    assert raw.pale and not mean.pale
    assert mean.y[50] == np.mean(raw.y[41:51]).round(12) or abs(mean.y[50] - raw.y[41:51].mean()) < 1e-9
    assert plot.smoothing.text() == "mean of 10"


def test_hover_gives_the_values(shown, qtbot):
    plot = LossPlot()
    shown(plot)
    plot.set_run(runs.run())
    before = plot.grab().toImage()
    qtbot.mouseMove(plot, QPoint(60, 40))  # the mouse may be where another test has left it
    qtbot.mouseMove(plot, QPoint(120, 60))
    assert plot.hovered is not None
    assert plot.grab().toImage() != before
    assert nearest(np.array([1.0, 2.0, 4.0]), 2.9) == 1
    assert nearest(np.array([1.0, 2.0, 4.0]), 99.0) == 2


def test_empty_plot_says_so_and_keeps_its_size(shown):
    plot = LossPlot()
    card = shown(plot)
    plot.set_run(RunState())
    size = plot.size()
    assert plot.sentence
    plot.set_run(runs.run())
    assert not plot.sentence
    assert plot.size() == size == card.body.size()


def test_a_new_run_empties_the_plot_again(shown):
    plot = LossPlot()
    shown(plot)
    plot.set_run(runs.run())
    plot.set_run(RunState())
    assert plot.sentence and plot.chart is None


def test_limits_do_not_jump_between_two_frames(shown):
    plot = LossPlot()
    shown(plot)
    limits = set()
    whole = runs.curves(1000)
    for end in range(500, 560):
        plot.set_run(runs.run(1000, curves=Curves(*(column[:end] for column in whole.columns()))))
        limits.add((plot.chart.x_limits, plot.chart.y_limits))
    assert len(limits) <= 2


def test_metric_is_accuracy_for_classes_and_rmse_otherwise(shown):
    plot = MetricPlot()
    shown(plot)
    plot.set_run(runs.run())
    assert plot.heading[0] == "Validation accuracy"
    assert plot.chart.y_limits[1] == 1.0
    plot.set_run(runs.run(data=runs.sine()))
    assert plot.heading[0] == "Validation RMSE"


def test_figures_of_an_earlier_iteration_say_of_which(shown):
    nothing = np.full(5000, np.nan)
    curves = Curves(np.arange(5001.0), np.zeros(5001), np.r_[0.5, nothing], np.r_[0.75, nothing], *np.full((3, 5001), np.nan))
    assert (curves.last("metric"), curves.last_iteration("metric"), curves.last_iteration("loss")) == (0.75, 0, 5000)
    assert Curves(*(column[1:] for column in curves.columns())).last_iteration("metric") is None
    plot = LossPlot()
    shown(plot)
    plot.set_run(runs.run(curves=curves))
    assert [curve.label for curve in plot.chart.labelled] == ["batch", "validation at 0"] and plot.chart.notes == ("accuracy 75.0 % at 0",)
    fresh = Curves(np.arange(2.0), np.zeros(2), np.array([0.5, 0.4]), np.array([0.75, 0.8]), *np.full((3, 2), np.nan))
    plot.set_run(runs.run(curves=fresh))
    assert [curve.label for curve in plot.chart.labelled] == ["batch", "validation"] and plot.chart.notes == ("accuracy 80.0 %",)


def test_large_plots_label_the_ends(shown):
    plot = LossPlot()
    shown(plot, 800, 400)
    plot.set_run(runs.run())
    plot.grab()
    assert [curve.label for curve in plot.chart.labelled] == ["batch", "validation"]


def measured_curves() -> Curves:
    """Ten iterations of batches, the training rows measured at 0 and 10, nothing held out."""
    place, nothing = np.arange(11.0), np.full(11, np.nan)
    rows, right = nothing.copy(), nothing.copy()
    rows[[0, 10]], right[[0, 10]] = (4.0, 0.5), (0.25, 1.0)
    return Curves(place, np.r_[4.0, 4.0, np.linspace(3, 1, 9)], nothing, nothing, rows, right, nothing)


def test_the_batches_begin_with_iteration_1_and_the_training_rows_with_the_start(shown):
    plot = LossPlot()
    shown(plot)
    plot.set_run(runs.run(10, curves=measured_curves()))
    batch, training, validation = plot.chart.curves
    assert (batch.label, batch.x[0], batch.y[0]) == ("batch", 1.0, 4.0) and not validation.x.size
    assert (training.label, training.x.tolist(), training.y.tolist()) == ("training", [0.0, 10.0], [4.0, 0.5])
    assert plot.chart.notes == ("training accuracy 100.0 %",) and not plot.grab().isNull()


def test_where_nothing_is_held_out_the_metric_is_that_of_the_training_rows(shown):
    plot = MetricPlot()
    shown(plot)
    plot.set_run(runs.run(10, curves=measured_curves()))
    assert plot.heading[0] == "Training accuracy" and [curve.label for curve in plot.chart.curves] == ["training"]
    plot.set_run(runs.run(10, curves=replace(measured_curves(), metric=np.full(11, 0.75))))
    assert plot.heading[0] == "Validation accuracy" and [curve.label for curve in plot.chart.curves] == ["training", "validation"]


def test_labels_in_the_corner_leave_curves_in_sight_where_there_is_little_room(shown):
    plot = LossPlot()
    shown(plot)
    plot.set_run(runs.run(128))
    rooms = [QRectF(0, 0, width, height) for width, height in ((300, 200), (300, 40), (100, 40), (30, 200), (300, 20))]
    found = [_corner_rows(plot.chart, room)[0] for room in rooms]
    assert [label for _, label, _ in found[0]] == [*(curve.label for curve in plot.chart.labelled), *plot.chart.notes]
    assert all(_corner_rows(plot.chart, room)[1] <= room.width() for room in rooms)
    labels = [curve.label for curve in plot.chart.labelled]
    assert [label for _, label, _ in found[1]] == labels and [label for _, label, _ in found[2]] == [""] * len(labels)
    assert found[3:] == [[], []]


# --- flags, what lies ahead, other branches ---


def _around(*ghosts, flags=()):
    return Surroundings(tuple(flags), tuple(ghosts))


def test_what_is_known_of_iterations_ahead_is_pale_and_within_the_axis(shown):
    whole = runs.curves(200)
    loss, metric = LossPlot(), MetricPlot()
    for plot, pale in ((loss, 2), (metric, 1)):
        shown(plot)
        plot.set_run(runs.run(80, curves=whole.until(80), ahead=whole.after(80)))
        later = [curve for curve in plot.chart.curves if curve.pale]
        assert len(later) == pale
        assert all(curve.x[0] == 80 and curve.x[-1] == 200 for curve in later)
        assert plot.chart.x_limits == (0, 200)
        assert plot.heading[2] == "iteration 80"
        assert all(curve.x[-1] == 80 for curve in plot.chart.labelled)
    loss.set_run(runs.run(200, curves=whole))
    assert not any(curve.pale for curve in loss.chart.curves)


def test_nothing_is_drawn_ahead_of_a_loss_that_is_not_finite(shown):
    whole = runs.curves(20)
    broken = replace(whole, loss=np.where(whole.iteration > 8, np.nan, whole.loss))
    plot = LossPlot()
    shown(plot)
    plot.set_run(runs.run(10, curves=broken.until(10), ahead=broken.after(10)))
    assert not any(curve.pale for curve in plot.chart.curves)
    plot.set_run(runs.run(6, curves=broken.until(6), ahead=broken.after(6)))
    assert [curve.x[-1] for curve in plot.chart.curves if curve.pale] == [8, 20]


def test_other_branches_are_thin_curves_in_their_colour_with_their_name(shown, count_color):
    plot = LossPlot()
    shown(plot, 500, 300)
    plot.set_run(runs.run(100))
    assert count_color(plot, LIGHT.branch(1, 0.55)) == 0
    plot.set_surroundings(_around(Ghost("branch 2", 1, runs.curves(160, seed=3))))
    (ghost,) = plot.chart.ghosts
    assert ghost.name == "branch 2"
    assert plot.chart.x_limits == (0, 160)
    assert count_color(plot, LIGHT.branch(1, 0.55), 20) > 50
    assert count_color(plot, LIGHT.branch(1), 40) > 5  # its name
    plot.set_surroundings(_around())
    assert plot.chart.ghosts == ()
    assert count_color(plot, LIGHT.branch(1, 0.55)) == 0


def test_a_branch_that_grows_beyond_all_measure_leaves_the_others_in_sight(shown):
    wild = runs.curves(100)
    wild = replace(wild, validation_loss=wild.validation_loss * 1e9)
    plot = LossPlot()
    shown(plot)
    plot.set_run(runs.run(100))
    high = plot.chart.y_limits[1]
    plot.set_surroundings(_around(Ghost("wild", 2, wild)))
    assert plot.chart.y_limits[1] <= 3 * high
    plot.grab()


def test_branches_without_figures_still_draw(shown):
    nothing = Curves(*np.empty((7, 0)))
    unmeasured = replace(runs.curves(5), loss=np.full(5, np.nan), validation_loss=np.full(5, np.nan), metric=np.full(5, np.nan))
    for plot in (LossPlot(), MetricPlot()):
        shown(plot, 500, 300)
        plot.set_surroundings(_around(Ghost("a", 1, nothing), Ghost("b", 2, unmeasured)))
        plot.set_run(runs.run(100))
        plot.grab()
        assert [ghost.x.size for ghost in plot.chart.ghosts] == [0, 0]


def test_flags_stand_at_the_foot_are_told_and_ask_for_their_iteration(shown, qtbot, count_color):
    plot = LossPlot()
    shown(plot, 500, 300)
    plot.set_run(runs.run(100))
    before = count_color(plot, LIGHT.color("muted"), 2)
    plot.set_surroundings(_around(flags=(Flag(40, "iteration 40: dropout on → off"), Flag(700, "out of sight"))))
    assert count_color(plot, LIGHT.color("muted"), 2) > before
    plot.grab()
    ((place, iteration),) = plot._times[0].boxes(plot.surroundings.flags)
    assert iteration == 40
    with qtbot.waitSignal(plot.iteration_requested) as asked:
        qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=place.center().toPoint())
    assert asked.args == [40]
    assert wrapped([plot.surroundings.flags[0].text], 160) == ["iteration 40: dropout", "on → off"]
