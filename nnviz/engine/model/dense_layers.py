"""Dense layers, and the table of activation functions as torch computes them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

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


SLOPE = 0.01
"""Of torch's leaky ReLU below 0, where nothing else is said."""


def activation_function(name: str, negative_slope: float = SLOPE) -> Callable[[Tensor], Tensor] | None:
    """Return the function of this name, a leaky ReLU with this slope; None for the identity."""
    return partial(F.leaky_relu, negative_slope=negative_slope) if name == "leaky_relu" and negative_slope != SLOPE else ACTIVATIONS[name]


class Activation(nn.Module):
    """One function, element by element (softmax: over the last axis)."""

    def __init__(self, function: str, negative_slope: float = SLOPE) -> None:
        super().__init__()
        self.function = activation_function(function, negative_slope)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x) if self.function else x


class Dense(nn.Module):
    """z = x Wᵀ + b over the last axis, then the activation. `weight` is (units, features)."""

    def __init__(self, features: int, units: int, activation: str = "identity", bias: bool = True, negative_slope: float = SLOPE) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(units, features))
        self.bias = nn.Parameter(torch.empty(units)) if bias else None
        self.function = activation_function(activation, negative_slope)

    def forward(self, x: Tensor) -> Tensor:
        z = F.linear(x, self.weight, self.bias)
        return self.function(z) if self.function else z
