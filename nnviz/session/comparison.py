"""Several runs beside the present one, with one thing changed in each: they become branches, which the engine trains in turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from nnviz.document.problems import Refused
from nnviz.document.run_branches import Branch, shared
from nnviz.document.run_log import RunLog
from nnviz.document.shapes.report import examine
from nnviz.document.variations import Variation
from nnviz.records.divergence_record import Divergence
from nnviz.records.task_records import DivergenceTask, FirstDivergence, Progress, Race, RaceTask
from nnviz.records.trace_index import TraceIndex
from nnviz.session.branches import Branches, KeptBranch
from nnviz.session.engine_link import EngineLink
from nnviz.session.long_tasks import LongTasks, TaskState
from nnviz.session.stepping import Stepping
from nnviz.session.training_control import TrainingControl

RUNS_ARE_TRAINED = "Runs are being compared already. Wait for their end, or cancel them."


@dataclass(frozen=True)
class Search:
    """The search for the first divergence of a branch and the present run."""

    branch: Branch
    present: Branch
    task: DivergenceTask
    progress: Progress | None = None
    """How far it is; None once it is over."""
    result: FirstDivergence | None = None

    @property
    def found(self) -> Divergence | None:
        """Where they differ; None where they do not, or as long as it is not known."""
        return self.result.found if self.result else None


class Comparison(QObject):
    """`progress` is how far the runs are, None while none are trained; `search` is the latest search for a first divergence."""

    changed = Signal()
    message_posted = Signal(str, str)

    def __init__(
        self,
        tasks: LongTasks,
        link: EngineLink,
        branches: Branches,
        training: TrainingControl,
        stepping: Stepping,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._tasks, self._link, self._branches, self._training, self._stepping = tasks, link, branches, training, stepping
        self.progress: Progress | None = None
        self.search: Search | None = None
        self._logs: tuple[RunLog, ...] = ()
        self._is_cancelled = False
        self._result: object = None
        """The latest that was found of them."""
        tasks.changed.connect(self._follow)

    def _follow(self, kind: type) -> None:
        if kind is RaceTask:
            self._follow_race(self._tasks.state(RaceTask))
        elif kind is DivergenceTask:
            self._follow_search(self._tasks.state(DivergenceTask))

    # --- training several runs ---

    @property
    def is_going(self) -> bool:
        """Whether runs are being trained."""
        return self.progress is not None

    def is_growing(self, kept: KeptBranch) -> bool:
        """Whether this branch is being trained."""
        return self.is_going and any(log is kept.branch.log for log in self._logs) and not (kept.raced and kept.raced.stopped)

    def logs(self, variations: Sequence[Variation], from_here: bool) -> tuple[RunLog, ...]:
        """Return how these runs go: from the start, or with the present weights from the present iteration on.

        Raises Refused for one that cannot be trained, or cannot go on from here.
        """
        log, run = self._link.log, self._link.run
        for name, experiment in variations:
            problem = next(iter(examine(experiment).problems), None)
            if problem:
                raise Refused(f"{name}: {problem.message}", problem.cure)
            last = log.last if log else experiment
            if from_here and (experiment.data, experiment.seed, experiment.precision) != (last.data, last.seed, last.precision):
                raise Refused(f"{name}: data, seed and precision begin a run.", "Compare from the start.")
        if log and from_here:
            changed = (log.changed(run.iteration, experiment) for _, experiment in variations)
            return tuple(RunLog(one.first, one.changes) for one in changed)  # never that of the present run itself
        return tuple(RunLog(experiment) for _, experiment in variations)

    def start(self, variations: Sequence[Variation], iterations: int, from_here: bool = False) -> bool:
        """Have these runs trained for so many iterations; return whether that was possible. If not, a message says why."""
        if self.is_going:
            self.message_posted.emit("warning", RUNS_ARE_TRAINED)
        elif not self._link.is_up_to_date:
            self.message_posted.emit("warning", self._obstacle)
        else:
            return self._start(variations, iterations, from_here)
        return False

    @property
    def _obstacle(self) -> str:
        """Why nothing can be asked for now."""
        return self._training.obstacle or self._tasks.obstacle

    def _start(self, variations: Sequence[Variation], iterations: int, from_here: bool) -> bool:
        try:
            logs = self.logs(variations, from_here)
        except Refused as refused:
            self.message_posted.emit("warning", str(refused))
            return False
        end = iterations + (self._link.run.iteration if from_here else 0)
        return bool(self._train(logs, end, tuple(zip((name for name, _ in variations), logs, strict=True))))

    def start_beside(self, others: Sequence[RunLog], named: Sequence[tuple[str, RunLog]], end: int) -> RaceTask | None:
        """Have these runs, each with its name, trained up to the same iteration, behind `others`, which become no branches.

        Return what the engine is asked; None, with a message, if that is not possible.
        """
        if self.is_going or not self._link.is_up_to_date:
            self.message_posted.emit("warning", RUNS_ARE_TRAINED if self.is_going else self._obstacle)
            return None
        return self._train((*others, *(log for _, log in named)), end, named)

    def _train(self, logs: tuple[RunLog, ...], end: int, named: Sequence[tuple[str, RunLog]]) -> RaceTask | None:
        task = RaceTask(logs, end)
        self._logs, self._is_cancelled = logs, False
        if not self._tasks.ask(task):
            self.message_posted.emit("warning", self._obstacle)
            return None
        self._branches.add(named)
        return task

    def cancel(self) -> None:
        """Train them no further; what has been made stays."""
        if self.is_going:
            self._is_cancelled = True
            self._tasks.cancel(RaceTask)

    def document_replaced(self) -> None:
        """Another document is open: what was compared belongs to the former one."""
        self._logs, self.progress, self.search = (), None, None
        self.changed.emit()

    def _follow_race(self, state: TaskState) -> None:
        if not self._logs:
            return  # it was about another document
        was_going, self.progress = self.is_going, state.progress
        is_news = state.result is not self._result
        self._result = state.result
        if is_news and isinstance(state.result, Race) and state.task.logs is self._logs:
            self._branches.grow({id(log): run for log, run in zip(self._logs, state.result.runs, strict=True)})
        if was_going and not self.is_going:
            self._say_end(state)
        self.changed.emit()

    def _say_end(self, state: TaskState) -> None:
        if self._is_cancelled:
            self.message_posted.emit("info", "The runs are compared as far as they came. Go to one of them to train it further.")
        elif state.failure:
            self.message_posted.emit("warning", f"The comparison ended before its time. {state.failure}")
        elif failed := [run.message for run in state.result.runs if run.stopped == "failed"]:
            self.message_posted.emit("warning", f"{len(failed)} of {len(self._logs)} runs could not be built: {failed[0]}")

    # --- where two of them part ---

    def find_divergence(self, name: str) -> None:
        """Have it searched where a branch and the present run differ first; `search` will say."""
        kept = next((one for one in self._branches.kept if one.branch.name == name), None)
        present = self._branches.present
        if kept is None or present is None:
            return
        iterations = min(kept.branch.reached, present.reached)
        self.search = Search(kept.branch, present, DivergenceTask(present.log, kept.branch.log, iterations))
        if not self._tasks.ask(self.search.task):
            self.search = None
            self.message_posted.emit("warning", self._obstacle)
        self.changed.emit()

    def leave_search(self) -> None:
        """Search no further, and forget what was found."""
        self.search = None
        self._tasks.cancel(DivergenceTask)
        self.changed.emit()

    def _follow_search(self, state: TaskState) -> None:
        if self.search is None:
            return
        is_found = state.is_whole and state.task is self.search.task and isinstance(state.result, FirstDivergence)
        self.search = replace(self.search, progress=state.progress, result=state.result if is_found else None)
        if state.failure:
            self.search = None
            self.message_posted.emit("warning", state.failure)
        self.changed.emit()

    def go_to_divergence(self) -> None:
        """Let the first run stand before the iteration in which they differ first, and the cursor at the node that does."""
        found = self.search.found if self.search else None
        if found is None:
            return
        name = self._first_run(found.iteration)
        if name is None:
            self.message_posted.emit("warning", f"{self.search.present.name} is not there any more. Search again from another run.")
            return
        self._training.pause()
        self._stepping.aim(lambda index: _cursor(index, found))
        self._branches.go_to(name, max(0, found.iteration - 1))

    def _first_run(self, iteration: int) -> str | None:
        """What the run in which it was searched is called now: the present one, if it is the same as that up to this iteration."""
        same = [branch.name for branch in self._branches.all if (shared(branch.log, self.search.present.log) or -1) >= iteration]
        return same[-1] if same else None


def _cursor(index: TraceIndex, found: Divergence) -> int | None:
    """Where that is in a trace; None where the trace is of another iteration or another detail."""
    place, traced = found.places[0], found.traces[0] if found.traces else None
    is_same = traced is not None and index.trace.iteration == found.iteration - 1 and len(index.trace.nodes) == len(traced.nodes)
    return place.step if is_same else None
