"""Cures that are put to the test beside the present run, and what that has shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from nnviz.doctor.cures import cures
from nnviz.doctor.run_questions import QUESTIONS, Replay, answer, replay
from nnviz.doctor.trial import Trial, TrialVerdict, trial, verdict
from nnviz.document.problems import Fix, Refused
from nnviz.document.run_branches import name_like
from nnviz.records.finding import Finding
from nnviz.records.task_records import Race, RaceTask
from nnviz.records.tensors import to_numpy
from nnviz.session.branches import Branches
from nnviz.session.comparison import Comparison
from nnviz.session.engine_link import EngineLink
from nnviz.session.long_tasks import LongTasks, TaskState


@dataclass(frozen=True)
class KnownTrial:
    """A trial, the branch it has grown, and what it has shown."""

    trial: Trial
    branch: str
    """The name of the branch with the fix, as it was when the trial began."""
    verdict: TrialVerdict | None = None
    """None while it goes on, and where it came to no end."""


class Trials(QObject):
    """`known` are those of the open document, the latest last. One group is trained at a time."""

    questions = QUESTIONS
    """What can be asked."""

    changed = Signal()
    message_posted = Signal(str, str)

    def __init__(
        self, comparison: Comparison, branches: Branches, link: EngineLink, tasks: LongTasks, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._comparison, self._branches, self._link = comparison, branches, link
        self.known: tuple[KnownTrial, ...] = ()
        self.answers: dict[str, tuple[int, str]] = {}
        """By question the iteration it was asked at, and the answer."""
        self._asked: Replay | None = None
        self._task: RaceTask | None = None
        """What the engine was asked, while it is at it."""
        tasks.changed.connect(lambda kind: self._follow(tasks.state(RaceTask)) if kind is RaceTask else None)

    @property
    def is_going(self) -> bool:
        """Whether cures are being tried."""
        return self._task is not None

    def cures(self, finding: Finding) -> tuple[Fix, ...]:
        """Return what can be tried against a finding, the most promising first."""
        return cures(finding, self._link.in_force)

    def of(self, finding: Finding, fix: Fix) -> KnownTrial | None:
        """Return the latest trial of a fix against a finding of this kind; None if there was none."""
        return next(
            (one for one in reversed(self.known) if one.trial.fix == fix and one.trial.finding.kind == finding.kind),
            None,
        )

    def start(self, finding: Finding, fixes: Sequence[Fix]) -> bool:
        """Have these cures tried, each as a branch from before the onset; return whether that was possible. If not, a message says why."""
        log = self._link.log
        if log is None or not fixes:
            return False
        try:
            trials = [trial(log, finding, fix, self._link.run.reached) for fix in fixes]
        except Refused as refused:
            self.message_posted.emit("warning", str(refused))
            return False
        taken = {branch.name for branch in self._branches.all}
        names = [name_like(one.fix.label, taken) for one in trials]
        named = [(name, one.treated) for name, one in zip(names, trials, strict=True)]
        task = self._comparison.start_beside((trials[0].control,), named, max(one.end for one in trials))
        if task:
            self._task = task
            self.known = (*self.known, *(KnownTrial(one, name) for name, one in zip(names, trials, strict=True)))
            self.changed.emit()
        return task is not None

    def ask(self, question: str) -> bool:
        """Have a question of `run_questions` answered by a short replay; return whether that was possible. If not, a message says why."""
        run, log = self._link.run, self._link.log
        if log is None or run.data is None:
            return False
        try:
            wanted = replay(question, log, run.iteration, int(to_numpy(run.data.training).sum()))
        except Refused as refused:
            self.message_posted.emit("info", str(refused))
            return False
        task = self._comparison.start_beside(wanted.logs, (), wanted.end)
        if task:
            self._task, self._asked = task, wanted
            self.answers = {key: value for key, value in self.answers.items() if key != question}
            self.changed.emit()
        return task is not None

    def document_replaced(self) -> None:
        """Another document is open: what was tried belongs to the former one."""
        self.known, self.answers, self._task, self._asked = (), {}, None, None
        self.changed.emit()

    def _follow(self, state: TaskState) -> None:
        if self._task is None or state.progress is not None:
            return
        task, self._task = self._task, None
        is_over = state.is_whole and state.task is task and isinstance(state.result, Race)
        asked, self._asked = self._asked, None
        if is_over and asked and all(run.stopped for run in state.result.runs):
            self.answers = {**self.answers, asked.question: (asked.asked_at, answer(asked, state.result.runs))}
        elif is_over and all(run.stopped for run in state.result.runs):
            control, *treated = state.result.runs
            runs = dict(zip(map(id, task.logs[1:]), treated, strict=True))
            self.known = tuple(
                KnownTrial(one.trial, one.branch, verdict(one.trial, control, runs[id(one.trial.treated)]))
                if id(one.trial.treated) in runs
                else one
                for one in self.known
            )
            self._branches.annotate({id(one.trial.treated): one.verdict.sentence for one in self.known if id(one.trial.treated) in runs})
        self.changed.emit()
