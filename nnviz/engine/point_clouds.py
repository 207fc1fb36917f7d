"""Points in the plane in two or three classes, bit by bit as scikit-learn draws them, without loading it (see preparation.py)."""

from __future__ import annotations

import numpy as np

Points = tuple[np.ndarray, np.ndarray]
"""(rows, 2) float64 and (rows,) class numbers."""


def moons(samples: int, noise: float, seed: int) -> Points:
    """Return two interleaved half circles. Source: sklearn.datasets.make_moons."""
    outer, inner = (np.linspace(0, np.pi, count) for count in _halves(samples))
    x = np.stack([np.append(np.cos(outer), 1 - np.cos(inner)), np.append(np.sin(outer), 1 - np.sin(inner) - 0.5)], axis=1)
    return _blurred(x, samples, noise, seed)


def circles(samples: int, noise: float, seed: int) -> Points:
    """Return a ring around another of half its radius. Source: sklearn.datasets.make_circles with factor 0.5."""
    outer, inner = (np.linspace(0, 2 * np.pi, count, endpoint=False) for count in _halves(samples))
    x = np.stack([np.append(np.cos(outer), np.cos(inner) * 0.5), np.append(np.sin(outer), np.sin(inner) * 0.5)], axis=1)
    return _blurred(x, samples, noise, seed)


def blobs(samples: int, noise: float, seed: int) -> Points:
    """Return three round clouds; `noise` is their standard deviation. Source: sklearn.datasets.make_blobs with 3 centers."""
    generator = np.random.RandomState(seed)
    centers = generator.uniform(-10.0, 10.0, size=(3, 2))
    sizes = [samples // 3 + (place < samples % 3) for place in range(3)]
    x = np.concatenate([generator.normal(center, noise, (size, 2)) for center, size in zip(centers, sizes, strict=True)])
    return _shuffled(x, np.repeat(np.arange(3), sizes), generator)


def _halves(samples: int) -> tuple[int, int]:
    return samples // 2, samples - samples // 2


def _blurred(x: np.ndarray, samples: int, noise: float, seed: int) -> Points:
    generator = np.random.RandomState(seed)
    x, y = _shuffled(x, np.repeat([0, 1], _halves(samples)), generator)
    return x + generator.normal(scale=noise, size=x.shape), y


def _shuffled(x: np.ndarray, y: np.ndarray, generator: np.random.RandomState) -> Points:
    order = np.arange(len(x))
    generator.shuffle(order)
    return x[order], y[order]
