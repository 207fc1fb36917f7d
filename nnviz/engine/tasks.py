"""Long work in slices: it goes on between requests and iterations, says how far it is, and can be stopped at any moment.

Work is a generator that works on copies of its own. It yields after every small piece, at most some 20 ms if it can, how far it is or what
it has found so far, and returns what it has found in the end. It must not hold a mode of torch (no_grad) across a yield.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator

import torch

from nnviz import messages
from nnviz.records.task_records import Progress, Results

Work = Generator[Progress | Results, None, Results]

NEWS = 1 / 20
"""Seconds between two replies that say no more than how far a task is."""


class Task:
    """One piece of long work. `progress` and `found` are the latest of what it has said."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._random_state = torch.default_generator.get_state()
        self.progress = Progress(0, 1, "beginning")
        self.found: Results | None = None
        self.is_over = False

    def advance(self, until: float = 0.0) -> None:
        """Do one piece of the work, and more as long as time.perf_counter is below `until`. Raises what the work raises; then it is over.

        The work has its own state of torch's generator: what it draws, and what others draw in between, do not touch each other.
        """
        outside = torch.default_generator.get_state()
        torch.default_generator.set_state(self._random_state)
        is_left = False
        try:
            is_left = self._piece()
            while is_left and time.perf_counter() < until:
                is_left = self._piece()
        finally:
            self.is_over = not is_left
            self._random_state = torch.default_generator.get_state()
            torch.default_generator.set_state(outside)

    def _piece(self) -> bool:
        """Whether there is more to do after it."""
        try:
            said = next(self._work)
        except StopIteration as end:
            self.found = end.value
            return False
        if isinstance(said, Progress):
            self.progress = said
        else:
            self.found = said
        return True

    def stop(self) -> None:
        """Leave it as it is; what it held is given back."""
        self._work.close()
        self.is_over = True


class _Running:
    """A task, by what the window knows it, and what it has been told of it."""

    def __init__(self, number: int, place: tuple[int, int], task: Task, is_of_run: bool) -> None:
        self.number, self.place, self.task, self.is_of_run = number, place, task, is_of_run
        self._told, self._found = 0.0, task.found

    def news(self) -> messages.TaskProgressed | None:
        """How far it is, if that has not just been told; what it has found so far always."""
        found, now = self.task.found, time.perf_counter()
        if found is self._found and now - self._told < NEWS:
            return None
        is_new, self._told, self._found = found is not self._found, now, found
        return messages.TaskProgressed(self.number, *self.place, self.task.progress, found if is_new else None)

    def done(self, reason: str, failed: messages.Failed | None = None) -> messages.TaskDone:
        result = self.task.found if reason == "done" else None
        return messages.TaskDone(self.number, *self.place, reason, result, failed.message if failed else "", failed.cure if failed else "")


class TaskQueue:
    """The tasks that are under way; they take turns."""

    def __init__(self, send: Callable[[messages.Reply], None], failure: Callable[[Exception], messages.Failed]) -> None:
        """`failure`: what is said of an error."""
        self._send, self._failure = send, failure
        self._running: list[_Running] = []

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self._running

    def start(self, number: int, place: tuple[int, int], task: Task, is_of_run: bool = True) -> None:
        """Do this when its turn comes. `place`: revision and iteration of the run that is open; `is_of_run`: whether it is about that."""
        self._running.append(_Running(number, place, task, is_of_run))

    def stop(self, number: int) -> None:
        """Leave the task of this number; what has ended already is left alone."""
        self._stop([one for one in self._running if one.number == number])

    def leave_run(self) -> None:
        """The run that was open has gone: leave the tasks that are about it; the others go on."""
        self._stop([one for one in self._running if one.is_of_run])

    def _stop(self, tasks: list[_Running]) -> None:
        for one in tasks:
            one.task.stop()
            self._running.remove(one)
            self._send(one.done("stopped"))

    def advance(self, until: float) -> None:
        """Do a slice of the task whose turn it is, and send what is new of it."""
        one = self._running.pop(0)
        try:
            one.task.advance(until)
        except Exception as error:
            self._send(one.done("failed", self._failure(error)))
            return
        if one.task.is_over:
            self._send(one.done("done"))
            return
        self._running.append(one)
        if news := one.news():
            self._send(news)
