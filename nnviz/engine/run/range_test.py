"""The learning-rate range test: the rate grows by the same factor every iteration, on copies, and the loss tells how far that goes well."""

from __future__ import annotations

import math
from collections.abc import Generator

import numpy as np
from msgspec.structs import replace

from nnviz.document.catalog import SCHEDULES, new_choice
from nnviz.engine.errors import BuildError
from nnviz.engine.run.private_copy import private_copy
from nnviz.engine.run.trainer import Trainer
from nnviz.engine.run.two_sides import TWO_LOSSES
from nnviz.engine.tasks import Work
from nnviz.records.task_records import Progress, RangeTest, RangeTestTask
from nnviz.records.tensors import Array

MEMORY = 0.98
"""β of the exponential mean. Source: fastai's learning rate finder; Smith 2017."""
DIVERGED = 4.0
"""It stops when the smoothed loss is so many times the best."""
SIGMAS = 3.0
"""A fall is none of chance when it is so many standard deviations steep, of what the noise of the batches alone makes of the slope. Where
nothing is learnt the steepest of the slopes reaches that in one of a hundred runs; a rate is suggested where most of the seeds do."""


def range_test(task: RangeTestTask, trainer: Trainer) -> Work:
    """Return the work that makes the test from where the trainer stands, which stays as it is in every respect.

    Iteration i of n is made with lrᵢ = lowest·(highest/lowest)^(i/(n−1)). Its loss is measured before its update, so that it shows what
    lrᵢ₋₁ has done, and is kept beside that. Source: Smith 2017. Raises BuildError for rates or numbers that make no test.
    """
    if not 0 < task.lowest < task.highest < math.inf:
        raise BuildError("", "The rates of a range test begin above 0 and grow.", "Choose a lowest rate below the highest.")
    if task.iterations < 3 or task.seeds < 1:
        raise BuildError("", "A range test has at least 3 iterations and one seed.", "Choose more.")
    if trainer.sides:
        raise BuildError("", TWO_LOSSES, "Choose the learning rate by the points that are generated.")
    return _tested(task, private_copy(trainer))


def rates(task: RangeTestTask) -> np.ndarray:
    """Return the learning rates, (n,)."""
    return task.lowest * (task.highest / task.lowest) ** (np.arange(task.iterations) / (task.iterations - 1))


def _tested(task: RangeTestTask, origin: Trainer) -> Work:
    losses, smoothed = (np.full((task.seeds, task.iterations), math.nan) for _ in range(2))
    starts = []
    for number in range(task.seeds):
        made = yield from _losses(_trainer(origin, number), task, number)
        starts.append(made[0])
        losses[number, : len(made) - 1] = made[1:]
        smoothed[number, : len(made) - 1] = debiased(made)[1:]
        found = _found(task, losses[: number + 1], smoothed[: number + 1], starts[0])
        if number + 1 < task.seeds:
            yield found
    return found


def _trainer(origin: Trainer, number: int) -> Trainer:
    """A copy without schedule and early stopping; the first has the rows and masks that come next, the others have other ones."""
    experiment = origin.experiment
    tested = replace(experiment.training, schedule=new_choice(SCHEDULES, "constant"), early_stopping=None)
    return private_copy(origin, replace(experiment, training=tested, seed=experiment.seed + number))


def _losses(trainer: Trainer, task: RangeTestTask, number: int) -> Generator:
    """The losses before every update, and that after the last; fewer where it diverges."""
    made: list[float] = []
    best = math.inf
    every = rates(task).tolist()
    for iteration, rate in enumerate([*every, every[-1]]):
        trainer.set_learning_rate(rate)
        stop = trainer.advance()
        if stop and stop.comes_before:
            break
        made.append(trainer.point.loss)
        smoothed = debiased(made)[-1]
        best = min(best, smoothed)
        yield Progress(number * task.iterations + min(iteration, task.iterations - 1) + 1, task.seeds * task.iterations, "iterations")
        if smoothed > DIVERGED * best:
            break
    if not made:
        raise BuildError("", "The loss is not finite where the run stands.", "Go back to where it is.")
    return made


