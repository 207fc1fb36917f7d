"""One table: the learning rate of an iteration. It must not know about optimizers."""

from __future__ import annotations

from collections.abc import Callable

from nnviz.document.network import Choice

SCHEDULES: dict[str, Callable[[Choice, float, int, int], float]] = {
    "constant": lambda choice, base, iteration, epoch: base,
}


def learning_rate(schedule: Choice, base: float, iteration: int, epoch: int) -> float:
    """Return η for the iteration that follows `iteration` finished ones. `base`: the optimizer's setting."""
    return SCHEDULES[schedule.kind](schedule, base, iteration, epoch)
