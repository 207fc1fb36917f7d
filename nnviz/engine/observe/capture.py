"""Captures the iteration that comes next, without making it: parameters, buffers, optimizer and random numbers stay as they were."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from nnviz.engine.observe.batch_axis import batch_axes
from nnviz.engine.run.trainer import Trainer
from nnviz.records import trace_record
from nnviz.records.trace_record import Details
from nnviz.trace import Scalars, Trace, TraceError, ValueChange, capture, open_scalars

NEURONS = "neurons"
"""The detail at which a trace in textbook steps is opened into scalars."""


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
    what_ifs: tuple[trace_record.WhatIf, ...] = ()
    """What was supposed, by the nodes of the detail that was asked for."""
    frozen: frozenset[str] = frozenset()
    """The names of the parameters that are not trained."""
    scalars: Scalars | None = None
    """The trace opened into scalars, if that was asked for."""
    batch_axis: int = 0
    """Which axis of its inputs counts the rows of the batch."""
    measured: Callable[[Tensor], Any] | None = None
    """How its large tensors are measured: returns what stands for a Measure; None: at once."""


def capture_next(
    trainer: Trainer, detail: str, sample: int | None = None, what_ifs: Sequence[trace_record.WhatIf] = (), details: Details = ()
) -> Captured:
    """Return the trace of the next iteration; with `sample`, as it would be with that training row alone; with `what_ifs`, as supposed.

    Raises trace.TraceError if it cannot be traced truthfully, ValueError if there is no such row.
    """
    if detail == NEURONS:
        return _capture_scalars(trainer, sample, what_ifs, details)
    rows, training = trainer.rows(), trainer.experiment.training
    if sample is not None:
        if not 0 <= sample < trainer.training_rows.count:
            raise ValueError(f"There is no training row {sample}. The rows are numbered 0 to {trainer.training_rows.count - 1}.")
        rows = torch.tensor([sample])
    with trainer.unchanged(), _of_one_row(sample):
        trainer.prepare()
        trace = capture(
            trainer.net,
            trainer.training_rows.x[rows],
            loss=trainer.loss,
            target=trainer.targets(rows),
            optimizer=trainer.optimizer,
            clip_norm=training.clip_norm,
            clip_value=training.clip_value,
            detail=detail,
            details=dict(details),
            penalty=trainer.penalty,
            locked=trainer.locks.masks,
            what_ifs=[ValueChange(change.node, change.kind, change.value, change.element) for change in what_ifs],
        )
    notes = (trainer.sides.sentence(trainer.position.iteration), *trace.notes) if trainer.sides else trace.notes
    trace = replace(trace, updates=trainer.locks.applied(trace.updates), notes=notes)
    position, precision = trainer.position, trainer.experiment.precision
    frozen = frozenset(name for name, parameter in trainer.parameters.items() if not parameter.requires_grad)
    return Captured(trace, rows, position.iteration, position.epoch, precision, trainer.net.entry, tuple(what_ifs), frozen)


@contextmanager
def _of_one_row(sample: int | None) -> Iterator[None]:
    """What torch says of a batch norm that trains on one row, as a sentence."""
    try:
        yield
    except ValueError as error:
        if sample is None or "Expected more than 1 value per channel" not in str(error):
            raise
        raise TraceError(
            f"Row {sample} alone cannot be traced: batch normalisation in training takes mean and variance over the rows of the batch, "
            "and one row has no variance. Trace the whole batch."
        ) from error


def batched(captured: Captured) -> set[int]:
    """Return the nodes whose first axis counts the rows of the batch."""
    return {node for node, axis in batch_axes(captured.trace, len(captured.rows), captured.batch_axis).items() if axis == 0}


def _capture_scalars(trainer: Trainer, sample: int | None, what_ifs: Sequence[trace_record.WhatIf], details: Details) -> Captured:
    captured = capture_next(trainer, "textbook", sample, details=details)
    scalars = open_scalars(captured.trace, batched(captured))
    if what_ifs:
        captured = capture_next(trainer, "textbook", sample, [_of_tensor(scalars, what_if) for what_if in what_ifs], details)
        scalars = open_scalars(captured.trace, batched(captured))
    return captured._replace(scalars=scalars, what_ifs=tuple(what_ifs))


def _of_tensor(scalars: Scalars, what_if: trace_record.WhatIf) -> trace_record.WhatIf:
    """The same supposed of the element of the tensor that a scalar is."""
    scalar = scalars.scalars[what_if.node] if 0 <= what_if.node < len(scalars.scalars) else None
    if scalar is None or scalar.port:
        raise TraceError(f"no other value can be supposed of neuron {what_if.node}: no call in this iteration makes it alone")
    row = (what_if.element or (None,)) if scalar.is_batched else ()
    return trace_record.WhatIf(scalar.node, what_if.kind, what_if.value, (*row, *scalar.element))
