"""What the network, or one unit of it, puts out over the plane of the two features, or the line of the only one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from nnviz.document.catalog import LAYERS
from nnviz.engine.errors import BuildError
from nnviz.engine.model.loss_functions import probabilities
from nnviz.engine.observe.evaluated_outputs import outputs_of
from nnviz.engine.observe.measures import array_of
from nnviz.engine.run.trainer import Trainer
from nnviz.records.run_records import Surface
from nnviz.records.tensors import Array

GRID = 48
"""Points along each side of a surface over two features."""
COARSE = 32
"""The same where all units of a layer are shown at once."""
LINE = 200
"""Points of a surface over one feature."""
GENERATED = 300
"""Rows that a generator makes to be drawn over it."""
MARGIN = 0.12
"""How far a surface reaches beyond the data, as a share of its extent."""


class Plane(NamedTuple):
    """Points of a plane of two features, or of a line of one."""

    low: tuple[float, ...]
    high: tuple[float, ...]
    sizes: tuple[int, ...]
    """How many points along each axis, rows first."""
    x: Tensor
    """(points, *shape of the input layer)"""


def surface(trainer: Trainer) -> Surface | None:
    """Return the network's answer over the plane of the two features, or the line of the only one; None for other data, and for a
    network that looks whole numbers up, since nothing lies between them."""
    if (plane := answered_plane(trainer)) is None:
        return None
    low, high, sizes, x = plane
    output = probabilities(trainer.experiment.training.loss, trainer.answer(x)).float()
    generated = array_of(trainer.sides.generated(GENERATED).flatten(1)) if trainer.sides else None
    return Surface(low, high, array_of(output.reshape(*sizes, -1)), generated)


def answered_plane(trainer: Trainer) -> Plane | None:
    """Return where answers are drawn: over the plane of the two features, or the line of the only one; None for other data."""
    if not _is_continuous(trainer) or trainer.experiment.training.target == "input":
        return None
    low, high = _extent(trainer.data.x)
    return Plane(low, high, *_grid(trainer, low, high))


def unit_map(trainer: Trainer, layer: str, unit: int) -> Array:
    """Return what one unit of a layer puts out over the very grid of `surface`, in evaluation mode: (height, width) or (width,).

    `unit` counts the layer's output in C order. Raises BuildError where there is no such unit or no plane to show it on.
    """
    if not _is_continuous(trainer):
        raise BuildError("", "A neuron's map is drawn for data with 1 or 2 features that are not looked up as whole numbers.", "")
    if layer not in (trainer.net.entry, *(id for id, _ in trainer.net.plan)):
        raise BuildError("", f"The network has no layer {layer}.", "")
    sizes, x = _grid(trainer, *_extent(trainer.data.x))
    output = outputs_of(trainer, layer, x).flatten(1)
    if not 0 <= unit < output.shape[1]:
        raise BuildError("", f"Layer {layer} has no unit {unit}: it has {output.shape[1]}.", "")
    return array_of(output[:, unit].float().reshape(sizes))


def unit_maps(trainer: Trainer, layer: str) -> tuple[tuple[float, ...], tuple[float, ...], Tensor]:
    """Return the corners of the plane of two features, and what all units of a layer put out over it in evaluation mode:
    (units, height, width), rows from low to high x₂. Raises BuildError where there is no such plane."""
    if not _is_continuous(trainer) or trainer.data.x.shape[1] != 2:
        raise BuildError("", "Maps of all units are drawn for data with 2 features that are not looked up as whole numbers.", "")
    low, high = _extent(trainer.data.x)
    sizes, x = _grid(trainer, low, high, COARSE)
    return low, high, outputs_of(trainer, layer, x).flatten(1).T.reshape(-1, *sizes)


def _is_continuous(trainer: Trainer) -> bool:
    """Whether the data has one or two features that can take any value."""
    looks_up = any(LAYERS[layer.kind].vocabulary for layer in trainer.experiment.network)
    return trainer.data.x.shape[1] in (1, 2) and not looks_up


def _grid(trainer: Trainer, low: tuple[float, ...], high: tuple[float, ...], side: int = GRID) -> tuple[tuple[int, ...], Tensor]:
    """How many points along each axis, rows first, and the points as the network takes them."""
    features = len(low)
    axes = [torch.linspace(a, b, LINE if features == 1 else side, dtype=torch.float64) for a, b in zip(low, high, strict=True)]
    grids = torch.meshgrid(*reversed(axes), indexing="ij")[::-1]  # rows of the picture are the second feature
    x = torch.stack(grids, dim=-1).reshape(-1, features).to(trainer.training_rows.x.dtype)
    return tuple(len(axis) for axis in axes), x.reshape(-1, *trainer.net.input_shape)


def _extent(x: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    finite = np.where(np.isfinite(x), x, 0.0)
    low, high = finite.min(0), finite.max(0)
    margin = np.where(high > low, (high - low) * MARGIN, 1.0)
    return tuple((low - margin).tolist()), tuple((high + margin).tolist())
