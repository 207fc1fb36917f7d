"""Long work of the engine, as the window asks for it: each piece has a number, and whoever asked is told how it goes."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from nnviz import messages
from nnviz.records.task_records import Tasks
from nnviz.session.engine_link import EngineLink
from nnviz.session.run import RunState

Told = Callable[[messages.TaskProgressed | messages.TaskDone], object]


class LongTasks(QObject):
    """Whoever starts a task is told of it until TaskDone has come; that comes also when the engine has gone."""

    def __init__(self, link: EngineLink, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self._number = 0
        self._told: dict[int, Told] = {}
        link.replied.connect(self._take)
        link.run_changed.connect(self._follow)

    def start(self, task: Tasks, told: Told) -> int:
        """Have this done, and return its number. The engine has to run."""
        self._number += 1
        self._told[self._number] = told
        self._link.ask(messages.StartTask(self._number, task))
        return self._number

    def stop(self, number: int) -> None:
        """Leave it; who asked for it is told that it is done."""
        if number in self._told:
            self._link.ask(messages.StopTask(number))

    def _take(self, reply: messages.Reply) -> None:
        match reply:
            case messages.TaskProgressed(number) if number in self._told:
                self._told[number](reply)
            case messages.TaskDone(number) if number in self._told:
                self._told.pop(number)(reply)

    def _follow(self, old: RunState, new: RunState) -> None:
        """What an engine was at ends with it."""
        if old.engine == "ready" and new.engine != "ready":
            left, self._told = self._told, {}
            for number, told in left.items():
                told(messages.TaskDone(number, new.revision, new.iteration, "stopped"))
