"""Torch's operations worked out by hand, as source: what a call computes, and what it sends back to each of its inputs.

`d` stands for the gradient of the result, `y` for the result. An operation without a rule is left to torch, one call at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple


class WrittenCall(NamedTuple):
    """A call of the trace: its inputs by name, and all it was given as source."""

    operation: str
    y: str
    d: str
    inputs: tuple[str, ...]
    given: tuple[Any, ...]
    """By position, as source; a list for a list of tensors."""
    named: dict[str, Any]
    shapes: tuple[tuple[int, ...], ...]
    """Of the inputs."""
    shape: tuple[int, ...]
    """Of the result."""

    def option(self, place: int, name: str, default: Any) -> Any:
        """Return what was given at a place or by name."""
        return self.given[place] if len(self.given) > place else self.named.get(name, default)


Forward = Callable[[WrittenCall], str]
Backward = Callable[[WrittenCall], Sequence[str]]
"""Returns an expression for each input, "" where nothing is sent."""


def _joined(call: WrittenCall, function: str) -> str:
    axis = call.option(1, "dim", "0")
    return f"torch.{function}([{', '.join(call.given[0])}], {axis})"


def _method(name: str) -> Forward:
    return lambda call: f"{call.inputs[0]}.{name}({', '.join(_arguments(call, 1))})"


def _arguments(call: WrittenCall, start: int) -> list[str]:
    named = [f"{name}={value}" for name, value in call.named.items() if value not in ("None", None) and name != "_stacklevel"]
    return [_source(part) for part in call.given[start:]] + named


def _source(part: Any) -> str:
    return f"[{', '.join(map(_source, part))}]" if isinstance(part, list | tuple) else str(part)


def _function(name: str) -> Forward:
    """A function of torch with what it was given; what says nothing is left out."""
    silent = {"None", "False", "mean", "-100", "'mean'", "0.0", "2.0"}

    def forward(call: WrittenCall) -> str:
        named = [f"{key}={_source(value)}" for key, value in call.named.items() if _source(value) not in silent and key != "_stacklevel"]
        return f"{name}({', '.join([*(_source(part) for part in call.given), *named])})"

    return forward


def _between(sign: str) -> Forward:
    return lambda call: f"{call.given[0]} {sign} {call.given[1]}"


_FUNCTIONS = (
    "leaky_relu elu gelu silu softplus huber_loss cross_entropy nll_loss binary_cross_entropy_with_logits layer_norm conv1d conv2d "
    "max_pool1d max_pool2d avg_pool1d avg_pool2d"
)
"""Left to torch as they are."""
FORWARD: dict[str, Forward] = {
    "linear": lambda c: f"{c.inputs[0]} @ {c.inputs[1]}.T" + (f" + {c.inputs[2]}" if len(c.inputs) > 2 else ""),
    "matmul": _between("@"),
    "add": _between("+"),
    "sub": _between("-"),
    "mul": _between("*"),
    "div": _between("/"),
    "rsub": lambda c: f"{c.given[1]} - {c.given[0]}",
    "pow": lambda c: f"{c.given[0]}.pow({c.given[1]})",
    "root": lambda c: f"{c.inputs[0]}.sqrt()",
    **{name: _method(name) for name in ("square", "sqrt", "exp", "abs", "long", "mean", "sum", "view", "reshape", "flatten", "transpose")},
    **{name: _method(name) for name in ("permute", "unbind", "chunk", "max")},
    "relu": lambda c: f"{c.inputs[0]} * ({c.inputs[0]} > 0)",
    "sigmoid": lambda c: f"1 / (1 + torch.exp(-{c.inputs[0]}))",
    "tanh": lambda c: f"torch.tanh({c.inputs[0]})",
    "softmax": lambda c: f"{c.inputs[0]}.softmax({c.option(1, 'dim', '-1')})",
    "log_softmax": lambda c: f"{c.inputs[0]}.log_softmax({c.option(1, 'dim', '-1')})",
    "cat": lambda c: _joined(c, "cat"),
    "stack": lambda c: _joined(c, "stack"),
    "getitem": lambda c: f"{c.inputs[0]}[{c.given[1]}]",
    "block": lambda c: f"{c.inputs[0]}.chunk({c.given[2]}, -1)[{c.given[1]}]",
    "masked_fill": lambda c: f"{c.inputs[0]}.masked_fill({c.given[1]}, {c.given[2]})",
    "embedding": lambda c: f"{c.inputs[1]}[{c.inputs[0]}]",
    "mse_loss": lambda c: f"(({c.inputs[0]} - {c.inputs[1]}) ** 2).mean()",
    "l1_loss": lambda c: f"({c.inputs[0]} - {c.inputs[1]}).abs().mean()",
    **{name: _function(f"F.{name}") for name in _FUNCTIONS.split()},
}
"""Operation -> what it computes."""


def _first(rule: Callable[[WrittenCall, str], str]) -> Backward:
    """A function of one input x."""
    return lambda call: [rule(call, call.inputs[0])]


def _two(left: str, right: str) -> Backward:
    """Of two operands a and b, of which one may be a number."""

    def backward(call: WrittenCall) -> list[str]:
        a, b = call.given[:2]
        sent = [rule.format(d=call.d, y=call.y, a=a, b=b) for rule in (left, right)]
        return [text for operand, text in zip((a, b), sent, strict=True) if operand in call.inputs][: len(call.inputs)]

    return backward


def _dense(call: WrittenCall) -> list[str]:
    x, weight = call.inputs[:2]
    axes = len(call.shapes[0])
    if axes == 2:
        sent = [f"{call.d} @ {weight}", f"{call.d}.T @ {x}", f"{call.d}.sum(0)"]
    else:
        sent = [f"{call.d} @ {weight}", f"{call.d}.flatten(0, -2).T @ {x}.flatten(0, -2)", f"{call.d}.flatten(0, -2).sum(0)"]
    return sent[: len(call.inputs)]


def _spread(call: WrittenCall, divided: bool) -> list[str]:
    """What a mean or a sum over axes sends: the same to every element."""
    axes = call.option(1, "dim", None)
    d = call.d
    places = [] if axes in (None, "None") else axes if isinstance(axes, list) else [axes]
    if places and call.named.get("keepdim") != "True":
        for place in sorted(int(place) % len(call.shapes[0]) for place in places):
            d = f"{d}.unsqueeze({place})"
    x = call.inputs[0]
    return [f"{d}.expand_as({x})" + (f" / {prod(call.shapes[0]) // prod(call.shape)}" if divided else "")]


def _parts(call: WrittenCall, is_new_axis: bool) -> list[str]:
    """What the inputs of cat and stack are sent: each its part."""
    axis = int(call.option(1, "dim", "0"))
    if is_new_axis:
        return [f"{call.d}.select({axis}, {place})" for place in range(len(call.inputs))]
    sizes = [shape[axis] for shape in call.shapes]
    return [f"{call.d}.split({sizes}, {axis})[{place}]" for place in range(len(call.inputs))]


def _inverse_permutation(call: WrittenCall) -> list[str]:
    order = [int(place) for place in (call.given[1] if isinstance(call.given[1], list) else call.given[1:])]
    back = sorted(range(len(order)), key=order.__getitem__)
    return [f"{call.d}.permute({', '.join(map(str, back))})"]


def _convolved(axes: int) -> Backward:
    def backward(call: WrittenCall) -> list[str]:
        x, weight = call.inputs[:2]
        rest = f"{call.d}, {call.option(3, 'stride', '1')}, {call.option(4, 'padding', '0')}"
        places = "(0, 2)" if axes == 1 else "(0, 2, 3)"
        sent = [
            f"torch.nn.grad.conv{axes}d_input({x}.shape, {weight}, {rest})",
            f"torch.nn.grad.conv{axes}d_weight({x}, {weight}.shape, {rest})",
            f"{call.d}.sum({places})",
        ]
        return sent[: len(call.inputs)]

    return backward


def _to_the_largest(call: WrittenCall) -> list[str]:
    axis = call.option(1, "dim", "0")
    places = f"{axis}, {call.y}[1].unsqueeze({axis}), {call.d}[0].unsqueeze({axis})"
    return [f"torch.zeros_like({call.inputs[0]}).scatter({places})"]


BACKWARD: dict[str, Backward] = {
    "linear": _dense,
    "matmul": _two("{d} @ {b}.mT", "{a}.mT @ {d}"),
    "add": _two("{d}", "{d}"),
    "sub": _two("{d}", "-{d}"),
    "mul": _two("{d} * {b}", "{d} * {a}"),
    "div": _two("{d} / {b}", "-{d} * {y} / {b}"),
    "rsub": _first(lambda c, x: f"-{c.d}"),
    "pow": _first(lambda c, x: f"{c.d} * {c.given[1]} * {x}.pow({c.given[1]} - 1)"),
    "square": _first(lambda c, x: f"{c.d} * 2 * {x}"),
    "sqrt": _first(lambda c, x: f"{c.d} / (2 * {c.y})"),
    "root": _first(lambda c, x: f"{c.d} / (2 * {c.y})"),
    "exp": _first(lambda c, x: f"{c.d} * {c.y}"),
    "abs": _first(lambda c, x: f"{c.d} * {x}.sign()"),
    "relu": _first(lambda c, x: f"{c.d} * ({x} > 0)"),
    "sigmoid": _first(lambda c, x: f"{c.d} * {c.y} * (1 - {c.y})"),
    "tanh": _first(lambda c, x: f"{c.d} * (1 - {c.y}**2)"),
    "leaky_relu": _first(lambda c, x: f"torch.where({x} > 0, {c.d}, {c.d} * {c.named.get('negative_slope', '0.01')})"),
    "elu": _first(lambda c, x: f"torch.where({x} > 0, {c.d}, {c.d} * {x}.exp())"),
    "softplus": _first(lambda c, x: f"{c.d} * torch.sigmoid({x})"),
    "softmax": _first(lambda c, x: f"through_softmax({c.d}, {c.y})"),
    "log_softmax": _first(lambda c, x: f"{c.d} - {c.y}.exp() * {c.d}.sum(-1, keepdim=True)"),
    "max": _to_the_largest,
    "mean": lambda call: _spread(call, True),
    "sum": lambda call: _spread(call, False),
    **{name: _first(lambda c, x: f"{c.d}.reshape({x}.shape)") for name in ("view", "reshape", "flatten")},
    "transpose": _first(lambda c, x: f"{c.d}.transpose({c.given[1]}, {c.given[2]})"),
    "permute": _inverse_permutation,
    "cat": lambda call: _parts(call, False),
    "stack": lambda call: _parts(call, True),
    "unbind": _first(lambda c, x: f"torch.stack({c.d}, {c.option(1, 'dim', '0')})"),
    "chunk": _first(lambda c, x: f"torch.cat({c.d}, {c.option(2, 'dim', '0')})"),
    "getitem": _first(lambda c, x: f"put_in({x}, lambda parts: parts[{c.given[1]}], {c.d})"),
    "block": _first(lambda c, x: f"put_in({x}, lambda parts: parts.chunk({c.given[2]}, -1)[{c.given[1]}], {c.d})"),
    "masked_fill": _first(lambda c, x: f"{c.d}.masked_fill({c.given[1]}, 0.0)"),
    "embedding": lambda call: ["", f"torch.zeros_like({call.inputs[1]}).index_put(({call.inputs[0]},), {call.d}, accumulate=True)"],
    "mse_loss": _first(lambda c, x: f"{c.d} * 2 * ({x} - {c.inputs[1]}) / {x}.numel()"),
    "l1_loss": _first(lambda c, x: f"{c.d} * ({x} - {c.inputs[1]}).sign() / {x}.numel()"),
    "binary_cross_entropy_with_logits": _first(lambda c, x: f"{c.d} * (torch.sigmoid({x}) - {c.inputs[1]}) / {x}.numel()"),
    "cross_entropy": _first(lambda c, x: f"{c.d} * ({x}.softmax(1) - F.one_hot({c.inputs[1]}, {c.shapes[0][1]})) / len({x})"),
    "conv1d": _convolved(1),
    "conv2d": _convolved(2),
}
"""Operation -> what it sends to each of its inputs; one that sends less than all of them sends nothing to the others."""
