"""What the network answers to the rows of the data as it stands, and how good that is. It reads the net and never changes it."""

from __future__ import annotations

import numpy as np
import torch

from nnviz.engine.data.samples import Samples
from nnviz.engine.model.loss_functions import probabilities
from nnviz.engine.observe import scores
from nnviz.engine.observe.measures import array_of
from nnviz.engine.run.trainer import Trainer
from nnviz.records.run_records import Predictions
from nnviz.records.tensors import Array

MOST_ROWS = 2000
"""No more rows of either set are answered."""


def answers(trainer: Trainer) -> Predictions:
    """Return the answers to the first rows of both sets. The scores are over the validation rows; the training rows, if there are none."""
    places = [np.flatnonzero(mask)[:MOST_ROWS] for mask in (trainer.data.training, ~trainer.data.training)]
    outputs = [_outputs(trainer, rows) for rows in (trainer.training_rows, trainer.validation_rows)]
    values, sure = (np.concatenate(parts) for parts in zip(*(_answers(trainer, output) for output in outputs), strict=True))
    rows = np.concatenate(places)
    scored = ~trainer.data.training[rows] if trainer.validation_rows.count else np.ones(len(rows), dtype=bool)
    matrix, numbers = _scores(trainer, values[scored], trainer.data.y[rows][scored])
    return Predictions(array_of(rows), array_of(values), array_of(sure), numbers, matrix)


def _outputs(trainer: Trainer, rows: Samples) -> torch.Tensor:
    loss = trainer.experiment.training.loss
    x = rows.x[:MOST_ROWS]
    return probabilities(loss, trainer.answer(x)).float().flatten(1) if len(x) else torch.zeros(0, trainer.net.width)


def _answers(trainer: Trainer, output: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """(rows,) the likeliest class and how likely it is; or (rows, targets) the numbers, and nothing."""
    values = output.numpy()
    if not trainer.data.classes:
        return values, np.zeros(0, dtype=np.float32)
    if values.shape[1] == 1:
        values = np.concatenate([1 - values, values], axis=1)
    best = values.argmax(1)
    return best, values[np.arange(len(values)), best]


def _scores(trainer: Trainer, values: np.ndarray, y: np.ndarray) -> tuple[Array | None, dict[str, float]]:
    """The confusion matrix (none for regression) and the scores."""
    classes = trainer.data.classes
    if not classes:
        return None, scores.number_scores(values, y)
    matrix = scores.confusion(values, y, classes)
    return array_of(matrix), scores.class_scores(matrix)