def debiased(losses: list[float]) -> np.ndarray:
    """Return the exponential means of the losses up to each, divided by what their weights sum to: 1 − βᵏ."""
    mean, found = 0.0, []
    for count, loss in enumerate(losses, 1):
        mean = MEMORY * mean + (1 - MEMORY) * loss
        found.append(mean / (1 - MEMORY**count))
    return np.array(found)


def _found(task: RangeTestTask, losses: np.ndarray, smoothed: np.ndarray, start: float) -> RangeTest:
    every = rates(task)
    slopes = np.array([_slopes(one, np.log(every)) for one in smoothed])
    lowest = np.array([every[np.nanargmin(one)] if np.isfinite(one).any() else math.nan for one in smoothed])
    steepest = np.array([_steepest(every, *pair) for pair in zip(slopes, lowest, strict=True)])
    falls = np.array([_steepness(every, *found) for found in zip(losses, slopes, steepest, lowest, strict=True)])
    clear = steepest[falls >= SIGMAS]
    low, high = (float(clear.min()), float(clear.max())) if 2 * clear.size > len(falls) else (None, None)
    return RangeTest(*map(_array, (every, losses, smoothed, slopes, steepest, lowest)), start, low, high, _array(falls))


def _array(values: np.ndarray) -> Array:
    return Array(values.dtype.name, values.shape, values.tobytes())


def _slopes(smoothed: np.ndarray, logarithms: np.ndarray) -> np.ndarray:
    """By ln η, between a twentieth of the iterations before and after. Up to the first tenth the mean is of too few batches to say how it
    changes; there, and at the end, it is NaN."""
    slopes, count, beside = np.full(len(smoothed), math.nan), int(np.isfinite(smoothed).sum()), _beside(len(smoothed))
    places = np.arange(max(beside, len(smoothed) // 10), count - beside)
    before, after = places - beside, places + beside
    slopes[places] = (smoothed[after] - smoothed[before]) / (logarithms[after] - logarithms[before])
    return slopes


def _beside(count: int) -> int:
    """Between how many iterations before and after a slope is taken."""
    return max(1, count // 20)


def _steepness(every: np.ndarray, losses: np.ndarray, slopes: np.ndarray, steepest: float, lowest: float) -> float:
    """How many standard deviations of a slope made of noise the steepest fall is; NaN where there is none. The noise is what neighbouring
    losses differ by before the lowest point; what it makes of a slope follows from the weights of the means the slope is between."""
    if math.isnan(steepest):
        return math.nan
    place, beside = int(np.searchsorted(every, steepest)), _beside(len(every))
    behind = max(int(np.searchsorted(every, lowest)), len(every) // 10, 1) + 1
    noise = math.sqrt(float((np.diff(losses[:behind]) ** 2).mean()) / 2)
    after, before = (_weights(place + 2 + step, len(every) + 1) for step in (beside, -beside))  # the first loss is before any of the rates
    deviation = noise * float(np.linalg.norm(after - before)) / math.log(every[place + beside] / every[place - beside])
    return -float(slopes[place]) / deviation if deviation else math.inf


def _weights(count: int, length: int) -> np.ndarray:
    """With which weights the first `count` of so many losses stand in their debiased mean."""
    found = np.zeros(length)
    found[:count] = (1 - MEMORY) * MEMORY ** np.arange(count)[::-1] / (1 - MEMORY**count)
    return found


def _steepest(every: np.ndarray, slopes: np.ndarray, lowest: float) -> float:
    """The rate of the steepest fall before the lowest point; NaN if it falls nowhere."""
    falling = np.where((every <= lowest) & (slopes < 0), slopes, math.nan)
    return float(every[np.nanargmin(falling)]) if np.isfinite(falling).any() else math.nan
