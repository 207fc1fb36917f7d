"""What can be stepped through: the trace of a live session, or one that was recorded (`nnviz.show`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PySide6.QtCore import QObject, Signal, SignalInstance

from nnviz.document.breakpoints import Breakpoint
from nnviz.messages import GradientChecked
from nnviz.records.breakpoint_places import BreakpointPlace
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_matching import counterpart
from nnviz.records.trace_places import places_of
from nnviz.records.trace_record import Details, NodeTensors
from nnviz.session.stepping import Stepping
from nnviz.session.what_ifs import WhatIfs


class TraceSource(Protocol):
    """All that the step feature knows of where its trace comes from. A `Session` is one."""

    stepping: Stepping
    details: Sequence[str]
    """How far the calls of the trace can be opened."""
    what_ifs: WhatIfs | None
    """None where a trace is looked at as it was."""
    breakpoints_changed: SignalInstance
    """`breakpoint_marks` is another, in the same trace."""
    numbers_arrived: SignalInstance
    """A node: its numbers have been added to the trace."""
    gradient_checked: SignalInstance
    """messages.GradientChecked"""

    @property
    def breakpoint_marks(self) -> dict[int, bool]:
        """The nodes of the trace that have a breakpoint of their own, and whether it is on."""
        ...

    def toggle_breakpoint(self, node: int) -> None:
        """Put a breakpoint on this node of the trace, or take it away."""
        ...

    def want_numbers(self, node: int) -> None:
        """Have `numbers_arrived` bring what was too large to travel around a node of the trace."""
        ...

    def check_gradient(self, node: int, element: tuple[int, ...]) -> None:
        """Have `gradient_checked` bring one element of a gradient beside a finite difference."""
        ...


class Recording(Protocol):
    """Where a recorded trace gets its numbers."""

    details: Sequence[str]

    def index(self, detail: str, details: Details = ()) -> TraceIndex:
        """Return the trace at this detail, or at these inside some groups."""
        ...

    def check(self, node: int, element: tuple[int, ...]) -> GradientChecked:
        """Return one element of a node's gradient beside a finite difference."""
        ...

    def numbers(self, node: int, row: int | None) -> NodeTensors:
        """Return what was too large to travel around a node."""
        ...


class RecordedTrace(QObject):
    """One iteration from its start to its end, with a cursor, a selected node, breakpoints on nodes; without document, run and engine."""

    numbers_arrived = Signal(int)
    gradient_checked = Signal(object)
    breakpoints_changed = Signal()

    what_ifs = None

    def __init__(self, recording: Recording, index: TraceIndex, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._recording = recording
        self._breakpoints: set[int] = set()
        self.details = recording.details
        self.stepping = Stepping(lambda count: False, lambda iteration: False, lambda: 1, self._between, self)
        self.stepping.set_detail(index.trace.detail)
        self.stepping.show(index, is_training=False, is_current=True)
        self.stepping.detail_changed.connect(self._read)
        self.stepping.trace_state_changed.connect(self._stop_at_end)
        self.stepping.breakpoint_reached.connect(self.stepping.stop)

    @property
    def breakpoint_marks(self) -> dict[int, bool]:
        """The nodes that have a breakpoint, all of them on."""
        return dict.fromkeys(self._breakpoints, True)

    def toggle_breakpoint(self, node: int) -> None:
        """Put a breakpoint on a node, or take it away. A run stops behind every step of such a node, and playing ends there."""
        self._breakpoints ^= {node}
        self.breakpoints_changed.emit()

    def want_numbers(self, node: int) -> None:
        """Add what is missing around a node, for the chosen row of the batch."""
        state = self.stepping.state
        if state.index.lacks(node, state.sample) and state.index.take(self._recording.numbers(node, state.sample)):
            self.numbers_arrived.emit(node)

    def check_gradient(self, node: int, element: tuple[int, ...]) -> None:
        """Have `gradient_checked` bring one element of a node's gradient beside a finite difference, at once."""
        self.gradient_checked.emit(self._recording.check(node, element))

    def _read(self, detail: str) -> None:
        """Look at the trace at this detail, at the place where the cursor is."""
        old, index = self.stepping.index, self._recording.index(detail, self.stepping.details)
        self.stepping.select(None)
        kept = (counterpart(old, index, node) for node in self._breakpoints)
        self._breakpoints = {node for node in kept if node is not None}
        self.stepping.show(index, is_training=False, is_current=True)

    def _between(self, index: TraceIndex, start: int, end: int) -> BreakpointPlace | None:
        """The first place behind `start`, up to `end`, that a node with a breakpoint is at; going back there is none."""
        found = sorted((place, node) for node in self._breakpoints for place in places_of(index, node) if start < place <= end)
        return next((BreakpointPlace(place, Breakpoint("node"), node, "") for place, node in found), None)

    def _stop_at_end(self) -> None:
        """Nothing comes behind it."""
        if self.stepping.is_at_end:
            self.stepping.stop()
