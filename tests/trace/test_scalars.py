"""A trace opened into scalars says the same as its tensors, to the last digit that addition keeps."""

from __future__ import annotations

import itertools
from collections import defaultdict

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from nnviz.trace import Scalars, TooManyScalars, Trace, TraceError, capture, open_scalars
from tests.trace.zoo import CASES, make

SMALL = 400  # scalars; larger cases take too long for what they add


def with_rows(trace: Trace, rows: int) -> set[int]:
    """The nodes whose first axis counts the rows, told by their length alone."""
    found: set[int] = set()
    for node in trace.nodes:
        made_from = not node.inputs or not found.isdisjoint(node.inputs)
        if node.kind not in ("parameter", "buffer") and node.shape[:1] == (rows,) and made_from:
            found.add(node.id)
    return found


def opened(trace: Trace, rows: int) -> Scalars:
    return open_scalars(trace, with_rows(trace, rows), SMALL)


def assert_same_numbers(scalars: Scalars) -> None:
    """Values and gradients are the tensors' own; what is sent to a scalar adds up to its gradient."""
    nodes, sums = scalars.trace.nodes, defaultdict(float)
    for scalar in scalars.scalars:
        place = (slice(None), *scalar.element) if scalar.is_batched else scalar.element
        assert torch.equal(scalar.value, nodes[scalar.node].values[scalar.port][place])
        whole = nodes[scalar.node].gradients[scalar.port]
        assert (whole is None) == (scalar.gradient is None)
        assert whole is None or torch.equal(scalar.gradient, whole[place])
        for link in scalar.links:
            assert link.source < scalar.id
            if link.contribution is not None:
                sums[link.source] = sums[link.source] + link.contribution
    for scalar in scalars.scalars:
        if scalar.gradient is not None and nodes[scalar.node].contributions:
            assert torch.allclose(torch.as_tensor(sums[scalar.id], dtype=scalar.gradient.dtype), scalar.gradient, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_scalars_say_what_the_tensors_say(name):
    module, inputs = make(name)
    trace = capture(module, *inputs)
    try:
        scalars = opened(trace, len(inputs[0]) if isinstance(inputs[0], torch.Tensor) and inputs[0].dim() else 0)
    except TooManyScalars as error:
        assert "400" in str(error)
        return
    except TraceError as error:
        assert name == "complex_numbers" and "Complex numbers are not shown one by one" in str(error)
        return
    assert_same_numbers(scalars)


@settings(max_examples=15, deadline=None)
@given(
    widths=st.lists(st.integers(1, 5), min_size=2, max_size=4),
    rows=st.integers(1, 6),
    function=st.sampled_from([torch.relu, torch.tanh, torch.sigmoid, F.silu]),
    seed=st.integers(0, 1000),
)
def test_local_derivatives_times_upstream_are_the_contributions_row_by_row(widths, rows, function, seed):
    torch.manual_seed(seed)
    layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(widths)).double()

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = layers

        def forward(self, x):
            for layer in self.layers:
                x = function(layer(x))
            return x

    trace = capture(Net(), torch.randn(rows, widths[0]).double(), loss=lambda y, t: (y**2).mean())
    scalars = opened(trace, rows)
    assert_same_numbers(scalars)
    for scalar in scalars.scalars:
        for link in (link for link in scalar.links if link.contribution is not None):
            each = link.local * scalar.gradient
            summed = each.sum() if each.dim() > link.contribution.dim() else each
            assert torch.allclose(summed, link.contribution, rtol=1e-12, atol=1e-12)


def worked(rows: int = 1) -> Trace:
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[0.1, 0.5], [0.8, -0.3]]))
        net[0].bias.copy_(torch.tensor([-1.2, 0.9]))
    x = torch.tensor([[1.3, 0.7], [0.2, -0.4], [1.0, 1.0]]).double()[:rows]
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    return capture(net, x, loss=F.mse_loss, target=torch.ones(rows, 1).double(), optimizer=optimizer)


@pytest.mark.parametrize("rows", [1, 3])
def test_a_unit_has_a_link_for_every_input_weight_and_its_bias(rows):
    trace = worked(rows)
    scalars = opened(trace, rows)
    unit = next(s for s in scalars.scalars if trace.nodes[s.node].operation == "linear" and s.element == (1,))
    parts = [scalars.scalars[link.source] for link in unit.links]
    named = [(trace.nodes[part.node].label, part.element) for part in parts[2:]]
    assert named == [("0.weight", (1, 0)), ("0.weight", (1, 1)), ("0.bias", (1,))]
    x, weights, bias = parts[:2], parts[2:4], parts[4]
    total = sum(w.value * one.value for w, one in zip(weights, x, strict=True)) + bias.value
    assert torch.allclose(total, unit.value, rtol=0, atol=1e-15)
    assert [torch.equal(link.local, one.value) for link, one in zip(unit.links[2:4], x, strict=True)] == [True, True]


def test_a_dead_unit_keeps_its_links_with_derivative_0():
    trace = worked()
    dead = next(s for s in opened(trace, 1).scalars if trace.nodes[s.node].operation == "relu" and s.element == (0,))
    assert [link.local.item() for link in dead.links] == [0.0] and dead.links[0].contribution.item() == 0.0


def test_steps_go_unit_by_unit_and_say_how_much_of_the_trace_is_made():
    trace = worked(3)
    scalars = opened(trace, 3)
    assert [place for place in scalars.places] == sorted(scalars.places) and scalars.places[-1] == len(trace.steps)
    made = {"forward": 5, "backward": 6, "update": 3}  # two units twice and the output; the loss too; three units with weights
    assert {phase: sum(step.phase == phase for step in scalars.steps) for phase in made} == made
    updated = sorted(id for step in scalars.steps if step.phase == "update" for id in (step.scalar, *step.others))
    assert updated == [s.id for s in scalars.scalars if trace.nodes[s.node].kind == "parameter"]
    for cursor, place in enumerate(scalars.places):
        whole = {step.node for step in trace.steps[:place] if step.phase == "forward"}
        touched = {step.scalar for step in scalars.steps[:cursor] if step.phase == "forward"}
        for node in whole:
            assert {s.id for s in scalars.scalars if s.node == node} <= touched


def test_too_many_are_refused_with_their_number():
    net = nn.Linear(30, 30)
    trace = capture(net, torch.ones(1, 30), loss=lambda output, _: output.mean())
    with pytest.raises(TooManyScalars, match=r"991 .* up to 600"):
        open_scalars(trace, with_rows(trace, 1))
