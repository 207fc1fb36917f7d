"""What a person asks of the run: train, pause, go back, begin again. It refuses, with the reason, what cannot be done now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject

from nnviz import messages
from nnviz.session.conversation import Conversation

_REST = messages.Train(0)
"""Stands for an order that has been interrupted: to train as many iterations as are left of it."""
_QUESTIONS = ("Watch", "InspectNode", "CheckGradient", "InspectBatch", "DrawInitial", "MapUnit", "Preview", "ReadTable")
"""The requests that no training depends on."""


class Trainer(QObject):
    """Gives one order at a time: what is asked for while the engine pauses waits until it has."""

    def __init__(self, conversation: Conversation, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._conversation = conversation
        self._is_pausing = False
        self._next: messages.Train | None = None
        self._end: int | None = None
        """The iteration at which the present order is carried out; None: it has no end."""
        self.is_held: Callable[[], bool] = lambda: False
        """Whether something is to be done before the next order is sent."""
        self.gate: Callable[[messages.Train], messages.Train | None] = lambda order: order
        """What becomes of an order before it is sent; None: it is not sent."""
        conversation.replied.connect(self._take)

    @property
    def is_training(self) -> bool:
        """Whether iterations are being made."""
        return self._conversation.run.training

    @property
    def is_moving(self) -> bool:
        """Whether the run is on its way to an iteration."""
        return self._conversation.run.target is not None

    @property
    def can_train(self) -> bool:
        """Whether the engine could train the present document."""
        return not self.obstacle

    @property
    def obstacle(self) -> str:
        """Why nothing can be trained or stepped now, as a sentence; empty if it can."""
        conversation, run = self._conversation, self._conversation.run
        if not conversation.is_sound:
            return "The network has a problem; mend it first."
        if run.engine != "ready":
            return {"failed": "The engine does not run; restart it first."}.get(run.engine, "The engine is starting…")
        if run.failure:
            return f"The engine cannot run this document: {run.failure.message}"
        return "" if conversation.lineage or conversation.is_waiting else "The engine is starting…"

    def train(self) -> None:
        """Train until paused."""
        self._order(messages.Train())

    def iterations(self, count: int, past: bool = False) -> None:
        """Train so many iterations; with `past` the first of them whatever breakpoints say of it."""
        self._order(messages.Train(count, past))

    def epoch(self) -> None:
        """Train as many iterations as an epoch has."""
        self.iterations(self._conversation.run.iterations_per_epoch)

    def pause(self) -> None:
        """Stop after the present iteration, also on the way to another."""
        self._next = None
        if self.is_moving:
            self._conversation.ask(messages.Pause())
        elif self.is_training and not self._is_pausing:
            self._is_pausing = True
            self._conversation.ask(messages.Pause())

    def interrupt(self) -> None:
        """Stop after the present iteration, to go on with what is left then as soon as nothing holds the training."""
        if self.is_moving or (self.is_training and not self._is_pausing):
            was_training = self.is_training and not self.is_moving
            self.pause()
            self._next = _REST if was_training else None

    def go_on(self) -> None:
        """Carry out the order that waits, if nothing is in its way any more."""
        if self._next and not self._is_busy:
            waiting, self._next = self._next, None
            if waiting is _REST:
                left = None if self._end is None else self._end - self._conversation.run.iteration
                waiting = messages.Train(left)
            if waiting.iterations is None or waiting.iterations > 0:
                self._order(waiting)

    def toggle(self) -> None:
        """Train, or pause if it trains."""
        if self._next or self.is_moving or (self.is_training and not self._is_pausing):
            self.pause()
        else:
            self.train()

    def rewind(self) -> None:
        """Go back to the start with the present document: the same seed, so the same numbers to the last bit."""
        if self._is_possible():
            self._conversation.begin_again()

    def go_to(self, iteration: int) -> None:
        """Let the run stand after exactly so many iterations."""
        if self._is_possible():
            target = max(0, iteration)
            self._conversation.update(replace(self._conversation.run, target=target))
            self._conversation.ask(messages.GoTo(target))

    @property
    def _is_busy(self) -> bool:
        """Whether an answer is on its way after which the run will not be training."""
        return self.is_moving or self._conversation.is_waiting or self.is_held() or (self.is_training and self._is_pausing)

    def _order(self, request: messages.Train) -> None:
        if not self._is_possible():
            return
        if self._is_busy:
            self._next = request
        elif not self.is_training and (passed := self.gate(request)):
            self._send(passed)

    def _send(self, request: messages.Train) -> None:
        self._is_pausing, self._next = False, None
        self._end = None if request.iterations is None else self._conversation.run.iteration + request.iterations
        self._conversation.settle()
        self._conversation.update(replace(self._conversation.run, training=True, stopped="", message=""))
        self._conversation.ask(request)

    def _is_possible(self) -> bool:
        if self.obstacle:
            self._conversation.message_posted.emit("warning", self.obstacle)
        return not self.obstacle

    def _take(self, reply: messages.Reply) -> None:
        match reply:
            case messages.Failed(request=request) if request in _QUESTIONS:
                pass
            case messages.Failed() | messages.Ready() | messages.Trained(reason="early_stopping" | "non_finite" | "breakpoint"):
                self._next = None
        self.go_on()
