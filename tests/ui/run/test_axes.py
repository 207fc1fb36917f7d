"""What pyqtgraph draws: ticks, where things stand, pictures in files; and that it stays away until it is needed."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from nnviz.export import pictures
from nnviz.session.run import Snapshot
from nnviz.ui.run._boundary import BoundaryPlot
from nnviz.ui.run._gradient_norm import GradientNormPlot
from nnviz.ui.run._histogram import HistogramPlot
from nnviz.ui.run._metric import MetricPlot
from nnviz.ui.run.loss_plot import LossPlot
from nnviz.ui.theme.colors import LIGHT
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.scales import AxisScale
from tests.ui import runs

PLOTS_WITH_AXES = (LossPlot, MetricPlot, BoundaryPlot, HistogramPlot, GradientNormPlot)

WAITING = """
import sys
from PySide6.QtWidgets import QApplication
from nnviz.ui.run.loss_plot import LossPlot
from nnviz.ui.shell import main_window
from tests.ui import runs
application = QApplication([])
plot = LossPlot()
plot.grab()
print("pyqtgraph" in sys.modules)
plot.set_run(runs.run())
plot.grab()
print("pyqtgraph" in sys.modules)
"""


def test_pyqtgraph_is_imported_by_the_first_plot_that_has_something_to_draw():
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-W", "error", "-c", WAITING], cwd=root, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "True"], done.stderr


def tick_texts(plot, side: str) -> list[str]:
    """What the axis of a painted plot writes."""
    return [text for _, _, text in text_specs(plot, side)]


def text_specs(plot, side: str) -> list[tuple[QRectF, Qt.AlignmentFlag, str]]:
    """Where, in the axis, it writes it."""
    plot.grab()
    axis = plot.axes._axes[side]
    picture = QImage(1, 1, QImage.Format.Format_RGB32)
    painter = QPainter(picture)
    painter.setFont(axis.style["tickFont"])
    specs = axis.generateDrawSpecs(painter)[2]
    painter.end()
    return specs


def test_both_limits_have_their_ticks(shown):
    plot = MetricPlot()
    shown(plot, 560, 470)
    plot.set_run(runs.run(3000))
    assert tick_texts(plot, "left") == ["40 %", "60 %", "80 %", "100 %"]
    assert tick_texts(plot, "bottom") == ["0", "1k", "2k", "3k"]


class Ruled(Plot):
    """Axes from 0 to 1, up to the sides of the plot."""

    def take(self, *parts) -> None:
        pass

    def paint(self, painter, area) -> None:
        frame = area.adjusted(30, 0, 0, -20)
        x, y = AxisScale(0, 1, frame.left(), frame.right()), AxisScale(0, 1, frame.bottom(), frame.top())
        self.axes.place(painter, LIGHT, frame, x, y)
        for side in ("left", "bottom"):
            self.axes.axis(side)
        self.axes.render(painter)


def test_of_a_level_line_only_its_ends_are_drawn(qapp):
    from nnviz.ui.widgets._axes import _bends

    x, y = np.arange(7.0), np.array([1, 1, 1, 2, 3, 3, 3.0])
    assert [part.tolist() for part in _bends(x, y)] == [[0, 2, 3, 4, 6], [1, 1, 2, 3, 3]]
    assert [part.tolist() for part in _bends(x[:1], y[:1])] == [[0], [1]] and _bends(x[:0], y[:0])[0].size == 0


@pytest.mark.parametrize("side", ["left", "bottom"])
def test_no_text_of_an_axis_is_cut_off(shown, side):
    plot = Ruled("ruled", "")
    shown(plot)
    plot.offer(1)
    specs = text_specs(plot, side)
    origin = plot.axes._axes[side].geometry().topLeft()
    assert [text for _, _, text in specs][-1] == "1"
    assert all(QRectF(plot.rect()).contains(place.translated(origin)) for place, _, _ in specs)


def test_a_logarithmic_axis_names_powers_of_ten(shown):
    plot = LossPlot()
    shown(plot, 560, 470)
    plot.set_run(runs.run())
    plot.log_switch.click()
    assert tick_texts(plot, "left") == ["0.01", "0.1", "1"]


def test_zero_is_a_tick_without_remainder(shown):
    plot = BoundaryPlot()
    shown(plot, 300, 190)
    plot.set_run(runs.run())
    assert tick_texts(plot, "bottom") == ["−2", "−1", "0", "1", "2"]


def test_highest_value_stands_on_its_grid_line(shown):
    """A curve that is 1 throughout covers the line of the tick 1."""
    plot = MetricPlot()
    shown(plot)
    curves = runs.curves(100)
    curves.metric[:] = 1.0
    plot.set_run(runs.run(100, curves=curves))
    image = plot.grab().toImage()
    row = [image.pixelColor(x, y).getRgb()[:3] for y in (6, 7) for x in range(60, 200)]
    line = LIGHT.color("validation_set").getRgb()[:3]
    assert sum(max(abs(one - other) for one, other in zip(pixel, line, strict=True)) < 64 for pixel in row) > 200, "the whole width of it"


@pytest.mark.parametrize("kind", PLOTS_WITH_AXES)
def test_frames_add_no_items(shown, kind):
    plot = kind()
    shown(plot)
    plot.set_run(runs.run(100))
    plot.grab()
    items = len(plot.axes._view.scene().items())
    for iterations in range(101, 106):
        plot.set_run(runs.run(iterations))
        plot.grab()
    assert len(plot.axes._view.scene().items()) == items
    assert not plot.axes._view.isVisible()


@pytest.mark.parametrize("kind", PLOTS_WITH_AXES)
def test_svg_shows_what_the_screen_shows(shown, kind):
    plot = kind()
    shown(plot, 560, 470)
    plot.set_run(runs.run())
    screen = QImage.fromData(pictures.png(plot, LIGHT))
    image = QImage(screen.size(), QImage.Format.Format_RGB32)
    painter = QPainter(image)
    QSvgRenderer(pictures.svg(plot, LIGHT)).render(painter, QRectF(image.rect()))
    painter.end()
    ink, difference = pixels(screen) - 255, pixels(image) - pixels(screen)
    assert np.abs(difference).mean() < 0.15 * np.abs(ink).mean()


def pixels(image: QImage) -> np.ndarray:
    """Return the colours of patches of 8 × 8 pixels: how much is drawn there, not on which half of a pixel."""
    small = image.scaled(image.size() / 8, mode=Qt.TransformationMode.SmoothTransformation).convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(small.constBits(), np.uint8).astype(int)


@pytest.mark.parametrize("width", [130, 160, 200, 320])
def test_texts_of_an_axis_never_touch(shown, width):
    plot = GradientNormPlot()
    shown(plot, width, 190)
    tiny = [
        replace(layer, gradients=replace(layer.gradients, norm=10.0 ** -(2 * place)))
        for place, layer in enumerate(runs.snapshots(1)[0].layers)
    ]
    plot.set_run(runs.run(snapshots=(Snapshot(1, tuple(tiny)),)))
    boxes = [place for place, _, _ in text_specs(plot, "bottom")]
    assert boxes and not any(one.intersects(other) for one, other in pairwise(sorted(boxes, key=QRectF.left)))
