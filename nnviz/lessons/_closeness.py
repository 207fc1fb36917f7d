"""Whether numbers with few printed digits are those of a trace."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

_FEWEST, _MOST = 1, 9
"""Significant digits that are looked for."""
_DECIMALS = 13
"""And decimals, below this."""
_COARSEST = 2.5e-3
"""Of an array's largest number: coarser digits tell nothing apart."""
_RELATIVE = 2e-5
"""What the order of sums may change."""


@dataclass(frozen=True)
class PrintedNumbers:
    """Numbers as they were written, perhaps rounded to a few digits."""

    array: np.ndarray

    def is_close(self, true: np.ndarray, noise: float) -> bool:
        """Return whether all numbers are equal but for rounding: that of sums, and that of the last digit they were printed with."""
        return self._is_within(true, noise, _COARSEST * _largest(true))

    def is_rounded(self, true: np.ndarray, noise: float) -> bool:
        """Return whether they may be equal, but with so few digits that it cannot be told."""
        return bool(np.any(self.array)) and self._is_within(true, noise, np.inf)

    def furthest(self, true: np.ndarray) -> tuple[int, ...]:
        """Return the place at which they differ most from other numbers of the same shape."""
        return tuple(int(k) for k in np.unravel_index(int(self._distance(true).argmax()), true.shape))

    def _is_within(self, true: np.ndarray, noise: float, coarsest: float) -> bool:
        if self.array.shape != true.shape:
            return False
        rounding = 1.01 * np.minimum(self._last_digit, coarsest)
        return bool((self._distance(true) <= np.maximum(_RELATIVE * _largest(true) + noise, rounding)).all())

    def _distance(self, true: np.ndarray) -> np.ndarray:
        own = self.array
        with np.errstate(invalid="ignore"):
            apart = np.abs(own - true)
        return np.where((own == true) | (np.isnan(own) & np.isnan(true)), 0.0, np.where(np.isnan(apart), np.inf, apart))

    @cached_property
    def _last_digit(self) -> np.ndarray:
        """Half of the last digit: of as many decimals, or as many significant digits, as write all of the numbers."""
        is_given = np.isfinite(self.array) & (self.array != 0)
        given, sizes = self.array[is_given], np.zeros(self.array.shape)
        if not given.size:
            return sizes
        decimals = next((d for d in range(_DECIMALS) if _is_written(given, np.round(given, d))), None)
        if decimals is not None:
            sizes += 0.5 * 10.0**-decimals
        powers = np.floor(np.log10(np.abs(given)))
        for digits in range(_FEWEST, _MOST):
            units = 10.0 ** (powers - digits + 1)
            if _is_written(given, np.round(given / units) * units):
                sizes[is_given] = np.maximum(sizes[is_given], units / 2)
                break
        return sizes


def _largest(numbers: np.ndarray) -> float:
    return float(np.abs(numbers[np.isfinite(numbers)]).max(initial=0.0))


def _is_written(given: np.ndarray, rounded: np.ndarray) -> bool:
    return bool((np.abs(given - rounded) <= 1e-7 * np.abs(given)).all())
