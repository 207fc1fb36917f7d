"""Marks are counts over the whole batch; autograd is the judge of what is saturated and what is dead."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nnviz import jobs
from nnviz.document import edits
from nnviz.document.store.examples import open_document
from nnviz.engine.observe.node_marks import FLAT, node_marks

FUNCTIONS = {"sigmoid": (torch.sigmoid, 0.25), "tanh": (torch.tanh, 1.0)}


@pytest.mark.parametrize("operation", FUNCTIONS)
@given(seed=st.integers(0, 10_000), spread=st.floats(0.1, 10))
def test_saturated_is_where_autograds_derivative_is_small(operation, seed, spread):
    function, largest = FUNCTIONS[operation]
    z = (spread * torch.randn(6, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)).requires_grad_()
    a = function(z)
    (slope,) = torch.autograd.grad(a.sum(), z)
    found = node_marks(operation, a.detach(), None, None, 0)
    flat = int((slope < FLAT * largest).sum())
    assert (found.saturated if found else 0) == flat


@given(seed=st.integers(0, 10_000), rows=st.integers(1, 6))
def test_dead_is_a_unit_that_passes_no_gradient_in_any_row(seed, rows):
    generator = torch.Generator().manual_seed(seed)
    z = (torch.randn(rows, 5, generator=generator) - torch.tensor([0.0, 1.0, 2.0, 3.0, -3.0])).requires_grad_()
    a = torch.relu(z)
    (slope,) = torch.autograd.grad(a.sum(), z)
    found = node_marks("relu", a.detach(), None, None, 0)
    assert (found.dead if found else 0) == int((slope == 0).all(0).sum())


def test_only_relus_die_and_only_what_is_conspicuous_is_told():
    assert node_marks("linear", torch.zeros(4, 3), None, None, 0) is None
    assert node_marks("relu", torch.ones(4, 3), torch.ones(4, 3), None, 0) is None
    bad = node_marks("linear", torch.tensor([[1.0, float("nan")], [float("inf"), 0.0]]), torch.tensor([float("nan")]), None, 0)
    assert (bad.non_finite, bad.non_finite_gradient, bad.dead) == (2, 1, 0)


@pytest.mark.parametrize("detail", ["textbook", "neurons"])
def test_a_trace_carries_them(detail):
    document = jobs.open_document("example:moons")
    changed = edits.freeze_layer(edits.add_layer(document.experiment, "dropout", between=("h1", "h2")), "h1", True)
    record = jobs.trace_record(jobs.OpenedFile(changed, document.folder), 2, detail)
    frozen = {node.label.partition("[")[0] for node in record.nodes if node.marks and node.marks.frozen}
    assert frozen == {"h1.weight", "h1.bias"}
    masks = [node for node in record.nodes if node.marks and node.marks.dropped]
    assert masks and all(node.dropped is not None for node in masks)
    dropped = sum(sum(node.dropped.data) for node in record.nodes if node.dropped is not None)
    assert sum(node.marks.dropped for node in masks) == dropped > 0


def test_a_deep_sigmoid_with_large_weights_saturates():
    changed = edits.set_value(open_document("example:worked_2-2-1"), "network.layers.h1.activation", "sigmoid")
    changed = edits.set_value(changed, "weights.h1.weight", [[30.0, 5.0], [-40.0, 3.0]])
    record = jobs.trace_record(jobs.OpenedFile(changed, None), 0, "textbook")
    node = next(node for node in record.nodes if node.operation == "sigmoid")
    assert (node.marks.saturated, node.marks.elements) == (2, 2)


@pytest.mark.filterwarnings("ignore:Sparse")
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_marks_of_tensors_without_a_plain_memory():
    value = torch.tensor([[1.0, 0.0], [0.0, float("inf")]])
    nested = torch.nested.nested_tensor([value, value[:1]])
    for one in (value, value.to_sparse(), value.to_sparse_csr(), value.to(torch.complex64), nested, value.bfloat16()):
        assert node_marks("mul", one, None, None, None).non_finite == 1
    assert node_marks("mul", value.to(torch.float8_e4m3fn), value, None, None).non_finite_gradient == 1
