"""One table: per operation its formula and derivative, as text and as code.

The code (derivatives.py, windows.py) explains and is tested; it must not be used to compute a trace, whose gradients are autograd's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from . import derivatives, windows
from .record import Call, Node, fill


class Formula(NamedTuple):
    """`text` and `derivative` are strings, or functions of the call's arguments giving one; `code` may be missing.

    Where `holds` says of the call with its tensors that they are not true, nothing is said.
    """

    text: str | Callable[..., str]
    derivative: str | Callable[..., str] = ""
    code: Callable[..., tuple] | None = None
    holds: Callable[..., bool] | None = None


def formula_of(operation: str) -> Formula | None:
    """The table's entry; a call that writes in place (`relu_`) has the entry of the one that does not."""
    return FORMULAS.get(operation) or FORMULAS.get(operation.rstrip("_"))


def describe(operation: str, call: Call | None, inputs: Sequence[Tensor] = ()) -> tuple[str, str]:
    """Formula and derivative as text, empty where the table has none for such a call. `inputs`: the call's tensors."""
    formula = formula_of(operation) if call is not None else None
    if formula is None or (formula.holds and not formula.holds(*fill(call.args, inputs), **fill(call.kwargs, inputs))):
        return "", ""
    text, derivative = formula.text, formula.derivative
    return (
        text if isinstance(text, str) else text(*call.args, **call.kwargs),
        derivative if isinstance(derivative, str) else derivative(*call.args, **call.kwargs),
    )


def gradients_by_code(nodes: tuple[Node, ...], node: Node) -> tuple[Tensor | None, ...] | None:
    """What the table's code says the node sends to each of its inputs; None if the table has no code for such a call."""
    formula = formula_of(node.operation) if node.call is not None else None
    if formula is None or formula.code is None:
        return None
    inputs = [nodes[source].values[port] for source, port in zip(node.inputs, node.ports, strict=True)]
    g = [torch.zeros_like(v) if gradient is None else gradient for v, gradient in zip(node.values, node.gradients, strict=True)]
    y = node.values
    drawn = {} if node.dropped is None else {"dropped": node.dropped}  # what no argument says
    args, named = fill(node.call.args, inputs), fill(node.call.kwargs, inputs)
    sent = formula.code(*((g[0], y[0]) if len(y) == 1 else (g, y)), *args, **named, **drawn)
    return None if sent is NotImplemented else sent


def _mean_of(term: str) -> Callable[..., str]:
    """A loss's text: the mean, the sum or every one of the terms."""

    def text(*options, **named):
        reduction = derivatives.reduction_of(options, named)
        return {"mean": f"L = 1/n Σ {term}", "sum": f"L = Σ {term}", "none": f"L = {term}"}.get(reduction, term)

    return text


def _option(options: tuple, named: dict, place: int, name: str) -> object:
    return named.get(name, options[place] if len(options) > place else None)


def _class_text(plain: str, weighted: str, smoothed: str = "") -> Callable[..., str]:
    """A loss of classes: a mean over rows that have weights is divided by the weights, not by their number."""

    def text(*options, **named):
        has_weights = _option(options, named, 2, "weight") is not None
        term = smoothed if smoothed and _option(options, named, 7, "label_smoothing") else weighted if has_weights else plain
        said = _mean_of(term)(*options, **named)
        return said.replace("1/n Σ", "1/Σ w[y] Σ") if has_weights else said

    return text


def _class_slope_text(slope: str, to: str) -> Callable[..., str]:
    def text(*options, **named):
        said = _slope_text(slope, to)(*options, **named)
        if _option(options, named, 2, "weight") is None:
            return said
        return said.replace(f"= {slope}", f"= w[y] {slope}").replace(" / n", " / Σ w[y]")

    return text


def _has_classes(z, target, *options, **named) -> bool:
    """Whether the targets are classes, and not both weighted and smoothed: of anything else the texts of cross-entropy are not true."""
    given = (z, target, *options)
    is_weighted, is_smoothed = _option(given, named, 2, "weight") is not None, bool(_option(given, named, 7, "label_smoothing"))
    return not target.is_floating_point() and not (is_weighted and is_smoothed)


