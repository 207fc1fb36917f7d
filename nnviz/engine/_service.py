"""The engine's loop: take a request, answer it, train in between. It never imports Qt, and no request can bring it down."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nnviz import messages
from nnviz.document.run_log import NOTHING_LEFT, LogUpdate, RunLog, is_another_network
from nnviz.engine._file_questions import FileQuestions
from nnviz.engine.errors import NO_MEMORY, BuildError, is_out_of_memory
from nnviz.engine.files.written_file import written_file
from nnviz.engine.frame_channel import Closed, Garbage, Inbox
from nnviz.engine.observe.baselines import baselines
from nnviz.engine.observe.batch_costs import batch_costs
from nnviz.engine.observe.batch_rows import inspected_batch
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.curvature import curvature
from nnviz.engine.observe.curve_records import curve_points
from nnviz.engine.observe.data_previews import previewed
from nnviz.engine.observe.data_records import data_record
from nnviz.engine.observe.distances import distances
from nnviz.engine.observe.flat_calls import listed_calls, why_not_flat
from nnviz.engine.observe.gradient_noise import gradient_noise
from nnviz.engine.observe.hindsight import first_time_work, past_numbers_work, past_time_work
from nnviz.engine.observe.initial_values import initial_drawn
from nnviz.engine.observe.inspection import gradient_checked, inspected, node_tensors
from nnviz.engine.observe.landscape import loss_plane
from nnviz.engine.observe.reporter import Budget, Reporter
from nnviz.engine.observe.surface import unit_map
from nnviz.engine.observe.trace_records import to_record
from nnviz.engine.run.position import iterations_per_epoch
from nnviz.engine.run.race import compared, race
from nnviz.engine.run.range_test import range_test
from nnviz.engine.run.timeline import SLICE, Timeline
from nnviz.engine.run.training_breakpoints import TrainingBreakpoints
from nnviz.engine.tasks import Task, TaskQueue, Work
from nnviz.records.run_records import BreakpointHit, Goal, goal_reached
from nnviz.records.task_records import (
    BaselinesTask,
    BatchCostTask,
    CurvatureTask,
    DistancesTask,
    DivergenceTask,
    FileTask,
    FirstTimeTask,
    NoiseTask,
    PastNumbersTask,
    PastTimeTask,
    PlaneTask,
    RaceTask,
    RangeTestTask,
    Tasks,
)
from nnviz.trace import NoSuchGroup, TooManyScalars, TraceError

AT_REST = 0.02
"""Seconds of a long task in one go where no training waits for its turn."""


class Service:
    """One run at a time. Requests are answered in order; a long way to an iteration is left when the window asks for something else."""

    def __init__(self, inbox: Inbox, send: Callable[[messages.Reply], None]) -> None:
        self._inbox, self._send = inbox, send
        self._timeline: Timeline | None = None
        self._revision = 0
        self._left: float | None = None
        """Iterations still to train; None while the run stands."""
        self._goal: Goal | None = None
        """What ends training before that."""
        self._pause = 0.0
        """Seconds between the beginnings of two iterations, at least."""
        self._due = 0.0
        """When the next one may begin, as time.perf_counter counts."""
        self._data_sent: object = None
        self._reasons_said: set[str] = set()
        """Why iterations of this run are not made flat, as far as that has been logged."""
        self._reporter = Reporter(send)
        self._breakpoints = TrainingBreakpoints()
        self._files = FileQuestions(send, self._refuse)
        self._tasks = TaskQueue(send, lambda error: _failure("StartTask", error))
        self._turns = Budget(1)
        self._handlers = self._table()

    def _table(self) -> dict[type, Callable]:
        """What is done for each kind of request."""
        return {
            messages.Open: self._open,
            messages.Edit: self._edit,
            messages.Train: self._train,
            messages.SetPace: lambda request: self._set_pace(request.per_second),
            messages.Pause: lambda request: self._finish("asked") if self._left is not None else None,
            messages.GoTo: self._go_to,
            messages.Watch: self._watch,
            messages.SetBreakpoints: lambda request: self._breakpoints.set_breakpoints(request.breakpoints),
            messages.SetBounds: self._set_bounds,
            messages.Acknowledge: lambda request: self._reporter.acknowledge(request.number),
            messages.TraceNext: self._look,
            messages.Inspect: self._look,
            messages.InspectNode: self._look,
            messages.CheckGradient: self._look,
            messages.InspectBatch: lambda request: self._send(inspected_batch(self._run().trainer)),
            messages.DrawInitial: lambda request: self._send(initial_drawn(self._run(), request)),
            messages.MapUnit: self._look,
            messages.ListCalls: self._list_calls,
            messages.Preview: self._preview,
            messages.ReadTable: lambda request: self._files.ask(request),
            messages.StopReading: lambda request: self._files.stop(request.number),
            messages.StartTask: self._start_task,
            messages.StopTask: lambda request: self._tasks.stop(request.number),
        }

    def run(self) -> None:
        """Serve until the window has gone."""
        while True:
            while (self._left is None and self._tasks.is_empty) or not self._inbox.is_empty:
                item = self._inbox.take()
                if isinstance(item, Closed):
                    return
                self._answer(item)
            self._work()

    def _work(self) -> None:
        """A slice of training, and one of a long task: while training goes on they get the same time."""
        start, is_training = time.perf_counter(), self._left is not None
        if is_training:
            self._advance()
            self._turns.trained(max(self._pause, time.perf_counter() - start))
        if not self._tasks.is_empty and (self._turns.is_due or not is_training):
            start = time.perf_counter()
            self._tasks.advance(start + (SLICE if is_training else AT_REST))
            self._turns.spent(time.perf_counter() - start)

    def _answer(self, item: messages.Requests | Garbage) -> None:
        if isinstance(item, Garbage):
            self._send(messages.Failed("frame", item.message))
            return
        try:
            self._handlers[type(item)](item)
        except Exception as error:
            self._refuse(item, error)

    def _refuse(self, request: messages.Requests, error: Exception) -> None:
        name, revision = type(request).__name__, getattr(request, "revision", None)
        self._send(_failure(name, error, revision))
        if self._left is not None and name in ("Open", "Edit"):
            self._finish("asked", "The document cannot be trained as it is now.")

    # --- the run ---

    def _open(self, request: messages.Open) -> None:
        self._reporter.set_bounds(request.doctor)
        self._begin(request.revision, self._new(request.log, Path(request.folder)), request.iteration)

    def _new(self, log: RunLog, folder: Path) -> Timeline:
        old = self._timeline
        is_known = old and log.first.data.kind != "csv" and old.has_same_data(log.first, folder)  # a file may have changed
        if is_known and old.folder == folder:
            return old.branch(log)
        return Timeline(log, folder, old.data if is_known else None)

    def _begin(self, revision: int, timeline: Timeline, iteration: int = 0, nothing_left: bool = False) -> None:
        trained = self._timeline.iteration if self._timeline else 0
        timeline.trainer.keep_previous(self._reporter.needs_previous)
        timeline.record_weight(self._reporter.watch.parameter, self._reporter.watch.element)
        stop = timeline.go_to(iteration, self._inbox.interrupts) if iteration else None
        self._timeline, self._revision, self._left = timeline, revision, None
        self._tasks.leave_run()
        self._reasons_said = set()
        self._reporter.begin()
        self._opened(
            LogUpdate(len(timeline.changes)),
            new_run=True,
            nothing_left=nothing_left,
            reasons=(NOTHING_LEFT,) * (nothing_left and trained > 0),
        )
        self._reporter.report_at_rest(timeline, revision)
        if stop:
            self._send(messages.Trained(timeline.iteration, timeline.trainer.position.epoch, stop.reason, stop.message))

    def _edit(self, request: messages.Edit) -> None:
        timeline, experiment = self._run(), request.experiment
        nothing_left = is_another_network(timeline.trainer.experiment, experiment, request.alive)
        if nothing_left or not timeline.can_go_on_with(experiment):
            self._begin(request.revision, self._new(RunLog(experiment), timeline.folder), nothing_left=nothing_left)
            return
        before, transferred = timeline.log, timeline.edit(experiment)
        self._reporter.edited(len(timeline.points))
        self._revision = request.revision
        reasons = transferred.reasons if timeline.iteration else ()
        self._opened(before.update_to(timeline.log), kept=transferred.kept, reset=transferred.reset, reasons=reasons)
        if self._left is None:
            self._reporter.report_at_rest(timeline, self._revision)

    def _opened(self, log: LogUpdate, new_run: bool = False, **what: Any) -> None:
        timeline = self._timeline
        data, self._data_sent = None if timeline.data is self._data_sent else data_record(timeline.data), timeline.data
        trainer, batch_size = timeline.trainer, timeline.document.training.batch_size
        per_epoch = iterations_per_epoch(trainer.training_rows.count, batch_size)
        place = self._revision, timeline.iteration, trainer.position.epoch
        self._send(messages.Opened(*place, new_run, per_epoch, data, log=log, **what))

    def _run(self) -> Timeline:
        if self._timeline is None:
            raise BuildError("", "No run is open.", "Open a document first.")
        return self._timeline

    # --- training and moving ---

    def _train(self, request: messages.Train) -> None:
        timeline = self._run()
        self._breakpoints.skip(timeline.iteration if request.past else None)
        self._left = float("inf") if request.iterations is None else request.iterations
        self._goal = request.goal
        self._set_pace(request.per_second)
        if self._left <= 0:
            self._finish("done")

    def _set_pace(self, per_second: float | None) -> None:
        self._pause, self._due = 1 / per_second if per_second else 0.0, 0.0

    def _advance(self) -> None:
        start = time.perf_counter()
        if start < self._due:
            self._inbox.wait(self._due - start if self._tasks.is_empty else 0.0)
            return
        self._due = start + self._pause
        try:
            is_watched = self._pause or (self._goal and self._goal.figure == "loss")
            before, at_most = self._timeline.iteration, 1 if is_watched else self._left
            stop = self._timeline.advance(self._breakpoints.active_check, at_most, start + SLICE)
            self._left -= self._timeline.iteration - before
            self._log_reason()
            if stop:
                if stop.comes_before:
                    self._timeline.leave_unmade()
                self._finish(stop.reason, stop.message, stop.hit)
            elif self._goal and self._goal.is_reached(self._timeline.points[-1]):
                score = "accuracy" if self._timeline.trainer.data.classes else "RMSE"
                self._finish("reached", goal_reached(self._goal, self._timeline.points[-1], score))
            elif self._left <= 0:
                self._finish("done")
            else:
                self._reporter.report_iteration(self._timeline, self._revision, max(self._pause, time.perf_counter() - start))
        except Exception as error:
            self._send(_failure("Train", error))
            self._finish("asked", str(error))

    def _finish(self, reason: str, message: str = "", hit: BreakpointHit | None = None) -> None:
        timeline, self._left = self._timeline, None
        try:
            self._reporter.report_at_rest(timeline, self._revision)
        except Exception as error:  # the run stands all the same
            self._send(_failure("Watch", error))
        self._send(messages.Trained(timeline.iteration, timeline.trainer.position.epoch, reason, message, hit))

    def _go_to(self, request: messages.GoTo) -> None:
        timeline = self._run()
        if self._left is not None:  # it trains: what the window has not heard of yet is not lost when the run goes back
            self._reporter.report_recorded_weight(timeline, self._revision)
            self._left = None

        def interrupted() -> bool:
            self._reporter.report_progress(timeline, self._revision)
            return self._inbox.interrupts()

        stop = timeline.go_to(request.iteration, interrupted)
        self._log_reason()
        self._reporter.moved(len(timeline.points))
        self._send(messages.Moved(timeline.iteration, timeline.trainer.position.epoch, curve_points(timeline.points)))
        self._reporter.report_at_rest(timeline, self._revision)
        if stop:
            raise BuildError("", stop.message)

    def _log_reason(self) -> None:
        """Say in the log why iterations are not made flat; every reason once in a run."""
        reason = self._timeline.trainer.flat.reason
        if reason and reason not in self._reasons_said:
            self._reasons_said.add(reason)
            self._send(messages.Logged(f"{why_not_flat(reason)}\n"))

    # --- long work ---

    def _start_task(self, request: messages.StartTask) -> None:
        place = self._revision, self._timeline.iteration if self._timeline else 0
        try:
            work = _work_on(request.task, self._run())
            self._tasks.start(request.number, place, Task(work), not isinstance(request.task, RaceTask | DivergenceTask))
        except Exception as error:
            failed = _failure("StartTask", error)
            self._send(messages.TaskDone(request.number, *place, "failed", None, failed.message, failed.cure))

    # --- looking ---

    def _watch(self, request: messages.Watch) -> None:
        old = self._reporter.watch
        self._reporter.set_watch(request)
        news = set(request.panels) - set(old.panels) - {"trace"}
        if self._timeline:
            self._timeline.trainer.keep_previous(self._reporter.needs_previous)
            if (request.parameter, request.element) != (old.parameter, old.element):
                self._timeline.record_weight(request.parameter, request.element)
                self._reporter.report_recorded_weight(self._timeline, self._revision)
            if news and self._left is None:
                self._reporter.report_at_rest(self._timeline, self._revision)
            elif wishes := [wish for wish in request.pictures if wish not in old.pictures]:
                self._reporter.report_pictures(self._timeline, self._revision, wishes)

    def _set_bounds(self, request: messages.SetBounds) -> None:
        self._reporter.set_bounds(request.doctor)
        if self._timeline and self._left is None:
            self._reporter.report_judgement(self._timeline, self._revision)

    def _preview(self, request: messages.Preview) -> None:
        if request.experiment.data.kind == "csv":
            self._files.ask(request)
        else:
            self._send(previewed(request))

    def _look(
        self, request: messages.TraceNext | messages.Inspect | messages.InspectNode | messages.CheckGradient | messages.MapUnit
    ) -> None:
        match request:
            case messages.TraceNext(detail, what_ifs, details):
                self._reporter.keep_trace(capture_next(self._run().trainer, detail, what_ifs=what_ifs, details=details))
                self._send(messages.Traced(self._revision, to_record(self._reporter.captured)))
            case messages.Inspect():
                self._send(inspected(self._reporter.captured, request))
            case messages.InspectNode():
                tensors = node_tensors(self._reporter.captured, request.node, request.row)
                self._send(messages.NodeInspected(self._revision, tensors))
            case messages.CheckGradient():
                self._send(gradient_checked(self._reporter.captured, request))
            case messages.MapUnit(layer, unit):
                values = unit_map(self._run().trainer, layer, unit)
                self._send(messages.UnitMapped(self._revision, self._timeline.iteration, layer, unit, values))

    def _list_calls(self, request: messages.ListCalls) -> None:
        timeline = self._run()
        self._send(messages.CallsListed(self._revision, timeline.iteration, listed_calls(timeline.trainer)))


def _work_on(task: Tasks, timeline: Timeline) -> Work:
    match task:
        case PlaneTask():
            return loss_plane(task, timeline)
        case CurvatureTask():
            return curvature(task, timeline.trainer)
        case NoiseTask():
            return gradient_noise(task, timeline.trainer)
        case RangeTestTask():
            return range_test(task, timeline.trainer)
        case RaceTask():
            return race(task, timeline)
        case DivergenceTask():
            return compared(task, timeline)
        case PastNumbersTask():
            return past_numbers_work(task, timeline)
        case PastTimeTask():
            return past_time_work(task, timeline)
        case FirstTimeTask():
            return first_time_work(task, timeline)
        case BaselinesTask():
            return baselines(task, timeline.trainer)
        case DistancesTask():
            return distances(task, timeline.trainer)
        case BatchCostTask():
            return batch_costs(task, timeline.trainer)
        case FileTask():
            return written_file(task, timeline)


def _failure(name: str, error: Exception, revision: int | None = None) -> messages.Failed:
    if isinstance(error, BuildError):
        return messages.Failed(name, error.message, error.cure, error.place, revision)
    if is_out_of_memory(error):
        return messages.Failed(name, NO_MEMORY, revision=revision)
    if not isinstance(error, TraceError):
        traceback.print_exc(file=sys.stderr)
    place = "detail" if isinstance(error, TooManyScalars | NoSuchGroup) else ""
    text = str(error) or type(error).__name__
    message = text if isinstance(error, TraceError) else f"The engine could not do this ({type(error).__name__}: {text})."
    return messages.Failed(name, message, place=place, revision=revision)
