"""Panels that are added to Train: what is measured for them, and that nothing is while they are hidden."""

from __future__ import annotations

import pytest

from nnviz.records.task_records import NoiseTask
from nnviz.ui.shell.command_palette import CommandPalette
from nnviz.ui.shell.layouts import HIDDEN
from tests.ui.window import opened, stands_at, wait

NEEDS = {"ratios": "measures", "units": "functions", "spread": "outputs", "rates": "steps", "curve": "functions", "modes": "modes"}


@pytest.fixture
def window(qtbot, lent_engine):
    for window in opened(qtbot, "moons", 12, lent_engine):
        window.resize(1600, 1000)
        window.features.area.show_workspace("train")
        yield window


def watched(window) -> set[str]:
    return set(window.session.watched.panels)


def test_a_panel_is_added_and_measured_only_while_it_can_be_seen(window, qtbot):
    area, run = window.features.area, window.features.run
    assert not watched(window) & {"outputs", "functions", "modes", "steps", "updates"}
    for panel, need in NEEDS.items():
        window.features.panel_menu.actions[panel].trigger()
        assert panel in area.visible_panels() and need in watched(window)
    window.session.training.iterations(10)
    wait(qtbot, lambda: stands_at(window, 22))
    for panel in NEEDS:
        assert not run.plots[panel].sentence and run.plots[panel].heading[2].startswith("iteration 22"), panel
        assert not run.plots[panel].is_past
    for panel in NEEDS:
        window.features.panel_menu.actions[panel].trigger()
    assert not watched(window) & {"outputs", "functions", "modes", "steps", "updates"}
    assert set(HIDDEN["train"]).isdisjoint(area.visible_panels())


def test_rows_without_a_panel_to_be_seen_take_no_room(window, qtbot):
    area, card = window.features.area, window.features.cards["metric"]
    height = card.height()
    area.set_panel_visible("ratios", True)
    qtbot.waitUntil(lambda: card.height() < height)
    area.set_panel_visible("ratios", False)
    qtbot.waitUntil(lambda: abs(card.height() - height) <= 2)


def test_the_command_palette_adds_panels(window):
    palette = CommandPalette(window.features.panel_menu.actions.values(), window)
    palette.field.setText("show saturated")
    assert palette.list.item(0).text() == "Show saturated and dead units"
    palette.deleteLater()


def test_gradient_noise_is_worked_out_when_asked_for_and_pale_when_the_run_goes_on(window, qtbot):
    window.features.area.set_panel_visible("noise", True)
    plot = window.features.run.noise
    assert "compute" in plot.sentence and plot.button.isEnabled()
    plot.button.click()
    wait(qtbot, lambda: window.session.tasks.state(NoiseTask).is_whole)
    assert plot.noise.batch_size == 32 and plot.heading[2].startswith("iteration 12 · tr Σ/‖g‖²") and not plot.is_past
    assert plot.button.text() == "compute"
    window.session.training.iterations(1)
    wait(qtbot, lambda: stands_at(window, 13))
    assert plot.is_past
    plot.button.click()
    assert plot.button.text() == "cancel"
    plot.button.click()
    wait(qtbot, lambda: window.session.tasks.state(NoiseTask).progress is None)
    assert plot.button.text() == "compute"


def test_a_panel_goes_back_in_time_with_the_run(window, qtbot):
    window.features.area.set_panel_visible("rates", True)
    window.session.training.iterations(5)
    wait(qtbot, lambda: stands_at(window, 17))
    window.session.training.go_to(14)
    wait(qtbot, lambda: stands_at(window, 14))
    plot = window.features.run.rates
    rate = next(curve for curve in plot.chart.curves if curve.label == "η")
    assert rate.x.tolist() == list(range(1, 15)) and set(rate.y.tolist()) == {0.01}
    assert plot.heading[2] == "iteration 14"
