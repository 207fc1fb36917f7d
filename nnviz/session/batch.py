"""What every row of the batch adds to the iteration that comes next, while somebody looks at it. It asks the engine once per iteration."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from nnviz import messages
from nnviz.session.conversation import Conversation


class Batch(QObject):
    """`inspected` is the latest answer; None before the first of a run."""

    changed = Signal(object)
    """messages.BatchInspected | None"""

    def __init__(self, conversation: Conversation, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._conversation = conversation
        self.inspected: messages.BatchInspected | None = None
        self._is_wanted = False
        self._asked: tuple[int, int] | None = None
        conversation.replied.connect(self._take)

    def want(self, wanted: bool) -> None:
        """Keep `inspected` up to date from now on, or no longer."""
        self._is_wanted = wanted
        self._ask()

    def _ask(self) -> None:
        run = self._conversation.run
        stands = self._conversation.is_settled and not run.training and run.target is None
        if self._is_wanted and stands and self._asked != (run.revision, run.iteration):
            self._asked = (run.revision, run.iteration)
            self._conversation.ask(messages.InspectBatch())

    def _take(self, reply: messages.Reply) -> None:
        match reply:
            case messages.Ready() | messages.Opened():
                self._asked = None
            case messages.BatchInspected():
                self.inspected = reply
                self.changed.emit(reply)
        self._ask()
