"""What a person asks of all past iterations of the run: curves of numbers, and when something first became true. The engine finds it."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, Signal

from nnviz.document.run_log import RunLog
from nnviz.records.hindsight_record import FirstTime, PastNumbers, Predicate, Question
from nnviz.records.task_records import FirstTimeTask, PastNumbersTask, PastTime, PastTimeTask, Progress, TaskKind
from nnviz.records.tensors import to_numpy
from nnviz.session.engine_link import EngineLink
from nnviz.session.long_tasks import LongTasks

QUICK = 3.0
"""Seconds that numbers of every iteration may take to be found without asking."""
POINTS = 500
"""About so many iterations are offered where all would take long."""
MOST = 8
"""Curves that are kept."""
_KINDS: tuple[type[TaskKind], ...] = (PastTimeTask, PastNumbersTask, FirstTimeTask)


@dataclass(frozen=True)
class PastCurve:
    """A number of past iterations."""

    question: Question
    iterations: np.ndarray
    values: np.ndarray
    """NaN where there was nothing to measure."""
    stride: int
    """Of every so many iterations."""
    last: int
    """The last iteration that was asked about."""
    log: RunLog
    """The run it is of."""


@dataclass(frozen=True)
class FirstFound:
    """When something became true."""

    predicate: Predicate
    found: FirstTime
    last: int
    log: RunLog


@dataclass(frozen=True)
class _Asked:
    """Where the run stood when something was asked, and since when it is looked for."""

    log: RunLog
    last: int
    since: float


class PastQuestions(QObject):
    """One question at a time is looked into; curves stay until a person removes them or opens another document."""

    changed = Signal()

    def __init__(self, link: EngineLink, tasks: LongTasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link, self._tasks = link, tasks
        self.curves: tuple[PastCurve, ...] = ()
        """Oldest first."""
        self.first: FirstFound | None = None
        """The latest answer to when something became true."""
        self.offer: PastTime | None = None
        """How long it would take, while a person is to choose of how many iterations."""
        self.failure = ""
        """Why the latest question has no answer, as sentences."""
        self._asked: dict[type[TaskKind], _Asked] = {}
        self._taken: dict[type[TaskKind], object] = {}
        self._same: tuple[RunLog | None, dict[tuple[int, int], tuple[RunLog, bool]]] = (None, {})
        """The run, and which logs it has been made as; they are kept, so that no other one bears their number."""
        tasks.changed.connect(self._follow)
        link.run_changed.connect(self._follow_log)

    @property
    def reach(self) -> int:
        """The last iteration the run has ever made."""
        return self._link.run.reached

    @property
    def progress(self) -> Progress | None:
        """How far the question is that is looked into; None while none is."""
        return next((found for kind in _KINDS if (found := self._tasks.state(kind).progress)), None)

    @property
    def seconds_left(self) -> float | None:
        """About how long it will still take; None where that is not known."""
        kind = next((kind for kind in _KINDS if self._tasks.state(kind).progress), None)
        progress = self._tasks.state(kind).progress if kind else None
        if progress is None or kind is not PastNumbersTask or not progress.done or kind not in self._asked:
            return None
        return (time.monotonic() - self._asked[kind].since) / progress.done * (progress.total - progress.done)

    def is_of_this_run(self, log: RunLog, last: int) -> bool:
        """Return whether the run has been made as this log says up to that iteration: then what was found is true of it."""
        present = self._link.log
        if present is not self._same[0]:
            self._same = (present, {})
        known = self._same[1]
        if (id(log), last) not in known:
            known[id(log), last] = log, present is not None and present.until(last) == log
        return known[id(log), last][1]

    # --- what a person does ---

    def ask(self, question: Question) -> bool:
        """Have a number of every iteration found, if that is quick, else offer to; return whether that is possible."""
        stride = stride_for(self.reach)
        return self._ask(PastTimeTask((question,), self.reach, stride))

    def compute(self, stride: int) -> None:
        """Have it found of every so many iterations, as was offered."""
        asked = self._tasks.state(PastTimeTask).task
        if isinstance(asked, PastTimeTask) and self.offer:
            self.offer = None
            self._ask(PastNumbersTask(asked.questions, asked.last, stride))

    def find(self, predicate: Predicate) -> bool:
        """Have found when something became true for the first time; return whether that is possible."""
        return self._ask(FirstTimeTask(predicate, self.reach))

    def cancel(self) -> None:
        """Leave the question that is looked into, or that was offered."""
        self.offer = None
        for kind in _KINDS:
            self._tasks.cancel(kind)
        self.changed.emit()

    def remove(self, place: int) -> None:
        """Keep this curve no longer."""
        self.curves = (*self.curves[:place], *self.curves[place + 1 :])
        self.changed.emit()

    def dismiss(self) -> None:
        """Say no more of what was found or why nothing was."""
        self.first, self.failure = None, ""
        self.changed.emit()

    def forget(self) -> None:
        """Another document is open."""
        self.curves, self.first, self.offer, self.failure = (), None, None, ""
        self._asked.clear()
        self.changed.emit()

    # --- inside ---

    def _ask(self, task: PastTimeTask | PastNumbersTask | FirstTimeTask) -> bool:
        log = self._link.log
        if self._tasks.obstacle or log is None:
            return False
        self.first, self.offer, self.failure = None, None, ""
        for kind in _KINDS:
            self._tasks.cancel(kind)
        self._asked[type(task)] = _Asked(log.until(task.last), task.last, time.monotonic())
        return self._tasks.ask(task)

    def _follow(self, kind: type[TaskKind]) -> None:
        if kind not in _KINDS:
            return
        state = self._tasks.state(kind)
        if state.progress is None and kind in self._asked:
            asked = self._asked.pop(kind)
            self.failure = state.failure
            if state.is_whole and state.result is not self._taken.get(kind):
                self._taken[kind] = state.result
                self._take(state.result, state.task, asked)
        self.changed.emit()

    def _follow_log(self) -> None:
        """What was found may be of another branch than the run is now."""
        if self._link.log is not self._same[0]:
            self._same = (self._link.log, {})
            self.changed.emit()

    def _take(self, result: object, task: TaskKind | None, asked: _Asked) -> None:
        match result, task:
            case PastTime(), PastTimeTask():
                self.offer = result
                if result.seconds[0] <= QUICK:
                    self.compute(1)
            case PastNumbers(), PastNumbersTask(questions=questions, stride=stride):
                x, values = to_numpy(result.iterations), to_numpy(result.values)
                new = [PastCurve(one, x, values[place], stride, asked.last, asked.log) for place, one in enumerate(questions)]
                old = [curve for curve in self.curves if not (curve.question in questions and _covers(asked, curve))]
                self.curves = (*old, *new)[-MOST:]
            case FirstTime(), FirstTimeTask(predicate=predicate):
                self.first = FirstFound(predicate, result, asked.last, asked.log)


def _covers(asked: _Asked, curve: PastCurve) -> bool:
    """Return whether what was asked says all that the curve says."""
    return asked.last >= curve.last and asked.log.until(curve.last) == curve.log


def stride_for(last: int) -> int:
    """Return a round stride with which about `POINTS` iterations up to the last one are looked at."""
    rounds = (factor * 10**power for power in range(12) for factor in (1, 2, 5))
    return next(stride for stride in rounds if stride * POINTS >= last)
