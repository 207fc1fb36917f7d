"""The cursor: where in the trace the window stands, and which row of the batch it looks at. It must not talk to the engine."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from nnviz.records import trace_places
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_matching import same_place
from nnviz.records.trace_record import Details
from nnviz.records.trace_state import TraceState

Aim = Callable[[TraceIndex], int | None]
"""Says where to stand in a trace that has just come; None where it does not know."""


class Stepper(QObject):
    """The only place where the cursor changes. `moment` is what all pictures of the trace draw."""

    trace_state_changed = Signal(object, object)
    """TraceState | None before, and now."""
    detail_changed = Signal(str)

    def __init__(self, advance: Callable[[], bool], parent: QObject | None = None) -> None:
        """`advance` makes the next iteration's trace come, by finishing this one if need be; it returns whether that is possible."""
        super().__init__(parent)
        self._advance = advance
        self.state: TraceState | None = None
        self.sample: int | None = 0
        self.detail = "textbook"
        self.details: Details = ()
        """Groups that are opened to another detail than the whole."""
        self.rest = "start"
        self.is_awaiting = False
        """Whether a step has been asked for that needs a trace which is not there yet."""
        self._aim: Aim | None = None
        self._is_stepping = False
        self._is_training = False

    @property
    def index(self) -> TraceIndex | None:
        """The trace the cursor stands in."""
        return self.state.index if self.state else None

    @property
    def cursor(self) -> int:
        """How many steps of the trace are made; 0 without a trace."""
        return self.state.cursor if self.state else 0

    @property
    def length(self) -> int:
        """How many steps the trace has; 0 without one."""
        return self.index.length if self.index else 0

    @property
    def is_at_end(self) -> bool:
        """Whether the next step needs a trace that is not there yet."""
        return self._is_training or self.cursor >= self.length

    @property
    def walked(self) -> int:
        """How many steps the person has made in this trace; 0 where the cursor only rests at its end."""
        return self.cursor if self._is_stepping else 0

    def step(self) -> None:
        """Make the next step. Behind the last one the iteration is finished and the next one begins, as soon as its trace is there."""
        if self.is_at_end:
            self.expect(self._advance)
        else:
            self.to(self.cursor + 1)

    def expect(self, ask: Callable[[], bool], aim: Aim | None = None) -> None:
        """Wait for the trace that `ask` makes come (it says whether one will), to stand where `aim` says; else after its first step."""
        if not self.is_awaiting:
            self._aim, self.is_awaiting = aim, True  # before the call: what it sets off may ask
            self.is_awaiting = ask()

    def aim(self, aim: Aim | None) -> None:
        """Stand where this says when the next iteration's trace comes; None: where a trace is shown anyway."""
        self._aim = aim

    def back(self) -> None:
        """Take the last step back."""
        self.to(self.cursor - 1)

    def to(self, cursor: int) -> None:
        """Stand after `cursor` steps, or as near as the trace allows."""
        if self.index:
            self._is_stepping, self.is_awaiting, self._aim = True, False, None
            self._stand(self.index, trace_places.clamped(self.index, cursor))

    def to_start(self) -> None:
        """Stand before the first step."""
        self.to(0)

    def to_end(self) -> None:
        """Stand after the last step: everything is computed."""
        self.to(self.length)

    def to_node(self, node: int) -> None:
        """Run to the next step at which something happens to this node, from the start again behind its last. No step: the cursor stays."""
        place = trace_places.to_node(self.index, self.cursor, node) if self.index else None
        if place is not None:
            self.to(place)

    def set_sample(self, sample: int | None) -> None:
        """Look at this row of the batch, or at the batch's mean (None). A shorter batch shows its last row."""
        self.sample = sample if sample is None else max(0, sample)
        self._stand(self.index, self.cursor)

    def set_detail(self, detail: str) -> None:
        """Ask for traces of this detail from now on, everywhere."""
        if (detail, ()) != (self.detail, self.details):
            self.detail, self.details = detail, ()
            self.detail_changed.emit(detail)

    def set_detail_of(self, group: str, detail: str) -> None:
        """Ask for traces with this group ("h1", "encoder/layers/0") opened to this detail, the others as they are. Empty: as around it."""
        everywhere = "textbook" if self.detail == "neurons" else self.detail  # neurons are made of textbook steps
        others = dict(self.details) | {group: detail}
        details = tuple((path, one) for path, one in others.items() if one and (one != everywhere or path.count("/")))
        if details != self.details:
            self.details = details
            self.detail_changed.emit(self.detail)

    def set_rest(self, rest: str) -> None:
        """Let the cursor stand at the "start" or the "end" of a trace while the person is not stepping."""
        self.rest = rest
        if self.index and not (self._is_stepping or self._is_training):
            self._stand(self.index, _resting(self.rest, self.index))

    def show(self, index: TraceIndex | None, is_training: bool, is_current: bool) -> None:
        """Take over the run's trace. `is_current`: it is the trace of the iteration that comes next, not of one already made."""
        self._is_training = is_training
        self._is_stepping = self._is_stepping and not is_training
        finished = index is not None and not is_current
        if index is self.index or (self.is_awaiting and finished):
            return
        self._stand(index, self._place(index, finished) if index else 0)

    def _place(self, index: TraceIndex, finished: bool) -> int:
        aimed = None if finished or self._aim is None else self._aim(index)
        if self.is_awaiting and aimed is None:
            aimed = 1
        if not finished:
            self._aim, self.is_awaiting = None, False
        if aimed is not None:
            self._is_stepping = True
            return trace_places.clamped(index, aimed)
        if finished:
            return index.length
        if self.index and (index.trace.what_ifs or self.index.original) and index.trace.iteration == self.index.trace.iteration:
            return same_place(self.index, index, self.cursor)
        if self._is_stepping and self.index:
            return same_place(self.index, index, self.cursor)
        return _resting(self.rest, index)

    def _stand(self, index: TraceIndex | None, cursor: int) -> None:
        old, sample = self.state, _row(self.sample, index)
        if index is self.index and (old is None or (cursor, sample) == (old.cursor, old.sample)):
            return
        self.state = TraceState(index, cursor, sample) if index else None
        self.trace_state_changed.emit(old, self.state)


def _resting(rest: str, index: TraceIndex) -> int:
    return index.length if rest == "end" else 0


def _row(sample: int | None, index: TraceIndex | None) -> int | None:
    """The last batch of an epoch may have fewer rows than the others."""
    if index is None or sample is None:
        return sample
    return max(0, min(sample, len(index.trace.rows) - 1))
