"""The breakpoints at work: the engine is told of them, and the cursor is put where one has stopped something. It moves no run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal

from nnviz import messages
from nnviz.document.breakpoints import Breakpoint
from nnviz.document.experiment import Experiment
from nnviz.records.breakpoint_places import BreakpointPlace, first_non_finite, is_in_trace, places_reached
from nnviz.records.trace_index import TraceIndex
from nnviz.session.conversation import Conversation
from nnviz.session.playback import Playback
from nnviz.session.stepper import Stepper


class Breaker(QObject):
    """For one session."""

    message_posted = Signal(str, str)
    halted = Signal(int)
    """The node at which a breakpoint, or a value that is not finite, has stopped something."""

    def __init__(self, conversation: Conversation, stepper: Stepper, playback: Playback, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._conversation, self._stepper, self._playback = conversation, stepper, playback
        self._breakpoints: tuple[Breakpoint, ...] = ()
        self._titles: dict[str, str] = {}
        self._is_asleep = False
        self._sent: tuple[Breakpoint, ...] = ()
        self._known: tuple[TraceIndex, tuple, list[BreakpointPlace]] | None = None
        self._looked_at: TraceIndex | None = None
        self._arrived: BreakpointPlace | None = None
        self._told: Breakpoint | None = None
        """What the engine has said it stopped at."""
        conversation.replied.connect(self._take)

    def set_experiment(self, experiment: Experiment) -> None:
        """Work with this document's breakpoints and layer titles."""
        self._breakpoints = experiment.breakpoints
        self._titles = experiment.network.titles
        self.send()

    def sleep(self) -> None:
        """Stop nothing from now on: for pictures that are made without a person."""
        self._is_asleep = True
        self.send()

    @property
    def is_active(self) -> bool:
        """Whether any breakpoint is on."""
        return not self._is_asleep and any(one.enabled for one in self._breakpoints)

    @property
    def is_playing(self) -> bool:
        """Whether steps are played: then every place where a breakpoint holds stops it, and says so."""
        return self._playback.is_playing

    # --- where they hold ---

    def halts(self, index: TraceIndex) -> list[BreakpointPlace]:
        """Return where the breakpoints hold in this trace, in the order of the schedule."""
        if self._known is None or self._known[0] is not index or self._known[1] is not self._breakpoints:
            self._known = index, self._breakpoints, places_reached(index, self._breakpoints, self._loss_before(index.trace.iteration))
        return self._known[2]

    def between(self, index: TraceIndex, start: int, end: int) -> BreakpointPlace | None:
        """Return the first halt on the way from one place to another, either way; the end belongs to the way, the start does not."""
        if not self.is_active:
            return None
        if end >= start:
            return next((halt for halt in self.halts(index) if start < halt.cursor <= end), None)
        return next((halt for halt in reversed(self.halts(index)) if end <= halt.cursor < start), None)

    def _loss_before(self, iteration: int) -> float | None:
        curves = self._conversation.run.curves
        place = np.flatnonzero(curves.iteration == iteration)
        return float(curves.loss[place[-1]]) if iteration and place.size else None

    # --- stepping and playing ---

    def tell(self, halt: BreakpointPlace) -> None:
        """Say why the cursor has stopped here, and play no further."""
        self._playback.stop()
        self.message_posted.emit("warning", f"Stopped at a breakpoint: {halt.reason(self._titles)}.")
        self.halted.emit(halt.node)

    def moved(self) -> None:
        """The cursor has moved: stop the playback where a breakpoint holds, and look anew at which nodes there are."""
        index = self._stepper.index
        if index and self.is_playing and self.is_active:
            halt = next((halt for halt in self.halts(index) if halt.cursor == self._stepper.cursor), None)
            if halt:
                self.tell(halt)
        if index is not self._looked_at:
            self._looked_at = index
            self.send()

    # --- training ---

    def gate(self, order: messages.Train) -> messages.Train | None:
        """Return the order to train as it is to be sent; None if the present trace has a breakpoint ahead: the cursor is there then.

        Training stops at an iteration once, however many places of it breakpoints hold at.
        """
        run, index = self._conversation.run, self._stepper.index
        if order.past or not self.is_active:
            return order
        if run.is_traced and index is run.trace_index:
            halt = next(iter(self.halts(index)), None)
            if halt and halt.cursor > self._stepper.walked:
                self._stepper.to(halt.cursor)
                self.tell(halt)
                return None
        return replace(order, past=run.is_traced or run.stopped == "breakpoint")

    def trained(self, reply: messages.Trained) -> None:
        """Training has stopped: if by a breakpoint or at what is not finite, stand at the guilty node as soon as its trace is there."""
        if reply.reason not in ("breakpoint", "non_finite"):
            return
        self._playback.stop()
        self._told = reply.hit.breakpoint if reply.hit else None
        find = self._finder(reply)
        if self._conversation.run.is_traced and self._stepper.index:
            place = find(self._stepper.index)
            if place is not None:
                self._stepper.to(place)
            self.shown()
        else:
            self._stepper.aim(find)

    def _finder(self, reply: messages.Trained) -> Callable[[TraceIndex], int | None]:
        def find(index: TraceIndex) -> int | None:
            if index.trace.iteration != reply.iteration:
                return None
            stops = self.halts(index) if reply.reason == "breakpoint" else [first_non_finite(index)]
            self._arrived = stops[0] if stops else None
            return self._arrived.cursor if self._arrived else None

        return find

    def shown(self) -> None:
        """The trace that was waited for is shown: point at the guilty node."""
        halt, self._arrived = self._arrived, None
        if halt and self._told not in (None, halt.breakpoint):
            self.tell(halt)
        elif halt:
            self.halted.emit(halt.node)

    # --- the engine ---

    def send(self) -> None:
        """Tell the engine what to stop at, if that has changed: what is on, and what the present graph has."""
        index = self._stepper.index
        awake = () if self._is_asleep else self._breakpoints
        active = tuple(one for one in awake if one.enabled and (index is None or is_in_trace(index, one)))
        if active != self._sent and self._conversation.run.engine == "ready":
            self._sent = active
            self._conversation.ask(messages.SetBreakpoints(active))

    def _take(self, reply: messages.Reply) -> None:
        if isinstance(reply, messages.Ready):
            self._sent = ()
            self.send()
