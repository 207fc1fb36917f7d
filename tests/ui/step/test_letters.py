"""The letters of the chain-rule card: those of the formula, whatever optional inputs an operation was given."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nnviz.engine.observe.capture import Captured
from nnviz.engine.observe.trace_records import to_record
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import NodeRecord
from nnviz.records.trace_state import TraceState
from nnviz.text import names
from nnviz.trace import capture
from nnviz.ui.step import chain

BIAS = pytest.mark.parametrize("bias", [True, False])


def state_of(module: nn.Module, *shape: int, detail: str = "layer", reads_leaf: bool = True) -> TraceState:
    """The last moment of an iteration of a module, with a gradient for its input or, as with data, without."""
    torch.manual_seed(0)
    x = torch.randn(*shape, dtype=torch.float64, requires_grad=reads_leaf)

    def total(output, target):
        return (output[0] if isinstance(output, tuple) else output).square().mean()

    trace = capture(module.double(), x, loss=total, detail=detail)
    index = TraceIndex(to_record(Captured(trace, torch.arange(len(x)), 0, 0, "float64", "x")))
    return TraceState(index, len(index.trace.steps) - 1, None)


def node_of(state: TraceState, operation: str) -> NodeRecord:
    return next(node for node in state.index.trace.nodes if node.operation == operation)


def letters(state: TraceState, node: NodeRecord) -> list[str]:
    return [chain.input_symbol(state, node, argument) for argument in range(len(node.inputs))]


@BIAS
@pytest.mark.parametrize("reads_leaf", [True, False])
@pytest.mark.parametrize(
    ("kind", "operation", "shape"),
    [
        (nn.Conv1d, "conv1d", (2, 3, 5)),
        (nn.Conv2d, "conv2d", (2, 3, 5, 5)),
        (nn.ConvTranspose2d, "conv_transpose2d", (2, 3, 5, 5)),
    ],
)
def test_a_convolution_speaks_of_the_inputs_it_has(kind, operation, shape, bias, reads_leaf):
    state = state_of(kind(3, 4, 3, bias=bias), *shape, reads_leaf=reads_leaf)
    node = node_of(state, operation)
    assert letters(state, node) == ["x", "W", "b"][: 2 + bias]
    assert ("b" in node.formula.split(" = ")[1].split()) == bias and ("∂L/∂b" in node.derivative) == bias


@BIAS
@pytest.mark.parametrize("reads_leaf", [True, False])
def test_a_dense_layer_speaks_of_the_inputs_it_has(bias, reads_leaf):
    state = state_of(nn.Linear(3, 2, bias=bias), 4, 3, reads_leaf=reads_leaf)
    node = node_of(state, "linear")
    assert letters(state, node) == ["x", "W", "b"][: 2 + bias] and ("∂L/∂b" in node.derivative) == bias


@pytest.mark.parametrize("reads_leaf", [True, False])
@pytest.mark.parametrize(
    ("module", "operation", "expected", "formula"),
    [
        (nn.LayerNorm(4), "layer_norm", "x γ β", "y = γ x̂ + β"),
        (nn.LayerNorm(4, bias=False), "layer_norm", "x γ", "y = γ x̂"),
        (nn.LayerNorm(4, elementwise_affine=False), "layer_norm", "x", "y = (x − μ)/√(σ² + ε)"),
        (nn.GroupNorm(2, 4), "group_norm", "x γ β", "y = γ x̂ + β"),
        (nn.GroupNorm(2, 4, affine=False), "group_norm", "x", "y = (x − μ)/√(σ² + ε)"),
        (nn.BatchNorm1d(4), "batch_norm", "x γ β", "y = γ x̂ + β"),
        (nn.BatchNorm1d(4).eval(), "batch_norm", "x γ β", "y = γ x̂ + β"),
        (nn.BatchNorm1d(4, affine=False), "batch_norm", "x", "y = (x − μ)/√(σ² + ε)"),
    ],
)
def test_a_normalisation_returns_y(module, operation, expected, formula, reads_leaf):
    state = state_of(module, 3, 4, reads_leaf=reads_leaf)
    node = node_of(state, operation)
    assert node.formula.startswith(formula) and names.symbol(node) == "y"
    assert [letter for letter in letters(state, node) if len(letter) == 1] == expected.split()
    assert [equation.symbol for equation in node.equations if equation] == expected.split()


@pytest.mark.parametrize(("kind", "operation"), [(nn.LSTM, "lstm"), (nn.GRU, "gru"), (nn.RNN, "rnn_tanh")])
def test_a_recurrent_net_returns_h(kind, operation):
    state = state_of(kind(3, 2, batch_first=True), 4, 5, 3)
    node = node_of(state, operation)
    assert names.symbol(node) == "h"
    assert letters(state, node)[-4:] == ["W_ih", "W_hh", "b_ih", "b_hh"]


def test_upstream_bears_the_letter_of_the_derivative():
    state = state_of(nn.Sequential(nn.Linear(3, 4), nn.Softmax(1)), 2, 3)
    node = node_of(state, "softmax")
    assert names.symbol(node) == "p" and "∂L/∂p" in node.derivative


@pytest.mark.parametrize("weight", [None, torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64)])
def test_weights_of_classes_stand_in_the_formula(weight):
    trace = capture(
        nn.Linear(3, 3).double(),
        torch.randn(4, 3, dtype=torch.float64),
        loss=nn.CrossEntropyLoss(weight),
        target=torch.tensor([0, 1, 2, 0]),
    )
    loss = next(node for node in trace.nodes if node.operation.startswith(("cross_entropy", "nll")))
    assert ("w[y]" in loss.formula, "Σ w[y]" in loss.derivative) == (weight is not None,) * 2
