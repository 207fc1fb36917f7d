"""When two documents give the same run, and what a change brings back. Pure; window and engine must come to the same answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from nnviz.document.experiment import Experiment

OUTSIDE_THE_RUN = {"title", "description", "canvas", "breakpoints"}
"""Fields of an experiment that no run depends on."""


class Dated(Protocol):
    """A change as the run records it: the document became `experiment` after `iteration` iterations."""

    iteration: int
    experiment: Experiment


def same_run(one: Experiment, other: Experiment) -> bool:
    """Return whether both experiments give the same run: they differ in title, description, canvas and breakpoints at most."""
    fields = (name for name in one.__struct_fields__ if name not in OUTSIDE_THE_RUN)
    return all(getattr(one, name) is getattr(other, name) or getattr(one, name) == getattr(other, name) for name in fields)


def brought_back(first: Experiment, changes: Sequence[Dated], iteration: int, experiment: Experiment) -> int | None:
    """Return after how many of the changes `experiment` was in force at this very iteration; None if it was not.

    No training lies between, so that nothing is lost by taking the later changes back: an undo returns to exactly what there was.
    """
    made = [change for change in changes if change.iteration <= iteration]
    before = sum(change.iteration < iteration for change in made)
    in_force = [first, *(change.experiment for change in made)]
    return next((count for count in range(before, len(in_force)) if same_run(in_force[count], experiment)), None)
