"""The figures of a run over its iterations, as frozen values that grow without being copied, and the verdict on them. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nnviz.document.experiment import Experiment
from nnviz.records.data_record import DataRecord
from nnviz.records.run_records import CurvePoint, CurvePoints
from nnviz.records.tensors import to_numpy
from nnviz.records.verdicts import Verdict, noise_of, verdict

COLUMNS = len(CurvePoint.__struct_fields__)
"""How many figures a point has, its iteration among them."""
_MOST_JUDGED = 100_000
"""Of more losses than this none is judged in the window: it would take too long."""


@dataclass(frozen=True)
class Curves:
    """The figures of a run over its iterations, as equally long float64 arrays. NaN where something was not measured."""

    iteration: np.ndarray
    loss: np.ndarray
    """Of the batch of each iteration, before its update. All others are of the weights after it."""
    validation_loss: np.ndarray
    metric: np.ndarray
    """Validation accuracy (0 to 1) for classes, root mean squared error for regression."""
    training_loss: np.ndarray
    """Over all training rows."""
    training_metric: np.ndarray
    learning_rate: np.ndarray
    """η of each iteration's update, as the schedule had it."""

    room: _Room | None = field(default=None, compare=False, repr=False)
    """What the arrays are the beginning of, with room for more; None where they stand for themselves."""

    @classmethod
    def of(cls, points: CurvePoints | None) -> Curves:
        """Return the curves through these points."""
        return cls(*np.empty((COLUMNS, 0))).with_points(points)

    def with_points(self, points: CurvePoints | None) -> Curves:
        """Return the curves with these points behind them. From the first of their iterations on they take the place of the old ones.

        It takes as long as the points are many, not the curves: only where points are replaced are the others copied.
        """
        if points is None:
            return self
        new = _table(points)
        kept = int(np.searchsorted(self.iteration, new[0, 0]))
        room = self.room
        if room is None or not room.taken == self.iteration.size == kept:
            room = _Room(np.array(self.columns())[:, :kept])
        return Curves(*room.take(new), room)

    def until(self, iteration: int) -> Curves:
        """Return the curves up to this iteration."""
        return Curves(*(column[: self._place(iteration)] for column in self.columns()))

    def after(self, iteration: int) -> Curves:
        """Return the curves behind this iteration."""
        return Curves(*(column[self._place(iteration) :] for column in self.columns()))

    def followed_by(self, other: Curves) -> Curves:
        """Return these curves with others behind them, which begin later."""
        if not other.iteration.size:
            return self
        return Curves(*(np.concatenate(pair) for pair in zip(self.columns(), other.columns(), strict=True)))

    def _place(self, iteration: int) -> int:
        """How many points there are up to this iteration."""
        return int(np.searchsorted(self.iteration, iteration, side="right"))

    def columns(self) -> tuple[np.ndarray, ...]:
        """Return the arrays in the order of a point's fields."""
        return tuple(getattr(self, name) for name in CurvePoint.__struct_fields__)

    def last(self, column: str) -> float | None:
        """Return the last measured figure of a column, as "validation_loss"; None if there is none."""
        place = self._last_place(column)
        return None if place is None else float(getattr(self, column)[place])

    def last_iteration(self, column: str) -> int | None:
        """Return the iteration of which `last` tells; None if there is none. Validation is measured now and then only."""
        place = self._last_place(column)
        return None if place is None else int(self.iteration[place])

    def _last_place(self, column: str) -> int | None:
        values = getattr(self, column)
        if column == "loss":
            return values.size - 1 if values.size else None
        for start in (max(0, values.size - 1000), 0):  # nearly always it is near the end
            known = np.flatnonzero(~np.isnan(values[start:]))
            if known.size:
                return start + int(known[-1])
        return None


def judged(curves: Curves, experiment: Experiment, data: DataRecord | None, is_non_finite: bool = False) -> Verdict | None:
    """Return the verdict on a run; None where not all of its losses are known, or there are none behind the start."""
    count = curves.iteration.size
    is_whole = 1 < count <= _MOST_JUDGED and curves.iteration[0] == 0 and curves.iteration[-1] == count - 1
    if not is_whole or data is None:
        return None
    known = np.flatnonzero(~np.isnan(curves.validation_loss))
    validation = list(zip(curves.iteration[known].astype(int).tolist(), curves.validation_loss[known].tolist(), strict=True))
    rows = int(to_numpy(data.training).sum())
    return verdict(curves.loss[1:], noise_of(experiment, rows), float(curves.loss[0]), validation, is_non_finite)


class _Room:
    """Columns that grow. Who has seen a beginning of them goes on seeing the same."""

    def __init__(self, table: np.ndarray) -> None:
        self.taken = 0
        """How many points there are; only behind these is it written."""
        self._table = np.empty((COLUMNS, 0))
        self.take(table)

    def take(self, new: np.ndarray) -> np.ndarray:
        """Return all columns with these points behind them."""
        start, self.taken = self.taken, self.taken + new.shape[1]
        if self.taken > self._table.shape[1]:
            larger = np.empty((COLUMNS, 1024 + 3 * self.taken // 2))
            larger[:, :start] = self._table[:, :start]
            self._table = larger
        self._table[:, start : self.taken] = new
        return self._table[:, : self.taken]


def _table(points: CurvePoints) -> np.ndarray:
    """(columns, points) The points, NaN where something was not measured."""
    table = np.full((COLUMNS, points.iterations.shape[0]), np.nan)
    table[0], table[1] = to_numpy(points.iterations), to_numpy(points.losses)
    table[2:6, to_numpy(points.measured)] = to_numpy(points.figures).T
    if points.rates is not None:
        table[6] = to_numpy(points.rates)
    return table
