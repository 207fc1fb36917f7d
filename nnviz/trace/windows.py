"""The gradients of convolutions and pools, as rules like those of derivatives.py. They must not compute a trace.

x is (batch, channels, axes …); a window is what one element of the output was made of.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .record import Node, fill


def _per_axis(option: Any, count: int) -> tuple[int, ...]:
    given = (option,) if isinstance(option, int) else tuple(option)
    return given * count if len(given) == 1 else given


def _convolution_gradients(count: int) -> tuple[Callable, Callable]:
    return getattr(torch.nn.grad, f"conv{count}d_input"), getattr(torch.nn.grad, f"conv{count}d_weight")


def convolution(g, y, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    axes = weight.dim() - 2
    if x.dim() == axes + 1:  # without a batch
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


def winners(node: Node, nodes: Sequence[Node]) -> Tensor | None:
    """For every element of a max pool the place in its input that won, counted row-major over the pooled axes; None for others.

    None also where the call drew its windows: made again it would draw others.
    """
    if "max_pool" not in node.operation or node.call is None or len(node.inputs) != 1 or len(node.values) != 1:
        return None
    if node.call.rng is not None:
        return None
    x = [nodes[node.inputs[0]].values[node.ports[0]]]
    pool, options = getattr(F, node.operation), fill(node.call.kwargs, x) | {"return_indices": True}
    return pool(*fill(node.call.args, x), **options)[1]


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
