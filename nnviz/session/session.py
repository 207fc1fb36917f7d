"""What is open now: the only mutable object of the window process.

It holds the parts; each of them does its own work, and coupling.py joins them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from nnviz import messages
from nnviz.document import edits
from nnviz.document.experiment import Experiment
from nnviz.document.shapes.report import examine
from nnviz.records.tensors import WHOLE
from nnviz.records.trace_matching import at_hand
from nnviz.records.trace_state import TraceState
from nnviz.session.autosaver import Autosaver
from nnviz.session.batch import Batch
from nnviz.session.breaker import Breaker
from nnviz.session.conversation import Conversation, Wire
from nnviz.session.coupling import Coupling
from nnviz.session.document import Document
from nnviz.session.engine_client import EngineClient
from nnviz.session.file_watch import FileWatch
from nnviz.session.interlude import Interlude
from nnviz.session.numbers import Numbers
from nnviz.session.playback import Playback
from nnviz.session.previews import Previews
from nnviz.session.recovery import Recovery
from nnviz.session.resumption import Resumption
from nnviz.session.run import RunState
from nnviz.session.stepper import Stepper
from nnviz.session.succession import Succession
from nnviz.session.trainer import Trainer
from nnviz.session.undoing import Undoing
from nnviz.session.walker import Walker
from nnviz.session.watching import Watching
from nnviz.session.weights import Weights
from nnviz.session.what_ifs import WhatIfs


class Session(QObject):
    """`document`, `trainer`, `stepper`, `walker`, `playback` take what a person does; views listen to the signals, read the properties."""

    experiment_changed = Signal(object, object)
    run_changed = Signal(object, object)
    trace_state_changed = Signal(object, object)
    """TraceState | None: another cursor, trace, or row looked at."""
    selection_changed = Signal(object, object)
    """Node id | None."""
    document_changed = Signal()
    """Title, path, saved mark, undo and redo."""
    playing_changed = Signal(bool)
    message_posted = Signal(str, str)
    """info | warning | error, and a sentence."""
    inspected = Signal(object)
    """messages.Inspected"""
    gradient_checked = Signal(object)
    """messages.GradientChecked"""
    responded = Signal(object)
    """messages.UnitMapped"""

    def __init__(
        self, wire: Wire, experiment: Experiment, path: Path | None = None, autosaves: bool = True, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.report = examine(experiment)
        """Shapes, parameters and problems of the present document."""
        self.selected_node: int | None = None
        self.is_pinned = False
        """Whether steps leave the selected node selected."""
        self._coupling = Coupling(self)
        self.document = Document(experiment, path, self)
        self.conversation = Conversation(wire, experiment, self)
        self.conversation.is_sound, self.conversation.folder = self.report.ok, self.document.folder
        self.recovery = Recovery(wire, self.conversation, self)
        self.trainer = Trainer(self.conversation, self)
        self.resumption = Resumption(self.document, self.conversation, self.trainer, self)
        self.stepper = Stepper(self._coupling.advance, self)
        self.playback = Playback(self.stepper.step, self)
        self.breaker = Breaker(self.conversation, self.stepper, self.playback, self)
        self.breaker.set_experiment(experiment)
        self.trainer.gate = self.breaker.gate
        coupling, per_epoch = self._coupling, lambda: self.run.iterations_per_epoch
        self.walker = Walker(self.stepper, self.breaker, per_epoch, coupling.advance, coupling.retreat, self)
        self.autosaver = Autosaver(self.document, self) if autosaves else None
        self.file_watch = FileWatch(self.document, autosaves, self)
        self.what_ifs = WhatIfs(self.conversation, self)
        self.weights = Weights(self.conversation, self.document, self)
        self.interlude = Interlude(self.conversation, self.trainer, self)
        self.weights.between_iterations = self.interlude.make
        self.succession = Succession(self.conversation)
        self.undoing = Undoing(self.document, self.what_ifs, self)
        self.previews, self.batch = Previews(self.conversation, self), Batch(self.conversation, self)
        self.numbers = Numbers(self.conversation, self)
        self._coupling.connect_parts()
        self.watching = Watching(self.conversation, self)  # last: it asks for a trace once all others have had the reply
        self.watching.watch((), self.stepper.detail, self.stepper.details)

    # --- what there is ---

    @property
    def experiment(self) -> Experiment:
        """The document as it is now."""
        return self.document.experiment

    @property
    def run(self) -> RunState:
        """Everything that happened since the seed."""
        return self.conversation.run

    @property
    def trace_state(self) -> TraceState | None:
        """The trace at the cursor; None before the first trace is there."""
        return self.stepper.state

    @property
    def cursor(self) -> int:
        """How many steps of the trace are made."""
        return self.stepper.cursor

    @property
    def is_saved(self) -> bool:
        """Whether nothing would be lost: neither changes of the document nor training that its file does not hold."""
        return self.document.is_saved and self.resumption.is_kept

    # --- what can be done ---

    def edit(self, label: str, function: Callable[..., Experiment], *args: Any, merge: str = "", **settings: Any) -> bool:
        """Apply a pure edit to the document; return whether it was possible. If not, a message says why."""
        return self.document.edit(label, function, *args, merge=merge, **settings)

    def select(self, node: int | None) -> None:
        """Let this node of the trace, or none, be the one looked at."""
        old, was_pinned = self.selected_node, self.is_pinned
        self.selected_node, self.is_pinned = node, was_pinned and node == old
        if (old, was_pinned) != (node, self.is_pinned):
            self.selection_changed.emit(old, node)

    def pin(self, pinned: bool) -> None:
        """Let steps leave the selected node selected, else the one the cursor is at; or let them take the selection along again."""
        self.select(at_hand(self.trace_state, self.selected_node))
        if self.selected_node is not None and pinned != self.is_pinned:
            self.is_pinned = pinned
            self.selection_changed.emit(self.selected_node, self.selected_node)

    def watch(self, panels: tuple[str, ...]) -> None:
        """Have measured what these need, and nothing else: curves · measures · surface · trace."""
        self.watching.watch(panels, self.stepper.detail, self.stepper.details)

    def keep_what_ifs(self) -> bool:
        """Let the supposed weights be the document's, as one change that can be undone; return whether that was possible."""
        weights = self.what_ifs.weights()
        large = [name for name, values in weights.items() if values is None]
        if large:
            self.message_posted.emit("warning", f"{large[0]} has more than {WHOLE:,} numbers and cannot be kept in the document.")
        elif weights and self.edit("Keep what-if", edits.set_parameters, weights):
            self.what_ifs.forget_weights()
            return True
        return False

    def inspect(self, node: int, what: str = "value") -> None:
        """Ask for a whole tensor of the latest trace; `inspected` brings it."""
        self.conversation.ask(messages.Inspect(node, what))

    def check_gradient(self, node: int, element: tuple[int, ...]) -> None:
        """Ask for a finite difference; `gradient_checked` brings it."""
        self.conversation.ask(messages.CheckGradient(node, tuple(element)))

    def respond(self, layer: str, unit: int) -> None:
        """Ask for the map of one unit over the plane of the features; `responded` brings it. Without a plane nothing is asked."""
        if self.run.surface is not None and self.conversation.is_settled:
            self.conversation.ask(messages.MapUnit(layer, unit))

    # --- its life ---

    def connect_client(self, client: EngineClient) -> None:
        """Listen to the client of the engine."""
        client.replied.connect(self.conversation.receive)
        client.stopped.connect(self.recovery.lost)
        client.failed.connect(self.recovery.failed)
        client.logged.connect(self.recovery.log)

    def start(self, train_first: int = 0) -> None:
        """Bring up the engine, open the run, and train its first iterations."""
        self._coupling.train_first = train_first
        self.recovery.start()

    def restart_engine(self) -> None:
        """Try again after the engine has failed; the run will stand where it stood."""
        self.recovery.start()

    def close(self) -> None:
        """Keep a copy of unsaved work and end the engine. Calling it twice does no harm."""
        self.playback.stop()
        if self.autosaver:
            self.autosaver.write()
        self.file_watch.release()
        self.recovery.close()