def _cross_entropy_slope(*options, **named) -> str:
    target = "q" if _option(options, named, 7, "label_smoothing") else "onehot(y)"
    return _class_slope_text(f"(p − {target})", "z")(*options, **named)


def _slope_text(slope: str, to: str) -> Callable[..., str]:
    def text(*options, **named):
        return f"∂L/∂{to} = {slope}" + (" / n" if derivatives.reduction_of(options, named) == "mean" else "")

    return text


def _number(operand: object, letter: str) -> str:
    """A number that stands in the code, as the formula writes it; the letter for a tensor."""
    if not isinstance(operand, (int, float)):
        return letter
    text = f"{operand:g}".replace("-", "−")
    return f"({text})" if operand < 0 else text


def _operands(args: tuple, named: dict) -> tuple:
    """Both operands, the second maybe given by name."""
    return (*args, named.get("other", named.get("exponent")))[:2] if len(args) < 2 else args[:2]


def _text_of(result: str, right: str) -> Callable[..., str]:
    """The text of an operation of a and b, of which one may be a number: then the number stands in it."""

    def text(*args, **named):
        a, b = _operands(args, named)
        numbers = {"a": _number(a, "a"), "b": _number(b, "b")}
        return f"{result} = {''.join([numbers.get(letter, letter) for letter in right])}"

    return text


def _derivative_of(to_a: str, to_b: str) -> Callable[..., str]:
    """The same for its derivative: nothing goes back to a number."""

    def text(*args, **named):
        a, b = _operands(args, named)
        lines = [line for operand, line in ((a, to_a), (b, to_b)) if not isinstance(operand, (int, float))]
        by_b = [line.replace(" · b", f" · {_number(b, 'b')}").replace(" / b", f" / {_number(b, 'b')}") for line in lines]
        return "\n".join([line.replace(" · a", f" · {_number(a, 'a')}") for line in by_b])

    return text


_RAISED = str.maketrans("0123456789.-", "⁰¹²³⁴⁵⁶⁷⁸⁹·⁻")


def _power_text(*args, **named) -> str:
    return f"y = {_power(_operands(args, named)[1])}"


def _power_derivative(*args, **named) -> str:
    _, exponent = _operands(args, named)
    if not isinstance(exponent, (int, float)):
        return "∂L/∂x = ∂L/∂y · n xⁿ⁻¹"
    return f"∂L/∂x = ∂L/∂y · {_number(exponent, 'n')} {_power(exponent - 1)}".removesuffix(" x⁰")


def _power(exponent: object) -> str:
    if not isinstance(exponent, (int, float)):
        return "xⁿ"
    return "x" if exponent == 1 else "x" + f"{exponent:g}".translate(_RAISED)


def _linear_text(x, weight, bias=None) -> str:
    return "z = x Wᵀ" if bias is None else "z = x Wᵀ + b"


def _linear_derivative(x, weight, bias=None) -> str:
    return "∂L/∂x = ∂L/∂z · W\n∂L/∂W = (∂L/∂z)ᵀ · x" + ("" if bias is None else "\n∂L/∂b = Σ ∂L/∂z over the batch")


def _convolution_text(x, weight, bias=None, *options, **named) -> str:
    return "y = x ∗ W" + ("" if bias is None else " + b")


def _convolution_derivative(x, weight, bias=None, *options, **named) -> str:
    return "∂L/∂x = ∂L/∂y ∗ W turned round\n∂L/∂W = x ∗ ∂L/∂y" + ("" if bias is None else "\n∂L/∂b = Σ ∂L/∂y")


def _transposed_text(x, weight, bias=None, *options, **named) -> str:
    return "y = W spread out by every element of x" + ("" if bias is None else ", + b")


def _transposed_derivative(x, weight, bias=None, *options, **named) -> str:
    return "∂L/∂x = ∂L/∂y ∗ W\n∂L/∂W = ∂L/∂y ∗ x" + ("" if bias is None else "\n∂L/∂b = Σ ∂L/∂y")


