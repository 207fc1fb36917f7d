"""The run as window and engine agree on it: which document the engine works on, and what came back. It never changes the document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from nnviz import messages
from nnviz.document.experiment import Experiment
from nnviz.document.run_log import same_run
from nnviz.session.lineage import Lineage
from nnviz.session.run import RunState, fold, without_pictures


class Wire(Protocol):
    """What carries requests: an engine client, or a list in tests."""

    def start(self) -> None: ...

    def send(self, request: messages.Request) -> None: ...

    def stop(self) -> None: ...


class Conversation(QObject):
    """One run at a time. Every document that is sent has a revision; what answers an older one is not drawn."""

    run_changed = Signal(object, object)
    message_posted = Signal(str, str)
    arriving = Signal(object)
    """A reply has come, and the run does not yet hold what it says."""
    replied = Signal(object)
    """A reply, once the run holds what it says."""

    def __init__(self, wire: Wire, experiment: Experiment, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.run = RunState()
        self.experiment, self.is_sound, self.folder = experiment, True, ""
        """What the engine shall run, whether it can be built as far as the window can tell, and where relative data paths start."""
        self.lineage: Lineage | None = None
        """How the run came about; None until the engine has opened one."""
        self._wire = wire
        self._sent: dict[int, messages.Open | messages.Edit] = {}

    @property
    def is_settled(self) -> bool:
        """Whether the engine runs the present document and no other."""
        return self.run.engine == "ready" and self.is_sound and self.lineage is not None and not self._sent and self.run.failure is None

    @property
    def is_waiting(self) -> bool:
        """Whether the engine has not yet answered with which document it goes on."""
        return bool(self._sent)

    # --- the document ---

    def begin(self, experiment: Experiment, is_sound: bool, folder: str) -> None:
        """Start a new run with another document."""
        self.experiment, self.is_sound, self.folder = experiment, is_sound, folder
        self.begin_again()
        self.update(replace(without_pictures(self.run), opened=self.run.revision))

    def begin_again(self, lineage: Lineage | None = None, iteration: int = 0) -> None:
        """Start a new run with the present document. Pictures of the old one stay until it is there.

        With a `lineage` that leads to the document it starts as that does; the changes are made again when the run gets there. It goes on
        to `iteration` at once.
        """
        self.lineage = lineage
        self.update(replace(self.run, revision=self.run.revision + 1, iteration=iteration, epoch=0, target=None))
        self._open()

    def change(self, experiment: Experiment, is_sound: bool) -> None:
        """Go on with this document. One that cannot be built is not sent."""
        unchanged = same_run(experiment, self.experiment)
        self.experiment, self.is_sound = experiment, is_sound
        if not unchanged:
            self._again(self._edit)

    def _edit(self) -> None:
        if self.lineage is None and not self._sent:
            self._open()
        elif self.is_sound:
            self._send_document(messages.Edit(self.run.revision, self.experiment))

    def _open(self) -> None:
        lineage, iteration = (self.lineage, self.run.iteration) if self.lineage else (Lineage(self.experiment), 0)
        if self.lineage or self.is_sound:
            self._send_document(messages.Open(self.run.revision, lineage.first, self.folder, lineage.changes, iteration))

    def _send_document(self, request: messages.Open | messages.Edit) -> None:
        if self.run.engine == "ready":
            self._sent[request.revision] = request
            self._wire.send(request)

    def ask(self, request: messages.Request) -> None:
        """Send a request that changes nothing; without an engine it is dropped."""
        if self.run.engine == "ready":
            self._wire.send(request)

    def disconnect_engine(self, engine: str, reason: str = "") -> None:
        """The engine is gone; what it was asked will not be answered."""
        self._sent.clear()
        self.update(replace(self.run, engine=engine, training=False, target=None, message=reason))

    # --- replies ---

    def receive(self, reply: messages.Reply) -> None:
        """Take a reply of the engine."""
        if isinstance(reply, messages.Trained | messages.Moved) and self.lineage is None:
            return  # about a run that has been given up
        self.arriving.emit(reply)
        run = fold(self.run, reply)
        self.update(self._opened(reply, run) if isinstance(reply, messages.Opened) else run)
        match reply:
            case messages.Ready():
                self._again(self._open)
            case messages.Opened():
                self._catch_up()
            case messages.Failed():
                self._refused(reply)
        self.replied.emit(reply)

    def settle(self) -> None:
        """Training goes on: where changes lie ahead, the engine drops them and the present document is in force from here on."""
        if self.lineage and self.lineage.until(self.run.iteration) != self.lineage:
            self.lineage = self.lineage.changed(self.run.iteration, self.lineage.last)

    def update(self, run: RunState) -> None:
        """Make this the state of the run."""
        if run is not self.run:
            old, self.run = self.run, run
            self.run_changed.emit(old, run)

    def _opened(self, reply: messages.Opened, run: RunState) -> RunState:
        request = self._sent.pop(reply.revision, None)
        if isinstance(request, messages.Edit) and self.lineage is None:
            return self.run  # of a run that has been given up
        if isinstance(request, messages.Open):
            self.lineage = Lineage(request.experiment, request.changes)
        elif request and reply.new_run:
            self.lineage = Lineage(request.experiment)
        elif request and self.lineage:
            self.lineage = self.lineage.changed(reply.iteration, request.experiment)
        return replace(run, snapshots=self.run.snapshots) if reply.new_run and reply.iteration else run  # the same run, made again

    def _catch_up(self) -> None:
        if self.lineage is None and not self._sent:
            self._again(self._open)  # it was an edit of a run that had been given up
        elif self.is_settled and not same_run(self.experiment, self.lineage.last):
            self._again(self._edit)  # an edit that was lost with the engine that died

    def _refused(self, reply: messages.Failed) -> None:
        request = self._sent.pop(reply.revision, None)
        if isinstance(request, messages.Open):
            self.lineage = None
        elif request and self.lineage is None and not self._sent:
            self._again(self._open)  # it was an edit of a run that could not be opened

    def _again(self, send: Callable[[], None]) -> None:
        self.update(replace(self.run, revision=self.run.revision + 1))
        send()
