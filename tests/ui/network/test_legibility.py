"""What can be read on the network picture: numbers in circles, long nets, pictures with a scale of their own, scales that hold still."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnviz.document.experiment import Experiment
from nnviz.document.shapes.report import examine
from nnviz.document.store.examples import open_document
from nnviz.engine.data.datasets import load
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.trace_records import to_record
from nnviz.engine.run.trainer import Trainer
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_state import TraceState
from nnviz.text import captions
from nnviz.ui.network import neurons
from nnviz.ui.network.blocks import grey_image, span
from nnviz.ui.network.layer_figures import figures
from nnviz.ui.theme.colors import LIGHT
from tests.engine.experiments import HERE
from tests.ui import traces
from tests.ui.network.networks import dropout_net, experiment, layer
from tests.ui.network.views import open_view


def deep(count: int) -> Experiment:
    hidden = [layer("dense", f"h{number}", units=8, activation="relu") for number in range(count)]
    return experiment(layer("input", "x", shape=[2]), *hidden, layer("dense", "out", units=2))


@given(st.floats(allow_nan=False, width=32), st.floats(min_value=4, max_value=60))
def test_a_number_keeps_off_the_rim_and_keeps_its_exponent(value, diameter):
    text, size = neurons.written(value, diameter)
    assert len(text) * 0.6 * size <= 0.88 * diameter
    plain = text.replace("−", "-").replace("∞", "inf")
    if text not in ("", "≈0"):
        assert float(plain) == pytest.approx(value, rel=0.51, abs=0.5), "a number cut off would be another one"
    if text == "≈0":
        assert abs(value) < 1


def test_a_tiny_number_in_a_small_circle_is_not_shown_without_its_exponent():
    assert neurons.written(-2e-3, 16.0)[0] in ("−2e−3", "≈0")


def test_a_long_net_fills_the_picture_and_its_texts_and_numbers_can_be_read(qtbot):
    view = open_view(qtbot, deep(12), size=(680, 460))
    column = view.scene().columns["h5"]
    assert 2 * column.face.radius * view.zoom >= 15, "numbers stand in circles from here on"
    assert 12.5 * 1.45 * view.zoom >= 8, "the height of a title in pixels"
    content = view.mapFromScene(view.content_rect()).boundingRect()
    assert content.height() > 0.6 * view.viewport().height()


def test_the_line_above_a_long_net_ends_with_its_number_of_parameters():
    document = deep(12)
    assert captions.summary(document, examine(document)) == "2 → 8 (×12) → 2 · 834 parameters"
    mixed = experiment(layer("input", "x", shape=[2]), *(layer("dense", f"h{number}", units=number + 3) for number in range(12)))
    text = captions.summary(mixed, examine(mixed))
    assert len(text) < 70 and " … " in text


def test_the_selection_frame_leaves_out_what_stands_beside_an_output(qtbot):
    view = open_view(qtbot, dropout_net(), traces.dropout_net())
    column = view.scene().columns["out"]
    assert column.labels_left() > column.frame().right() + 5


# --- scales ---


def test_scales_hold_still_while_one_steps_and_only_grow():
    document, index = dropout_net(), TraceIndex(traces.dropout_net())
    report = examine(document)
    shown = [figures(document, report, TraceState(index, cursor)) for cursor in range(index.length + 1)]
    assert len({(one.value_limit, one.weight_limit, one.bias_limit) for one in shown}) == 1
    grown = figures(document, report, TraceState(index, 3), "value", replace(shown[0], value_limit=70.0))
    assert grown.value_limit == 70.0


def test_a_scale_is_kept_while_one_steps_and_not_when_another_colouring_is_chosen(qtbot):
    document, index = dropout_net(), TraceIndex(traces.dropout_net())
    view = open_view(qtbot, document, traces.dropout_net())
    own = view.figures.value_limit
    view.figures = replace(view.figures, value_limit=70.0)
    view.set_trace_state(TraceState(index, 3), steps=True)
    assert view.figures.value_limit == 70.0
    view.set_coloring("gradient")
    view.set_coloring("value")
    assert view.figures.value_limit == own


def test_pictures_have_a_scale_of_their_own():
    document = open_document("template:cnn")
    state = TraceState(TraceIndex(to_record(capture_next(Trainer(document, load(document, HERE)), "layer"))), 10_000)
    shown = figures(document, examine(document), state)
    image = shown.layers["x"]
    assert image.is_picture and image.limit is not None
    assert all(shown.layers[layer.id].limit for layer in document.network if layer.kind in ("conv2d", "max_pool"))
    assert all(shown.layers[layer.id].limit is None for layer in document.network if layer.kind in ("flatten", "dense"))
    louder = replace(shown, value_limit=1e6)
    assert figures(document, examine(document), state, "value", louder).layers["x"].limit == image.limit


def test_an_image_is_grey_from_its_lowest_value_to_its_highest():
    values = np.array([-2.0, 0.0, 2.0, np.nan])
    picture = grey_image(LIGHT, values, (2, 2), 1.0)
    low, middle, high, wrong = (picture.pixelColor(at % 2, at // 2) for at in range(4))
    assert low == LIGHT.color("panel") and high == LIGHT.color("text") and wrong == LIGHT.color("loss")
    assert high.lightness() < middle.lightness() < low.lightness()
    assert span(values) == (-2.0, 2.0)
