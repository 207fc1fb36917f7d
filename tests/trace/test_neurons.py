"""A node opened into neurons says the same as the node."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from nnviz.trace import TraceError, capture, open_neurons
from tests.trace.zoo import CASES, make


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


SMALL = 300  # links of a node, as open_neurons counts them


def small_nodes(trace) -> list:
    """The operations that can be opened quickly and whose one value has a gradient."""
    sizes = [tuple(value.numel() for value in node.values) for node in trace.nodes]
    return [
        node
        for node in trace.nodes
        if node.call is not None and node.inputs and node.gradient is not None and len(node.values) == 1
        if node.value.numel() * sum(sizes[source][port] for source, port in zip(node.inputs, node.ports, strict=True)) <= SMALL
    ]  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_neurons_say_what_the_tensors_say(name):
    """Their values and gradients are the node's; what their links send back adds up to what the node sends."""
    module, inputs = make(name)
    trace = capture(module, *inputs)
    for node in small_nodes(trace)[:40]:
        neurons = open_neurons(trace, node)
        assert torch.equal(torch.tensor([neuron.value for neuron in neurons], dtype=torch.float64), node.value.double().flatten())
        assert torch.equal(torch.tensor([neuron.gradient for neuron in neurons], dtype=torch.float64), node.gradient.double().flatten())
        sums: Counter = Counter()
        for link in (link for neuron in neurons for link in neuron.links):
            sums[link.argument, link.index] += link.contribution
        for part in (part for source in set(node.inputs) for part in trace.nodes[source].contributions if part.source == node.id):
            for index in torch.ones_like(part.gradient).nonzero().tolist():
                sent = part.gradient[tuple(index)].item()
                assert sums[part.argument, tuple(index)] == pytest.approx(sent, abs=1e-12), (node.id, node.operation)


def test_refuses_what_has_no_neurons_or_too_many():
    module, inputs = make("mlp_tanh_mse")
    trace = capture(module, *inputs)
    with pytest.raises(TraceError, match="not computed from anything"):
        open_neurons(trace, 0)
    wide = capture(nn.Linear(100, 100), torch.ones(1, 100), loss=lambda output, _: output.mean())
    with pytest.raises(TraceError, match="up to 4096"):
        open_neurons(wide, next(node for node in wide.nodes if node.operation == "linear"))
