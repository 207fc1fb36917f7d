"""What an epoch costs by the size of its batches: time and memory, measured."""

from __future__ import annotations

import msgspec


class BatchCost(msgspec.Struct, frozen=True):
    """Iterations with batches of one size."""

    size: int
    """Rows in a batch."""
    updates: int
    """How many iterations make an epoch."""
    seconds: float
    """Of one iteration, the mean over the middle half of those `measured`; the last batch of an epoch may be smaller."""
    measured: int
    memory: int
    """Bytes that the forward pass keeps for the backward pass, parameters and rows not counted."""

    @property
    def epoch(self) -> float:
        """Seconds of an epoch."""
        return self.updates * self.seconds


class BatchCosts(msgspec.Struct, frozen=True, tag=True):
    """The sizes in increasing order, the last of all rows."""

    costs: tuple[BatchCost, ...]
    present: int
    """Rows in a batch of the run."""
