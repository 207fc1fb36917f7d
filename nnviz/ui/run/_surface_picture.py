"""From the rows of the data to circles, and the limits of the plane they lie in. Colours come from the theme; no widget is known here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PySide6.QtGui import QBrush, QColor, QPen

from nnviz.records.data_record import DataRecord
from nnviz.records.run_records import Surface
from nnviz.records.tensors import to_numpy
from nnviz.ui.theme.colors import Theme
from nnviz.ui.widgets.scales import NARROWEST, snapped
from nnviz.ui.widgets.surface_image import value_limit

_FARTHEST = 8e307
"""No limit lies further out: the distance between two of them is a number."""


@dataclass(frozen=True, eq=False)
class Points:
    """The rows of the data that are drawn. Equal only to itself, so that pictures of it can be kept."""

    data: DataRecord
    x: np.ndarray
    """(rows, features)"""
    y: np.ndarray
    """(rows,) class numbers, or the first target."""
    training: np.ndarray

    @classmethod
    def of(cls, data: DataRecord, most: int) -> Points:
        """Return at most `most` of the finite rows of the data, evenly picked."""
        x, y = to_numpy(data.x), to_numpy(data.y)
        y = y if y.ndim == 1 else y[:, 0]
        picked = np.flatnonzero(np.isfinite(x).all(1) & np.isfinite(y))
        picked = picked[:: max(1, -(-len(picked) // most))]
        return cls(data, x[picked], y[picked], to_numpy(data.training)[picked])

    def with_generated(self, rows: np.ndarray) -> Points:
        """Return these and over them the finite ones of generated rows, which are of class 0."""
        known = rows[np.isfinite(rows).all(1)]
        x, y = np.concatenate([self.x, known]), np.concatenate([self.y, np.zeros(len(known), self.y.dtype)])
        return Points(self.data, x, y, np.concatenate([self.training, np.ones(len(known), dtype=bool)]))

    @property
    def features(self) -> int:
        """How many features a row has."""
        return self.x.shape[1]

    @property
    def classes(self) -> int:
        """How many classes there are; 0 for regression."""
        return self.data.classes

    @property
    def axis_names(self) -> tuple[str, ...]:
        """What the features are called."""
        return self.data.feature_names or tuple(f"x{sign}" for sign in "₁₂"[: self.features])

    def class_name(self, number: int) -> str:
        """Return what a class is called."""
        return self.data.class_names[number] if number < len(self.data.class_names) else f"class {number}"


def limits_of(surface: Surface | None, points: Points, axis: int) -> tuple[float, float]:
    """Return the limits of a feature: those of the surface, where it has some, else the data's with a tenth around."""
    if surface is not None and _are_limits(surface.low[axis], surface.high[axis]):
        return surface.low[axis], surface.high[axis]
    low, high = (min(_FARTHEST, max(-_FARTHEST, float(end))) for end in (points.x[:, axis].min(), points.x[:, axis].max()))
    room = high / 10 - low / 10 or 1.0
    return (low - room, high + room) if low - room < low else snapped(low, high)


def _are_limits(low: float, high: float) -> bool:
    """Whether they are numbers so far apart that there are others in between."""
    return -_FARTHEST <= low < high <= _FARTHEST and high - low > max(1e-9 * max(abs(low), abs(high)), NARROWEST)


@lru_cache(maxsize=8)
def circles(theme: Theme, points: Points, size: float) -> tuple[np.ndarray, np.ndarray, float, list[QPen], list[QBrush]]:
    """Return x, y, size, pens and brushes: filled circles for rows that are trained on, rings for rows that are validated on."""
    colors = _colors(theme, points)
    filled, ring = QPen(theme.color("panel"), 0.8), QBrush(theme.color("panel", 0.55))
    looks = {name: ((QPen(QColor(name), 1.2), ring), (filled, QBrush(QColor(name)))) for name in set(colors)}
    chosen = [looks[name][trained] for name, trained in zip(colors, points.training.tolist(), strict=True)]
    return points.x[:, 0], _heights(points), size, [pen for pen, _ in chosen], [brush for _, brush in chosen]


def _heights(points: Points) -> np.ndarray:
    if points.features == 2:
        return points.x[:, 1]
    return np.minimum(points.y, 1) if points.classes else points.y


def _colors(theme: Theme, points: Points) -> list[str]:
    if points.classes:
        return [theme.classes[int(value) % len(theme.classes)] for value in points.y]
    if points.features == 1:
        return [theme.training_set if training else theme.validation_set for training in points.training]
    limit = value_limit(points.y)
    return [theme.diverging(float(value), limit).name() for value in points.y]
