"""The breakpoints at work: where they hold in a trace, what training must stop at, what is said of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from msgspec.structs import replace

from nnviz import messages
from nnviz.document.breakpoints import Breakpoint
from nnviz.document.experiment import Experiment
from nnviz.records.breakpoint_places import BreakpointPlace, first_between, first_non_finite, is_in_trace, places_reached
from nnviz.records.trace_index import TraceIndex
from nnviz.session.engine_link import EngineLink


class BreakpointControl:
    """For one session. It knows the document's breakpoints and tells the engine of those that are on."""

    def __init__(self, link: EngineLink, experiment: Experiment) -> None:
        self._link = link
        self._breakpoints: tuple[Breakpoint, ...] = experiment.breakpoints
        self._titles = _titles(experiment)
        self._is_off = False
        self._sent: tuple[Breakpoint, ...] = ()
        self._known: tuple[TraceIndex, tuple, list[BreakpointPlace]] | None = None
        self._index: TraceIndex | None = None
        self._reported: Breakpoint | None = None
        """What the engine has said it stopped at."""

    def set_experiment(self, experiment: Experiment) -> None:
        """Work with this document's breakpoints and layer titles."""
        self._breakpoints, self._titles = experiment.breakpoints, _titles(experiment)
        self._send()

    def set_index(self, index: TraceIndex | None) -> None:
        """Take this for the present graph: on what it does not have nothing is stopped."""
        if index is not self._index:
            self._index = index
            self._send()

    def switch_off(self) -> None:
        """Stop nothing from now on: for pictures that are made without a person."""
        self._is_off = True
        self._send()

    def take(self, reply: messages.Reply) -> None:
        """A new engine knows no breakpoints; and training may have been stopped by one."""
        if isinstance(reply, messages.Ready):
            self._sent = ()
            self._send()
        elif isinstance(reply, messages.Trained):
            self._reported = reply.hit.breakpoint if reply.hit else None

    def _send(self) -> None:
        """Tell the engine what to stop at, if that has changed: what is on, and what the present graph has."""
        active = tuple(one for one in self._breakpoints if one.enabled and not self._is_off)
        active = tuple(one for one in active if self._index is None or is_in_trace(self._index, one))
        if active != self._sent and self._link.run.engine == "ready":
            self._sent = active
            self._link.ask(messages.SetBreakpoints(active))

    # --- where they hold ---

    @property
    def is_active(self) -> bool:
        """Whether any breakpoint is on."""
        return not self._is_off and any(one.enabled for one in self._breakpoints)

    def places(self, index: TraceIndex) -> list[BreakpointPlace]:
        """Return where the breakpoints hold in this trace, in the order of the schedule."""
        if self._known is None or self._known[0] is not index or self._known[1] is not self._breakpoints:
            self._known = index, self._breakpoints, places_reached(index, self._breakpoints, self._loss_before(index.trace.iteration))
        return self._known[2]

    def between(self, index: TraceIndex, start: int, end: int) -> BreakpointPlace | None:
        """Return the first place on the way from one cursor to another, either way; the end belongs to the way, the start does not."""
        return first_between(self.places(index), start, end) if self.is_active else None

    def said(self, place: BreakpointPlace) -> str:
        """Return why the cursor stops there, as a sentence."""
        return f"Stopped at a breakpoint: {place.reason(self._titles)}."

    def _loss_before(self, iteration: int) -> float | None:
        curves = self._link.run.curves
        place = np.flatnonzero(curves.iteration == iteration)
        return float(curves.loss[place[-1]]) if iteration and place.size else None

    # --- training ---

    def ahead(self, order: messages.Train, index: TraceIndex | None, walked: int) -> BreakpointPlace | None:
        """Return the breakpoint of the present trace that stands in the way of an order to train, behind the steps already made.

        Training stops at an iteration once, however many places of it breakpoints hold at.
        """
        run = self._link.run
        if order.past or not self.is_active or not run.is_traced or index is not run.trace_index:
            return None
        first = next(iter(self.places(index)), None)
        return first if first and first.cursor > walked else None

    def passing(self, order: messages.Train) -> messages.Train:
        """Return the order as it is to be sent: past an iteration at which the person has been already."""
        run = self._link.run
        return replace(order, past=run.is_traced or run.stopped == "breakpoint") if self.is_active and not order.past else order

    def stop_of(self, reply: messages.Trained) -> Callable[[TraceIndex], BreakpointPlace | None]:
        """Return what finds the place that is to blame for the end of training, in the trace of that iteration."""

        def find(index: TraceIndex) -> BreakpointPlace | None:
            if index.trace.iteration != reply.iteration:
                return None
            return next(iter(self.places(index)), None) if reply.reason == "breakpoint" else first_non_finite(index)

        return find

    def is_news(self, place: BreakpointPlace) -> bool:
        """Return whether the engine has said it stopped, but at another breakpoint than this."""
        return self._reported not in (None, place.breakpoint)


def _titles(experiment: Experiment) -> dict[str, str]:
    return {layer.id: layer.title for layer in experiment.network}
