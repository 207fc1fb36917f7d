"""What a person asks of the run: train, pause, go back, begin again; and what is changed between two iterations of a training."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal

from nnviz import messages
from nnviz.records.run_records import Goal
from nnviz.session.breakpoint_control import BreakpointControl
from nnviz.session.engine_link import EngineLink
from nnviz.session.stepping import Stepping

Deferred = Callable[[], bool]
"""Makes a change; returns whether it knows all it needs."""

_REST = messages.Train(0)
"""Stands for an order that has been interrupted: to train as many iterations as are left of it."""
_QUESTIONS = ("Watch", "InspectNode", "CheckGradient", "InspectBatch", "DrawInitial", "MapUnit", "ListCalls", "Preview", "ReadTable")
"""The requests that no training depends on."""
_NEEDED = ("TraceNext", "Inspect", "Open", "Edit")
"""The requests without whose answer a deferred change cannot be made."""
_WITHOUT_ENGINE = {
    "failed": "The engine does not run; choose Restart the engine.",
    "stopped": "The engine rests; change the document or choose Restart the engine.",
}
_LOST = "What was set while training ran is lost: the iteration it was meant for could not be traced. Training has paused."


class TrainingControl(QObject):
    """Gives one order at a time: what is asked for while the engine pauses waits until it has. It says why it refuses what it refuses."""

    message_posted = Signal(str, str)

    def __init__(
        self,
        link: EngineLink,
        breakpoints: BreakpointControl,
        stepping: Stepping,
        problem: Callable[[], str] = lambda: "",
        parent: QObject | None = None,
    ) -> None:
        """`problem` says in a sentence what is wrong with the present document; empty if nothing is."""
        super().__init__(parent)
        self._problem = problem
        self._link, self._breakpoints, self._stepping = link, breakpoints, stepping
        self._is_pausing = False
        self._next: messages.Train | None = None
        self._end: int | None = None
        """The iteration at which the present order is carried out; None: it has no end."""
        self._goal: Goal | None = None
        """What ends it before."""
        self.pace: float | None = None
        """Iterations a second; None: as many as can be made."""
        self._changes: list[Deferred] = []

    @property
    def is_training(self) -> bool:
        """Whether iterations are being made."""
        return self._link.run.training

    @property
    def is_moving(self) -> bool:
        """Whether the run is on its way to an iteration."""
        return self._link.run.target is not None

    @property
    def end(self) -> int | None:
        """The iteration at which the present training ends; None if it has no end, or none is under way."""
        return self._end if self.is_training else None

    @property
    def can_train(self) -> bool:
        """Whether the engine could train the present document."""
        return not self.obstacle

    @property
    def obstacle(self) -> str:
        """Why nothing can be trained or stepped now, as a sentence; empty if it can."""
        link, run = self._link, self._link.run
        if not link.is_sound:
            return self._problem() or "The document has a problem; mend it first."
        if run.engine != "ready":
            return _WITHOUT_ENGINE.get(run.engine, "The engine is starting…")
        if run.failure:
            return f"The engine cannot run this document: {run.failure.message}"
        return "" if link.log or link.is_waiting else "The engine is starting…"

    # --- what a person asks ---

    def train(self) -> None:
        """Train until paused."""
        self._order(messages.Train())

    def until(self, goal: Goal) -> None:
        """Train until the goal is reached."""
        self._order(messages.Train(goal=goal))

    def set_pace(self, per_second: float | None) -> None:
        """Train so many iterations a second from now on; None: as many as can be made."""
        self.pace = per_second
        if self.is_training:
            self._link.ask(messages.SetPace(per_second))

    def iterations(self, count: int, past: bool = False) -> None:
        """Train so many iterations; with `past` the first of them whatever breakpoints say of it."""
        self._order(messages.Train(count, past))

    def epoch(self) -> None:
        """Train as many iterations as an epoch has."""
        self.iterations(self._link.run.iterations_per_epoch)

    def pause(self) -> None:
        """Stop after the present iteration, also on the way to another."""
        self._next = None
        if self.is_moving:
            self._link.ask(messages.Pause())
        elif self.is_training and not self._is_pausing:
            self._is_pausing = True
            self._link.ask(messages.Pause())

    def toggle(self) -> None:
        """Train, or pause if it trains."""
        if self._next or self.is_moving or (self.is_training and not self._is_pausing):
            self.pause()
        else:
            self.train()

    def go_to(self, iteration: int) -> None:
        """Let the run stand after exactly so many iterations."""
        if self.can_train:
            self._link.go_to(max(0, iteration))
        else:
            self.refuse()

    def refuse(self) -> None:
        """Say why nothing can be trained or stepped now."""
        self.message_posted.emit("warning", self.obstacle)

    # --- orders ---

    @property
    def _is_busy(self) -> bool:
        """Whether an answer is on its way after which the run will not be training."""
        return self.is_moving or self._link.is_waiting or self.is_held or (self.is_training and self._is_pausing)

    def _order(self, request: messages.Train) -> None:
        if not self.can_train:
            self.refuse()
        elif self._is_busy:
            self._next = request
        elif not self.is_training:
            self._send(request)

    def _send(self, request: messages.Train) -> None:
        """Have it carried out, unless a breakpoint of the present trace lies ahead: the cursor is there then."""
        ahead = self._breakpoints.ahead(request, self._stepping.index, self._stepping.walked)
        if ahead:
            self._stepping.stop_at(ahead)
            return
        self._is_pausing, self._next = False, None
        self._end = None if request.iterations is None else self._link.run.iteration + request.iterations
        self._goal = request.goal
        self._link.train(replace(self._breakpoints.passing(request), per_second=self.pace))

    def take(self, reply: messages.Reply) -> None:
        """Carry out the order that waits, if it is not obsolete and nothing is in its way any more."""
        match reply:
            case messages.Failed(request=request) if request in _QUESTIONS:
                pass
            case messages.Failed() | messages.Ready() | messages.Trained(reason="early_stopping" | "non_finite" | "breakpoint"):
                self._next = None
        self._go_on()

    def _go_on(self) -> None:
        if self._next and not self._is_busy:
            waiting, self._next = self._next, None
            if waiting is _REST:
                left = None if self._end is None else self._end - self._link.run.iteration
                waiting = messages.Train(left, goal=self._goal)
            if waiting.iterations is None or waiting.iterations > 0:
                self._order(waiting)

    # --- between two iterations ---

    @property
    def is_held(self) -> bool:
        """Whether changes wait for the run to stand: training goes on when they are made."""
        return bool(self._changes)

    def defer(self, change: Deferred) -> None:
        """Make a change as soon as the trace of the next iteration is there. A person who pauses in the meantime has paused."""
        self._changes.append(change)
        self._interrupt()

    def drop_changes(self) -> None:
        """Make none of the changes that wait."""
        self._changes.clear()

    def make_changes(self, reply: messages.Reply) -> None:
        """Make the changes that wait, if the reply has brought what they need; else see to it that it comes."""
        is_lost = isinstance(reply, messages.Failed) and reply.request in _NEEDED
        if self.is_held and (is_lost or not self._can_come()):
            self.drop_changes()
            self.message_posted.emit("warning", _LOST)
        elif self.is_held and self.is_training:
            self._interrupt()  # somebody has let it go on
        elif self.is_held and self._link.run.is_traced:
            self._make_all()

    def _interrupt(self) -> None:
        """Stop after the present iteration, to go on with what is left then."""
        if self.is_moving or (self.is_training and not self._is_pausing):
            was_training = self.is_training and not self.is_moving
            self.pause()
            self._next = _REST if was_training else None

    def _can_come(self) -> bool:
        """Whether there will be a trace."""
        return self._link.run.engine == "ready" and self._link.is_sound and self._link.run.failure is None

    def _make_all(self) -> None:
        """The first change makes the trace one of the past; the others are of the same iteration, and know what it set."""
        while self._changes and self._changes[0]():
            self._changes.pop(0)
        if not self._changes:
            self._go_on()
