"""The derivatives of the table of operations as code: what each operation sends to its inputs.

A rule `(g, y, *arguments)` gets ∂L/∂y, y (sequences if there are several outputs) and the call's own arguments. It gives
the gradient of every tensor among them, in order, None where there is none to give; or NotImplemented for a call it does
not know. `elementwise` makes one from a slope ∂y/∂x.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nnviz.trace import Node
from nnviz.trace.record import fill, tensors_in

# -- what several formulas share -----------------------------------------------------------------------------------


def fit(gradient: Tensor, like: Any) -> tuple[Tensor] | tuple[()]:
    """The gradient summed over the axes along which `like` was broadcast; nothing for a plain number."""
    return (gradient.sum_to_size(like.shape),) if isinstance(like, Tensor) else ()


def elementwise(derivative: Callable[..., Tensor]) -> Callable:
    """Code from a local derivative ∂y/∂x given (x, y, *options)."""
    return lambda g, y, x, *options, **named: (g * derivative(x, y, *options, **named),)


def _axes(x: Tensor, options: tuple, named: dict) -> tuple[list[int], bool]:
    """The reduced axes, and whether they were kept, however the call said so."""
    numbers = [o for o in options if isinstance(o, int) and not isinstance(o, bool)]
    listed = next((o for o in options if isinstance(o, (tuple, list))), named.get("dim", named.get("axis")))
    chosen = numbers or ([listed] if isinstance(listed, int) else list(listed or range(x.dim())))
    return [axis % x.dim() for axis in chosen], named.get("keepdim", next((o for o in options if isinstance(o, bool)), False))


def spread(g: Tensor, x: Tensor, options: tuple, named: dict) -> Tensor:
    """A reduction's gradient given back to every element it was made of."""
    axes, kept = _axes(x, options, named) if x.dim() else ([], True)
    for axis in [] if kept else sorted(axes):
        g = g.unsqueeze(axis)
    return g.expand_as(x)


def averaged(g: Tensor, y: Tensor, x: Tensor, *options, **named) -> tuple[Tensor]:
    return (spread(g, x, options, named) * (y.numel() / x.numel()),)


def moved(name: str) -> Callable:
    """Code of an operation that only picks or rearranges: every element's gradient goes back where it came from."""

    def code(g, y, x, *options, **named):
        origins = getattr(torch.Tensor, name)(torch.arange(x.numel()).view(x.shape), *options, **named)
        parts, origins = ([part] if isinstance(part, Tensor) else part for part in (g, origins))
        home = torch.zeros_like(x, memory_format=torch.contiguous_format).view(-1)
        for part, origin in zip(parts, origins, strict=True):
            home = home.index_add(0, origin.reshape(-1), part.reshape(-1))
        return (home.view(x.shape), *[None for _ in tensors_in(options)])

    return code


def block(g: Tensor, y: Tensor, x: Tensor, k: int, count: int) -> tuple[Tensor]:
    return (torch.cat([g if place == k else torch.zeros_like(g) for place in range(count)], -1),)


def cat(g: Tensor, y: Tensor, tensors: Any, dim: int = 0, **_: Any) -> tuple[Tensor, ...]:
    return g.split([tensor.shape[dim] for tensor in tensors], dim)


