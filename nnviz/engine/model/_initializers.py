"""One table: how the weights of a layer start. Draws only from the generator it is given; normalisations keep their γ = 1 and β = 0."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from nnviz.document.network import Layer
from nnviz.engine.model.attention_layers import SelfAttention
from nnviz.engine.model.sequence_layers import Embedding, Recurrent
from nnviz.engine.seeds import stream

Fill = Callable[[Tensor, torch.Generator], Tensor]


def _uniform(tensor: Tensor, bound: float, generator: torch.Generator) -> Tensor:
    return nn.init.uniform_(tensor, -bound, bound, generator=generator)


def _default(weight: Tensor, generator: torch.Generator) -> Tensor:
    """Uniform in ±1/√n_in, what torch's Linear and convolutions work out to."""
    return _uniform(weight, 1 / math.sqrt(weight[0].numel()), generator)


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


@torch.no_grad()
def initialize(module: nn.Module, layer: Layer, seed: int) -> None:
    """Set every weight (two axes or more) of one layer, and its biases. Drawn from (seed, layer id) alone, in float64, so that neither
    another layer nor the precision changes the draw. Where the weights of several gates lie in one parameter each gate is drawn alone."""
    generator = stream(seed, "layer", layer.id)
    projections = {id(part.out_proj) for part in module.modules() if isinstance(part, SelfAttention)}
    for owner in module.modules():
        if isinstance(owner, nn.LayerNorm | nn.modules.batchnorm._BatchNorm):
            continue
        for name, parameter in owner.named_parameters(recurse=False):
            start = torch.empty_like(parameter, dtype=torch.float64)
            parameter.copy_((_weight if parameter.dim() > 1 else _bias)(owner, name, start, layer, generator))
            if parameter.dim() == 1 and id(owner) in projections:
                parameter.zero_()  # as torch.nn.MultiheadAttention starts it; drawn all the same, so that what follows stays as it was


def _weight(owner: nn.Module, name: str, start: Tensor, layer: Layer, generator: torch.Generator) -> Tensor:
    if layer.initializer == "default":
        return layer.gain * _torchs(owner, start, generator)
    blocks = start.chunk(getattr(owner, "blocks", 1))
    return layer.gain * torch.cat([INITIALIZERS[layer.initializer](block, generator) for block in blocks])


def _torchs(owner: nn.Module, start: Tensor, generator: torch.Generator) -> Tensor:
    """As torch's own layer of this type starts."""
    if isinstance(owner, Recurrent):
        return _uniform(start, 1 / math.sqrt(owner.units), generator)
    if isinstance(owner, Embedding):
        return nn.init.normal_(start, generator=generator)
    if isinstance(owner, SelfAttention):
        return nn.init.xavier_uniform_(start, generator=generator)
    return _default(start, generator)


def _bias(owner: nn.Module, name: str, start: Tensor, layer: Layer, generator: torch.Generator) -> Tensor:
    """As torch's under "default", else 0. Attention's biases start at 0 anyway."""
    if layer.initializer != "default" or isinstance(owner, SelfAttention):
        return start.zero_()
    inputs = owner.units if isinstance(owner, Recurrent) else owner.weight[0].numel()
    return _uniform(start, 1 / math.sqrt(inputs), generator)
