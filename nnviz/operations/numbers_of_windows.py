"""Convolutions and pools with the numbers of one window put in, as rules like those of rules.py. Pure.

x is (batch, channels, axes …); a window is what one element of the output was made of.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nnviz.operations.recorded_call import RecordedCall
from nnviz.operations.writing import Substitution, divided, listed, numbers, plain, products


def _per_axis(option: Any, count: int) -> list[int]:
    given = [option] if isinstance(option, int) else list(option)
    return given * count if len(given) == 1 else given


def _before(padding: Any, sizes: tuple[int, ...], dilation: list[int]) -> list[int]:
    """How many zeros stand before the first element of each axis; `same` puts the odd one behind."""
    if padding == "same":
        return [step * (size - 1) // 2 for step, size in zip(dilation, sizes, strict=True)]
    return _per_axis(0 if padding == "valid" else padding, len(sizes))


def _convolution(call: RecordedCall) -> Substitution:
    x, weight, bias = call.options["x"], call.options["weight"], call.option("bias")
    axes = weight.ndim - 2
    image, (channel, *at) = (x[call.place[0]], call.place[1:]) if x.ndim == axes + 2 else (x, call.place)
    dilation, stride = _per_axis(call.option("dilation", 1), axes), _per_axis(call.option("stride", 1), axes)
    padding = _before(call.option("padding", 0), weight.shape[2:], dilation)
    first = channel // (weight.shape[0] // call.option("groups", 1)) * weight.shape[1]
    starts = [k * step - pad for k, step, pad in zip(at, stride, padding, strict=True)]
    inside = [
        [k for k in range(size) if 0 <= start + k * step < length]
        for size, start, step, length in zip(weight.shape[2:], starts, dilation, image.shape[1:], strict=True)
    ]
    places = [[start + k * step for k in kept] for kept, start, step in zip(inside, starts, dilation, strict=True)]
    seen = image[first : first + weight.shape[1]][np.ix_(range(weight.shape[1]), *places)]
    own = weight[channel][np.ix_(range(weight.shape[1]), *inside)]
    return products(own.reshape(-1), seen.reshape(-1), [] if bias is None else [plain(bias[channel])])


def _transposed(call: RecordedCall) -> Substitution:
    """Every element of x spreads W around it; what came to one element of the output."""
    x, weight, bias = call.options["x"], call.options["weight"], call.option("bias")
    axes = weight.ndim - 2
    image, (channel, *at) = (x[call.place[0]], call.place[1:]) if x.ndim == axes + 2 else (x, call.place)
    stride, padding, dilation = (_per_axis(call.option(name, int(name != "padding")), axes) for name in ("stride", "padding", "dilation"))
    group, own = divmod(channel, weight.shape[1])
    inputs = slice(group * weight.shape[0] // (groups := call.option("groups", 1)), (group + 1) * weight.shape[0] // groups)
    pairs = [
        [((to + pad - k * apart) // step, k) for k in range(count) if _spreads(to + pad - k * apart, step, length)]
        for to, count, pad, apart, step, length in zip(at, weight.shape[2:], padding, dilation, stride, image.shape[1:], strict=True)
    ]
    channels = range(len(image[inputs]))
    seen = image[inputs][np.ix_(channels, *([place for place, _ in kept] for kept in pairs))]
    spread = weight[inputs, own][np.ix_(channels, *([k for _, k in kept] for kept in pairs))]
    return products(spread.reshape(-1), seen.reshape(-1), [] if bias is None else [plain(bias[channel])])


def _spreads(reached: int, step: int, length: int) -> bool:
    """Whether an element of x stands where a place of the output would have come from."""
    return reached % step == 0 and 0 <= reached // step < length


def _axes_of(call: RecordedCall) -> int:
    return int(call.operation[-2])


def _window(call: RecordedCall) -> tuple[np.ndarray, int]:
    """The elements of a pool's window that are no padding, and how many there are with padding."""
    x, axes = call.options["x"], _axes_of(call)
    sizes = _per_axis(call.options["kernel_size"], axes)
    stride = _per_axis(call.option("stride") or sizes, axes)
    padding, dilation = _per_axis(call.option("padding", 0), axes), _per_axis(call.option("dilation", 1), axes)
    lengths, at = x.shape[x.ndim - axes :], call.place[len(call.place) - axes :]
    starts = [k * step - pad for k, step, pad in zip(at, stride, padding, strict=True)]
    reached = [min(start + size, length + pad) - start for start, size, length, pad in zip(starts, sizes, lengths, padding, strict=True)]
    places = [
        [start + k * step for k in range(size) if 0 <= start + k * step < length]
        for start, size, step, length in zip(starts, sizes, dilation, lengths, strict=True)
    ]
    return x[call.place[: len(call.place) - axes]][np.ix_(*places)].reshape(-1), math.prod(reached)


def _max_pool(call: RecordedCall) -> Substitution:
    return listed("max", _window(call)[0])


def _average_pool(call: RecordedCall) -> Substitution:
    values, padded = _window(call)
    counted = padded if call.option("count_include_pad", True) else len(values)
    return divided(numbers(values), call.option("divisor_override") or counted)


def _adaptive_window(call: RecordedCall) -> np.ndarray:
    x, axes = call.options["x"], _axes_of(call)
    lengths, counts = x.shape[x.ndim - axes :], call.node.shape[len(call.node.shape) - axes :]
    at = call.place[len(call.place) - axes :]
    places = [range(k * n // count, -(-(k + 1) * n // count)) for k, n, count in zip(at, lengths, counts, strict=True)]
    return x[call.place[: len(call.place) - axes]][np.ix_(*places)].reshape(-1)


def _adaptive_average_pool(call: RecordedCall) -> Substitution:
    values = _adaptive_window(call)
    return divided(numbers(values), len(values))


RULES: dict[str, Callable[[RecordedCall], Substitution | None]] = {
    f"{name}{count}d": rule
    for (name, rule), count in itertools.product(
        {
            "conv": _convolution,
            "conv_transpose": _transposed,
            "max_pool": _max_pool,
            "avg_pool": _average_pool,
            "adaptive_avg_pool": _adaptive_average_pool,
            "adaptive_max_pool": lambda call: listed("max", _adaptive_window(call)),
        }.items(),
        (1, 2, 3),
    )
}
