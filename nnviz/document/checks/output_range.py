"""Warnings of a network that runs, but whose output cannot be what the loss asks for: an activation made twice, or of too small a range."""

from __future__ import annotations

from collections.abc import Iterable
from math import exp, inf, log1p
from typing import NamedTuple

from nnviz.document import catalog
from nnviz.document.checks.links import LinkIndex
from nnviz.document.checks.output_and_data import Shapes, aim, ending
from nnviz.document.experiment import Experiment
from nnviz.document.network import Choice, Layer
from nnviz.document.problems import Fix, Problem, fix, step

_RANGES = {
    "sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "relu": (0.0, inf),
    "softplus": (0.0, inf),
    "elu": (-1.0, inf),
    "gelu": (-0.17, inf),
    "silu": (-0.2785, inf),
}
"""Between which numbers an activation answers, where it leaves some out. Source: the least values of z·Φ(z) and z·σ(z)."""
_SEEN_THROUGH = {"dropout", "spatial_dropout", "noise", "flatten", "reshape", "max_pool", "avg_pool", "global_pool"}
"""Kinds whose output lies in the range of their input, at least outside training."""
_ITSELF = {"bce": "sigmoid", "cross_entropy": "softmax"}
"""What a loss applies to the raw outputs by itself."""
_STANDARDISED = (-1.5, 1.5)  # a standard deviation of 1 has numbers on both sides of 0, and some beyond 1 or −1
_TARGETS = {"sine": (-1.0, 1.0), "sine_wave": (-1.0, 1.0), "sawtooth": (-1.0, 1.0), "ar": (-0.1, 0.1)}
"""Numbers that the unscaled targets of a data set reach for certain."""


class _Ending(NamedTuple):
    """The function that the output comes from."""

    layer: Layer
    function: str
    field: str
    """The setting of the layer that chooses it; empty where it belongs to the kind."""


def output_warnings(experiment: Experiment, links: LinkIndex, shapes: Shapes) -> list[Problem]:
    """Return what is likely to be a mistake about activations and the loss, though it can be run. The network is sound."""
    constant = [_constant(links, layer) for layer in links.sorted if _softmax_field(layer) and (shapes[layer.id] or ())[-1:] == (1,)]
    found = _ending(links)
    if found is None or any(problem.layer == found.layer.id for problem in constant):
        return constant
    units = (shapes[links.output] or (1,))[-1]
    message = _message(experiment, found, units)
    if not message:
        return constant
    cured = _identity(found) if found.field else _dense(links, shapes)
    place = ".".join(filter(None, (links.place(found.layer.id), found.field)))
    return [*constant, Problem(place, message, f"{cured.label}.", found.layer.id, cured, "warning")]


def _softmax_field(layer: Layer) -> str:
    return next((name for name in ("activation", "function") if layer.settings.get(name) == "softmax"), "")


def _constant(links: LinkIndex, layer: Layer) -> Problem:
    field = _softmax_field(layer)
    other = fix(f"Set {field} to sigmoid", step("change_layer", id=layer.id, **{field: "sigmoid"}))
    is_output = layer.id == links.output
    cured = _identity(_Ending(layer, "softmax", field)) if is_output else other
    message = "Softmax over a single number is always 1, so nothing before it can be learned."
    return Problem(f"{links.place(layer.id)}.{field}", message, f"{cured.label}.", layer.id, cured, "warning")


def _ending(links: LinkIndex) -> _Ending | None:
    """The function whose range is that of the output; None where it is not known or is everything."""
    id = links.output
    while id and (links.layers[id].kind in _SEEN_THROUGH or _is_identity(links.layers[id])):
        id = links.inputs[id][0] if len(links.inputs[id]) == 1 else ""
    if not id:
        return None
    layer = links.layers[id]
    if layer.kind in ("lstm", "gru"):
        return _Ending(layer, "tanh", "")
    field = "function" if layer.kind == "activation" else "activation"
    function = layer.settings.get(field, "")
    if layer.kind == "encoder_block" or function not in _RANGES:
        return None
    return _Ending(layer, function, "" if layer.kind == "rnn" else field)


def _is_identity(layer: Layer) -> bool:
    return layer.kind == "activation" and layer["function"] == "identity"


def _identity(found: _Ending) -> Fix:
    return fix(f"Set {found.field} to identity", step("change_layer", id=found.layer.id, **{found.field: "identity"}))


def _dense(links: LinkIndex, shapes: Shapes) -> Fix:
    shape = shapes[links.output] or (1,)
    return fix("End the network with a Dense layer", *ending(links.output, shape, shape[-1]))


# --- what the losses ask for ---


def _message(experiment: Experiment, found: _Ending, units: int) -> str:
    """Why the loss cannot become what it should; empty where it can."""
    function = found.function
    loss, (low, high), label = experiment.training.loss, _RANGES[function], catalog.ACTIVATIONS[function].label
    twice = f"{catalog.LOSSES[loss].label} applies {function} itself, so this one makes it two" if _ITSELF.get(loss) == function else ""
    limited = twice or f"{label} answers only numbers {_between(low, high)}"
    if loss == "bce":
        shares = f"between {_sigmoid(low):.2f} and {_sigmoid(high):.2f}"
        return f"{limited}: {'' if twice else 'after the sigmoid of the loss '}every answer is a probability {shares}."
    if loss == "cross_entropy":
        if high < inf:
            return f"{limited}: the loss cannot fall below {log1p((units - 1) * exp(low - high)):.4g}."
        return f"{limited}: an output unit whose z is negative learns nothing." if function == "relu" else ""
    return _misses_targets(experiment, function, limited) if found.field else ""  # a recurrent layer's function is that of its state


def _misses_targets(experiment: Experiment, function: str, limited: str) -> str:
    size, reached = aim(experiment), _target_range(experiment)
    if size is None or size.classes:
        return ""
    if function == "softmax":
        return "Softmax outputs sum to 1, and the targets are numbers that need not."
    (low, high), is_known = _RANGES[function], reached is not None
    if is_known and (reached[0] < low or reached[1] > high):
        return f"{limited}, and the targets reach from {reached[0]:g} to {reached[1]:g}{' or farther' * (reached == _STANDARDISED)}."
    return ""


def _target_range(experiment: Experiment) -> tuple[float, float] | None:
    """Numbers that the targets reach; None where only reading the data can tell."""
    data, is_copy = experiment.data, experiment.training.target == "input"
    scaling = data.settings.get("scaling" if is_copy else "target_scaling", "none")
    if scaling != "none":
        return _STANDARDISED if scaling == "standardise" else (0.0, 1.0)
    if data.kind == "table":
        return _span(data, "x" if is_copy else "y")
    if is_copy:
        return (0.0, 16.0) if data.kind == "digits" else None
    return _TARGETS.get(data.kind)


def _span(data: Choice, name: str) -> tuple[float, float] | None:
    numbers = [number for row in data[name] for number in (row if isinstance(row, Iterable) else (row,))]
    return (min(numbers), max(numbers)) if numbers else None


def _between(low: float, high: float) -> str:
    return f"between {low:g} and {high:g}" if high < inf else f"above {low:g}"


def _sigmoid(z: float) -> float:
    return 1.0 if z == inf else 1 / (1 + exp(-z))
