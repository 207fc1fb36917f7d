"""Decision boundary, fitted curve, a neuron's map, and the sentence where none of them can be drawn."""

from dataclasses import replace

import numpy as np
import pytest
from msgspec import structs
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor

from nnviz.records.data_record import DataRecord
from nnviz.records.run_records import Surface
from nnviz.records.tensors import to_numpy
from nnviz.session.run import RunState
from nnviz.ui.run._boundary import BoundaryPlot
from nnviz.ui.theme.colors import LIGHT
from nnviz.ui.widgets.surface_image import class_image, value_image, value_limit
from tests.ui import runs


def warmth(rgb) -> int:
    """How much more red than blue."""
    return int(rgb[0]) - int(rgb[2])


def test_rows_run_from_low_to_high_second_feature():
    output = np.zeros((2, 2, 2))
    output[0, :, 0] = 1
    output[1, :, 1] = 1
    image = class_image(LIGHT, output)
    assert warmth(image[0, 0]) > 10 > -10 > warmth(image[1, 0])


def test_paler_where_less_sure():
    output = np.array([[[0.55, 0.45], [0.99, 0.01]]])
    image = class_image(LIGHT, output)
    assert warmth(image[0, 0]) < warmth(image[0, 1])


def test_a_single_output_is_the_probability_of_class_1():
    both = np.array([[[0.2, 0.8], [0.9, 0.1]]])
    assert (class_image(LIGHT, both[..., 1:]) == class_image(LIGHT, both)).all()


def test_non_finite_values_are_hatched():
    values = np.full((8, 8), np.nan)
    image = value_image(LIGHT, values, 1.0)
    seen = {QColor(*rgb).name().upper() for rgb in image.reshape(-1, 3).tolist()}
    assert LIGHT.loss in seen and len(seen) == 2
    assert value_limit(values) == 1.0


def test_shows_surface_and_points(shown, count_color):
    plot = BoundaryPlot()
    shown(plot)
    plot.set_run(runs.run(128))
    assert plot.heading == ("Decision boundary", "Boundary", "iteration 128")
    assert count_color(plot, QColor(LIGHT.classes[0])) > 100
    assert count_color(plot, QColor(LIGHT.classes[1])) > 100


def test_left_is_class_0_and_right_class_1(shown):
    plot = BoundaryPlot()
    shown(plot)
    plot.set_run(runs.run(128))
    image = plot.grab().toImage()
    assert warmth(image.pixelColor(40, 12).getRgb()) > 10
    assert warmth(image.pixelColor(image.width() - 12, image.height() - 30).getRgb()) < -10


def test_points_are_there_before_the_surface(shown, count_color):
    plot = BoundaryPlot()
    shown(plot)
    plot.set_run(RunState(data=runs.moons()))
    assert not plot.sentence
    assert count_color(plot, QColor(LIGHT.classes[0])) > 100


@pytest.mark.parametrize("surface", [runs.line(), None])
def test_one_feature_is_a_curve_with_points(shown, surface):
    plot = BoundaryPlot()
    shown(plot)
    plot.set_run(RunState(data=runs.sine(), surface=surface, surface_iteration=7))
    plot.grab()
    assert plot.heading[0] == "Fitted curve"


def test_one_feature_with_classes(shown):
    x = np.linspace(-1, 1, 20, dtype=np.float32)[:, None]
    data = DataRecord(runs.wire(x), runs.wire((x[:, 0] > 0).astype(np.int64)), runs.wire(np.ones(20, bool)), 2)
    share = np.linspace(0, 1, 50)
    plot = BoundaryPlot()
    shown(plot)
    plot.set_run(RunState(data=data, surface=Surface((-1.0,), (1.0,), runs.wire(np.stack([1 - share, share], 1)))))
    plot.grab()
    assert plot.heading[0] == "Class probabilities"


