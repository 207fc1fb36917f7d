"""A node opened into neurons says the same as the node."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from nnviz.trace import TraceError, capture, open_neurons
from tests.trace.zoo import make


def test_a_neuron_is_the_weighted_sum_of_its_links():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[0.1, 0.5], [0.8, -0.3]]))
        net[0].bias.copy_(torch.tensor([-1.2, 0.9]))
    trace = capture(net, torch.tensor([[1.3, 0.7]]).double(), loss=F.mse_loss, target=torch.ones(1, 1).double())
    dead, alive = open_neurons(trace, next(node for node in trace.nodes if node.operation == "linear"))
    assert (dead.index, alive.index) == ((0, 0), (0, 1))
    weights = [link for link in alive.links if trace.nodes[link.source].label == "0.weight"]
    assert [link.index for link in weights] == [(1, 0), (1, 1)]
    assert sum(link.value * link.derivative for link in weights) + 0.9 == pytest.approx(alive.value)
    relu = next(node for node in trace.nodes if node.operation == "relu")
    assert [[link.derivative for link in neuron.links] for neuron in open_neurons(trace, relu)] == [[0], [1]]


@pytest.mark.parametrize("name", ["mlp_tanh_mse", "mlp_relu_cross_entropy", "lstm", "dropout_train", "mlp_sigmoid_bce"])
def test_links_add_up_to_what_the_node_sends(name):
    module, inputs = make(name)
    trace = capture(module, *inputs)
    opened = 0
    for node in trace.nodes:
        sizes = [trace.nodes[source].values[port].numel() for source, port in zip(node.inputs, node.ports, strict=True)]
        if node.call is None or node.gradient is None or len(node.values) > 1 or sum(sizes) * node.value.numel() > 400:
            continue
        opened += 1
        sums: dict = {}
        for neuron in open_neurons(trace, node):
            for link in neuron.links:
                key = link.source, link.argument, link.index
                sums[key] = sums.get(key, 0.0) + link.contribution
        for source in set(node.inputs):
            for part in trace.nodes[source].contributions:
                if part.source == node.id:
                    for index in torch.ones_like(part.gradient).nonzero().tolist():
                        key = source, part.argument, tuple(index)
                        assert sums.get(key, 0.0) == pytest.approx(part.gradient[tuple(index)].item(), abs=1e-12)
    assert opened


def test_refuses_what_has_no_neurons_or_too_many():
    module, inputs = make("mlp_tanh_mse")
    trace = capture(module, *inputs)
    with pytest.raises(TraceError, match="not computed from anything"):
        open_neurons(trace, 0)
    wide = capture(nn.Linear(100, 100), torch.ones(1, 100), loss=lambda output, _: output.mean())
    with pytest.raises(TraceError, match="up to 4096"):
        open_neurons(wide, next(node for node in wide.nodes if node.operation == "linear"))
