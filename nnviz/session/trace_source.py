"""What can be stepped through: the trace of a live session, or one that was recorded (`nnviz.show`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from PySide6.QtCore import QObject, QTimer, Signal, SignalInstance

from nnviz.document import edits
from nnviz.document.breakpoints import Breakpoint
from nnviz.document.experiment import Experiment
from nnviz.document.network import Choice, Network
from nnviz.document.problems import Refused
from nnviz.document.training import Training
from nnviz.messages import GradientChecked
from nnviz.records.breakpoint_places import BreakpointPlace, first_between, nodes_with_breakpoint, places_reached, target_of
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_places import places_of
from nnviz.records.trace_record import Details, NodeTensors
from nnviz.session.background_call import BackgroundCall, Cancelled
from nnviz.session.stepping import Stepping
from nnviz.session.what_ifs import WhatIfs

LOOKED_AT = 20
"""Milliseconds between two looks at what is being done beside the window."""


class TraceSource(Protocol):
    """All that the step feature knows of where its trace comes from. A `Session` is one."""

    stepping: Stepping
    details: Sequence[str]
    """How far the calls of the trace can be opened."""
    experiment: Experiment
    """The document, or what stands for it where there is none: its breakpoints are those of the trace."""
    what_ifs: WhatIfs | None
    """None where a trace is looked at as it was."""
    message_posted: SignalInstance
    """info | warning | error, and a sentence."""
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

    @property
    def breakable(self) -> tuple[list[str], list[str]]:
        """Layers and parameters that a breakpoint can be on, by id and name."""
        ...

    def edit(self, label: str, function: Callable[..., Experiment], *args: Any, **settings: Any) -> bool:
        """Apply a pure edit to the document, or to what stands for it; return whether it was possible."""
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


def toggle_breakpoint(source: TraceSource, node: int) -> None:
    """Put a breakpoint on this node of a source, or take it away; one that no step comes to gets none, and a message says so."""
    index = source.stepping.index
    if places_of(index, node):
        source.edit("Breakpoint", edits.toggle_breakpoint, *target_of(index, node))
    else:
        source.message_posted.emit("info", "No step of the iteration comes to this node, so nothing could stop there.")


class RecordedIteration(Protocol):
    """One iteration at one detail, and where its numbers come from."""

    index: TraceIndex

    def check(self, node: int, element: tuple[int, ...]) -> GradientChecked:
        """Return one element of a node's gradient beside a finite difference."""
        ...

    def numbers(self, node: int, row: int | None) -> NodeTensors:
        """Return what was too large to travel around a node."""
        ...


class Recording(Protocol):
    """Where a recorded trace comes from."""

    details: Sequence[str]
    stage: str
    """What `take` is doing, in a word: "capturing", "measuring"."""

    def take(self, detail: str, details: Details = (), check: Callable[[], object] = lambda: None) -> RecordedIteration:
        """Return the iteration at this detail, or at these inside some groups; in between `check` is called, and may raise.

        Called in a thread of its own. Raises TraceError if it cannot be traced truthfully; errors of the module come through.
        """
        ...


