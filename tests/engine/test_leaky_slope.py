"""The slope of a leaky ReLU is that of torch's module, in the graph, in flat iterations and in every layer that has one."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nnviz.document import edits
from nnviz.document.catalog import new_layer
from nnviz.engine.model._convolution_layers import Convolution
from nnviz.engine.model.dense_layers import Activation, Dense
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


def test_without_a_word_the_slope_is_torchs():
    document = experiment(chain(new_layer("input", "x", shape=[2]), new_layer("dense", "h1", activation="leaky_relu")))
    assert document.network.layer("h1")["negative_slope"] == nn.LeakyReLU().negative_slope
    changed = edits.set_value(document, "network.layers.h1.negative_slope", "0.2")
    assert changed.network.layer("h1")["negative_slope"] == 0.2
