"""Convolutions and pools in one, two and three dimensions.

x is (batch, channels, axes …); a window is what one element of the output was made of.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from nnviz.operations.operation import Gradients, Operation, figure
from nnviz.operations.recorded_call import RecordedCall
from nnviz.operations.sent_call import Sent, SentCall
from nnviz.operations.signature import Given
from nnviz.operations.writing import Substitution, divided, listed, numbers, plain, products
from nnviz.records.tensors import to_numpy


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
    places, padded = _window_places(call)
    x, axes = call.options["x"], _pooled_axes(call)
    return x[call.place[: len(call.place) - axes]][np.ix_(*places)].reshape(-1), padded


def _window_places(call: RecordedCall) -> tuple[list[list[int]], int]:
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
    return places, math.prod(reached)


def _average_pool(call: RecordedCall) -> Substitution:
    values, padded = _window(call)
    counted = padded if call.option("count_include_pad", True) else len(values)
    return divided(numbers(values), call.option("divisor_override") or counted)


def _adaptive_window(call: RecordedCall) -> np.ndarray:
    x, axes = call.options["x"], _pooled_axes(call)
    places = _adaptive_places(call)
    return x[call.place[: len(call.place) - axes]][np.ix_(*places)].reshape(-1)


def _adaptive_places(call: RecordedCall) -> list[range]:
    x, axes = call.options["x"], _pooled_axes(call)
    lengths, counts = x.shape[x.ndim - axes :], call.node.shape[len(call.node.shape) - axes :]
    at = call.place[len(call.place) - axes :]
    return [range(k * n // count, -(-(k + 1) * n // count)) for k, n, count in zip(at, lengths, counts, strict=True)]


def _adaptive_average_pool(call: RecordedCall) -> Substitution:
    values = _adaptive_window(call)
    return divided(numbers(values), len(values))


# --- what is sent back, with numbers ---


class _Slides(NamedTuple):
    """How the kernel of a convolution slides, place by place of the smaller side over the larger one, with zeros around."""

    wide: np.ndarray
    """(rows, channels, axes …) what it slides over, with the zeros."""
    narrow: np.ndarray
    """(rows, channels, axes …) one element for each place it stands at."""
    stride: list[int]
    dilation: list[int]
    before: list[int]

    def seen(self, channel: int, kernel: tuple[int, ...]) -> np.ndarray:
        """Return what one place of the kernel stands on everywhere."""
        starts = [k * apart for k, apart in zip(kernel, self.dilation, strict=True)]
        cuts = [
            slice(start, start + step * (count - 1) + 1, step)
            for start, step, count in zip(starts, self.stride, self.narrow.shape[2:], strict=True)
        ]
        return self.wide[(slice(None), channel, *cuts)]

    def standing_on(self, at: tuple[int, ...], sizes: tuple[int, ...]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        """Return the places where the kernel stands on one element of the wide side, and which place of the kernel does."""
        pairs = [
            [((to + pad - k * apart) // step, k) for k in range(size) if _spreads(to + pad - k * apart, step, count)]
            for to, size, pad, apart, step, count in zip(
                at, sizes, self.before, self.dilation, self.stride, self.narrow.shape[2:], strict=True
            )
        ]
        return [(tuple(place for place, _ in found), tuple(k for _, k in found)) for found in product(*pairs)]


def _slides(sent: SentCall, is_transposed: bool) -> _Slides:
    call, weight = sent.call, sent.call.options["weight"]
    axes = weight.ndim - 2
    x, g = (part if part.ndim == axes + 2 else part[None] for part in (call.options["x"], sent.upstream))
    dilation, stride = _per_axis(call.option("dilation", 1), axes), _per_axis(call.option("stride", 1), axes)
    before = _before(call.option("padding", 0), weight.shape[2:], dilation)
    wide, narrow = (g, x) if is_transposed else (x, g)
    reach = [
        step * (count - 1) + apart * (size - 1) + 1
        for step, count, apart, size in zip(stride, narrow.shape[2:], dilation, weight.shape[2:], strict=True)
    ]
    margins = [(pad, max(0, end - length - pad)) for pad, end, length in zip(before, reach, wide.shape[2:], strict=True)]
    return _Slides(np.pad(wide, [(0, 0), (0, 0), *margins]), narrow, stride, dilation, before)


def _to_kernel(is_transposed: bool) -> Sent:
    """An element of W: what it stood on, times what it made there, over all rows and places."""

    def write(sent: SentCall) -> Substitution:
        first, second, *kernel = sent.at
        slides = _slides(sent, is_transposed)
        weight = sent.call.options["weight"]
        per_group = weight.shape[0] // sent.call.option("groups", 1)
        seen = slides.seen(first // per_group * weight.shape[1] + second, tuple(kernel))
        made = slides.narrow[:, first]
        return products(made.reshape(-1), seen.reshape(-1))

    return write


def _to_image(is_transposed: bool) -> Sent:
    """An element of x: every result it has a part in, times the weight that it has there."""

    def write(sent: SentCall) -> Substitution:
        weight, slides = sent.call.options["weight"], _slides(sent, is_transposed)
        row, channel, *at = sent.at if len(sent.at) == weight.ndim else (0, *sent.at)
        outer = weight.shape[0] // sent.call.option("groups", 1)
        if is_transposed:  # x is what the kernel is spread out by: where it stood the results are
            group = channel // outer
            pairs = [(slides.seen(group * weight.shape[1] + own, k)[(row, *at)], weight[(channel, own, *k)]) for own, *k in _places(weight)]
        else:
            group, own = divmod(channel, weight.shape[1])
            stands = slides.standing_on(tuple(at), weight.shape[2:])
            filters = range(group * outer, (group + 1) * outer)
            pairs = [(slides.narrow[(row, one, *place)], weight[(one, own, *k)]) for one in filters for place, k in stands]
        left, right = (np.array(side, dtype=float) for side in zip(*pairs, strict=True)) if pairs else (np.empty(0), np.empty(0))
        return products(left, right)

    return write


def _places(weight: np.ndarray) -> Iterator[tuple[int, ...]]:
    return np.ndindex(weight.shape[1:])


def _to_channel_bias(sent: SentCall) -> Substitution:
    axes = sent.call.options["weight"].ndim - 2
    return numbers(np.moveaxis(sent.upstream, sent.upstream.ndim - axes - 1, 0)[sent.at[0]].reshape(-1))


def _to_window(sent: SentCall) -> Substitution:
    """An element of a pool's input: what arrives at the windows that it won."""
    winners = sent.call.node.winners
    if winners is None:
        raise LookupError("it is not recorded who won")
    axes = _pooled_axes(sent.call)
    kept = sent.at[: len(sent.at) - axes]
    own = int(np.ravel_multi_index(sent.at[len(kept) :], sent.x.shape[len(kept) :]))
    won = sent.upstream[kept][to_numpy(winners)[kept] == own]
    return numbers(won) if won.size else Substitution("0", 0.0)


