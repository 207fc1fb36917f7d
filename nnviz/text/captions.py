"""The words of the network picture: numbers short enough for a circle, what stands under a layer and beside an output."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby

import numpy as np

from nnviz.document.catalog import layer_kind
from nnviz.document.experiment import Experiment
from nnviz.document.network import Layer
from nnviz.document.shapes.report import LayerShape, Report
from nnviz.text.numbers import number, signed, trimmed

LONGEST = 5
"""Most characters a number inside a circle may have."""
_RUN, _MOST_SIZES = 3, 8
"""How often a size comes in a row until it is counted, and how many sizes one line names."""


@lru_cache(maxsize=8192)
def fitting(value: float, longest: int = LONGEST) -> str:
    """Return a number in at most `longest` characters where that is possible, with 2 decimals where they fit and mean something."""
    if not math.isfinite(value) or value == 0:
        return number(value)
    if not 0.01 <= abs(value) < 1000:
        mantissa, power = f"{value:.0e}".split("e")
        return signed(f"{mantissa}e{int(power)}")
    decimals = 2 if abs(value) < 10 else (1 if abs(value) < 100 else 0)
    texts = [trimmed(f"{value:.{places}f}") for places in range(decimals, -1, -1)]
    texts = [text if len(text) <= longest else text.replace("0.", ".") for text in texts]
    return signed(next((text for text in texts if len(text) <= longest and float(text) != 0), texts[0]))


_TENSORS = {
    "weight_ih": "input weights",
    "weight_hh": "recurrent weights",
    "in_proj_weight": "Q K V weights",
    "in_proj_bias": "Q K V bias",
    "out_proj.weight": "output weights",
    "out_proj.bias": "output bias",
    "mean.weight": "weights of μ",
    "mean.bias": "bias of μ",
    "log_variance.weight": "weights of log σ²",
    "log_variance.bias": "bias of log σ²",
}


def tensor_text(name: str) -> str:
    """Return what the panel calls a parameter of a layer: weight_ih_l1_reverse is "input weights 2, backwards"."""
    found = re.fullmatch(r"(weight_ih|weight_hh|bias)_l(\d+)(_reverse)?", name)
    if found:
        level = f" {int(found[2]) + 1}" if found[2] != "0" else ""
        return f"{_TENSORS.get(found[1], found[1])}{level}{', backwards' if found[3] else ''}"
    part, _, rest = name.partition(".")
    return f"attention {_TENSORS.get(rest, rest)}" if part == "self_attn" else _TENSORS.get(name, name.replace(".", " ").replace("_", " "))


def size_text(shape: Sequence[int]) -> str:
    """Return a shape as text: 2, or 1 × 8 × 8; empty for a scalar."""
    return " × ".join(map(str, shape))


def facts(layer: Layer, shape: Sequence[int] | None, experiment: Experiment) -> str:
    """Return the line under a layer: its size and activation, its p, or its kind and size."""
    kind = layer_kind(layer.kind)
    if is_passing(layer, experiment) or not kind.caption:
        return kind.label.lower() + " off" * is_passing(layer, experiment)
    words = {name: _spoken(value) for name, value in layer.settings.items()} | {"activation": _activation(layer, experiment)}
    return kind.caption.format(size=size_text(shape or ()), **words).rstrip()


def counts(layer: Layer, entry: LayerShape | None) -> str:
    """Return the second line under a layer: the size of its output where the first does not say it, and how many parameters it has."""
    if entry is None or entry.output_shape is None:
        return ""
    caption = layer_kind(layer.kind).caption
    is_said = "{size}" in caption or ("{units}" in caption and len(entry.output_shape) == 1)
    size = "" if is_said else size_text(entry.output_shape)
    return " · ".join(filter(None, (size, f"{entry.count:,} θ" if entry.count else "")))


def _activation(layer: Layer, experiment: Experiment) -> str:
    name = layer.settings.get("activation")
    if name == "identity" and is_output(experiment, layer):
        return {"cross_entropy": "softmax", "bce": "sigmoid"}.get(experiment.training.loss, "linear")
    return "linear" if name == "identity" else _spoken(name)


def _spoken(name: object) -> str:
    return str(name).replace("_", " ")


def summary(experiment: Experiment, report: Report) -> str:
    """Return the network in one line: "2 → 4 → 4 → 2 · 42 parameters". Layers without weights that keep the size are left out.

    Sizes that come three times in a row or more are counted, "8 (×12)", and of many the middle is left out, so that the end can be read.
    """
    sizes: list[str] = []
    for layer in experiment.network.in_order():
        entry = report.layers.get(layer.id)
        size = size_text(entry.output_shape).replace(" ", "") if entry is not None and entry.output_shape is not None else ""
        if size and (layer_kind(layer.kind).initialized or not sizes or size != sizes[-1]):
            sizes.append(size)
    return f"{' → '.join(_shortened(sizes))} · {report.parameters:,} parameters" if sizes else "no layers yet"


def _shortened(sizes: list[str]) -> list[str]:
    runs = [(size, len(list(same))) for size, same in groupby(sizes)]
    texts = [text for size, count in runs for text in ([size] * count if count < _RUN else [f"{size} (×{count})"])]
    return texts if len(texts) <= _MOST_SIZES else [*texts[: _MOST_SIZES // 2], "…", *texts[-(_MOST_SIZES // 2) :]]


def is_passing(layer: Layer, experiment: Experiment) -> bool:
    """Return whether the layer's output is its input unchanged: dropout that is switched off."""
    return layer.kind == "dropout" and not (experiment.training.dropout and layer.settings.get("p"))