def test_regression_over_two_features(shown):
    x = np.random.default_rng(0).normal(size=(30, 2))
    data = DataRecord(runs.wire(x), runs.wire(x[:, :1]), runs.wire(np.ones(30, bool)), 0)
    grid = np.linspace(-2, 2, 20)[None, :, None].repeat(20, 0)
    plot = BoundaryPlot()
    shown(plot)
    plot.set_run(RunState(data=data, surface=Surface((-2.0, -2.0), (2.0, 2.0), runs.wire(grid))))
    plot.grab()
    assert plot.heading[0] == "Fitted surface"
    assert plot.heading[2].startswith("±")


def test_other_feature_counts_get_another_view(shown):
    data = DataRecord(runs.wire(np.ones((5, 4))), runs.wire(np.zeros(5, np.int64)), runs.wire(np.ones(5, bool)), 3)
    plot = BoundaryPlot()
    shown(plot)
    plot.set_run(RunState(data=data))
    assert plot.view.key == "confusion" and plot.sentence == "the answers appear once the engine has measured them"
    plot.grab()


def test_a_neurons_map_replaces_the_answer_until_it_is_taken_away(shown):
    plot = BoundaryPlot()
    shown(plot)
    plot.set_run(runs.run())
    answer = plot.grab().toImage()
    plot.set_hover_map(np.linspace(-1, 1, 900).reshape(30, 30), "h1[2]")
    assert plot.heading[0] == "h1[2]" and plot.heading[2].startswith("±")
    assert plot.grab().toImage() != answer
    plot.set_hover_map(None)
    assert plot.grab().toImage() == answer
    plot.set_run(RunState(data=runs.moons()))
    plot.set_hover_map(np.ones((30, 30)))
    plot.grab()


def test_hover_tells_the_likeliest_class(shown, qtbot):
    plot = BoundaryPlot()
    shown(plot)
    plot.set_run(runs.run())
    rows = [text for _, text in plot.values_at(-1.9, 0.0)]
    assert rows[0].startswith("x₁ −1.9") and rows[2].startswith("class 0 ")
    assert [text for _, text in plot.values_at(1.9, 0.0)][2].startswith("class 1 ")
    qtbot.mouseMove(plot, QPoint(100, 60))
    plot.grab()


def test_many_rows_are_thinned(shown):
    plot = BoundaryPlot()
    shown(plot)
    plot.set_run(RunState(data=runs.moons(50_000)))
    assert 1000 <= len(plot.points.x) <= 2000


def test_rows_that_are_not_finite_are_left_out(shown):
    x = np.random.default_rng(0).normal(size=(30, 2))
    x[3], x[4, 1] = np.nan, np.inf
    plot = BoundaryPlot()
    shown(plot)
    plot.set_run(RunState(data=DataRecord(runs.wire(x), runs.wire(np.zeros(30, np.int64)), runs.wire(np.ones(30, bool)), 2)))
    plot.grab()
    assert len(plot.points.x) == 28 and np.isfinite(plot.points.x).all()


@pytest.mark.parametrize("rows", [np.ones((0, 2)), np.full((3, 2), np.nan)])
def test_data_without_finite_rows(shown, rows):
    empty = DataRecord(runs.wire(rows), runs.wire(np.zeros(len(rows), np.int64)), runs.wire(np.ones(len(rows), bool)), 2)
    plot = BoundaryPlot()
    shown(plot)
    plot.set_run(RunState(data=empty))
    plot.grab()
    assert plot.sentence == "the data have no finite rows"


def test_generated_rows_lie_over_those_of_the_data_with_a_key(shown, count_color):
    plain, generated = runs.run(128), to_numpy(runs.moons().x)[:40] + 0.1
    surface = structs.replace(plain.surface, generated=runs.wire(generated))
    plot, without = BoundaryPlot(), BoundaryPlot()
    for one, run in ((plot, replace(plain, surface=surface)), (without, plain)):
        shown(one)
        one.set_run(run)
    drawn = plot._drawn
    assert len(drawn.x) == len(plot.points.x) + 40 and (drawn.x[-40:] == generated).all() and (drawn.y[-40:] == 0).all()
    assert without._drawn is without.points
    assert count_color(plot, QColor(LIGHT.classes[0])) > count_color(without, QColor(LIGHT.classes[0]))
