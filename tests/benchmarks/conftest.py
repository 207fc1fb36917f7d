"""Benchmarks compare two things in the same run: ratios travel from machine to machine, seconds do not."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import pytest


@pytest.fixture
def ratio() -> Callable[..., float]:
    """Return `ratio(call, baseline, enough, rounds=5, attempts=3)`: how many times longer `call` takes than `baseline`.

    The two are measured in turn and the median of the pairs counts. A call that returns a float has measured its own seconds.
    While the result is above `enough` it is measured again: a busy machine can only make a ratio look worse by chance, not better by habit.
    """

    def measure(call: Callable, baseline: Callable, enough: float, rounds: int = 5, attempts: int = 3) -> float:
        found: list[float] = []
        for _ in range(attempts):
            found.append(statistics.median(_seconds(call) / _seconds(baseline) for _ in range(rounds)))
            if found[-1] <= enough:
                break
        print(f"ratio {min(found):.2f} (up to {enough} is enough)")
        return min(found)

    return measure


def _seconds(call: Callable) -> float:
    start = time.perf_counter()
    measured = call()
    return measured if isinstance(measured, float) else time.perf_counter() - start
