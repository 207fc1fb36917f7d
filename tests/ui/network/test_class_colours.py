"""A unit of a class has the colour of its probability, which is what is written beside it, and not of its raw score."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter

from nnviz.text import captions
from nnviz.ui.network.layer_figures import LayerFigures
from nnviz.ui.network.layer_sizes import LayerSize
from nnviz.ui.network.neurons import paint_neurons
from nnviz.ui.theme.colors import LIGHT
from nnviz.ui.widgets.color_scale import color_of


def test_probabilities_of_raw_scores():
    assert captions.shares("cross_entropy", np.array([0.0, 0.0])).tolist() == [0.5, 0.5]
    assert captions.shares("bce", np.array([0.0])).tolist() == [0.5]
    assert captions.shares("mse", np.array([1.0])) is None


@pytest.mark.parametrize("shares", [None, np.array([0.1, 0.9])])
def test_the_circle_has_the_colour_of_what_is_drawn(qapp, shares):
    face = LayerSize(style="neurons", units=2, radius=12.0, pitch=40.0)
    image = QImage(120, 160, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    painter.translate(60, 80)
    scores = np.array([-2.0, 2.0])
    paint_neurons(painter, LIGHT, face, LayerFigures(values=scores, shares=shares), 2.0)
    painter.end()
    for unit in range(2):
        drawn, limit = (scores[unit], 2.0) if shares is None else (shares[unit], 1.0)
        at = image.pixelColor(60, round(80 + face.unit_y(unit) - 9))
        assert at.name() == color_of(LIGHT, float(drawn), limit).name()
