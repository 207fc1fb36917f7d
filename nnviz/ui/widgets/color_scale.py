"""Where the colour scale of numbers ends, and how deep the colour of one number on it is: the same on canvas, graph and plots."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

_FEW, _OUTLYING = 4, 4.0
"""Among at least so many numbers one that is so many times larger than all others does not stretch the scale."""


def robust_limit(numbers: Sequence[float] | np.ndarray) -> float:
    """Return where a colour scale for these ends: the 98th percentile of the finite magnitudes; of few numbers, one outlier apart.

    0 where there is no finite number, or only zeros.
    """
    known = np.sort(np.abs(np.asarray(numbers, dtype=float)), axis=None)
    known = known[np.isfinite(known)]
    if known.size >= _FEW and known[-1] > _OUTLYING * known[-2] > 0:
        known = known[:-1]
    return _percentile(known, 0.98) if known.size else 0.0


def _percentile(ordered: np.ndarray, share: float) -> float:
    """As np.percentile does it between the two nearest, in a tenth of the time: a frame asks for a dozen."""
    place = share * (ordered.size - 1)
    below = int(place)
    return float(ordered[below] + (place - below) * (ordered[min(below + 1, ordered.size - 1)] - ordered[below]))


def round_limit(numbers: Sequence[float] | np.ndarray) -> float:
    """Return the same rounded up to 1 · 1.5 · 2 · 3 · 5 · 7, so that it holds still while numbers change; 1 where it is 0."""
    limit = robust_limit(numbers)
    if not limit:
        return 1.0
    power = 10.0 ** math.floor(math.log10(limit))
    return next((step * power for step in (1, 1.5, 2, 3, 5, 7) if limit <= step * power * (1 + 1e-9)), 10 * power)


def shaded(value: float, limit: float) -> float:
    """Return the share (−1 to 1) of full colour: the signed square root of value/limit, so that small numbers can still be told apart."""
    return float(np.copysign(min(1.0, (abs(value) / limit) ** 0.5), value)) if limit > 0 else 0.0
