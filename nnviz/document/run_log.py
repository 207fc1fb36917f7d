"""The one history of a run: the experiment it started with, and what it became on the way. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from nnviz.document.experiment import Experiment
from nnviz.document.shapes.report import examine

OUTSIDE_THE_RUN = {"title", "description", "canvas", "breakpoints", "doctor"}
"""Fields of an experiment that no run depends on."""


def same_run(one: Experiment, other: Experiment) -> bool:
    """Return whether both experiments give the same run: they differ in title, description, canvas and breakpoints at most."""
    fields = (name for name in one.__struct_fields__ if name not in OUTSIDE_THE_RUN)
    return all(getattr(one, name) is getattr(other, name) or getattr(one, name) == getattr(other, name) for name in fields)


def with_looks_of(experiment: Experiment, other: Experiment) -> Experiment:
    """Return the experiment with all that no run depends on as the other one has it."""
    return replace(experiment, **{name: getattr(other, name) for name in OUTSIDE_THE_RUN})


class Change(NamedTuple):
    """The document became `experiment` between iteration `iteration` and the next."""

    iteration: int
    experiment: Experiment


class LogUpdate(msgspec.Struct, frozen=True):
    """What a log has become, as the engine says it: a log may be long, and each of its documents large."""

    kept: int
    """How many changes of the log before are left, the oldest first."""
    changed_at: int | None = None
    """The iteration of the change that has been added; None if none has."""


class RunLog(msgspec.Struct, frozen=True):
    """Enough to make the run again."""

    first: Experiment
    changes: tuple[Change, ...] = ()
    """From the start on, oldest first."""

    @property
    def last(self) -> Experiment:
        """The experiment behind the last change."""
        return self.changes[-1].experiment if self.changes else self.first

    def at(self, iteration: int) -> Experiment:
        """Return the experiment in force for what is made after so many iterations."""
        return self.until(iteration).last

    def until(self, iteration: int) -> RunLog:
        """Return the log without the changes made after `iteration`."""
        return self.first_changes(sum(change.iteration <= iteration for change in self.changes))

    def first_changes(self, count: int) -> RunLog:
        """Return the log with so many of its changes, the oldest."""
        return self if count >= len(self.changes) else RunLog(self.first, self.changes[:count])

    def changed(self, iteration: int, experiment: Experiment) -> RunLog:
        """Return the log of a run that stood at `iteration` when the document became `experiment`; what came later is dropped.

        If this experiment was in force at this very iteration, the changes since then are taken back.
        """
        back = self.brought_back(iteration, experiment)
        if back is not None:
            return self.first_changes(back)
        return RunLog(self.first, (*self.until(iteration).changes, Change(iteration, experiment)))

    def brought_back(self, iteration: int, experiment: Experiment) -> int | None:
        """Return after how many of the changes `experiment` was in force at this very iteration; None if it was not.

        No training lies between, so that nothing is lost by taking the later changes back: an undo returns to exactly what there was.
        """
        made = self.until(iteration).changes
        before = sum(change.iteration < iteration for change in made)
        in_force = [self.first, *(change.experiment for change in made)]
        return next((count for count in range(before, len(in_force)) if same_run(in_force[count], experiment)), None)

    def update_to(self, log: RunLog) -> LogUpdate:
        """Return what makes `log`, of which `changed` gave one, out of this one."""
        kept = sum(old is new for old, new in zip(self.changes, log.changes, strict=False))
        return LogUpdate(kept, log.changes[-1].iteration if len(log.changes) > kept else None)

    def updated(self, update: LogUpdate, experiment: Experiment) -> RunLog:
        """Return what the engine says the log has become; the change that was added, if any, led to `experiment`."""
        log = self.first_changes(update.kept)
        at = update.changed_at
        return log if at is None else RunLog(log.first, (*log.changes, Change(at, experiment)))


# --- one run or another ---

NOTHING_LEFT = "Nothing of the former network is left: the run begins at iteration 0. Undo brings the old one back."


def trained_layers(experiment: Experiment) -> set[str]:
    """Return the ids of the layers that have parameters."""
    return {id for id, layer in examine(experiment).layers.items() if layer.parameters}


def is_another_network(old: Experiment, new: Experiment, alive: Collection[str] | None = None) -> bool:
    """Return whether no tensor of the old network can go on in the new one.

    `alive`: the layers that were in the document all the time in between; None: all of both.
    """
    if new.network == old.network and alive is None:
        return False
    before, after = (examine(experiment).layers for experiment in (old, new))
    ids = before.keys() & after.keys() & (before.keys() if alive is None else set(alive))
    return not any(after[id].parameters.get(name) == shape for id in ids for name, shape in before[id].parameters.items())
