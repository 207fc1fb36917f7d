"""The network's figures beside what torch computed: the layer's own output, for every kind of layer at every detail."""

import numpy as np
import pytest
import torch
from PySide6.QtWidgets import QApplication

from nnviz.document.shapes.report import examine
from nnviz.engine.data.datasets import load
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.trace_records import to_record
from nnviz.engine.run.trainer import Trainer
from nnviz.records.tensors import PICTURED
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_state import TraceState
from nnviz.ui.network import overlays
from nnviz.ui.network.layer_figures import figures
from tests.engine.experiments import HERE
from tests.engine.kinds import EXPERIMENTS, IMAGE, ROWS, one
from tests.ui import traces
from tests.ui.network.networks import dropout_net
from tests.ui.network.views import open_view


def traced(document, detail="textbook"):
    """The outputs of all layers as torch left them, and the trace of the same iteration."""
    trainer = Trainer(document, load(document, HERE))
    captured = capture_next(trainer, detail)
    return {id: value.detach().numpy() for id, value in trainer.net.outputs.items()}, TraceIndex(to_record(captured))


def drawn(document, index, sample):
    state = TraceState(index, index.length, sample)
    return figures(document, examine(document), state.whole).layers


@pytest.mark.parametrize("detail", ["layer", "textbook", "math"])
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_layer_shows_its_output(name, detail):
    document = EXPERIMENTS[name]
    outputs, index = traced(document, detail)
    for sample in (0, ROWS - 1, None):
        shown = drawn(document, index, sample)
        assert shown.keys() == outputs.keys()
        for id, output in outputs.items():
            expected = output.mean(0) if sample is None else output[sample]
            assert np.abs(shown[id].values - expected.ravel()).max() <= 1e-12, id


@pytest.mark.parametrize("name", ["dense", "batch norm", "add", "dropout"])
def test_a_graph_of_neurons_leaves_the_network_as_it_is(name):
    outputs, index = traced(EXPERIMENTS[name], "neurons")
    shown = drawn(EXPERIMENTS[name], index, 1)
    assert all(np.abs(shown[id].values - output[1].ravel()).max() <= 1e-12 for id, output in outputs.items())


def test_a_large_layer_shows_its_maps():
    document = one("conv2d", IMAGE, out_channels=64, kernel_size=3, padding=1)
    outputs, index = traced(document)
    assert outputs["k"].size > 4096 and drawn(document, index, 0)["k"].measure is not None
    assert np.array_equal(drawn(document, index, 5)["k"].values, outputs["k"][5].ravel())
    assert np.abs(drawn(document, index, None)["k"].values - outputs["k"].mean(0).ravel()).max() <= 1e-12
    state = TraceState(index, index.length, 5)
    gradients = figures(document, examine(document), state, "gradient").layers["k"].values
    assert gradients.shape == (64 * 16,) and np.isfinite(gradients).all() and gradients.any()


def test_rows_that_would_be_too_much_stay_a_measure():
    document = one("conv2d", [2, 8, 8], out_channels=1024, kernel_size=3, padding=1)
    outputs, index = traced(document)
    fitting = PICTURED // outputs["k"][0].size
    assert 0 < fitting < ROWS
    assert np.array_equal(drawn(document, index, fitting - 1)["k"].values, outputs["k"][fitting - 1].ravel())
    beyond = drawn(document, index, fitting)["k"]
    assert beyond.values is None and beyond.measure.count == outputs["k"].size


@pytest.mark.parametrize("name", ["spatial dropout of images", "spatial dropout of sequences", "dropout", "encoder block"])
def test_only_what_dropout_struck_is_crossed_out(name):
    document = EXPERIMENTS[name]
    outputs, index = traced(document)
    layers = [drawn(document, index, row)["k"] for row in range(ROWS)]
    if "dropout" not in name:
        assert all(layer.dropped is None for layer in layers)  # what is dropped inside a block is none of its outputs
    else:
        dropped = np.array([layer.dropped for layer in layers])
        assert np.array_equal(dropped, outputs["k"].reshape(ROWS, -1) == 0) and 0 < dropped.mean() < 1


def test_dropout_that_is_off_passes_its_input_on():
    document = EXPERIMENTS["dropout"]
    trainer = Trainer(document, load(document, HERE))
    trainer.net._modules["k"].enabled = False
    index = TraceIndex(to_record(capture_next(trainer, "textbook")))
    shown = drawn(document, index, 0)
    assert np.array_equal(shown["k"].values, shown["x"].values) and shown["k"].node == shown["x"].node
    assert torch.equal(trainer.net.outputs["k"], trainer.net.outputs["x"])


def test_the_scales_on_the_screen_are_those_of_the_figures(qtbot):
    view = open_view(qtbot, dropout_net(), traces.dropout_net(), cursor=0, size=(900, 260))
    index, seen = view.state.index, set()
    for coloring in ("value", "gradient", "update"):
        view.set_coloring(coloring)
        for cursor in range(index.length + 1):
            view.set_trace_state(TraceState(index, cursor))
            QApplication.processEvents()
            room = view.viewport().rect().adjusted(0, view.viewport().height() - overlays.SCALES_HEIGHT - 5, 0, 0)
            shown = view.screen().grabWindow(view.winId(), room.x(), room.y(), room.width(), room.height())
            assert shown.toImage() == view.grab(room).toImage(), (coloring, cursor)
            seen.add(overlays.scales_of(view.figures))
    assert len(seen) > 6
