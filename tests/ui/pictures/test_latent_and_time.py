"""The latent plane and the bars by time step: places, colours and numbers are those that were sent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from msgspec import structs
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor

from nnviz.document.catalog import DATASETS, new_choice, new_layer
from nnviz.engine.observe.measures import array_of
from nnviz.records.picture_records import PictureWish
from nnviz.records.tensors import to_numpy
from nnviz.ui.pictures._latent_plot import LatentPlot
from nnviz.ui.pictures._time_step_plot import TimeStepPlot
from nnviz.ui.pictures.tile_instruments import INSTRUMENTS
from nnviz.ui.pictures.tile_plot import TilePlot
from nnviz.ui.theme.colors import LIGHT
from tests.engine.experiments import chain, experiment
from tests.ui.pictures.conftest import run_of, trained


def vae(kind: str, features: int):
    network = chain(
        new_layer("input", "x", shape=[features]),
        new_layer("dense", "h1", units=8, activation="tanh"),
        new_layer("gaussian_latent", "z", units=2),
        new_layer("dense", "out", units=features),
    )
    return experiment(network, data=new_choice(DATASETS, kind), loss="mse", target="input")


def latent_of(run) -> LatentPlot:
    plot = LatentPlot()
    plot.set_run(run)
    return plot


def test_rows_of_an_autoencoder_keep_the_colours_of_their_classes(shown):
    at = trained(vae("digits", 64), 3)
    run = run_of(at, PictureWish("latent"))
    plot = latent_of(run)
    shown(plot)
    assert at.data.classes == 0, "it does not learn them"
    labels = to_numpy(run.data.labels)
    assert plot._colors(LIGHT) == [LIGHT.classes[label % len(LIGHT.classes)] for label in labels]
    assert plot.key[3] == (QColor(LIGHT.classes[3]), "class 3")
    across, up, rows = plot._points
    sent = to_numpy(run.pictures["latent"][1].values)
    assert np.allclose(np.stack([across, up], 1), sent) and f"row {rows[9]}, " in plot.values_of(9)[0][1]
    assert plot.values_of(9)[1][1] == f"class {labels[rows[9]]}"


def test_samples_are_pictures_of_images_and_say_their_seed(shown):
    at = trained(vae("digits", 64), 3)
    plot = latent_of(run_of(at, PictureWish("latent", seed=3)))
    shown(plot)
    plot.view.choose("samples")
    assert plot.shows_samples and plot._sample_tiles().shape == (24, 8, 8) and "seed 3" in plot.choice and plot.heading[0] == "Samples"
    asked = []
    plot.wish_changed.connect(lambda: asked.append(plot.wish))
    plot.seed.setValue(8)
    assert asked[-1].seed == 8
    assert not plot.grab().isNull()


def test_a_grid_over_the_plane_is_as_wide_as_it_is_high(shown):
    plot = latent_of(run_of(trained(vae("digits", 64), 3), PictureWish("latent")))
    shown(plot)
    plot.view.choose("grid")
    assert plot._sample_tiles().shape == (64, 8, 8) and plot._sample_grid(QRectF(plot.rect())).columns == 8
    assert not plot.seed.isVisible() and "grid" in plot.choice
    assert not plot.grab().isNull()


def test_samples_of_points_lie_over_the_data(shown):
    at = trained(vae("moons", 2), 3)
    run = run_of(at, PictureWish("latent"))
    plot = latent_of(run)
    shown(plot)
    plot.view.choose("samples")
    across, _, rows = plot._points
    samples = to_numpy(run.pictures["latent"][1].parts["samples"])
    assert (rows < 0).sum() == len(samples) == 300 and np.allclose(across[rows < 0], samples[:, 0])
    assert np.allclose(across[rows >= 0], at.data.x[:, 0])
    assert plot.key[0][1] == "samples" and plot.values_of(len(rows) - 1)[0] == ("update", "sample")


def test_two_units_of_any_layer_span_the_plane(shown):
    at = trained("example:moons", 3)
    plot = latent_of(run_of(at, PictureWish("latent", "h1")))
    shown(plot)
    asked = []
    plot.wish_changed.connect(lambda: asked.append(plot.wish))
    plot.units[0].choose("3")
    assert asked == [PictureWish("latent", units=(3, 1))]
    assert not plot.view.isVisible(), "there are no samples of a layer that is not Gaussian"


def test_points_far_out_do_not_press_all_others_together(shown):
    at = trained("template:autoencoder", 3)
    plot = latent_of(run_of(at, PictureWish("latent")))
    shown(plot)
    plot._points[0][7] = 1e6
    frame, x, y = plot._scales(QRectF(plot.rect()))
    assert x.high < 1e3
    plot.hovered = QPointF(frame.right(), float(y(np.clip(plot._points[1][7], y.low, y.high))))
    assert plot._nearest(x, y) == 7 and "1e6" in plot.values_of(7)[-1][1].replace("e+", "e")


# --- time steps ---


def steps_of(run) -> TimeStepPlot:
    plot = TimeStepPlot()
    plot.set_run(run)
    return plot


def test_bars_are_the_sizes_that_were_sent_and_shares_make_the_whole(shown):
    run = run_of(trained("template:lstm", 4), PictureWish("time"))
    plot = steps_of(run)
    shown(plot)
    sent = to_numpy(run.pictures["time"][1].parts["weight_hh_l0"])
    assert plot.parts.key == "weight_hh_l0" and np.array_equal(plot.values, sent[0]) and plot.heading[2] == "iteration 4"
    plot.measure.choose("share")
    assert plot.values.sum() == pytest.approx(1.0) and not plot.log.isVisible()
    plot.parts.choose("h_l0")
    assert np.array_equal(plot.values, to_numpy(run.pictures["time"][1].parts["h_l0"])[0]) and plot.choice.endswith("state l0")
    assert plot.values_at(11)[1][1].startswith("size") and plot.values_at(11)[2][1] == "1 of the last"


def test_the_axis_is_logarithmic_when_asked_for(shown):
    plot = steps_of(run_of(trained("template:lstm", 4), PictureWish("time")))
    shown(plot)
    plot.log.click()
    scale, frame = plot._scale(QRectF(plot.rect()))
    assert scale.log and scale.low > 0 and frame.top() <= scale(plot.values.max()) <= frame.bottom()
    assert not plot.grab().isNull()


def test_without_a_recurrent_layer_a_sentence_says_so(shown):
    plot = steps_of(run_of(trained("example:moons", 1), PictureWish("time")))
    shown(plot)
    assert plot.sentence == "This network has no recurrent layer." and not plot.parts.isVisible()


# --- what is not finite, and data that has changed ---


def broken(run, kind):
    """The run with nothing but NaN in its picture."""
    iteration, made = run.pictures[kind]
    nan = lambda array: array_of(np.full(array.shape, np.nan))  # noqa: E731
    numbers = {name: nan(array) for name, array in made.parts.items() if name in ("samples", "whole", "weight_hh_l0", "h_l0")}
    changed = structs.replace(made, values=made.values and nan(made.values), parts={**made.parts, **numbers})
    return replace(run, pictures={kind: (iteration, changed)})


@pytest.mark.parametrize("view", ["rows", "samples"])
def test_a_plane_without_a_finite_number_is_painted(shown, view):
    at = trained(vae("digits", 64), 1)
    plot = latent_of(broken(run_of(at, PictureWish("latent")), "latent"))
    shown(plot)
    plot.view.choose(view)
    assert not plot.grab().isNull() and not plot._points[2].size


def test_steps_without_a_finite_number_are_painted(shown):
    plot = steps_of(broken(run_of(trained("template:lstm", 1), PictureWish("time")), "time"))
    shown(plot)
    for part in ("weight_hh_l0", "h_l0"):
        plot.parts.choose(part)
        plot.log.click()
        assert not plot.grab().isNull()
    assert "NaN" in plot.values_at(3)[1][1]


@pytest.mark.parametrize(("panel", "document"), [("weight_picture", "example:moons"), ("attention", "template:encoder")])
def test_tiles_without_a_finite_number_are_hatched(shown, panel, document):
    instrument = INSTRUMENTS[panel]
    plot = TilePlot(instrument)
    plot.set_run(broken(run_of(trained(document, 1), PictureWish(instrument.kind)), instrument.kind))
    shown(plot)
    for key in instrument.scales:
        plot.scale.choose(key)
        assert plot.tiles[0].image.pixelColor(0, 0).name() == LIGHT.loss.lower() and not plot.grab().isNull()


def test_a_row_that_other_data_has_not_is_given_up_for_its_last(shown):
    plot = TilePlot(INSTRUMENTS["feature_maps"])
    plot.row_chosen.connect(plot.set_row)
    plot.set_run(run_of(trained("example:digits", 0), PictureWish("maps")))
    shown(plot)
    plot.row.setValue(1500)
    assert plot.wish.row == 1500
    plot.set_run(run_of(trained("example:iris", 0), PictureWish("maps", row=1500)))
    assert plot.wish.row == 149 == plot.row.value()
