"""Checkpoints of a run: what one holds, and which are kept as the run goes on."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2
from typing import NamedTuple

from torch import Tensor

from nnviz.document.experiment import Experiment
from nnviz.engine.run import optimizers
from nnviz.engine.run.early_stopping import EarlyStopping
from nnviz.engine.run.position import Position
from nnviz.engine.run.schedules import Plateau
from nnviz.records.run_records import CurvePoint

SPACING = 50
"""Iterations between checkpoints."""
DENSE = 128
"""At least so many of the newest are kept; of those that are older every second, of those twice as old as these every fourth, and so on."""
BUDGET = 64_000_000
"""Bytes that checkpoints may take, roughly; large networks keep fewer."""
WALKED = 50
"""Of a way that is made again to go back at most so many states are kept: the next steps back start from these."""
_TENSOR = 700
"""Bytes that a tensor takes besides its numbers."""


@dataclass(frozen=True)
class Checkpoint:
    """All that the further run depends on, besides the data."""

    experiment: Experiment
    position: Position
    tensors: dict[str, Tensor]
    state: optimizers.State
    early_stopping: EarlyStopping
    plateau: Plateau

    @property
    def nbytes(self) -> int:
        """Bytes it takes, roughly: its tensors, and the two moments and the count an optimizer may keep of each."""
        return sum(3 * tensor.nbytes + 4 * _TENSOR for tensor in self.tensors.values())


class Kept(NamedTuple):
    """A checkpoint, and where the run's log and curves stood at it."""

    checkpoint: Checkpoint
    applied: int
    """How many changes of the log were in force."""
    point: CurvePoint


class Checkpoints:
    """The checkpoints of one run by iteration; the first stays."""

    def __init__(self) -> None:
        self.kept: dict[int, Kept] = {}
        self._walked: dict[int, Kept] = {}
        """Between the last checkpoint before the iteration that was gone back to and this one."""

    def keep(self, checkpoint: Checkpoint, applied: int, point: CurvePoint) -> None:
        """Keep this one; older ones grow sparse with age: in a run of a million iterations there are ten times `dense` of them."""
        newest, dense = checkpoint.position.iteration, max(2, min(DENSE, BUDGET // (10 * max(1, checkpoint.nbytes))))
        self.kept[newest] = Kept(checkpoint, applied, point)
        if newest // SPACING % dense == 0:  # not every time: to look through all of them takes longer than some iterations
            self.kept = {at: one for at, one in self.kept.items() if at % _spacing(newest - at, dense) == 0}

    def adopt(self, other: Checkpoints, last: float, applied: int) -> None:
        """Keep also those of another run up to an iteration to which both are the same, with so many changes at most in force: where they
        part, those of the other run may be in force already."""
        self.kept |= {at: one for at, one in other.kept.items() if 0 < at <= last and one.applied <= applied}

    def drop_after(self, iteration: int, applied: int) -> None:
        """Drop those behind the iteration, and those at which more changes than these were in force."""
        self.kept, self._walked = (
            {at: one for at, one in kept.items() if at <= iteration and one.applied <= applied} for kept in (self.kept, self._walked)
        )

    def before(self, iteration: int) -> int:
        """Return where the last one before the iteration is, so that its own update is made again; for iteration 0 the first."""
        return max((at for at in (*self.kept, *self._walked) if at < iteration), default=0)

    def at(self, iteration: int) -> Kept:
        """Return the one that is there. Raises KeyError if there is none."""
        return self.kept[iteration] if iteration in self.kept else self._walked[iteration]

    # --- going back step by step ---

    def begin_way(self, start: int, end: int) -> list[int]:
        """Return at which iterations of the way from a checkpoint to `end`, which is gone back to, the state is to be kept with `walk`.

        So each iteration of a walk back is made again twice or three times only: of a short way all states are kept, of a long one some,
        and then those of the way from one of these to the next. Where they are large, fewer are kept and a way has more stages.
        """
        self._walked = {} if start in self.kept else {at: one for at, one in self._walked.items() if at <= start}
        count = min(WALKED, BUDGET // (16 * max(1, self.at(start).checkpoint.nbytes)))
        return list(range(start, end, -(-(end - start) // count)))[1:] if count and end > start else []

    def walk(self, checkpoint: Checkpoint, applied: int, point: CurvePoint) -> None:
        """Keep this one of the way."""
        self._walked[checkpoint.position.iteration] = Kept(checkpoint, applied, point)


def _spacing(age: int, dense: int) -> int:
    """Return the spacing of checkpoints that lie so many iterations back."""
    return SPACING << max(0, int(log2(max(1, age) / (SPACING * dense))))
