"""One table: the learning rate of an iteration, as torch.optim.lr_scheduler has it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from nnviz.document.network import Choice


@dataclass(frozen=True)
class Plateau:
    """The state of "plateau" between epochs. Source: torch.optim.lr_scheduler.ReduceLROnPlateau, mode min, threshold relative."""

    best: float = math.inf
    waited: int = 0
    cooldown: int = 0
    reductions: int = 0
    """How often the learning rate has been reduced."""

    def after(self, schedule: Choice, loss: float) -> Plateau:
        """Return the state after another epoch with this validation loss."""
        is_better = loss < self.best * (1 - schedule["threshold"])
        waited = 0 if is_better or self.cooldown else self.waited + 1
        best, cooldown = loss if is_better else self.best, max(0, self.cooldown - 1)
        if waited > schedule["patience"]:
            return Plateau(best, 0, schedule["cooldown"], self.reductions + 1)
        return Plateau(best, waited, cooldown, self.reductions)


_LEAST = 1e-8
"""Reductions by less than this are not made."""


def _reduced(schedule: Choice, base: float, reductions: int) -> float:
    for _ in range(reductions):
        lower = max(base * schedule["factor"], schedule["min_lr"])
        if base - lower <= _LEAST:
            return base
        base = lower
    return base


def _cosine(schedule: Choice, base: float, t: int) -> float:
    least = schedule["eta_min"]
    return least + (base - least) * (1 + math.cos(math.pi * t / schedule["t_max"])) / 2


def _warm_up(schedule: Choice, base: float, t: int) -> float:
    start = schedule["start_factor"]
    return base * (start + (1 - start) * min(t / schedule["total_iters"], 1.0))


SCHEDULES: dict[str, Callable[[Choice, float, int], float]] = {
    "constant": lambda schedule, base, t: base,
    "step": lambda schedule, base, t: base * schedule["gamma"] ** (t // schedule["step_size"]),
    "exponential": lambda schedule, base, t: base * schedule["gamma"] ** t,
    "cosine": _cosine,
    "warm_up": _warm_up,
    "plateau": _reduced,
}
"""Schedule -> function (schedule, the optimizer's own rate, t); t counts epochs, iterations or, for "plateau", reductions."""


def learning_rate(schedule: Choice, base: float, iteration: int, epoch: int, plateau: Plateau) -> float:
    """Return η for the iteration that follows `iteration` finished ones.

    `base`: the optimizer's setting, times the factor of a layer that has one.
    """
    if schedule.kind == "plateau":
        return SCHEDULES["plateau"](schedule, base, plateau.reductions)
    return SCHEDULES[schedule.kind](schedule, base, iteration if schedule.settings.get("every") == "iteration" else epoch)
