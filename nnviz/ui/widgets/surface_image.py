"""From answers over a plane to an image. Colours come from the theme; no widget is known here."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QColor

from nnviz.ui.theme.colors import Theme
from nnviz.ui.widgets.color_scale import robust_limit

_GROUND = {"light": (0.06, 0.30), "dark": (0.14, 0.46)}
"""Share of a class's colour in the ground where the network is least and most sure; a dark ground swallows more of it."""


def probabilities(output: np.ndarray) -> np.ndarray:
    """Return one probability per class on the last axis; a single output is that of class 1."""
    return output if output.shape[-1] > 1 else np.concatenate([1 - output, output], axis=-1)


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
