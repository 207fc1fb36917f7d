"""Where a run is, and which rows come next: a pure function of seed and position."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from nnviz.engine import seeds


@dataclass(frozen=True)
class Position:
    """After `iteration` iterations: `epoch` whole passes, and `taken` rows into the next one. Rows, not batches, are counted, so that
    a batch size changed on the way still gives every row once per epoch."""

    iteration: int = 0
    epoch: int = 0
    taken: int = 0

    def after(self, rows: int, count: int) -> Position:
        """Return the position after an iteration over so many rows of `count`."""
        if self.taken + rows >= count:
            return Position(self.iteration + 1, self.epoch + 1, 0)
        return Position(self.iteration + 1, self.epoch, self.taken + rows)


def iterations_per_epoch(count: int, batch_size: int | None) -> int:
    """Return how many batches hold all rows; the last may be smaller."""
    return -(-count // min(batch_size or count, count))


def next_rows(seed: int, position: Position, count: int, batch_size: int | None) -> Tensor:
    """Return which training rows the next iteration takes, as a vector of row numbers. A batch of all rows keeps their order."""
    size = min(batch_size or count, count)
    if size == count and not position.taken:
        return torch.arange(count)
    return _order(seed, position.epoch, count)[position.taken : position.taken + size]


@lru_cache(maxsize=4)
def _order(seed: int, epoch: int, count: int) -> Tensor:
    return torch.randperm(count, generator=seeds.stream(seed, "epoch", epoch))
