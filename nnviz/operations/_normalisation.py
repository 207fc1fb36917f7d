"""Normalisations: y = γ x̂ + β with the mean and variance of a sample, of a group of channels, or of a feature over the batch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from nnviz.operations.operation import Gradient, Gradients, Operation
from nnviz.operations.recorded_call import RecordedCall
from nnviz.operations.sent_call import Sent, SentCall
from nnviz.operations.signature import Given
from nnviz.operations.writing import Substitution, bracketed, divided, numbers, products, squares
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


# --- what is sent back, with numbers ---


class _Members(NamedTuple):
    """Of all elements which ones share a mean and a variance with one, and what y is multiplied by at each."""

    places: tuple[Any, ...]
    scale: np.ndarray


def _of_sample(sent: SentCall) -> _Members:
    kept = sent.x.ndim - len(sent.call.options["normalized_shape"])
    weight = sent.call.option("weight")
    places = sent.at[:kept]
    return _Members(places, np.ones_like(sent.x[places]) if weight is None else np.broadcast_to(weight, sent.x[places].shape))


def _of_channels(sent: SentCall) -> _Members:
    size = sent.x.shape[1] // sent.call.options["num_groups"]
    first = sent.at[1] // size * size
    places = (sent.at[0], slice(first, first + size))
    weight, shape = sent.call.option("weight"), sent.x[places].shape
    return _Members(
        places, np.ones(shape) if weight is None else np.broadcast_to(_per_channel(weight[first : first + size], len(shape)), shape)
    )


def _of_feature(sent: SentCall) -> _Members:
    places, weight = (slice(None), sent.at[1]), sent.call.option("weight")
    return _Members(places, np.full(sent.x[places].shape, 1.0 if weight is None else float(weight[sent.at[1]])))


def _per_channel(weight: np.ndarray, count: int) -> np.ndarray:
    return weight.reshape(-1, *[1] * (count - 1))


def _to_normalised(members_of: Callable[[SentCall], _Members]) -> Sent:
    """(h − mean h − x̂ mean(h x̂))/√(σ² + ε); with fixed means h/√(σ² + ε)."""

    def write(sent: SentCall) -> Substitution:
        members, eps = members_of(sent), sent.call.option("eps", 1e-5)
        marked = np.zeros(sent.x.shape, bool)
        marked[sent.at] = True
        own = int(np.flatnonzero(marked[members.places].reshape(-1))[0])
        h = (sent.upstream[members.places] * members.scale).reshape(-1)
        if sent.call.node.operation == "batch_norm" and not sent.call.option("training", False):
            root = math.sqrt(float(sent.call.options["running_var"][sent.at[1]]) + eps)
            return Substitution(f"{number(h[own])}/{number(root)}", float(h[own] / root))
        x = sent.x[members.places].reshape(-1)
        root = math.sqrt(float(x.var()) + eps)
        hat = (x - x.mean()) / root
        mean, along = float(h.mean()), float((h * hat).mean())
        text = f"({number(h[own])} {MINUS} {bracketed(mean)} {MINUS} {bracketed(hat[own])}·{bracketed(along)})/{number(root)}"
        return Substitution(text, float((h[own] - mean - hat[own] * along) / root))

    return write


def _hats(sent: SentCall) -> np.ndarray:
    """x̂ everywhere, from y, γ and β."""
    axis = 1 if sent.call.node.operation != "layer_norm" else None
    weight, bias = (sent.call.option(name) for name in ("weight", "bias"))
    fit = (lambda part: part) if axis is None else (lambda part: _per_channel(part, sent.y.ndim - 1))
    hat = sent.y if bias is None else sent.y - fit(bias)
    return hat if weight is None else hat / fit(weight)


def _same_place(sent: SentCall, values: np.ndarray) -> np.ndarray:
    """The values at all places that one element of γ or β is used at."""
    if sent.call.node.operation == "layer_norm":
        return values[(..., *sent.at)].reshape(-1)
    return values[:, sent.at[0]].reshape(-1)


def _sent(members_of: Callable[[SentCall], _Members]) -> dict[str, Sent]:
    return {
        "x": _to_normalised(members_of),
        "weight": lambda sent: products(_same_place(sent, sent.upstream), _same_place(sent, _hats(sent))),
        "bias": lambda sent: numbers(_same_place(sent, sent.upstream)),
    }


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
        names="layer_norm", signature="x normalized_shape weight:γ bias:β eps", symbol="y", numbers=_layer_norm, sent=_sent(_of_sample),
        formula=lambda given: _formula(given, _over(given)), gradients=_gradients,
    ),
    Operation(
        names="group_norm", signature="x num_groups weight:γ bias:β eps", symbol="y", numbers=_group_norm, sent=_sent(_of_channels),
        formula=lambda given: _formula(given, "per group of channels"), gradients=_gradients,
    ),
    Operation(
        names="batch_norm", signature="x running_mean running_var weight:γ bias:β training momentum eps", symbol="y", numbers=_batch_norm,
        sent=_sent(_of_feature),
        formula=lambda given: _formula(given, "per feature over the batch" if given.get("training") else "with the running μ and σ²"),
        gradients=lambda given: _gradients(given, are_means_fixed=not given.get("training")),
    ),
)  # fmt: skip
