"""One table: per operation its formula and derivative, as text and as code.

The code explains and is tested; it must not be used to compute a trace, whose gradients are autograd's.
`code(g, y, *arguments)` gets ∂L/∂y, y (sequences if there are several outputs) and the call's own arguments. It
returns the gradient of every tensor among them, in order, None where there is none to give.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .record import Call, Node, fill, tensors_in


class Formula(NamedTuple):
    """`text` and `derivative` are strings, or functions of the call's arguments giving one; `code` may be missing."""

    text: str | Callable[..., str]
    derivative: str | Callable[..., str] = ""
    code: Callable[..., tuple] | None = None


def formula_of(operation: str) -> Formula | None:
    """The table's entry; a call that writes in place (`relu_`) has the entry of the one that does not."""
    return FORMULAS.get(operation) or FORMULAS.get(operation.rstrip("_"))


def describe(operation: str, call: Call | None) -> tuple[str, str]:
    """Formula and derivative as text, empty where the table has none."""
    formula = formula_of(operation) if call is not None else None
    if formula is None:
        return "", ""
    text, derivative = formula.text, formula.derivative
    return (
        text if isinstance(text, str) else text(*call.args, **call.kwargs),
        derivative if isinstance(derivative, str) else derivative(*call.args, **call.kwargs),
    )


def gradients_by_code(nodes: tuple[Node, ...], node: Node) -> tuple[Tensor | None, ...] | None:
    """What the table's code says the node sends to each of its inputs; None if the table has no code for it."""
    formula = formula_of(node.operation) if node.call is not None else None
    if formula is None or formula.code is None:
        return None
    inputs = [nodes[source].values[port] for source, port in zip(node.inputs, node.ports, strict=True)]
    g = [torch.zeros_like(v) if gradient is None else gradient for v, gradient in zip(node.values, node.gradients, strict=True)]
    one = len(node.values) == 1
    return formula.code(
        g[0] if one else g,
        node.value if one else node.values,
        *fill(node.call.args, inputs),
        **fill(node.call.kwargs, inputs),
    )


# -- what several formulas share -----------------------------------------------------------------------------------


def _fit(gradient: Tensor, like: Any) -> tuple[Tensor] | tuple[()]:
    """The gradient summed over the axes along which `like` was broadcast; nothing for a plain number."""
    return (gradient.sum_to_size(like.shape),) if isinstance(like, Tensor) else ()


def _elementwise(derivative: Callable[..., Tensor]) -> Callable:
    """Code from a local derivative ∂y/∂x given (x, y, *options)."""
    return lambda g, y, x, *options, **named: (g * derivative(x, y, *options, **named),)


def _axes(x: Tensor, options: tuple, named: dict) -> tuple[list[int], bool]:
    """The reduced axes, and whether they were kept, however the call said so."""
    numbers = [o for o in options if isinstance(o, int) and not isinstance(o, bool)]
    listed = next((o for o in options if isinstance(o, (tuple, list))), named.get("dim", named.get("axis")))
    chosen = numbers or ([listed] if isinstance(listed, int) else list(listed or range(x.dim())))
    return [axis % x.dim() for axis in chosen], named.get("keepdim", next((o for o in options if isinstance(o, bool)), False))


def _spread(g: Tensor, x: Tensor, options: tuple, named: dict) -> Tensor:
    """A reduction's gradient given back to every element it was made of."""
    axes, kept = _axes(x, options, named) if x.dim() else ([], True)
    for axis in [] if kept else sorted(axes):
        g = g.unsqueeze(axis)
    return g.expand_as(x)


def _averaged(g: Tensor, y: Tensor, x: Tensor, *options, **named) -> tuple[Tensor]:
    return (_spread(g, x, options, named) * (y.numel() / x.numel()),)


def _moved(name: str) -> Callable:
    """Code of an operation that only picks or rearranges: every element's gradient goes back where it came from."""

    def code(g, y, x, *options, **named):
        origins = getattr(torch.Tensor, name)(torch.arange(x.numel()).view(x.shape), *options, **named)
        parts = zip(g, origins, strict=True) if isinstance(origins, (tuple, list)) else [(g, origins)]
        home = torch.zeros_like(x, memory_format=torch.contiguous_format).view(-1)
        for part, origin in parts:
            home = home.index_add(0, origin.reshape(-1), part.reshape(-1))
        return (home.view(x.shape), *[None for _ in tensors_in(options)])

    return code


