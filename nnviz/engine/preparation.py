"""The split and the scaling, bit by bit as scikit-learn makes them, without loading it: that takes longer than all else until the first
picture. Tests hold them against scikit-learn; nothing here knows where rows come from."""

from __future__ import annotations

import numpy as np

ROUNDING = np.finfo(np.float64).eps


def held_out(count: int, held: int, seed: int, classes: np.ndarray | None = None) -> np.ndarray:
    """Return which of `count` rows are drawn to be held out; with `classes`, (rows,), so that each keeps its share.

    Source: sklearn.model_selection.train_test_split.
    """
    generator = np.random.RandomState(seed)
    if classes is None:
        return generator.permutation(count)[:held]
    _, places, sizes = np.unique(classes, return_inverse=True, return_counts=True)
    of_class = np.split(np.argsort(places, kind="stable"), np.cumsum(sizes)[:-1])
    trained = _shares(sizes, count - held, generator)
    tested = _shares(sizes - trained, held, generator)
    drawn = [rows[generator.permutation(len(rows))] for rows in of_class]
    return np.concatenate([rows[start : start + size] for rows, start, size in zip(drawn, trained, tested, strict=True)])


def _shares(sizes: np.ndarray, count: int, generator: np.random.RandomState) -> np.ndarray:
    """Return how many rows of each class are among `count`: its share rounded down, the rest by the largest fractions, ties drawn."""
    exact = sizes / sizes.sum() * count
    shares = np.floor(exact)
    missing = int(count - shares.sum())
    for fraction in np.unique(exact - shares)[::-1]:
        if missing == 0:
            break
        tied = np.flatnonzero(exact - np.floor(exact) == fraction)
        chosen = generator.choice(tied, size=min(len(tied), missing), replace=False)
        shares[chosen] += 1
        missing -= len(chosen)
    return shares.astype(int)


def standardised(x: np.ndarray, training: np.ndarray) -> np.ndarray:
    """Return the features with mean 0 and variance 1 over the training rows; one that is constant there only loses its mean.

    Source: sklearn.preprocessing.StandardScaler.
    """
    rows = x[training]
    count, mean = len(rows), rows.sum(axis=0) / len(rows)
    apart = rows - mean
    variance = ((apart**2).sum(axis=0) - apart.sum(axis=0) ** 2 / count) / count
    constant = variance <= count * ROUNDING * variance + (count * mean * ROUNDING) ** 2
    return (x - mean) / np.where(constant, 1.0, np.sqrt(variance))


def between_0_and_1(x: np.ndarray, training: np.ndarray) -> np.ndarray:
    """Return the features moved and stretched so that they reach from 0 to 1 over the training rows.

    Source: sklearn.preprocessing.MinMaxScaler.
    """
    low, high = x[training].min(axis=0), x[training].max(axis=0)
    extent = np.where(high - low < 10 * ROUNDING, 1.0, high - low)
    return x * (1.0 / extent) + (0.0 - low * (1.0 / extent))
