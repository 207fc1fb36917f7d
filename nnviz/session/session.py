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
from nnviz.records.breakpoint_places import nodes_with_breakpoint, target_of
from nnviz.records.tensors import WHOLE
from nnviz.records.trace_places import places_of
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
from nnviz.session.previews import Previews
from nnviz.session.recovery import Recovery
from nnviz.session.resumption import Resumption
from nnviz.session.run import RunState
from nnviz.session.stepping import Stepping
from nnviz.session.succession import Succession
from nnviz.session.trainer import Trainer
from nnviz.session.undoing import Undoing
from nnviz.session.watching import Watching
from nnviz.session.weights import Weights
from nnviz.session.what_ifs import WhatIfs


class Session(QObject):
    """`document`, `trainer`, `stepping` take what a person does; views listen to the signals, read the properties."""

    details = ("layer", "textbook", "math", "neurons")
    """How far the calls of a trace can be opened."""

    experiment_changed = Signal(object, object)
    run_changed = Signal(object, object)
    document_changed = Signal()
    """Title, path, saved mark, undo and redo."""
    message_posted = Signal(str, str)
    """info | warning | error, and a sentence."""
    inspected = Signal(object)
    """messages.Inspected"""
    breakpoints_changed = Signal()
    """Of the document."""
    numbers_arrived = Signal(int)
    """The node whose numbers have been added to the trace."""
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
        self._coupling = Coupling(self)
        self.document = Document(experiment, path, self)
        self.conversation = Conversation(wire, experiment, self)
        self.conversation.is_sound, self.conversation.folder = self.report.ok, self.document.folder
        self.recovery = Recovery(wire, self.conversation, self)
        self.trainer = Trainer(self.conversation, self)
        self.resumption = Resumption(self.document, self.conversation, self.trainer, self)
        coupling, per_epoch = self._coupling, lambda: self.run.iterations_per_epoch
        self.stepping = Stepping(coupling.advance, coupling.retreat, per_epoch, lambda *way: self.breaker.between(*way), self)
        self.breaker = Breaker(self.conversation, self.stepping, self)
        self.breaker.set_experiment(experiment)
        self.trainer.gate = self.breaker.gate
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
        self.numbers.arrived.connect(self.numbers_arrived)
        self._coupling.connect_parts()
        self.watching = Watching(self.conversation, self)  # last: it asks for a trace once all others have had the reply
        self.watching.watch((), self.stepping.detail, self.stepping.details)

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
    def is_saved(self) -> bool:
        """Whether nothing would be lost: neither changes of the document nor training that its file does not hold."""
        return self.document.is_saved and self.resumption.is_kept

    # --- what can be done ---

    def edit(self, label: str, function: Callable[..., Experiment], *args: Any, merge: str = "", **settings: Any) -> bool:
        """Apply a pure edit to the document; return whether it was possible. If not, a message says why."""
        return self.document.edit(label, function, *args, merge=merge, **settings)

    @property
    def breakpoint_marks(self) -> dict[int, bool]:
        """The nodes of the trace that have a breakpoint of their own, and whether it is on."""
        return nodes_with_breakpoint(self.stepping.index, self.experiment.breakpoints) if self.stepping.index else {}

    def toggle_breakpoint(self, node: int) -> None:
        """Put a breakpoint on this node of the trace, or take it away; one that no step comes to gets none, and a message says so."""
        index = self.stepping.index
        if places_of(index, node):
            self.edit("Breakpoint", edits.toggle_breakpoint, *target_of(index, node))
        else:
            self.message_posted.emit("info", "No step of the iteration comes to this node, so nothing could stop there.")

    def want_numbers(self, node: int) -> None:
        """Ask for what was too large to travel around a node of the trace, once; `numbers_arrived` brings it."""
        self.numbers.want(self.stepping.state, node)

    def watch(self, panels: tuple[str, ...]) -> None:
        """Have measured what these need, and nothing else: curves · measures · surface · trace."""
        self.watching.watch(panels, self.stepping.detail, self.stepping.details)

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
        self.stepping.stop()
        if self.autosaver:
            self.autosaver.write()
        self.file_watch.release()
        self.recovery.close()
