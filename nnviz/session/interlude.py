"""Changes that need to know the run as it stands, made between two iterations of a training that goes on afterwards."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from nnviz import messages
from nnviz.session.conversation import Conversation
from nnviz.session.trainer import Trainer

_LOST = "What was set while training ran is lost: the iteration it was meant for could not be traced. Training has paused."
_NEEDED = ("TraceNext", "Inspect", "Open", "Edit")
"""The requests without whose answer a change cannot be made."""


class Interlude(QObject):
    """Holds the training until every change is made. A person who pauses in the meantime has paused."""

    message_posted = Signal(str, str)

    def __init__(self, conversation: Conversation, trainer: Trainer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._conversation, self._trainer = conversation, trainer
        self._changes: list[Callable[[], bool]] = []
        trainer.is_held = lambda: self.is_waiting
        conversation.replied.connect(self._take)

    @property
    def is_waiting(self) -> bool:
        """Whether changes wait for the run to stand."""
        return bool(self._changes)

    def make(self, change: Callable[[], bool]) -> None:
        """Make a change as soon as the trace of the next iteration is there; it returns whether it knows all it needs by then."""
        self._changes.append(change)
        self._trainer.interrupt()

    def drop(self) -> None:
        """Make none of the changes that wait."""
        self._changes.clear()

    def _take(self, reply: messages.Reply) -> None:
        is_lost = isinstance(reply, messages.Failed) and reply.request in _NEEDED
        if self.is_waiting and (is_lost or not self._can_come()):
            self.drop()
            self.message_posted.emit("warning", _LOST)
        elif self.is_waiting and self._conversation.run.training:
            self._trainer.interrupt()  # somebody has let it go on
        elif self.is_waiting and self._conversation.run.is_traced:
            self._make_all()

    def _can_come(self) -> bool:
        """Whether there will be a trace."""
        conversation = self._conversation
        return conversation.run.engine == "ready" and conversation.is_sound and conversation.run.failure is None

    def _make_all(self) -> None:
        """The first change makes the trace one of the past; the others are of the same iteration, and know what it set."""
        while self._changes and self._changes[0]():
            self._changes.pop(0)
        if not self._changes:
            self._trainer.go_on()
