"""What an epoch costs by the size of its batches, measured on copies of a run, which learn nothing meanwhile."""

from __future__ import annotations

import time
from collections.abc import Generator

import numpy as np
import torch
from msgspec.structs import replace
from torch import Tensor, nn

from nnviz.document.catalog import SCHEDULES, new_choice
from nnviz.document.experiment import Experiment
from nnviz.engine.run.position import Position, iterations_per_epoch
from nnviz.engine.run.private_copy import private_copy
from nnviz.engine.run.trainer import Trainer
from nnviz.engine.tasks import Work
from nnviz.records.batch_cost_record import BatchCost, BatchCosts
from nnviz.records.task_records import BatchCostTask, Progress

WARM_UP = 12
"""Iterations before the first that is measured: by then they are flat, if they can be."""
FEWEST = 5
"""So many are measured even where they take long."""


def batch_costs(task: BatchCostTask, trainer: Trainer) -> Work:
    """Return the work that measures iterations with batches of 1, 4, 16, … rows, of the run's own size and of all rows.

    With batch normalisation two rows are the fewest. The learning rate is 0 on the copies, so that no size diverges.
    """
    return _measured(task, trainer)


def _measured(task: BatchCostTask, trainer: Trainer) -> Work:
    count = trainer.training_rows.count
    least = 2 if any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in trainer.net.modules()) else 1
    present = min(trainer.experiment.training.batch_size or count, count)
    sizes = sorted({*(4**power for power in range(8) if least <= 4**power < count), min(least, count), present, count})
    costs: list[BatchCost] = []
    for number, size in enumerate(sizes):
        yield Progress(number, len(sizes), "batch sizes")
        costs.append(
            (yield from _cost(task, private_copy(trainer, _with(trainer.experiment, size)), Progress(number, len(sizes), "batch sizes")))
        )
        yield BatchCosts(tuple(costs), present)
    return BatchCosts(tuple(costs), present)


def _with(experiment: Experiment, size: int) -> Experiment:
    optimizer = replace(experiment.training.optimizer, settings=experiment.training.optimizer.settings | {"learning_rate": 0.0})
    schedule = new_choice(SCHEDULES, "constant")
    training = replace(experiment.training, batch_size=size, optimizer=optimizer, schedule=schedule, early_stopping=None)
    return replace(experiment, training=training)


def _cost(task: BatchCostTask, trainer: Trainer, progress: Progress) -> Generator:
    trainer.set_progress(Position(), trainer.early_stopping, trainer.plateau)
    memory, times = _kept(trainer), []
    yield from _timed(trainer, [], WARM_UP, 1, task.seconds, progress)
    yield from _timed(trainer, times, task.iterations, FEWEST, task.seconds, progress)
    size, count = trainer.experiment.training.batch_size, trainer.training_rows.count
    seconds = float(np.mean(sorted(times)[len(times) // 4 : len(times) - len(times) // 4]))
    return BatchCost(size, iterations_per_epoch(count, size), seconds, len(times), memory)


def _timed(trainer: Trainer, times: list[float], most: int, fewest: int, seconds: float, progress: Progress) -> Generator:
    """Add the seconds of at most so many iterations, in about so many seconds, but of no less than the fewest."""
    while len(times) < most and (len(times) < fewest or sum(times) < seconds):
        start = time.perf_counter()
        trainer.advance()
        times.append(time.perf_counter() - start)
        yield progress


def _kept(trainer: Trainer) -> int:
    """How many bytes autograd keeps of a forward pass and its loss, each tensor's memory once."""
    known = {tensor.untyped_storage().data_ptr() for tensor in (*trainer.parameters.values(), *trainer.buffers.values())}
    sizes: dict[int, int] = {}
    held: list[Tensor] = []

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            sizes[storage.data_ptr()] = storage.nbytes()
            held.append(tensor)  # so that no other takes its place
        return tensor

    rows = trainer.rows()
    x, targets = trainer.training_rows.x[rows], trainer.training_rows.targets[rows]
    known |= {x.untyped_storage().data_ptr(), targets.untyped_storage().data_ptr()}
    with trainer.unchanged(), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        trainer.prepare()
        trainer.loss(trainer.net(x), targets)
    return sum(sizes.values())
