"""Names the first thing in an iteration that is not a finite number, from what the iteration left behind."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from nnviz.document.network import split_parameter
from nnviz.engine.model.build import Net


def gradients_are_finite(parameters: list[nn.Parameter]) -> bool:
    """Return whether all gradients are finite. Their common norm is computed first, because it costs a tenth."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients).item()
    return math.isfinite(norm) or all(_finite(gradient) for gradient in gradients)


class FirstNonFinite(NamedTuple):
    """The first thing that is not finite."""

    sentence: str
    layer: str = ""
    """The id of the layer it is in; "" if it is in none."""


def first_non_finite(net: Net, loss: float, titles: Mapping[str, str]) -> FirstNonFinite:
    """Return the first thing that is not finite after a forward (and a backward, if the loss is finite).

    Layers are called by their `titles`, as the screen does.
    """
    if math.isfinite(loss):
        return _in_gradients(net, titles)
    return _in_data(net) or _in_layers(net, titles) or FirstNonFinite("The loss is the first value that is not finite.")


def first_non_finite_kept(
    tensors: Mapping[str, Tensor], state: Mapping[str, Mapping[str, Any]], titles: Mapping[str, str]
) -> FirstNonFinite | None:
    """Return what is the first that is not finite of all that stays behind an iteration, and how much of it; None if all is.

    `tensors`: buffers and parameters by name. `state`: by parameter what the optimizer remembers of it, which is worked out before it.
    """
    for name, tensor in tensors.items():
        layer, rest = split_parameter(name)
        remembered = ((f"{key} of ", value) for key, value in state.get(name, {}).items() if isinstance(value, Tensor))
        for said, part in (*remembered, ("", tensor)):
            if not _finite(part):
                return FirstNonFinite(f"{said}{titles[layer]}.{rest} is the first that is not finite: {_count(part)}.", layer)
    return None


def _in_data(net: Net) -> FirstNonFinite | None:
    x = net.outputs[net.entry]
    return None if _finite(x) else FirstNonFinite(f"The data is not finite: {_count(x)} of this batch.")


def _in_layers(net: Net, titles: Mapping[str, str]) -> FirstNonFinite | None:
    for layer, _ in net.plan:
        for name, parameter in net._modules[layer].named_parameters():
            if not _finite(parameter):
                return FirstNonFinite(f"Parameter {titles[layer]}.{name} is the first that is not finite: {_count(parameter)}.", layer)
        if not _finite(net.outputs[layer]):
            what = f"The output of {titles[layer]} is the first value that is not finite: {_count(net.outputs[layer])}."
            return FirstNonFinite(what, layer)
    return None


def _in_gradients(net: Net, titles: Mapping[str, str]) -> FirstNonFinite:
    """Backward runs from the loss to the data, so the last layer's gradients come first."""
    for layer, _ in reversed(net.plan):
        for name, parameter in net._modules[layer].named_parameters():
            if parameter.grad is not None and not _finite(parameter.grad):
                what = f"The loss is finite, but the gradient of {titles[layer]}.{name} is not: {_count(parameter.grad)}."
                return FirstNonFinite(what, layer)
    return FirstNonFinite("")


def _finite(tensor: Tensor) -> bool:
    return bool(torch.isfinite(tensor).all())


def _count(tensor: Tensor) -> str:
    return f"{int((~torch.isfinite(tensor)).sum())} of {tensor.numel()} elements"
