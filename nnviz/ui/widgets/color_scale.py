"""Where the colour scale of numbers ends, what colour a number has on it, and what can be read on that: on canvas, graph and plots."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PySide6.QtGui import QColor

from nnviz.ui.theme.colors import Theme

_FEW, _OUTLYING = 4, 4.0
"""Among at least so many numbers one that is so many times larger than all others does not stretch the scale."""


def robust_limit(numbers: Sequence[float] | np.ndarray) -> float:
    """Return where a colour scale for these ends: the 98th percentile of the finite magnitudes; of few numbers, one outlier apart.

    0 where there is no finite number, or only zeros.
    """
    known = np.sort(np.abs(np.asarray(numbers, dtype=float)), axis=None)
    known = known[np.isfinite(known)]
    if known.size >= _FEW and known[-1] / _OUTLYING > known[-2] > 0:
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
    limit = max(limit, 1e-300)  # powers of ten below that have no digits left
    power = 10.0 ** math.floor(math.log10(limit))
    found = next((step * power for step in (1, 1.5, 2, 3, 5, 7) if limit <= step * power * (1 + 1e-9)), 10 * power)
    return min(found, sys.float_info.max)


def shaded(value: float, limit: float) -> float:
    """Return the share (−1 to 1) of full colour: the signed square root of value/limit, so that small numbers can still be told apart."""
    return float(np.copysign(min(1.0, (abs(value) / limit) ** 0.5), value)) if limit > 0 else 0.0


def color_of(theme: Theme, value: float, limit: float) -> QColor:
    """Return the colour of a value on ±limit; NaN and Inf take the colour of the loss."""
    return theme.diverging(value, limit) if math.isfinite(value) else theme.tint("loss", 0.35)


def readable(theme: Theme, value: float, limit: float) -> QColor:
    """Return the text colour that stands out best on the colour of this value."""
    ground = _luminance(color_of(theme, value, limit))
    (darkest, dark), (lightest, light) = _ends(theme)
    contrast = (ground + 0.05) / (darkest + 0.05), (lightest + 0.05) / (ground + 0.05)
    return dark if contrast[0] > 1.35 * contrast[1] else light  # white on saturated blue reads better than the ratio says


@lru_cache(maxsize=8)
def _ends(theme: Theme) -> list[tuple[float, QColor]]:
    """The darker and the lighter of the colours texts are written in, with their luminances."""
    inks = (theme.color("text"), theme.color("panel"))
    return sorted(((_luminance(ink), ink) for ink in inks), key=lambda entry: entry[0])


def _luminance(color: QColor) -> float:
    """Relative luminance, 0 to 1. Source: WCAG 2.1."""
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color.getRgbF()[:3]]
    return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]