def matmul(g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    rows, columns = a[None] if a.dim() == 1 else a, b[:, None] if b.dim() == 1 else b
    g = g.unsqueeze(-1) if b.dim() == 1 else g
    g = g.unsqueeze(-2) if a.dim() == 1 else g
    to_a, to_b = (g @ columns.mT).sum_to_size(rows.shape), (rows.mT @ g).sum_to_size(columns.shape)
    return to_a.view(a.shape), to_b.view(b.shape)


def linear(g: Tensor, y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> tuple[Tensor, ...]:
    flat_g, flat_x = g.reshape(-1, g.shape[-1]), x.reshape(-1, x.shape[-1])
    return (g @ weight, flat_g.T @ flat_x) + (() if bias is None else (flat_g.sum(0),))


def _normalised(g: Tensor, x: Tensor, mean: Tensor, variance: Tensor, axes: list[int], weight: Any, bias: Any, eps: float) -> tuple:
    """Gradients of x̂ = (x − μ)/√(σ² + ε), y = γ x̂ + β when μ and σ² come from x itself."""
    x_hat = (x - mean) / (variance + eps).sqrt()
    h = g if weight is None else g * weight
    to_x = (h - h.mean(axes, keepdim=True) - x_hat * (h * x_hat).mean(axes, keepdim=True)) / (variance + eps).sqrt()
    return to_x, g * x_hat, g


def layer_norm(g, y, x, shape, weight=None, bias=None, eps=1e-5):
    axes = list(range(-len(shape), 0))
    to_x, to_weight, to_bias = _normalised(
        g, x, x.mean(axes, keepdim=True), x.var(axes, keepdim=True, unbiased=False), axes, weight, bias, eps
    )  # fmt: skip
    return (to_x,) + (fit(to_weight, weight) if weight is not None else ()) + (fit(to_bias, bias) if bias is not None else ())


def batch_norm(g, y, x, running_mean=None, running_var=None, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
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


def group_norm(g, y, x, num_groups, weight=None, bias=None, eps=1e-5):
    groups = (len(x), num_groups, -1)
    per_channel = (1, -1, *[1] * (x.dim() - 2))
    grouped, h = x.reshape(groups), (g if weight is None else g * weight.view(per_channel)).reshape(groups)
    mean, variance = grouped.mean(-1, keepdim=True), grouped.var(-1, keepdim=True, unbiased=False)
    to_x, _, _ = _normalised(h, grouped, mean, variance, [-1], None, None, eps)
    x_hat = ((grouped - mean) / (variance + eps).sqrt()).reshape(x.shape)
    per_feature = [part.transpose(0, 1).flatten(1).sum(1) for part in (g * x_hat, g)]
    return to_x.reshape(x.shape), *[part for part, of in zip(per_feature, (weight, bias), strict=True) if of is not None]


# -- reductions that single elements out, and products -------------------------------------------------------------


def extreme(g, y, x, *options, **named):
    """Of `max` and `min`: over all elements, along an axis, or of two tensors."""
    if isinstance(y, Tensor):
        if options and isinstance(options[0], Tensor):
            return NotImplemented
        return shared_extreme(g, y, x)
    (sent, places), kept = (g[0], y[1]), y[0].dim() == x.dim()
    axis = named.get("dim", next((option for option in options if not isinstance(option, bool)), 0))
    if not kept:
        sent, places = sent.unsqueeze(axis), places.unsqueeze(axis)
    return (torch.zeros_like(x).scatter(axis, places, sent),)


def shared_extreme(g, y, x, *options, **named):
    won = x == spread(y, x, options, named)
    axes, _ = _axes(x, options, named) if x.dim() else ([], True)
    return (spread(g, x, options, named) * won / (won.sum(axes, keepdim=True) if axes else 1),)


def larger(g, y, a, b):
    share = (a > b) + 0.5 * (a == b)
    return *fit(g * share, a), *fit(g * (1 - share), b)


def smaller(g, y, a, b):
    share = (a < b) + 0.5 * (a == b)
    return *fit(g * share, a), *fit(g * (1 - share), b)


def _around_mean(x: Tensor, y: Tensor, options: tuple, named: dict) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """2(x − x̄)/(n − correction), and how to give something of y's shape back to x's."""
    flags = [option for option in options if isinstance(option, bool)] + [None, None]
    unbiased = named.get("unbiased", flags[0])
    correction = named.get("correction", 1 if unbiased is None else int(unbiased))
    dims = [option for option in options if not isinstance(option, bool) and option is not None]
    shape = {"dim": named.get("dim", dims[0] if dims else None), "keepdim": named.get("keepdim", bool(flags[1]))}
    axes, _ = _axes(x, (), shape)
    centred = x - x.mean(axes, keepdim=True)
    return 2 * centred / (x.numel() / y.numel() - correction), lambda part: spread(part, x, (), shape)


def variance(g, y, x, *options, **named):
    slope, back = _around_mean(x, y, options, named)
    return (back(g) * slope,)


def deviation(g, y, x, *options, **named):
    slope, back = _around_mean(x, y, options, named)
    return (torch.where(back(y) == 0, 0.0, back(g) * slope / (2 * back(y))),)


def norm(g, y, x, p="fro", dim=None, keepdim=False, out=None, dtype=None):
    if p not in ("fro", 2, None):
        return NotImplemented
    shape = {"dim": dim, "keepdim": keepdim}
    return (torch.where(spread(y, x, (), shape) == 0, 0.0, spread(g / y, x, (), shape) * x),)


def running_sum(g, y, x, dim, dtype=None):
    return (g.flip(dim).cumsum(dim).flip(dim),)


def product(g, y, x, *options, **named):
    axes, _ = _axes(x, options, named)
    flat = x.movedim(axes, list(range(-len(axes), 0))).flatten(-len(axes))
    others = torch.stack([flat.index_fill(-1, torch.tensor([k]), 1).prod(-1) for k in range(flat.shape[-1])], -1)
    moved_shape = x.movedim(axes, list(range(-len(axes), 0))).shape
    return (spread(g, x, options, named) * others.view(moved_shape).movedim(list(range(-len(axes), 0)), axes),)


def einsum(g, y, equation, *operands):
    """Every operand changes places with the result; an index only it has was summed away, so it is given to all."""
    operands = operands[0] if len(operands) == 1 and not isinstance(operands[0], Tensor) else operands
    inputs, arrow, output = equation.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if not arrow or "." in equation or any(len(set(term)) < len(term) for term in terms):
        return NotImplemented
    sent = []
    for k, (term, operand) in enumerate(zip(terms, operands, strict=True)):
        others = [*terms[:k], *terms[k + 1 :], output]
        known = [index for index in term if index in "".join(others)]
        part = torch.einsum(f"{','.join(others)}->{''.join(known)}", *operands[:k], *operands[k + 1 :], g)
        for axis, index in enumerate(term):
            part = part if index in known else part.unsqueeze(axis)
        sent.append(part.expand_as(operand))
    return tuple(sent)


def attention(g, y, query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    if dropout_p or enable_gqa:
        return NotImplemented
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = query @ key.mT * scale
    if is_causal:
        scores = scores.masked_fill(~torch.ones(scores.shape[-2:], dtype=torch.bool).tril(), -math.inf)
    if attn_mask is not None:
        scores = scores + attn_mask if attn_mask.is_floating_point() else scores.masked_fill(~attn_mask, -math.inf)
    shares = torch.softmax(scores, -1)
    (to_scores,) = softmax(g @ value.mT, shares, scores, -1)
    to_mask = () if attn_mask is None else (to_scores.sum_to_size(attn_mask.shape) if attn_mask.is_floating_point() else None,)
    return to_scores @ key * scale, to_scores.mT @ query * scale, shares.mT @ g, *to_mask


def prelu(g, y, x, weight):
    w = weight.view(1, -1, *[1] * (x.dim() - 2)) if weight.numel() > 1 else weight
    return g * torch.where(x > 0, 1.0, w), (g * x.clamp(max=0)).sum_to_size(w.shape).view(weight.shape)


# -- losses: each gives the slope per element; the reduction gives the factor --------------------------------------


def reduction_of(options: tuple, named: dict) -> str:
    return named.get("reduction", next((o for o in options if isinstance(o, str)), "mean"))


def pointwise_loss(slope: Callable[..., Tensor], symmetric: bool = True) -> Callable:
    """Code of a loss of (prediction, target), reduced over all elements; the target gets the opposite if symmetric."""

    def code(g, y, prediction, target, *options, **named):
        pairs = math.prod(torch.broadcast_shapes(prediction.shape, target.shape))
        share = 1 / pairs if reduction_of(options, named) == "mean" else 1
        keys = {key: value for key, value in named.items() if key in ("beta", "delta", "pos_weight")}
        sent = g * share * slope(prediction, target, **keys)
        return *fit(sent, prediction), *(fit(-sent, target) if symmetric else (None,))

    return code


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


def nll_loss(g, y, log_p, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
    return (_class_slope(g, log_p, target, weight, ignore_index, 0.0, reduction), None) + (() if weight is None else (None,))


def cross_entropy(
    g, y, z, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean",
    label_smoothing=0.0,
):  # fmt: skip
    axis = min(1, z.dim() - 1)
    slope = _class_slope(g, z.log_softmax(axis), target, weight, ignore_index, label_smoothing, reduction)
    return (slope - z.softmax(axis) * slope.sum(axis, keepdim=True), None) + (() if weight is None else (None,))


def embedding(g, y, index, weight, padding_idx=None, *options, **named):
    sent = torch.zeros_like(weight).index_add(0, index.reshape(-1), g.reshape(-1, weight.shape[1]))
    if padding_idx is not None:
        sent[padding_idx] = 0
    return None, sent


def dropout(g, y, x, p=0.5, training=True, inplace=False, dropped=None):
    if not training:
        return (g,)
    return (torch.zeros_like(g) if dropped is None else g.masked_fill(dropped, 0) / (1 - p),)


# -- writes --------------------------------------------------------------------------------------------------------


def write_item(g, y, x, place, value):
    kept = g.clone()
    kept[place] = 0
    return kept, *[None for _ in tensors_in(place)], *fit(g[place], value)


def write_back(g, y, base, written, where):
    return g.reshape(-1).index_fill(0, where.reshape(-1), 0).view(base.shape), g.reshape(-1)[where]


def read_view(g, y, base, where):
    home = torch.zeros_like(base).reshape(-1)
    return (home.index_add(0, where.reshape(-1), g.reshape(-1)).view(base.shape),)


def softmax(g, y, x, dim=-1, *options, **named):
    return (y * (g - (g * y).sum(dim, keepdim=True)),)


def log_softmax(g, y, x, dim=-1, *options, **named):
    return (g - y.exp() * g.sum(dim, keepdim=True),)


# -- local derivatives ---------------------------------------------------------------------------------------------


def gelu(x: Tensor, y: Tensor, approximate: str = "none") -> Tensor:
    if approximate == "none":
        return 0.5 * (1 + torch.erf(x / math.sqrt(2))) + x * torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    k = math.sqrt(2 / math.pi)
    t = torch.tanh(k * (x + 0.044715 * x**3))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * k * (1 + 3 * 0.044715 * x * x)


def silu(x: Tensor, y: Tensor, inplace: bool = False) -> Tensor:
    s = torch.sigmoid(x)
    return s * (1 + x * (1 - s))


def softplus(x: Tensor, y: Tensor, beta: float = 1, threshold: float = 20) -> Tensor:
    return torch.where(x * beta > threshold, 1.0, torch.sigmoid(beta * x))


def leaky_relu(x: Tensor, y: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    return torch.where(x > 0, torch.ones_like(x), negative_slope)


def elu(x: Tensor, y: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    return torch.where(x > 0, 1.0, alpha * x.exp())


def clamp(x: Tensor, y: Tensor, min: float = -math.inf, max: float = math.inf) -> Tensor:
    return ((x >= min) & (x <= max)).to(x.dtype)


def power(g: Tensor, y: Tensor, x: Tensor, n: Any) -> tuple:
    if not isinstance(x, Tensor):
        return fit(g * y * math.log(x), n)
    exponent = n if isinstance(n, Tensor) else torch.tensor(n, dtype=x.dtype)
    to_x = torch.where(exponent == 0, 0.0, g * exponent * x ** (exponent - 1))
    return fit(to_x, x) + fit(g * y * x.log(), n)


def smooth_l1(p: Tensor, t: Tensor, beta: float = 1.0) -> Tensor:
    return ((p - t) / beta).clamp(-1, 1) if beta else (p - t).sign()


def bce_logits(g, y, z, target, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None):
    share = 1 / z.numel() if reduction == "mean" else 1
    p, up = torch.sigmoid(z), 1 if pos_weight is None else pos_weight
    slope = (p * (1 - target) - up * target * (1 - p)) * (1 if weight is None else weight)
    return g * share * slope, None, *[None for part in (weight, pos_weight) if part is not None]


def hardtanh(x: Tensor, y: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    return ((x > min_val) & (x < max_val)).to(x.dtype)


def selu(x: Tensor, y: Tensor, inplace: bool = False) -> Tensor:
    alpha, scale = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946  # Klambauer et al. 2017
    return scale * torch.where(x > 0, 1.0, alpha * x.exp())


def mish(x: Tensor, y: Tensor, inplace: bool = False) -> Tensor:
    t = torch.tanh(F.softplus(x))
    return t + x * torch.sigmoid(x) * (1 - t * t)


# -- convolutions and pools; x is (batch, channels, axes …) --------------------------------------------------------


def _per_axis(option: Any, count: int) -> tuple[int, ...]:
    given = (option,) if isinstance(option, int) else tuple(option)
    return given * count if len(given) == 1 else given


def _convolution_gradients(count: int) -> tuple[Callable, Callable]:
    return getattr(torch.nn.grad, f"conv{count}d_input"), getattr(torch.nn.grad, f"conv{count}d_weight")


def convolution(g, y, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    axes = weight.dim() - 2
    if x.dim() == axes + 1 or x.is_complex():  # without a batch, or where torch.nn.grad knows none
        return NotImplemented
    to_input, to_weight = _convolution_gradients(axes)
    stride, dilation = _per_axis(stride, axes), _per_axis(dilation, axes)
    around = _padding(padding, weight.shape[2:], dilation)
    padded = F.pad(x, [side for sides in reversed(around) for side in sides])
    to_padded = to_input(padded.shape, weight, g, stride, 0, dilation, groups)
    for axis, (before, _) in enumerate(around, start=2):
        to_padded = to_padded.narrow(axis, before, x.shape[axis])
    to_bias = () if bias is None else (g.transpose(0, 1).flatten(1).sum(1),)
    return to_padded, to_weight(padded, weight.shape, g, stride, 0, dilation, groups), *to_bias


def _padding(padding: Any, sizes: tuple[int, ...], dilation: tuple[int, ...]) -> list[tuple[int, int]]:
    """Per axis what is put before and after; `same` keeps the length, the odd one goes after."""
    if padding == "same":
        totals = [step * (size - 1) for step, size in zip(dilation, sizes, strict=True)]
        return [(total // 2, total - total // 2) for total in totals]
    return [(side, side) for side in _per_axis(0 if padding == "valid" else padding, len(sizes))]


def transposed_convolution(g, y, x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    axes = weight.dim() - 2
    if x.dim() == axes + 1:
        return NotImplemented
    forward, (_, to_weight) = getattr(F, f"conv{axes}d"), _convolution_gradients(axes)
    to_x = forward(g, weight, None, stride, padding, dilation, groups)
    to_bias = () if bias is None else (g.transpose(0, 1).flatten(1).sum(1),)
    return to_x, to_weight(g, weight.shape, x, stride, padding, dilation, groups), *to_bias


def _to_winners(g: Tensor, x: Tensor, places: Tensor, axes: int) -> tuple[Tensor]:
    """Every window's gradient to the place that won it, counted over the last `axes` axes; places may win twice."""
    home = torch.zeros_like(x).flatten(-axes)
    return (home.scatter_add(-1, places.flatten(-axes), g.flatten(-axes)).view(x.shape),)


def max_pool(g, y, x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    if return_indices:
        return NotImplemented
    axes = x.dim() - 2
    pool = getattr(F, f"max_pool{axes}d")
    _, places = pool(x, kernel_size, stride or None, padding, dilation, ceil_mode=ceil_mode, return_indices=True)
    return _to_winners(g, x, places, axes)


def adaptive_max_pool(g, y, x, output_size, return_indices=False):
    if return_indices:
        return NotImplemented
    axes = x.dim() - 2
    _, places = getattr(F, f"adaptive_max_pool{axes}d")(x, output_size, return_indices=True)
    return _to_winners(g, x, places, axes)


def average_pool(g, y, x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
    if ceil_mode:
        return NotImplemented
    axes = x.dim() - 2
    sizes = _per_axis(kernel_size, axes)
    stride, padding = _per_axis(stride or sizes, axes), _per_axis(padding, axes)
    window, spread = x.new_ones(1, 1, *sizes), getattr(F, f"conv_transpose{axes}d")
    count = divisor_override or math.prod(sizes)
    if not count_include_pad and divisor_override is None:
        count = getattr(F, f"conv{axes}d")(x.new_ones(1, 1, *x.shape[2:]), window, stride=stride, padding=padding)
    covered = [(n - 1) * s - 2 * p + k for n, s, p, k in zip(g.shape[2:], stride, padding, sizes, strict=True)]
    rest = [size - reached for size, reached in zip(x.shape[2:], covered, strict=True)]
    shares = (g / count).reshape(-1, 1, *g.shape[2:])
    return (spread(shares, window, stride=stride, padding=padding, output_padding=rest).reshape(x.shape),)


def adaptive_average_pool(g, y, x, output_size):
    for axis in range(2, x.dim()):
        length, count = x.shape[axis], g.shape[axis]
        share = torch.zeros(count, length, dtype=x.dtype)
        for k in range(count):
            start, end = k * length // count, -(-(k + 1) * length // count)
            share[k, start:end] = 1 / (end - start)
        g = (g.movedim(axis, -1) @ share).movedim(-1, axis)
    return (g,)


CODE: dict[str, Callable] = {
    "linear": linear,
    "matmul": matmul,
    "mm": matmul,
    "bmm": matmul,
    "mv": matmul,
    "vdot": lambda g, y, a, b: (g.conj() * b, g * a),
    "real": lambda g, y, x: (g.to(x.dtype),),
    "imag": lambda g, y, x: (1j * g,),
    "conj": lambda g, y, x: (g.conj(),),
    "einsum": einsum,
    "dot": lambda g, y, a, b: (g * b, g * a),
    "add": lambda g, y, a, b, alpha=1: fit(g, a) + fit(alpha * g, b),
    "sub": lambda g, y, a, b, alpha=1: fit(g, a) + fit(-alpha * g, b),
    "rsub": lambda g, y, a, b: fit(-g, a) + fit(g, b),
    "mul": lambda g, y, a, b: fit(g * b, a) + fit(g * a, b),
    "div": lambda g, y, a, b: fit(g / b, a) + fit(-g * y / b, b),
    "rdiv": lambda g, y, a, b: fit(-g * y / a, a) + fit(g / a, b),
    "neg": lambda g, y, x: (-g,),
    "pow": power,
    "rpow": lambda g, y, x, c: fit(g * y * math.log(c), x),
    "square": elementwise(lambda x, y: 2 * x),
    "sqrt": elementwise(lambda x, y: 0.5 / y),
    "rsqrt": elementwise(lambda x, y: -0.5 * y**3),
    "exp": elementwise(lambda x, y: y),
    "log": elementwise(lambda x, y: 1 / x),
    "abs": elementwise(lambda x, y: x.sgn()),
    "sin": elementwise(lambda x, y: x.cos()),
    "cos": elementwise(lambda x, y: -x.sin()),
    "clamp": elementwise(clamp),
    "relu": elementwise(lambda z, a, inplace=False: (z > 0).to(z.dtype)),
    "leaky_relu": elementwise(leaky_relu),
    "elu": elementwise(elu),
    "gelu": elementwise(gelu),
    "silu": elementwise(silu),
    "softplus": elementwise(softplus),
    "sigmoid": elementwise(lambda z, a: a * (1 - a)),
    "tanh": elementwise(lambda z, a: 1 - a * a),
    "log_sigmoid": elementwise(lambda z, a: torch.sigmoid(-z)),
    "hardtanh": elementwise(hardtanh),
    "relu6": elementwise(lambda z, a, inplace=False: hardtanh(z, a, 0, 6)),
    "hardswish": elementwise(lambda z, a, inplace=False: torch.where(z.abs() < 3, z / 3 + 0.5, (z > 0).to(z.dtype))),
    "selu": elementwise(selu),
    "celu": elementwise(lambda z, a, alpha=1.0, inplace=False: torch.where(z > 0, 1.0, (z / alpha).exp())),
    "mish": elementwise(mish),
    "tanhshrink": elementwise(lambda z, a: z.tanh() ** 2),
    "prelu": prelu,
    "softmin": lambda g, y, x, *o, **k: (-softmax(g, y, x, *o, **k)[0],),
    "softsign": elementwise(lambda z, a: (1 + z.abs()) ** -2),
    "softmax": softmax,
    "log_softmax": log_softmax,
    "sum": lambda g, y, x, *o, **k: (spread(g, x, o, k),),
    "mean": averaged,
    "logsumexp": lambda g, y, x, *o, **k: (spread(g, x, o, k) * (x - spread(y, x, o, k)).exp(),),
    "max": extreme,
    "min": extreme,
    "amax": shared_extreme,
    "amin": shared_extreme,
    "maximum": larger,
    "minimum": smaller,
    "var": variance,
    "std": deviation,
    "norm": norm,
    "cumsum": running_sum,
    "prod": product,
    "cat": cat,
    "stack": lambda g, y, tensors, dim=0: g.unbind(dim),
    "reshape": moved("reshape"),
    "view": moved("view"),
    "flatten": moved("flatten"),
    "unflatten": moved("unflatten"),
    "transpose": moved("transpose"),
    "t": moved("t"),
    "permute": moved("permute"),
    "squeeze": moved("squeeze"),
    "unsqueeze": moved("unsqueeze"),
    "expand": moved("expand"),
    "getitem": moved("__getitem__"),
    "select": moved("select"),
    "narrow": moved("narrow"),
    "block": block,
    "chunk": moved("chunk"),
    "split": moved("split"),
    "unbind": moved("unbind"),
    "contiguous": moved("contiguous"),
    "clone": moved("clone"),
    "T": lambda g, y, x: (g.T,),
    "mT": lambda g, y, x: (g.mT,),
    "H": lambda g, y, x: (g.conj().T,),
    "to": lambda g, y, x, *o, **k: (g.to(x.dtype),),
    "double": lambda g, y, x: (g.to(x.dtype),),
    "float": lambda g, y, x: (g.to(x.dtype),),
    "setitem": write_item,
    "index_add": lambda g, y, x, dim, index, source, alpha=1: (g, None, alpha * g.index_select(dim, index)),
    "write_back": write_back,
    "read_view": read_view,
    "write_beneath": lambda g, y, x, written: (g, None),
    "where": lambda g, y, c, a, b: (None, *fit(g * c, a), *fit(g * ~c, b)),
    "masked_fill": lambda g, y, x, mask, value: (g.masked_fill(mask, 0), None),
    **dict.fromkeys(("dropout", "dropout1d", "dropout2d", "dropout3d"), dropout),
    "embedding": embedding,
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), convolution),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), transposed_convolution),
    **dict.fromkeys(("max_pool1d", "max_pool2d", "max_pool3d"), max_pool),
    **dict.fromkeys(("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d"), adaptive_max_pool),
    **dict.fromkeys(("avg_pool1d", "avg_pool2d", "avg_pool3d"), average_pool),
    **dict.fromkeys(("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"), adaptive_average_pool),
    "group_norm": group_norm,
    "layer_norm": layer_norm,
    "batch_norm": batch_norm,
    "scaled_dot_product_attention": attention,
    "mse_loss": pointwise_loss(lambda p, t: 2 * (p - t)),
    "l1_loss": pointwise_loss(lambda p, t: (p - t).sign()),
    "huber_loss": pointwise_loss(lambda p, t, delta=1.0: (p - t).clamp(-delta, delta)),
    "smooth_l1_loss": pointwise_loss(smooth_l1),
    "binary_cross_entropy": pointwise_loss(lambda p, t: (p - t) / (p * (1 - p)), symmetric=False),
    "binary_cross_entropy_with_logits": bce_logits,
    "nll_loss": nll_loss,
    "cross_entropy": cross_entropy,
}


def gradients_by_code(nodes: Sequence[Node], node: Node) -> tuple[Tensor | None, ...] | None:
    """Return what the code says the node sends to each of its inputs; None if there is no code for such a call."""
    code = code_of(node.operation) if node.call is not None else None
    if code is None:
        return None
    inputs = [nodes[source].values[port] for source, port in zip(node.inputs, node.ports, strict=True)]
    g = [torch.zeros_like(v) if gradient is None else gradient for v, gradient in zip(node.values, node.gradients, strict=True)]
    y = node.values
    drawn = {} if node.dropped is None else {"dropped": node.dropped}  # what no argument says
    args, named = fill(node.call.args, inputs), fill(node.call.kwargs, inputs)
    if any(tensor.is_complex() for tensor in (*inputs, *y)) and node.operation not in OF_COMPLEX:
        args, named, y = conjugated(args), conjugated(named), conjugated(y)
    sent = code(*((g[0], y[0]) if len(y) == 1 else (g, y)), *args, **named, **drawn)
    if sent is NotImplemented:
        return None
    return tuple([_real_for(part, of) for part, of in zip(sent, inputs, strict=True)])


OF_COMPLEX = {"abs", "vdot", "real", "imag", "conj", "H"}
"""Code that knows complex numbers itself. To any other their conjugates are given, for the slope of a holomorphic function is the
conjugate of its slope there."""


def conjugated(part: Any) -> Any:
    if isinstance(part, (Tensor, complex)):
        return part.conj() if isinstance(part, Tensor) else part.conjugate()
    if isinstance(part, (tuple, list)):
        return type(part)([conjugated(one) for one in part])
    return {name: conjugated(one) for name, one in part.items()} if isinstance(part, dict) else part


def _real_for(sent: Tensor | None, of: Tensor) -> Tensor | None:
    return sent.real if sent is not None and sent.is_complex() and not of.is_complex() else sent


def code_of(operation: str) -> Callable | None:
    """Return the code of an operation; that of one that writes in place is that of the one that does not."""
    return CODE.get(operation) or CODE.get(operation.rstrip("_"))
