"""Landscape, curvature and range test in the window, with clicks and the engine as it is, on two moons."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from nnviz.document import edits
from nnviz.document.run_log import RunLog
from nnviz.records.task_records import (
    BaselinesTask,
    BatchCostTask,
    CurvatureTask,
    DistancesTask,
    NoiseTask,
    PlaneTask,
    RangeTestTask,
    WeightPlace,
)
from tests.ui.window import opened, stands_at, wait

ITERATIONS = 60


@pytest.fixture
def window(qtbot, lent_engine):
    for window in opened(qtbot, "moons", ITERATIONS, lent_engine):
        window.features.area.show_workspace("train")
        yield window


def shown(window, name):
    """The panel, brought up from the menu."""
    window.features.panel_menu.actions[name].trigger()
    assert window.is_visible(name)
    return window.features.landscape.panels[name]


def press(panel) -> None:
    QTest.mouseClick(panel.strip.button, Qt.MouseButton.LeftButton)


def computed(qtbot, window, name, kind):
    """The panel once all is there that was asked for with its button."""
    panel = shown(window, name) if not window.is_visible(name) else window.features.landscape.panels[name]
    press(panel)
    wait(qtbot, lambda: window.session.tasks.state(kind).progress is None)
    assert not window.session.tasks.state(kind).failure, window.session.tasks.state(kind).failure
    return panel


def test_panels_are_hidden_until_they_are_asked_for_and_cost_nothing(window):
    for name, panel in window.features.landscape.panels.items():
        assert name in window.features.area.panels() and not window.is_visible(name)
        assert not panel.strip.text and panel.plot.heading[2] == ""


def test_a_landscape_of_the_path_with_its_branch(qtbot, window):
    session, plot = window.session, window.features.landscape.landscape
    session.training.go_to(0)
    wait(qtbot, lambda: session.run.iteration == 0 and session.run.target is None)
    session.edit("Optimizer", edits.choose_optimizer, "sgd")
    wait(qtbot, lambda: session.link.is_up_to_date)
    session.training.iterations(ITERATIONS)
    wait(qtbot, lambda: stands_at(window, ITERATIONS))
    panel = computed(qtbot, window, "landscape", PlaneTask)
    assert [path.name for path in plot.shown.paths] == ["branch 2", "main"] and plot.shown.shares is not None
    assert plot.shown.loss == pytest.approx(session.run.curves.last("training_loss"), rel=1e-6)
    assert plot.shown.field.losses.shape == (41, 41) and plot.heading[2] == f"iteration {ITERATIONS}"
    own = plot.shown.paths[0]
    assert own.iterations[-1] == ITERATIONS and np.abs(own.points[-1]).max() < 1e-6 and own.losses[-1] == plot.shown.loss
    assert "random walk" in " ".join(plot.shown.footers) and not plot.is_past and panel.strip.button.text() == "again"
    window.grab()
    plot.view.choose("surface")
    window.grab()


def test_a_branch_with_other_parameters_is_named_with_the_reason(qtbot, window):
    session, feature = window.session, window.features.landscape
    wide = edits.change_layer(session.experiment, "h1", units=9)
    session.branches.add([("wide", RunLog(wide)), ("same", RunLog(session.experiment))])
    panel = shown(window, "landscape")
    said = "without wide: its dense 1.W is 9×2, not 4×2"
    assert panel.strip.text.endswith(said) and [run.name for run in panel.task().others] == ["same"]
    computed(qtbot, window, "landscape", PlaneTask)
    assert said in feature.landscape.shown.footers and [path.name for path in feature.landscape.shown.paths] == ["main", "same"]
    feature.settings.others.setChecked(False)
    assert said not in feature.landscape.shown.footers and "wide" not in panel.strip.text
    session.branches.remove("wide")


def test_a_result_of_an_earlier_iteration_is_pale_and_is_renewed(qtbot, window):
    session, plot = window.session, window.features.landscape.landscape
    window.features.landscape.settings.plane.choose("random")
    panel = computed(qtbot, window, "landscape", PlaneTask)
    assert not plot.is_past and session.tasks.is_present(PlaneTask)
    session.training.iterations(5)
    wait(qtbot, lambda: stands_at(window, ITERATIONS + 5))
    assert (
        plot.is_past
        and panel.strip.text == f"iteration {ITERATIONS}; now {ITERATIONS + 5}"
        and plot.heading[2] == f"iteration {ITERATIONS}"
    )
    computed(qtbot, window, "landscape", PlaneTask)
    assert not plot.is_past and plot.heading[2] == f"iteration {ITERATIONS + 5}"
    window.features.landscape.settings.seed.setValue(7)
    assert plot.is_past and "other settings" in panel.strip.text


def test_a_plane_of_two_weights_shows_their_values(qtbot, window):
    feature = window.features.landscape
    feature.settings.plane.choose("weights")
    parameters = feature.settings.pickers[1].parameters
    parameters.setCurrentIndex(1)
    parameters.activated.emit(1)
    assert feature.settings.task(()).weights == (WeightPlace("h1.weight", (0, 0)), WeightPlace("h1.bias", (0,)))
    computed(qtbot, window, "landscape", PlaneTask)
    shown_plane, plot = feature.landscape.shown, feature.landscape
    assert shown_plane.axis_names == ("dense 1.W [0, 0]", "dense 1.b [0]") and shown_plane.centre != (0.0, 0.0)
    assert shown_plane.field.at(*shown_plane.centre) == pytest.approx(shown_plane.loss)
    window.features.area.enlarge("landscape")
    plot.grab()
    QTest.mouseMove(plot, plot.rect().center())
    assert [text.split(" ")[0] for _, text in shown_plane.values_at(*shown_plane.centre)] == ["dense", "dense", "loss"]
    plot.view.choose("surface")
    before = plot.side
    QTest.mousePress(plot, Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    QTest.mouseMove(plot, QPoint(260, 230))
    QTest.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=QPoint(260, 230))
    assert plot.side.turn > before.turn and plot.side.down > before.down
    QTest.mouseDClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    assert plot.side == before


def test_it_is_cancelled_and_what_was_found_stays(qtbot, window):
    feature, tasks = window.features.landscape, window.session.tasks
    feature.settings.plane.choose("random")
    feature.settings.size.setCurrentIndex(2)
    feature.settings.size.activated.emit(2)
    panel = shown(window, "landscape")
    press(panel)
    assert panel.strip.button.text() == "cancel"
    wait(qtbot, lambda: tasks.state(PlaneTask).result is not None)
    press(panel)
    wait(qtbot, lambda: tasks.state(PlaneTask).progress is None)
    assert not tasks.state(PlaneTask).is_whole and feature.landscape.shown is not None
    assert "cancelled" in panel.strip.text and panel.strip.button.text() == "again"
    window.session.training.iterations(1)
    wait(qtbot, lambda: stands_at(window, ITERATIONS + 1))


def test_why_it_cannot_be_computed_stands_in_place_of_the_picture(qtbot, window):
    session = window.session
    session.branches.start_over()
    wait(qtbot, lambda: session.run.iteration == 0 and session.run.target is None and session.link.is_up_to_date)
    panel = shown(window, "landscape")
    press(panel)
    wait(qtbot, lambda: bool(session.tasks.state(PlaneTask).failure))
    assert "have not moved" in panel.plot.sentence and "could not" in panel.strip.text


def test_curvature_and_noise(qtbot, window):
    feature = window.features.landscape
    panel = shown(window, "curvature")
    assert panel.strip.text.startswith("42 weights: a Hessian of P² = 1,764"), "the cost is told before"
    computed(qtbot, window, "curvature", CurvatureTask)
    found = feature.curvature.found
    assert found.eigenvalues.shape == (42,) and feature.curvature.sections[0].head == "Stability"
    assert found.newton is not None and found.stability.optimizer == "adam"
    window.features.area.enlarge("curvature")
    feature.curvature.grab()
    feature.curvature.log_switch.click()
    feature.curvature.grab()
    assert window.session.tasks.ask(NoiseTask())
    wait(qtbot, lambda: window.session.tasks.state(NoiseTask).progress is None)
    assert feature.curvature.sections[-1].head == "Gradient noise", "of the same moment"
    feature.curvature.grab()


def test_a_rate_of_the_range_test_is_used_and_taken_back(qtbot, window):
    session, feature = window.session, window.features.landscape
    before = session.experiment
    panel = computed(qtbot, window, "range_test", RangeTestTask)
    plot = feature.range_test
    assert session.experiment is before and session.run.iteration == ITERATIONS and plot.found.low <= plot.rate <= plot.found.high * 1.05
    window.features.area.enlarge("range_test")
    plot.grab()
    QTest.mouseClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(plot.width() // 2, plot.height() // 2))
    assert plot.rate == pytest.approx(0.01, rel=0.5) and str(plot.rate) in feature.use_rate.text().replace("−", "-")
    assert any("loss" in text for _, text in plot.values_at(plot.rate))
    chosen = plot.rate
    QTest.mouseClick(feature.use_rate, Qt.MouseButton.LeftButton)
    assert session.experiment.training.optimizer["learning_rate"] == chosen
    wait(qtbot, lambda: session.link.is_up_to_date)
    assert plot.is_past and "changed since" in panel.strip.text
    session.undo_order.undo()
    assert session.experiment.training.optimizer["learning_rate"] == before.training.optimizer["learning_rate"]


def test_hovering_a_path_reads_its_point(qtbot, window):
    computed(qtbot, window, "landscape", PlaneTask)
    window.features.area.enlarge("landscape")
    plot = window.features.landscape.landscape
    path = plot.shown.paths[0]
    assert plot.shown.values_of(path, len(path.iterations) - 1)[0] == ("text", f"iteration {ITERATIONS}")
    plot.hovered = QPointF(plot.rect().center())
    assert not plot.grab().isNull() and math.isfinite(plot.shown.loss)


def test_baselines_stand_beside_the_net(qtbot, window):
    panel = computed(qtbot, window, "baselines", BaselinesTask)
    plot = window.features.landscape.baselines
    names = [model.name for model in plot.found.models]
    assert names == ["this net", "same answer", "logistic regression", "nearest neighbours", "random forest", "gradient boosting"]
    figures = window.features.run.figures()
    assert plot.cells(plot.found.models[0])[1:] == (figures.score, "42 parameters", "–") and plot.heading[2] == f"iteration {ITERATIONS}"
    assert panel.strip.text.startswith("best validation accuracy: ") and plot.best.validation == max(
        m.validation for m in plot.found.models
    )
    assert any(note.startswith("without thinned nets: no layer drops units") for note in plot.notes)
    for view in ("pictures", "averages", "scores"):
        plot.view.choose(view)
        assert not plot.sentence
        window.grab()
    assert plot.values_at(1)[1][1].startswith("random forest ")
    window.session.training.iterations(1)
    wait(qtbot, lambda: stands_at(window, ITERATIONS + 1))
    assert plot.is_past and panel.strip.text == f"iteration {ITERATIONS}; now {ITERATIONS + 1}"


def test_baselines_can_be_left_and_what_was_found_stays(qtbot, window):
    panel = shown(window, "baselines")
    press(panel)
    tasks = window.session.tasks
    wait(qtbot, lambda: tasks.state(BaselinesTask).result is not None)
    press(panel)
    wait(qtbot, lambda: tasks.state(BaselinesTask).progress is None)
    assert 1 <= len(tasks.state(BaselinesTask).result.models) < 6 and not tasks.state(BaselinesTask).is_whole
    assert panel.strip.text == "cancelled: what was found until then"


def test_distances_are_of_the_data_and_stay_while_the_run_goes_on(qtbot, window):
    panel = computed(qtbot, window, "distances", DistancesTask)
    plot = window.features.landscape.distances
    assert plot.heading[2] == "300 rows, 2 columns" and plot.added.key == "0" and not plot.is_past
    alone = plot.said(plot.place)
    plot.added.choose("1024")
    window.grab()
    assert plot.place == 11 and plot.said(11).startswith("farthest / nearest 1.") and plot.said(11) != alone and "accuracy" in alone
    assert plot.values_of(11)[0] == ("text", "1,026 columns")
    window.session.training.iterations(1)
    wait(qtbot, lambda: stands_at(window, ITERATIONS + 1))
    assert not plot.is_past
    window.session.edit("Noise", edits.set_value, "data.noise", 0.3, "noise")
    wait(qtbot, lambda: window.session.link.is_up_to_date)
    assert plot.is_past and ("changed since" in panel.strip.text or "now" in panel.strip.text)


def test_what_an_epoch_costs_by_batch_size(qtbot, window):
    computed(qtbot, window, "batch_costs", BatchCostTask)
    plot = window.features.landscape.costs
    table = plot.table
    assert [row[0] for row in table.rows] == ["1 row", "4 rows", "16 rows", "32 rows", "64 rows", "256 rows", "350 rows, all"]
    assert table.present == 3 and table.rows[3][1] == "11" and table.rows[0][4] == "44 bytes"
    window.grab()
