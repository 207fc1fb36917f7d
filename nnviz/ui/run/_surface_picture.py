"""From a network's answers over a plane to an image, and from the data to circles. Colours come from the theme; no widget is known here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PySide6.QtGui import QBrush, QColor, QPen

from nnviz.records.data_record import DataRecord
from nnviz.records.run_records import Surface
from nnviz.records.tensors import to_numpy
from nnviz.ui.theme.colors import Theme
from nnviz.ui.widgets.color_scale import robust_limit
from nnviz.ui.widgets.scales import NARROWEST, snapped

_GROUND = {"light": (0.06, 0.30), "dark": (0.14, 0.46)}
"""Share of a class's colour in the ground where the network is least and most sure; a dark ground swallows more of it."""
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


def probabilities(output: np.ndarray) -> np.ndarray:
    """Return one probability per class on the last axis; a single output is that of class 1."""
    return output if output.shape[-1] > 1 else np.concatenate([1 - output, output], axis=-1)


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


def class_image(theme: Theme, output: np.ndarray) -> np.ndarray:
    """Return (height, width, outputs) probabilities as (height, width, 3) bytes of colour: the likeliest class, paler where less sure."""
    shares = probabilities(output)
    classes = shares.shape[-1]
    best = np.nan_to_num(shares).argmax(-1)
    sure = np.clip((np.nan_to_num(shares.max(-1)) * classes - 1) / (classes - 1), 0, 1)
    palest, fullest = _GROUND[theme.name]
    alpha = (palest + (fullest - palest) * sure)[..., None]
    colors = _rgb([theme.classes[number % len(theme.classes)] for number in range(classes)])
    image = _rgb([theme.panel]) * (1 - alpha) + colors[best] * alpha
    return _marked(theme, image, ~np.isfinite(shares).all(-1))


def value_image(theme: Theme, values: np.ndarray, limit: float) -> np.ndarray:
    """Return (height, width) values as (height, width, 3) bytes of colour: negative · panel · positive, full at ±limit."""
    share = np.minimum(np.abs(np.nan_to_num(values)), limit)[..., None] / limit * 0.75
    positive, negative = _rgb([theme.positive]), _rgb([theme.negative])
    colors = np.where(values[..., None] >= 0, positive, negative)
    image = _rgb([theme.panel]) * (1 - share) + colors * share
    return _marked(theme, image, ~np.isfinite(values))


def value_limit(values: np.ndarray) -> float:
    """Return the size at which the colour of values is full; 1 where none is finite, or all are 0."""
    return robust_limit(values) or 1.0


def _rgb(names: list[str]) -> np.ndarray:
    return np.array([QColor(name).getRgb()[:3] for name in names], dtype=np.float64)


def _marked(theme: Theme, image: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """Hatch what is not finite in the colour of the loss, so that it never passes for a value."""
    if bad.any():
        rows, columns = np.indices(bad.shape)
        image = np.where((bad & ((rows + columns) % 4 < 2))[..., None], _rgb([theme.loss]), image)
    return np.rint(image).astype(np.uint8)


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
