"""How the present run came about: the experiment it started with and the changes made on the way. Pure; enough to make the run again."""

from __future__ import annotations

import msgspec

from nnviz.document.experiment import Experiment
from nnviz.protocol import Change

OUTSIDE_THE_RUN = {"title", "canvas"}
"""Fields of an experiment that no run depends on."""


class Lineage(msgspec.Struct, frozen=True):
    """The experiment at iteration 0, and what it became between which iterations, oldest first."""

    first: Experiment
    changes: tuple[Change, ...] = ()

    @property
    def last(self) -> Experiment:
        """The experiment behind the last change."""
        return self.changes[-1].experiment if self.changes else self.first

    def until(self, iteration: int) -> Lineage:
        """Return the lineage without the changes made after `iteration`."""
        return Lineage(self.first, tuple(change for change in self.changes if change.iteration <= iteration))

    def changed(self, iteration: int, experiment: Experiment) -> Lineage:
        """Return the lineage of a run that stood at `iteration` when the document became `experiment`; what came later is dropped."""
        return Lineage(self.first, (*self.until(iteration).changes, Change(iteration, experiment)))


def same_run(one: Experiment, other: Experiment) -> bool:
    """Return whether both experiments give the same run: they differ in title and canvas at most."""
    fields = (name for name in one.__struct_fields__ if name not in OUTSIDE_THE_RUN)
    return all(getattr(one, name) is getattr(other, name) or getattr(one, name) == getattr(other, name) for name in fields)
