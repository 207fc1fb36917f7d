"""Histograms and curves of a batch: zeros and non-finite numbers counted apart."""

import math

import msgspec
import numpy as np
import pytest

from nnviz.ui.step._batch_pictures import BINS, BatchPictures, Histogram, HistogramPicture, histogram
from nnviz.ui.theme.colors import LIGHT
from tests.ui import traces


def _state(values):
    tape = traces.Tape()
    x = tape.add("input", "x", np.array(values, float))
    trace = tape.record(0.0)
    return traces.state(trace, 1), trace.nodes[x]


def test_zeros_and_bad_numbers_are_counted_apart():
    state, node = _state([0.0, 0.0, 1.0, 2.0, math.nan, math.inf, -1.0, 0.0])
    found = histogram(state, node.value)
    assert found.zeros == 3 / 8 and found.non_finite == 2
    assert sum(found.counts) == 3 and len(found.counts) == BINS
    assert (found.low, found.high) == (-1.0, 2.0)


def test_only_zeros_make_empty_bins():
    state, node = _state([0.0, 0.0])
    assert sum(histogram(state, node.value).counts) == 0


def test_a_measure_brings_its_own_bins():
    state, _ = _state([1.0])
    found = histogram(state, traces.measured(np.array([0.0, 1.0, 2.0, 3.0])))
    assert found.zeros == 0.25 and sum(found.counts) == 3
    assert histogram(state, None) is None


@pytest.fixture
def panel(qtbot):
    panel = BatchPictures()
    qtbot.addWidget(panel)
    panel.resize(300, 122)
    panel.show()
    return panel


def test_an_activation_shows_its_curve_and_other_nodes_their_values(panel):
    trace = traces.dropout_net()
    state = traces.state(trace, len(trace.steps))
    panel.set_trace_state(state, traces.node(trace, "relu"))
    assert panel.curve.isVisible() and not panel.values.isVisible()
    panel.set_trace_state(state, traces.node(trace, "linear"))
    assert panel.values.isVisible() and not panel.curve.isVisible()
    assert panel.gradients.caption.startswith("∂L/∂z")


def test_every_pair_lies_on_the_curve(panel):
    trace = traces.dropout_net()
    panel.set_trace_state(traces.state(trace, len(trace.steps)), traces.node(trace, "relu"))
    dots = panel.curve._dots
    assert len(dots) == 32 and np.allclose(np.maximum(dots[:, 0], 0), dots[:, 1])


def test_what_is_not_computed_is_said_and_not_drawn(panel):
    trace = traces.dropout_net()
    panel.set_trace_state(traces.state(trace, 2), traces.node(trace, "linear"))
    assert panel.gradients.caption == "∂L/∂z · not yet"
    color = LIGHT.tint("backward", 0.75).name()
    image = panel.gradients.grab().toImage()
    assert all(image.pixelColor(x, y).name() != color for x in range(0, image.width(), 2) for y in range(0, image.height(), 2))


def test_single_numbers_are_no_distribution(panel):
    trace = traces.dropout_net()
    assert not panel.set_trace_state(traces.state(trace, len(trace.steps)), len(trace.nodes) - 1)
    assert not panel.isVisible()


def test_bad_numbers_in_an_activation_do_no_harm(panel):
    trace = traces.dropout_net()
    relu = traces.node(trace, "relu")
    bad = msgspec.structs.replace(trace.nodes[relu], value=traces.tensor(np.full((8, 4), math.nan)))
    trace = msgspec.structs.replace(trace, nodes=(*trace.nodes[:relu], bad, *trace.nodes[relu + 1 :]))
    panel.set_trace_state(traces.state(trace, len(trace.steps)), relu)
    assert not panel.grab().isNull()


def test_the_caption_of_a_histogram_fits_its_picture(qtbot):
    picture = HistogramPicture()
    qtbot.addWidget(picture)
    picture.resize(140, 122)
    picture.set_histogram(Histogram((1,) * 14, -1.0, 1.0, 0.22, 0), "∂L/∂a", "backward")
    assert picture.fontMetrics().horizontalAdvance(picture.caption) <= 150 and picture.caption == "∂L/∂a · 22 % zeros"
    assert "not drawn" in picture.toolTip()
