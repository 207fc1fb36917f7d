"""From a network's answers over a plane to an image, and from the data to points. Colours come from the theme; no widget is known here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtGui import QColor, QImage

from nnviz.protocol import DataRecord, Surface
from nnviz.session.reading import to_numpy
from nnviz.ui.theme import Theme

_PALEST, _FULLEST = 0.04, 0.24
"""Share of a class's colour in the ground where the network is least and most sure."""


@dataclass(frozen=True, eq=False)
class Points:
    """The rows of the data that are drawn. Equal only to itself, so that pictures of it can be kept."""

    data: DataRecord
    x: np.ndarray
    """(rows, features)"""
    y: np.ndarray
    """(rows,) class numbers, or the first target."""
    training: np.ndarray
    total: int
    """How many rows there are; not all of a large set are drawn."""

    @classmethod
    def of(cls, data: DataRecord, most: int) -> Points:
        """Return at most `most` rows of the data, evenly picked."""
        x, y, training = to_numpy(data.x), to_numpy(data.y), to_numpy(data.training)
        stride = max(1, -(-len(x) // most))
        y = y if y.ndim == 1 else y[:, 0]
        return cls(data, x[::stride], y[::stride], training[::stride], len(x))

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
    """Return the limits of a feature: those of the surface, else the data's with a tenth around."""
    if surface is not None:
        return surface.low[axis], surface.high[axis]
    low, high = float(points.x[:, axis].min()), float(points.x[:, axis].max())
    room = (high - low) / 10 or 1.0
    return low - room, high + room


def class_image(theme: Theme, output: np.ndarray) -> QImage:
    """Return (height, width, outputs) probabilities as an image, row 0 at the bottom: the likeliest class, paler where less sure."""
    shares = probabilities(output)
    classes = shares.shape[-1]
    best = np.nan_to_num(shares).argmax(-1)
    sure = np.clip((np.nan_to_num(shares.max(-1)) * classes - 1) / (classes - 1), 0, 1)
    alpha = (_PALEST + (_FULLEST - _PALEST) * sure)[..., None]
    colors = _rgb([theme.classes[number % len(theme.classes)] for number in range(classes)])
    image = _rgb([theme.panel]) * (1 - alpha) + colors[best] * alpha
    return _image(_marked(theme, image, ~np.isfinite(shares).all(-1)))


def value_image(theme: Theme, values: np.ndarray, limit: float) -> QImage:
    """Return (height, width) values as an image, row 0 at the bottom: negative · panel · positive, full at ±limit."""
    share = np.clip(np.abs(np.nan_to_num(values)) / limit, 0, 1)[..., None] * 0.75
    positive, negative = _rgb([theme.positive]), _rgb([theme.negative])
    colors = np.where(values[..., None] >= 0, positive, negative)
    image = _rgb([theme.panel]) * (1 - share) + colors * share
    return _image(_marked(theme, image, ~np.isfinite(values)))


def robust_limit(values: np.ndarray) -> float:
    """Return the size up to which values are coloured: the 99th percentile of the absolute finite ones, at least a tiny number."""
    finite = np.abs(values[np.isfinite(values)])
    return max(float(np.percentile(finite, 99)), 1e-12) if finite.size else 1.0


def _rgb(names: list[str]) -> np.ndarray:
    return np.array([QColor(name).getRgb()[:3] for name in names], dtype=np.float64)


def _marked(theme: Theme, image: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """Hatch what is not finite in the colour of the loss, so that it never passes for a value."""
    if bad.any():
        rows, columns = np.indices(bad.shape)
        image = np.where((bad & ((rows + columns) % 4 < 2))[..., None], _rgb([theme.loss]), image)
    return image


def _image(rgb: np.ndarray) -> QImage:
    height, width = rgb.shape[:2]
    pixels = np.empty((height, width, 4), np.uint8)
    pixels[..., 2::-1] = np.rint(rgb[::-1])
    pixels[..., 3] = 255
    return QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_RGB32).copy()
