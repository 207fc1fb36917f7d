"""How much the gradient differs from row to row and from batch to batch, where a run stands."""

from __future__ import annotations

import math
from collections.abc import Generator

import numpy as np
import torch
from torch import Tensor, nn

from nnviz.engine import seeds
from nnviz.engine.errors import BuildError
from nnviz.engine.observe.measures import array_of
from nnviz.engine.observe.run_loss import RunLoss
from nnviz.engine.run.private_copy import private_copy
from nnviz.engine.run.trainer import Trainer
from nnviz.engine.tasks import Work
from nnviz.records.task_records import GradientNoise, NoiseTask, Progress

MOST_ROWS = 1000
"""Of so many rows at most the gradient is worked out one by one."""
LARGEST_BATCH = 512


class Scatter:
    """Mean and summed variance of vectors that are given one by one. Source: Welford 1962."""

    def __init__(self) -> None:
        self.count, self.mean, self._squares = 0, torch.zeros(()), 0.0

    def add(self, vector: Tensor) -> None:
        """Count one more."""
        self.count += 1
        before = vector - self.mean
        self.mean = self.mean + before / self.count
        self._squares += (before @ (vector - self.mean)).item()

    @property
    def variance(self) -> float:
        """Summed over the elements, unbiased; NaN of a single one."""
        return self._squares / (self.count - 1) if self.count > 1 else math.nan


def gradient_noise(task: NoiseTask, trainer: Trainer) -> Work:
    """Return the work that finds the gradient noise where the trainer stands, which stays as it is.

    In training mode every batch has masks of its own. With batch normalisation a row alone has no gradient; there the variance of one row
    is that of the run's batches times their size. Raises BuildError for fewer than two batches of a size, or two training rows.
    """
    if task.batches < 2:
        raise BuildError("", "The variance over batches needs at least two of every size.", "Choose more batches.")
    if trainer.training_rows.count < 2:
        raise BuildError("", "The gradient of a single training row has no variance.", "Train on more rows.")
    return _noise(task, private_copy(trainer))


def _noise(task: NoiseTask, trainer: Trainer) -> Work:
    loss, count = RunLoss(trainer, "all", task.mode), trainer.training_rows.count
    size = min(trainer.experiment.training.batch_size or count, count)
    has_batch_norm = task.mode == "training" and any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in trainer.net.modules())
    generator = seeds.stream(trainer.experiment.seed, "gradient noise", trainer.position.iteration)
    least = 2 if has_batch_norm else 1
    sizes = [least << power for power in range(10) if least << power <= min(count, LARGEST_BATCH)]
    if has_batch_norm:
        own = yield from _scatter(loss, [_drawn(generator, count, size) for _ in range(task.batches)], f"batches of {size}")
        trace, square = own.variance * size, own.mean.dot(own.mean).item() - own.variance / own.count
    else:
        rows = torch.randperm(count, generator=generator)[:MOST_ROWS]
        one = yield from _scatter(loss, list(rows.split(1)), "rows")
        missing = 1 - one.count / count  # the mean of all rows has no scatter
        trace, square = one.variance, one.mean.dot(one.mean).item() - one.variance / one.count * missing
    variances = []
    for number in sizes:
        most = max(task.batches, min(MOST_ROWS, 4 * count // number))  # few rows may hold most of the scatter: small batches miss them
        batches = [_drawn(generator, count, number) for _ in range(most)]
        variances.append((yield from _scatter(loss, batches, f"batches of {number}")).variance)
    scale = trace / square if square > 0 else None
    return GradientNoise(trace, square, scale, size, array_of(np.array(sizes)), array_of(np.array(variances)))


def _drawn(generator: torch.Generator, count: int, size: int) -> Tensor:
    return torch.randint(count, (size,), generator=generator)


def _scatter(loss: RunLoss, batches: list[Tensor], what: str) -> Generator:
    """The scatter of the gradient over these batches of rows."""
    scatter, trainer = Scatter(), loss.trainer
    start = trainer.position
    for number, rows in enumerate(batches):
        trainer.set_progress(start._replace(iteration=start.iteration + number), trainer.early_stopping, trainer.plateau)  # other masks
        loss.take_rows(rows)
        scatter.add(loss.gradient().double())
        yield Progress(number + 1, len(batches), what)
    trainer.set_progress(start, trainer.early_stopping, trainer.plateau)
    return scatter
