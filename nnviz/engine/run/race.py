"""Several runs beside the present one: trained in turns, so that their curves grow side by side, each as it would be alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

import numpy as np
from msgspec.structs import replace

from nnviz.doctor.diagnosis import diagnose
from nnviz.document.run_log import RunLog
from nnviz.engine.errors import BuildError
from nnviz.engine.observe.checkups import whole_checkup
from nnviz.engine.observe.curve_records import curve_points
from nnviz.engine.run.divergence import first_divergence
from nnviz.engine.run.timeline import SLICE, Timeline
from nnviz.engine.tasks import Work
from nnviz.records.run_records import CurvePoint
from nnviz.records.task_records import DivergenceTask, FirstDivergence, Progress, Race, RacedRun, RaceTask
from nnviz.records.verdicts import noise_of, verdict_of_points

NEWS = 0.25
"""Seconds between two results on the way."""
FEW, MANY = 500, 20_000
"""So many points of each curve travel at most, on the way and at the end."""


def race(task: RaceTask, timeline: Timeline) -> Work:
    """Return the work that trains these runs up to the same iteration; the present run, whose timeline this is, stays as it is.

    A run that cannot be built, or whose next iteration cannot be made, stays where it is and the others go on. Raises BuildError where
    there is nothing to train.
    """
    if not task.logs or task.iterations < 1:
        raise BuildError("", "There is nothing to train.", "Choose at least one run and one iteration.")
    return _raced(task, timeline)


def beside(timeline: Timeline, log: RunLog) -> Timeline:
    """Return a timeline of another run at its start; where the data is the same it shares the rows and what both have in common.

    Raises BuildError if it cannot be built.
    """
    if timeline.has_same_data(log.first, timeline.folder):
        return timeline.branch(log)
    return Timeline(log, timeline.folder)


class _Runner:
    """One of the runs, and why it goes no further, once it does not."""

    def __init__(self, timeline: Timeline, log: RunLog, goal: int) -> None:
        self._goal = goal
        self._start = min(goal, log.changes[-1].iteration if log.changes else 0)
        """Up to there it is perhaps known already."""
        self.stopped, self._message, self._seconds = "", "", 0.0
        self._timeline: Timeline | None = None
        try:
            self._timeline = beside(timeline, log)
        except BuildError as error:
            self._end("failed", " ".join(filter(None, (error.message, error.cure))))

    @property
    def iteration(self) -> int:
        """How many iterations it has made."""
        return self._timeline.iteration if self._timeline else 0

    @property
    def is_going(self) -> bool:
        """Whether there is more to do."""
        return not self.stopped

    def advance(self) -> None:
        """Make iterations for a moment."""
        start = time.perf_counter()
        if self.iteration < self._start:
            stop = self._timeline.go_to(self._start, partial(next, iter((False, True))))
        else:
            stop = self._timeline.advance(at_most=self._goal - self.iteration, until=start + SLICE)
            self._seconds += time.perf_counter() - start
        if stop:
            self._end(stop.reason, stop.message)
        elif self.iteration >= self._goal:
            self._end("done")
        if self.stopped:
            self._timeline.complete_last_point()

    def _end(self, reason: str, message: str = "") -> None:
        self.stopped, self._message = reason, message

    def record(self, most: int) -> RacedRun:
        """Return what it has come to, with so many points of its curves at most."""
        if self._timeline is None:
            return RacedRun(0, self.stopped, self._message)
        points, trainer = self._timeline.points, self._timeline.trainer
        noise = noise_of(trainer.experiment, trainer.training_rows.count)
        found = verdict_of_points(points, noise, self.stopped == "non_finite")
        so_far = RacedRun(self.iteration, self.stopped, self._message, self._seconds, curve_points(_thinned(points, most)), found)
        if not self.stopped:
            return so_far
        return replace(so_far, last=points[-1], findings=diagnose(self._timeline.history()), whole=whole_checkup(trainer))


def _raced(task: RaceTask, timeline: Timeline) -> Work:
    runners: list[_Runner] = []
    total = len(task.logs) * task.iterations
    for log in task.logs:
        yield Progress(0, total, "runs built")
        runners.append(_Runner(timeline, log, task.iterations))
    told = time.perf_counter()
    while going := [runner for runner in runners if runner.is_going]:
        min(going, key=lambda runner: runner.iteration).advance()
        done = sum(runner.iteration if runner.is_going else task.iterations for runner in runners)
        yield Progress(done, total, "iterations")
        if time.perf_counter() - told >= NEWS:
            yield _result(runners, FEW)
            told = time.perf_counter()
    return _result(runners, MANY)


def _result(runners: list[_Runner], most: int) -> Race:
    return Race(tuple(runner.record(most) for runner in runners))


def _thinned(points: list[CurvePoint], most: int) -> list[CurvePoint]:
    """So many of the points, evenly picked with the first and the last among them, and half as many of those that were measured."""
    if len(points) <= most:
        return points
    measured = [place for place, point in enumerate(points) if point.training_loss is not None or point.validation_loss is not None]
    return [points[place] for place in sorted({*_picked(range(len(points)), most - most // 2), *_picked(measured, most // 2)})]


def _picked(places: range | list[int], most: int) -> Iterator[int]:
    chosen = np.linspace(0, len(places) - 1, min(len(places), most)).astype(int).tolist()
    return (places[at] for at in chosen)


# --- where two of them part ---


def compared(task: DivergenceTask, timeline: Timeline) -> Work:
    """Return the work that finds where two runs differ first; the present run, whose timeline this is, stays as it is."""
    if task.iterations < 0:
        raise BuildError("", "No iteration comes before the start.", "Compare 0 iterations or more.")
    return _compared(task, timeline)


def _compared(task: DivergenceTask, timeline: Timeline) -> Work:
    work = first_divergence(beside(timeline, task.one), beside(timeline, task.other), task.iterations)
    while True:
        try:
            done, total = next(work)
        except StopIteration as end:
            return FirstDivergence(task.iterations, end.value)
        yield Progress(done, total, "iterations")
