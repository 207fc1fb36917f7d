"""What the window is shown of a run, and how often: frames that carry only what is watched and cost training little."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from msgspec import structs

from nnviz.doctor.diagnosis import diagnose
from nnviz.doctor.judged_kinds import judged_kinds
from nnviz.document.experiment import Experiment
from nnviz.engine.observe._layer_outputs import layer_outputs, start_spread
from nnviz.engine.observe._net_pictures import picture
from nnviz.engine.observe._update_steps import layer_steps
from nnviz.engine.observe.capture import Captured, capture_next
from nnviz.engine.observe.curve_records import curve_points
from nnviz.engine.observe.measures import history_record, layer_measures
from nnviz.engine.observe.predictions import predictions
from nnviz.engine.observe.surface import surface
from nnviz.engine.observe.trace_records import to_record
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import Trainer
from nnviz.messages import Frame, Logged, Reply, Watch
from nnviz.records.picture_records import PictureWish
from nnviz.records.run_records import LayerOutputs

INTERVAL = 1 / 30
"""Seconds between frames, at least."""
PROGRESS = 1 / 10
"""The same while the run is on its way to an iteration."""
MEASURING = 100
"""So many times the cost of measuring must have been trained before the next one: at most 1 % of the time."""
TRACING = 100
"""The same for live traces. Together they leave a watched run more than nine tenths of its speed."""
PICTURING = 20
"""The same for all pictures of the inside of the net together, at most one on a frame: at most 5 % of the time."""
JUDGING = 100
"""The same for the doctor."""
TRACED_ANYWAY = 1.0
"""Seconds after which a live trace comes, whatever it costs."""
UNHURRIED = 0.5
"""Seconds from one iteration to the next from which on the window has time to draw a trace and the plots of each."""

_OF_LAYERS = {"measures", "updates"}
_OF_OUTPUTS = {"outputs", "functions", "modes"}
"""Of what is watched: what is measured of layers with parameters, and of the outputs of all layers."""


class Budget:
    """Lets something happen only once so many times its last cost has been trained since."""

    def __init__(self, factor: float) -> None:
        self._factor, self._cost, self._trained = factor, 0.0, 0.0

    @property
    def is_due(self) -> bool:
        """Whether it may happen again."""
        return self._trained >= self._factor * self._cost

    def trained(self, seconds: float) -> None:
        """Count time spent on training."""
        self._trained += seconds

    def spent(self, seconds: float) -> None:
        """Count a happening and what it cost."""
        self._cost, self._trained = seconds, 0.0


class Reporter:
    """Sends frames. `captured` is the latest trace, live or asked for."""

    def __init__(self, send: Callable[[Reply], None]) -> None:
        self._send = send
        self.watch = Watch(())
        self.captured: Captured | None = None
        self._number = 0
        self._unacknowledged: set[int] = set()
        self._points_sent = 0
        self._measuring, self._tracing, self._judging = Budget(MEASURING), Budget(TRACING), Budget(JUDGING)
        self._picturing: dict[PictureWish, Budget] = {}
        """Of every picture, the one first that has waited longest: one that costs much does not hold up the others."""
        self._last_frame = self._last_trace = 0.0
        self._is_alone = False
        """Whether the last frame brought a trace and nothing else."""
        self._refused = ""
        self._bounds: Mapping[str, Mapping[str, Any]] = {}
        self._start: tuple[Experiment | None, dict[str, float]] = (None, {})
        """A document, and how the outputs of its layers spread with the weights it starts with."""

    @property
    def needs_previous(self) -> bool:
        """Whether what is watched is worked out from the parameters of before an update."""
        return bool({*_OF_LAYERS, "steps"} & set(self.watch.panels))

    def begin(self) -> None:
        """A new run: nothing of it has been sent, and what measuring cost in another one says nothing of it."""
        self._points_sent, self.captured, self._refused = 0, None, ""
        self._measuring, self._tracing = Budget(MEASURING), Budget(TRACING)
        self._unacknowledged.clear()

    def set_bounds(self, bounds: Mapping[str, Mapping[str, Any]]) -> None:
        """Let the doctor judge by these from now on, where they differ from its table."""
        self._bounds = bounds
        self._judging = Budget(JUDGING)

    def set_watch(self, watch: Watch) -> None:
        """Fill frames from now on with what is watched."""
        if watch.pictures != self.watch.pictures:
            self._picturing = {wish: Budget(PICTURING * len(watch.pictures)) for wish in watch.pictures}
        self.watch = watch

    def keep_trace(self, captured: Captured) -> None:
        """Have this trace as the latest one."""
        self.captured = captured

    def moved(self, points: int) -> None:
        """So many points of the curves are known to the window."""
        self._points_sent = points

    def edited(self, points: int) -> None:
        """The last of so many points may be another one now, and the doctor has to look again."""
        self._points_sent = min(self._points_sent, points - 1)
        self._judging = Budget(JUDGING)

    def acknowledge(self, number: int) -> None:
        """The window has drawn this frame."""
        self._unacknowledged.discard(number)

    def report_iteration(self, timeline: Timeline, revision: int, seconds: float) -> None:
        """After an iteration that took so long: send a frame if one is due."""
        self._measuring.trained(seconds)
        self._tracing.trained(seconds)
        self._judging.trained(seconds)
        for budget in self._picturing.values():
            budget.trained(seconds)
        now = time.perf_counter()
        if now - self._last_frame < INTERVAL or self._unacknowledged:
            return
        self._last_frame = now
        tracing = self._is_tracing(now, seconds)
        self._is_alone = tracing and seconds < UNHURRIED  # else the window would have too much to draw at once
        measuring = self._measuring.is_due and not self._is_alone
        frame, cost = _timed(lambda: self._frame(timeline, revision, measuring, drawing=not self._is_alone))
        if measuring:
            self._measuring.spent(cost)
        if not self._is_alone:
            frame = self._with_next_picture(timeline, frame)
        if self._judging.is_due:
            frame, cost = _timed(partial(self._judged, frame, timeline))
            self._judging.spent(cost)
        if tracing:
            frame, cost = _timed(lambda: self._with_trace(timeline, frame))
            self._tracing.spent(cost)
        self._deliver(frame)

    def _is_tracing(self, now: float, seconds: float) -> bool:
        """Whether a live trace is due. After one that came alone the plots have their turn, however long traces take."""
        is_due = self._tracing.is_due or now - self._last_trace > TRACED_ANYWAY
        return "trace" in self.watch.panels and is_due and (seconds >= UNHURRIED or not self._is_alone)

    def _with_next_picture(self, timeline: Timeline, frame: Frame) -> Frame:
        """The frame, and on it the picture whose turn it is, if one is due."""
        wish = next((wish for wish, budget in self._picturing.items() if budget.is_due), None)
        if wish is None:
            return frame
        made, cost = _timed(lambda: picture(timeline.trainer, wish))
        budget = self._picturing.pop(wish)
        budget.spent(cost)
        self._picturing[wish] = budget  # the last in turn
        return structs.replace(frame, pictures=(made,))

    def report_progress(self, timeline: Timeline, revision: int) -> None:
        """On the way to an iteration: say now and then how far it is. Nothing is drawn of it, so nothing waits for the window."""
        now = time.perf_counter()
        if now - self._last_frame >= PROGRESS:
            self._last_frame, self._number = now, self._number + 1
            trainer = timeline.trainer
            rate = trainer.learning_rate
            self._send(Frame(self._number, revision, timeline.iteration, trainer.position.epoch, rate))

    def report_at_rest(self, timeline: Timeline, revision: int) -> None:
        """Send a frame with everything watched but a trace, which is asked for at rest; validation is measured here, too.

        It answers a request, so the frames of a training that follows do not wait until it is drawn.
        """
        if timeline.complete_last_point():
            self.edited(len(timeline.points))
        frame = self._frame(timeline, revision, True)
        pictures = tuple(picture(timeline.trainer, wish) for wish in self.watch.pictures)
        self._send(self._judged(structs.replace(frame, pictures=pictures), timeline))

    def report_judgement(self, timeline: Timeline, revision: int) -> None:
        """Send a frame with what the doctor says alone."""
        self._deliver(self._judged(self._frame(timeline, revision, False), timeline))

    def _judged(self, frame: Frame, timeline: Timeline) -> Frame:
        """The frame, and on it what the doctor says."""
        history = timeline.history()
        return structs.replace(frame, findings=diagnose(history, self._bounds), judged=judged_kinds(history, self._bounds))

    def report_pictures(self, timeline: Timeline, revision: int, wishes: Iterable[PictureWish]) -> None:
        """Send a frame with these pictures alone."""
        frame = self._frame(timeline, revision, False)
        self._deliver(structs.replace(frame, pictures=tuple(picture(timeline.trainer, wish) for wish in wishes)))

    def report_recorded_weight(self, timeline: Timeline, revision: int) -> None:
        """Send a frame with nothing that has to be measured: the history of the weight that is recorded."""
        self._deliver(self._frame(timeline, revision, False))

    def _frame(self, timeline: Timeline, revision: int, measuring: bool, drawing: bool = True) -> Frame:
        """What is watched, without a trace: with the new points of the curves, or leaving them to the next frame."""
        trainer, panels = timeline.trainer, self.watch.panels
        end = len(timeline.points) if drawing else self._points_sent
        points, self._points_sent = curve_points(timeline.points[self._points_sent : end]), end
        self._number += 1
        return Frame(
            number=self._number,
            revision=revision,
            iteration=timeline.iteration,
            epoch=trainer.position.epoch,
            learning_rate=trainer.learning_rate,
            points=points,
            measures=layer_measures(trainer, "updates" in panels) if measuring and _OF_LAYERS & set(panels) else (),
            outputs=self._outputs(trainer) if measuring and _OF_OUTPUTS & set(panels) else (),
            steps=layer_steps(trainer) if measuring and "steps" in panels else (),
            surface=surface(trainer) if measuring and "surface" in panels else None,
            history=history_record(trainer.recorder, timeline.iteration) if trainer.recorder else None,
            answers=predictions(trainer) if measuring and "answers" in panels else None,
        )

    def _outputs(self, trainer: Trainer) -> tuple[LayerOutputs, ...]:
        """What all layers put out; how it spread at the start is worked out once for a document."""
        if "outputs" in self.watch.panels and self._start[0] is not trainer.experiment:
            self._start = trainer.experiment, start_spread(trainer)
        return layer_outputs(trainer, self._start[1] if "outputs" in self.watch.panels else {}, self.watch.panels)

    def _with_trace(self, timeline: Timeline, frame: Frame) -> Frame:
        self._last_trace = time.perf_counter()
        try:
            self.captured = capture_next(timeline.trainer, self.watch.detail, details=self.watch.details)
            record = to_record(self.captured)
        except Exception as error:
            self._log_once(f"The trace is not shown while training: {error}\n")
            record = None
        return structs.replace(frame, trace=record)

    def _log_once(self, text: str) -> None:
        if text != self._refused:
            self._refused = text
            self._send(Logged(text))

    def _deliver(self, frame: Frame) -> None:
        self._unacknowledged.add(frame.number)
        self._send(frame)


def _timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """What the call returns, and the seconds it worked: where the processor is shared, a wait in it must not count a hundred times."""
    start = time.thread_time()
    return call(), time.thread_time() - start
