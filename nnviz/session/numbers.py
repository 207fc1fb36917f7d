"""Brings the numbers around the node that is looked at, where they were too large to travel with the trace. It shows nothing."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from nnviz import messages
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_state import TraceState
from nnviz.session.conversation import Conversation


class Numbers(QObject):
    """One question at a time; while it waits, only the latest wish is kept. Nothing is asked while the run trains."""

    arrived = Signal(int)
    """The node whose numbers have been added to the trace."""

    def __init__(self, conversation: Conversation, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._conversation = conversation
        self._index: TraceIndex | None = None
        self._asked: set[tuple[int, int | None]] = set()
        self.is_waiting = False
        """Whether an answer is still to come."""
        self._wish: tuple[int, int | None] | None = None
        conversation.replied.connect(self._take)

    def want(self, state: TraceState, node: int) -> None:
        """Ask for what is missing around a node, for the chosen row of the batch; once. Of neurons nothing is asked."""
        if state.index.is_scalar:
            return
        if state.index is not self._index:
            self._index, self._asked, self._wish = state.index, set(), None
        run, wish = self._conversation.run, (node, state.sample)
        is_latest = run.trace_index is state.index and not run.training and run.target is None
        if is_latest and wish not in self._asked and state.index.lacks(*wish):
            self._wish = wish
            self._ask()

    def _ask(self) -> None:
        if self._wish and not self.is_waiting:
            self._asked.add(self._wish)
            self.is_waiting = True
            self._conversation.ask(messages.InspectNode(*self._wish))
            self._wish = None

    def _take(self, reply: messages.Reply) -> None:
        match reply:
            case messages.Ready() | messages.Opened() | messages.Failed(request="InspectNode"):
                self.is_waiting = False
            case messages.NodeInspected():
                self.is_waiting = False
                is_ours = self._index is not None and reply.revision == self._conversation.run.revision
                if is_ours and self._index.take(reply.tensors):
                    self.arrived.emit(reply.tensors.node)
                self._ask()
