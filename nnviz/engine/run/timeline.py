"""The run as a whole: any iteration is reached by the nearest checkpoint and an exact replay, with all changes made on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from math import inf, nan
from pathlib import Path
from typing import Any

import torch
from msgspec.structs import replace

from nnviz.doctor.history import RunHistory
from nnviz.document.experiment import Experiment
from nnviz.document.run_branches import shared
from nnviz.document.run_log import Change, RunLog
from nnviz.engine.data.datasets import Data, data_key, load
from nnviz.engine.errors import BuildError
from nnviz.engine.observe.checkups import Measuring, start_facts
from nnviz.engine.run import _checkup_times as checkup_times
from nnviz.engine.run import checkpoints
from nnviz.engine.run._state_transfer import Transferred, transfer
from nnviz.engine.run.checkpoints import Checkpoint, Checkpoints
from nnviz.engine.run.private_copy import private_copy
from nnviz.engine.run.stop import Stop
from nnviz.engine.run.trainer import Trainer
from nnviz.engine.run.weight_recorder import LENGTH, WeightRecorder
from nnviz.records.checkup_records import Checkup, StartFacts
from nnviz.records.run_records import CurvePoint

SLICE = 0.005
"""Seconds of iterations that are made in one go."""
REPLAYING = 0.25
"""Seconds that the past of a recorded weight, or the last iteration that could be made, may take to be made again."""


TimelineCheck = Callable[[Trainer, float, float], Stop | None]
"""Is given the trainer, the loss and that of the iteration before; returns why not to make the update, if there is a reason."""


class Timeline:
    """One run: its log, and the trainer that stands somewhere on it.

    `document` is what the person sees; after going back, `trainer.experiment` is what was in force there. Going on from there makes the
    same iterations again, with the changes that lie ahead when their iteration comes; an edit drops those.
    """

    def __init__(self, run: RunLog | Experiment, folder: Path, data: Data | None = None) -> None:
        """Raises BuildError if it cannot be built. `run`: its log, or the experiment it starts with. `data`: if it is already loaded."""
        log = run if isinstance(run, RunLog) else RunLog(run)
        self.folder = folder
        self.log = RunLog(log.first)
        self.data = data or load(log.first, folder)
        self.trainer = Trainer(log.first, self.data)
        self.applied = 0
        """How many changes are in force where the run stands."""
        self.points: list[CurvePoint] = [self.trainer.start_point()]
        self._known: list[CurvePoint] = []
        """All points of the run by iteration, also those that lie ahead, as they were when it last went to a checkpoint."""
        self._facts: dict[int, StartFacts] = {}
        """What is known from the start, by how many changes were in force there."""
        self._checkups: dict[int, Checkup] = {}
        """What was measured for the doctor, by iteration, also of those that lie ahead."""
        self._measuring = Measuring(self.trainer)
        self._due = 0
        """The iteration that is measured next, if it lies ahead of where the run stands; else it is not known."""
        self._dead_end: tuple[int, Stop] | None = None
        """The iteration behind which the run cannot go on, once it is known, and why."""
        self._checkpoints = Checkpoints()
        self._iteration_seconds = 0.0
        """How long the last iteration took."""
        self._note_start()
        self._keep_checkpoint()
        self._take_over(log)

    def _take_over(self, log: RunLog) -> None:
        for change in log.changes:
            if not self.can_go_on_with(change.experiment):
                raise BuildError("changes", f"At iteration {change.iteration} the data changes.", "That starts another run.")
        self.log = log
        self._apply_due()

    @property
    def checkpoint_places(self) -> tuple[int, ...]:
        """The iterations at which there are checkpoints: those that follow are quick to reach."""
        return tuple(sorted(self._checkpoints.kept))

    @property
    def changes(self) -> tuple[Change, ...]:
        """What the document became, and when, oldest first."""
        return self.log.changes

    @property
    def iteration(self) -> int:
        """How many iterations are finished."""
        return self.trainer.position.iteration

    @property
    def document(self) -> Experiment:
        """The present document, whatever was in force where the run stands."""
        return self.log.last

    @property
    def checkups(self) -> tuple[Checkup, ...]:
        """What was measured for the doctor up to where the run stands, oldest first."""
        return tuple(one for at, one in sorted(self._checkups.items()) if at <= self.iteration)

    @property
    def facts(self) -> StartFacts:
        """What the doctor knows from the start, of the rows and the loss as the document in force has them."""
        of_start = self._facts[max(count for count in self._facts if count <= self.applied)]
        return start_facts(self.trainer, of_start) if self.applied not in self._facts else of_start

    def _note_start(self) -> None:
        if self.iteration == 0 and self.applied not in self._facts:
            self._facts[self.applied] = start_facts(self.trainer)

    def history(self, doctor: Mapping[str, Mapping[str, Any]] | None = None) -> RunHistory:
        """Return the run up to where it stands, as the doctor looks at it. `doctor`: what it judges by; None as the document in force."""
        stop = self._dead_end[1] if self._dead_end and self._dead_end[0] == self.iteration else None
        experiment = self.trainer.experiment if doctor is None else replace(self.trainer.experiment, doctor=doctor)
        what = (stop.message, stop.layer) if stop else ("", "")
        is_same = not self.applied or _loss_of(self.log.at(self.changed_at - 1)) == _loss_of(experiment)
        return RunHistory(experiment, self.facts, self.points, self.checkups, self.changed_at, *what, is_same)

    @property
    def changed_at(self) -> int:
        """The iteration of the last change that is in force; 0 if there is none."""
        return self.changes[self.applied - 1].iteration if self.applied else 0

    @property
    def kept(self) -> tuple[Checkpoint, ...]:
        """The checkpoints up to where the run stands, oldest first: what need not be made again."""
        return tuple(one.checkpoint for at, one in sorted(self._checkpoints.kept.items()) if at <= self.iteration)

    def twin(self) -> Timeline:
        """Return another timeline of the same run that stands where this one does; what is done to one the other does not notice."""
        with torch.random.fork_rng(devices=[]):  # some layers of torch draw numbers when they are made
            other = Timeline(self.log, self.folder, self.data)
        other._stand_like(self)
        return other

    def _stand_like(self, other: Timeline) -> None:
        self.trainer, self.applied, self.points = private_copy(other.trainer), other.applied, list(other.points)
        self._known, self._checkups, self._due = list(other._known), dict(other._checkups), 0
        self._checkpoints.kept.update(other._checkpoints.kept)  # nobody changes one that is kept

    def has_same_data(self, experiment: Experiment, folder: Path) -> bool:
        """Return whether another run would have the rows of this one."""
        return data_key(experiment, folder) == data_key(self.document, self.folder)

    def can_go_on_with(self, experiment: Experiment) -> bool:
        """Return whether the run can go on with this document: not if data, seed or precision change."""
        return self.has_same_data(experiment, self.folder) and experiment.precision == self.document.precision

    def edit(self, experiment: Experiment) -> Transferred:
        """Go on with this document from the next iteration on; what was recorded beyond is forgotten. Raises BuildError if it cannot.

        If it was in force at this very iteration, the changes since then are taken back: the run is exactly what it was before them.
        """
        log = self.log.changed(self.iteration, experiment)
        if self.log.brought_back(self.iteration, experiment) is not None:
            return self._take_back(log)
        transferred = transfer(self.trainer, experiment, self.data)
        self._go_on_with(log, self.applied)
        self._put_in_force(transferred)
        return transferred

    def _take_back(self, log: RunLog) -> Transferred:
        """Go on with this log, a part of the present one; where a change that is dropped is in force, the last iteration is made again."""
        iteration, is_in_force = self.iteration, self.applied > len(log.changes)
        self._go_on_with(log, len(log.changes))
        if is_in_force:
            self._make_again(self._checkpoints.before(iteration))
        return Transferred(self.trainer, tuple(self.trainer.parameters), (), False)

    def _make_again(self, start: int) -> None:
        """Make the iterations from a checkpoint up to the present one again."""
        iteration = self.iteration
        self._stand_at_checkpoint(start)
        while self.iteration < iteration:
            self.advance(at_most=iteration - self.iteration)

    def leave_unmade(self) -> None:
        """After an iteration that could not be made: have gradients and outputs of the last one that was, if that does not take long."""
        start = self._checkpoints.before(self.iteration)
        if 0 < (self.iteration - start) * self._iteration_seconds <= REPLAYING:
            self._make_again(start)

    def _go_on_with(self, log: RunLog, count: int) -> None:
        """Take this for the log, of whose changes `count` are those of the present one."""
        self.log, self._known = log, []
        self._checkups, self._dead_end = {at: one for at, one in self._checkups.items() if at <= self.iteration}, None
        self._due = 0
        self._facts = {applied: facts for applied, facts in self._facts.items() if applied <= count}
        self._checkpoints.drop_after(self.iteration, count)

    def _put_in_force(self, transferred: Transferred) -> None:
        old, self.trainer = self.trainer.experiment.training, transferred.trainer
        self.applied += 1
        self._due = 0
        self._note_start()
        training, last = self.trainer.experiment.training, self.points[-1]
        has_other_penalties = (old.l1, old.l2) != (training.l1, training.l2)
        if self.iteration == 0 and (transferred.is_another_net or has_other_penalties):
            self.points[-1] = self.trainer.start_point()
        elif transferred.is_another_net:
            of_last_made = {"loss": last.loss, "learning_rate": last.learning_rate}
            self.points[-1] = replace(self.trainer.start_point(), **of_last_made)
        elif has_other_penalties:
            # what was measured held the former ones and is measured anew
            self.points[-1] = CurvePoint(last.iteration, last.loss, learning_rate=last.learning_rate)

    def advance(self, check: TimelineCheck | None = None, at_most: float = 1, until: float = inf) -> Stop | None:
        """Make an iteration and what changes are recorded behind it, or several, up to so many; none is begun at this time of the clock or
        later. Returns why to stop, if there is a reason.

        `check` is given the trainer, the loss and that of the iteration before (NaN for the first), and may stop it before the update.
        """
        start, before = time.perf_counter(), self.iteration
        due = self._next_checkup()
        if at_most > 1 and check is None:
            self._advance_quietly(min(at_most, due - before) - 1, until)
            if self.iteration > before and time.perf_counter() > until:
                return None if self.trainer.is_finite else self._stand_where_all_is_finite()
        is_measured = self.iteration + 1 == due
        if is_measured:
            self._begin_measuring()
        stop = self.trainer.advance(partial(check, previous=self.points[-1].loss if self.iteration else nan) if check else None)
        self._iteration_seconds = (time.perf_counter() - start) / (self.iteration - before or 1)
        if not self.trainer.is_finite:
            return self._stand_where_all_is_finite()
        if stop and stop.reason == "non_finite":
            self._dead_end = self.iteration, stop
        if stop and stop.comes_before:
            return stop
        self.points.append(self.trainer.point)
        if is_measured and not stop and (measured := self._measuring.end(self._is_whole_due(due))):
            self._checkups[due] = measured
        self._apply_due()
        if self.iteration % checkpoints.SPACING == 0:
            self._keep_checkpoint()
        return stop

    def _next_checkup(self) -> int:
        """The next iteration that is to be measured for the doctor, and has not been."""
        if self._due <= self.trainer.position.iteration:
            self._due = checkup_times.next_due(self.iteration, self.changed_at)
            while self._due in self._checkups:
                self._due = checkup_times.next_due(self._due, self.changed_at)
        return self._due

    def _begin_measuring(self) -> None:
        if self._measuring.trainer is not self.trainer:
            self._measuring = Measuring(self.trainer)
        self._measuring.begin()

    def _is_whole_due(self, due: int) -> bool:
        """Whether all rows are looked at in this iteration."""
        last = max((at for at, one in self._checkups.items() if at < due and one.whole), default=None)
        return checkup_times.is_whole_due(due, self.changed_at, last)

    def _advance_quietly(self, at_most: float, until: float) -> None:
        """Make iterations behind which nothing is to be done but to note their loss: no change comes, no checkpoint is kept."""
        iteration, changes = self.iteration, self.changes[self.applied :]
        ahead = [change.iteration - iteration - 1 for change in changes[:1]]
        losses = self.trainer.advance_quietly(min(at_most, checkpoints.SPACING - iteration % checkpoints.SPACING - 1, *ahead), until)
        made = zip(count(iteration + 1), losses, self.trainer.learning_rates(len(losses)), strict=False)
        self.points += [CurvePoint(number, loss, learning_rate=rate) for number, loss, rate in made]

    def _stand_where_all_is_finite(self) -> Stop:
        """Stand before the first iteration that leaves something that is not finite, which may lie some back; return what that is.

        What is not finite stays so: to look once behind several iterations is enough, and no checkpoint is kept without.
        """
        stop = self._first_bad_iteration()
        self._dead_end = self.iteration, stop
        return stop

    def _first_bad_iteration(self) -> Stop:
        """Stand before it, and return what it leaves."""
        self._stand_at_checkpoint(self._checkpoints.before(self.iteration))
        while self.trainer.is_finite:
            before = self.trainer.checkpoint()
            stop = self.trainer.advance()
            if stop and stop.comes_before:
                return stop
            if what := self.trainer.what_is_not_finite:
                self.trainer.restore(before)
                return Stop("non_finite", f"Iteration {self.iteration + 1}: Behind its update {what.sentence}", layer=what.layer)
            self.points.append(self.trainer.point)
            self._apply_due()
        what = self.trainer.what_is_not_finite
        return Stop("non_finite", f"Iteration {self.iteration + 1}: {what.sentence}", layer=what.layer)

    def complete_last_point(self) -> bool:
        """Measure where the run is what its last point lacks; return whether that point is another one now."""
        last = self.points[-1]
        self.points[-1] = self.trainer.completed(last)
        return self.points[-1] is not last

    def record_weight(self, parameter: str, element: tuple[int, ...]) -> None:
        """Record one weight from now on, and of what lies behind as much as can be made again quickly; of "" none."""
        here = self.iteration
        self.trainer.record(WeightRecorder(parameter, element) if parameter else None)
        behind = min(LENGTH, here, int(REPLAYING / self._iteration_seconds)) if self._iteration_seconds else 0
        if parameter and behind:
            self.go_to(here - behind)
            self.go_to(here)

    def _keep_checkpoint(self) -> None:
        self._checkpoints.keep(self.trainer.checkpoint(), self.applied, self.points[-1])

    def go_to(self, iteration: int, interrupted: Callable[[], bool] = lambda: False) -> Stop | None:
        """Make the run stand after exactly so many iterations, bit by bit as it was or would be.

        Stands short of it if `interrupted` says so, or at an iteration that cannot be made; then that reason is returned.
        """
        if iteration < 0:
            raise BuildError("iteration", f"There is no iteration {iteration}.", "The start is iteration 0.")
        is_back = iteration < self.iteration
        gap = LENGTH - 1 if self.trainer.recorder and not is_back else 0  # the history of a weight has none
        at = self._checkpoints.before(iteration - gap)
        if is_back or at > self.iteration:
            self._stand_at_checkpoint(at)
        ahead = self._checkpoints.begin_way(at, iteration) if is_back else []
        while self.iteration < iteration and not interrupted():
            if ahead and ahead[0] == self.iteration:
                self._checkpoints.walk(self.trainer.checkpoint(), self.applied, self.points[ahead.pop(0)])
            stop = self.advance(at_most=(*ahead, iteration)[0] - self.iteration, until=time.perf_counter() + SLICE)
            if stop and stop.comes_before:
                return stop
        return None

    def _stand_at_checkpoint(self, at: int) -> None:
        """Stand where there is a checkpoint; the points of the curves up to there are known."""
        checkpoint, self.applied, point = self._checkpoints.at(at)
        self._due = 0
        old = self.trainer
        if checkpoint.experiment is not old.experiment:  # else it goes on with its flat iterations, proven as they are
            reusable = old.flat_net if checkpoint.experiment.network == old.experiment.network else None
            self.trainer = Trainer(checkpoint.experiment, self.data, reusable)
            self.trainer.observe_like(old)
        self.trainer.restore(checkpoint)
        self._known[: len(self.points)] = self.points
        del self.points[at:]
        self.points += [*self._known[len(self.points) : at], point]
        self._apply_due()

    def branch(self, log: RunLog) -> Timeline:
        """Return a timeline of another log of the same data, at its start; as far as both begin alike it knows what this one knows."""
        other = Timeline(log, self.folder, self.data)
        common = shared(self.log, log)
        if common is not None:
            known = self.points + self._known[len(self.points) :]
            last = min(common, len(known) - 1)
            other._known = known[: int(last) + 1]
            other._checkpoints.adopt(self._checkpoints, last, sum(change.iteration < common for change in log.changes))
            other._checkups = {at: one for at, one in self._checkups.items() if at <= last}
            other._due = 0
        return other

    def _apply_due(self) -> None:
        while self.applied < len(self.changes) and self.changes[self.applied].iteration <= self.iteration:
            self._put_in_force(transfer(self.trainer, self.changes[self.applied].experiment, self.data))


def _loss_of(experiment: Experiment) -> tuple[Any, ...]:
    """What decides which loss the same parameters have."""
    training = experiment.training
    return experiment.network, experiment.weights, training.loss, training.l1, training.l2, training.dropout
