"""A recorded trace to be stepped through (`nnviz.show`): taken beside the window, again at other details and with what is supposed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from nnviz.document.breakpoints import Breakpoint
from nnviz.document.experiment import Experiment
from nnviz.document.network import Choice, Network
from nnviz.document.problems import Refused
from nnviz.document.training import Training
from nnviz.document.undo import UndoHistory
from nnviz.messages import GradientChecked
from nnviz.records.breakpoint_places import BreakpointPlace, first_between, nodes_with_breakpoint, places_reached
from nnviz.records.picture_records import Picture, PictureWish
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import Details, NodeTensors, WhatIf
from nnviz.session.background_call import BackgroundCall, Cancelled
from nnviz.session.stepping import Stepping
from nnviz.session.trace_source import toggle_breakpoint
from nnviz.session.undo_order import UndoOrder
from nnviz.session.what_ifs import Items, WhatIfs

LOOKED_AT = 20
"""Milliseconds between two looks at what is being done beside the window."""


class RecordedIteration(Protocol):
    """One iteration at one detail, and where its numbers come from."""

    index: TraceIndex

    def check(self, node: int, element: tuple[int, ...]) -> GradientChecked:
        """Return one element of a node's gradient beside a finite difference."""
        ...

    def numbers(self, node: int, row: int | None) -> NodeTensors:
        """Return what was too large to travel around a node."""
        ...

    def picture(self, wish: PictureWish) -> Picture:
        """Return a picture of the weights, or of what a part of the module puts out for a row; one that says why there is none."""
        ...


