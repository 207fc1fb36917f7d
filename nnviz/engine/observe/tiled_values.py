"""Tensors as pictures side by side: kernels, maps, matrices, no more and no larger than can be shown."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from nnviz.engine.observe.measures import array_of
from nnviz.records.picture_records import Picture, PictureWish

MOST_PICTURES = 64
"""No more kernels, maps or units are shown at once."""
MOST_SIDE = 256
"""A matrix of more rows or columns is shown in blocks."""


def framed(wish: PictureWish, layer: str, choices: tuple[str, ...], values: Tensor, **others: object) -> Picture:
    """Return as many of the pictures as are shown, (pictures, height, width), each in blocks where it is too large."""
    shown, block = blocked(values[:MOST_PICTURES])
    total = tuple(values.shape) if len(values) > MOST_PICTURES or block != (1, 1) else ()
    return Picture(wish, layer, choices, array_of(shown), total, block, **others)


def blocked(values: Tensor) -> tuple[Tensor, tuple[int, int]]:
    """Return pictures of at most MOST_SIDE rows and columns, and how many rows and columns a number stands for: the one of the largest
    magnitude of each block, with its sign; NaN where one is NaN."""
    down, across = (-(-size // MOST_SIDE) for size in values.shape[1:])
    if down == across == 1:
        return values, (1, 1)
    height, width = values.shape[1:]
    padded = F.pad(values, (0, -width % across, 0, -height % down))  # a 0 is never larger than what it stands beside
    blocks = padded.unfold(1, down, down).unfold(2, across, across).flatten(3)
    largest = torch.where(blocks.isnan(), math.inf, blocks.abs()).argmax(3, keepdim=True)
    return blocks.gather(3, largest).squeeze(3), (down, across)


def as_pictures(output: Tensor) -> Tensor:
    """Return (pictures, height, width) of what is put out for one row."""
    own = output[0]
    return own if own.dim() == 3 else own.reshape(1, -1, own.shape[-1]) if own.dim() else own.reshape(1, 1, 1)