def is_output(experiment: Experiment, layer: Layer) -> bool:
    """Return whether the loss reads this layer: something leads into it, nothing follows it, and it alone ends the network."""
    network = experiment.network
    followed = {link.source for link in network.links}
    ends = [other.id for other in network if other.id not in followed and other.kind != "input"]
    return ends == [layer.id] and bool(network.inputs_of(layer.id))


def output_labels(loss: str, values: np.ndarray | None, units: int, class_names: Sequence[str] = ()) -> tuple[str, ...]:
    """Return what stands beside the units of the output layer: class and probability p, or the prediction ŷ.

    The p tells it from the number in the unit itself, which the loss turns into it. `values` are the raw outputs of the units, or None
    while they are not computed.
    """
    known = values is not None and values.size == units
    if loss in ("cross_entropy", "bce"):
        names = [_class(class_names, unit if loss == "cross_entropy" else 1) for unit in range(units)]
        return tuple(f"{name} · p {_share(p)}" for name, p in zip(names, shares(loss, values), strict=True)) if known else tuple(names)
    names = ["ŷ"] if units == 1 else [f"ŷ{_SUBSCRIPTS[unit % 10]}" for unit in range(units)]
    return tuple(f"{name} {number(value)}" for name, value in zip(names, values, strict=True)) if known else tuple(names)


def shares(loss: str, values: np.ndarray) -> np.ndarray | None:
    """Return the probabilities that the raw outputs of a classifier stand for; None for other losses."""
    return {"cross_entropy": softmax, "bce": sigmoid}.get(loss, lambda values: None)(values)


def _class(names: Sequence[str], unit: int) -> str:
    """A class by its name; one that is only numbered is called by its number."""
    name = names[unit] if unit < len(names) else str(unit)
    return f"class {name}" if name.isdigit() else name


def _share(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else number(value)


_SUBSCRIPTS = "₁₂₃₄₅₆₇₈₉₀"


def softmax(values: np.ndarray) -> np.ndarray:
    """Return eᶻ / Σ eᶻ; only to label what is shown, never to compute with."""
    if not np.isfinite(values).all():
        return np.full(values.shape, np.nan)
    powers = np.exp(values - values.max())
    return powers / powers.sum()


def sigmoid(values: np.ndarray) -> np.ndarray:
    """Return 1/(1 + e⁻ᶻ); only to label what is shown."""
    return 0.5 * (1 + np.tanh(np.asarray(values, dtype=float) / 2))