def _cat(g: Tensor, y: Tensor, tensors: Any, dim: int = 0, **_: Any) -> tuple[Tensor, ...]:
    return g.split([tensor.shape[dim] for tensor in tensors], dim)


def _matmul(g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    rows, columns = a[None] if a.dim() == 1 else a, b[:, None] if b.dim() == 1 else b
    g = g.unsqueeze(-1) if b.dim() == 1 else g
    g = g.unsqueeze(-2) if a.dim() == 1 else g
    to_a, to_b = (g @ columns.mT).sum_to_size(rows.shape), (rows.mT @ g).sum_to_size(columns.shape)
    return to_a.view(a.shape), to_b.view(b.shape)


def _linear(g: Tensor, y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> tuple[Tensor, ...]:
    flat_g, flat_x = g.reshape(-1, g.shape[-1]), x.reshape(-1, x.shape[-1])
    return (g @ weight, flat_g.T @ flat_x) + (() if bias is None else (flat_g.sum(0),))


def _normalised(g: Tensor, x: Tensor, mean: Tensor, variance: Tensor, axes: list[int], weight: Any, bias: Any, eps: float) -> tuple:
    """Gradients of x̂ = (x − μ)/√(σ² + ε), y = γ x̂ + β when μ and σ² come from x itself."""
    x_hat = (x - mean) / (variance + eps).sqrt()
    h = g if weight is None else g * weight
    to_x = (h - h.mean(axes, keepdim=True) - x_hat * (h * x_hat).mean(axes, keepdim=True)) / (variance + eps).sqrt()
    return to_x, g * x_hat, g


def _layer_norm(g, y, x, shape, weight=None, bias=None, eps=1e-5):
    axes = list(range(-len(shape), 0))
    to_x, to_weight, to_bias = _normalised(
        g, x, x.mean(axes, keepdim=True), x.var(axes, keepdim=True, unbiased=False), axes, weight, bias, eps
    )  # fmt: skip
    return (to_x,) + (_fit(to_weight, weight) if weight is not None else ()) + (_fit(to_bias, bias) if bias is not None else ())


def _batch_norm(g, y, x, running_mean=None, running_var=None, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    axes, shape = [axis for axis in range(x.dim()) if axis != 1], [1, -1] + [1] * (x.dim() - 2)
    g = g[0] if isinstance(g, list) else g
    scale = None if weight is None else weight.view(shape)
    if training:
        mean, variance = x.mean(axes, keepdim=True), x.var(axes, keepdim=True, unbiased=False)
        to_x, to_weight, to_bias = _normalised(g, x, mean, variance, axes, scale, bias, eps)
    else:
        deviation = (running_var.view(shape) + eps).sqrt()
        to_x = (g if scale is None else g * scale) / deviation
        to_weight, to_bias = g * (x - running_mean.view(shape)) / deviation, g
    statistics = tuple(None for statistic in (running_mean, running_var) if statistic is not None)
    scales = tuple(part.sum(axes) for part, of in ((to_weight, weight), (to_bias, bias)) if of is not None)
    return to_x, *statistics, *scales


# -- losses: each gives the slope per element; the reduction gives the factor --------------------------------------


def _reduction(options: tuple, named: dict) -> str:
    return named.get("reduction", next((o for o in options if isinstance(o, str)), "mean"))


def _pointwise_loss(slope: Callable[..., Tensor], symmetric: bool = True) -> Callable:
    """Code of a loss of (prediction, target), reduced over all elements; the target gets the opposite if symmetric."""

    def code(g, y, prediction, target, *options, **named):
        share = 1 / prediction.numel() if _reduction(options, named) == "mean" else 1
        keys = {key: value for key, value in named.items() if key in ("beta", "delta", "pos_weight")}
        sent = g * share * slope(prediction, target, **keys)
        return sent, -sent if symmetric else None

    return code


def _mean_of(term: str) -> Callable[..., str]:
    """A loss's text: the mean, the sum or every one of the terms."""

    def text(*options, **named):
        return {"mean": f"L = 1/n Σ {term}", "sum": f"L = Σ {term}", "none": f"L = {term}"}.get(_reduction(options, named), term)

    return text


def _slope_text(slope: str, to: str) -> Callable[..., str]:
    def text(*options, **named):
        return f"∂L/∂{to} = {slope}" + (" / n" if _reduction(options, named) == "mean" else "")

    return text


def _class_slope(g, log_p, target, weight, ignore_index, smoothing, reduction) -> Tensor:
    """∂L/∂log p of the negative log-likelihood, classes along axis 1 (0 without a batch)."""
    axis = min(1, log_p.dim() - 1)
    count = log_p.shape[axis]
    weight = torch.ones(count, dtype=log_p.dtype) if weight is None else weight
    along = [1 if i != axis else -1 for i in range(log_p.dim())]
    if target.is_floating_point():
        share = log_p.numel() / count if reduction == "mean" else 1
        return -g * ((1 - smoothing) * target + smoothing / count) * weight.view(along) / share
    kept = (target != ignore_index).to(log_p.dtype)
    chosen = target.clamp(min=0)
    own = weight[chosen] * kept
    one_hot = F.one_hot(chosen, count).movedim(-1, axis).to(log_p.dtype)
    slope = (1 - smoothing) * one_hot * own.unsqueeze(axis) + smoothing / count * weight.view(along) * kept.unsqueeze(axis)
    g = g.unsqueeze(axis) if reduction == "none" else g
    return -g * slope / (own.sum() if reduction == "mean" else 1)


def _nll_loss(g, y, log_p, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
    return (_class_slope(g, log_p, target, weight, ignore_index, 0.0, reduction), None) + (() if weight is None else (None,))


def _cross_entropy(
    g, y, z, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean",
    label_smoothing=0.0,
):  # fmt: skip
    axis = min(1, z.dim() - 1)
    slope = _class_slope(g, z.log_softmax(axis), target, weight, ignore_index, label_smoothing, reduction)
    return (slope - z.softmax(axis) * slope.sum(axis, keepdim=True), None) + (() if weight is None else (None,))


def _embedding(g, y, index, weight, padding_idx=None, *options, **named):
    sent = torch.zeros_like(weight).index_add(0, index.reshape(-1), g.reshape(-1, weight.shape[1]))
    if padding_idx is not None:
        sent[padding_idx] = 0
    return None, sent


def _conv2d(g, y, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    geometry = (stride, padding, dilation, groups)
    to_x, to_weight = (
        torch.nn.grad.conv2d_input(x.shape, weight, g, *geometry),
        torch.nn.grad.conv2d_weight(x, weight.shape, g, *geometry),
    )
    return (to_x, to_weight) + (() if bias is None else (g.sum((0, 2, 3)),))


def _write_back(g, y, base, written, where):
    return g.reshape(-1).index_fill(0, where.reshape(-1), 0).view(base.shape), g.reshape(-1)[where]


def _read_view(g, y, base, where):
    home = torch.zeros_like(base).reshape(-1)
    return (home.index_add(0, where.reshape(-1), g.reshape(-1)).view(base.shape),)


def _softmax(g, y, x, dim=-1, *options, **named):
    return (y * (g - (g * y).sum(dim, keepdim=True)),)


def _log_softmax(g, y, x, dim=-1, *options, **named):
    return (g - y.exp() * g.sum(dim, keepdim=True),)


# -- local derivatives ---------------------------------------------------------------------------------------------


def _gelu(x: Tensor, y: Tensor, approximate: str = "none") -> Tensor:
    if approximate == "none":
        return 0.5 * (1 + torch.erf(x / math.sqrt(2))) + x * torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    k = math.sqrt(2 / math.pi)
    t = torch.tanh(k * (x + 0.044715 * x**3))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * k * (1 + 3 * 0.044715 * x * x)


def _silu(x: Tensor, y: Tensor, inplace: bool = False) -> Tensor:
    s = torch.sigmoid(x)
    return s * (1 + x * (1 - s))


def _softplus(x: Tensor, y: Tensor, beta: float = 1, threshold: float = 20) -> Tensor:
    return torch.where(x * beta > threshold, 1.0, torch.sigmoid(beta * x))


def _leaky(x: Tensor, y: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    return torch.where(x > 0, torch.ones_like(x), negative_slope)


def _elu(x: Tensor, y: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    return torch.where(x > 0, 1.0, alpha * x.exp())


def _clamp(x: Tensor, y: Tensor, min: float = -math.inf, max: float = math.inf) -> Tensor:
    return ((x >= min) & (x <= max)).to(x.dtype)


def _power(g: Tensor, y: Tensor, x: Tensor, n: Any) -> tuple:
    exponent = n if isinstance(n, Tensor) else torch.tensor(n, dtype=x.dtype)
    to_x = torch.where(exponent == 0, 0.0, g * exponent * x ** (exponent - 1))
    return _fit(to_x, x) + _fit(g * y * x.log(), n)


def _smooth_slope(p: Tensor, t: Tensor, beta: float = 1.0) -> Tensor:
    return ((p - t) / beta).clamp(-1, 1) if beta else (p - t).sign()


def _bce_logits(g, y, z, target, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None):
    share = 1 / z.numel() if reduction == "mean" else 1
    p, up = torch.sigmoid(z), 1 if pos_weight is None else pos_weight
    slope = (p * (1 - target) - up * target * (1 - p)) * (1 if weight is None else weight)
    return g * share * slope, None, *[None for part in (weight, pos_weight) if part is not None]


def _linear_text(x, weight, bias=None) -> str:
    return "z = x Wᵀ" if bias is None else "z = x Wᵀ + b"


def _linear_derivative(x, weight, bias=None) -> str:
    return "∂L/∂x = ∂L/∂z · W\n∂L/∂W = (∂L/∂z)ᵀ · x" + ("" if bias is None else "\n∂L/∂b = Σ ∂L/∂z over the batch")


def _moves(text: str, name: str) -> Formula:
    return Formula(text, "∂L/∂x = ∂L/∂y, back to where each element came from", _moved(name))


FORMULAS: dict[str, Formula] = {
    # matrices
    "linear": Formula(_linear_text, _linear_derivative, _linear),
    "matmul": Formula("C = A B", "∂L/∂A = ∂L/∂C · Bᵀ\n∂L/∂B = Aᵀ · ∂L/∂C", _matmul),
    "mm": Formula("C = A B", "∂L/∂A = ∂L/∂C · Bᵀ\n∂L/∂B = Aᵀ · ∂L/∂C", _matmul),
    "bmm": Formula("C = A B, for each sample", "∂L/∂A = ∂L/∂C · Bᵀ\n∂L/∂B = Aᵀ · ∂L/∂C", _matmul),
    "dot": Formula("s = a · b", "∂L/∂a = ∂L/∂s · b\n∂L/∂b = ∂L/∂s · a", lambda g, y, a, b: (g * b, g * a)),
    # arithmetic; where an argument was broadcast its gradient is summed over the copies
    "add": Formula(
        "s = a + b", "∂L/∂a = ∂L/∂s\n∂L/∂b = ∂L/∂s",
        lambda g, y, a, b, alpha=1: _fit(g, a) + _fit(alpha * g, b),
    ),
    "sub": Formula(
        "d = a − b", "∂L/∂a = ∂L/∂d\n∂L/∂b = −∂L/∂d",
        lambda g, y, a, b, alpha=1: _fit(g, a) + _fit(-alpha * g, b),
    ),
    "rsub": Formula("d = b − a", "∂L/∂a = −∂L/∂d\n∂L/∂b = ∂L/∂d", lambda g, y, a, b: _fit(-g, a) + _fit(g, b)),
    "mul": Formula(
        "p = a · b", "∂L/∂a = ∂L/∂p · b\n∂L/∂b = ∂L/∂p · a", lambda g, y, a, b: _fit(g * b, a) + _fit(g * a, b),
    ),
    "div": Formula(
        "q = a / b", "∂L/∂a = ∂L/∂q / b\n∂L/∂b = −∂L/∂q · q / b",
        lambda g, y, a, b: _fit(g / b, a) + _fit(-g * y / b, b),
    ),
    "rdiv": Formula(
        "q = b / a", "∂L/∂a = −∂L/∂q · q / a", lambda g, y, a, b: _fit(-g * y / a, a) + _fit(g / a, b),
    ),
    "neg": Formula("y = −x", "∂L/∂x = −∂L/∂y", lambda g, y, x: (-g,)),
    "pow": Formula("y = xⁿ", "∂L/∂x = ∂L/∂y · n xⁿ⁻¹", _power),
    "rpow": Formula("y = cˣ", "∂L/∂x = ∂L/∂y · y ln c", lambda g, y, x, c: _fit(g * y * math.log(c), x)),
    "square": Formula("y = x²", "∂L/∂x = ∂L/∂y · 2x", _elementwise(lambda x, y: 2 * x)),
    "sqrt": Formula("y = √x", "∂L/∂x = ∂L/∂y / (2y)", _elementwise(lambda x, y: 0.5 / y)),
    "rsqrt": Formula("y = 1/√x", "∂L/∂x = −∂L/∂y · y³/2", _elementwise(lambda x, y: -0.5 * y**3)),
    "exp": Formula("y = eˣ", "∂L/∂x = ∂L/∂y · y", _elementwise(lambda x, y: y)),
    "log": Formula("y = ln x", "∂L/∂x = ∂L/∂y / x", _elementwise(lambda x, y: 1 / x)),
    "abs": Formula("y = |x|", "∂L/∂x = ∂L/∂y · sign x", _elementwise(lambda x, y: x.sign())),
    "sin": Formula("y = sin x", "∂L/∂x = ∂L/∂y · cos x", _elementwise(lambda x, y: x.cos())),
    "cos": Formula("y = cos x", "∂L/∂x = −∂L/∂y · sin x", _elementwise(lambda x, y: -x.sin())),
    "clamp": Formula(
        "y = min(max(x, low), high)", "∂L/∂x = ∂L/∂y where low ≤ x ≤ high, else 0", _elementwise(_clamp),
    ),
    # activations
    "relu": Formula(
        "a = max(0, z)", "∂L/∂z = ∂L/∂a · [z > 0]", _elementwise(lambda z, a, inplace=False: (z > 0).to(z.dtype)),
    ),
    "leaky_relu": Formula(
        "a = z if z > 0 else slope · z", "∂L/∂z = ∂L/∂a · (1 if z > 0 else slope)", _elementwise(_leaky),
    ),
    "elu": Formula(
        "a = z if z > 0 else α(eᶻ − 1)", "∂L/∂z = ∂L/∂a · (1 if z > 0 else α eᶻ)", _elementwise(_elu),
    ),
    "gelu": Formula("a = z Φ(z)", "∂L/∂z = ∂L/∂a · (Φ(z) + z φ(z))", _elementwise(_gelu)),
    "silu": Formula("a = z σ(z)", "∂L/∂z = ∂L/∂a · σ(z)(1 + z(1 − σ(z)))", _elementwise(_silu)),
    "softplus": Formula("a = ln(1 + e^(βz)) / β", "∂L/∂z = ∂L/∂a · σ(βz)", _elementwise(_softplus)),
    "sigmoid": Formula(
        "a = σ(z) = 1 / (1 + e⁻ᶻ)", "∂L/∂z = ∂L/∂a · a(1 − a)", _elementwise(lambda z, a: a * (1 - a)),
    ),
    "tanh": Formula("a = tanh z", "∂L/∂z = ∂L/∂a · (1 − a²)", _elementwise(lambda z, a: 1 - a * a)),
    "log_sigmoid": Formula(
        "a = ln σ(z)", "∂L/∂z = ∂L/∂a · σ(−z)", _elementwise(lambda z, a: torch.sigmoid(-z)),
    ),
    "softsign": Formula(
        "a = z / (1 + |z|)", "∂L/∂z = ∂L/∂a / (1 + |z|)²", _elementwise(lambda z, a: (1 + z.abs()) ** -2),
    ),
    "softmax": Formula("pᵢ = e^zᵢ / Σⱼ e^zⱼ", "∂L/∂z = p · (∂L/∂p − Σ ∂L/∂p · p)", _softmax),
    "log_softmax": Formula("ℓᵢ = zᵢ − ln Σⱼ e^zⱼ", "∂L/∂z = ∂L/∂ℓ − p Σ ∂L/∂ℓ,  p = e^ℓ", _log_softmax),
    # reductions
    "sum": Formula(
        "s = Σ x", "∂L/∂x = ∂L/∂s, to every element", lambda g, y, x, *o, **k: (_spread(g, x, o, k),),
    ),
    "mean": Formula("m = 1/n Σ x", "∂L/∂x = ∂L/∂m / n, to every element", _averaged),
    "logsumexp": Formula(
        "y = ln Σ eˣ", "∂L/∂x = ∂L/∂y · softmax(x)",
        lambda g, y, x, *o, **k: (_spread(g, x, o, k) * (x - _spread(y, x, o, k)).exp(),),
    ),
    "max": Formula("y = max x", "∂L/∂x = ∂L/∂y at the largest element, 0 elsewhere"),
    "min": Formula("y = min x", "∂L/∂x = ∂L/∂y at the smallest element, 0 elsewhere"),
    "amax": Formula("y = max x", "∂L/∂x = ∂L/∂y at the largest elements, shared between equals"),
    "var": Formula("σ² = 1/(n − 1) Σ (x − x̄)²", "∂L/∂x = ∂L/∂σ² · 2(x − x̄)/(n − 1)"),
    "std": Formula("σ = √(1/(n − 1) Σ (x − x̄)²)", "∂L/∂x = ∂L/∂σ · (x − x̄)/((n − 1)σ)"),
    "norm": Formula("‖x‖ = √Σ x²", "∂L/∂x = ∂L/∂‖x‖ · x / ‖x‖"),
    # picking and rearranging
    "cat": Formula("y = [a, b, …]", "∂L/∂a = its slice of ∂L/∂y", _cat),
    "stack": Formula("y = [a; b; …]", "∂L/∂a = its slice of ∂L/∂y", lambda g, y, tensors, dim=0: g.unbind(dim)),
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
        "y = x, repeated along new axes", "∂L/∂x = ∂L/∂y, summed over the copies", _moved("expand"),
    ),
    "getitem": _moves("y = x[…]", "__getitem__"),
    "select": _moves("y = x at one place of an axis", "select"),
    "narrow": _moves("y = a stretch of x", "narrow"),
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
    "setitem": Formula("x[…] = y", "∂L/∂x = ∂L/∂x′ where nothing was written, else 0"),
    "write_back": Formula(
        "x with a part written anew",
        "∂L/∂x = ∂L/∂x′ where nothing was written\nthe part gets the rest", _write_back,
    ),
    "read_view": Formula("y = a part of x", "∂L/∂x = ∂L/∂y, back to where each element came from", _read_view),
    "where": Formula(
        "y = a where c, else b", "∂L/∂a = ∂L/∂y where c\n∂L/∂b = ∂L/∂y elsewhere",
        lambda g, y, c, a, b: (None, *_fit(g * c, a), *_fit(g * ~c, b)),
    ),
    "masked_fill": Formula(
        "y = value where masked, else x", "∂L/∂x = ∂L/∂y where not masked, else 0",
        lambda g, y, x, mask, value: (g.masked_fill(mask, 0), None),
    ),
    # layers
    "dropout": Formula("y = mask · x / (1 − p)", "∂L/∂x = ∂L/∂y · mask / (1 − p)"),
    "dropout_mask": Formula("mask = 0 with probability p, else 1/(1 − p)"),
    "embedding": Formula("y = W[index]", "∂L/∂W[i] = Σ ∂L/∂y of the places that looked up i", _embedding),
    "conv1d": Formula("y = x ∗ W + b", "∂L/∂x = ∂L/∂y ∗ W turned round\n∂L/∂W = x ∗ ∂L/∂y\n∂L/∂b = Σ ∂L/∂y"),
    "conv2d": Formula(
        "y = x ∗ W + b", "∂L/∂x = ∂L/∂y ∗ W turned round\n∂L/∂W = x ∗ ∂L/∂y\n∂L/∂b = Σ ∂L/∂y", _conv2d,
    ),
    "max_pool1d": Formula(
        "y = max of each window of x", "∂L/∂x = ∂L/∂y at the element that won its window, else 0",
    ),
    "max_pool2d": Formula(
        "y = max of each window of x", "∂L/∂x = ∂L/∂y at the element that won its window, else 0",
    ),
    "avg_pool1d": Formula(
        "y = mean of each window of x", "∂L/∂x = ∂L/∂y / window size, to every element of the window",
    ),
    "avg_pool2d": Formula(
        "y = mean of each window of x", "∂L/∂x = ∂L/∂y / window size, to every element of the window",
    ),
    "layer_norm": Formula(
        "x̂ = (x − μ)/√(σ² + ε),  y = γ x̂ + β,  per sample",
        "h = γ ∂L/∂y:  ∂L/∂x = (h − mean h − x̂ mean(h x̂))/√(σ² + ε)\n∂L/∂γ = Σ ∂L/∂y · x̂\n∂L/∂β = Σ ∂L/∂y", _layer_norm,
    ),
    "batch_norm": Formula(
        "x̂ = (x − μ)/√(σ² + ε),  y = γ x̂ + β,  per feature over the batch",
        "h = γ ∂L/∂y:  ∂L/∂x = (h − mean h − x̂ mean(h x̂))/√(σ² + ε)\n∂L/∂γ = Σ ∂L/∂y · x̂\n∂L/∂β = Σ ∂L/∂y", _batch_norm,
    ),
    "lstm": Formula("c = f·c + i·g,  h = o·tanh c,  gate by gate at detail textbook"),
    "gru": Formula("h = (1 − z)·n + z·h,  gate by gate at detail textbook"),
    "scaled_dot_product_attention": Formula("y = softmax(Q Kᵀ / √d) V"),
    # losses
    "mse_loss": Formula(
        _mean_of("(ŷ − y)²"), _slope_text("2(ŷ − y)", "ŷ"), _pointwise_loss(lambda p, t: 2 * (p - t)),
    ),
    "l1_loss": Formula(
        _mean_of("|ŷ − y|"), _slope_text("sign(ŷ − y)", "ŷ"), _pointwise_loss(lambda p, t: (p - t).sign()),
    ),
    "huber_loss": Formula(
        _mean_of("½(ŷ − y)² if |ŷ − y| ≤ δ else δ(|ŷ − y| − ½δ)"), _slope_text("min(max(ŷ − y, −δ), δ)", "ŷ"),
        _pointwise_loss(lambda p, t, delta=1.0: (p - t).clamp(-delta, delta)),
    ),
    "smooth_l1_loss": Formula(
        _mean_of("½(ŷ − y)²/β if |ŷ − y| < β else |ŷ − y| − ½β"), _slope_text("min(max((ŷ − y)/β, −1), 1)", "ŷ"),
        _pointwise_loss(_smooth_slope),
    ),
    "binary_cross_entropy": Formula(
        _mean_of("−(y ln p + (1 − y) ln(1 − p))"), _slope_text("(p − y)/(p(1 − p))", "p"),
        _pointwise_loss(lambda p, t: (p - t) / (p * (1 - p)), symmetric=False),
    ),
    "binary_cross_entropy_with_logits": Formula(
        _mean_of("ln(1 + eᶻ) − y z"), _slope_text("(σ(z) − y)", "z"), _bce_logits,
    ),
    "nll_loss": Formula(_mean_of("−ℓ[y]"), _slope_text("−onehot(y)", "ℓ"), _nll_loss),
    "cross_entropy": Formula(
        _mean_of("−ln p[y],  p = softmax(z)"), _slope_text("(p − onehot(y))", "z"), _cross_entropy,
    ),
}  # fmt: skip
