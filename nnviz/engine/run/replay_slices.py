"""Going to an iteration in slices, for long work beside a run."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import TypeVar

from nnviz.engine.run.timeline import Timeline

Found = TypeVar("Found")
InSlices = Generator[tuple[int, int], None, Found]
"""Long work: yields after every slice how much is done and how much there is, and returns what was found. It may be closed at any time."""


def in_slices(timeline: Timeline, iteration: int) -> Generator[int, None, bool]:
    """Make the run stand after so many iterations; yields after every slice where it stands, and returns whether it could get there.

    Short of it there is an iteration that cannot be made.
    """
    while timeline.iteration != iteration:
        is_enough = partial(next, iter((False, True)))
        if timeline.go_to(iteration, is_enough):
            return False
        yield timeline.iteration
    return True
