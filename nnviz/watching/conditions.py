"""Conditions under which a watched loop halts: how they are written, and when they hold at a step of the optimizer."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim import Optimizer

from nnviz.trace import real_step

KNOWN = (
    "non_finite, gradient > 100, gradient of 0.weight > 5, gradient norm > 10, loss rising, loss rising > 0.5, loss > 3, update ratio > 0.1"
)
_WRITTEN = re.compile(r"(\|?gradient\|?|gradient norm|loss rising|loss|update ratio)(?: of (\S+))?\s*(>|<|above|below)\s*(\S+)")
_norm = torch.linalg.vector_norm
_ROUNDED = 1e-3
_WITH_PLACE = ("gradient", "update ratio")


class WatchedStep:
    """What is known just before the optimizer makes its step; a function among the conditions is given it."""

    def __init__(self, iteration: int, loss: float | None, previous_loss: float | None, named: Mapping[str, Tensor], optimizer: Optimizer):
        self.iteration, self.loss, self.previous_loss = iteration, loss, previous_loss
        self.parameters = named
        self._optimizer = optimizer
        self._norm = -1.0

    @cached_property
    def gradients(self) -> dict[str, Tensor]:
        """The gradients that the optimizer gets, by parameter."""
        return {name: parameter.grad for name, parameter in self.parameters.items() if parameter.grad is not None}

    @cached_property
    def norms(self) -> dict[str, float]:
        """The Euclidean norm of each gradient; NaN or infinite if an element is, or if it is too large for its own type."""
        return {name: _norm(_values(gradient)).item() for name, gradient in self.gradients.items()}

    @property
    def gradient_norm(self) -> float:
        """The norm of all gradients together, as `clip_grad_norm_` measures it; no element of any is larger."""
        if self._norm < 0.0:
            norms = []
            for parameter in self.parameters.values():
                gradient = parameter.grad
                if gradient is not None:
                    norms.append(_norm(gradient if gradient.layout is torch.strided else _values(gradient)).item())
            self._norm = math.hypot(*norms)
        return self._norm

    def largest(self, name: str) -> float:
        """Return the largest |element| of a gradient, infinite ones included; NaN if any is NaN."""
        values = _values(self.gradients[name])
        return values.abs().max().item() if values.numel() else 0.0

    @cached_property
    def update_ratios(self) -> dict[str, float]:
        """‖Δθ‖/‖θ‖ of each parameter, by a step of a private copy of the optimizer, which takes several times as long as its own step."""
        _, copies = real_step(self._optimizer, {id(self.parameters[name]): gradient for name, gradient in self.gradients.items()})
        ratios = {}
        for name in self.gradients:
            before = self.parameters[name].detach().double()
            size = before.norm().item()
            ratios[name] = (copies[id(self.parameters[name])].detach().double() - before).norm().item() / size if size else 0.0
        return ratios


class Hit(NamedTuple):
    """A condition that holds: what was found, and in which parameter."""

    condition: WatchCondition
    value: float | None
    parameter: str = ""
    told: str = ""


class WatchCondition(NamedTuple):
    """One condition; `kind` is a row of `_HOLDS`."""

    text: str
    kind: str
    threshold: float = 0.0
    is_below: bool = False
    target: str = ""
    function: Callable[[WatchedStep], Any] | None = None

    def hit(self, step: WatchedStep) -> Hit | None:
        """Return what it finds at a step; None where it does not hold."""
        return _HOLDS[self.kind](self, step)

    def is_beyond(self, value: float) -> bool:
        """Return whether a number is on the wrong side of the threshold. NaN is on neither side."""
        return value < self.threshold if self.is_below else value > self.threshold

    def may_hold(self, ratios: Mapping[str, float]) -> bool:
        """Return whether it might hold of updates of these ratios, which are rounded; infinite ones are too large to be measured so."""
        slack = 1 - _ROUNDED if self.is_below else 1 + _ROUNDED
        return any([self.is_beyond(ratio * slack) or ratio == math.inf for name, ratio in ratios.items() if self.covers(name)])

    def covers(self, name: str) -> bool:
        """Return whether a parameter is among those it looks at."""
        return not self.target or name == self.target or name.startswith(f"{self.target}.")


def conditions_of(given: Any, names: Sequence[str]) -> tuple[WatchCondition, ...]:
    """Return the conditions that were written, or given as functions. Raises ValueError for what is none, or names no parameter."""
    is_one = isinstance(given, str) or callable(given) or not isinstance(given, Iterable)
    listed = [given] if is_one else list(given)
    if not listed:
        raise ValueError(f"break_on={given!r} holds no condition, so the loop would never halt. Write for example {KNOWN}.")
    found = tuple(_condition(one) for one in listed)
    for one in found:
        if not any(map(one.covers, names)):
            held = ", ".join([*names[:6], "…"] if len(names) > 6 else names)
            raise ValueError(f"break_on={one.text!r}: the optimizer holds no parameter {one.target!r}; it holds {held}")
    return found


def _condition(given: Any) -> WatchCondition:
    if callable(given):
        return WatchCondition(getattr(given, "__name__", type(given).__name__), "function", function=given)
    text = " ".join(str(given).split())
    if text.lower().replace(" ", "_").replace("-", "_") == "non_finite":
        return WatchCondition(text, "non_finite")
    if text == "loss rising":
        return WatchCondition(text, "loss_rising")
    written = _WRITTEN.fullmatch(text)
    kind, target, side, number = written.groups(default="") if written else ("", "", "", "")
    kind = kind.strip("|")
    try:
        threshold = float(number)
    except ValueError:
        threshold = math.nan
    if math.isnan(threshold) or (target and kind not in _WITH_PLACE) or (kind == "loss rising" and side in ("<", "below")):
        raise ValueError(f"break_on={given!r} is no condition. Write for example {KNOWN}; or give a function of the step.")
    return WatchCondition(text, kind.replace(" ", "_"), threshold, side in ("<", "below"), target)


# --- when each kind holds ---


def _non_finite(one: WatchCondition, step: WatchedStep) -> Hit | None:
    if step.loss is not None and not math.isfinite(step.loss):
        return Hit(one, step.loss, told=f"the loss is {step.loss}")
    if math.isfinite(step.gradient_norm):
        return None
    for name, norm in step.norms.items():
        if not math.isfinite(norm) and not math.isfinite(step.largest(name)):
            return Hit(one, norm, name, f"the gradient of {name} is not finite")
    return None


def _gradient(one: WatchCondition, step: WatchedStep) -> Hit | None:
    """The largest |element| of a parameter; none is above its norm, so that most need not be looked for."""
    if not one.is_below and step.gradient_norm <= one.threshold:
        return None
    names = [name for name, norm in step.norms.items() if one.covers(name) and (one.is_below or not norm <= one.threshold)]
    largest = {name: step.largest(name) for name in names}
    beyond = {name: value for name, value in largest.items() if one.is_beyond(value)}
    if not beyond:
        return None
    name = (min if one.is_below else max)(beyond, key=beyond.get)
    return Hit(one, beyond[name], name, f"the largest |gradient| is {beyond[name]:.4g} in {name}")


def _gradient_norm(one: WatchCondition, step: WatchedStep) -> Hit | None:
    norm = step.gradient_norm
    if not one.is_beyond(norm) or not step.norms:
        return None
    name = max(step.norms, key=step.norms.get)
    return Hit(one, norm, name, f"the norm of all gradients is {norm:.4g}, that of {name} alone {step.norms[name]:.4g}")


def _loss(one: WatchCondition, step: WatchedStep) -> Hit | None:
    return Hit(one, step.loss, told=f"the loss is {step.loss:.4g}") if step.loss is not None and one.is_beyond(step.loss) else None


def _loss_rising(one: WatchCondition, step: WatchedStep) -> Hit | None:
    if step.loss is None or step.previous_loss is None or not step.loss > step.previous_loss + one.threshold:
        return None
    return Hit(one, step.loss, told=f"the loss has risen from {step.previous_loss:.4g} to {step.loss:.4g}")


def _update_ratio(one: WatchCondition, step: WatchedStep) -> Hit | None:
    beyond = {name: ratio for name, ratio in step.update_ratios.items() if one.covers(name) and one.is_beyond(ratio)}
    if not beyond:
        return None
    name = (min if one.is_below else max)(beyond, key=beyond.get)
    return Hit(one, beyond[name], name, f"the update would change {name} by {beyond[name]:.3g} of its own norm")


def _function(one: WatchCondition, step: WatchedStep) -> Hit | None:
    said = one.function(step)
    return Hit(one, None, told=said if isinstance(said, str) else f"{one.text} says so") if said else None


_HOLDS: dict[str, Callable[[WatchCondition, WatchedStep], Hit | None]] = {
    "non_finite": _non_finite,
    "gradient": _gradient,
    "gradient_norm": _gradient_norm,
    "loss": _loss,
    "loss_rising": _loss_rising,
    "update_ratio": _update_ratio,
    "function": _function,
}


def _values(gradient: Tensor) -> Tensor:
    """The numbers of a gradient; of a sparse one those that it holds."""
    return gradient if gradient.layout == torch.strided else gradient.coalesce().values()
