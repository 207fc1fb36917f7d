"""What scikit-learn draws, splits and scales, to the bit, in numpy alone: to load scikit-learn takes two thirds of the time torch does.

Each function makes the calls of scikit-learn's own in their order; the memory layout of the rows is the same too, since sums depend on it.
"""

from __future__ import annotations

import numpy as np

Drawn = tuple[np.ndarray, np.ndarray]
"""(rows, 2), and the class of each row."""


def moons(samples: int, noise: float, seed: int) -> Drawn:
    """Return the rows of sklearn.datasets.make_moons."""
    upper, lower = (np.linspace(0, np.pi, count) for count in _halves(samples))
    first, second = np.append(np.cos(upper), 1 - np.cos(lower)), np.append(np.sin(upper), 1 - np.sin(lower) - 0.5)
    return _pair(first, second, noise, seed)


def circles(samples: int, noise: float, seed: int, factor: float) -> Drawn:
    """Return the rows of sklearn.datasets.make_circles. `factor`: the radius of the inner circle."""
    outer, inner = (np.linspace(0, 2 * np.pi, count, endpoint=False) for count in _halves(samples))
    first, second = np.append(np.cos(outer), np.cos(inner) * factor), np.append(np.sin(outer), np.sin(inner) * factor)
    return _pair(first, second, noise, seed)


def blobs(samples: int, noise: float, seed: int, classes: int) -> Drawn:
    """Return the rows of sklearn.datasets.make_blobs. `noise`: the standard deviation of each cloud."""
    random = np.random.RandomState(seed)
    centers = random.uniform(-10.0, 10.0, (classes, 2))
    sizes = [samples // classes + (label < samples % classes) for label in range(classes)]
    x = np.concatenate([random.normal(center, noise, (size, 2)) for center, size in zip(centers, sizes, strict=True)])
    order = _shuffled(random, samples)
    return x[order], np.repeat(np.arange(classes), sizes)[order]


def _halves(samples: int) -> tuple[int, int]:
    return samples // 2, samples - samples // 2


def _pair(first: np.ndarray, second: np.ndarray, noise: float, seed: int) -> Drawn:
    """Two classes of equal size, one after the other, shuffled and then moved by the noise."""
    random = np.random.RandomState(seed)
    order = _shuffled(random, len(first))
    x, y = np.vstack([first, second]).T[order], np.repeat([0, 1], _halves(len(first)))[order]
    x += random.normal(scale=noise, size=x.shape)
    return x, y


def _shuffled(random: np.random.RandomState, count: int) -> np.ndarray:
    order = np.arange(count)
    random.shuffle(order)
    return order


# --- the split ---


def held_out_of(count: int, validated: int, labels: np.ndarray | None, seed: int) -> np.ndarray:
    """Return the rows that sklearn.model_selection.train_test_split keeps for its test, in another order.

    `labels`: (rows,) classes that keep their shares, each of at least two rows; None where there are none to keep.
    """
    random = np.random.RandomState(seed)
    if labels is None:
        return random.permutation(count)[:validated]
    _, numbers, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    of_classes = np.split(np.argsort(numbers, kind="stable"), np.cumsum(sizes)[:-1])
    trained = _shares(sizes, count - validated, random)
    held = _shares(sizes - trained, validated, random)
    chosen = [random.permutation(size)[first : first + more] for size, first, more in zip(sizes, trained, held, strict=True)]
    return np.concatenate([rows[places] for rows, places in zip(of_classes, chosen, strict=True)])


def _shares(sizes: np.ndarray, count: int, random: np.random.RandomState) -> np.ndarray:
    """How many of `count` rows fall to each class: its share rounded down; those left over to the largest remainders, equal ones by lot."""
    exact = sizes / sizes.sum() * count
    shares = np.floor(exact)
    remainders, left = exact - shares, int(count - shares.sum())
    for remainder in np.unique(remainders)[::-1]:
        if left <= 0:
            break
        (equal,) = np.where(remainders == remainder)
        drawn = random.choice(equal, size=min(len(equal), left), replace=False)
        shares[drawn] += 1
        left -= len(drawn)
    return shares.astype(int)


# --- scaling ---


def standardised(x: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """Return the rows as a sklearn.preprocessing.StandardScaler transforms them that was fitted on the rows `fitted`."""
    count, total = len(fitted), fitted.sum(0)
    off = fitted - total / count
    correction = off.sum(0)
    variance = ((off**2).sum(0) - correction**2 / count) / count
    mean = (0.0 + total) / count  # 0.0: the sum of the batches before, of which there are none; it makes −0.0 a 0.0
    error = np.finfo(np.float64).eps * count
    scale = np.where(variance <= error * variance + (count * mean * np.finfo(np.float64).eps) ** 2, 1.0, np.sqrt(variance))
    return (x - mean) / scale


def to_unit_range(x: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """Return the rows as a sklearn.preprocessing.MinMaxScaler transforms them that was fitted on the rows `fitted`."""
    low = fitted.min(0)
    width = fitted.max(0) - low
    scale = 1.0 / np.where(width < 10 * np.finfo(np.float64).eps, 1.0, width)
    return x * scale + (0.0 - low * scale)