def _to_averaged(is_adaptive: bool) -> Sent:
    """An element of x: what arrives at the means it is in, each divided by how many are in it."""

    def write(sent: SentCall) -> Substitution:
        axes = _pooled_axes(sent.call)
        kept, at = sent.at[: len(sent.at) - axes], sent.at[len(sent.at) - axes :]
        shares: dict[int, list[float]] = defaultdict(list)
        for place in np.ndindex(sent.upstream.shape[len(kept) :]):
            call = replace(sent.call, place=(*kept, *place))
            places, padded = (_adaptive_places(call), 0) if is_adaptive else _window_places(call)
            if all(k in inside for k, inside in zip(at, places, strict=True)):
                size = math.prod(map(len, places))
                counted = size if is_adaptive or not call.option("count_include_pad", True) else padded
                shares[call.option("divisor_override") or counted].append(float(sent.upstream[call.place]))
        said = [divided(numbers(np.array(arriving)), count) for count, arriving in shares.items()] or [Substitution("0", 0.0)]
        return Substitution(" + ".join(one.text for one in said), sum(one.value for one in said))

    return write


# --- formulas ---


def _options(given: Given) -> str:
    """What makes a convolution another one than every window of x times W."""
    said = [f"{name} {_figures(given[name])}" for name in ("stride", "dilation", "groups") if not _is_one(given.get(name))]
    return f",  {', '.join(said)}" if said else ""


def _is_one(option: Any) -> bool:
    return option is None or all(part == 1 for part in (option if isinstance(option, (tuple, list)) else [option]))


def _figures(option: Any) -> str:
    return "×".join(map(str, option if isinstance(option, (tuple, list)) else [option]))


def _convolved(given: Given) -> str:
    return "y = x ∗ W" + ("" if given.get("bias") is None else " + b") + _options(given)


