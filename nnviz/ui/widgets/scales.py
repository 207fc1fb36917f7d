"""From values to pixels: linear and logarithmic scales, round limits that do not jump. Pure; nothing is painted here."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class AxisScale:
    """Maps `low` to pixel `start` and `high` to pixel `end`; with `log` by powers of ten (then low must be above 0)."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, values: np.ndarray | float) -> np.ndarray | float:
        """Return the pixels of the values; on a logarithmic scale what is below `low` stands at `start`."""
        if not self.log:
            return self.start + share_of(values, self.low, self.high) * (self.end - self.start)
        first, last = math.log10(self.low), math.log10(self.high)
        if isinstance(values, float | int):
            return self.start + (math.log10(max(values, self.low)) - first) / (last - first) * (self.end - self.start)
        share = (np.log10(np.maximum(values, self.low)) - first) / (last - first)
        return self.start + share * (self.end - self.start)

    def value(self, pixel: float) -> float:
        """Return the value that stands at this pixel."""
        share = (pixel - self.start) / (self.end - self.start)
        if self.log:
            return 10.0 ** (math.log10(self.low) + share * (math.log10(self.high) - math.log10(self.low)))
        return 2 * (self.low / 2 + share * (self.high / 2 - self.low / 2))


def share_of(values: np.ndarray | float, low: float, high: float) -> np.ndarray | float:
    """Return where values lie on the way from low (0) to high (1); 0 for low itself where both are the same."""
    half = high / 2 - low / 2  # the whole may be more than the largest number there is
    if isinstance(values, float | int):  # as most are: numpy takes ten times as long for one number
        return min(max((float(values) / 2 - float(low) / 2) / (float(half) or 0.5), -_FARTHEST), _FARTHEST)
    with np.errstate(over="ignore"):
        return np.clip((np.asarray(values, dtype=np.float64) / 2 - low / 2) / (half or 0.5), -_FARTHEST, _FARTHEST)


NARROWEST = 1e-300
"""Limits nearer to each other count as equal: their step has too few digits left to be round."""
_WIDEST = sys.float_info.max
_FARTHEST = 1e4
"""In lengths of the axis: what lies farther outside is drawn there, as Qt crashes on pixels that it cannot count."""


def nice_step(span: float, most: int) -> float:
    """Return the smallest of 1, 2 or 5 times a power of ten that divides `span` into at most `most` parts."""
    least = span / most
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= least * (1 - 1e-9))


def snapped(low: float, high: float, parts: int = 5) -> tuple[float, float]:
    """Return limits at or outside [low, high] on round values, so that small changes inside move nothing.

    Limits that are (nearly) equal are opened by a tenth of their size, or to ±1 around 0. Every limit is finite: NaN counts as 0.
    """
    low, high = _bounded(low), _bounded(high)
    if high - low <= max(1e-9 * max(abs(low), abs(high)), NARROWEST):
        room = abs(low) / 10 if abs(low) > NARROWEST else 1.0
        low, high = _bounded(low - room), _bounded(high + room)
    step = nice_step(min(high - low, _WIDEST), parts)
    return _bounded(step * math.floor(low / step + 1e-9)), _bounded(step * math.ceil(high / step - 1e-9))


def _bounded(value: float) -> float:
    return 0.0 if math.isnan(value) else max(-_WIDEST, min(value, _WIDEST))


def decades(low: float, high: float) -> tuple[float, float]:
    """Return the powers of ten around [low, high], at least one decade apart and within 1e−307 to 1e308. Both must be above 0."""
    first, last = (math.log10(max(sys.float_info.min, min(value, _WIDEST))) for value in (low, high))
    first = min(307, max(-307, math.floor(first + 1e-9)))
    return 10.0**first, 10.0 ** max(min(308, math.ceil(last - 1e-9)), first + 1)


def held(present: tuple[float, float] | None, wanted: tuple[float, float]) -> tuple[float, float]:
    """Return the present limits while the wanted ones lie within and fill at least half; else the wanted ones."""
    if present is None or wanted[0] < present[0] or wanted[1] > present[1]:
        return wanted
    return present if wanted[1] / 2 - wanted[0] / 2 >= 0.5 * (present[1] / 2 - present[0] / 2) else wanted
