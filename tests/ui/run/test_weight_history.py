"""The history of a weight in the microscope, and the room it takes below the rows."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF, Qt

from nnviz.records.run_records import WeightHistory
from nnviz.ui.step._microscope import OptimizerMicroscope
from nnviz.ui.step.update_rows import row_boxes
from nnviz.ui.step.weight_history import HIGHEST, is_drawable, spans
from nnviz.ui.theme.colors import LIGHT
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
    plot.set_trace_state(runs.state(), 1, (1, 0))
    assert plot.parameter == "h1.weight"
    without = count_color(plot, LIGHT.color("backward"), 60)
    plot.set_history(history())
    assert count_color(plot, LIGHT.color("backward"), 60) > without + 40
    plot.set_history(history(element=(0, 0)))
    assert count_color(plot, LIGHT.color("backward"), 60) == without, "that is another weight"


def test_the_numbers_of_an_iteration_are_read_under_the_pointer(shown):
    plot = OptimizerMicroscope()
    shown(plot, 378, 260)
    plot.set_trace_state(runs.state(), 1, (1, 0))
    plot.set_history(history())
    before = plot.grab().toImage()
    plot.hovered = QPointF(60, plot.height() - 12)
    assert plot.grab().toImage() != before


@pytest.mark.parametrize("gradients", [np.zeros(40), np.full(40, np.nan), [np.inf, *np.zeros(39)]])
def test_flat_and_non_finite_lines_are_drawn(shown, gradients):
    plot = OptimizerMicroscope()
    shown(plot, 378, 260)
    plot.set_trace_state(runs.state(), 1, (1, 0))
    plot.set_history(history(gradients=gradients))
    assert not plot.grab().isNull()


def test_one_iteration_is_no_line():
    assert not is_drawable(history(1), "h1.weight", (1, 0))
    assert not is_drawable(None, "h1.weight", (1, 0))
    assert is_drawable(history(2), "h1.weight", (1, 0))


@pytest.mark.parametrize("width", [200, 340, 700])
def test_the_plot_grows_to_what_its_rows_and_the_history_need(shown, width):
    plot = OptimizerMicroscope()
    shown(plot, width, 120)
    plot.set_trace_state(runs.state(), 1, (1, 0))
    rows = plot.minimumHeight()
    boxes = row_boxes(QRectF(0, 0, width, rows), plot.rows)
    assert len(boxes) == len(plot.rows) and min(box.height() for box in boxes) >= 13
    assert not any(one.intersects(other) for place, one in enumerate(boxes) for other in boxes[place + 1 :])
    plot.set_history(history())
    assert plot.minimumHeight() >= rows + HIGHEST
    plot.set_history(history(element=(0, 0)))
    assert plot.minimumHeight() == rows, "that is another weight"
    plot.set_trace_state(None)
    assert plot.minimumHeight() == 0


def test_the_picker_opens_inside_the_window_and_whole(shown, qtbot):
    plot = OptimizerMicroscope()
    card = shown(plot, 320, 260)
    plot.set_trace_state(runs.state(), 2, (0,))
    for node, element in ((2, (0,)), (1, (1, 0))):  # of one axis first: the panel grows
        plot.set_trace_state(runs.state(), node, element)
        qtbot.mouseClick(plot.opener, Qt.MouseButton.LeftButton)
        menu = plot.opener.menu
        assert menu.isVisible() and menu.width() >= plot.picker.sizeHint().width()
        assert card.geometry().left() <= menu.geometry().left() and menu.geometry().right() <= card.geometry().right()
        menu.close()


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (-0.0371, 0.0042, ("−0.037 … 0.0042", "−0.037…0.0042", "±0.037")),
        (1.103, 1.124, ("1.103 … 1.124", "1.103…1.124", "±1.1")),
        (0.5, 0.5, ("0.5", "0.5")),
    ],
)
def test_the_range_of_a_line_tells_its_ends_apart(low, high, texts):
    assert spans(low, high) == texts
