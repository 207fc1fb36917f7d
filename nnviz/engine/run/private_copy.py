"""A second trainer in the state of the first: whatever is tried on it, the run does not notice."""

from __future__ import annotations

import torch

from nnviz.document.experiment import Experiment
from nnviz.engine.run.trainer import Trainer


def private_copy(trainer: Trainer, experiment: Experiment | None = None) -> Trainer:
    """Return another trainer, on a net of its own, with copies of all parameters, buffers, optimizer state and the position.

    `experiment`: another one with the same network, optimizer and data, if that is to be in force for it.
    """
    with torch.random.fork_rng(devices=[]):  # some layers of torch draw numbers when they are made
        copy = Trainer(experiment or trainer.experiment, trainer.data)
    copy.restore(trainer.checkpoint())
    return copy