def _normalised_text(weight: object, bias: object, over: str) -> str:
    """What is returned stands first: without γ and β it is x̂ itself."""
    deviation = "(x − μ)/√(σ² + ε)"
    if weight is None and bias is None:
        return f"y = {deviation},  {over}"
    scaled = ("x̂" if weight is None else "γ x̂") + ("" if bias is None else " + β")
    return f"y = {scaled},  x̂ = {deviation},  {over}"


def _normalised_derivative(weight: object, bias: object, are_means_fixed: bool = False) -> str:
    h = "∂L/∂y" if weight is None else "γ ∂L/∂y"
    hat = "y" if weight is None and bias is None else "x̂"
    to_x = f"∂L/∂x = {h} / √(σ² + ε)" if are_means_fixed else f"h = {h}:  ∂L/∂x = (h − mean h − {hat} mean(h {hat}))/√(σ² + ε)"
    return to_x + ("" if weight is None else f"\n∂L/∂γ = Σ ∂L/∂y · {hat}") + ("" if bias is None else "\n∂L/∂β = Σ ∂L/∂y")


def _layer_norm_text(x, shape, weight=None, bias=None, *options, **named) -> str:
    return _normalised_text(weight, bias, "per sample")


def _group_norm_text(x, groups, weight=None, bias=None, *options, **named) -> str:
    return _normalised_text(weight, bias, "per group of channels")


def _scaled_derivative(x, sizes, weight=None, bias=None, *options, **named) -> str:
    return _normalised_derivative(weight, bias)


def _batch_norm_text(x, mean=None, variance=None, weight=None, bias=None, training=False, *options, **named) -> str:
    return _normalised_text(weight, bias, "per feature over the batch" if training else "with the running μ and σ²")


def _batch_norm_derivative(x, mean=None, variance=None, weight=None, bias=None, training=False, *options, **named) -> str:
    return _normalised_derivative(weight, bias, are_means_fixed=not training)


def _extreme_derivative(relation: str) -> str:
    return "\n".join([f"∂L/∂{a} = ∂L/∂y where {a} {relation} {b}, half of it where {a} = {b}" for a, b in ("ab", "ba")])


_LETTERS = "abcd"


def _joined_text(between: str) -> Callable[..., str]:
    def text(tensors, *options, **named):
        letters = _LETTERS if len(tensors) <= len(_LETTERS) else "ab…"
        return f"y = [{between.join(letters[: len(tensors)])}]"

    return text


def _joined_derivative(tensors, *options, **named) -> str:
    letters = _LETTERS[: len(tensors)] if len(tensors) <= len(_LETTERS) else "a"
    return "\n".join([f"∂L/∂{letter} = its slice of ∂L/∂y" for letter in letters])


def _moves(text: str, name: str) -> Formula:
    return Formula(text, "∂L/∂x = ∂L/∂y, back to where each element came from", derivatives.moved(name))


