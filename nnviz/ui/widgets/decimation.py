"""Curves thinned to what a screen can show. Pure numpy; a point is left out, never invented or moved."""

from __future__ import annotations

import numpy as np

MOST_POINTS = 500
"""No curve is drawn with more points than this."""


def decimated(x: np.ndarray, y: np.ndarray, most: int = MOST_POINTS) -> tuple[np.ndarray, np.ndarray]:
    """Return at most `most` of the points, in order: the first, the last, and the lowest and highest of equal stretches.

    `y` must be free of NaN. A stretch is 1, 2, 4, … points long and begins at the first point, so that what is drawn of the past
    stays as it is while the curve grows. Raises ValueError if `most` is below 4.
    """
    if most < 4:
        raise ValueError(f"a curve cannot be thinned to {most} points: 4 are needed for its ends and extremes")
    if y.size <= most:
        return x, y
    index = _extremes(y, _stretch(y.size, most))
    return x[index], y[index]


def _stretch(size: int, most: int) -> int:
    """The shortest power of two for which all lowest and highest points, and both ends, are at most `most`."""
    length = 1
    while 2 * -(-size // length) + 2 > most:
        length *= 2
    return length


def _extremes(y: np.ndarray, stretch: int) -> np.ndarray:
    whole = y.size // stretch * stretch
    starts = np.arange(0, whole, stretch)
    blocks = y[:whole].reshape(-1, stretch)
    parts = [starts + blocks.argmin(1), starts + blocks.argmax(1), [0, y.size - 1]]
    if whole < y.size:
        parts.append(whole + np.array([y[whole:].argmin(), y[whole:].argmax()]))
    places = np.sort(np.concatenate(parts))
    return places[np.diff(places, prepend=-1) > 0]  # np.unique takes ten times as long for so few


def smoothed(y: np.ndarray, window: int) -> np.ndarray:
    """Return the mean of the last `window` values at every place (of as many as there are, near the start). `y` must be finite."""
    if window <= 1 or y.size == 0:
        return y
    base, unit = y[0] / 2, np.abs(y).max() or 1.0
    sums = np.concatenate(([0.0], np.cumsum((y / 2 - base) / unit)))  # in units of the largest: the sum of large numbers is infinite
    ends = np.arange(1, y.size + 1)
    starts = np.maximum(0, ends - window)
    return 2 * (base + (sums[ends] - sums[starts]) / (ends - starts) * unit)


def first_non_finite(y: np.ndarray) -> int | None:
    """Return the place of the first NaN or ±Inf; None if there is none."""
    bad = ~np.isfinite(y)
    return int(bad.argmax()) if bad.any() else None