class Recording(Protocol):
    """Where a recorded trace comes from."""

    details: Sequence[str]
    stage: str
    """What `take` is doing, in a word: "capturing", "measuring"."""

    @property
    def obstacle(self) -> str:
        """Why nothing can be supposed of its iterations, as a sentence; empty if something can."""
        ...

    def take(
        self, detail: str, details: Details = (), check: Callable[[], object] = lambda: None, what_ifs: tuple[WhatIf, ...] = ()
    ) -> RecordedIteration:
        """Return the iteration at this detail, or at these inside some groups; in between `check` is called, and may raise.

        `what_ifs`: what is supposed of the iteration that was taken at this detail without them, whose nodes they name.
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

    def __init__(self, recording: Recording, detail: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.details = recording.details
        self.error: BaseException | None = None
        """Why there is no iteration; None while there is one, or it is being taken."""
        self._recording = recording
        self._iteration: RecordedIteration | None = None
        self._supposed: Items = ()
        """What is supposed in it."""
        self._truth: RecordedIteration | None = None
        """The same without anything supposed."""
        self._asked: set[tuple[int, int | None]] = set()
        """Nodes and rows of which numbers have been asked for."""
        self.history = UndoHistory.start(Experiment(Network(), Choice("none", {}), Training(Choice("none", {}), Choice("none", {}))))
        """Of which only the breakpoints are used."""
        self.what_ifs = WhatIfs(lambda: self.stepping.index, self._what_if_obstacle, self.read, self)
        self.what_ifs.message_posted.connect(self.message_posted)
        self.undo_order = UndoOrder(self, self.what_ifs, self)
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
    def is_supposing(self) -> bool:
        """Whether it is the iteration with something supposed that is wanted."""
        return bool(self._wanted[2])

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
            if self._truth is not None and wanted == (*_shown(self._truth.index), ()):
                self._take_up(self._truth, wanted)
            else:
                self._start(lambda check: self._recording.take(*wanted[:2], check, wanted[2]), lambda call: self._take(call, wanted))

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
    def _wanted(self) -> tuple[str, Details, Items]:
        """A detail, and what is supposed: of another detail's nodes only once that one is there."""
        detail = self.stepping.detail, self.stepping.details
        truth = self._truth.index if self._truth is not None else None
        is_of_truth = truth is not None and self.what_ifs.basis is truth and _shown(truth) == detail
        return *detail, self.what_ifs.items if is_of_truth else ()

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

    def _take(self, call: BackgroundCall, wanted: tuple[str, Details, Items]) -> None:
        error = Cancelled() if call.is_cancelled and call.error is None else call.error
        if error is None:
            self._show(call.result, wanted[2])
        is_passed_by = isinstance(error, Cancelled) or self._wanted != wanted
        if is_passed_by and self._wanted != self._at_present and not self._is_given_up:  # another detail has been chosen meanwhile
            self.read()
            return
        self.error = error if self._iteration is None else None
        if error is not None and self._iteration is not None:
            self._put_back()
            self.message_posted.emit(*_said(error, *wanted))
        self.taken.emit()
        if error is None:
            self.what_ifs.take(wanted[2])

    def _take_up(self, iteration: RecordedIteration, wanted: tuple[str, Details, Items]) -> None:
        """Show an iteration that is there already."""
        self._show(iteration, wanted[2])
        self.taken.emit()
        self.what_ifs.take(wanted[2])

    def _show(self, iteration: RecordedIteration, items: Items) -> None:
        """Look at this iteration, of which these are supposed, at the place where the cursor is."""
        before = self._iteration and _shown(self._iteration.index)
        self._iteration, self._supposed, self._asked = iteration, items, set()
        index = TraceIndex(iteration.index.trace, self._truth.index) if items else iteration.index
        if not items:
            self._truth = iteration
        if before != _shown(index):
            self.stepping.select(None)
        self.stepping.show(index, is_training=False, is_current=True)

    @property
    def _at_present(self) -> tuple[str, Details, Items] | None:
        return (*_shown(self._iteration.index), self._supposed) if self._iteration else None

    def _put_back(self) -> None:
        """Ask for what is shown."""
        if self._at_present:
            self.stepping.set_details(*self._at_present[:2])
            self.what_ifs.refuse()

    def _what_if_obstacle(self, items: Items) -> str:
        if items and self._recording.obstacle:
            return self._recording.obstacle
        return "Wait until the iteration is captured." if items and (self._truth is None or self._call is not None) else ""

    @property
    def obstacle(self) -> str:
        """Why nothing can ever be supposed here, as a sentence; empty if something can."""
        return self._recording.obstacle

    # --- history ---

    @property
    def experiment(self) -> Experiment:
        """What stands for the document: its breakpoints are those of the trace."""
        return self.history.experiment

    def undo(self) -> None:
        """Take back the last change of the breakpoints."""
        self._go(self.history.undo())

    def redo(self) -> None:
        """Make the change again that was taken back last."""
        self._go(self.history.redo())

    def _go(self, history: UndoHistory) -> None:
        self.history = history
        self.undo_order.follow()
        self.breakpoints_changed.emit()

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
            self._go(self.history.push(label, function(self.experiment, *args, **settings)))
        except Refused as refused:
            self.message_posted.emit("warning", str(refused))
            return False
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

    def picture(self, wish: PictureWish) -> Picture:
        """Return a picture of the iteration that is shown; one that says why, where there can be none."""
        if self._iteration is None:
            return Picture(wish, sentence="the picture appears once the iteration is captured")
        return self._iteration.picture(wish)

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


def _said(error: BaseException, detail: str, details: Details, items: Items) -> tuple[str, str]:
    """What a person is told when a detail, or what is supposed, cannot be shown: how grave it is, and why."""
    what = "what is supposed" if items else f"detail {detail}" + "".join(f", {group} at {one}" for group, one in details)
    if isinstance(error, Cancelled):
        return "info", f"Cancelled: {what} is not shown."
    kind = "" if type(error).__name__ == "TraceError" else f"{type(error).__name__}: "
    if items:
        return "error", f"Nothing changed: {kind}{error}"
    return "error", f"Nothing changed, because {what} cannot be shown. {kind}{error}"
