"""Losses: a mean, a sum or every one of the parts, where a part is what one element of the prediction adds.

With numbers they are the chosen row's part, or the mean over the batch from every part.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from nnviz.operations.operation import Gradients, Operation
from nnviz.operations.recorded_call import RecordedCall
from nnviz.operations.sent_call import Sent, SentCall
from nnviz.operations.signature import Given
from nnviz.operations.writing import Substitution, bracketed, divided, exponential, multiplied, numbers, powers
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


def _smooth_slope(p: np.ndarray, t: np.ndarray, beta: float) -> np.ndarray:
    return np.clip((p - t) / beta, -1, 1) if beta else np.sign(p - t)


def _smooth_slope_text(p: float, t: float, beta: float) -> str:
    if not beta:
        return number(float(np.sign(p - t)))
    return f"min(max(({_difference(p, t)})/{number(beta)}, {MINUS}1), 1)"


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


# --- from parts to the loss ---


def _whole(call: RecordedCall, parts_of: Callable[[RecordedCall], Parts | None]) -> Substitution | None:
    """The loss from what every element adds; with reduction "none" one element."""
    parts = parts_of(call)
    if parts is None:
        return None
    reduction = call.option("reduction", "mean")
    if reduction == "none":
        return Substitution(parts.write(call.place), float(parts.values[call.place]))
    values = parts.values.reshape(-1)
    said = _written(parts, (), values)
    return divided(said, parts.weight if parts.weight is not None else len(values)) if reduction == "mean" else said


def of_row(call: RecordedCall, parts: Parts | None, row: int, axis: int) -> Substitution | None:
    """Return what one row of the batch adds to a sum, or the mean over its own elements of a mean."""
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


# --- what is sent back, with numbers ---


def _per_element(slope: Callable[..., np.ndarray], write: Callable[..., str], *names: str) -> Sent:
    """To an element of the prediction: the slope of its part, divided by how many there are where the loss is their mean."""

    def rule(sent: SentCall) -> Substitution | None:
        call = sent.call
        if call.option("weight") is not None or call.option("pos_weight") is not None:
            return None
        pair = float(sent.x[sent.at]), float(np.broadcast_to(call.options["target"], sent.x.shape)[sent.at])
        options = [call.option(name, 1.0) for name in names]
        text, value = write(*pair, *options), float(slope(*map(np.float64, pair), *options))
        return _reduced(sent, Substitution(text, value), sent.x.size)

    return rule


def _reduced(sent: SentCall, said: Substitution, count: float) -> Substitution:
    """The slope of a part in the loss: of a mean divided by the count, times ∂L of a loss that is not the last."""
    reduction = sent.call.option("reduction", "mean")
    said = divided(said, count) if reduction == "mean" else said
    own = sent.at if sent.upstream.ndim == len(sent.at) else sent.at[:1] + sent.at[2:]  # of classes there is one part for each row
    upstream = float(sent.upstream[own] if reduction == "none" else sent.upstream.reshape(-1)[0])
    return said if upstream == 1 else multiplied(upstream, said)


def _to_scores(sent: SentCall, slope: Callable[[np.ndarray, int, int], tuple[str, float]]) -> Substitution | None:
    """To one score of a row whose target is the number of a class."""
    x, target = sent.x, sent.call.options["target"]
    if target.dtype.kind not in "iu":
        return None
    axis = min(1, x.ndim - 1)
    row = tuple(k for place, k in enumerate(sent.at) if place != axis)
    wanted, weight = int(target[row]), sent.call.option("weight")
    kept = target != sent.call.option("ignore_index", -100)
    if not kept[row]:
        return Substitution("0", 0.0)
    text, value = slope(np.moveaxis(x, axis, -1)[row], sent.at[axis], wanted)
    if weight is None:
        return _reduced(sent, Substitution(text, value), float(kept.sum()))
    own = float(weight[wanted])
    total = float((kept * weight[np.maximum(target, 0).astype(int)]).sum())
    return _reduced(sent, Substitution(f"{number(own)}·({text})", own * value), total)


def _share_less_wanted(z: np.ndarray, k: int, wanted: int) -> tuple[str, float]:
    share = float(np.exp(z[k] - z.max()) / np.exp(z - z.max()).sum())
    return (f"{number(share)} {MINUS} 1" if k == wanted else number(share)), share - (k == wanted)


def _squashed(z: float) -> float:
    return 0.5 * (1 + math.tanh(z / 2))


def _limited_text(p: float, t: float, limit: float) -> str:
    return f"min(max({_difference(p, t)}, {number(-limit)}), {number(limit)})"


# --- formulas ---


def _loss(term: str, given: Given, count: str = "n") -> str:
    """The mean, the sum or every one of the terms; of a mean with weights `count` is their sum."""
    term, comma, definitions = term.partition(",  ")
    bare = re.sub(r"\([^()]*\)|\|[^|]*\|", "", term)
    if given.get("reduction") != "none" and any(sign in bare for sign in (" + ", f" {MINUS} ", " if ")):
        term = f"({term})"
    term += comma + definitions
    return {"mean": f"L = 1/{count} Σ {term}", "sum": f"L = Σ {term}", "none": f"L = {term}"}[given.get("reduction") or "mean"]


def _slope(slope: str, given: Given, count: str = "n") -> str:
    return f"{slope} / {count}" if (given.get("reduction") or "mean") == "mean" else slope


def _row(names: str, signature: str, parts: Callable[[RecordedCall], Parts | None], **more: Any) -> Operation:
    return Operation(names=names, signature=signature, symbol="L", parts=parts, numbers=lambda call: _whole(call, parts), **more)


def _of_terms(
    names: str, signature: str, term: str, slope: str, parts: Callable[[RecordedCall], Parts | None], sent: Sent, letter: str = "ŷ"
) -> Operation:
    """The row of a loss of (prediction, target) whose formula knows no weights."""

    def formula(given: Given) -> str:
        return _loss(_term(term, given), given) + (",  over all pairs" if _is_spread(given) else "")

    def gradients(given: Given) -> Gradients:
        one = _slope(_term(slope, given), given)
        return {"x": f"Σ {one}, over its pairs" if _is_spread(given) else one}

    return _row(
        names, f"x:{letter} target {signature}", parts, formula=formula, gradients=gradients, sent={"x": sent}, compares_elements=True
    )


def _is_spread(given: Given) -> bool:
    """Whether the prediction is compared with several targets, or a target with several predictions."""
    return given["x"].shape != given["target"].shape


def _term(text: str, given: Given) -> str:
    """Smooth L1 without a curved part is L1."""
    if given.get("beta") == 0 and "β" in text:
        return "|ŷ − y|" if "|" in text else "sign(ŷ − y)"
    return text


def _logits_formula(given: Given) -> str:
    if given.get("pos_weight") is not None:
        return _loss("w y ln(1 + e⁻ᶻ) + (1 − y) ln(1 + eᶻ)", given)
    return _loss("ln(1 + eᶻ) − y z", given)


def _logits_gradients(given: Given) -> Gradients:
    is_weighted = given.get("pos_weight") is not None
    return {"x": _slope("((1 − y) σ(z) − w y (1 − σ(z)))" if is_weighted else "(σ(z) − y)", given)}


def _of_classes(term: str, given: Given) -> str:
    """A mean over rows that have weights is divided by the weights, not by their number; ignored rows are not counted."""
    weighted = given.get("weight") is not None
    text = _loss(f"{MINUS}{'w[y] ' if weighted else ''}{term}", given, "Σ w[y]" if weighted else "n")
    return text + (f",  of rows with y ≠ {_ignored(given)}" if _ignored(given) is not None else "")


def _slope_of_classes(slope: str, given: Given) -> str:
    weighted = given.get("weight") is not None
    text = _slope(f"w[y] {slope}" if weighted else slope, given, "Σ w[y]" if weighted else "n")
    return text + (f",  0 where y = {_ignored(given)}" if _ignored(given) is not None else "")


def _ignored(given: Given) -> int | None:
    """The class whose rows do not count, if it is one there may be."""
    number = given.get("ignore_index")
    return number if number is not None and number != -100 else None


def _cross_entropy_formula(given: Given) -> str:
    """Nothing of targets that are probabilities, nor of classes both weighted and smoothed: of them the texts are not true."""
    is_smoothed = bool(given.get("label_smoothing"))
    if given["target"].kind == "f" or (is_smoothed and given.get("weight") is not None):
        return ""
    if is_smoothed:
        return _of_classes("Σₖ qₖ ln pₖ,  p = softmax(z),  q = (1 − s) onehot(y) + s/K", given)
    return _of_classes("ln p[y],  p = softmax(z)", given)


_CLASSES = "target weight size_average=None ignore_index reduce=None reduction"
_POINTWISE = "size_average=None reduce=None reduction"
ROWS = (
    _of_terms(
        "mse_loss", f"{_POINTWISE} weight=None", "(ŷ − y)²", "2(ŷ − y)",
        _pointwise(lambda p, t: (p - t) ** 2, lambda p, t: f"({_difference(p, t)})²"),
        _per_element(lambda p, t: 2 * (p - t), lambda p, t: f"2·({_difference(p, t)})"),
    ),
    _of_terms(
        "l1_loss", f"{_POINTWISE} weight=None", "|ŷ − y|", "sign(ŷ − y)",
        _pointwise(lambda p, t: np.abs(p - t), lambda p, t: f"|{_difference(p, t)}|"),
        _per_element(lambda p, t: np.sign(p - t), lambda p, t: number(float(np.sign(p - t)))),
    ),
    _of_terms(
        "huber_loss", "reduction delta weight=None", "½(ŷ − y)² if |ŷ − y| ≤ δ else δ(|ŷ − y| − ½δ)", "min(max(ŷ − y, −δ), δ)",
        _pointwise(_huber, _huber_text, "delta"), _per_element(lambda p, t, d: np.clip(p - t, -d, d), _limited_text, "delta"),
    ),
    _of_terms(
        "smooth_l1_loss", f"{_POINTWISE} beta", "½(ŷ − y)²/β if |ŷ − y| < β else |ŷ − y| − ½β", "min(max((ŷ − y)/β, −1), 1)",
        _pointwise(_smooth, _smooth_text, "beta"),
        _per_element(_smooth_slope, _smooth_slope_text, "beta"),
    ),
    _of_terms(
        "binary_cross_entropy", f"weight=None {_POINTWISE}", "−(y ln p + (1 − y) ln(1 − p))", "(p − y)/(p(1 − p))",
        _pointwise(_crossed, _crossed_text),
        _per_element(
            lambda p, t: (p - t) / (p * (1 - p)), lambda p, t: f"({_difference(p, t)})/({number(p)}·(1 {MINUS} {number(p)}))",
        ),
        "p",
    ),
    _row(
        "binary_cross_entropy_with_logits", f"x:z target weight=None {_POINTWISE} pos_weight",
        _pointwise(lambda z, t: np.logaddexp(0, z) - t * z, _logits_text), formula=_logits_formula, gradients=_logits_gradients,
        sent={
            "x": _per_element(lambda z, t: _squashed(z) - t, lambda z, t: f"{number(_squashed(z))} {MINUS} {bracketed(t)}"),
        },
    ),
    _row(
        "nll_loss", f"x:ℓ {_CLASSES}", partial(_classes, write=lambda x, k: f"{MINUS}{bracketed(float(x[k]))}", scores=lambda x, axis: x),
        formula=lambda given: _of_classes("ℓ[y]", given), gradients=lambda given: {"x": _slope_of_classes("(−onehot(y))", given)},
        sent={"x": lambda sent: _to_scores(sent, lambda x, k, wanted: (f"{MINUS}1" if k == wanted else "0", -float(k == wanted)))},
    ),
    _row(
        "cross_entropy", f"x:z {_CLASSES} label_smoothing", partial(_classes, write=_cross_entropy_text, scores=_log_softmax),
        formula=_cross_entropy_formula, own_reads="its own softmax(z)", sent={"x": lambda sent: _to_scores(sent, _share_less_wanted)},
        gradients=lambda given: {"x": _slope_of_classes("(p − q)" if given.get("label_smoothing") else "(p − onehot(y))", given)},
    ),
)  # fmt: skip
