"""What a recorded operation sends back to one input, as a whole array, for any gradient that arrives. It computes no network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from nnviz.operations.operation import UNKNOWN
from nnviz.operations.recorded_call import RecordedCall, pieces
from nnviz.operations.sent_call import SentCall
from nnviz.operations.signature import Input, inputs_in
from nnviz.operations.table import recorded, row_of
from nnviz.records.tensors import to_numpy
from nnviz.records.trace_record import EdgeRecord
from nnviz.records.trace_state import TraceState

MOST = 1024
"""Of an operation without a rule for whole arrays, an input of more elements than this is left out: each element is worked out alone."""


@dataclass(frozen=True)
class Use:
    """An input of a recorded call. `replaced`: by argument, arrays that stand in place of those of the recording."""

    state: TraceState
    edge: EdgeRecord
    replaced: Mapping[int, np.ndarray] = field(default_factory=dict)

    @cached_property
    def call(self) -> RecordedCall:
        """The call with its arrays in double precision."""
        return recorded(self.state, self.state.index.node(self.edge.target))

    def input(self, argument: int) -> np.ndarray:
        """Return one input of the call. Raises LookupError where its numbers are not here."""
        if argument not in self._inputs:
            self._inputs[argument] = self.replaced[argument] if argument in self.replaced else self.call.input(argument)
        return self._inputs[argument]

    @cached_property
    def _inputs(self) -> dict[int, np.ndarray]:
        return {}

    @property
    def x(self) -> np.ndarray:
        """The input that is sent to."""
        return self.input(self.edge.argument)

    @cached_property
    def named(self) -> dict[str, list[int]]:
        """The arguments that are tensors by the names of the call's row."""
        call = self.call
        arguments, keywords = call.given
        given = call.signature.bind([_input(part) for part in arguments], {name: _input(part) for name, part in keywords.items()})
        return {name: [tensor.number for tensor in inputs_in(part)] for name, part in given.items() if inputs_in(part)}

    @cached_property
    def name(self) -> str:
        """What the row calls the argument that is sent to."""
        return next((name for name, numbers in self.named.items() if self.edge.argument in numbers), "")

    @cached_property
    def local(self) -> np.ndarray | None:
        """∂y/∂x of an operation on one tensor, element by element, as it travelled, else worked out; None for others."""
        if self.edge.local is not None and not self.replaced:
            return to_numpy(self.edge.local)
        node = self.call.node
        is_of_one = row_of(node.operation).function is not None and len(node.inputs) == 1 and node.shape == self.x.shape
        return _by_element(self, np.ones(node.shape)) if is_of_one and not self.replaced else None

    def slope(self, z: np.ndarray) -> np.ndarray:
        """Return f′ of a function of one number at other places than its own, by a step to each side. Raises LookupError for others."""
        call, function = self.call, row_of(self.call.node.operation).function
        if call.node.operation in _SLOPES:
            return _SLOPES[call.node.operation](z)
        if function is None:
            raise LookupError(call.node.operation)
        step = 1e-6
        sides = [[function(float(at) + way, call).value for at in z.reshape(-1)] for way in (step, -step)]
        return (np.array(sides[0]) - np.array(sides[1])).reshape(z.shape) / (2 * step)


def _sigmoid_slope(z: np.ndarray) -> np.ndarray:
    a = 0.5 * (1 + np.tanh(0.5 * z))
    return a * (1 - a)


_SLOPES: dict[str, Callable[[np.ndarray], np.ndarray]] = {"tanh": lambda z: 1 - np.tanh(z) ** 2, "sigmoid": _sigmoid_slope}
"""Of functions that recurrent nets call at every step."""
Rule = Callable[[Use, np.ndarray, str], "np.ndarray | None"]


def sent_back(use: Use, g: np.ndarray) -> np.ndarray | None:
    """Return what the call sends to this input if ∂L/∂ its value is `g`; None where there is no rule, or numbers are not here."""
    try:
        sent = _sent(use, g)
    except UNKNOWN:
        return None
    return None if sent is None else np.asarray(sent, dtype=float)


def _sent(use: Use, g: np.ndarray) -> np.ndarray | None:
    operation = use.state.index.node(use.edge.target).operation
    if use.edge.local is not None and not use.replaced:
        return g * use.local
    rule = _RULES.get(operation) or _RULES.get(operation.rstrip("_"))
    if rule is not None:
        return rule(use, g, use.name)
    if row_of(operation).move is not None:
        return _moved_back(use, g)
    if use.local is not None:
        return g * use.local
    return None if use.replaced else _by_element(use, g)


