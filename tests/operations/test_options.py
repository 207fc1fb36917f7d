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
COLUMN, WIDE = [[1.0], [2.0], [6.0]], torch.tensor([0.0, 3.0, 6.0], dtype=torch.float64)
SCORES_2 = [[0.5, 1.0], [0.2, 0.1]]
MOVED = "∂L/∂x = ∂L/∂y, back to where each element came from"
TO_WINDOW = "∂L/∂x = ∂L/∂y / window size, to every element of the window"
NORMALISED = "h = ∂L/∂y:  ∂L/∂x = (h − mean h − y mean(h y))/√(σ² + ε)"
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
    (lambda a: F.dropout(a, 0.5), [X], "y = kept · x / (1 − p),  kept = 0 with probability p, else 1", "∂L/∂x = ∂L/∂y · kept / (1 − p)"),
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
    (lambda a: F.binary_cross_entropy_with_logits(a, Y), [X], "L = 1/n Σ (ln(1 + eᶻ) − y z)", "∂L/∂z = (σ(z) − y) / n"),
    (lambda a: F.binary_cross_entropy_with_logits(a, Y, reduction="none"), [X], "L = ln(1 + eᶻ) − y z", "∂L/∂z = (σ(z) − y)"),
    (
        lambda a: F.huber_loss(a, Y), [X], "L = 1/n Σ (½(ŷ − y)² if |ŷ − y| ≤ δ else δ(|ŷ − y| − ½δ))",
        "∂L/∂ŷ = min(max(ŷ − y, −δ), δ) / n",
    ),
    (lambda a: F.smooth_l1_loss(a, Y, beta=0.0), [X], "L = 1/n Σ |ŷ − y|", "∂L/∂ŷ = sign(ŷ − y) / n"),
    (lambda a: F.mse_loss(a, WIDE), [COLUMN], "L = 1/n Σ (ŷ − y)²,  over all pairs", "∂L/∂ŷ = Σ 2(ŷ − y) / n, over its pairs"),
    (lambda a: F.l1_loss(a, WIDE, reduction="sum"), [COLUMN], "L = Σ |ŷ − y|,  over all pairs", "∂L/∂ŷ = Σ sign(ŷ − y), over its pairs"),
    (
        lambda a: F.huber_loss(a, WIDE), [COLUMN], "L = 1/n Σ (½(ŷ − y)² if |ŷ − y| ≤ δ else δ(|ŷ − y| − ½δ)),  over all pairs",
        "∂L/∂ŷ = Σ min(max(ŷ − y, −δ), δ) / n, over its pairs",
    ),
    (
        lambda a: F.smooth_l1_loss(a, WIDE), [COLUMN], "L = 1/n Σ (½(ŷ − y)²/β if |ŷ − y| < β else |ŷ − y| − ½β),  over all pairs",
        "∂L/∂ŷ = Σ min(max((ŷ − y)/β, −1), 1) / n, over its pairs",
    ),
    (lambda a, b: a + b, [COLUMN, X[:3]], "s = a + b", "∂L/∂a = Σ ∂L/∂s, over the copies\n∂L/∂b = Σ ∂L/∂s, over the copies"),
    (lambda a, b: a * b, [SCORES, X[:3]], "p = a · b", "∂L/∂a = ∂L/∂p · b\n∂L/∂b = Σ ∂L/∂p · a, over the copies"),
    (lambda a, b: a / b, [SCORES, 2.0], "q = a / b", "∂L/∂a = ∂L/∂q / b\n∂L/∂b = Σ −∂L/∂q · q / b, over the copies"),
    (lambda a, b: a**b, [[X], 2.0], "y = xⁿ", "∂L/∂x = ∂L/∂y · n xⁿ⁻¹\n∂L/∂n = Σ ∂L/∂y · y ln x, over the copies"),
    (
        lambda a, b: torch.maximum(a, b), [SCORES, X[:3]], "y = max(a, b)",
        "∂L/∂a = ∂L/∂y where a > b, half of it where a = b\n∂L/∂b = Σ ∂L/∂y where b > a, half of it where b = a, over the copies",
    ),
    (
        lambda a, b: torch.min(a, b), [SCORES, X[:3]], "y = min(a, b)",
        "∂L/∂a = ∂L/∂y where a < b, half of it where a = b\n∂L/∂b = Σ ∂L/∂y where b < a, half of it where b = a, over the copies",
    ),
    (lambda a: torch.where(IS_CLOSE, a, 0.0), [X[:2]], "y = a where c, else b", "∂L/∂a = Σ ∂L/∂y where c, over the copies"),
    (lambda a: a.masked_fill(IS_CLOSE, 0.0), [SCORES_2], "y = value where masked, else x", "∂L/∂x = ∂L/∂y where not masked, else 0"),
    (
        lambda x, w: F.linear(x, w), [[SCORES, SCORES], SCORES], "z = x Wᵀ",
        "∂L/∂x = ∂L/∂z · W\n∂L/∂W = Σ ∂L/∂z xᵀ over all places",
    ),
    (
        lambda x, w, b: F.linear(x, w, b), [X[:3], SCORES, X[:2]], "z = x Wᵀ + b",
        "∂L/∂x = ∂L/∂z · W\n∂L/∂W = ∂L/∂z xᵀ\n∂L/∂b = ∂L/∂z",
    ),
    (
        lambda a, b: a @ b, [[SCORES, SCORES], [X[:2]] * 3], "C = A B",
        "∂L/∂A = ∂L/∂C · Bᵀ\n∂L/∂B = Σ Aᵀ · ∂L/∂C over the stack",
    ),
    (lambda a, b: a @ b, [[SCORES, SCORES], X[:3]], "C = A B", ""),
    (
        lambda a, b: torch.einsum("ij,kj->ik", a, b), [SCORES, SCORES], "y = Σ a b over the indices that y does not have",
        "∂L/∂a = Σ ∂L/∂y b over the indices that a does not have\n∂L/∂b = Σ ∂L/∂y a over the indices that b does not have",
    ),
    (
        lambda a: torch.einsum("ij->i", a), [SCORES], "y = Σ a over the indices that y does not have",
        "∂L/∂a = Σ ∂L/∂y over the indices that a does not have",
    ),
    (lambda a: torch.einsum("ii->i", a), [SCORES_2], "", ""),
    (lambda a: F.avg_pool1d(a, 2, padding=1), [[SCORES]], "y = mean of each window of x,  with the zeros around it", TO_WINDOW),
    (
        lambda a: F.avg_pool1d(a, 2, padding=1, count_include_pad=False), [[SCORES]],
        "y = mean of each window of x,  without the zeros around it",
        "∂L/∂x = ∂L/∂y / how many each window counts, to every element of the window",
    ),
    (
        lambda a: F.avg_pool1d(a, 2, ceil_mode=True), [[SCORES]], "y = mean of each window of x",
        "∂L/∂x = ∂L/∂y / how many each window counts, to every element of the window",
    ),
    (
        lambda x, w: F.conv1d(x, w, stride=2), [[SCORES], [[[1.0, 2.0], [0.5, 0.25]]]], "y = x ∗ W,  stride 2",
        "∂L/∂x = Σ ∂L/∂y · W over the windows the element is in\n∂L/∂W = Σ ∂L/∂y · x over all windows",
    ),
    (
        lambda x, w: F.conv1d(x, w, groups=2, dilation=2), [[SCORES], [[[1.0, 2.0]], [[0.5, 0.25]]]], "y = x ∗ W,  dilation 2, groups 2",
        "∂L/∂x = Σ ∂L/∂y · W over the windows the element is in\n∂L/∂W = Σ ∂L/∂y · x over all windows",
    ),
    (
        lambda x, w: F.conv_transpose1d(x, w, stride=2), [[SCORES], [[[1.0, 2.0]], [[0.5, 0.25]]]],
        "y = W spread out by every element of x,  stride 2",
        "∂L/∂x = Σ ∂L/∂y · W over what the element was spread to\n∂L/∂W = Σ ∂L/∂y · x over all elements of x",
    ),
    (lambda a: a.flatten(1), [[SCORES]], "y = x, several axes made one", MOVED),
    (lambda a: a.flatten(), [SCORES], "y = x in one row", MOVED),
    (lambda a: a.squeeze(0), [[SCORES]], "y = x without the axis, if its length is 1", MOVED),
    (lambda a: a.chunk(2, 1)[0], [SCORES], "y₁, y₂, … = x in parts, the last one smaller", MOVED),
    (lambda a: a.chunk(3, 1)[0], [SCORES], "y₁, y₂, … = x in equal parts", MOVED),
    (lambda a: a.expand(2, 4), [[X]], "y = x, repeated along axes", "∂L/∂x = ∂L/∂y, summed over the copies"),
    (lambda a: F.layer_norm(a, [4]), [X], "y = (x − μ)/√(σ² + ε),  over all elements", NORMALISED),
    (lambda a: F.layer_norm(a, [3]), [[SCORES]], "y = (x − μ)/√(σ² + ε),  at every place", NORMALISED),
    (lambda a: a.to(torch.float32).double(), [X], "y = x, stored otherwise", "∂L/∂x = ∂L/∂y"),
    (lambda a: a.mean(0, keepdim=True), [SCORES], "m = 1/n Σ x", "∂L/∂x = ∂L/∂m / n, to every element"),
    (lambda a: a.logsumexp(1), [SCORES], "y = ln Σ eˣ", "∂L/∂x = ∂L/∂y · softmax(x)"),
    (lambda a: a.amax(1), [SCORES], "y = max x", "∂L/∂x = ∂L/∂y at the largest elements, shared between equals"),
    (lambda a: a.cumprod(0), [X], "", ""),
    (lambda a: F.interpolate(a, scale_factor=2), [[SCORES]], "", ""),
    (lambda a: torch.linalg.vector_norm(a, 3), [X], "", ""),
    (lambda a: a.norm(p=2, dim=1), [SCORES], "‖x‖ = √Σ x²", "∂L/∂x = ∂L/∂‖x‖ · x / ‖x‖"),
    (lambda a: a.prod(), [[0.0, 2.0, 3.0]], "y = Π x", "∂L/∂x = ∂L/∂y · Π of the other elements"),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.filterwarnings("ignore:size_average and reduce args will be deprecated")