FORMULAS: dict[str, Formula] = {
    # matrices
    "linear": Formula(_linear_text, _linear_derivative, derivatives.linear),
    "matmul": Formula("C = A B", "∂L/∂A = ∂L/∂C · Bᵀ\n∂L/∂B = Aᵀ · ∂L/∂C", derivatives.matmul),
    "mm": Formula("C = A B", "∂L/∂A = ∂L/∂C · Bᵀ\n∂L/∂B = Aᵀ · ∂L/∂C", derivatives.matmul),
    "bmm": Formula("C = A B, for each sample", "∂L/∂A = ∂L/∂C · Bᵀ\n∂L/∂B = Aᵀ · ∂L/∂C", derivatives.matmul),
    "mv": Formula("y = A x", "∂L/∂A = ∂L/∂y xᵀ\n∂L/∂x = Aᵀ · ∂L/∂y", derivatives.matmul),
    "vdot": Formula("s = a · b", "∂L/∂a = ∂L/∂s · b\n∂L/∂b = ∂L/∂s · a", lambda g, y, a, b: (g * b, g * a)),
    "einsum": Formula(
        "y = Σ a b … over the indices that y does not have", "∂L/∂a = Σ ∂L/∂y b … over the indices that a does not have",
        derivatives.einsum,
    ),
    "dot": Formula("s = a · b", "∂L/∂a = ∂L/∂s · b\n∂L/∂b = ∂L/∂s · a", lambda g, y, a, b: (g * b, g * a)),
    # arithmetic; where an argument was broadcast its gradient is summed over the copies
    "add": Formula(
        _text_of("s", "a + b"), _derivative_of("∂L/∂a = ∂L/∂s", "∂L/∂b = ∂L/∂s"),
        lambda g, y, a, b, alpha=1: derivatives.fit(g, a) + derivatives.fit(alpha * g, b),
    ),
    "sub": Formula(
        _text_of("d", "a − b"), _derivative_of("∂L/∂a = ∂L/∂d", "∂L/∂b = −∂L/∂d"),
        lambda g, y, a, b, alpha=1: derivatives.fit(g, a) + derivatives.fit(-alpha * g, b),
    ),
    "rsub": Formula(
        _text_of("d", "b − a"), _derivative_of("∂L/∂a = −∂L/∂d", "∂L/∂b = ∂L/∂d"),
        lambda g, y, a, b: derivatives.fit(-g, a) + derivatives.fit(g, b),
    ),
    "mul": Formula(
        _text_of("p", "a · b"), _derivative_of("∂L/∂a = ∂L/∂p · b", "∂L/∂b = ∂L/∂p · a"),
        lambda g, y, a, b: derivatives.fit(g * b, a) + derivatives.fit(g * a, b),
    ),
    "div": Formula(
        _text_of("q", "a / b"), _derivative_of("∂L/∂a = ∂L/∂q / b", "∂L/∂b = −∂L/∂q · q / b"),
        lambda g, y, a, b: derivatives.fit(g / b, a) + derivatives.fit(-g * y / b, b),
    ),
    "rdiv": Formula(
        _text_of("q", "b / a"), _derivative_of("∂L/∂a = −∂L/∂q · q / a", "∂L/∂b = ∂L/∂q / a"),
        lambda g, y, a, b: derivatives.fit(-g * y / a, a) + derivatives.fit(g / a, b),
    ),
    "neg": Formula("y = −x", "∂L/∂x = −∂L/∂y", lambda g, y, x: (-g,)),
    "pow": Formula(_power_text, _power_derivative, derivatives.power),
    "rpow": Formula(
        lambda x, c: f"y = {_number(c, 'c')}ˣ", lambda x, c: f"∂L/∂x = ∂L/∂y · y ln {_number(c, 'c')}",
        lambda g, y, x, c: derivatives.fit(g * y * math.log(c), x),
    ),
    "square": Formula("y = x²", "∂L/∂x = ∂L/∂y · 2x", derivatives.elementwise(lambda x, y: 2 * x)),
    "sqrt": Formula("y = √x", "∂L/∂x = ∂L/∂y / (2y)", derivatives.elementwise(lambda x, y: 0.5 / y)),
    "rsqrt": Formula("y = 1/√x", "∂L/∂x = −∂L/∂y · y³/2", derivatives.elementwise(lambda x, y: -0.5 * y**3)),
    "exp": Formula("y = eˣ", "∂L/∂x = ∂L/∂y · y", derivatives.elementwise(lambda x, y: y)),
    "log": Formula("y = ln x", "∂L/∂x = ∂L/∂y / x", derivatives.elementwise(lambda x, y: 1 / x)),
    "abs": Formula("y = |x|", "∂L/∂x = ∂L/∂y · sign x", derivatives.elementwise(lambda x, y: x.sign())),
    "sin": Formula("y = sin x", "∂L/∂x = ∂L/∂y · cos x", derivatives.elementwise(lambda x, y: x.cos())),
    "cos": Formula("y = cos x", "∂L/∂x = −∂L/∂y · sin x", derivatives.elementwise(lambda x, y: -x.sin())),
    "clamp": Formula(
        "y = min(max(x, low), high)", "∂L/∂x = ∂L/∂y where low ≤ x ≤ high, else 0", derivatives.elementwise(derivatives.clamp),
    ),
    # activations
    "relu": Formula(
        "a = max(0, z)", "∂L/∂z = ∂L/∂a · [z > 0]", derivatives.elementwise(lambda z, a, inplace=False: (z > 0).to(z.dtype)),
    ),
    "leaky_relu": Formula(
        "a = z if z > 0 else slope · z", "∂L/∂z = ∂L/∂a · (1 if z > 0 else slope)", derivatives.elementwise(derivatives.leaky_relu),
    ),
    "elu": Formula(
        "a = z if z > 0 else α(eᶻ − 1)", "∂L/∂z = ∂L/∂a · (1 if z > 0 else α eᶻ)", derivatives.elementwise(derivatives.elu),
    ),
    "gelu": Formula("a = z Φ(z)", "∂L/∂z = ∂L/∂a · (Φ(z) + z φ(z))", derivatives.elementwise(derivatives.gelu)),
    "silu": Formula("a = z σ(z)", "∂L/∂z = ∂L/∂a · σ(z)(1 + z(1 − σ(z)))", derivatives.elementwise(derivatives.silu)),
    "softplus": Formula("a = ln(1 + e^(βz)) / β", "∂L/∂z = ∂L/∂a · σ(βz)", derivatives.elementwise(derivatives.softplus)),
    "sigmoid": Formula(
        "a = σ(z) = 1 / (1 + e⁻ᶻ)", "∂L/∂z = ∂L/∂a · a(1 − a)", derivatives.elementwise(lambda z, a: a * (1 - a)),
    ),
    "tanh": Formula("a = tanh z", "∂L/∂z = ∂L/∂a · (1 − a²)", derivatives.elementwise(lambda z, a: 1 - a * a)),
    "log_sigmoid": Formula(
        "a = ln σ(z)", "∂L/∂z = ∂L/∂a · σ(−z)", derivatives.elementwise(lambda z, a: torch.sigmoid(-z)),
    ),
    "hardtanh": Formula(
        "a = min(max(z, low), high)", "∂L/∂z = ∂L/∂a · [low < z < high]", derivatives.elementwise(derivatives.hardtanh),
    ),
    "relu6": Formula(
        "a = min(max(z, 0), 6)", "∂L/∂z = ∂L/∂a · [0 < z < 6]",
        derivatives.elementwise(lambda z, a, inplace=False: derivatives.hardtanh(z, a, 0, 6)),
    ),
    # no code: torch's own slope is 1/6 in single precision, whatever the tensors are
    "hardsigmoid": Formula("a = min(max(z/6 + ½, 0), 1)", "∂L/∂z = ∂L/∂a / 6 · [−3 < z < 3]"),
    "hardswish": Formula(
        "a = z · min(max(z/6 + ½, 0), 1)", "∂L/∂z = ∂L/∂a · (0 if z ≤ −3, 1 if z ≥ 3, else z/3 + ½)",
        derivatives.elementwise(lambda z, a, inplace=False: torch.where(z.abs() < 3, z / 3 + 0.5, (z > 0).to(z.dtype))),
    ),
    "selu": Formula(
        "a = λ(z if z > 0 else α(eᶻ − 1))", "∂L/∂z = ∂L/∂a · λ(1 if z > 0 else α eᶻ)", derivatives.elementwise(derivatives.selu),
    ),
    "celu": Formula(
        "a = z if z > 0 else α(e^(z/α) − 1)", "∂L/∂z = ∂L/∂a · (1 if z > 0 else e^(z/α))",
        derivatives.elementwise(lambda z, a, alpha=1.0, inplace=False: torch.where(z > 0, 1.0, (z / alpha).exp())),
    ),
    "mish": Formula(
        "a = z tanh(s),  s = ln(1 + eᶻ)", "∂L/∂z = ∂L/∂a · (tanh s + z σ(z)(1 − tanh² s))", derivatives.elementwise(derivatives.mish),
    ),
    "tanhshrink": Formula("a = z − tanh z", "∂L/∂z = ∂L/∂a · tanh² z", derivatives.elementwise(lambda z, a: z.tanh() ** 2)),
    "prelu": Formula(
        "a = z if z > 0 else w z", "∂L/∂z = ∂L/∂a · (1 if z > 0 else w)\n∂L/∂w = Σ ∂L/∂a · min(z, 0)", derivatives.prelu,
    ),
    "softmin": Formula(
        "pᵢ = e^−zᵢ / Σⱼ e^−zⱼ", "∂L/∂z = −p · (∂L/∂p − Σ ∂L/∂p · p)",
        lambda g, y, x, *o, **k: (-derivatives.softmax(g, y, x, *o, **k)[0],),
    ),
    "softsign": Formula(
        "a = z / (1 + |z|)", "∂L/∂z = ∂L/∂a / (1 + |z|)²", derivatives.elementwise(lambda z, a: (1 + z.abs()) ** -2),
    ),
    "softmax": Formula("pᵢ = e^zᵢ / Σⱼ e^zⱼ", "∂L/∂z = p · (∂L/∂p − Σ ∂L/∂p · p)", derivatives.softmax),
    "log_softmax": Formula("ℓᵢ = zᵢ − ln Σⱼ e^zⱼ", "∂L/∂z = ∂L/∂ℓ − p Σ ∂L/∂ℓ,  p = e^ℓ", derivatives.log_softmax),
    # reductions
    "sum": Formula(
        "s = Σ x", "∂L/∂x = ∂L/∂s, to every element", lambda g, y, x, *o, **k: (derivatives.spread(g, x, o, k),),
    ),
    "mean": Formula("m = 1/n Σ x", "∂L/∂x = ∂L/∂m / n, to every element", derivatives.averaged),
    "logsumexp": Formula(
        "y = ln Σ eˣ", "∂L/∂x = ∂L/∂y · softmax(x)",
        lambda g, y, x, *o, **k: (derivatives.spread(g, x, o, k) * (x - derivatives.spread(y, x, o, k)).exp(),),
    ),
    "max": Formula("y = max x", "∂L/∂x = ∂L/∂y at the largest element, 0 elsewhere", derivatives.extreme),
    "min": Formula("y = min x", "∂L/∂x = ∂L/∂y at the smallest element, 0 elsewhere", derivatives.extreme),
    "amax": Formula("y = max x", "∂L/∂x = ∂L/∂y at the largest elements, shared between equals", derivatives.shared_extreme),
    "amin": Formula("y = min x", "∂L/∂x = ∂L/∂y at the smallest elements, shared between equals", derivatives.shared_extreme),
    "maximum": Formula("y = max(a, b)", _extreme_derivative(">"), derivatives.larger),
    "minimum": Formula("y = min(a, b)", _extreme_derivative("<"), derivatives.smaller),
    "var": Formula("σ² = 1/(n − 1) Σ (x − x̄)²", "∂L/∂x = ∂L/∂σ² · 2(x − x̄)/(n − 1)", derivatives.variance),
    "std": Formula("σ = √(1/(n − 1) Σ (x − x̄)²)", "∂L/∂x = ∂L/∂σ · (x − x̄)/((n − 1)σ)", derivatives.deviation),
    "norm": Formula("‖x‖ = √Σ x²", "∂L/∂x = ∂L/∂‖x‖ · x / ‖x‖", derivatives.norm),
    "cumsum": Formula("yᵢ = x₁ + … + xᵢ", "∂L/∂xᵢ = Σ ∂L/∂yⱼ for j ≥ i", derivatives.running_sum),
    "prod": Formula("y = Π x", "∂L/∂x = ∂L/∂y · y / x", derivatives.product),
    # picking and rearranging
    "cat": Formula(_joined_text(", "), _joined_derivative, derivatives.cat),
    "stack": Formula(_joined_text("; "), _joined_derivative, lambda g, y, tensors, dim=0: g.unbind(dim)),
    "reshape": _moves("y = x in another shape", "reshape"),
    "view": _moves("y = x in another shape", "view"),
    "flatten": _moves("y = x in one row", "flatten"),
    "unflatten": _moves("y = x in another shape", "unflatten"),
    "transpose": _moves("y = x, two axes swapped", "transpose"),
    "t": _moves("y = xᵀ", "t"),
    "permute": _moves("y = x, axes reordered", "permute"),
    "squeeze": _moves("y = x without axes of length 1", "squeeze"),
    "unsqueeze": _moves("y = x with an axis of length 1", "unsqueeze"),
    "expand": Formula(
        "y = x, repeated along new axes", "∂L/∂x = ∂L/∂y, summed over the copies", derivatives.moved("expand"),
    ),
    "getitem": _moves("y = x[…]", "__getitem__"),
    "select": _moves("y = x at one place of an axis", "select"),
    "narrow": _moves("y = a stretch of x", "narrow"),
    "block": Formula(
        lambda x, k, count: f"y = block {k + 1} of {count} of x", "∂L/∂x = ∂L/∂y in this block, 0 in the others", derivatives.block,
    ),
    "chunk": _moves("y₁, y₂, … = x in equal parts", "chunk"),
    "split": _moves("y₁, y₂, … = x in parts", "split"),
    "unbind": _moves("y₁, y₂, … = x, slice by slice", "unbind"),
    "contiguous": _moves("y = x, laid out anew in memory", "contiguous"),
    "clone": _moves("y = x", "clone"),
    "T": Formula("y = xᵀ", "∂L/∂x = (∂L/∂y)ᵀ", lambda g, y, x: (g.T,)),
    "mT": Formula("y = xᵀ", "∂L/∂x = (∂L/∂y)ᵀ", lambda g, y, x: (g.mT,)),
    "H": Formula("y = xᵀ", "∂L/∂x = (∂L/∂y)ᵀ", lambda g, y, x: (g.T,)),
    "to": Formula("y = x, stored otherwise", "∂L/∂x = ∂L/∂y", lambda g, y, x, *o, **k: (g.to(x.dtype),)),
    "double": Formula("y = x in 64 bits", "∂L/∂x = ∂L/∂y", lambda g, y, x: (g.to(x.dtype),)),
    "float": Formula("y = x in 32 bits", "∂L/∂x = ∂L/∂y", lambda g, y, x: (g.to(x.dtype),)),
    "detach": Formula("y = x", "no gradient passes"),
    "setitem": Formula(
        "x′ = x, y written at […]",
        "∂L/∂x = ∂L/∂x′ where nothing was written, else 0\n∂L/∂y = ∂L/∂x′ where it was written", derivatives.write_item,
    ),
    "index_add": Formula(
        "x′ = x, y added at index", "∂L/∂x = ∂L/∂x′\n∂L/∂y = ∂L/∂x′ at index",
        lambda g, y, x, dim, index, source, alpha=1: (g, None, alpha * g.index_select(dim, index)),
    ),
    "write_back": Formula(
        "x′ = x, a part of it written anew",
        "∂L/∂x = ∂L/∂x′ where nothing was written\nthe part gets the rest", derivatives.write_back,
    ),
    "read_view": Formula("y = a part of x", "∂L/∂x = ∂L/∂y, back to where each element came from", derivatives.read_view),
    "where": Formula(
        "y = a where c, else b", "∂L/∂a = ∂L/∂y where c\n∂L/∂b = ∂L/∂y elsewhere",
        lambda g, y, c, a, b: (None, *derivatives.fit(g * c, a), *derivatives.fit(g * ~c, b)),
    ),
    "masked_fill": Formula(
        "y = value where masked, else x", "∂L/∂x = ∂L/∂y where not masked, else 0",
        lambda g, y, x, mask, value: (g.masked_fill(mask, 0), None),
    ),
    # layers
    **dict.fromkeys(
        ("dropout", "dropout1d", "dropout2d", "dropout3d"),
        Formula("y = mask · x / (1 − p)", "∂L/∂x = ∂L/∂y · mask / (1 − p)", derivatives.dropout),
    ),
    "randn": Formula("ε ~ N(0, 1), drawn anew in every iteration"),
    "one_hot": Formula("y = 1 at the place x names, else 0"),
    "long": Formula("y = x as whole numbers"),
    "dropout_mask": Formula("mask = 0 with probability p, else 1/(1 − p)"),
    "embedding": Formula("y = W[index]", "∂L/∂W[i] = Σ ∂L/∂y of the places that looked up i", derivatives.embedding),
    **dict.fromkeys(
        ("conv1d", "conv2d", "conv3d"),
        Formula(_convolution_text, _convolution_derivative, windows.convolution),
    ),
    **dict.fromkeys(
        ("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"),
        Formula(_transposed_text, _transposed_derivative, windows.transposed_convolution),
    ),
    **dict.fromkeys(
        ("max_pool1d", "max_pool2d", "max_pool3d"),
        Formula("y = max of each window of x", "∂L/∂x = ∂L/∂y at the element that won its window, else 0", windows.max_pool),
    ),
    **dict.fromkeys(
        ("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d"),
        Formula("y = max of each window of x", "∂L/∂x = ∂L/∂y at the element that won its window, else 0", windows.adaptive_max_pool),
    ),
    **dict.fromkeys(
        ("avg_pool1d", "avg_pool2d", "avg_pool3d"),
        Formula("y = mean of each window of x", "∂L/∂x = ∂L/∂y / window size, to every element of the window", windows.average_pool),
    ),
    **dict.fromkeys(
        ("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"),
        Formula(
            "y = mean of each window of x", "∂L/∂x = ∂L/∂y / window size, to every element of the window",
            windows.adaptive_average_pool,
        ),
    ),
    "group_norm": Formula(_group_norm_text, _scaled_derivative, derivatives.group_norm),
    "layer_norm": Formula(_layer_norm_text, _scaled_derivative, derivatives.layer_norm),
    "batch_norm": Formula(_batch_norm_text, _batch_norm_derivative, derivatives.batch_norm),
    "lstm": Formula("h = o·tanh c,  c = f·c₋ + i·g,  gate by gate at detail textbook"),
    "gru": Formula("h = (1 − z)·n + z·h₋,  gate by gate at detail textbook"),
    **dict.fromkeys(("rnn_tanh", "rnn_relu"), Formula("h = f(W x + U h₋ + b),  step by step at detail textbook")),
    "scaled_dot_product_attention": Formula(
        "y = P V,  P = softmax(Q Kᵀ / √d)",
        "∂L/∂V = Pᵀ ∂L/∂y\nS = P · (∂L/∂y Vᵀ − Σ ∂L/∂y Vᵀ · P):  ∂L/∂Q = S K / √d\n∂L/∂K = Sᵀ Q / √d", derivatives.attention,
    ),
    # losses
    "mse_loss": Formula(
        _mean_of("(ŷ − y)²"), _slope_text("2(ŷ − y)", "ŷ"), derivatives.pointwise_loss(lambda p, t: 2 * (p - t)),
    ),
    "l1_loss": Formula(
        _mean_of("|ŷ − y|"), _slope_text("sign(ŷ − y)", "ŷ"), derivatives.pointwise_loss(lambda p, t: (p - t).sign()),
    ),
    "huber_loss": Formula(
        _mean_of("½(ŷ − y)² if |ŷ − y| ≤ δ else δ(|ŷ − y| − ½δ)"), _slope_text("min(max(ŷ − y, −δ), δ)", "ŷ"),
        derivatives.pointwise_loss(lambda p, t, delta=1.0: (p - t).clamp(-delta, delta)),
    ),
    "smooth_l1_loss": Formula(
        _mean_of("½(ŷ − y)²/β if |ŷ − y| < β else |ŷ − y| − ½β"), _slope_text("min(max((ŷ − y)/β, −1), 1)", "ŷ"),
        derivatives.pointwise_loss(derivatives.smooth_l1),
    ),
    "binary_cross_entropy": Formula(
        _mean_of("−(y ln p + (1 − y) ln(1 − p))"), _slope_text("(p − y)/(p(1 − p))", "p"),
        derivatives.pointwise_loss(lambda p, t: (p - t) / (p * (1 - p)), symmetric=False),
    ),
    "binary_cross_entropy_with_logits": Formula(
        _mean_of("ln(1 + eᶻ) − y z"), _slope_text("(σ(z) − y)", "z"), derivatives.bce_logits,
    ),
    "nll_loss": Formula(_class_text("−ℓ[y]", "−w[y] ℓ[y]"), _class_slope_text("(−onehot(y))", "ℓ"), derivatives.nll_loss),
    "cross_entropy": Formula(
        _class_text(
            "−ln p[y],  p = softmax(z)", "−w[y] ln p[y],  p = softmax(z)", "−Σₖ qₖ ln pₖ,  p = softmax(z),  q = (1 − s) onehot(y) + s/K"
        ),
        _cross_entropy_slope, derivatives.cross_entropy, _has_classes,
    ),
}  # fmt: skip
