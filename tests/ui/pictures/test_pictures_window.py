"""Pictures as panels of the real window: added and hidden again, made only while they can be seen, pinned to a layer, of one row."""

from __future__ import annotations

import numpy as np
import pytest

from nnviz.records.picture_records import PictureWish
from nnviz.records.tensors import to_numpy
from nnviz.ui.shell.layouts import HIDDEN, WORKSPACES
from tests.ui.window import opened, stands_at, wait


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", 4, lent_engine)


def sent_wishes(window) -> tuple[PictureWish, ...]:
    return window.session.watched._watch.pictures


def test_pictures_are_made_only_for_panels_that_can_be_seen(window, qtbot):
    area, pictures = window.features.area, window.features.pictures
    assert HIDDEN["train"] >= set(pictures.cards) and not sent_wishes(window)
    area.show_workspace("train")
    assert not sent_wishes(window) and not window.session.run.pictures
    window.features.panel_menu.actions["unit_maps"].trigger()
    assert sent_wishes(window) == (PictureWish("units"),)
    wait(qtbot, lambda: bool(pictures.tiles["unit_maps"].tiles))
    assert pictures.tiles["unit_maps"].heading[2] == "iteration 4" and not window.session.run.pictures.keys() - {"units"}
    area.show_workspace("build")
    assert not sent_wishes(window)
    area.show_workspace("train")
    window.features.panel_menu.actions["unit_maps"].trigger()
    assert not sent_wishes(window) and not pictures.cards["unit_maps"].isVisible()


def test_a_row_of_hidden_panels_takes_no_room(window, qtbot):
    area, cards = window.features.area, window.features.cards
    area.show_workspace("train")
    before = cards["metric"].geometry().bottom() + cards["metric"].parentWidget().y()
    area.set_panel_visible("latent", True)
    assert cards["latent"].height() > 80 and cards["metric"].geometry().bottom() + cards["metric"].parentWidget().y() < before
    area.set_panel_visible("latent", False)
    assert cards["metric"].geometry().bottom() + cards["metric"].parentWidget().y() == before


def test_a_picture_follows_the_run_and_stays_with_its_layer(window, qtbot):
    area, plot = window.features.area, window.features.pictures.tiles["weight_picture"]
    area.show_workspace("train")
    area.set_panel_visible("weight_picture", True)
    wait(qtbot, lambda: bool(plot.tiles))
    plot.layers.choose("h2.weight")
    wait(qtbot, lambda: plot.view is not None and plot.view.picture.layer == "h2.weight")
    before = np.array(plot.tiles[0].values)
    window.session.training.iterations(5)
    wait(qtbot, lambda: stands_at(window, 9) and plot.heading[2] == "iteration 9")
    assert plot.view.picture.layer == "h2.weight" and not np.array_equal(plot.tiles[0].values, before)
    window.session.training.go_to(4)
    wait(qtbot, lambda: stands_at(window, 4) and plot.heading[2] == "iteration 4")
    assert np.array_equal(plot.tiles[0].values, before)


def test_a_row_of_the_matrix_is_shown_in_all_pictures_of_a_row(window, qtbot):
    area, pictures = window.features.area, window.features.pictures
    area.show_workspace("train")
    for panel in ("confusion", "feature_maps"):
        area.set_panel_visible(panel, True)
    wait(qtbot, lambda: pictures.confusion.answers is not None and bool(pictures.tiles["feature_maps"].tiles))
    row = int(pictures.confusion.answers.rows[pictures.confusion.answers.of_cell(0, 0)[0]])
    pictures.confusion.row_chosen.emit(row)
    wait(qtbot, lambda: pictures.tiles["feature_maps"].view.picture.wish.row == row)
    assert pictures.tiles["feature_maps"].row.value() == row == pictures.tiles["attention"].wish.row
    values = to_numpy(window.session.run.pictures["maps"][1].values)
    assert values.shape == (1, 1, 4)


@pytest.mark.parametrize("workspace", ["step", "train"])
def test_every_picture_can_be_enlarged(window, qtbot, workspace):
    area = window.features.area
    area.show_workspace(workspace)
    for panel in window.features.pictures.cards:
        assert panel in WORKSPACES[workspace].panels()
        area.set_panel_visible(panel, True)
        window.features.cards[panel].enlarge_requested.emit()
        assert area.visible_panels() == (panel,)
        area.leave_enlarged()
        area.set_panel_visible(panel, False)
