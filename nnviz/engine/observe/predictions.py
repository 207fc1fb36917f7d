"""What the network predicts for the rows of the data, and how good that is in the field's usual numbers."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from nnviz.engine.data.samples import Samples
from nnviz.engine.model.loss_functions import UNANSWERED, answered_classes, probabilities
from nnviz.engine.observe.measures import array_of
from nnviz.engine.run.trainer import Trainer
from nnviz.records.run_records import Predictions
from nnviz.records.tensors import Array

MOST_ROWS = 2000
"""No more rows of either set are predicted."""


def predictions(trainer: Trainer) -> Predictions:
    """Return predictions for the first rows of both sets, and the scores over all validation rows; over all training rows, if there are
    none. There are no scores where a row is not answered. A discriminator is scored over as many generated rows, too."""
    places = [np.flatnonzero(mask)[:MOST_ROWS] for mask in (trainer.data.training, ~trainer.data.training)]
    scored = trainer.validation_rows if trainer.validation_rows.count else trainer.training_rows
    outputs = [_outputs(trainer, rows, rows is scored) for rows in (trainer.training_rows, trainer.validation_rows)]
    shown = [_predicted(trainer, output[:MOST_ROWS]) for output in outputs]
    values, sure = (np.concatenate(parts) for parts in zip(*shown, strict=True))
    output = outputs[scored is trainer.validation_rows]
    if trainer.sides:
        scored = trainer.sides.beside_generated(scored)
        output = _outputs(trainer, scored, True)
    matrix, numbers = _scores(trainer, output, scored.y)
    return Predictions(array_of(np.concatenate(places)), array_of(values), array_of(sure), numbers, matrix, scored.count)


def _outputs(trainer: Trainer, rows: Samples, all_of_them: bool) -> Tensor:
    x = rows.x if all_of_them else rows.x[:MOST_ROWS]
    return trainer.answer(x).flatten(1) if len(x) else torch.zeros(0, trainer.net.width)


def _predicted(trainer: Trainer, output: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """(rows,) the class each row is answered with and how likely it is; or (rows, targets) the numbers, and nothing."""
    loss = trainer.experiment.training.loss
    shown = probabilities(loss, output).float().numpy()
    if not trainer.data.classes:
        return shown, np.zeros(0, dtype=np.float32)
    classes = answered_classes(loss, output).numpy()
    if shown.shape[1] == 1:
        shown = np.concatenate([1 - shown, shown], axis=1)
    return classes, shown[np.arange(len(shown)), classes]


def _scores(trainer: Trainer, output: Tensor, y: Tensor) -> tuple[Array | None, dict[str, float]]:
    """The confusion matrix (none for regression, and where a row is not answered) and the scores."""
    loss, classes = trainer.experiment.training.loss, trainer.data.classes
    if not classes:
        return None, number_scores(probabilities(loss, output).reshape(y.shape).numpy(), y.numpy())
    answers = answered_classes(loss, output)
    if bool((answers == UNANSWERED).any()):
        return None, {}
    matrix = confusion(answers.numpy(), y.numpy(), classes)
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
    """Return MSE, MAE and RMSE over all rows and targets, in float64."""
    error = predicted.astype(np.float64) - y.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        mse = float((error**2).mean())
        return {"mse": mse, "mae": float(np.abs(error).mean()), "rmse": float(np.sqrt(mse))}
