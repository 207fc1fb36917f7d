"""Several runs beside the present one, with one thing changed in each: they become branches, which the engine trains in turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from nnviz import messages
from nnviz.document.problems import Refused
from nnviz.document.run_branches import Branch
from nnviz.document.run_log import RunLog
from nnviz.document.shapes.report import examine
from nnviz.document.variations import Variation
from nnviz.records.divergence_record import Divergence
from nnviz.records.task_records import DivergenceTask, FirstDivergence, Progress, Race, RaceTask
from nnviz.records.trace_index import TraceIndex
from nnviz.session.branches import Branches, KeptBranch
from nnviz.session.engine_link import EngineLink
from nnviz.session.long_tasks import LongTasks
from nnviz.session.stepping import Stepping
from nnviz.session.training_control import TrainingControl

_NOT_NOW = "The engine does not run the present document yet; try again in a moment."


@dataclass(frozen=True)
class Search:
    """The search for the first divergence of a branch and the present run."""

    branch: Branch
    present: Branch
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
        self._link, self._branches, self._training, self._stepping = link, branches, training, stepping
        self._tasks = tasks
        self.progress: Progress | None = None
        self.search: Search | None = None
        self._race, self._searching = 0, 0
        self._logs: tuple[RunLog, ...] = ()

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
            return tuple(log.changed(run.iteration, experiment) for _, experiment in variations)
        return tuple(RunLog(experiment) for _, experiment in variations)

    def start(self, variations: Sequence[Variation], iterations: int, from_here: bool = False) -> bool:
        """Have these runs trained for so many iterations; return whether that was possible. If not, a message says why."""
        if self.is_going:
            self.message_posted.emit("warning", "Runs are being compared already. Wait for their end, or cancel them.")
        elif not self._link.is_up_to_date:
            self.message_posted.emit("warning", self._training.obstacle or _NOT_NOW)
        else:
            return self._start(variations, iterations, from_here)
        return False

    def _start(self, variations: Sequence[Variation], iterations: int, from_here: bool) -> bool:
        try:
            self._logs = self.logs(variations, from_here)
        except Refused as refused:
            self.message_posted.emit("warning", str(refused))
            return False
        self._branches.add(zip((name for name, _ in variations), self._logs, strict=True))
        end = iterations + (self._link.run.iteration if from_here else 0)
        self.progress = Progress(0, len(self._logs) * end, "runs built")
        self._race = self._tasks.start(RaceTask(self._logs, end), self._take_race)
        self.changed.emit()
        return True

    def cancel(self) -> None:
        """Train them no further; what has been made stays."""
        if self.is_going:
            self._tasks.stop(self._race)

    def document_replaced(self) -> None:
        """Another document is open: what was compared belongs to the former one."""
        self.cancel()
        self._race, self._logs, self.progress = 0, (), None
        self.leave_search()

    def _take_race(self, reply: messages.TaskProgressed | messages.TaskDone) -> None:
        if reply.number != self._race:
            return  # of another document
        if isinstance(reply.result, Race):
            self._branches.grow({id(log): run for log, run in zip(self._logs, reply.result.runs, strict=True)})
        if isinstance(reply, messages.TaskProgressed):
            self.progress = reply.progress
        else:
            self.progress = None
            self._say_end(reply)
        self.changed.emit()

    def _say_end(self, reply: messages.TaskDone) -> None:
        if reply.reason == "failed":
            self.message_posted.emit("error", " ".join(filter(None, (reply.message, reply.cure))))
        elif reply.reason == "stopped":
            self.message_posted.emit("info", "The runs are compared as far as they came. Go to one of them to train it further.")
        elif isinstance(reply.result, Race) and (failed := [run.message for run in reply.result.runs if run.stopped == "failed"]):
            self.message_posted.emit("warning", f"{len(failed)} of {len(reply.result.runs)} runs could not be built: {failed[0]}")

    # --- where two of them part ---

    def find_divergence(self, name: str) -> None:
        """Have it searched where a branch and the present run differ first; `search` will say."""
        kept = next((one for one in self._branches.kept if one.branch.name == name), None)
        present = self._branches.present
        if kept is None or present is None:
            return
        if not self._link.is_up_to_date:
            self.message_posted.emit("warning", self._training.obstacle or _NOT_NOW)
            return
        self.leave_search()
        iterations = min(kept.branch.reached, present.reached)
        self.search = Search(kept.branch, present, Progress(0, max(1, iterations), "iterations"))
        search = self.search
        self._searching = self._tasks.start(
            DivergenceTask(present.log, kept.branch.log, iterations), lambda reply: self._take_search(search, reply)
        )
        self.changed.emit()

    def leave_search(self) -> None:
        """Search no further, and forget what was found."""
        if self.search and self.search.progress:
            self._tasks.stop(self._searching)
        self.search = None
        self.changed.emit()

    def _take_search(self, search: Search, reply: messages.TaskProgressed | messages.TaskDone) -> None:
        if self.search is None or self.search.branch is not search.branch or self.search.present is not search.present:
            return  # another one has been begun in the meantime
        if isinstance(reply, messages.TaskProgressed):
            self.search = Search(search.branch, search.present, reply.progress)
        elif isinstance(reply.result, FirstDivergence):
            self.search = Search(search.branch, search.present, None, reply.result)
        else:
            self.search = None
            if reply.reason == "failed":
                self.message_posted.emit("error", " ".join(filter(None, (reply.message, reply.cure))))
        self.changed.emit()

    def go_to_divergence(self) -> None:
        """Let the present run stand before the iteration in which they differ first, and the cursor at the node that does."""
        found = self.search.found if self.search else None
        if found is None:
            return
        self._training.pause()
        self._stepping.aim(lambda index: _cursor(index, found))
        self._training.go_to(max(0, found.iteration - 1))


def _cursor(index: TraceIndex, found: Divergence) -> int | None:
    """Where that is in a trace; None where the trace is of another iteration or another detail."""
    place, traced = found.places[0], found.traces[0] if found.traces else None
    is_same = traced is not None and index.trace.iteration == found.iteration - 1 and len(index.trace.nodes) == len(traced.nodes)
    return place.step if is_same else None
