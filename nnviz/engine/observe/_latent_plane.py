"""Where the rows of the data lie in two units of a layer, and what the net makes of samples drawn there."""

from __future__ import annotations

import math

import numpy as np
import torch

from nnviz.document.network import split_parameter
from nnviz.engine.errors import BuildError
from nnviz.engine.model.stochastic_layers import GaussianLatent
from nnviz.engine.observe.evaluated_outputs import outputs_of
from nnviz.engine.observe.measures import array_of
from nnviz.engine.observe.new_samples import decoded_samples, drawn, grid
from nnviz.engine.run.trainer import Trainer
from nnviz.records.picture_records import Picture, PictureWish
from nnviz.records.tensors import Array

FEWEST_ROWS, MOST_ROWS = 100, 2000
"""No more rows of the data are placed: evenly picked."""
WORK = 20_000_000
"""Numbers that layers put out for these rows together, where that leaves more than the fewest."""
FEW_SAMPLES, MANY_SAMPLES = 24, 300
"""How many samples are decoded: into pictures, and into points of a plane."""
COARSE, FINE = 8, 17
"""How many places along each side of a grid are."""


def latent_plane(trainer: Trainer, wish: PictureWish) -> Picture:
    """Return where rows lie, (rows, 2), in evaluation mode: a Gaussian latent is at its mean.

    parts: rows, which rows of the data; units, the two; width, how many there are. For a Gaussian latent also codes, (samples, units)
    drawn from N(0, 1), and samples, what the net decodes them to: (samples, *shape of a row), if it learns to reproduce its input; of two
    units the same for grid_codes, which lie on a grid, as grid.
    """
    widths = _widths(trainer)
    if not widths:
        return Picture(wish, sentence="No layer inside this network has two units that could span a plane.")
    layer = wish.layer if wish.layer in widths else _bottleneck(trainer, widths)
    units = wish.units if wish.units[0] != wish.units[1] and max(wish.units) < widths[layer] else (0, 1)
    x = trainer.data.x
    rows = np.arange(len(x))[:: max(1, -(-len(x) // most_rows(trainer)))]
    inputs = torch.from_numpy(np.array(x[rows])).to(trainer.training_rows.x.dtype).reshape(-1, *trainer.net.input_shape)
    codes = outputs_of(trainer, layer, inputs).flatten(1)[:, list(units)]
    parts = {"rows": array_of(rows), "units": array_of(np.array(units)), "width": array_of(np.array(widths[layer]))}
    if isinstance(trainer.net._modules[layer], GaussianLatent):
        parts |= _samples(trainer, layer, widths[layer], wish.seed)
    return Picture(wish, layer, tuple(widths), array_of(codes), parts=parts)


def most_rows(trainer: Trainer) -> int:
    """Return how many rows are placed at most: fewer where each takes long."""
    return max(FEWEST_ROWS, min(MOST_ROWS, WORK // trainer.net.numbers_per_row))


def _widths(trainer: Trainer) -> dict[str, int]:
    """How many units each layer before the output has, of those with at least two."""
    inside = [layer for layer, _ in trainer.net.plan if layer != trainer.net.exit]
    if not inside:
        return {}
    outputs = {layer: outputs_of(trainer, layer, trainer.training_rows.x[:1]).numel() for layer in inside}
    return {layer: width for layer, width in outputs.items() if width > 1}


def _bottleneck(trainer: Trainer, widths: dict[str, int]) -> str:
    """The Gaussian latent if there is one, else the narrowest layer with parameters, of equal ones the last."""
    latent = next((layer for layer in widths if isinstance(trainer.net._modules[layer], GaussianLatent)), None)
    learning = {split_parameter(name).layer for name in trainer.parameters} & widths.keys() or widths.keys()
    return latent or min((layer for layer in reversed(widths) if layer in learning), key=widths.__getitem__)


def _samples(trainer: Trainer, layer: str, width: int, seed: int) -> dict[str, Array]:
    """Samples of N(0, 1) and what is decoded from them; nothing where that is no row of the data."""
    are_points = math.prod(trainer.data.shape) == 2
    places = {("codes", "samples"): drawn(MANY_SAMPLES if are_points else FEW_SAMPLES, width, seed)}
    if width == 2:
        places["grid_codes", "grid"] = grid(FINE if are_points else COARSE)
    parts: dict[str, Array] = {}
    for names, codes in places.items():
        try:
            parts |= zip(names, map(array_of, decoded_samples(trainer, layer, codes)), strict=True)
        except BuildError:
            return {}
    return parts
