"""The parameters as they stand, and how a person sets them: as changes of the document, so that an undo brings the very bits back."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
from PySide6.QtCore import QObject, Signal

from nnviz import messages
from nnviz.document import edits
from nnviz.document.locks import is_locked
from nnviz.records.tensors import to_numpy
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import NodeRecord
from nnviz.session.document import Document
from nnviz.session.engine_link import EngineLink
from nnviz.session.queries import Query
from nnviz.session.run import RunState
from nnviz.session.training_control import TrainingControl

_RUNNING = "Training runs: what you set takes effect between two iterations."


class Weights(QObject):
    """Knows the values of the iteration that comes next, and what has been typed since its trace was made."""

    message_posted = Signal(str, str)
    changed = Signal()
    """Values may be others than before."""
    drawn = Signal(object)
    """messages.InitialDrawn: a parameter as its initializer draws it."""

    def __init__(self, link: EngineLink, document: Document, training: TrainingControl, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link, self._document, self._training = link, document, training
        self._typed: dict[str, np.ndarray] = {}
        self._whole: dict[str, np.ndarray] = {}
        """Parameters too large to travel with every trace, as far as they have been asked for."""
        self._is_own = False
        self._inspections = Query(link, messages.Inspect, messages.Inspected, parent=self)
        self._inspections.answered.connect(self._keep)
        self._drawings = Query(link, messages.DrawInitial, messages.InitialDrawn, parent=self)
        self._drawings.answered.connect(self.drawn)

    @property
    def note(self) -> str:
        """When what is set takes effect, as a sentence; empty if it does at once."""
        return _RUNNING if self._link.run.training else ""

    @property
    def _stands(self) -> bool:
        """Whether the values that are known are those of the iteration that comes next."""
        run, index = self._link.run, self._index()
        return not run.training and run.target is None and (index is None or index.trace.iteration == run.iteration)

    def values(self, parameter: str) -> np.ndarray | None:
        """Return a parameter as it stands; None if that is not known, or not yet: large ones come when they are wanted."""
        if parameter in self._typed:
            return self._typed[parameter]
        node = self._node(parameter)
        if node is None:
            return None
        found = self._index().array(node.value)
        return self._whole.get(parameter) if found is None else found

    def want(self, parameter: str) -> None:
        """Ask for a parameter if it was too large to travel with the trace; `changed` tells when it is known."""
        node = self._node(parameter)
        if node is not None and self.values(parameter) is None and self._link.run.is_traced:
            self._inspections.want(messages.Inspect(node.id))

    # --- setting ---

    def put(self, parameter: str, values: np.ndarray, label: str = "", merge: str = "", chosen: np.ndarray | None = None) -> bool:
        """Set a whole parameter; return whether that was possible, or will be as soon as the present iteration is made.

        Where the parameter is no longer what it was, only `chosen` elements are set; without them those that were to be others.
        """
        values, label = np.asarray(values), label or f"Set {parameter}"
        if self._stands:
            return self._set(parameter, values, label, merge)
        shown = self.values(parameter)
        meant = chosen if chosen is not None else np.ones(values.shape, bool) if shown is None else values != shown
        return self._set_later(parameter, lambda present: np.where(meant, values, present), label, merge)

    def put_element(self, parameter: str, index: tuple[int, ...], value: float, merge: str = "") -> bool:
        """Set one element; the others stay as they are."""
        return self._change(parameter, index, lambda present: value, merge)

    def nudge(self, parameter: str, index: tuple[int, ...], steps: float) -> bool:
        """Change one element by so many fine steps, a hundredth of the order of magnitude of the largest; nudges in a row are one undo."""
        merge = f"nudge {parameter} {index}"
        return self._change(parameter, index, lambda present: float(present[index]) + steps * fine_step(present), merge)

    def _change(self, parameter: str, index: tuple[int, ...], value: Callable[[np.ndarray], float], merge: str) -> bool:
        def made(present: np.ndarray) -> np.ndarray:
            values = present.astype(np.float64)
            values[index] = value(present)
            return values

        if not self._stands:
            return self._set_later(parameter, made, f"Set {parameter}", merge)
        present = self.values(parameter)
        return present is not None and self._set(parameter, made(present), f"Set {parameter}", merge)

    def _set(self, parameter: str, values: np.ndarray, label: str, merge: str) -> bool:
        self._is_own = True
        try:
            done = self._document.edit(label, edits.set_parameter, parameter, values.tolist(), merge=merge)
        finally:
            self._is_own = False
        if done:
            self._typed[parameter] = values
            self.changed.emit()
        return done

    def _set_later(self, parameter: str, made: Callable[[np.ndarray], np.ndarray], label: str, merge: str) -> bool:
        """Set a parameter to what is `made` of its values as soon as they are known."""

        def change() -> bool:
            present = self.values(parameter)
            if present is None:
                self.want(parameter)
                return self._node(parameter) is None  # a large one is on its way; one that has gone cannot be set
            try:
                self._set(parameter, made(present), label, merge)
            except (ValueError, IndexError):
                self.message_posted.emit("warning", f"{parameter} has another shape by now and was not set.")
            return True

        self._training.defer(change)
        return True

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
        self._drawings.want(messages.DrawInitial(parameter, seed), parameter)

    # --- what is known ---

    def _index(self) -> TraceIndex | None:
        index = self._link.run.trace_index
        return index.truth.whole if index else None

    def _node(self, parameter: str) -> NodeRecord | None:
        index = self._index()
        return next((node for node in index.trace.nodes if _is(node, parameter)), None) if index else None

    def follow_document(self) -> None:
        """The document is another: what was typed before is in it, or was taken back."""
        if not self._is_own:
            self._typed.clear()
        self.changed.emit()

    def follow(self, old: RunState, new: RunState) -> None:
        """Another trace has other values."""
        if old.trace_index is not new.trace_index or old.training != new.training:
            if new.is_traced:
                self._typed.clear()
            self._whole.clear()
            self.changed.emit()

    def take(self, reply: messages.Reply) -> None:
        """Take the answer to what was asked here, if it is one."""
        self._inspections.take(reply)
        self._drawings.take(reply)

    def _keep(self, reply: messages.Inspected) -> None:
        index = self._index()
        node = index.node(reply.node) if index and reply.node < len(index.trace.nodes) else None
        if node is not None and node.kind == "parameter" and index.trace.iteration == reply.iteration:
            self._whole[node.label] = to_numpy(reply.array)
            self.changed.emit()


def fine_step(values: np.ndarray) -> float:
    """Return a hundredth of the order of magnitude of the largest value."""
    largest = float(np.abs(values).max()) if values.size else 0.0
    return 10.0 ** (math.floor(math.log10(largest)) - 2) if math.isfinite(largest) and largest > 0 else 0.01


def _is(node: NodeRecord, parameter: str) -> bool:
    return node.kind == "parameter" and node.label == parameter
