"""How the present run came about: the experiment it started with and the changes made on the way. Pure; enough to make the run again."""

from __future__ import annotations

import msgspec

from nnviz.document.experiment import Experiment
from nnviz.document.run_log import brought_back
from nnviz.records.run_records import Change


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
        """Return the lineage of a run that stood at `iteration` when the document became `experiment`; what came later is dropped.

        If this experiment was in force at this very iteration, the changes since then are taken back, as the engine does.
        """
        back, made = brought_back(self.first, self.changes, iteration, experiment), self.until(iteration).changes
        return Lineage(self.first, (*made, Change(iteration, experiment)) if back is None else made[:back])
