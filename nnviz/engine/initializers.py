"""One table: how the weights of a layer start. Draws only from the generator it is given; biases and normalisation stay outside it."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from nnviz.engine.seeds import stream

Fill = Callable[[Tensor, torch.Generator], Tensor]


def _default(weight: Tensor, generator: torch.Generator) -> Tensor:
    """Uniform in ±1/√n_in, what torch.nn.Linear works out to."""
    bound = 1 / math.sqrt(weight.shape[1])
    return nn.init.uniform_(weight, -bound, bound, generator=generator)


def _he(fill: Callable[..., Tensor]) -> Fill:
    return lambda weight, generator: fill(weight, nonlinearity="relu", generator=generator)


INITIALIZERS: dict[str, Fill] = {
    "default": _default,
    "zeros": lambda weight, generator: weight.zero_(),
    "constant": lambda weight, generator: weight.fill_(0.1),
    "normal": lambda weight, generator: nn.init.normal_(weight, 0.0, 0.05, generator=generator),
    "uniform": lambda weight, generator: nn.init.uniform_(weight, -0.05, 0.05, generator=generator),
    "xavier_uniform": lambda weight, generator: nn.init.xavier_uniform_(weight, generator=generator),
    "xavier_normal": lambda weight, generator: nn.init.xavier_normal_(weight, generator=generator),
    "he_uniform": _he(nn.init.kaiming_uniform_),
    "he_normal": _he(nn.init.kaiming_normal_),
    "orthogonal": lambda weight, generator: nn.init.orthogonal_(weight, generator=generator),
}


def initialize(module: nn.Module, kind: str, seed: int, layer: str) -> None:
    """Set every weight (two axes or more) of one layer, and its bias. Drawn from (seed, layer id) alone, in float64, so that neither
    another layer nor the precision changes the draw. Scales and shifts of normalisation layers keep their 1 and 0."""
    generator = stream(seed, "layer", layer)
    weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
    if weight is None or weight.dim() < 2:
        return
    with torch.no_grad():
        weight.copy_(INITIALIZERS[kind](torch.empty_like(weight, dtype=torch.float64), generator))
        if bias is not None:
            bias.copy_(_bias(kind, weight, bias, generator))


def _bias(kind: str, weight: Tensor, bias: Tensor, generator: torch.Generator) -> Tensor:
    start = torch.zeros_like(bias, dtype=torch.float64)
    if kind != "default":
        return start
    bound = 1 / math.sqrt(weight.shape[1])
    return start.uniform_(-bound, bound, generator=generator)