def _spread_out(given: Given) -> str:
    return "y = W spread out by every element of x" + ("" if given.get("bias") is None else ", + b") + _options(given)


def _gradients(plain: tuple[str, str], with_options: tuple[str, str], are_conjugate: bool = False) -> Callable[[Given], Gradients]:
    """The gradients of x and W, each with {w} or {x} for what the formula holds; a complex one holds the conjugate."""
    letters = {name: f"conj({letter})" if are_conjugate else letter for name, letter in (("w", "W"), ("x", "x"))}

    def gradients(given: Given) -> Gradients:
        to_x, to_w = (text.format(**letters) for text in (with_options if _options(given) else plain))
        return {"x": to_x, "weight": to_w, "bias": "Σ ∂L/∂y"}

    return gradients


_convolution_gradients = partial(
    _gradients,
    ("∂L/∂y ∗ {w} turned round", "{x} ∗ ∂L/∂y"),
    ("Σ ∂L/∂y · {w} over the windows the element is in", "Σ ∂L/∂y · {x} over all windows"),
)
_spread_gradients = partial(
    _gradients,
    ("∂L/∂y ∗ {w}", "∂L/∂y ∗ {x}"),
    ("Σ ∂L/∂y · {w} over what the element was spread to", "Σ ∂L/∂y · {x} over all elements of x"),
)


def _averaged(given: Given) -> str:
    divisor = given.get("divisor_override")
    if divisor is not None:
        return f"y = 1/{figure(divisor)} Σ of each window of x"
    return "y = mean of each window of x" + (f",  {_around(given)} the zeros around it" if _has_padding(given) else "")


def _has_padding(given: Given) -> bool:
    padding = given.get("padding") or 0
    return any(padding) if isinstance(padding, (tuple, list)) else bool(padding)


def _around(given: Given) -> str:
    return "without" if given.get("count_include_pad") is False else "with"


def _averaged_gradients(given: Given) -> Gradients:
    divisor = given.get("divisor_override")
    is_even = not given.get("ceil_mode") and not (_has_padding(given) and _around(given) == "without")
    size = figure(divisor) if divisor is not None else "window size" if is_even else "how many each window counts"
    return {"x": f"∂L/∂y / {size}, to every element of the window"}


def _in_each_dimension(name: str) -> str:
    return " ".join([f"{name}{count}d" for count in (1, 2, 3)])


_pool = partial(Operation, symbol="y")
_TO_WINNERS: Gradients = {"x": "∂L/∂y at the element that won its window, else 0"}
ROWS = (
    Operation(
        names=_in_each_dimension("conv"), signature="x weight:W bias:b stride padding dilation groups", symbol="y",
        formula=_convolved, numbers=_convolution, linear_in="all",
        gradients=_convolution_gradients(), of_complex=_convolution_gradients(True),
        sent={"x": _to_image(False), "weight": _to_kernel(False), "bias": _to_channel_bias},
    ),
    Operation(
        names=_in_each_dimension("conv_transpose"), signature="x weight:W bias:b stride padding output_padding groups dilation", symbol="y",
        formula=_spread_out, numbers=_transposed,
        gradients=_spread_gradients(), of_complex=_spread_gradients(True),
        sent={"x": _to_image(True), "weight": _to_kernel(True), "bias": _to_channel_bias},
    ),
    _pool(
        names=_in_each_dimension("max_pool"), signature="x kernel_size stride padding dilation ceil_mode return_indices",
        formula="y = max of each window of x", gradients=_TO_WINNERS, numbers=lambda call: listed("max", _window(call)[0]),
        sent={"x": _to_window},
    ),
    _pool(
        names=_in_each_dimension("adaptive_max_pool"), signature="x output_size", formula="y = max of each window of x",
        gradients=_TO_WINNERS, numbers=lambda call: listed("max", _adaptive_window(call)), sent={"x": _to_window},
    ),
    _pool(
        names=_in_each_dimension("avg_pool"), signature="x kernel_size stride padding ceil_mode count_include_pad divisor_override",
        formula=_averaged, gradients=_averaged_gradients, numbers=_average_pool, linear_in="all", sent={"x": _to_averaged(False)},
    ),
    _pool(
        names=_in_each_dimension("adaptive_avg_pool"), signature="x output_size", formula="y = mean of each window of x",
        gradients=_averaged_gradients, numbers=_adaptive_average_pool, linear_in="all", sent={"x": _to_averaged(True)},
    ),
)  # fmt: skip
