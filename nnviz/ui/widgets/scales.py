"""From values to pixels: linear and logarithmic scales, round limits that do not jump. Pure; nothing is painted here."""

from __future__ import annotations

import math
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
            return self.start + (values - self.low) * (self.end - self.start) / (self.high - self.low)
        share = np.log10(np.maximum(values, self.low) / self.low) / math.log10(self.high / self.low)
        return self.start + share * (self.end - self.start)

    def value(self, pixel: float) -> float:
        """Return the value that stands at this pixel."""
        share = (pixel - self.start) / (self.end - self.start)
        if self.log:
            return self.low * (self.high / self.low) ** share
        return self.low + share * (self.high - self.low)


NARROWEST = 1e-300
"""Limits nearer to each other count as equal: their step has too few digits left to be round."""


def nice_step(span: float, most: int) -> float:
    """Return the smallest of 1, 2 or 5 times a power of ten that divides `span` into at most `most` parts."""
    least = span / most
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= least * (1 - 1e-9))


def snapped(low: float, high: float, parts: int = 5) -> tuple[float, float]:
    """Return limits at or outside [low, high] on round values, so that small changes inside move nothing.

    Limits that are (nearly) equal are opened by a tenth of their size, or to ±1 around 0.
    """
    if high - low <= max(1e-9 * max(abs(low), abs(high)), NARROWEST):
        room = abs(low) / 10 if abs(low) > NARROWEST else 1.0
        low, high = low - room, high + room
    step = nice_step(high - low, parts)
    return step * math.floor(low / step + 1e-9), step * math.ceil(high / step - 1e-9)


def decades(low: float, high: float) -> tuple[float, float]:
    """Return the powers of ten around [low, high], at least one decade apart. Both must be above 0."""
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    return 10.0**first, 10.0 ** max(last, first + 1)


def held(present: tuple[float, float] | None, wanted: tuple[float, float]) -> tuple[float, float]:
    """Return the present limits while the wanted ones lie within and fill at least half; else the wanted ones."""
    if present is None or wanted[0] < present[0] or wanted[1] > present[1]:
        return wanted
    return present if wanted[1] - wanted[0] >= 0.5 * (present[1] - present[0]) else wanted
