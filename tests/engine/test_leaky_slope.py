"""The slope of a leaky ReLU is that of torch's module, in the graph, in flat iterations and in every layer that has one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from nnviz.document import edits
from nnviz.document.catalog import DATASETS, new_choice, new_layer
from nnviz.engine.model._convolution_layers import Convolution
from nnviz.engine.model.attention_layers import EncoderBlock
from nnviz.engine.model.dense_layers import Activation, Dense
from nnviz.engine.model.sequence_layers import Recurrent
from nnviz.engine.observe._time_steps import unroll
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.trace_records import to_record
from nnviz.engine.run.timeline import Timeline
from nnviz.records.trace_index import TraceIndex
from tests.engine.experiments import HERE, chain, experiment
from tests.engine.flat_runs import assert_flat

SLOPE = 0.3


def net():
    hidden = new_layer("dense", "h1", units=4, activation="leaky_relu", negative_slope=SLOPE)
    function = new_layer("activation", "f", function="leaky_relu", negative_slope=0.7)
    return chain(
        new_layer("input", "x", shape=[2]), hidden, new_layer("dense", "h2", units=3), function, new_layer("dense", "out", units=2)
    )


def test_a_run_is_that_of_torchs_modules():
    document = experiment(net(), optimizer="sgd", precision="float64", settings={"learning_rate": 0.3}, batch_size=None)
    timeline = Timeline(document, HERE)
    torch_net = nn.Sequential(nn.Linear(2, 4), nn.LeakyReLU(SLOPE), nn.Linear(4, 3), nn.LeakyReLU(0.7), nn.Linear(3, 2)).double()
    with torch.no_grad():
        for theirs, ours in zip(torch_net.parameters(), timeline.trainer.parameters.values(), strict=True):
            theirs.copy_(ours)
    optimizer, rows = torch.optim.SGD(torch_net.parameters(), lr=0.3), timeline.trainer.training_rows
    timeline.go_to(30)
    assert_flat(timeline)
    for _ in range(30):
        optimizer.zero_grad()
        nn.functional.cross_entropy(torch_net(rows.x), rows.y).backward()
        optimizer.step()
    for theirs, ours in zip(torch_net.parameters(), timeline.trainer.parameters.values(), strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_the_graph_sends_back_the_slope():
    timeline = Timeline(experiment(net(), precision="float64"), HERE)
    index = TraceIndex(to_record(capture_next(timeline.trainer, "textbook")))
    leaky = next(node for node in index.trace.nodes if node.operation == "leaky_relu" and node.module == "h1")
    z = next(node for node in index.trace.nodes if node.id == leaky.inputs[0])
    values, sent, arrived = (index.array(part) for part in (z.value, z.gradient, leaky.gradient))
    assert sent == pytest.approx(arrived * (1 * (values > 0) + SLOPE * (values <= 0)), rel=1e-12)


@pytest.mark.parametrize("layer", [Dense(3, 4, "leaky_relu", negative_slope=SLOPE), Activation("leaky_relu", SLOPE)])
def test_layers_by_themselves(layer):
    x = torch.linspace(-2, 2, 12).reshape(4, 3)
    z = nn.functional.linear(x, layer.weight, layer.bias) if isinstance(layer, Dense) else x
    assert torch.equal(layer(x), nn.LeakyReLU(SLOPE)(z))


def test_a_convolution():
    layer, x = Convolution(2, 3, (3, 3), 1, 0, "leaky_relu", True, SLOPE), torch.randn(2, 2, 6, 6)
    nn.init.normal_(layer.weight)
    nn.init.zeros_(layer.bias)
    assert torch.equal(layer(x), nn.LeakyReLU(SLOPE)(nn.functional.conv2d(x, layer.weight, layer.bias)))


@pytest.mark.parametrize("settings", [{}, {"bidirectional": True, "num_layers": 2, "return_sequences": True}])
def test_a_recurrent_net(settings):
    torch.manual_seed(1)
    layer, x = Recurrent("rnn", 2, 3, activation="leaky_relu", negative_slope=SLOPE, **settings).double(), torch.randn(4, 5, 2).double()
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    cells = {}
    for suffix in {name.partition("_l")[2] for name, _ in layer.named_parameters()}:
        cell = cells[f"l{suffix}"] = nn.RNNCell(getattr(layer, f"weight_ih_l{suffix}").shape[1], 3, dtype=torch.float64)
        cell.bias_hh.data.zero_()
        for theirs, ours in (("weight_ih", "weight_ih"), ("weight_hh", "weight_hh"), ("bias_ih", "bias")):
            getattr(cell, theirs).data.copy_(getattr(layer, f"{ours}_l{suffix}"))
    states = x
    for number in range(settings.get("num_layers", 1)):
        outputs = []
        for end in ("", "_reverse")[: 1 + settings.get("bidirectional", False)]:
            cell, h, found = cells[f"l{number}{end}"], torch.zeros(4, 3, dtype=torch.float64), {}
            for t in reversed(range(5)) if end else range(5):
                h = found[t] = nn.LeakyReLU(SLOPE)(nn.functional.linear(states[:, t], cell.weight_ih, cell.bias_ih) + h @ cell.weight_hh.T)
            outputs.append(torch.stack([found[t] for t in range(5)], 1))
        states = torch.cat(outputs, -1)
    expected = states if settings else states[:, -1]
    assert torch.allclose(layer(x), expected, rtol=1e-12, atol=1e-12)
    assert torch.allclose(unroll(layer, x).output, expected, rtol=1e-12, atol=1e-12), "as its time steps are asked about"


def test_an_encoder_block():
    torch.manual_seed(1)
    ours = EncoderBlock(4, 2, 5, 6, "leaky_relu", 0.0, False, False, SLOPE).double()
    theirs = nn.TransformerEncoderLayer(4, 2, 6, 0.0, nn.LeakyReLU(SLOPE), batch_first=True, dtype=torch.float64)
    for parameter in ours.parameters():
        nn.init.normal_(parameter)
    theirs.load_state_dict({name: tensor for name, tensor in ours.state_dict().items() if tensor is not None})
    x = torch.randn(3, 5, 4, dtype=torch.float64)
    assert torch.allclose(ours(x), theirs(x), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", ["rnn", "encoder_block"])
def test_the_slope_of_a_layer_of_sequences_is_that_of_its_document(kind):
    layer = new_layer(kind, "s", units=3, activation="leaky_relu", negative_slope=SLOPE)
    parts = [layer] if kind == "rnn" else [new_layer("dense", "d", units=4), layer, new_layer("global_pool", "p", function="mean")]
    net = chain(new_layer("input", "x", shape=[6, 1]), *parts, new_layer("dense", "out", units=1))
    data = new_choice(DATASETS, "sine_wave", samples=40, window=6)
    timeline = Timeline(experiment(net, data=data, loss="mse", precision="float64"), HERE)
    timeline.go_to(30)
    assert_flat(timeline)
    index = TraceIndex(to_record(capture_next(timeline.trainer, "textbook")))
    leaky = [node for node in index.trace.nodes if node.operation == "leaky_relu"]
    z = index.array(index.node(leaky[0].inputs[0]).value)
    assert leaky and index.array(leaky[0].value) == pytest.approx(np.where(z > 0, z, SLOPE * z), rel=1e-12)


def test_without_a_word_the_slope_is_torchs():
    document = experiment(chain(new_layer("input", "x", shape=[2]), new_layer("dense", "h1", activation="leaky_relu")))
    assert document.network.layer("h1")["negative_slope"] == nn.LeakyReLU().negative_slope
    changed = edits.set_value(document, "network.layers.h1.negative_slope", "0.2")
    assert changed.network.layer("h1")["negative_slope"] == 0.2
