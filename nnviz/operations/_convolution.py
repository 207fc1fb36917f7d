"""Convolutions and pools in one, two and three dimensions.

x is (batch, channels, axes …); a window is what one element of the output was made of.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from nnviz.operations.operation import Gradients, Operation, figure
from nnviz.operations.recorded_call import RecordedCall
from nnviz.operations.signature import Given
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


def _pooled_axes(call: RecordedCall) -> int:
    return int(call.node.operation.rstrip("_")[-2])


def _window(call: RecordedCall) -> tuple[np.ndarray, int]:
    """The elements of a pool's window that are no padding, and how many there are with padding."""
    x, axes = call.options["x"], _pooled_axes(call)
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


def _average_pool(call: RecordedCall) -> Substitution:
    values, padded = _window(call)
    counted = padded if call.option("count_include_pad", True) else len(values)
    return divided(numbers(values), call.option("divisor_override") or counted)


def _adaptive_window(call: RecordedCall) -> np.ndarray:
    x, axes = call.options["x"], _pooled_axes(call)
    lengths, counts = x.shape[x.ndim - axes :], call.node.shape[len(call.node.shape) - axes :]
    at = call.place[len(call.place) - axes :]
    places = [range(k * n // count, -(-(k + 1) * n // count)) for k, n, count in zip(at, lengths, counts, strict=True)]
    return x[call.place[: len(call.place) - axes]][np.ix_(*places)].reshape(-1)


def _adaptive_average_pool(call: RecordedCall) -> Substitution:
    values = _adaptive_window(call)
    return divided(numbers(values), len(values))


def _convolved(given: Given) -> str:
    return "y = x ∗ W" + ("" if given.get("bias") is None else " + b")


def _spread_out(given: Given) -> str:
    return "y = W spread out by every element of x" + ("" if given.get("bias") is None else ", + b")


def _averaged(given: Given) -> str:
    divisor = given.get("divisor_override")
    return "y = mean of each window of x" if divisor is None else f"y = 1/{figure(divisor)} Σ of each window of x"


def _averaged_gradients(given: Given) -> Gradients:
    divisor = given.get("divisor_override")
    return {"x": f"∂L/∂y / {'window size' if divisor is None else figure(divisor)}, to every element of the window"}


def _in_each_dimension(name: str) -> str:
    return " ".join([f"{name}{count}d" for count in (1, 2, 3)])


_pool = partial(Operation, symbol="y")
_TO_WINNERS: Gradients = {"x": "∂L/∂y at the element that won its window, else 0"}
ROWS = (
    Operation(
        names=_in_each_dimension("conv"), signature="x weight:W bias:b stride padding dilation groups", symbol="y",
        formula=_convolved, numbers=_convolution, linear_in="all",
        gradients={"x": "∂L/∂y ∗ W turned round", "weight": "x ∗ ∂L/∂y", "bias": "Σ ∂L/∂y"},
    ),
    Operation(
        names=_in_each_dimension("conv_transpose"), signature="x weight:W bias:b stride padding output_padding groups dilation", symbol="y",
        formula=_spread_out, numbers=_transposed,
        gradients={"x": "∂L/∂y ∗ W", "weight": "∂L/∂y ∗ x", "bias": "Σ ∂L/∂y"},
    ),
    _pool(
        names=_in_each_dimension("max_pool"), signature="x kernel_size stride padding dilation ceil_mode return_indices",
        formula="y = max of each window of x", gradients=_TO_WINNERS, numbers=lambda call: listed("max", _window(call)[0]),
    ),
    _pool(
        names=_in_each_dimension("adaptive_max_pool"), signature="x output_size", formula="y = max of each window of x",
        gradients=_TO_WINNERS, numbers=lambda call: listed("max", _adaptive_window(call)),
    ),
    _pool(
        names=_in_each_dimension("avg_pool"), signature="x kernel_size stride padding ceil_mode count_include_pad divisor_override",
        formula=_averaged, gradients=_averaged_gradients, numbers=_average_pool, linear_in="all",
    ),
    _pool(
        names=_in_each_dimension("adaptive_avg_pool"), signature="x output_size", formula="y = mean of each window of x",
        gradients=_averaged_gradients, numbers=_adaptive_average_pool, linear_in="all",
    ),
)  # fmt: skip