class RecordedTrace(QObject):
    """One iteration from its start to its end, with a cursor, a selected node, breakpoints on nodes; without document, run and engine.

    It is taken beside the window, in a thread: until the first is there `stepping` has no trace, later ones take the place of the
    one before as they come. What cannot be taken leaves everything as it was, and a message says why.
    """

    numbers_arrived = Signal(int)
    gradient_checked = Signal(object)
    breakpoints_changed = Signal()
    message_posted = Signal(str, str)
    """info | warning | error, and a sentence."""
    progressed = Signal()
    """`busy`, `seconds`, `is_stuck` may be others now."""
    taken = Signal()
    """An iteration is there, or cannot be: `error` says why."""

    what_ifs = None

    def __init__(self, recording: Recording, detail: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.details = recording.details
        self.error: BaseException | None = None
        """Why there is no iteration; None while there is one, or it is being taken."""
        self._recording = recording
        self._iteration: RecordedIteration | None = None
        self._asked: set[tuple[int, int | None]] = set()
        """Nodes and rows of which numbers have been asked for."""
        self.experiment = Experiment(Network(), Choice("none", {}), Training(Choice("none", {}), Choice("none", {})))
        """Of which only the breakpoints are used."""
        self._known: tuple[TraceIndex | None, tuple[Breakpoint, ...], list[BreakpointPlace]] = (None, (), [])
        self._call: BackgroundCall | None = None
        self._then: Callable[[BackgroundCall], None] = lambda call: None
        self._stage = ""
        self._is_given_up = False
        self._timer = QTimer(self, interval=LOOKED_AT)
        self._timer.timeout.connect(self._look)
        self.stepping = Stepping(lambda count: False, lambda iteration: False, lambda: 1, self._between, self)
        self.stepping.set_detail(detail)
        self.stepping.detail_changed.connect(self.read)
        self.stepping.trace_state_changed.connect(self._stop_at_end)
        self.stepping.breakpoint_reached.connect(self._stop_at)

    # --- what is being done ---

    @property
    def busy(self) -> str:
        """What is being done beside the window, in a word; empty if nothing is."""
        return (self._stage or self._recording.stage) if self._call else ""

    @property
    def seconds(self) -> float:
        """How long that has been going on."""
        return self._call.seconds if self._call else 0.0

    @property
    def is_stuck(self) -> bool:
        """Whether it was cancelled in vain: it is inside one call that cannot be interrupted."""
        return self._call is not None and self._call.is_stuck

    @property
    def was_cancelled(self) -> bool:
        """Whether there is no iteration because somebody gave it up."""
        return isinstance(self.error, Cancelled)

    @property
    def is_cancelled(self) -> bool:
        """Whether it was told to end, and has not yet."""
        return self._call is not None and self._call.is_cancelled

    def read(self) -> None:
        """Take the iteration at the detail that `stepping` asks for, beside the window; what is being taken is given up."""
        self._is_given_up = False
        if self._call is not None:
            self._call.cancel()
        elif self._wanted != self._at_present:
            wanted, self.error = self._wanted, None
            self._start(lambda check: self._recording.take(*wanted, check), lambda call: self._take(call, wanted))

    def cancel(self) -> None:
        """Give up what is being done; everything stays as it was."""
        if self._call is not None:
            self._put_back()  # before the call ends: what is wanted now is what is shown
            self._is_given_up = True
            self._call.cancel()

    def close(self, seconds: float = 3.0) -> bool:
        """Give up what is being done and wait for its end; return whether it came in that time."""
        self.stepping.stop()
        self._timer.stop()
        return self._call is None or self._call.end(seconds)

    @property
    def _wanted(self) -> tuple[str, Details]:
        return self.stepping.detail, self.stepping.details

    def _start(self, function: Callable[[Callable[[], object]], Any], then: Callable[[BackgroundCall], None], stage: str = "") -> None:
        self._then, self._stage, self._call = then, stage, BackgroundCall(function)
        self._timer.start()
        self.progressed.emit()

    def _look(self) -> None:
        call = self._call
        if not call.has_ended:
            call.insist()
            self.progressed.emit()
            return
        self._timer.stop()
        self._call = None
        self.progressed.emit()
        self._then(call)

    def _take(self, call: BackgroundCall, wanted: tuple[str, Details]) -> None:
        error = Cancelled() if call.is_cancelled and call.error is None else call.error
        if error is None:
            self._show(call.result)
        is_passed_by = isinstance(error, Cancelled) or self._wanted != wanted
        if is_passed_by and self._wanted != self._at_present and not self._is_given_up:  # another detail has been chosen meanwhile
            self.read()
            return
        self.error = error if self._iteration is None else None
        if error is not None and self._iteration is not None:
            self._put_back()
            self.message_posted.emit(*_said(error, *wanted))
        self.taken.emit()

    def _show(self, iteration: RecordedIteration) -> None:
        """Look at this iteration, at the place where the cursor is."""
        self._iteration, self._asked = iteration, set()
        self.stepping.select(None)
        self.stepping.show(iteration.index, is_training=False, is_current=True)

    @property
    def _at_present(self) -> tuple[str, Details] | None:
        return _shown(self._iteration.index) if self._iteration else None

    def _put_back(self) -> None:
        """Ask for the detail that is shown."""
        if self._at_present:
            self.stepping.set_details(*self._at_present)

    # --- breakpoints ---

    @property
    def breakpoint_marks(self) -> dict[int, bool]:
        """The nodes of the trace that have a breakpoint of their own, and whether it is on."""
        return nodes_with_breakpoint(self.stepping.index, self.experiment.breakpoints) if self.stepping.index else {}

    @property
    def breakable(self) -> tuple[list[str], list[str]]:
        """Modules and parameters that a breakpoint can be on, by name."""
        trace = self.stepping.index.trace if self.stepping.index else None
        parameters = [node.label for node in trace.nodes if node.kind == "parameter"] if trace else []
        return (list(trace.outputs) if trace else []), parameters

    def edit(self, label: str, function: Callable[..., Experiment], *args: Any, **settings: Any) -> bool:
        """Apply a pure edit of the breakpoints; return whether it was possible. If not, a message says why."""
        try:
            self.experiment = function(self.experiment, *args, **settings)
        except Refused as refused:
            self.message_posted.emit("warning", str(refused))
            return False
        self.breakpoints_changed.emit()
        return True

    def toggle_breakpoint(self, node: int) -> None:
        """Put a breakpoint on a node, or take it away; one that no step comes to gets none, and a message says so."""
        toggle_breakpoint(self, node)

    def _between(self, index: TraceIndex, start: int, end: int) -> BreakpointPlace | None:
        """The first place on the way, either way; the end belongs to the way, the start does not."""
        if self._known[0] is not index or self._known[1] is not self.experiment.breakpoints:
            breakpoints = self.experiment.breakpoints
            self._known = index, breakpoints, places_reached(index, breakpoints)
        return first_between(self._known[2], start, end)

    def _stop_at(self, place: BreakpointPlace) -> None:
        self.stepping.stop()
        self.message_posted.emit("warning", f"Stopped at a breakpoint: {place.reason({})}.")
        self.stepping.select(place.node)

    # --- numbers ---

    def want_numbers(self, node: int) -> None:
        """Add what is missing around a node, for the chosen row of the batch."""
        state = self.stepping.state
        wish = (node, state.sample)
        if wish not in self._asked and state.index.lacks(*wish):
            self._asked.add(wish)  # what is too large to come at all is asked for once
            if state.index.take(self._iteration.numbers(*wish)):
                self.numbers_arrived.emit(node)

    def check_gradient(self, node: int, element: tuple[int, ...]) -> None:
        """Have `gradient_checked` bring one element of a node's gradient beside a finite difference: the calls are made again."""
        if self._call is None:
            iteration = self._iteration
            self._start(lambda check: iteration.check(node, element), self._tell_checked, "checking")

    def _tell_checked(self, call: BackgroundCall) -> None:
        if call.error is None:
            self.gradient_checked.emit(call.result)
        elif not isinstance(call.error, Cancelled):
            self.message_posted.emit("error", f"The gradient cannot be checked: {call.error}")
        if self._wanted != self._at_present:  # another detail was chosen meanwhile
            self.read()

    def _stop_at_end(self) -> None:
        """Nothing comes behind it."""
        if self.stepping.is_at_end:
            self.stepping.stop()


def _shown(index: TraceIndex) -> tuple[str, Details]:
    return index.trace.detail, index.trace.details


def _said(error: BaseException, detail: str, details: Details) -> tuple[str, str]:
    """What a person is told when a detail cannot be reached: how grave it is, and why."""
    what = f"detail {detail}" + "".join(f", {group} at {one}" for group, one in details)
    if isinstance(error, Cancelled):
        return "info", f"Cancelled: {what} is not shown."
    kind = "" if type(error).__name__ == "TraceError" else f"{type(error).__name__}: "
    return "error", f"Nothing changed, because {what} cannot be shown. {kind}{error}"
