"""The engine's life as the session sees it: brought up, lost and brought up again, given up. It must not know what a run is made of."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject

from nnviz import messages
from nnviz.session.conversation import Conversation, Wire
from nnviz.session.run import fold


class Recovery(QObject):
    """Starts the engine, and starts another one when it dies. After `failed` only a person does."""

    def __init__(self, wire: Wire, conversation: Conversation, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._wire = wire
        self._conversation = conversation
        conversation.replied.connect(self._take)

    def start(self) -> None:
        """Bring up the engine, also after it has failed. Does nothing while one runs."""
        run = self._conversation.run
        if run.engine != "ready":
            engine = "starting" if self._conversation.lineage is None else "restarting"
            self._conversation.update(replace(run, engine=engine, message=""))
            self._wire.start()

    def lost(self, reason: str) -> None:
        """The engine died: start another one, which will make the run again up to where it stands."""
        if self._conversation.run.engine != "failed":
            self._conversation.disconnect_engine("restarting")
            self._conversation.message_posted.emit("warning", f"The engine stopped unexpectedly; starting a new one. {reason}")
            self._wire.start()

    def failed(self, reason: str) -> None:
        """The engine cannot be kept alive: stay without one."""
        if self._conversation.run.engine != "failed":
            self._conversation.disconnect_engine("failed", reason)
            self._conversation.message_posted.emit("error", f"The engine does not run. {reason}")

    def log(self, text: str) -> None:
        """Keep what the engine wrote beside its replies."""
        self._conversation.update(fold(self._conversation.run, messages.Logged(text)))

    def close(self) -> None:
        """End the engine."""
        self._wire.stop()

    def _take(self, reply: messages.Reply) -> None:
        if isinstance(reply, messages.Failed) and reply.request == "start":
            self.failed(" ".join(filter(None, (reply.message, reply.cure))))
