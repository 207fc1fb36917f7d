"""Compares two pieces of the same kind of work in the same run: such ratios travel from machine to machine, seconds do not."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Work = Callable[[], object]
"""Something to be measured. If it returns a float it has measured its own seconds."""
HEADINGS = ("work", "ratio", "goal", "reached")


@dataclass(frozen=True)
class Row:
    """What was measured, how much it was, and up to how much is good enough; a ratio has no unit."""

    work: str
    found: float
    goal: float
    unit: str = ""

    def cells(self) -> tuple[str, str, str, str]:
        """What stands in the table, under HEADINGS."""
        return self.work, self._number(self.found), self._number(self.goal), "yes" if self.found <= self.goal else "no"

    def _number(self, value: float) -> str:
        return f"{value:.3g} {self.unit}".rstrip()


def ratio(call: Work, baseline: Work, goal: float, rounds: int = 5, attempts: int = 3) -> float:
    """Return how many times longer `call` takes than `baseline`: measured in turn, the median of the pairs counts.

    While the result is above the goal it is measured again: a busy machine can only make a ratio look worse by chance, not better by habit.
    """
    found: list[float] = []
    for _ in range(attempts):
        found.append(statistics.median(_seconds(call) / _seconds(baseline) for _ in range(rounds)))
        if found[-1] <= goal:
            break
    return min(found)


def table(rows: Sequence[Row]) -> list[str]:
    """Return the lines of the table, numbers on the right of their column."""
    cells = [HEADINGS, *(row.cells() for row in rows)]
    work, found, goal, _ = (max(map(len, column)) for column in zip(*cells, strict=True))
    lines = [f"{a:<{work}}  {b:>{found}}  {c:>{goal}}  {d}" for a, b, c, d in cells]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]


def _seconds(work: Work) -> float:
    start = time.perf_counter()
    measured = work()
    return measured if isinstance(measured, float) else time.perf_counter() - start
