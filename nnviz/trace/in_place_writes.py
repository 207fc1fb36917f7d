"""In-place writes through views, as pure functions: a view is read from its base, a write is put back into it.

Positions are logical (row-major over the base's shape), so the tape's copy of the base may lie in memory as it likes.
`torch.as_strided_scatter` must not be used here: its gradient with respect to the base is wrong in torch 2.13.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .record import TraceError


def positions(base: Tensor, view: Tensor) -> Tensor:
    """For every element of `view` the row-major position in `base` it shares memory with."""
    if base.dtype != view.dtype:
        raise TraceError(
            f"a write through a view of another type ({base.dtype} seen as {view.dtype}) cannot be followed: write into the tensor itself"
        )
    numbers = torch.empty_strided(base.shape, base.stride(), dtype=torch.long)
    numbers.copy_(torch.arange(base.numel()).view(base.shape))
    return numbers.as_strided(view.shape, view.stride(), view.storage_offset() - base.storage_offset())


def read_view(base: Tensor, where: Tensor) -> Tensor:
    """The view at `where` of the base as it is now."""
    return base.reshape(-1)[where]


def write_back(base: Tensor, written: Tensor, where: Tensor) -> Tensor:
    """The base after `written` was written at `where`."""
    return base.reshape(-1).index_copy(0, where.reshape(-1), written.reshape(-1)).reshape(base.shape)
