"""Losses with numbers put in: the chosen row's part of it, or the mean over the batch from every part. Pure.

A part is what one element of the prediction adds; a loss that is a mean divides their sum.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nnviz.operations.recorded_call import RecordedCall
from nnviz.operations.writing import Substitution, bracketed, divided, exponential, numbers, powers
from nnviz.text.numbers import MINUS, number


class Parts(NamedTuple):
    """What every element adds, an array; how one is written; what a mean divides by, if it is not how many there are."""

    values: np.ndarray
    write: Callable[[tuple[int, ...]], str]
    weight: float | None = None


def _pointwise(value: Callable[..., np.ndarray], write: Callable[..., str], *names: str) -> Callable[[RecordedCall], Parts | None]:
    """Parts of a loss of (prediction, target): `value` and `write` get both and these options."""

    def parts(call: RecordedCall) -> Parts | None:
        prediction, target = np.broadcast_arrays(call.options["x"], call.options["target"])
        if call.option("weight") is not None or call.option("pos_weight") is not None:
            return None
        options = [call.option(name, 1.0) for name in names]
        values = value(prediction.astype(float), target.astype(float), *options)
        return Parts(values, lambda k: write(float(prediction[k]), float(target[k]), *options))

    return parts


def _difference(p: float, t: float) -> str:
    return f"{number(p)} {MINUS} {bracketed(t)}"


def _huber(p: np.ndarray, t: np.ndarray, delta: float) -> np.ndarray:
    away = np.abs(p - t)
    return np.where(away <= delta, 0.5 * away**2, delta * (away - 0.5 * delta))


def _huber_text(p: float, t: float, delta: float) -> str:
    if abs(p - t) <= delta:
        return f"½·({_difference(p, t)})²"
    return f"{number(delta)}·(|{_difference(p, t)}| {MINUS} {number(delta / 2)})"


def _smooth(p: np.ndarray, t: np.ndarray, beta: float) -> np.ndarray:
    return _huber(p, t, beta) / beta if beta else np.abs(p - t)


def _smooth_text(p: float, t: float, beta: float) -> str:
    if abs(p - t) < beta:
        return f"½·({_difference(p, t)})²/{number(beta)}"
    return f"|{_difference(p, t)}| {MINUS} {number(beta / 2)}"


def _crossed(p: np.ndarray, t: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return -(t * np.maximum(np.log(p), -100) + (1 - t) * np.maximum(np.log1p(-p), -100))


def _crossed_text(p: float, t: float) -> str:
    return f"{MINUS}({bracketed(t)}·ln({number(p)}) + (1 {MINUS} {bracketed(t)})·ln(1 {MINUS} {number(p)}))"


def _logits_text(z: float, t: float) -> str:
    return f"ln(1 + e^({number(z)})) {MINUS} {bracketed(t)}·{bracketed(z)}"


def _classes(call: RecordedCall, write: Callable[[np.ndarray, int], str], scores: Callable[[np.ndarray, int], np.ndarray]) -> Parts | None:
    """Parts of a loss whose targets are class numbers, classes along axis 1 (0 without a batch)."""
    x, target = call.options["x"], call.options["target"]
    if target.dtype.kind not in "iu" or call.option("label_smoothing", 0.0):
        return None
    axis = min(1, x.ndim - 1)
    kept, classes = target != call.option("ignore_index", -100), np.maximum(target, 0).astype(int)
    weight = call.option("weight")
    own = kept * (1.0 if weight is None else weight[classes])
    values = -own * np.take_along_axis(scores(x, axis), np.expand_dims(classes, axis), axis).squeeze(axis)

    def written(k: tuple[int, ...]) -> str:
        text = write(np.moveaxis(x, axis, -1)[k], int(classes[k]))
        return text if own[k] == 1 else f"{number(float(own[k]))}·({text})"

    return Parts(values, written, float(own.sum()))


def _log_softmax(x: np.ndarray, axis: int) -> np.ndarray:
    top = x.max(axis, keepdims=True)
    return x - top - np.log(np.exp(x - top).sum(axis, keepdims=True))


def _cross_entropy_text(z: np.ndarray, wanted: int) -> str:
    return f"{MINUS}ln({exponential(float(z[wanted]))}/({powers(z).text}))"


PARTS: dict[str, Callable[[RecordedCall], Parts | None]] = {
    "mse_loss": _pointwise(lambda p, t: (p - t) ** 2, lambda p, t: f"({_difference(p, t)})²"),
    "l1_loss": _pointwise(lambda p, t: np.abs(p - t), lambda p, t: f"|{_difference(p, t)}|"),
    "huber_loss": _pointwise(_huber, _huber_text, "delta"),
    "smooth_l1_loss": _pointwise(_smooth, _smooth_text, "beta"),
    "binary_cross_entropy": _pointwise(_crossed, _crossed_text),
    "binary_cross_entropy_with_logits": _pointwise(lambda z, t: np.logaddexp(0, z) - t * z, _logits_text),
    "nll_loss": lambda call: _classes(call, lambda x, k: f"{MINUS}{bracketed(float(x[k]))}", lambda x, axis: x),
    "cross_entropy": lambda call: _classes(call, _cross_entropy_text, _log_softmax),
}


def whole(call: RecordedCall) -> Substitution | None:
    """Return the loss from what every element adds; with reduction "none" one element."""
    parts = PARTS[call.operation](call)
    if parts is None:
        return None
    reduction = call.option("reduction", "mean")
    if reduction == "none":
        return Substitution(parts.write(call.place), float(parts.values[call.place]))
    values = parts.values.reshape(-1)
    said = _written(parts, (), values)
    return divided(said, parts.weight if parts.weight is not None else len(values)) if reduction == "mean" else said


def of_row(call: RecordedCall, row: int, axis: int) -> Substitution | None:
    """Return what one row of the batch adds to a sum, or the mean over its own elements of a mean."""
    parts = PARTS[call.operation](call)
    reduction = call.option("reduction", "mean")
    is_weighted = parts is not None and parts.weight not in (None, float(parts.values.size)) and reduction == "mean"
    if parts is None or reduction == "none" or is_weighted or axis >= parts.values.ndim or not _agrees(call, parts, reduction):
        return None
    values = parts.values.take(row, axis).reshape(-1)
    said = _written(parts, (row,) if axis == 0 else None, values)
    return divided(said, len(values)) if reduction == "mean" and len(values) > 1 else said


def _agrees(call: RecordedCall, parts: Parts, reduction: str) -> bool:
    """Whether all parts make the loss: not where one row stands for a batch that is not here."""
    total = parts.values.mean() if reduction == "mean" else parts.values.sum()
    return call.state.sample is None or math.isclose(total, call.value, rel_tol=1e-3, abs_tol=1e-6) or not math.isfinite(call.value)


def _written(parts: Parts, prefix: tuple[int, ...] | None, values: np.ndarray) -> Substitution:
    """The sum of some parts: few of them as they are made, more as numbers."""
    if prefix is not None and len(values) == 1:
        rest = (0,) * (parts.values.ndim - len(prefix))
        return Substitution(parts.write((*prefix, *rest)), float(values[0]))
    return numbers(values)
