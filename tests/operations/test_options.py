"""What is said of a call is true of it with its options, or nothing is said."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from nnviz.trace import capture
from tests.operations.gradients import gradients_by_code

X, W = [1.0, 2.0, 3.0, 6.0], torch.tensor([1.0, 2.0, 0.5, 3.0], dtype=torch.float64)
HIGH, OF_CLASSES = 2 * W, W[:3]
Y = torch.tensor([1.0, 0.0, 1.0, 0.0], dtype=torch.float64)
HEADS = [[[[1.0, 2.0], [3.0, 4.0]]]]
SCORES = [[0.5, 1.0, -1.0], [0.2, 0.1, 0.3]]
CLASSES = torch.tensor([0, 2])
IS_CLOSE = torch.tensor([[True, False], [True, True]])


class Call(nn.Module):
    def __init__(self, function, *parameters):
        super().__init__()
        self.parameters_of_call = nn.ParameterList([nn.Parameter(torch.tensor(one, dtype=torch.float64)) for one in parameters])
        self.function = function

    def forward(self):
        return self.function(*self.parameters_of_call).sum()


def agrees_with_code(trace, node) -> None:
    """The code of the derivatives knows the options too."""
    by_code = gradients_by_code(trace.nodes, node) if node.formula else None
    for argument, computed in enumerate(by_code or ()):
        for part in trace.nodes[node.inputs[argument]].contributions:
            if part.source == node.id and part.argument == argument:
                assert torch.allclose(computed, part.gradient, rtol=1e-9, atol=1e-12)


def first_operation(function, *parameters):
    """The trace of a call summed up, and its node: the first that is an operation."""
    torch.manual_seed(0)
    trace = capture(Call(function, *parameters), detail="layer")
    return trace, next(node for node in trace.nodes if node.kind == "operation")


OPTIONS = [
    (lambda a: a.var(), [X], "σ² = 1/(n − 1) Σ (x − x̄)²", "∂L/∂x = ∂L/∂σ² · 2(x − x̄)/(n − 1)"),
    (lambda a: a.var(unbiased=False), [X], "σ² = 1/n Σ (x − x̄)²", "∂L/∂x = ∂L/∂σ² · 2(x − x̄)/n"),
    (lambda a: a.var(False), [X], "σ² = 1/n Σ (x − x̄)²", "∂L/∂x = ∂L/∂σ² · 2(x − x̄)/n"),
    (lambda a: a.var(0, False), [X], "σ² = 1/n Σ (x − x̄)²", "∂L/∂x = ∂L/∂σ² · 2(x − x̄)/n"),
    (lambda a: a.std(correction=0), [X], "σ = √(1/n Σ (x − x̄)²)", "∂L/∂x = ∂L/∂σ · (x − x̄)/(nσ)"),
    (lambda a: a.std(dim=0, correction=2), [X], "σ = √(1/(n − 2) Σ (x − x̄)²)", "∂L/∂x = ∂L/∂σ · (x − x̄)/((n − 2)σ)"),
    (lambda a: a.norm(), [X], "‖x‖ = √Σ x²", "∂L/∂x = ∂L/∂‖x‖ · x / ‖x‖"),
    (lambda a: a.norm(p=1), [X], "", ""),
    (lambda a: torch.add(a, W, alpha=2), [X], "s = a + 2 · b", "∂L/∂a = ∂L/∂s\n∂L/∂b = ∂L/∂s · 2"),
    (lambda a, b: torch.sub(a, b, alpha=-2), [X, X], "d = a − (−2) · b", "∂L/∂a = ∂L/∂d\n∂L/∂b = −∂L/∂d · (−2)"),
    (lambda a: torch.div(a, 2, rounding_mode="floor"), [X], "", ""),
    (lambda a, b: a**b, [X, X], "y = xⁿ", "∂L/∂x = ∂L/∂y · n xⁿ⁻¹\n∂L/∂n = ∂L/∂y · y ln x"),
    (lambda a: torch.pow(2, a), [X], "y = 2ⁿ", "∂L/∂n = ∂L/∂y · y ln 2"),
    (lambda a: a.clamp(min=2), [X], "y = max(x, low)", "∂L/∂x = ∂L/∂y where low ≤ x, else 0"),
    (lambda a: a.clamp(max=2), [X], "y = min(x, high)", "∂L/∂x = ∂L/∂y where x ≤ high, else 0"),
    (lambda a: a.clamp(W, HIGH), [X], "", ""),
    (lambda a: F.softplus(a, threshold=2), [X], "", ""),
    (
        lambda a: F.gelu(a, approximate="tanh"), [X], "a = ½ z (1 + tanh u),  u = √(2/π) (z + 0.044715 z³)",
        "∂L/∂z = ∂L/∂a · (½(1 + tanh u) + ½ z (1 − tanh² u) √(2/π) (1 + 0.134145 z²))",
    ),
    (
        lambda a, b: torch.max(a, b), [X, X], "y = max(a, b)",
        "∂L/∂a = ∂L/∂y where a > b, half of it where a = b\n∂L/∂b = ∂L/∂y where b > a, half of it where b = a",
    ),
    (lambda a: a.max(), [X], "y = max x", "∂L/∂x = ∂L/∂y at the largest elements, shared between equals"),
    (lambda a: a.max(0)[0], [X], "y = max x", "∂L/∂x = ∂L/∂y at the largest element, 0 elsewhere"),
    (
        lambda a: F.avg_pool2d(a, 2, divisor_override=3), [HEADS], "y = 1/3 Σ of each window of x",
        "∂L/∂x = ∂L/∂y / 3, to every element of the window",
    ),
    (lambda a: F.dropout(a, 0.5), [X], "y = mask · x / (1 − p)", "∂L/∂x = ∂L/∂y · mask / (1 − p)"),
    (lambda a: F.dropout(a, 1.0), [X], "y = 0", "∂L/∂x = 0"),
    (lambda w: F.embedding(CLASSES, w), [SCORES * 2], "y = W[index]", "∂L/∂W[i] = Σ ∂L/∂y of the places that looked up i"),
    (
        lambda w: F.embedding(CLASSES, w, padding_idx=-1), [SCORES * 2], "y = W[index]",
        "∂L/∂W[i] = Σ ∂L/∂y of the places that looked up i,  0 for i = 3",
    ),
    (lambda w: F.embedding(CLASSES, w, scale_grad_by_freq=True), [SCORES * 2], "", ""),
    (lambda w: torch.embedding(w, CLASSES), [SCORES * 2], "", ""),
    (lambda a: F.mse_loss(a, Y, reduction="sum"), [X], "L = Σ (ŷ − y)²", "∂L/∂ŷ = 2(ŷ − y)"),
    (lambda a: F.mse_loss(a, Y, weight=W), [X], "", ""),
    (lambda a: F.mse_loss(a, Y, size_average=False), [X], "", ""),
    (lambda a: F.huber_loss(a, Y, weight=W), [X], "", ""),
    (lambda a: F.binary_cross_entropy(a, Y, weight=W), [[0.1, 0.2, 0.3, 0.6]], "", ""),
    (lambda a: F.binary_cross_entropy_with_logits(a, Y, weight=W), [X], "", ""),
    (
        lambda a: F.binary_cross_entropy_with_logits(a, Y, pos_weight=W), [X], "L = 1/n Σ (w y ln(1 + e⁻ᶻ) + (1 − y) ln(1 + eᶻ))",
        "∂L/∂z = ((1 − y) σ(z) − w y (1 − σ(z))) / n",
    ),
    (
        lambda z: F.cross_entropy(z, CLASSES, ignore_index=2), [SCORES], "L = 1/n Σ −ln p[y],  p = softmax(z),  of rows with y ≠ 2",
        "∂L/∂z = (p − onehot(y)) / n,  0 where y = 2",
    ),
    (lambda z: F.nll_loss(z, CLASSES, OF_CLASSES), [SCORES], "L = 1/Σ w[y] Σ −w[y] ℓ[y]", "∂L/∂ℓ = w[y] (−onehot(y)) / Σ w[y]"),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:size_average and reduce args will be deprecated")
@pytest.mark.parametrize(("function", "parameters", "formula", "derivative"), OPTIONS)
def test_the_formula_is_that_of_the_call(function, parameters, formula, derivative):
    trace, node = first_operation(function, *parameters)
    assert (node.formula, node.derivative) == (formula, derivative)
    said = [f"∂L/∂{equation.symbol} = {equation.right}" for equation in node.said.equations if equation]
    assert said == derivative.splitlines() and (not formula or formula.startswith(node.said.symbol))
    agrees_with_code(trace, node)


@pytest.mark.parametrize(
    ("options", "shares", "query", "mask"),
    [
        ({}, "softmax(Q Kᵀ / √d)", "S K / √d", ""),
        ({"scale": 1.0}, "softmax(Q Kᵀ)", "S K", ""),
        ({"scale": 0.5}, "softmax(0.5 Q Kᵀ)", "0.5 S K", ""),
        ({"is_causal": True}, "softmax(Q Kᵀ / √d),  0 where a key comes after its query", "S K / √d", ""),
        ({"attn_mask": IS_CLOSE}, "softmax(Q Kᵀ / √d),  0 where the mask is false", "S K / √d", ""),
        ({"attn_mask": IS_CLOSE.double()}, "softmax(Q Kᵀ / √d + M)", "S K / √d", "\n∂L/∂M = S"),
    ],
)
def test_attention_says_its_scale_and_mask(options, shares, query, mask):
    trace, node = first_operation(lambda q: F.scaled_dot_product_attention(q, q, q, **options), HEADS)
    agrees_with_code(trace, node)
    assert node.formula == f"y = P V,  P = {shares}"
    assert f"∂L/∂Q = {query}\n" in node.derivative and node.derivative.endswith(mask)
    letters = [None if equation is None else equation.symbol for equation in node.said.equations]
    assert letters[:3] == ["Q", "K", "V"] and len(letters) == len(node.inputs)


def test_attention_with_dropout_says_nothing():
    _, node = first_operation(lambda q: F.scaled_dot_product_attention(q, q, q, dropout_p=0.5), HEADS)
    assert (node.formula, node.derivative) == ("", "")


def test_where_speaks_of_its_tensors_only():
    trace = capture(Call(lambda a: torch.where(a > 2, a, 0.5), X), detail="layer")
    node = next(node for node in trace.nodes if node.operation == "where")
    assert node.derivative == "∂L/∂a = ∂L/∂y where c"
    assert [equation and equation.symbol for equation in node.said.equations] == [None, "a"]


@pytest.mark.parametrize("by_name", [False, True])
def test_equations_go_to_the_inputs_they_are_of(by_name):
    call = (lambda w: F.embedding(weight=w, input=CLASSES)) if by_name else (lambda w: F.embedding(CLASSES, w))
    trace, node = first_operation(call, SCORES * 2)
    labels = [trace.nodes[source].kind for source in node.inputs]
    said = dict(zip(labels, node.said.equations, strict=True))
    assert said["parameter"].symbol == "W[i]" and said["parameter"].right.startswith("Σ ∂L/∂y")
    assert [equation for kind, equation in said.items() if kind != "parameter"] == [None]
