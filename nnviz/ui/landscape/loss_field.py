"""The loss over a plane as both pictures of it need it: levels, contour lines, bands of colour, the loss between the points. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nnviz.records.task_records import LossPlane
from nnviz.records.tensors import to_numpy
from nnviz.text import numbers
from nnviz.ui.widgets.scales import nice_step

WIDE = 20.0
"""Where the largest loss is so many times the smallest, levels stand in equal ratios."""
MOST_LEVELS = 12
"""In equal ratios; at equal distances there are a few more."""
_LEAST, _FEW = 1e-6, 1
"""Losses below this share of the largest, and this percentage of them that are smallest, are drawn as if they were no smaller: the
logarithm of what is 0 within rounding would take all levels."""
_MANTISSAS = ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,))
Line = np.ndarray
"""(k, 2) Points x, y in the coordinates of the plane."""


@dataclass(frozen=True)
class LossField:
    """Losses (height, width) over x (width,) and y (height,), rows from low to high y."""

    x: np.ndarray
    y: np.ndarray
    losses: np.ndarray

    @classmethod
    def of(cls, plane: LossPlane) -> LossField:
        """Return that of a plane."""
        return cls(*(to_numpy(values).astype(np.float64) for values in (plane.x, plane.y, plane.losses)))

    @cached_property
    def range(self) -> tuple[float, float]:
        """The smallest and the largest finite loss; 0 and 0 where none is."""
        known = self.losses[np.isfinite(self.losses)]
        return (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)

    @cached_property
    def is_log(self) -> bool:
        """Whether levels stand in equal ratios."""
        low, high = self.range
        return low >= 0 and high > WIDE * low

    @cached_property
    def _least(self) -> float:
        """The smallest loss that is told apart on a logarithmic scale."""
        known = self.losses[np.isfinite(self.losses)]
        return max(float(np.percentile(known, _FEW)), self.range[1] * _LEAST)

    @cached_property
    def levels(self) -> np.ndarray:
        """Round losses between the smallest and the largest, a dozen or so, increasing; none where all are equal."""
        low, high = self.range
        if not high > low:
            return np.zeros(0)
        if self.is_log:
            return _round_ratios(self._least, high)
        step = nice_step(high - low, MOST_LEVELS + 3)
        first, last = math.ceil(low / step + 1e-9), math.floor(high / step - 1e-9)
        return np.arange(first, last + 1) * step

    def text(self, level: float) -> str:
        """Return a level with as many digits as tell it from the next one."""
        if self.is_log or len(self.levels) < 2 or level == 0:
            return numbers.short(level)
        step = float(self.levels[1] - self.levels[0])
        digits = max(2, math.floor(math.log10(abs(level))) - math.floor(math.log10(step) + 1e-9) + 1)
        return numbers.number(float(f"{level:.{digits - 1}e}"))

    def share(self, losses: np.ndarray) -> np.ndarray:
        """Return where losses lie between the smallest (0) and the largest (1), as the levels do; NaN for what is not finite."""
        low, high = self.range
        if self.is_log:
            low, high, losses = math.log(self._least), math.log(high), np.log(np.maximum(losses, self._least))
        finite = np.isfinite(losses)
        return np.where(finite, np.clip((np.where(finite, losses, low) - low) / ((high - low) or 1.0), 0.0, 1.0), math.nan)

    def bands(self, fineness: int) -> np.ndarray:
        """Return (height, width) shares of the band each place lies in, 0 for the lowest, 1 for the highest; `fineness` as fine each way.

        NaN where a corner of the cell is not finite.
        """
        losses = np.log(np.maximum(self.losses, self._least)) if self.is_log else self.losses
        losses = np.where(np.isfinite(self.losses), losses, np.nan)
        for axis in (0, 1):
            places = np.linspace(0, losses.shape[axis] - 1, (losses.shape[axis] - 1) * fineness + 1)
            below = np.minimum(places.astype(int), losses.shape[axis] - 2)
            part = (places - below).reshape((-1, 1) if axis == 0 else (1, -1))
            losses = np.take(losses, below, axis) * (1 - part) + np.take(losses, below + 1, axis) * part
        levels = np.log(self.levels) if self.is_log else self.levels
        band = np.searchsorted(levels, np.nan_to_num(losses), side="right") / max(1, len(levels))
        return np.where(np.isnan(losses), np.nan, band)

    @cached_property
    def lines(self) -> list[tuple[float, list[Line]]]:
        """The contour lines of every level."""
        from pyqtgraph.functions import isocurve  # here, because pyqtgraph takes long to load

        most = self.range[1]
        losses = np.nan_to_num(self.losses, nan=most, posinf=most, neginf=most)
        found = []
        for level in self.levels:
            pieces = isocurve(losses.T, float(level), connected=True) if self.x.size > 1 and self.y.size > 1 else []
            found.append((float(level), [self._placed(np.array(piece) - 0.5) for piece in pieces]))
        return found

    def _placed(self, places: np.ndarray) -> Line:
        """Places counted in points of the grid, in the coordinates of the plane."""
        along = (np.interp(places[:, axis], np.arange(len(values)), values) for axis, values in enumerate((self.x, self.y)))
        return np.stack([*along], 1)

    def at(self, x: float, y: float) -> float:
        """Return the loss at a place, between the four points around it; NaN outside."""
        if not (self.x[0] <= x <= self.x[-1] and self.y[0] <= y <= self.y[-1]):
            return math.nan
        column, row = (min(int(np.searchsorted(v, p, side="right")) - 1, len(v) - 2) for v, p in ((self.x, x), (self.y, y)))
        across = (x - self.x[column]) / (self.x[column + 1] - self.x[column])
        up = (y - self.y[row]) / (self.y[row + 1] - self.y[row])
        cell = self.losses[row : row + 2, column : column + 2]
        weights = np.outer((1 - up, up), (1 - across, across))
        return float((cell[weights > 0] * weights[weights > 0]).sum())


def _round_ratios(low: float, high: float) -> np.ndarray:
    """1, 1.5, 2, 3, 5, 7 · 10ᵏ between two losses; fewer of these, or only some powers of ten, where that would be too many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for mantissas in _MANTISSAS:
        found = [mantissa * 10.0**power for power in powers for mantissa in mantissas if low < mantissa * 10.0**power < high]
        if len(found) <= MOST_LEVELS:
            return np.array(found)
    return np.array(found[:: -(-len(found) // MOST_LEVELS)])
