"""A run without a window."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nnviz.doctor.findings_of_run import FindingsOfRun
from nnviz.document.breakpoints import reason
from nnviz.document.edits import set_value
from nnviz.engine.loading import loading
from nnviz.jobs.opened_file import JobError, OpenedFile
from nnviz.records.breakpoint_places import is_in_trace, places_reached, target_of
from nnviz.records.run_records import BreakpointHit
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import TraceRecord

if TYPE_CHECKING:
    from nnviz.engine.run.stop import Stop


class HeadlessRun:
    """A timeline that makes the later settings of a document when their iteration comes; with `breakpoints` it stops at the document's."""

    def __init__(self, document: OpenedFile, breakpoints: bool = False) -> None:
        with loading():
            import torch

            from nnviz.engine.run.timeline import Timeline
            from nnviz.engine.run.training_breakpoints import TrainingBreakpoints

        torch.set_num_threads(1)
        self.timeline = Timeline(document.log or document.experiment, document.folder)
        self.findings = FindingsOfRun()
        """What the doctor has found so far."""
        self.later = list(document.later)
        self.stopped, self.message = "done", ""
        """Why it stopped, in one word and as a sentence."""
        self.breakpoint: dict[str, Any] | None = None
        """What is said of the breakpoint that stopped it."""
        self._breakpoints = TrainingBreakpoints()
        if breakpoints and document.experiment.breakpoints:
            index = TraceIndex(self.record("textbook"))
            self._breakpoints.set_breakpoints(one for one in document.experiment.breakpoints if is_in_trace(index, one))

    def train(self, iterations: int | None, epochs: int | None) -> None:
        """Train so many iterations or epochs in all, or until there is a reason to stop. Raises JobError for settings that lie beyond."""
        if iterations is not None and self.later and self.later[-1].iteration > iterations:
            last = self.later[-1]
            raise JobError(f"@{last.iteration}:{last.path} lies beyond the end: the run has {iterations} iterations.")
        while not (self._is_finished(iterations, epochs) or self._stop(self._advanced(iterations))):
            self.findings.look_if_due(self.timeline.iteration, self.timeline.history)
        if self.stopped == "done":
            self._make_settings()
        self.findings.look(self.timeline.history())

    def _advanced(self, iterations: int | None) -> Stop | None:
        self._make_settings()
        return self.timeline.advance(self._breakpoints.active_check, self._at_most(iterations))

    def _stop(self, stop: Stop | None) -> bool:
        """Note why it stops, if there is a reason; return whether there is."""
        if stop:
            self.stopped, self.message = stop.reason, stop.message
            self.breakpoint = self._described(stop.hit) if stop.hit else None
        return stop is not None

    def record(self, detail: str, sample: int | None = None, details: Sequence[tuple[str, str]] = ()) -> TraceRecord:
        """Return the trace of the iteration that comes next. Raises TraceError for a group that is not there."""
        from nnviz.engine.observe.capture import capture_next
        from nnviz.engine.observe.trace_records import to_record

        return to_record(capture_next(self.timeline.trainer, detail, sample, details=tuple(details)))

    def _is_finished(self, iterations: int | None, epochs: int | None) -> bool:
        position = self.timeline.trainer.position
        return position.epoch >= (epochs or 0) if iterations is None else position.iteration >= iterations

    def _at_most(self, iterations: int | None) -> int:
        """How many iterations can be made in one go, which ends with the epoch anyway."""
        ends = [setting.iteration for setting in self.later[:1]] + ([] if iterations is None else [iterations])
        return min(ends, default=sys.maxsize) - self.timeline.iteration

    def _make_settings(self) -> None:
        while self.later and self.later[0].iteration <= self.timeline.iteration:
            setting = self.later.pop(0)
            experiment = set_value(self.timeline.document, setting.path, setting.value)
            if not self.timeline.can_go_on_with(experiment):
                raise JobError(f"{setting.path} cannot change while a run goes on: data, seed and precision start a new one. Leave out @.")
            self.timeline.edit(experiment)

    def _described(self, hit: BreakpointHit) -> dict[str, Any]:
        """What has stopped training, and the first place where it holds in the trace of that iteration."""
        one, index = hit.breakpoint, TraceIndex(self.record("textbook"))
        previous_loss = self.timeline.points[-1].loss if self.timeline.iteration else None
        # There is no place where a number lies on the threshold but for its rounding.
        place = next(iter(places_reached(index, [one], previous_loss)), None)
        return {
            **{name: getattr(one, name) for name in ("kind", "target", "comparison", "threshold")},
            "iteration": index.trace.iteration + 1,
            "node": target_of(index, place.node)[1] if place else hit.place,
            "phase": index.trace.steps[place.cursor - 1].phase if place else None,
            "step": place.cursor if place else None,
            "value": hit.value,
            "reason": reason(one, hit.place, hit.value, self.timeline.document.network.titles),
        }


def trained_to(document: OpenedFile, iteration: int) -> HeadlessRun:
    """Return the run after so many iterations. Raises JobError where it stopped before."""
    going = HeadlessRun(document)
    going.train(iteration, None)
    if going.timeline.iteration < iteration:
        raise JobError(f"Training stopped after {going.timeline.iteration} iterations ({going.stopped}), before iteration {iteration}.")
    return going
