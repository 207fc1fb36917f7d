"""The backward pass in numpy with another gradient put in somewhere: torch's own pass from there is the oracle."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import nnviz
from nnviz.jobs import open_document, trace_record
from nnviz.lessons.altered_pass import Alteration, BackwardRules
from nnviz.records.trace_index import TraceIndex
from nnviz.viewing.viewing import TracedTrace

CALLS = {
    "linear": lambda x, w: F.linear(x, w.view(3, 4)),
    "linear with time": lambda x, w: F.linear(x.view(2, 3, 4), w.view(3, 4)),
    "matmul": lambda x, w: x @ w.view(4, 3),
    "matmul of stacks": lambda x, w: x.view(2, 3, 4) @ w.view(4, 3),
    "matrix and vector": lambda x, w: x @ w[:4],
    "dot": lambda x, w: torch.dot(x[0], w[:4]) * x,
    "add": lambda x, w: x + w[:4],
    "sub": lambda x, w: w[:4] - 2 * x,
    "mul": lambda x, w: x * w[:4],
    "div": lambda x, w: x / w[:4] + w[:4] / x,
    "pow": lambda x, w: x**3 * w[:4],
    "sum": lambda x, w: (x * w[:4]).sum(1),
    "mean": lambda x, w: (x * w[:4]).mean(0, keepdim=True),
    "softmax": lambda x, w: torch.softmax(x * w[:4], 1),
    "log softmax": lambda x, w: torch.log_softmax(x * w[:4], -1),
    "cat": lambda x, w: torch.cat([x, w.view(3, 4)], 0),
    "stack": lambda x, w: torch.stack([x[0], w[:4]], 1),
    "chunk": lambda x, w: torch.mul(*(x * w[:4]).chunk(2, 1)),
    "unbind": lambda x, w: sum(k * part for k, part in enumerate((x * w[:4]).unbind(0))),
    "moves": lambda x, w: (x * w[:4]).T.reshape(2, 12)[:, 1:5].unsqueeze(0).expand(2, 2, 4),
    "permute": lambda x, w: (x.view(2, 3, 4) * w[:4]).permute(2, 0, 1).flatten(1),
    "activations": lambda x, w: torch.tanh(x) + torch.sigmoid(x * w[:4]) + F.relu(x) + F.leaky_relu(x) + F.gelu(x) + F.elu(x),
    "functions": lambda x, w: torch.exp(x * w[:4]) + torch.sin(x) + torch.square(x) + torch.abs(x),
    "conv2d": lambda x, w: F.conv2d(x.view(1, 1, 6, 4), w[:9].view(1, 1, 3, 3), stride=(2, 1), padding=1),
    "conv2d with gaps": lambda x, w: F.conv2d(x.view(1, 1, 6, 4), w[:8].view(2, 1, 2, 2), w[8:10], dilation=(2, 1)),
    "conv1d": lambda x, w: F.conv1d(x.view(2, 3, 4), w.view(2, 3, 2)),
    "max pool": lambda x, w: F.max_pool2d(x.view(1, 1, 6, 4) * w[0], 2),
    "squares": lambda x, w: F.mse_loss(x * w[:4], w.view(3, 4).repeat(2, 1)),
    "sum of squares": lambda x, w: F.mse_loss(w.view(3, 4).repeat(2, 1), x, reduction="sum"),
    "squares each": lambda x, w: F.mse_loss(x * w[:4], x, reduction="none"),
    "layer norm": lambda x, w: F.layer_norm(x, (4,), w[:4], w[4:8]),
}


@pytest.mark.parametrize("name", CALLS)
def test_another_gradient_goes_on_as_in_torch(name):
    torch.manual_seed(3)
    call = CALLS[name]

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = torch.nn.Parameter(torch.randn(12, dtype=torch.float64))

        def forward(self, x):
            return (call(x, self.w) * torch.tensor(0.7)).sum()

    model, x = Model(), torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    trace = nnviz.capture(model, x)
    index = TracedTrace(trace).take("textbook").index
    rules = BackwardRules(index)
    scaled = max(node.id for node in trace.nodes if node.label == "mul")
    last = trace.nodes[scaled].inputs[0]
    other = torch.randn(trace.nodes[last].shape, dtype=torch.float64)
    changed = rules.altered(Alteration(nodes={last: lambda parts, total: other.numpy()}))
    true = dict(zip(("x", "w"), torch.autograd.grad(call(x, model.w), (x, model.w), other, allow_unused=True), strict=True))
    checked = 0
    for node in trace.nodes:
        own = "w" if node.kind == "parameter" else "x" if node.kind == "input" else ""
        if node.gradient is not None and own:
            np.testing.assert_allclose(changed[node.id], true[own].numpy(), rtol=1e-7, atol=1e-9, err_msg=f"{own} of {name}")
            checked += 1
    assert checked == 2


def test_what_does_not_hang_on_the_change_is_not_touched():
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
    trace = nnviz.capture(net, torch.randn(4, 2), loss=F.mse_loss, target=torch.randn(4, 1))
    tanh = next(node.id for node in trace.nodes if node.label == "tanh")
    changed = BackwardRules(TracedTrace(trace).take("textbook").index).altered(Alteration(nodes={tanh: lambda parts, total: -total}))
    assert {trace.nodes[node].label for node in changed} == {"tanh", "linear", "0.weight", "0.bias"}


@pytest.mark.parametrize("name", ["example:batch_norm", "example:linear_autoencoder"])
def test_every_rule_of_an_example_gives_what_was_recorded(name):
    """A bias in front of a batch norm has the gradient 0: of it torch and numpy keep other roundings."""
    index = TraceIndex(trace_record(open_document(name), 0, "textbook"))
    rules = BackwardRules(index)
    edges = [edge for edge in index.trace.edges if rules.contribution(edge) is not None]
    assert edges and all(rules.is_sound(edge) for edge in edges)


def test_a_rule_that_gives_something_else_is_not_taken():
    index = TraceIndex(trace_record(open_document("example:batch_norm"), 0, "textbook"))
    rules = BackwardRules(index)
    edge = next(edge for edge in index.trace.edges if index.node(edge.source).label == "h1.weight")
    rules.gradient(edge.target)
    rules._gradients[edge.target, 0] = rules._gradients[edge.target, 0] * 1.01
    assert not rules.is_sound(edge)
