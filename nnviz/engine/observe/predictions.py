"""What the network predicts for the rows of the data, and how good that is in the field's usual numbers."""

from __future__ import annotations

import numpy as np
import torch

from nnviz.engine.data.samples import Samples
from nnviz.engine.model.loss_functions import probabilities
from nnviz.engine.observe.measures import array_of
from nnviz.engine.run.trainer import Trainer
from nnviz.records.run_records import Predictions
from nnviz.records.tensors import Array

MOST_ROWS = 2000
"""No more rows of either set are predicted."""


def predictions(trainer: Trainer) -> Predictions:
    """Return predictions for the first rows of both sets. The scores are over the validation rows; the training rows, if there are none."""
    places = [np.flatnonzero(mask)[:MOST_ROWS] for mask in (trainer.data.training, ~trainer.data.training)]
    outputs = [_outputs(trainer, rows) for rows in (trainer.training_rows, trainer.validation_rows)]
    values, sure = (np.concatenate(parts) for parts in zip(*(_predicted(trainer, output) for output in outputs), strict=True))
    rows = np.concatenate(places)
    scored = ~trainer.data.training[rows] if trainer.validation_rows.count else np.ones(len(rows), dtype=bool)
    matrix, numbers = _scores(trainer, values[scored], trainer.data.y[rows][scored])
    return Predictions(array_of(rows), array_of(values), array_of(sure), numbers, matrix)


def _outputs(trainer: Trainer, rows: Samples) -> torch.Tensor:
    loss = trainer.experiment.training.loss
    x = rows.x[:MOST_ROWS]
    return probabilities(loss, trainer.answer(x)).float().flatten(1) if len(x) else torch.zeros(0, trainer.net.width)


def _predicted(trainer: Trainer, output: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
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
        return None, number_scores(values, y)
    matrix = confusion(values, y, classes)
    return array_of(matrix), class_scores(matrix)


def confusion(predicted: np.ndarray, y: np.ndarray, classes: int) -> np.ndarray:
    """Return how often class j (column) was predicted where class i (row) is true, (classes, classes)."""
    return np.bincount(y * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def class_scores(matrix: np.ndarray) -> dict[str, float]:
    """Return accuracy, and precision, recall and F1 as means over all classes, each 0 to 1; 0 where a class is never predicted or true."""
    right = np.diag(matrix).astype(np.float64)
    predicted, true = matrix.sum(0), matrix.sum(1)
    precision = np.divide(right, predicted, out=np.zeros_like(right), where=predicted > 0)
    recall = np.divide(right, true, out=np.zeros_like(right), where=true > 0)
    both = precision + recall
    f1 = np.divide(2 * precision * recall, both, out=np.zeros_like(right), where=both > 0)
    present = (predicted + true) > 0
    means = {"precision": precision, "recall": recall, "f1": f1}
    return {"accuracy": float(right.sum() / max(1, matrix.sum()))} | {name: float(part[present].mean()) for name, part in means.items()}


def number_scores(predicted: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Return MSE, MAE and RMSE over all rows and targets."""
    error = np.asarray(predicted, dtype=np.float64) - y
    with np.errstate(over="ignore", invalid="ignore"):
        mse = float((error**2).mean())
        return {"mse": mse, "mae": float(np.abs(error).mean()), "rmse": float(np.sqrt(mse))}
