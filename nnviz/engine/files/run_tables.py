"""The curves of a run and the histograms of its layers as tables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from nnviz.engine.observe.measures import layer_gradient, layer_weights, learning_layers, measure
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import Trainer
from nnviz.records.run_records import CurvePoint
from nnviz.records.table_files import Table

HISTOGRAM_COLUMNS = ("iteration", "layer", "of", "low", "high", "count")


def curve_table(timeline: Timeline) -> Table:
    """Return a row for each iteration that was made, and one for the start: the figures of the curves under the names of a CurvePoint.

    `metric` and `training_metric` are called accuracy and training_accuracy for classes, rmse and training_rmse for regression.
    """
    score = metric_name(timeline.trainer)
    names = [name.replace("metric", score) for name in CurvePoint.__struct_fields__]
    rows = [[getattr(point, name) for name in CurvePoint.__struct_fields__] for point in timeline.points]
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


def metric_name(trainer: Trainer) -> str:
    """Return what the score of a network is called."""
    return "accuracy" if trainer.data.classes else "rmse"


def histogram_rows(trainer: Trainer) -> Iterator[tuple]:
    """Return the rows of HISTOGRAM_COLUMNS where a run stands: one for every bin of every layer with parameters.

    `of`: weights (after the update) · gradients and activations (of the last iteration, before its update and any clipping). Exact zeros
    are a bin of their own from 0 to 0, values that are not finite one from NaN to NaN; both only where there are any.
    """
    for layer in learning_layers(trainer):
        for of, tensor in layer_tensors(trainer, layer).items():
            found = measure(tensor)
            width = (found.high - found.low) / max(1, len(found.histogram))
            place = trainer.position.iteration, layer, of
            for number, count in enumerate(found.histogram):
                yield *place, found.low + number * width, found.low + (number + 1) * width, count
            if found.zeros:
                yield *place, 0.0, 0.0, found.zeros
            if found.non_finite:
                yield *place, math.nan, math.nan, found.non_finite


def layer_tensors(trainer: Trainer, layer: str) -> dict:
    """Return what is known of a layer where a run stands: its weights and, once an iteration is made, gradients and activations."""
    found = {"weights": layer_weights(trainer, layer).detach()}
    if trainer.has_last:
        found |= {"gradients": layer_gradient(trainer, layer), "activations": trainer.activations[layer].detach()}
    return {of: tensor for of, tensor in found.items() if tensor.numel()}


def histogram_table(rows: Sequence[tuple]) -> Table:
    """Return rows of histograms as a table."""
    columns = zip(*rows, strict=True) if rows else [()] * len(HISTOGRAM_COLUMNS)
    return dict(zip(HISTOGRAM_COLUMNS, map(list, columns), strict=True))
