"""The job `run`: trains, and says what has come of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from nnviz.document.edits import set_parameters
from nnviz.document.experiment import Experiment
from nnviz.document.run_length import DEFAULT_EPOCHS
from nnviz.document.shapes.report import examine
from nnviz.document.store import files
from nnviz.jobs.headless_run import HeadlessRun
from nnviz.jobs.opened_file import OpenedFile

if TYPE_CHECKING:
    from nnviz.engine.run.trainer import Trainer
    from nnviz.records.call_list import CallList


LAST_BATCH = "of the batch of the last iteration, before its update"


ALL_ROWS = "over all training rows, before any update"


def run(
    document: OpenedFile, iterations: int | None = None, epochs: int | None = None, save: str | None = None, breakpoints: bool = False
) -> dict[str, Any]:
    """Train, and return the figures at the end: the loss of the last batch before its update, all else with the weights after it.

    With `save`, write the document with its trained weights and running statistics."""
    start = time.perf_counter()
    going = HeadlessRun(document, breakpoints)
    if iterations is None and epochs is None:
        iterations, epochs = document.reached, DEFAULT_EPOCHS
    going.train(iterations, epochs)
    result = figures(going) | {
        "seconds": round(time.perf_counter() - start, 3),
        "stopped": going.stopped,
        "message": going.message,
        "breakpoint": going.breakpoint,
        "findings": going.findings.values(going.timeline.trainer.experiment),
        "changes_left": len(going.later),
    }
    if save is not None:
        files.save(save, _trained(going.timeline.document, going.timeline.trainer))
    return result


def figures(going: HeadlessRun) -> dict[str, Any]:
    """Return what a run has come to."""
    from nnviz.engine.run.trainer import digest

    trainer = going.timeline.trainer
    training_loss, validation_loss, metrics = _figures(trainer)
    return {
        "iterations": trainer.position.iteration,
        "epochs": trainer.position.epoch,
        "loss": going.timeline.points[-1].loss,
        "loss_is": LAST_BATCH if trainer.position.iteration else ALL_ROWS,
        "training_loss": training_loss,
        "validation_loss": validation_loss,
        "metrics": metrics,
        "parameters": sum(parameter.numel() for parameter in trainer.parameters.values()),
        "digest": digest(trainer.net),
    }


def list_calls(document: OpenedFile, iterations: int | None = None, epochs: int | None = None, breakpoints: bool = False) -> CallList:
    """Return the calls of torch that an iteration is made of, after so many iterations or epochs; by default behind the last setting."""
    from nnviz.engine.observe.flat_calls import listed_calls

    going = HeadlessRun(document, breakpoints)
    if iterations is None and epochs is None:
        iterations = document.later[-1].iteration if document.later else 0
    going.train(iterations, epochs)
    return listed_calls(going.timeline.trainer)


def _figures(trainer: Trainer) -> tuple[float, float | None, dict[str, float | None]]:
    """The loss over the training rows and over the validation rows, and the metrics of both; None where a row is not answered."""
    from nnviz.engine.observe.predictions import predictions

    name = "accuracy" if trainer.data.classes else "rmse"
    training_loss, training_metric = trainer.evaluate(trainer.training_rows)
    metrics = {f"training_{name}": training_metric}
    if not trainer.validation_rows.count:
        return training_loss, None, metrics
    loss, metric = trainer.evaluate(trainer.validation_rows)
    return training_loss, loss, predictions(trainer).scores | {name: metric} | metrics


def _trained(experiment: Experiment, trainer: Trainer) -> Experiment:
    tensors = trainer.parameters | trainer.buffers
    kept = {name: tensors[name].detach().tolist() for name in examine(experiment).settable_by_name}
    return set_parameters(experiment, kept)
