"""What is painted of a large layer."""

import numpy as np
from PySide6.QtGui import QColor, QImage, QPainter

from nnviz.ui.network.blocks import paint_block
from nnviz.ui.network.layer_figures import LayerFigures
from nnviz.ui.network.layer_sizes import layer_size
from nnviz.ui.theme.colors import LIGHT
from tests.ui.network.networks import experiment, layer


def row_of_colours(shape):
    """The colours across the middle of the upper maps of a layer whose values are all 0."""
    document = experiment(layer("input", "x", shape=list(shape)), layer("flatten", "f"))
    shown = layer_size(document.network.layer("x"), shape, document)
    width, height = (round(size) for size in shown.block)
    image = QImage(width, height, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    painter.translate(width / 2, height / 2)
    paint_block(painter, LIGHT, shown, LayerFigures(values=np.zeros(shown.units)), 1.0)
    painter.end()
    rows, across = shown.grid[0] // shown.tile[0], shown.grid[1] // shown.tile[1]
    y = round(height / rows / 2)
    return [image.pixelColor(x, y) for x in range(6, width - 6)], width, across


def test_lines_part_the_maps_of_channels():
    colours, width, across = row_of_colours((6, 8, 8))
    zero = LIGHT.diverging(0.0, 1.0)
    darker = [x + 6 for x, colour in enumerate(colours) if QColor(colour).lightness() < zero.lightness() - 5]
    assert across > 1 and len({round(x * across / width) for x in darker}) == across - 1
    assert all(abs(x - width * round(x * across / width) / across) <= 2 for x in darker)


def test_one_map_has_no_lines_in_it():
    colours, _, _ = row_of_colours((1, 8, 8))
    assert len({colour.name() for colour in colours}) == 1
