"""New rows out of a network: what its generator, or the decoder behind its Gaussian latent, makes of random numbers. It changes no run."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from nnviz.engine.errors import BuildError
from nnviz.engine.model.loss_functions import probabilities
from nnviz.engine.model.stochastic_layers import GaussianLatent
from nnviz.engine.observe.evaluated_outputs import decoded
from nnviz.engine.run.trainer import Trainer


class NewSamples(NamedTuple):
    """Rows as the network makes them, scaled as it was trained: (samples, *shape of a row), and of which numbers: (samples, units)."""

    codes: Tensor
    rows: Tensor


def new_samples(trainer: Trainer, count: int, seed: int) -> NewSamples:
    """Return so many, of numbers drawn from N(0, 1): the same for the same seed. Raises BuildError for a network that makes none."""
    if trainer.sides:
        codes = trainer.sides.drawn(count, seed)
        return NewSamples(codes, trainer.sides.made_of(codes).reshape(-1, *trainer.data.shape))
    layer, width = _latent(trainer)
    return decoded_samples(trainer, layer, drawn(count, width, seed))


def grid_samples(trainer: Trainer, side: int) -> NewSamples:
    """Return what becomes of a grid over two random numbers, see `grid`. Raises BuildError for a network that makes none of two."""
    layer, width = (trainer.sides.sides.random, trainer.sides.width) if trainer.sides else _latent(trainer)
    if width != 2:
        raise BuildError("", f"A grid lies over two numbers, and {trainer.experiment.network.titles[layer]} has {width}.", "")
    if not trainer.sides:
        return decoded_samples(trainer, layer, grid(side))
    codes = grid(side).to(trainer.training_rows.x.dtype)
    return NewSamples(codes, trainer.sides.made_of(codes).reshape(-1, *trainer.data.shape))


def decoded_samples(trainer: Trainer, layer: str, codes: Tensor) -> NewSamples:
    """Return what the network makes of these outputs of a layer. Raises BuildError where it does not learn to reproduce its input, or where
    a layer behind reads something else, too."""
    if trainer.data.classes or not (trainer.experiment.training.target == "input" or np.array_equal(trainer.data.x, trainer.data.y)):
        raise BuildError("", "This network does not reproduce its input, so what it answers is no row of the data.", "")
    codes = codes.to(trainer.training_rows.x.dtype)
    output = probabilities(trainer.experiment.training.loss, decoded(trainer, layer, codes))
    return NewSamples(codes, output.reshape(-1, *trainer.data.shape))


def _latent(trainer: Trainer) -> tuple[str, int]:
    for name, module in trainer.net.named_children():
        if isinstance(module, GaussianLatent):
            return name, module.mean.weight.shape[0]
    message = "New rows come from a generator or from a Gaussian latent layer, and this network has neither."
    raise BuildError("", message, "Try template:vae or example:gan.")


def grid(side: int) -> Tensor:
    """Return places of the plane of two units, (side², 2), row by row as a picture has them, the second unit from high to low: of each unit
    the middles of `side` parts of N(0, 1) that are equally likely. Source: Kingma & Welling 2014, appendix A."""
    values = torch.special.ndtri((torch.arange(side, dtype=torch.float64) + 0.5) / side)
    up, across = torch.meshgrid(values.flip(0), values, indexing="ij")
    return torch.stack([across.ravel(), up.ravel()], dim=1)


def drawn(count: int, width: int, seed: int) -> Tensor:
    """Return samples of N(0, 1), (count, width), the same for the same seed; the run's own random numbers are not touched."""
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
