"""Every derivative of the table as code, against the gradients autograd gave the node; the texts follow the call."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from nnviz.operations.table import OPERATIONS
from nnviz.trace import DETAILS, capture
from tests.operations.gradients import CODE, code_of, gradients_by_code
from tests.trace.zoo import ACTIVATIONS, CASES, make

TEXTBOOK_ACTIVATIONS = {
    "sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "softmax", "log_softmax", "log_sigmoid",
    "softsign",
}  # fmt: skip


def sent_back(trace, node) -> list:
    """For every input of the node what its backward step sent there, or None."""
    sent = [None] * len(node.inputs)
    for source in set(node.inputs):
        for part in trace.nodes[source].contributions:
            if part.source == node.id:
                sent[part.argument] = part.gradient
    return sent


def worst_by_operation() -> dict[str, float]:
    worst: dict[str, float] = {}
    for name in CASES:
        for detail in DETAILS:
            module, inputs = make(name)
            trace = capture(module, *inputs, detail=detail)
            for node in trace.nodes:
                if any(gradient is not None for gradient in node.gradients) and code_of(node.operation) is not None:
                    _compare(trace, node, worst)
    return worst


def _compare(trace, node, worst) -> None:
    by_code = gradients_by_code(trace.nodes, node)
    for computed, sent in zip(by_code, sent_back(trace, node), strict=True) if by_code is not None else ():
        if sent is not None:
            assert computed is not None and computed.shape == sent.shape, node.operation
            operation = node.operation.rstrip("_")
            worst[operation] = max(worst.get(operation, 0.0), (computed - sent).abs().max().item())


def test_every_code_gives_the_nodes_own_gradient():
    worst = worst_by_operation()
    assert {operation: error for operation, error in worst.items() if not error <= 1e-12} == {}
    assert CODE.keys() - worst.keys() == set()


def test_every_name_stands_in_one_row():
    rows = {id(row): row.names.split() for row in OPERATIONS.values()}
    assert sorted(name for names in rows.values() for name in names) == sorted(OPERATIONS)


def test_the_symbol_is_what_the_formula_has_on_the_left():
    told = [row for row in OPERATIONS.values() if isinstance(row.formula, str) and row.formula and row.symbol]
    assert told and all(row.formula.startswith(row.symbol) for row in told)


def test_every_derivative_has_its_code():
    without = {name for name, row in OPERATIONS.items() if row.gradients} - CODE.keys()
    assert without == {"hardsigmoid", "detach"}  # torch's own slope of hardsigmoid is 1/6 in single precision, whatever the tensors are


def test_every_activation_of_the_textbook_has_a_formula_and_code():
    assert ACTIVATIONS.keys() >= TEXTBOOK_ACTIVATIONS
    assert all(OPERATIONS[name].formula and OPERATIONS[name].gradients and CODE[name] for name in TEXTBOOK_ACTIVATIONS)


@pytest.mark.parametrize(
    ("name", "operation", "formula", "derivative"),
    [
        ("mlp_tanh_mse", "linear", "z = x Wᵀ + b", "∂L/∂x = ∂L/∂z · W"),
        ("tied_weights", "linear", "z = x Wᵀ", "∂L/∂x = ∂L/∂z · W"),
        ("mlp_tanh_mse", "mse_loss", "L = 1/n Σ (ŷ − y)²", "∂L/∂ŷ = 2(ŷ − y) / n"),
        ("mlp_weighted_cross_entropy", "cross_entropy", "L = Σ −w[y] ln p[y],  p = softmax(z)", "∂L/∂z = w[y] (p − onehot(y))"),
        ("in_place_activation", "relu_", "a = max(0, z)", "∂L/∂z = ∂L/∂a · [z > 0]"),
    ],
)
def test_the_text_follows_the_call(name, operation, formula, derivative):
    module, inputs = make(name)
    node = next(node for node in capture(module, *inputs).nodes if node.operation == operation)
    assert node.formula == formula
    assert node.derivative.splitlines()[0] == derivative


@pytest.mark.parametrize("probabilities", [False, True])
@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize(
    "options", [{}, {"weight": [0.2, 1.0, 3.0]}, {"label_smoothing": 0.1}, {"weight": [0.2, 1.0, 3.0], "label_smoothing": 0.1}]
)
def test_of_cross_entropy_only_what_is_true_is_said(options, probabilities, by_name):
    torch.manual_seed(0)
    net, x = nn.Linear(4, 3).double(), torch.randn(5, 4).double()
    target = torch.rand(5, 3).double().softmax(1) if probabilities else torch.randint(3, (5,))
    given = options | ({"weight": torch.tensor(options["weight"]).double()} if "weight" in options else {})
    call = (lambda z, t: F.cross_entropy(input=z, target=t, **given)) if by_name else lambda z, t: F.cross_entropy(z, t, **given)
    node = next(node for node in capture(net, x, loss=call, target=target).nodes if node.operation == "cross_entropy")
    is_said = not probabilities and len(options) < 2
    assert bool(node.formula) == bool(node.derivative) == is_said


def test_an_operation_without_a_formula_still_steps():
    module, inputs = make("transposed_convolution")
    trace = capture(module, *inputs)
    node = next(node for node in trace.nodes if node.operation == "interpolate")
    assert (node.formula, node.derivative) == ("", "")
    assert node.gradient is not None
    assert gradients_by_code(trace.nodes, node) is None


def test_a_number_in_the_code_stands_in_the_formula():
    weight = nn.Parameter(torch.tensor([2.0, 3.0], dtype=torch.float64))

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = weight

        def forward(self, x):
            a = (x * self.weight + 1e-5).sub(other=0.25) / -4
            return ((1 - a) ** 2 * 3).sum()

    trace = capture(Net(), torch.tensor([0.5, 0.3], dtype=torch.float64))
    said = {node.operation: (node.formula, node.derivative) for node in trace.nodes if node.call is not None}
    assert said["add"] == ("s = a + 1e−05", "∂L/∂a = ∂L/∂s")
    assert said["sub"] == ("d = a − 0.25", "∂L/∂a = ∂L/∂d")
    assert said["div"] == ("q = a / (−4)", "∂L/∂a = ∂L/∂q / (−4)")
    assert said["rsub"] == ("d = 1 − a", "∂L/∂a = −∂L/∂d")
    assert said["pow"] == ("y = x²", "∂L/∂x = ∂L/∂y · 2 x")
    assert said["mul"] == ("p = a · 3", "∂L/∂a = ∂L/∂p · 3")
    first = next(node for node in trace.nodes if node.operation == "mul")
    assert first.formula == "p = a · b" and first.derivative.count("\n") == 1
