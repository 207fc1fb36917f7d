"""The history of a weight in the microscope, and its rows in two columns."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF

from nnviz.protocol import WeightHistory
from nnviz.ui.plots import OptimizerMicroscope
from nnviz.ui.plots.update_rows import row_boxes
from nnviz.ui.plots.weight_history import is_drawable
from nnviz.ui.theme import LIGHT
from tests.ui import runs


def history(count: int = 40, element=(1, 0), gradients=None) -> WeightHistory:
    numbers = np.sin(np.arange(count) / 5)
    felt = numbers if gradients is None else np.asarray(gradients, float)
    return WeightHistory(
        "h1.weight", element, runs.wire(np.arange(1, count + 1)), runs.wire(numbers), runs.wire(felt), runs.wire(numbers / 9)
    )


def test_it_is_drawn_below_the_rows_of_the_same_weight(shown, count_color):
    plot = OptimizerMicroscope()
    shown(plot, 378, 196)
    plot.set_moment(runs.moment(), 1, (1, 0))
    assert plot.parameter == "h1.weight"
    without = count_color(plot, LIGHT.color("backward"), 60)
    plot.set_history(history())
    assert count_color(plot, LIGHT.color("backward"), 60) > without + 40
    plot.set_history(history(element=(0, 0)))
    assert count_color(plot, LIGHT.color("backward"), 60) == without, "that is another weight"


def test_the_numbers_of_an_iteration_are_read_under_the_pointer(shown):
    plot = OptimizerMicroscope()
    shown(plot, 378, 260)
    plot.set_moment(runs.moment(), 1, (1, 0))
    plot.set_history(history())
    before = plot.grab().toImage()
    plot.hovered = QPointF(60, plot.height() - 12)
    assert plot.grab().toImage() != before


@pytest.mark.parametrize("gradients", [np.zeros(40), np.full(40, np.nan), [np.inf, *np.zeros(39)]])
def test_flat_and_non_finite_lines_are_drawn(shown, gradients):
    plot = OptimizerMicroscope()
    shown(plot, 378, 260)
    plot.set_moment(runs.moment(), 1, (1, 0))
    plot.set_history(history(gradients=gradients))
    assert not plot.grab().isNull()


def test_one_iteration_is_no_line():
    assert not is_drawable(history(1), "h1.weight", (1, 0))
    assert not is_drawable(None, "h1.weight", (1, 0))
    assert is_drawable(history(2), "h1.weight", (1, 0))


def test_rows_stand_in_two_columns_where_one_would_be_unreadable():
    area = QRectF(0, 0, 350, 150)
    assert {box.left() for box in row_boxes(area, 8)} == {0.0}
    two = row_boxes(area, 15)
    assert len(two) == 15 and len({box.left() for box in two}) == 2
    assert min(box.height() for box in two) >= 14
    assert all(area.contains(box) for box in two)
    assert not any(one.intersects(other) for place, one in enumerate(two) for other in two[place + 1 :])
    assert row_boxes(area, 0) == []
