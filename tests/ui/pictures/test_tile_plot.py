"""Tiles show what the engine sent: every tile its values, the readout the value under the pointer, pale what is older."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPointF, QRectF

from nnviz.records.picture_records import Picture, PictureWish
from nnviz.records.tensors import to_numpy
from nnviz.session.run import RunState
from nnviz.ui.pictures.tile_grid import tile_grid
from nnviz.ui.pictures.tile_instruments import INSTRUMENTS
from nnviz.ui.pictures.tile_plot import TilePlot
from nnviz.ui.theme.colors import DARK, LIGHT
from nnviz.ui.theme.style import apply_theme
from nnviz.ui.widgets.plot_picture import PlotStill, picture
from tests.ui.pictures.conftest import run_of, trained


def plot_of(name: str, run: RunState, names=None) -> TilePlot:
    plot = TilePlot(INSTRUMENTS[name])
    plot.set_names(names or {})
    plot.set_run(run)
    return plot


def test_a_matrix_is_read_row_by_column_and_names_its_iteration(shown):
    at = trained("example:moons")
    plot = plot_of("weight_picture", run_of(at, PictureWish("weights", "h2.weight")), {"h2": "dense 2"})
    shown(plot)
    weight = at.parameters["h2.weight"].detach().numpy()
    assert np.array_equal(plot.tiles[0].values, weight) and plot.heading[2] == "iteration 5"
    assert plot.choice == "dense 2 · weight"
    said = [text for _, text in plot.values_at(0, 1, 2)]
    assert said[:2] == ["dense 2 · weight", "to unit 1 from 2"] and float(said[2].replace("−", "-")) == pytest.approx(
        weight[1, 2], rel=1e-3
    )


def test_the_value_under_the_pointer_is_that_of_the_cell(shown, qtbot):
    at = trained("example:moons")
    plot = plot_of("weight_picture", run_of(at, PictureWish("weights", "h2.weight")))
    shown(plot)
    room = plot._grid(QRectF(plot.rect())).room(0)
    asked = []
    plot.values_at = lambda *place: asked.append(place) or [("text", "")]
    for row, column in ((0, 0), (3, 1), (2, 3)):
        plot.hovered = QPointF(room.left() + (column + 0.5) * room.width() / 4, room.top() + (row + 0.5) * room.height() / 4)
        plot.grab()
    assert set(asked) == {(0, 0, 0), (0, 3, 1), (0, 2, 3)}


def test_columns_without_weight_are_counted_and_every_column_named(shown):
    at = trained("example:wine")
    with torch.no_grad():
        at.parameters["h1.weight"][:, [2, 5]] = 0.0
    plot = plot_of("columns", run_of(at, PictureWish("columns")))
    shown(plot)
    assert plot.instrument.note(plot.view) == "2 of 13 columns without weight"
    assert [text for _, text in plot.values_at(0, 0, 5)][-2:] == [at.data.feature_names[5], "0"]
    plot.grab()


def test_gates_of_a_recurrent_weight_are_named(shown):
    at = trained("template:lstm")
    plot = plot_of("weight_picture", run_of(at, PictureWish("weights", "r.weight_hh_l0")))
    shown(plot)
    assert [plot.values_at(0, row, 0)[1][1] for row in (0, 7, 23)] == [
        "i, to unit 0 from 0",
        "f, to unit 1 from 0",
        "o, to unit 5 from 0",
    ]
    heads = plot_of("weight_picture", run_of(trained("template:encoder"), PictureWish("weights", "e.self_attn.in_proj_weight")))
    shown(heads)
    assert heads.values_at(0, 23, 1)[1][1] == "V, to unit 7 from 1"


def test_maps_of_an_image_stand_beside_the_row_itself(shown):
    at = trained("template:cnn")
    plot = plot_of("feature_maps", run_of(at, PictureWish("maps", "c1", row=4)))
    shown(plot)
    assert plot.tiles[0].is_input and len(plot.tiles) == 7
    assert np.allclose(plot.tiles[0].values, at.data.raw[4].reshape(8, 8), atol=1e-3), "as it was before the scaling"
    assert plot.tiles[0].caption == f"row 4, class {at.data.y[4]}"
    assert plot.values_at(3, 1, 2)[1][1] == "channel 2, [1, 2]"
    assert "row 4" in PlotStill(plot).header()[1] and "iteration 5" in PlotStill(plot).header()[1]


def test_a_sequence_runs_from_left_to_right_and_many_units_make_full_lines(shown):
    at = trained("template:encoder")
    found = run_of(at, PictureWish("maps", "e"))
    plot = plot_of("feature_maps", found)
    shown(plot)
    assert np.array_equal(plot.tiles[0].values, to_numpy(found.pictures["maps"][1].values)[0].T)
    assert plot.values_at(0, 2, 11)[1][1] == "t=11, feature 2"
    units = plot_of("feature_maps", run_of(trained("example:digits"), PictureWish("maps", "h1")))
    shown(units)
    assert units.tiles[-1].values.shape == (8, 8) and units.values_at(1, 2, 3)[1][1] == "unit 19"


def test_maps_over_the_plane_have_the_largest_x2_at_the_top(shown):
    at = trained("example:moons")
    run = run_of(at, PictureWish("units", "h1"))
    plot = plot_of("unit_maps", run)
    shown(plot)
    sent = run.pictures["units"][1]
    assert np.array_equal(plot.tiles[2].values[0], to_numpy(sent.values)[2][-1])
    assert plot.values_at(2, 0, 0)[1][1].startswith("unit 2 at x₁ −") and plot.values_at(2, 31, 0)[1][1].split("x₂ ")[1].startswith("−")


def test_attention_is_scaled_by_head_by_row_or_as_a_whole(shown):
    at = trained("template:encoder")
    plot = plot_of("attention", run_of(at, PictureWish("attention")))
    shown(plot)
    largest = [tile.values.max() for tile in plot.tiles]
    assert [tile.limit for tile in plot.tiles] == pytest.approx(largest)
    plot.scale.choose("common")
    assert {tile.limit for tile in plot.tiles} == {max(tile.limit for tile in plot.tiles)}
    plot.scale.choose("row")
    full = [plot.tiles[0].image.pixelColor(int(row.argmax()), number) for number, row in enumerate(plot.tiles[0].values)]
    assert len({color.name() for color in full}) == 1, "the largest of every row has the full colour"
    assert plot.values_at(0, 3, 5)[1][1] == "head 0: t=3 looks at t=5"


def test_a_scale_is_symmetric_around_zero_and_marks_what_is_not_finite(shown):
    values = np.array([[[-2.0, 0.0, 1.0, np.nan]]])
    from nnviz.engine.observe.measures import array_of

    sent = Picture(PictureWish("weights"), "h.weight", ("h.weight",), array_of(values))
    plot = plot_of("weight_picture", RunState(pictures={"weights": (3, sent)}, iteration=3))
    shown(plot)
    image = plot.tiles[0].image
    assert plot.tiles[0].limit <= 2.0 and image.pixelColor(1, 0).name() == LIGHT.panel.lower()
    assert image.pixelColor(0, 0).name() == LIGHT.negative.lower()
    assert plot.values_at(0, 0, 3)[2][1] == "NaN"


def test_what_is_older_than_where_the_run_stands_is_pale(shown):
    at = trained("example:moons")
    wish = PictureWish("weights")
    plot = plot_of("weight_picture", run_of(at, wish))
    card = shown(plot)
    fresh = card.grab().toImage()
    plot.set_run(run_of(at, wish, stands_at=9))
    pale = card.grab().toImage()
    assert plot.heading[2] == "iteration 5" and pale != fresh and plot._is_old
    middle = plot.mapTo(card, plot._grid(QRectF(plot.rect())).room(0).topLeft().toPoint())
    place = middle.x() + 8, middle.y() + 8
    assert pale.pixelColor(*place).saturation() < fresh.pixelColor(*place).saturation()


def test_another_layer_row_or_channel_is_another_wish(shown):
    at = trained("template:cnn")
    plot = plot_of("weight_picture", run_of(at, PictureWish("weights")))
    shown(plot)
    asked = []
    plot.wish_changed.connect(lambda: asked.append(plot.wish))
    plot.layers.choose("c2.weight")
    assert asked == [PictureWish("weights", "c2.weight")] and plot._is_old, "until it has come"
    plot.set_run(run_of(at, asked[-1]))
    assert not plot._is_old and plot.channels.isVisible()
    plot.channels.choose("2")
    assert asked[-1] == PictureWish("weights", "c2.weight", channel=2)
    plot.set_row(5)
    assert len(asked) == 2, "weights are of no row"


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_without_a_picture_a_sentence_says_why(shown, name):
    plot = plot_of(name, RunState())
    shown(plot)
    assert "appears" in plot.sentence
    sent = Picture(PictureWish(INSTRUMENTS[name].kind), sentence="There is none.")
    plot.set_run(RunState(pictures={INSTRUMENTS[name].kind: (1, sent)}))
    assert plot.sentence == "There is none." and plot.heading[2] == ""


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize(("name", "document", "wish"), [
    ("weight_picture", "template:cnn", PictureWish("weights")),
    ("feature_maps", "template:cnn", PictureWish("maps")),
    ("attention", "template:encoder", PictureWish("attention")),
    ("unit_maps", "example:moons", PictureWish("units")),
    ("columns", "example:selected_columns", PictureWish("columns")),
])  # fmt: skip
def test_it_is_painted_at_every_size_and_copied_in_the_other_theme(shown, name, document, wish, theme, qapp):
    at = trained(document, 2)
    apply_theme(qapp, theme)
    try:
        plot = plot_of(name, run_of(at, wish))
        card = shown(plot)
        for size in ((130, 100), (260, 150), (900, 700)):
            card.resize(*size)
            assert not card.grab().isNull()
        assert picture(plot, DARK if theme is LIGHT else LIGHT).width() > 900
    finally:
        apply_theme(qapp, LIGHT)


@pytest.mark.parametrize(("count", "size"), [(1, (300, 200)), (7, (300, 200)), (64, (500, 90)), (5, (60, 400))])
def test_tiles_lie_in_their_area_and_do_not_touch(count, size):
    area = QRectF(10, 20, *size)
    grid = tile_grid(area, count, 1.0, 14.0)
    rooms = [grid.room(place) for place in range(count)]
    assert all(area.adjusted(-0.01, -0.01, 0.01, 0.01).contains(room) for room in rooms)
    assert not any(one.intersects(other) for place, one in enumerate(rooms) for other in rooms[:place])
    assert all(grid.at(room.center())[0] == place for place, room in enumerate(rooms))
