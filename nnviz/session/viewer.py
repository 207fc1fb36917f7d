"""One trace looked at by itself: a cursor, a chosen node, playback. There is no document, no run and no engine behind it."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_matching import at_hand, counterpart, followed
from nnviz.records.trace_places import places_of
from nnviz.records.trace_state import TraceState
from nnviz.session.playback import Playback
from nnviz.session.stepper import Stepper
from nnviz.session.walker import Walker


class Viewer(QObject):
    """Steps through the trace it is given, from its start to its end."""

    trace_state_changed = Signal(object, object)
    """TraceState | None before, and now."""
    selection_changed = Signal(object, object)
    """Node id | None before, and now."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.stepper = Stepper(lambda: False, self)
        self.playback = Playback(self.stepper.step, self)
        self.breaks = NodeBreaks(self.playback)
        self.walker = Walker(self.stepper, self.breaks, lambda: 1, lambda count: False, lambda iteration: False, self)
        self.selected_node: int | None = None
        self.is_pinned = False
        """Whether steps leave the chosen node chosen."""
        self.stepper.trace_state_changed.connect(self._moved)

    @property
    def state(self) -> TraceState | None:
        """What is known at the cursor."""
        return self.stepper.state

    def show(self, index: TraceIndex) -> None:
        """Look at this trace, at the place where the cursor was in the one before."""
        self.select(None)
        kept = [counterpart(self.state.index, index, node) for node in self.breaks.nodes] if self.state else []
        self.breaks.nodes = {node for node in kept if node is not None}
        self.stepper.show(index, is_training=False, is_current=True)

    def select(self, node: int | None) -> None:
        """Choose a node; None: follow the cursor."""
        before, was_pinned = self.selected_node, self.is_pinned
        self.selected_node, self.is_pinned = node, was_pinned and node == before
        if (before, was_pinned) != (node, self.is_pinned):
            self.selection_changed.emit(before, node)

    def pin(self, pinned: bool) -> None:
        """Let steps leave the chosen node chosen, else the one the cursor is at; or let them take the choice along again."""
        self.select(at_hand(self.state, self.selected_node))
        if self.selected_node is not None and pinned != self.is_pinned:
            self.is_pinned = pinned
            self.selection_changed.emit(self.selected_node, self.selected_node)

    def toggle_breakpoint(self, node: int) -> None:
        """Put a breakpoint on a node, or take it away."""
        self.breaks.nodes ^= {node}
        self.trace_state_changed.emit(self.state, self.state)

    def _moved(self, old: TraceState | None, new: TraceState | None) -> None:
        selected = self.selected_node
        self.selected_node = followed(old, new, selected, self.is_pinned)
        self.trace_state_changed.emit(old, new)
        if self.selected_node != selected:
            self.selection_changed.emit(selected, self.selected_node)


class NodeBreak(NamedTuple):
    """The place of the cursor behind a step of a node that has a breakpoint."""

    cursor: int
    node: int


class NodeBreaks:
    """For the walker: breakpoints on nodes. A run stops behind every step of theirs, and playing ends there."""

    def __init__(self, playback: Playback) -> None:
        self._playback = playback
        self.nodes: set[int] = set()

    @property
    def is_playing(self) -> bool:
        """Whether the move is one of many."""
        return self._playback.is_playing

    def between(self, index: TraceIndex, start: int, end: int) -> NodeBreak | None:
        """Return the first halt behind `start`, up to `end`; going back there is none."""
        places = sorted((place, node) for node in self.nodes for place in places_of(index, node) if start < place <= end)
        if places:
            self._playback.stop()
        return NodeBreak(*places[0]) if places else None

    def tell(self, halt: NodeBreak) -> None:
        """The cursor and the mark on the node say enough."""
