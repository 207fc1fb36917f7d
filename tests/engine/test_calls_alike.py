"""What is worked out once for many calls of a trace is what each of them would get alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from nnviz.document.store.examples import open_document
from nnviz.engine.data.datasets import load
from nnviz.engine.observe.capture import Captured, capture_next
from nnviz.engine.observe.node_marks import node_marks
from nnviz.engine.observe.trace_records import local_derivative, local_derivatives, to_record
from nnviz.engine.run.trainer import Trainer
from nnviz.trace import capture


def captured(document: str) -> Captured:
    experiment = open_document(document)
    return capture_next(Trainer(experiment, load(experiment, Path())), "textbook")


def assert_said_of_each(one: Captured) -> None:
    for node, record in zip(one.trace.nodes, to_record(one).nodes, strict=True):
        assert (record.symbol, record.formula, record.derivative, record.equations) == tuple(node.said)


@pytest.mark.parametrize("template", ["lstm", "encoder", "cnn"])
def test_every_call_of_an_unrolled_net_has_its_own_formula(template):
    assert_said_of_each(captured(f"template:{template}"))


def test_numbers_that_are_equal_but_written_otherwise_are_told_apart():
    def loss(x):
        return sum(part.sum() for part in (x + 0.0, x + -0.0, x * 1, x * 1.0, x * True, x**2, x**2.0, x[1:2], x[[1]], x[1], x[True]))

    trace = capture(loss, torch.randn(3, 2, requires_grad=True))
    said = {node.formula for node in trace.nodes if node.operation == "add" and len(node.inputs) == 1}
    assert len(said) > 1
    assert_said_of_each(Captured(trace, torch.arange(3), 0, 0, "float32", "x"))


def test_local_derivatives_made_at_once_are_bit_for_bit_those_made_alone():
    trace = captured("template:lstm").trace
    together = local_derivatives(trace, trace.nodes)
    assert len(together) > 10
    for node in trace.nodes:
        alone = local_derivative(trace, node)
        assert (node.id in together) == (alone is not None)
        assert alone is None or torch.equal(alone, together[node.id])


@pytest.mark.parametrize(
    ("values", "count"),
    [([3e38, 3e38], 0), ([-3e38, -3e38, 1.0], 0), ([float("inf"), -float("inf")], 2), ([float("nan"), 1.0], 1), ([], 0)],
)
def test_numbers_whose_sum_is_not_finite_may_be(values, count):
    found = node_marks("add", torch.tensor(values, dtype=torch.float32), None, None, None)
    assert (found.non_finite if found else 0) == count
