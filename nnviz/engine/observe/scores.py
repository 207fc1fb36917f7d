"""How good answers are, in the field's usual numbers. They are measured, never trained on: losses are in losses.py."""

from __future__ import annotations

import numpy as np


def confusion(answers: np.ndarray, y: np.ndarray, classes: int) -> np.ndarray:
    """Return how often class j (column) was answered where class i (row) is true, (classes, classes)."""
    return np.bincount(y * classes + answers, minlength=classes * classes).reshape(classes, classes)


def class_scores(matrix: np.ndarray) -> dict[str, float]:
    """Return accuracy, and precision, recall and F1 as means over all classes, each 0 to 1; 0 where a class is never answered or true."""
    right = np.diag(matrix).astype(np.float64)
    answered, true = matrix.sum(0), matrix.sum(1)
    precision = np.divide(right, answered, out=np.zeros_like(right), where=answered > 0)
    recall = np.divide(right, true, out=np.zeros_like(right), where=true > 0)
    both = precision + recall
    f1 = np.divide(2 * precision * recall, both, out=np.zeros_like(right), where=both > 0)
    present = (answered + true) > 0
    means = {"precision": precision, "recall": recall, "f1": f1}
    return {"accuracy": float(right.sum() / max(1, matrix.sum()))} | {name: float(part[present].mean()) for name, part in means.items()}


def number_scores(answers: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Return MSE, MAE and RMSE over all rows and targets."""
    error = np.asarray(answers, dtype=np.float64) - y
    with np.errstate(over="ignore", invalid="ignore"):
        mse = float((error**2).mean())
        return {"mse": mse, "mae": float(np.abs(error).mean()), "rmse": float(np.sqrt(mse))}
