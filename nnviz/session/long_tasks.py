"""Long work that a person asks of the engine beside the run: one piece of each kind at a time, how far it is, and what it has found."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from nnviz import messages
from nnviz.records.task_records import Progress, Results, TaskKind, Tasks
from nnviz.session.engine_link import EngineLink
from nnviz.session.run import RunState

Moment = tuple[int, int]
"""Revision of the document, and iteration, that something is about."""
ENGINE_ENDED = "The engine ended while it was at this. Compute it again."
RUN_LEFT = "Stopped: the run it was about has gone."


@dataclass(frozen=True)
class TaskState:
    """What is known of one kind of work. What was found before stays until there is something new."""

    progress: Progress | None = None
    """How far the work under way is; None while none is."""
    result: Results | None = None
    """The latest that was found."""
    task: Tasks | None = None
    """What was asked for to find it."""
    moment: Moment | None = None
    """What it is about."""
    is_whole: bool = False
    """Whether it is all that was asked for."""
    failure: str = ""
    """Why the latest work came to no end, as sentences."""

    @property
    def iteration(self) -> int:
        """How many iterations were finished where the result is from; 0 without one."""
        return self.moment[1] if self.moment else 0


NOTHING = TaskState()


@dataclass
class _UnderWay:
    """Work the engine has been asked for, and whether a person has given it up."""

    number: int
    task: Tasks
    is_cancelled: bool = False


class LongTasks(QObject):
    """Asks, and keeps what comes back; it never asks by itself."""

    changed = Signal(object)
    """The kind of which something else is known: a type of TaskKind."""

    def __init__(self, link: EngineLink, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self._number = 0
        self._under_way: dict[type[TaskKind], _UnderWay] = {}
        self._states: dict[type[TaskKind], TaskState] = {}
        link.run_changed.connect(self._follow_engine)

    def state(self, kind: type[TaskKind]) -> TaskState:
        """Return what is known of this kind of work."""
        return self._states.get(kind, NOTHING)

    def is_present(self, kind: type[TaskKind]) -> bool:
        """Return whether the latest result is about where the run stands now."""
        run = self._link.run
        return self._link.is_up_to_date and self.state(kind).moment == (run.revision, run.iteration)

    @property
    def obstacle(self) -> str:
        """Why nothing can be asked for now, as a sentence; empty if it can."""
        if self._link.run.target is not None:
            return f"The run is on its way to iteration {self._link.run.target:,}."
        return "" if self._link.is_up_to_date else "The engine does not run this document yet."

    def ask(self, task: Tasks) -> bool:
        """Have this found, in place of what is under way of its kind; return whether that is possible."""
        if self.obstacle:
            return False
        kind = type(task)
        if before := self._under_way.pop(kind, None):
            self._link.ask(messages.StopTask(before.number))
        self._number += 1
        self._under_way[kind] = _UnderWay(self._number, task)
        self._put(kind, replace(self.state(kind), progress=Progress(0, 1, "beginning"), failure=""))
        self._link.ask(messages.StartTask(self._number, task))
        return True

    def cancel(self, kind: type[TaskKind]) -> None:
        """Leave the work of this kind; what it has found so far stays."""
        if one := self._under_way.get(kind):
            one.is_cancelled = True
            self._link.ask(messages.StopTask(one.number))

    def forget(self) -> None:
        """Another document is open: what was found belongs to none of its states."""
        for one in self._under_way.values():
            self._link.ask(messages.StopTask(one.number))
        self._under_way.clear()
        for kind in list(self._states):
            self._put(kind, NOTHING)

    def take(self, reply: messages.Reply) -> None:
        """Take what is said of work under way."""
        match reply:
            case messages.TaskProgressed(number=number):
                if (kind := self._kind_of(number)) is not None:
                    self._put(kind, replace(self._found(kind, reply), progress=reply.progress))
            case messages.TaskDone(number=number):
                if (kind := self._kind_of(number)) is not None:
                    self._end(kind, reply)

    def _kind_of(self, number: int) -> type[TaskKind] | None:
        return next((kind for kind, one in self._under_way.items() if one.number == number), None)

    def _found(self, kind: type[TaskKind], reply: messages.TaskProgressed | messages.TaskDone) -> TaskState:
        if reply.result is None:
            return self.state(kind)
        is_whole = isinstance(reply, messages.TaskDone)
        return TaskState(None, reply.result, self._under_way[kind].task, (reply.revision, reply.iteration), is_whole)

    def _end(self, kind: type[TaskKind], reply: messages.TaskDone) -> None:
        found, one = self._found(kind, reply), self._under_way.pop(kind)
        failure = " ".join(filter(None, (reply.message, reply.cure)))
        if reply.reason == "stopped" and not one.is_cancelled:
            failure = RUN_LEFT
        self._put(kind, replace(found, progress=None, failure=failure))

    def _follow_engine(self, old: RunState, new: RunState) -> None:
        """An engine that has gone answers nothing."""
        if old.engine == "ready" and new.engine != "ready":
            for kind in list(self._under_way):
                del self._under_way[kind]
                self._put(kind, replace(self.state(kind), progress=None, failure=ENGINE_ENDED))

    def _put(self, kind: type[TaskKind], state: TaskState) -> None:
        self._states[kind] = state
        self.changed.emit(kind)
