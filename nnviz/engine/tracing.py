"""Captures the iteration that comes next, without making it: parameters, buffers, optimizer and chance stay as they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from nnviz import protocol
from nnviz.engine.trainer import Trainer, copies
from nnviz.trace import Trace, WhatIf, capture


class Captured(NamedTuple):
    """A trace and where it belongs."""

    trace: Trace
    rows: Tensor
    """Which training rows are in the batch."""
    iteration: int
    epoch: int
    precision: str
    entry: str
    """Id of the input layer."""


def capture_next(
    trainer: Trainer, detail: str, sample: int | None = None, what_ifs: Sequence[protocol.WhatIf] = (), details: protocol.Details = ()
) -> Captured:
    """Return the trace of the next iteration; with `sample`, as it would be with that training row alone; with `what_ifs`, as supposed.

    Raises trace.TraceError if it cannot be traced truthfully, ValueError if there is no such row.
    """
    rows, training = trainer.rows(), trainer.experiment.training
    if sample is not None:
        if not 0 <= sample < trainer.training_rows.count:
            raise ValueError(f"There is no training row {sample}. The rows are numbered 0 to {trainer.training_rows.count - 1}.")
        rows = torch.tensor([sample])
    buffers, chance = copies(trainer.buffers), torch.default_generator.get_state()
    try:
        trainer.prepare()
        trace = capture(
            trainer.net,
            trainer.training_rows.x[rows],
            loss=trainer.loss,
            target=trainer.training_rows.targets[rows],
            optimizer=trainer.optimizer,
            clip_norm=training.clip_norm,
            clip_value=training.clip_value,
            detail=detail,
            details=dict(details),
            penalty=trainer.penalty,
            what_ifs=[WhatIf(change.node, change.kind, change.value, change.element) for change in what_ifs],
        )
    finally:
        trainer.set_tensors(buffers)
        torch.default_generator.set_state(chance)
    trace = replace(trace, updates=trainer.locks.applied(trace.updates))
    return Captured(trace, rows, trainer.position.iteration, trainer.position.epoch, trainer.experiment.precision, trainer.net.entry)
