"""Normalisations: y = γ x̂ + β with the mean and variance of a sample, of a group of channels, or of a feature over the batch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnviz.operations.operation import Gradient, Gradients, Operation
from nnviz.operations.recorded_call import RecordedCall
from nnviz.operations.signature import Given
from nnviz.operations.writing import Substitution, bracketed, divided, numbers, squares
from nnviz.text.numbers import MINUS, number


def _formula(given: Given, over: str) -> str:
    """What is returned stands first: without γ and β it is x̂ itself."""
    deviation = "(x − μ)/√(σ² + ε)"
    weight, bias = given.get("weight"), given.get("bias")
    if weight is None and bias is None:
        return f"y = {deviation},  {over}"
    scaled = ("x̂" if weight is None else "γ x̂") + ("" if bias is None else " + β")
    return f"y = {scaled},  x̂ = {deviation},  {over}"


def _over(given: Given) -> str:
    """What a layer norm takes its mean over: all axes of a sample, or the last ones at every place of it."""
    apart = len(given["x"].shape) - len(given["normalized_shape"])
    return "over all elements" if not apart else "per sample" if apart == 1 else "at every place"


def _gradients(given: Given, are_means_fixed: bool = False) -> Gradients:
    h = "∂L/∂y" if given.get("weight") is None else "γ ∂L/∂y"
    hat = "y" if given.get("weight") is None and given.get("bias") is None else "x̂"
    of_fixed = Gradient(f"{h} / √(σ² + ε)")
    to_x = of_fixed if are_means_fixed else Gradient(f"(h − mean h − {hat} mean(h {hat}))/√(σ² + ε)", before=f"h = {h}:  ")
    return {"x": to_x, "weight": f"Σ ∂L/∂y · {hat}", "bias": "Σ ∂L/∂y"}


def _normalised(x: float, values: np.ndarray, eps: float, weight: float | None, bias: float | None) -> Substitution:
    """y with the mean and variance of the values it is among, which follow on lines of their own."""
    center, count = float(values.mean()), len(values)
    spread = float(((values - center) ** 2).mean())
    said = _standardised(x, center, spread, eps, weight, bias)
    mean, variance = divided(numbers(values), count), divided(squares(values, center), count)
    return Substitution(f"{said.text}\nμ = {mean.text} = {number(center)}\nσ² = {variance.text} = {number(spread)}", said.value)


def _standardised(x: float, center: float, spread: float, eps: float, weight: float | None, bias: float | None) -> Substitution:
    value = (x - center) / math.sqrt(spread + eps)
    text = f"({number(x)} {MINUS} {bracketed(center)})/√({number(spread)} + {number(eps)})"
    if weight is not None:
        text, value = f"{bracketed(weight)}·{text}", weight * value
    if bias is not None:
        text, value = f"{text} {MINUS if bias < 0 else '+'} {number(abs(bias))}", value + bias
    return Substitution(text, value)


def _of(part: np.ndarray | None, where: Any) -> float | None:
    return None if part is None else float(part[where])


def _layer_norm(call: RecordedCall) -> Substitution:
    x, sizes = call.options["x"], call.options["normalized_shape"]
    kept = x.ndim - len(sizes)
    own = call.place[kept:]
    weight, bias = _of(call.option("weight"), own), _of(call.option("bias"), own)
    return _normalised(float(x[call.place]), x[call.place[:kept]].reshape(-1), call.option("eps", 1e-5), weight, bias)


def _group_norm(call: RecordedCall) -> Substitution:
    x, groups, channel = call.options["x"], call.options["num_groups"], call.place[1]
    size = x.shape[1] // groups
    values = x[call.place[0], channel // size * size : (channel // size + 1) * size].reshape(-1)
    weight, bias = _of(call.option("weight"), channel), _of(call.option("bias"), channel)
    return _normalised(float(x[call.place]), values, call.option("eps", 1e-5), weight, bias)


def _batch_norm(call: RecordedCall) -> Substitution:
    x, channel, eps = call.options["x"], call.place[1], call.option("eps", 1e-5)
    weight, bias, own = _of(call.option("weight"), channel), _of(call.option("bias"), channel), float(x[call.place])
    if call.option("training", False):
        return _normalised(own, x[:, channel].reshape(-1), eps, weight, bias)
    center, spread = (float(call.options[name][channel]) for name in ("running_mean", "running_var"))
    return _standardised(own, center, spread, eps, weight, bias)


ROWS = (
    Operation(
        names="layer_norm", signature="x normalized_shape weight:γ bias:β eps", symbol="y", numbers=_layer_norm,
        formula=lambda given: _formula(given, _over(given)), gradients=_gradients,
    ),
    Operation(
        names="group_norm", signature="x num_groups weight:γ bias:β eps", symbol="y", numbers=_group_norm,
        formula=lambda given: _formula(given, "per group of channels"), gradients=_gradients,
    ),
    Operation(
        names="batch_norm", signature="x running_mean running_var weight:γ bias:β training momentum eps", symbol="y", numbers=_batch_norm,
        formula=lambda given: _formula(given, "per feature over the batch" if given.get("training") else "with the running μ and σ²"),
        gradients=lambda given: _gradients(given, are_means_fixed=not given.get("training")),
    ),
)  # fmt: skip