@pytest.mark.parametrize(("function", "parameters", "formula", "derivative"), OPTIONS)
def test_the_formula_is_that_of_the_call(function, parameters, formula, derivative):
    trace, node = first_operation(function, *parameters)
    assert (node.formula, node.derivative) == (formula, derivative)
    said = [f"∂L/∂{equation.symbol} = {equation.right}" for equation in node.said.equations if equation]
    assert said == [line.rpartition(":  ")[2] for line in derivative.splitlines()] and (not formula or formula.startswith(node.said.symbol))
    agrees_with_code(trace, node)


@pytest.mark.parametrize(
    ("options", "shares", "query", "mask"),
    [
        ({}, "softmax(Q Kᵀ / √d)", "S K / √d", ""),
        ({"scale": 1.0}, "softmax(Q Kᵀ)", "S K", ""),
        ({"scale": 0.5}, "softmax(0.5 Q Kᵀ)", "0.5 S K", ""),
        ({"is_causal": True}, "softmax(Q Kᵀ / √d),  0 where a key comes after its query", "S K / √d", ""),
        ({"attn_mask": IS_CLOSE}, "softmax(Q Kᵀ / √d),  0 where the mask is false", "S K / √d", ""),
        ({"attn_mask": IS_CLOSE.double()}, "softmax(Q Kᵀ / √d + M)", "S K / √d", "\n∂L/∂M = Σ S, over the copies"),
        ({"attn_mask": IS_CLOSE.double().view(1, 1, 2, 2)}, "softmax(Q Kᵀ / √d + M)", "S K / √d", "\n∂L/∂M = S"),
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


A, B = torch.tensor([1 + 2j, 0.5 - 1j], dtype=torch.complex128), torch.tensor([3 + 4j, -2 + 1j], dtype=torch.complex128)
SQUARE = torch.tensor([[1 + 2j, 0.5], [1j, -1 + 1j]], dtype=torch.complex128)
REAL = torch.tensor([2.0, 3.0], dtype=torch.float64)
OF_COMPLEX = [
    (lambda a, b: a * b, [A, B], "p = a · b", "∂L/∂a = ∂L/∂p · conj(b)\n∂L/∂b = ∂L/∂p · conj(a)"),
    (lambda a, b: a * b, [A, REAL], "p = a · b", "∂L/∂a = ∂L/∂p · conj(b)\n∂L/∂b = Re(∂L/∂p · conj(a))"),
    (lambda a: a * (3 - 4j), [A], "p = a · (3 − 4i)", "∂L/∂a = ∂L/∂p · conj((3 − 4i))"),
    (lambda a: a * 1j, [REAL], "p = a · (0 + 1i)", "∂L/∂a = Re(∂L/∂p · conj((0 + 1i)))"),
    (lambda a: a * -2, [A], "p = a · (−2)", "∂L/∂a = ∂L/∂p · (−2)"),
    (lambda a, b: a / b, [A, B], "q = a / b", "∂L/∂a = ∂L/∂q / conj(b)\n∂L/∂b = −∂L/∂q · conj(q / b)"),
    (lambda a: 2 / a, [A], "q = 2 / a", "∂L/∂a = −∂L/∂q · conj(q / a)"),
    (lambda a, b: a + b, [A, B[:1]], "s = a + b", "∂L/∂a = ∂L/∂s\n∂L/∂b = Σ ∂L/∂s, over the copies"),
    (lambda a, b: a - b, [REAL, B], "d = a − b", "∂L/∂a = Re(∂L/∂d)\n∂L/∂b = −∂L/∂d"),
    (lambda a: -a, [A], "y = −x", "∂L/∂x = −∂L/∂y"),
    (lambda a: a**3, [A], "y = x³", "∂L/∂x = ∂L/∂y · conj(3 x²)"),
    (torch.square, [A], "y = x²", "∂L/∂x = ∂L/∂y · conj(2x)"),
    (torch.sqrt, [A], "y = √x", "∂L/∂x = ∂L/∂y / conj(2y)"),
    (torch.rsqrt, [A], "y = 1/√x", "∂L/∂x = −∂L/∂y · conj(y³/2)"),
    (torch.exp, [A], "y = eˣ", "∂L/∂x = ∂L/∂y · conj(y)"),
    (torch.log, [A], "y = ln x", "∂L/∂x = ∂L/∂y / conj(x)"),
    (torch.sin, [A], "y = sin x", "∂L/∂x = ∂L/∂y · conj(cos x)"),
    (torch.cos, [A], "y = cos x", "∂L/∂x = −∂L/∂y · conj(sin x)"),
    (torch.tanh, [A], "a = tanh z", "∂L/∂z = ∂L/∂a · conj(1 − a²)"),
    (torch.sigmoid, [A], "a = σ(z) = 1 / (1 + e⁻ᶻ)", "∂L/∂z = ∂L/∂a · conj(a(1 − a))"),
    (torch.abs, [A], "y = |x|", "∂L/∂x = ∂L/∂y · x/|x|,  0 where x = 0"),
    (lambda a: a.real, [A], "y = Re x", "∂L/∂x = ∂L/∂y"),
    (lambda a: a.imag, [A], "y = Im x", "∂L/∂x = i ∂L/∂y"),
    (torch.conj, [A], "y = conj(x)", "∂L/∂x = conj(∂L/∂y)"),
    (lambda a: a.H, [SQUARE], "y = conj(x)ᵀ", "∂L/∂x = conj(∂L/∂y)ᵀ"),
    (lambda a: a.T, [SQUARE], "y = xᵀ", "∂L/∂x = (∂L/∂y)ᵀ"),
    (torch.prod, [A], "y = Π x", "∂L/∂x = ∂L/∂y · conj(Π of the other elements)"),
    (torch.sum, [A], "s = Σ x", "∂L/∂x = ∂L/∂s, to every element"),
    (torch.matmul, [SQUARE, SQUARE], "C = A B", "∂L/∂A = ∂L/∂C · Bᴴ\n∂L/∂B = Aᴴ · ∂L/∂C"),
    (torch.bmm, [SQUARE[None], SQUARE[None]], "C = A B, for each sample", "∂L/∂A = ∂L/∂C · Bᴴ\n∂L/∂B = Aᴴ · ∂L/∂C"),
    (torch.mv, [SQUARE, A], "y = A x", "∂L/∂A = ∂L/∂y xᴴ\n∂L/∂x = Aᴴ · ∂L/∂y"),
    (torch.dot, [A, B], "s = a · b", "∂L/∂a = ∂L/∂s · conj(b)\n∂L/∂b = ∂L/∂s · conj(a)"),
    (torch.vdot, [A, B], "s = conj(a) · b", "∂L/∂a = conj(∂L/∂s) · b\n∂L/∂b = ∂L/∂s · a"),
    (
        lambda a, b: torch.einsum("ij,j->i", a, b), [SQUARE, A], "y = Σ a b over the indices that y does not have",
        "∂L/∂a = Σ ∂L/∂y conj(b) over the indices that a does not have\n∂L/∂b = Σ ∂L/∂y conj(a) over the indices that b does not have",
    ),
    (
        F.linear, [SQUARE, SQUARE, A], "z = x Wᵀ + b",
        "∂L/∂x = ∂L/∂z · conj(W)\n∂L/∂W = (∂L/∂z)ᵀ · conj(x)\n∂L/∂b = Σ ∂L/∂z over the batch",
    ),
    (
        F.conv1d, [SQUARE[None], SQUARE[None]], "y = x ∗ W", "∂L/∂x = ∂L/∂y ∗ conj(W) turned round\n∂L/∂W = conj(x) ∗ ∂L/∂y",
    ),
    (torch.linalg.norm, [A], "", ""),
    (torch.norm, [A], "", ""),
    (torch.var, [A], "", ""),
    (torch.tan, [A], "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("function", "parameters", "formula", "derivative"), OF_COMPLEX)
def test_of_complex_numbers_the_conjugates_are_said(function, parameters, formula, derivative):
    """For L = Re Σ c y, whose upstream is complex: torch's gradient is ∂L/∂Re x + i ∂L/∂Im x."""
    torch.manual_seed(0)

    class Net(Call):
        def forward(self):
            y = self.function(*self.parameters_of_call)
            return (y * torch.randn(y.shape, dtype=torch.complex128)).real.sum()

    net = Net(function)
    net.parameters_of_call = nn.ParameterList([nn.Parameter(one.clone()) for one in parameters])
    trace = capture(net, detail="layer")
    node = next(node for node in trace.nodes if node.kind == "operation")
    assert (node.formula, node.derivative) == (formula, derivative)
    agrees_with_code(trace, node)