def _by_element(use: Use, g: np.ndarray) -> np.ndarray | None:
    row, x = row_of(use.call.node.operation), use.x
    if x.size > MOST:
        return None
    call, sent = use.call, np.empty(x.shape)
    for at in np.ndindex(x.shape):
        found = row.sent_to(SentCall(call, g, use.edge.argument, at))
        if found is None:
            return None
        sent[at] = found.value
    return sent


def _input(part: object) -> object:
    if isinstance(part, dict) and "input" in part:
        return Input(part["input"], (), "f")
    return [_input(one) for one in part] if isinstance(part, (list, tuple)) else part


# --- rules ---


def _summed_to(g: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Summed over the axes along which an array of this shape was spread."""
    g = g.sum(tuple(range(g.ndim - len(shape))))
    return g.sum(tuple(axis for axis, size in enumerate(shape) if size == 1 < g.shape[axis]), keepdims=True)


def _moved_back(use: Use, g: np.ndarray) -> np.ndarray:
    node, x = use.call.node, use.x
    places = row_of(node.operation).move(np.arange(x.size).reshape(x.shape), node)
    home = np.zeros(x.size)
    np.add.at(home, np.broadcast_to(places, node.shape).reshape(-1), g.reshape(-1))
    return home.reshape(x.shape)


def _linear(use: Use, g: np.ndarray, name: str) -> np.ndarray:
    if name == "x":
        return g @ use.input(use.named["weight"][0])
    rows = g.reshape(-1, g.shape[-1])
    if name == "bias":
        return rows.sum(0)
    x = use.input(use.named["x"][0])
    return rows.T @ x.reshape(-1, x.shape[-1])


def _matmul(use: Use, g: np.ndarray, name: str) -> np.ndarray:
    a, b = use.input(0), use.input(1)
    g = g[..., None] if b.ndim == 1 else g
    g = g[..., None, :] if a.ndim == 1 else g
    rows, columns = a[None] if a.ndim == 1 else a, b[:, None] if b.ndim == 1 else b
    if name == "a":
        return _summed_to(g @ columns.swapaxes(-1, -2), rows.shape).reshape(a.shape)
    return _summed_to(rows.swapaxes(-1, -2) @ g, columns.shape).reshape(b.shape)


def _dot(use: Use, g: np.ndarray, name: str) -> np.ndarray:
    return g * use.input(1 - use.edge.argument)


def _operand(use: Use, name: str) -> np.ndarray | float:
    """The other operand of two: a tensor or a number of the code."""
    numbers = use.named.get(name)
    return use.input(numbers[0]) if numbers else use.call.option(name)


def _added(use: Use, g: np.ndarray, name: str, sign: int = 1) -> np.ndarray:
    factor = 1.0 if name == "a" else sign * use.call.option("alpha", 1)
    return _summed_to(factor * g, use.x.shape)


def _multiplied(use: Use, g: np.ndarray, name: str) -> np.ndarray:
    return _summed_to(g * _operand(use, "b" if name == "a" else "a"), use.x.shape)


def _divided(use: Use, g: np.ndarray, name: str) -> np.ndarray:
    b = _operand(use, "b")
    return _summed_to(g / b if name == "a" else -g * _operand(use, "a") / b**2, use.x.shape)


def _reduced(use: Use, g: np.ndarray) -> np.ndarray:
    """A reduction's gradient given back to every element."""
    x, dim = use.x, use.call.option("dim")
    axes = tuple(range(x.ndim)) if dim is None or dim == [] else tuple(np.atleast_1d(dim) % x.ndim)
    kept = tuple(1 if axis in axes else size for axis, size in enumerate(x.shape))
    return np.broadcast_to(g.reshape(kept), x.shape)


def _averaged(use: Use, g: np.ndarray, name: str) -> np.ndarray:
    return _reduced(use, g) * g.size / use.x.size


def _shared(use: Use, g: np.ndarray, name: str) -> np.ndarray:
    axis = use.call.option("dim", -1)
    p = _shares(use.x, axis)
    return p * (g - (g * p).sum(axis, keepdims=True))


def _log_shared(use: Use, g: np.ndarray, name: str) -> np.ndarray:
    axis = use.call.option("dim", -1)
    return g - _shares(use.x, axis) * g.sum(axis, keepdims=True)


def _shares(x: np.ndarray, axis: int) -> np.ndarray:
    powers = np.exp(x - x.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def _joined(use: Use, g: np.ndarray, name: str) -> np.ndarray:
    """To one of the tensors that cat or stack put together."""
    axis, number = use.call.option("dim", 0), use.edge.argument
    if use.call.node.operation == "stack":
        return g.take(number, axis)
    sizes = [use.call.input(k).shape[axis] for k in range(len(use.call.node.inputs))]
    return np.split(g, np.cumsum(sizes)[:-1], axis)[number]


def _convolved(use: Use, g: np.ndarray, name: str) -> np.ndarray | None:
    """Of conv1d and conv2d: every place of the kernel is one product of matrices."""
    call = use.call
    x, weight = (use.input(use.named[part][0]) for part in ("x", "weight"))
    axes, groups = weight.ndim - 2, call.option("groups", 1)
    padding = call.option("padding", 0)
    if groups != 1 or x.ndim != axes + 2 or isinstance(padding, str):
        return _by_element(use, g) if not use.replaced else None
    if name == "bias":
        return g.sum((0, *range(2, g.ndim)))
    stride, dilation, padding = (_per_axis(part, axes) for part in (call.option("stride", 1), call.option("dilation", 1), padding))
    around = [(0, 0), (0, 0), *((size, size) for size in padding)]
    padded, home = np.pad(x, around), np.zeros(weight.shape if name == "weight" else np.pad(x, around).shape)
    for at in np.ndindex(weight.shape[2:]):
        window = tuple(slice(k * d, k * d + s * (n - 1) + 1, s) for k, d, s, n in zip(at, dilation, stride, g.shape[2:], strict=True))
        if name == "weight":
            seen = padded[(..., *window)]
            home[(..., *at)] = np.einsum("nok,nik->oi", g.reshape(*g.shape[:2], -1), seen.reshape(*seen.shape[:2], -1))
        else:
            home[(..., *window)] += np.einsum("no...,oi->ni...", g, weight[(..., *at)])
    return home if name == "weight" else home[(..., *(slice(size, size + n) for size, n in zip(padding, x.shape[2:], strict=True)))]


def _per_axis(part: int | list[int], axes: int) -> list[int]:
    return [part] * axes if isinstance(part, int) else list(part) * (axes if len(part) == 1 else 1)


def _to_winners(use: Use, g: np.ndarray, name: str) -> np.ndarray:
    winners, x = use.call.node.winners, use.x
    axes = 2 if "2d" in use.call.node.operation else 1 if "1d" in use.call.node.operation else 3
    home = np.zeros((*x.shape[:-axes], int(np.prod(x.shape[-axes:]))))
    places = to_numpy(winners).reshape(*g.shape[:-axes], -1)
    for at in np.ndindex(places.shape[:-1]):
        np.add.at(home[at], places[at], g[at].reshape(-1))
    return home.reshape(x.shape)


def _gathered(use: Use, g: np.ndarray, name: str) -> np.ndarray:
    """What the uses of the parts of a cut tensor send back; `g` holds one array for each part."""
    x, node = use.x, use.call.node
    home = np.zeros(x.size)
    for places, part in zip(pieces(node, np.arange(x.size).reshape(x.shape)), g, strict=True):
        home[places.reshape(-1)] += np.asarray(part).reshape(-1)
    return home.reshape(x.shape)


def _squared(use: Use, g: np.ndarray, name: str) -> np.ndarray | None:
    """Of mse_loss without weights of its rows."""
    call, prediction, target = use.call, use.input(0), use.input(1)
    if call.option("weight") is not None or prediction.shape != target.shape:
        return _by_element(use, g)
    sent = 2 * (prediction - target) * (1 if use.edge.argument == 0 else -1) * g
    return sent / prediction.size if call.option("reduction", "mean") == "mean" else sent


CUTS = ("chunk", "split", "unbind")
"""Operations that return several parts of their input."""
_RULES: dict[str, Rule] = {
    "linear": _linear,
    **dict.fromkeys(("matmul", "mm", "bmm", "mv"), _matmul),
    "dot": _dot,
    "add": _added,
    "sub": lambda use, g, name: _added(use, g, name, -1),
    "rsub": lambda use, g, name: _summed_to(-g if name == "a" else g, use.x.shape),
    "mul": _multiplied,
    "div": _divided,
    "neg": lambda use, g, name: -g,
    "sum": lambda use, g, name: _reduced(use, g),
    "mean": _averaged,
    "mse_loss": _squared,
    "softmax": _shared,
    "log_softmax": _log_shared,
    "cat": _joined,
    "stack": _joined,
    **dict.fromkeys(("conv1d", "conv2d"), _convolved),
    **dict.fromkeys(("max_pool1d", "max_pool2d"), _to_winners),
    **dict.fromkeys(CUTS, _gathered),
}
