"""How fast training goes, and how long it will still take."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

SPAN = 3.0
"""Seconds that are looked back on."""


class TrainingRate:
    """Notes when how many iterations were finished, as long as training runs."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._noted: deque[tuple[float, int]] = deque()

    def note(self, iteration: int, is_training: bool) -> None:
        """The run stands here; what was noted before it went back or stood still is forgotten."""
        if not is_training or (self._noted and iteration < self._noted[-1][1]):
            self._noted.clear()
        if is_training:
            now = self._clock()
            self._noted.append((now, iteration))
            while len(self._noted) > 2 and now - self._noted[0][0] > SPAN:
                self._noted.popleft()

    @property
    def per_second(self) -> float | None:
        """Iterations a second lately; None while that is not known."""
        if len(self._noted) < 2:
            return None
        (start, first), (end, last) = self._noted[0], self._noted[-1]
        return (last - first) / (end - start) if end > start else None

    def sentence(self, end: int | None) -> str:
        """Return the rate in words, and for training that ends at iteration `end` how long that will take; empty while not known."""
        rate = self.per_second
        if not rate:
            return ""
        text = f"{rate:,.0f} a second" if rate >= 10 else f"{rate:.2g} a second"
        return text if end is None else f"{text}, {_duration((end - self._noted[-1][1]) / rate)} left until iteration {end:,}"


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{max(0.0, seconds):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
