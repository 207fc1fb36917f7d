"""One table: how every layer kind of the catalog is made as a torch module. It must not know how layers are joined or how weights start."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nnviz.document.network import Layer

Shape = tuple[int, ...]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor] | None] = {
    "identity": None,
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "gelu": F.gelu,
    "silu": F.silu,
    "softplus": F.softplus,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softmax": lambda z: F.softmax(z, dim=-1),
}


BATCH_NORMS = {1: nn.BatchNorm1d, 2: nn.BatchNorm1d, 3: nn.BatchNorm2d, 4: nn.BatchNorm3d}
"""By the number of axes of one row, of which the first counts the features."""


class Dense(nn.Module):
    """z = x Wᵀ + b over the last axis, then the activation. `weight` is (units, features)."""

    def __init__(self, features: int, units: int, activation: str, bias: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(units, features))
        self.bias = nn.Parameter(torch.empty(units)) if bias else None
        self.function = ACTIVATIONS[activation]

    def forward(self, x: Tensor) -> Tensor:
        z = F.linear(x, self.weight, self.bias)
        return self.function(z) if self.function else z


class Activation(nn.Module):
    """One function, element by element (softmax: over the last axis)."""

    def __init__(self, function: str) -> None:
        super().__init__()
        self.function = ACTIVATIONS[function]

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x) if self.function else x


class Dropout(nn.Module):
    """Inverted dropout; `enabled` is the document's master switch."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p, self.enabled = p, True

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.p, True) if self.training and self.enabled else x


class Add(nn.Module):
    """The sum of its inputs."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return reduce(torch.add, inputs)


class Concat(nn.Module):
    """Its inputs one behind the other along the first axis of a row."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return torch.cat(inputs, dim=1)


class Flatten(nn.Module):
    """All elements of a row in one vector."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.flatten(x, 1)


def _dense(layer: Layer, shapes: list[Shape]) -> nn.Module:
    return Dense(shapes[0][-1], layer["units"], layer["activation"], layer["bias"])


def _batch_norm(layer: Layer, shapes: list[Shape]) -> nn.Module:
    return BATCH_NORMS[len(shapes[0])](shapes[0][0], eps=layer["epsilon"], momentum=layer["momentum"])


BUILDERS: dict[str, Callable[[Layer, list[Shape]], nn.Module]] = {
    "dense": _dense,
    "activation": lambda layer, shapes: Activation(layer["function"]),
    "dropout": lambda layer, shapes: Dropout(layer["p"]),
    "batch_norm": _batch_norm,
    "layer_norm": lambda layer, shapes: nn.LayerNorm(shapes[0][-1], eps=layer["epsilon"]),
    "add": lambda layer, shapes: Add(),
    "concat": lambda layer, shapes: Concat(),
    "flatten": lambda layer, shapes: Flatten(),
}
"""Layer kind -> function (layer, shapes of its inputs without the batch) -> module. An input layer needs none."""
