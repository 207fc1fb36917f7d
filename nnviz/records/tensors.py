"""Tensors as they travel between the processes: whole, or as a measure; and an array of the wire as a numpy array."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

FEW = 32
"""Of a tensor with at most this many finite elements that are not 0 a measure holds these, too: so few are no distribution."""
WHOLE = 4096
"""A tensor with at most this many elements travels whole, a larger one as a measure."""

PICTURED = 1 << 17
"""Of the output of a layer that does not travel whole, the first rows with at most this many elements together do."""


class Array(msgspec.Struct, frozen=True, array_like=True):
    """A numpy array on the wire: dtype by name, C order."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


class Measure(msgspec.Struct, frozen=True):
    """What is said of a tensor too large to send, or of one watched over time. Statistics are over the finite elements."""

    count: int
    min: float
    max: float
    mean: float
    std: float
    norm: float
    zeros: int
    """Elements that are exactly 0; they are not in the histogram."""
    non_finite: int
    """Elements that are NaN or ±Inf; they are not in the histogram."""
    histogram: tuple[int, ...]
    """Counts in equal bins from `low` to `high`."""
    low: float
    high: float
    values: tuple[float, ...] = ()
    """All elements of the histogram in increasing order, where there are at most FEW of them."""


class Tensor(msgspec.Struct, frozen=True):
    """A tensor of a trace: its shape and, by its size, either all its values or a measure of them."""

    shape: tuple[int, ...]
    values: Array | None = None
    measure: Measure | None = None
    dtype: str = ""
    """What torch calls its numbers where numpy has no such type, and they travel as the same numbers in another: bfloat16."""


def to_numpy(array: Array) -> np.ndarray:
    """Return the array of the wire as a read-only numpy array that shares its bytes."""
    return np.frombuffer(array.data, dtype=array.dtype).reshape(array.shape)


def blocks_of(values: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the values of one row in parts so small that what is worked out of one stays in the processor's cache."""
    return (values[start : start + (1 << 16)] for start in range(0, values.size, 1 << 16))


def histogram_of(values: np.ndarray, bins: int) -> tuple[float, float, tuple[int, ...]]:
    """Return low edge, high edge and counts of finite values, however large; none give no counts.

    Values that are all the same get edges a little apart.
    """
    if not values.size:
        return 0.0, 0.0, ()
    low, high = float(values.min()), float(values.max())
    if high / 2 - low / 2 <= 5e-10 * max(abs(low), abs(high)):
        low, high = _opened(low, high)
    width = max(high / bins - low / bins, np.finfo(np.float64).tiny)  # high − low itself may overflow
    counts = np.zeros(bins, dtype=np.int64)
    for block in blocks_of(values):
        places = (block / width - low / width).astype(np.int64)
        counts += np.bincount(np.clip(places, 0, bins - 1), minlength=bins)
    return low, high, tuple(counts.tolist())


def _opened(low: float, high: float) -> tuple[float, float]:
    """Edges a twentieth further out, as far as there are numbers."""
    largest = np.finfo(np.float64).max
    return float(max(-largest, min(low * 0.95, low * 1.05))), float(min(largest, max(high * 0.95, high * 1.05)))
