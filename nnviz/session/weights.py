"""The parameters as they stand, and how a person sets them: as changes of the document, so that an undo brings the very bits back."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QObject, Signal

from nnviz import protocol
from nnviz.document import edits
from nnviz.document.experiment import Experiment
from nnviz.document.locks import is_locked
from nnviz.session.conversation import Conversation
from nnviz.session.document import Document
from nnviz.session.reading import Reading, to_numpy
from nnviz.session.run import RunState

_RUNNING = "Pause the training to set weights by hand: they change with every iteration."


class Weights(QObject):
    """Knows the values of the iteration that comes next, and what has been typed since its trace was made."""

    changed = Signal()
    """Values may be others than before."""
    drawn = Signal(object)
    """protocol.Drawn: a parameter as its initializer draws it."""

    def __init__(self, conversation: Conversation, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._conversation, self._document = conversation, document
        self._typed: dict[str, np.ndarray] = {}
        self._whole: dict[str, np.ndarray] = {}
        """Parameters too large to travel with every trace, as far as they have been asked for."""
        self._is_own = False
        document.edited.connect(self._edited)
        document.replaced.connect(self._edited)
        conversation.run_changed.connect(self._run_changed)
        conversation.replied.connect(self._take)

    @property
    def obstacle(self) -> str:
        """Why nothing can be set now, as a sentence; empty if it can."""
        return _RUNNING if self._conversation.run.training else ""

    def values(self, parameter: str) -> np.ndarray | None:
        """Return a parameter as it stands; None if that is not known (yet: large ones are asked for)."""
        if parameter in self._typed:
            return self._typed[parameter]
        reading = self._reading()
        node = next((node for node in reading.trace.nodes if _is(node, parameter)), None) if reading else None
        if node is None:
            return None
        found = reading.array(node.value)
        if found is None and parameter not in self._whole and self._conversation.run.is_traced:
            self._conversation.ask(protocol.Inspect(node.id))
        return self._whole.get(parameter) if found is None else found

    # --- setting ---

    def put(self, parameter: str, values: np.ndarray, label: str = "", merge: str = "") -> bool:
        """Set a whole parameter; return whether that was possible."""
        if self.obstacle:
            self._document.message_posted.emit("warning", self.obstacle)
            return False
        label = label or f"Set {parameter}"
        self._is_own = True
        done = self._document.edit(label, edits.set_parameter, parameter, np.asarray(values).tolist(), merge=merge)
        self._is_own = False
        if done:
            self._typed[parameter] = np.asarray(values)
            self.changed.emit()
        return done

    def put_element(self, parameter: str, index: tuple[int, ...], value: float, merge: str = "") -> bool:
        """Set one element; the others stay as they are."""
        present = self.values(parameter)
        if present is None:
            return False
        values = present.astype(np.float64)
        values[index] = value
        return self.put(parameter, values, merge=merge)

    def nudge(self, parameter: str, index: tuple[int, ...], steps: float) -> bool:
        """Change one element by so many fine steps, a hundredth of the order of magnitude of the largest; nudges in a row are one undo."""
        present = self.values(parameter)
        if present is None:
            return False
        value = float(present[index]) + steps * fine_step(present)
        return self.put_element(parameter, index, value, merge=f"nudge {parameter} {index}")

    def lock(self, parameter: str, indices: Iterable[tuple[int, ...]] | None, locked: bool) -> bool:
        """Lock or free these elements; None: all of the parameter."""
        label = f"{'Lock' if locked else 'Unlock'} {parameter}"
        if indices is None:
            return self._document.edit(label, edits.lock_parameter, parameter, locked)
        return self._document.edit(label, edits.lock_weights, parameter, indices, locked)

    def toggle_lock(self, parameter: str, index: tuple[int, ...]) -> bool:
        """Lock one element, or free it if it is locked."""
        return self.lock(parameter, [index], not is_locked(self._document.experiment, parameter, index))

    def draw(self, parameter: str, seed: int) -> None:
        """Ask for the parameter as its initializer draws it from this seed; `drawn` brings it."""
        self._conversation.ask(protocol.Draw(parameter, seed))

    # --- what is known ---

    def _reading(self) -> Reading | None:
        reading = self._conversation.run.reading
        return reading.truth.whole if reading else None

    def _edited(self, old: Experiment, new: Experiment) -> None:
        if not self._is_own:
            self._typed.clear()
        self.changed.emit()

    def _run_changed(self, old: RunState, new: RunState) -> None:
        if old.reading is not new.reading or old.training != new.training:
            if new.is_traced:
                self._typed.clear()
            self._whole.clear()
            self.changed.emit()

    def _take(self, reply: protocol.Reply) -> None:
        if isinstance(reply, protocol.Drawn):
            self.drawn.emit(reply)
        elif isinstance(reply, protocol.Inspected) and reply.what == "value":
            reading = self._reading()
            node = reading.node(reply.node) if reading and reply.node < len(reading.trace.nodes) else None
            if node is not None and node.kind == "parameter" and reading.trace.iteration == reply.iteration:
                self._whole[node.label] = to_numpy(reply.array)
                self.changed.emit()


def fine_step(values: np.ndarray) -> float:
    """Return a hundredth of the order of magnitude of the largest value."""
    largest = float(np.abs(values).max()) if values.size else 0.0
    return 10.0 ** (math.floor(math.log10(largest)) - 2) if math.isfinite(largest) and largest > 0 else 0.01


def _is(node: protocol.NodeRecord, parameter: str) -> bool:
    return node.kind == "parameter" and node.label == parameter
