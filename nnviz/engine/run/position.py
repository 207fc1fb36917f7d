"""Where a run is, and which rows come next: a pure function of seed and position."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from nnviz.engine import seeds


class Position(NamedTuple):
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
        return _all(count)
    return next_batches(seed, position, count, batch_size)[0]


def next_batches(seed: int, position: Position, count: int, batch_size: int | None) -> tuple[Tensor, ...]:
    """Return the same for all iterations that are left of the epoch."""
    number, first = divmod(position.taken, min(batch_size or count, count))
    return _batches(seed, position.epoch, count, min(batch_size or count, count), first)[number:]


def row_count(position: Position, count: int, batch_size: int | None) -> int:
    """Return how many rows that is; to ask a tensor for its length takes longer than a kernel of a small net."""
    return min(batch_size or count, count - position.taken)


@lru_cache(maxsize=4)
def _all(count: int) -> Tensor:
    return torch.arange(count)


@lru_cache(maxsize=4)
def _batches(seed: int, epoch: int, count: int, size: int, first: int) -> tuple[Tensor, ...]:
    """The rows of an epoch from the one at place `first` on, cut into batches."""
    return _order(seed, epoch, count)[first:].split(size)


@lru_cache(maxsize=4)
def _order(seed: int, epoch: int, count: int) -> Tensor:
    return torch.randperm(count, generator=seeds.stream(seed, "epoch", epoch))
