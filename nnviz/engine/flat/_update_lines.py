"""One table: the update of every optimizer as element-wise calls over flat buffers, in the order in which torch.optim makes them.

Source: torch.optim, `_single_tensor_sgd` and `_multi_tensor_adagrad`, `_rmsprop`, `_adam`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Settings = dict[str, Any]
"""The optimizer's settings without the learning rate; `rate` is the name by which the lines find that."""

STATE: dict[str, Callable[[Settings], tuple[str, ...]]] = {
    "sgd": lambda s: ("momentum_buffer",) * bool(s["momentum"]),
    "adagrad": lambda s: ("sum",),
    "rmsprop": lambda s: ("square_avg", *("momentum_buffer",) * bool(s["momentum"]), *("grad_avg",) * s["centered"]),
    "adam": lambda s: ("exp_avg", "exp_avg_sq", *("max_exp_avg_sq",) * s["amsgrad"]),
    "adamw": lambda s: ("exp_avg", "exp_avg_sq", *("max_exp_avg_sq",) * s["amsgrad"]),
}
"""Per kind: the entries of a parameter's state that are as large as the parameter."""

COUNTS_STEPS = {"adagrad", "rmsprop", "adam", "adamw"}
"""Whose state also counts steps."""


def _gradient(s: Settings, decay: bool = True) -> Iterator[str]:
    """What is done to the gradient first. The gradient itself stays as it is, because it is shown."""
    if s["maximize"]:
        yield "neg(gradients, out=direction)"
    if decay and s["weight_decay"]:
        source = "direction" if s["maximize"] else "gradients"
        yield f"add({source}, parameters, alpha={s['weight_decay']!r}, out=direction)"


def _taken(s: Settings, decay: bool = True) -> str:
    """The name of the gradient as it is used."""
    return "direction" if s["maximize"] or (decay and s["weight_decay"]) else "gradients"


def _sgd(s: Settings) -> Iterator[str]:
    yield from _gradient(s)
    d = _taken(s)
    if s["momentum"]:
        yield "mul_(momentum_buffer, momentum)"
        yield f"add_(momentum_buffer, {d}, alpha={1 - s['dampening']!r})"
        if s["nesterov"]:
            yield f"add({d}, momentum_buffer, alpha={s['momentum']!r}, out=direction)"
        d = "direction" if s["nesterov"] else "momentum_buffer"
    yield f"add_(parameters, {d}, alpha=-rate)"


def _adagrad(s: Settings) -> Iterator[str]:
    yield from _gradient(s)
    d = _taken(s)
    yield f"addcmul_(sum, {d}, {d}, value=1)"
    yield "sqrt(sum, out=root)"
    yield "add_(root, epsilon)"
    yield f"fill_(factor, -rate / (1 + (t - 1) * {s['lr_decay']!r}))"
    yield f"mul({d}, factor, out=direction)"
    yield "addcdiv_(parameters, direction, root)"


def _rmsprop(s: Settings) -> Iterator[str]:
    yield from _gradient(s)
    d = _taken(s)
    yield "mul_(square_avg, alpha)"
    yield f"addcmul_(square_avg, {d}, {d}, value={1 - s['alpha']!r})"
    if s["centered"]:
        yield f"lerp_(grad_avg, {d}, {1 - s['alpha']!r})"
        yield "addcmul(square_avg, grad_avg, grad_avg, value=-1, out=root)"
        yield "sqrt(root, out=root)"
    else:
        yield "sqrt(square_avg, out=root)"
    yield "add_(root, epsilon)"
    if s["momentum"]:
        yield "mul_(momentum_buffer, momentum)"
        yield f"addcdiv_(momentum_buffer, {d}, root)"
        yield "add_(parameters, momentum_buffer, alpha=-rate)"
    else:
        yield f"addcdiv_(parameters, {d}, root, value=-rate)"


def _adam(s: Settings) -> Iterator[str]:
    yield from _gradient(s)
    yield from _moments(s, _taken(s))


def _adamw(s: Settings) -> Iterator[str]:
    yield from _gradient(s, decay=False)
    if s["weight_decay"]:
        yield f"fill_(factor, 1 - rate * {s['weight_decay']!r})"
        yield "mul_(parameters, factor)"
    yield from _moments(s, _taken(s, decay=False))


def _moments(s: Settings, d: str) -> Iterator[str]:
    yield f"lerp_(exp_avg, {d}, {1 - s['beta1']!r})"
    yield "mul_(exp_avg_sq, beta2)"
    yield f"addcmul_(exp_avg_sq, {d}, {d}, value={1 - s['beta2']!r})"
    if s["amsgrad"]:
        yield "maximum(max_exp_avg_sq, exp_avg_sq, out=max_exp_avg_sq)"
    yield f"sqrt({'max_' * s['amsgrad']}exp_avg_sq, out=root)"
    yield f"fill_(factor, (1 - {s['beta2']!r} ** t) ** 0.5)"
    yield "div_(root, factor)"
    yield "add_(root, epsilon)"
    yield f"addcdiv_(parameters, exp_avg, root, value=rate / (1 - {s['beta1']!r} ** t) * -1)"


UPDATES: dict[str, Callable[[Settings], Iterator[str]]] = {
    "sgd": _sgd,
    "adagrad": _adagrad,
    "rmsprop": _rmsprop,
    "adam": _adam,
    "adamw": _adamw,
}
"""Per kind: the lines of one update. `direction`, `root` and `factor` are room for what lies between, the last for one number; t: number of
the step. A setting's name stands for a tensor of that number: a kernel takes it in a third of the time of a number of Python's."""
